/* The rule packs: their table, and how what they note becomes findings. */
#include "check/pack.h"

/* ---- the table ------------------------------------------------------------------------------ */

static const struct {
    struct check_pack about;
    void (*run)(struct pack_run *p);
} packs[] = {
    {{"hygiene", "names, values and sizes that break on the way: variables that were not "
                 "expanded, cut or encoded values, misspelt names, messages too large for UDP"},
     pack_hygiene},
    {{"leak", "what an outside node need not know: products, internal headers, private addresses, "
              "hidden callers, other tenants; and secrets in clear on any link"},
     pack_leak},
    {{"caller-id", "the headers that name the caller and who was called before: do they agree, "
                   "and what does a callee see?"},
     pack_caller_id},
    {{"reject", "over the whole run, the headers that set refused messages apart from accepted "
                "ones"},
     pack_reject},
    {{"sayna", "a Sayna configuration by its own rules, and whether the calls fit it: is the "
               "source allowed, which hook hears of the call?"},
     pack_sayna},
};

#define PACKS (sizeof packs / sizeof *packs)

const struct check_pack *check_pack_at(size_t i)
{
    return i < PACKS ? &packs[i].about : NULL;
}

/* ---- words ---------------------------------------------------------------------------------- */

#define QUOTE_MAX 72u /* bytes of a value that are shown whole */
#define QUOTE_END 16u /* of a longer one, from its end */

/* Not within a character. */
static size_t at_character(struct slice s, size_t at)
{
    while (at > 0 && at < s.n && ((unsigned char)s.p[at] & 0xc0) == 0x80)
        at--;
    return at;
}

struct slice pack_quote(struct arena *a, struct slice header, struct slice value)
{
    if (sip_is_secret(header) || sip_is_credentials(header))
        return SLICE("\"***\"");
    if (value.n <= QUOTE_MAX)
        return ARENA_JOIN(a, SLICE("\""), value, SLICE("\""));
    size_t head = at_character(value, QUOTE_MAX - QUOTE_END - 3);
    return ARENA_JOIN(a, SLICE("\""), slice_first(value, head), SLICE("..."),
                      slice_from(value, at_character(value, value.n - QUOTE_END)), SLICE("\""));
}

bool pack_is_custom(struct slice name)
{
    return !sip_is_standard(name);
}

/* ---- notes ---------------------------------------------------------------------------------- */

static struct pack_note *note_of(const struct pack_run *p, enum check_finding_id id,
                                 struct slice header)
{
    for (size_t i = 0; i < p->notes.n; i++)
        if (p->notes.items[i].id == id && sip_name_equal(p->notes.items[i].header, header))
            return &p->notes.items[i];
    return NULL;
}

bool pack_noted(const struct pack_run *p, const struct hop_journey *j, enum check_finding_id id,
                struct slice header)
{
    const struct pack_note *n = note_of(p, id, header);
    return n && n->last == j;
}

struct slice pack_name_of(struct arena *a, const struct hop_journey *j)
{
    if (!j->status)
        return j->method_name;
    return ARENA_JOIN(a, arena_printf(a, "%u to ", j->status), j->method_name);
}

static void add_also(struct pack_run *p, struct pack_note *n, const struct hop_journey *j)
{
    struct slice name = pack_name_of(p->w->arena, j);
    for (size_t i = 0; i < n->also_count; i++)
        if (slice_equal(n->also[i], name))
            return;
    if (slice_equal(pack_name_of(p->w->arena, n->first.journey), name))
        return;
    if (n->also_count < PACK_ALSO_MAX)
        n->also[n->also_count++] = name;
    else
        n->more++;
}

void pack_note_as(struct pack_run *p, struct pack_place at, enum check_finding_id id,
                  enum check_severity severity, struct slice header, struct slice words)
{
    struct pack_note *n = note_of(p, id, header);
    if (!n && p->notes.n == PACK_NOTES_MAX) {
        p->w->left_out++;
        return;
    }
    if (!n) {
        *vec_add(&p->notes) = (struct pack_note){.id = id,
                                                 .severity = severity,
                                                 .header = header,
                                                 .words = words,
                                                 .first = at,
                                                 .last = at.journey};
        return;
    }
    if (severity < n->severity) { /* worse: that is what is told */
        n->severity = severity;
        n->words = words;
        n->first = at;
    } else if (n->last != at.journey) {
        add_also(p, n, at.journey);
    }
    n->last = at.journey;
}

void pack_note(struct pack_run *p, struct pack_place at, enum check_finding_id id,
               struct slice header, struct slice words)
{
    const struct check_kind *kinds;
    (void)check_kinds(&kinds);
    pack_note_as(p, at, id, kinds[id].severity, header, words);
}

/* Who made it so: the sender where that is known to be what was seen, or the one node between. */
static struct slice node_of(const struct check_work *w, struct pack_place at)
{
    const struct hop_journey *j = at.journey;
    const struct hop_nodes *n = w->call->nodes;
    if (at.step > 0)
        return j->steps[at.step].link == HOP_NODE ? hop_node_name(n, j->steps[at.step].node)
                                                  : SLICE_NONE;
    return j->from_sender && j->sender != HOP_NODE_NONE ? hop_node_name(n, j->sender) : SLICE_NONE;
}

/* "; also on 180 to INVITE, BYE and 2 further messages" */
static struct slice also_words(struct arena *a, const struct pack_note *n)
{
    struct text t = {0};
    for (size_t i = 0; i < n->also_count; i++) {
        text_add(&t, i ? SLICE(", ") : SLICE("; also on "));
        text_add(&t, n->also[i]);
    }
    if (n->more)
        text_printf(&t, " and %zu further message%s", n->more, n->more == 1 ? "" : "s");
    return text_keep(&t, a);
}

/* What an earlier sighting did not show: "; kam2 made it so" */
static struct slice origin_words(const struct pack_run *p, const struct pack_note *n)
{
    const struct hop_step *step = &n->first.journey->steps[n->first.step];
    struct slice node = node_of(p->w, n->first);
    if (!p->tells_origin || n->first.step == 0)
        return SLICE_NONE;
    if (node.n)
        return ARENA_JOIN(p->w->arena, SLICE("; "), node, SLICE(" made it so"));
    return ARENA_JOIN(p->w->arena, SLICE("; not so before "),
                      hop_sighting_at(p->w->arena, p->w->call->nodes, step->sighting));
}

static void tell(struct pack_run *p, const struct pack_note *n)
{
    struct arena *a = p->w->arena;
    struct slice words = ARENA_JOIN(a, n->words, origin_words(p, n), also_words(a, n));
    check_find_step(p->w, n->id, n->severity, n->first.journey, n->first.step, n->header,
                    node_of(p->w, n->first), words);
}

/* ---- running -------------------------------------------------------------------------------- */

bool check_packs_run(struct check_work *w)
{
    for (size_t i = 0; i < PACKS; i++) {
        struct pack_run run = {.w = w};
        if (!(w->options->packs >> i & 1))
            continue;
        packs[i].run(&run);
        for (size_t k = 0; k < run.notes.n; k++)
            tell(&run, &run.notes.items[k]);
        vec_free(&run.notes);
    }
    return w->options->packs != 0;
}
