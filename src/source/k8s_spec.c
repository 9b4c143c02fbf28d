/* The specification of pods, and the commands that are run for it. */
#include "source/k8s.h"

#include <stdlib.h>

/* ---- reading --------------------------------------------------------------------------------- */

static bool is_made_of(struct slice s, const char *others)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
        if (!plain && (c == '\0' || !strchr(others, c)))
            return false;
    }
    return s.n > 0 && s.n <= SOURCE_KEEPER_WORD && s.p[0] != '-';
}

static bool is_namespace(struct slice s)
{
    return is_made_of(s, "");
}

/* Of contexts, which may have any name. */
static bool is_printable(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
            return false;
    return true;
}

/* Takes what follows the last slash off the end. */
static struct slice take_last(struct slice *s)
{
    size_t at = s->n;
    while (at > 0 && s->p[at - 1] != '/')
        at--;
    struct slice last = slice_from(*s, at);
    *s = slice_first(*s, at ? at - 1 : 0);
    return last;
}

static bool has_slash(struct slice s)
{
    return slice_find(s, '/') < s.n;
}

/* A label's name may have a domain before it, which has a dot, as no namespace has. */
static void read_selector(struct k8s_spec *spec, struct slice rest)
{
    size_t equals = slice_find(rest, '=');
    struct slice before = slice_first(rest, equals);
    struct slice key = take_last(&before);
    struct slice above = before, domain = take_last(&above);
    if (slice_find(domain, '.') < domain.n && above.n) {
        key = (struct slice){domain.p, domain.n + 1 + key.n};
        before = above;
    }
    if (key.n)
        spec->selector = (struct slice){key.p, key.n + (rest.n - equals)};
    spec->namespace = take_last(&before);
    spec->context = before;
}

/* Of three parts the last is a container, unless the first is no name of a namespace. */
static void read_pod(struct k8s_spec *spec, struct slice rest)
{
    struct slice left = rest;
    struct slice last = take_last(&left), middle = take_last(&left);
    bool three = left.n && !has_slash(left);
    if (!left.n || (three && !is_namespace(left))) {
        spec->pod = last;
        spec->namespace = middle;
    } else {
        spec->container = last;
        spec->pod = middle;
        spec->namespace = take_last(&left);
    }
    spec->context = left;
}

bool k8s_spec_read(struct k8s_spec *spec, const char *path, const char *rest, struct err *err)
{
    struct slice s = slice_of(rest);
    *spec = (struct k8s_spec){0};
    if (slice_find(s, '=') < s.n)
        read_selector(spec, s);
    else
        read_pod(spec, s);
    bool selects = spec->selector.n > 0;
    bool ok = is_namespace(spec->namespace) && is_printable(spec->context) &&
              (selects ? is_made_of(spec->selector, "ABCDEFGHIJKLMNOPQRSTUVWXYZ._/=!,")
                       : is_made_of(spec->pod, ".") &&
                             (!spec->container.n || is_namespace(spec->container)));
    return ok || err_set(err,
                         "%s: it has to be k8s:[CONTEXT/]NAMESPACE/POD[/CONTAINER] or "
                         "k8s:[CONTEXT/]NAMESPACE/LABEL=VALUE",
                         path);
}

/* ---- commands -------------------------------------------------------------------------------- */

VEC_TYPE(words, const char *);

static const char *joined(struct arena *a, const char *option, struct slice value)
{
    return ARENA_JOIN(a, slice_of(option), value).p;
}

/* KUBECTL may be several words, such as "microk8s kubectl". */
static void add_kubectl(struct words *w, const struct k8s_spec *spec, const char *kubectl,
                        struct arena *a)
{
    for (struct slice rest = slice_trim(slice_of(kubectl)); rest.n;) {
        struct slice word = slice_first(rest, slice_find(rest, ' '));
        *vec_add(w) = arena_copy(a, word).p;
        rest = slice_trim(slice_from(rest, word.n));
    }
    if (spec->context.n)
        *vec_add(w) = joined(a, "--context=", spec->context);
    *vec_add(w) = joined(a, "--namespace=", spec->namespace);
}

static void add_words(struct words *w, const char *const *list)
{
    for (; *list; list++)
        *vec_add(w) = *list;
}

static struct source_plan plan_of(struct words *w, size_t words, bool input, struct arena *a)
{
    const char **argv = ARENA_ARRAY(a, const char *, w->n + 1);
    memcpy(argv, w->items, w->n * sizeof *argv);
    vec_clear(w);
    return (struct source_plan){argv, words, input};
}

/* In a container.  tcpdump ends when it has nobody to write to, and at once when standard input
 * ends, which it does with kubectl, however that ends.  In a container of ours the open FIFO is
 * what keeps that alive (see `holder`). */
static const char capture[] =
    "command -v tcpdump >/dev/null 2>&1 || { echo '" K8S_NO_TCPDUMP "' >&2; exit 127; }\n"
    "exec 3<&0\n"
    "if [ -p /tmp/sipxray ]; then exec 4>/tmp/sipxray; fi\n"
    "tcpdump -i any -n -U -s 0 --immediate-mode -w - \"$1\" 3<&- </dev/null &\n"
    "t=$!\n"
    "(while read -r x; do :; done; kill \"$t\") <&3 >/dev/null 2>&1 &\n"
    "w=$!\n"
    "exec 3<&-\n"
    "wait \"$t\"\n"
    "s=$?\n"
    "kill \"$w\" 2>/dev/null\n"
    "exit \"$s\"\n";

/* The first process of an ephemeral container, which can't be removed, only end: when the last of
 * those that have the FIFO open is gone, or when nobody came. */
static const char holder[] = "mkfifo /tmp/sipxray || exit\n"
                             "(sleep 60; : >/tmp/sipxray) &\n"
                             "exec cat /tmp/sipxray\n";

void k8s_plans(const struct k8s_spec *spec, const char *kubectl, const char *image,
               const char *filter, struct arena *a, struct source_plan plans[K8S_PLANS])
{
    struct words w = {0};
    add_kubectl(&w, spec, kubectl, a);
    if (spec->selector.n) {
        add_words(&w, (const char *const[]){"get", "pods", NULL});
        *vec_add(&w) = joined(a, "--selector=", spec->selector);
    } else {
        add_words(&w, (const char *const[]){"get", "pod", NULL});
        *vec_add(&w) = arena_copy(a, spec->pod).p;
    }
    add_words(&w, (const char *const[]){"--watch", "--output-watch-events", "-o", "json", NULL});
    plans[K8S_WATCH] = plan_of(&w, 0, false, a);

    for (enum k8s_plan in = K8S_EXEC; in <= K8S_EXEC_IN; in++) {
        add_kubectl(&w, spec, kubectl, a);
        add_words(&w, (const char *const[]){"exec", "-i", "\1", NULL});
        if (in == K8S_EXEC_IN)
            *vec_add(&w) = "--container=\2";
        add_words(&w, (const char *const[]){"--", "sh", "-c", capture, "sh", filter, NULL});
        plans[in] = plan_of(&w, in == K8S_EXEC_IN ? 2 : 1, true, a);
    }

    add_kubectl(&w, spec, kubectl, a);
    add_words(&w, (const char *const[]){"debug", "pod/\1", "--container=\2", "--quiet",
                                        "--profile=netadmin", NULL});
    *vec_add(&w) = joined(a, "--image=", slice_of(image));
    add_words(&w, (const char *const[]){"--", "sh", "-c", holder, NULL});
    plans[K8S_DEBUG] = plan_of(&w, 2, false, a);
    vec_free(&w);
}
