/* The cases of the suite, and the header lines that each puts on a message. */
#include "probe/probe.h"

#include <stdio.h>
#include <string.h>

static const struct probe_case cases[] = {
#define CASE(id, shape, n, about) {id, PROBE_SHAPE_##shape, n, about},
#include "probe/cases.def"
#undef CASE
};

size_t probe_cases(const struct probe_case **out)
{
    *out = cases;
    return sizeof cases / sizeof *cases;
}

const char *probe_message_name(enum probe_message m)
{
    static const char *const names[PROBE_MESSAGES] = {
        [PROBE_INVITE] = "INVITE",
        [PROBE_INVITE_200] = "200 to INVITE",
        [PROBE_REINVITE] = "re-INVITE",
        [PROBE_REINVITE_200] = "200 to re-INVITE",
        [PROBE_INFO] = "INFO",
        [PROBE_REFER] = "REFER",
        [PROBE_BYE] = "BYE",
    };
    return names[m];
}

/* ---- lines ----------------------------------------------------------------------------------- */

struct lines {
    struct arena *arena;
    struct slice *items;
    size_t n, cap;
    const char *mark; /* "sipxray.fold.BYE.caller": whose values these are */
};

static void add(struct lines *l, struct slice line)
{
    if (l->n == l->cap) {
        size_t cap = l->cap ? 2 * l->cap : 4;
        struct slice *items = ARENA_ARRAY(l->arena, struct slice, cap);
        if (l->n)
            memcpy(items, l->items, l->n * sizeof *items);
        l->items = items;
        l->cap = cap;
    }
    l->items[l->n++] = line;
}

/* "X-Probe: MARK" and what follows it */
#define ADD(l, before, after, ...) add(l, arena_printf((l)->arena, before "%s" after, __VA_ARGS__))

/* A value of so many bytes, of which each tells a cut at it from one elsewhere. */
static void add_long(struct lines *l, const char *name, size_t n)
{
    struct text t = {0};
    text_printf(&t, "%s: %s.", name, l->mark);
    size_t begin = strlen(name) + 2;
    for (size_t at = t.n - begin; at < n; at = t.n - begin) {
        char part[32];
        size_t room = n - at;
        int width = snprintf(part, sizeof part, "%zu-", at);
        text_add(&t, slice_first((struct slice){part, (size_t)width}, room));
    }
    add(l, text_keep(&t, l->arena));
}

static void add_count(struct lines *l, size_t count)
{
    for (size_t i = 1; i <= count; i++)
        add(l, arena_printf(l->arena, "X-Probe-%zu: %s.%zu", i, l->mark, i));
}

/* The sum is to be beyond `size`, and not far beyond: what the messages of these scripts take
 * without the headers under test is known about. */
static void add_size(struct lines *l, size_t size, enum probe_message message)
{
    enum { LINE = 100 };
    static const size_t bare[PROBE_MESSAGES] = {
        [PROBE_INVITE] = 690,       [PROBE_INVITE_200] = 560, [PROBE_REINVITE] = 660,
        [PROBE_REINVITE_200] = 560, [PROBE_INFO] = 310,       [PROBE_REFER] = 380,
        [PROBE_BYE] = 310,
    };
    size_t have = bare[message];
    for (unsigned i = 1; have <= size; i++) {
        char name[32];
        snprintf(name, sizeof name, "X-Probe-%u", i);
        add_long(l, name, LINE - strlen(name) - 4);
        have += LINE;
    }
}

/* RFC 3261 25.1: token.  There are proxies that take no more than the first of these. */
static void add_tokens(struct lines *l, unsigned variant)
{
    static const char *const marks[] = {"-._+", "!%*`'~"};
    for (size_t i = 0; marks[variant][i]; i++)
        add(l, arena_printf(l->arena, "X-Probe%cName: %s.%zu", marks[variant][i], l->mark, i));
    if (variant == 0)
        ADD(l, "X-0123456789: ", ".digits", l->mark);
}

static void add_name_long(struct lines *l, size_t n)
{
    struct text t = {0};
    text_add(&t, SLICE("X-Probe-Name-"));
    while (t.n < n)
        text_add_char(&t, (char)('a' + t.n % 26));
    text_printf(&t, ": %s", l->mark);
    add(l, text_keep(&t, l->arena));
}

static void add_own_names(struct lines *l)
{
    static const char *const names[] = {"Probe-Queue", "P-Probe-Info", "Sipxray", "probe_agent"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        add(l, arena_printf(l->arena, "%s: %s.%zu", names[i], l->mark, i));
}

static void add_text(struct lines *l, unsigned variant)
{
    static const char *const texts[] = {
        " Z\xc3\xbcrich \xc5\x81\xc3\xb3\xd0\xb4\xd0\xb7 \xe6\x9d\xb1\xe4\xba\xac \xf0\x9f\x99\x82",
        " 100% %20 %zz %% %c3%bc %s%n%",
        " \"a \\\"quoted\\\" text, and a \\\\\" 'single'",
        " she said \"hi",
        ";a=b;;c=\"d;e\";f;",
        " <sip:probe@example.invalid;transport=tcp?X-A=1&b=2>;p=1",
    };
    add(l, arena_printf(l->arena, "X-Probe: %s%s", l->mark, texts[variant]));
}

static void add_empty(struct lines *l, bool blank)
{
    ADD(l, "X-Probe: ", "", l->mark);
    add(l, blank ? SLICE("X-Probe-Blank: \t ") : SLICE("X-Probe-Empty:"));
}

static void add_name(struct lines *l, unsigned variant)
{
    static const char *const names[] = {"x-probe-name", "X-PROBE-NAME", "x-pRoBE-nAmE"};
    add(l, arena_printf(l->arena, "%s: %s", names[variant], l->mark));
}

static void add_colon(struct lines *l, unsigned variant)
{
    static const char *const colons[] = {" : ", "\t: ", ":"};
    add(l, arena_printf(l->arena, "X-Probe%s%s", colons[variant], l->mark));
}

static void add_case(struct lines *l, const struct probe_case *c, enum probe_message message)
{
    switch (c->shape) {
    case PROBE_SHAPE_PLAIN:
        ADD(l, "X-Probe: ", "", l->mark);
        break;
    case PROBE_SHAPE_LENGTH:
        add_long(l, "X-Probe", c->n);
        break;
    case PROBE_SHAPE_FOLD:
        ADD(l, "X-Probe: ", "\r\n second line", l->mark);
        break;
    case PROBE_SHAPE_FOLD_FIRST:
        ADD(l, "X-Probe:\r\n ", "", l->mark);
        break;
    case PROBE_SHAPE_FOLD_TAB:
        ADD(l, "X-Probe: ", "\r\n\tsecond line\r\n    third line", l->mark);
        break;
    case PROBE_SHAPE_NAME:
        add_name(l, c->n);
        break;
    case PROBE_SHAPE_COLON:
        add_colon(l, c->n);
        break;
    case PROBE_SHAPE_TWICE:
        ADD(l, "X-Probe: ", ".1", l->mark);
        add(l, arena_printf(l->arena, "X-Probe: %s.%u", l->mark, c->n ? 2u : 1u));
        break;
    case PROBE_SHAPE_LIST:
        add(l, arena_printf(l->arena, "X-Probe: %s.1, %s.2,%s.3", l->mark, l->mark, l->mark));
        break;
    case PROBE_SHAPE_EMPTY:
        add_empty(l, c->n);
        break;
    case PROBE_SHAPE_TEXT:
        add_text(l, c->n);
        break;
    case PROBE_SHAPE_COUNT:
        add_count(l, c->n);
        break;
    case PROBE_SHAPE_SIZE:
        add_size(l, c->n, message);
        break;
    case PROBE_SHAPE_TOKENS:
        add_tokens(l, c->n);
        break;
    case PROBE_SHAPE_NAME_LONG:
        add_name_long(l, c->n);
        break;
    case PROBE_SHAPE_OWN:
        add_own_names(l);
        break;
    }
}

struct probe_lines probe_case_lines(struct arena *a, const struct probe_case *c,
                                    enum probe_message message, bool by_caller)
{
    static const char *const messages[PROBE_MESSAGES] = {
        "INVITE", "INVITE-200", "re-INVITE", "re-INVITE-200", "INFO", "REFER", "BYE"};
    struct lines l = {.arena = a};
    l.mark = arena_printf(a, "sipxray.%s.%s.%s", c->id, messages[message],
                          by_caller ? "caller" : "callee")
                 .p;
    add_case(&l, c, message);
    return (struct probe_lines){l.items, l.n};
}
