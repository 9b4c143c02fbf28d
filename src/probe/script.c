/* Scripts: which end sends what in which call, by the cases of the suite or by a trunk. */
#include "probe/probe.h"

#include <string.h>

#define STEPS_MAX 12u /* of one call here */

/* A call while it is written. */
struct draft {
    struct probe_script *script;
    struct probe_step steps[STEPS_MAX];
    size_t n;
    struct slice group;
};

static struct probe_step *add_step(struct draft *d, enum probe_end from, const char *method,
                                   uint16_t status)
{
    struct probe_step *s = &d->steps[d->n++];
    *s = (struct probe_step){
        .from = from, .method = slice_of(method), .status = status, .go_on = true};
    return s;
}

static void add_line(struct draft *d, struct probe_step *s, struct slice line)
{
    struct slice *lines = ARENA_ARRAY(&d->script->arena, struct slice, s->line_count + 1);
    if (s->line_count)
        memcpy(lines, s->lines, s->line_count * sizeof *lines);
    lines[s->line_count++] = line;
    s->lines = lines;
}

/* The step carries these lines, which are judged where it arrives. */
static struct probe_item *add_item(struct draft *d, enum probe_message message,
                                   struct probe_lines lines)
{
    struct probe_script *s = d->script;
    struct probe_step *step = &d->steps[d->n - 1];
    for (size_t i = 0; i < lines.n; i++)
        add_line(d, step, lines.items[i]);
    struct probe_item *item = vec_add(&s->items);
    *item = (struct probe_item){.call = (uint32_t)s->calls.n,
                                .step = (uint32_t)(d->n - 1),
                                .group = d->group,
                                .message = message,
                                .lines = lines};
    step->tag = (uint32_t)s->items.n;
    return item;
}

static void end_call(struct draft *d, struct slice name)
{
    struct probe_script *s = d->script;
    struct probe_step *steps = ARENA_ARRAY(&s->arena, struct probe_step, d->n);
    memcpy(steps, d->steps, d->n * sizeof *steps);
    *vec_add(&s->calls) =
        (struct probe_call_plan){.name = name, .steps = steps, .step_count = d->n};
    d->n = 0;
}

/* ---- the suite ------------------------------------------------------------------------------- */

static const char *method_of(enum probe_message m)
{
    static const char *const methods[PROBE_MESSAGES] = {"INVITE", "INVITE", "INVITE", "INVITE",
                                                        "INFO",   "REFER",  "BYE"};
    return methods[m];
}

static void add_refer_to(struct draft *d, struct probe_step *s)
{
    add_line(d, s, SLICE("Refer-To: <sip:transfer@example.invalid>"));
    add_line(d, s, SLICE("Refer-Sub: false"));
}

/* A message with the lines of a case. */
static void add_case(struct draft *d, const struct probe_case *c, enum probe_message m,
                     enum probe_end from)
{
    bool answer = m == PROBE_INVITE_200 || m == PROBE_REINVITE_200;
    struct probe_step *s = add_step(d, from, method_of(m), answer ? 200 : 0);
    if (m == PROBE_REFER)
        add_refer_to(d, s);
    if (m == PROBE_INFO)
        s->body = SLICE("");
    add_item(d, m, probe_case_lines(&d->script->arena, c, m, from == PROBE_CALLER));
}

/* What an end sends once the call is there. */
static void add_rest(struct draft *d, const struct probe_case *c, enum probe_end from)
{
    add_case(d, c, PROBE_REINVITE, from);
    add_case(d, c, PROBE_REINVITE_200, probe_other_end(from));
    add_case(d, c, PROBE_INFO, from);
    add_case(d, c, PROBE_REFER, from);
    add_case(d, c, PROBE_BYE, from);
}

static void add_subject(struct draft *d, struct slice name)
{
    add_line(d, &d->steps[0],
             arena_printf(&d->script->arena, "Subject: " PROBE_SUBJECT " %.*s", SLICE_ARG(name)));
}

static void add_case_calls(struct probe_script *s, const struct probe_case *c)
{
    struct draft d = {.script = s, .group = slice_of(c->id)};
    struct slice name = arena_printf(&s->arena, "%s/caller", c->id);
    add_case(&d, c, PROBE_INVITE, PROBE_CALLER);
    add_subject(&d, name);
    add_case(&d, c, PROBE_INVITE_200, PROBE_CALLEE);
    add_rest(&d, c, PROBE_CALLER);
    end_call(&d, name);

    /* its INVITE and 200 are bare, so that the rest is tried even where those are refused */
    name = arena_printf(&s->arena, "%s/callee", c->id);
    add_step(&d, PROBE_CALLER, "INVITE", 0);
    add_subject(&d, name);
    add_step(&d, PROBE_CALLEE, "INVITE", 200);
    add_rest(&d, c, PROBE_CALLEE);
    end_call(&d, name);
}

static bool is_chosen(const struct probe_case *c, const struct slice *patterns, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (slice_glob_nocase(slice_of(c->id), patterns[i]))
            return true;
    return n == 0;
}

static bool fail_no_case(struct err *err)
{
    const struct probe_case *cases;
    size_t n = probe_cases(&cases);
    struct text names = {0};
    for (size_t i = 0; i < n; i++)
        text_printf(&names, "%s%s", i ? ", " : "", cases[i].id);
    (void)err_set(err, "--case: the suite has no such case; there are %s", names.p);
    text_free(&names);
    return false;
}

bool probe_script_suite(struct probe_script *s, const struct slice *patterns, size_t n,
                        struct err *err)
{
    const struct probe_case *cases;
    size_t count = probe_cases(&cases);
    for (size_t i = 0; i < count; i++)
        if (is_chosen(&cases[i], patterns, n))
            add_case_calls(s, &cases[i]);
    return s->calls.n || fail_no_case(err);
}

/* ---- by a trunk ------------------------------------------------------------------------------ */

/* What goes into the script for one message of a trunk. */
struct owing {
    const struct expect_trunk *trunk;
    const struct expect_values *values;
    const bool *mine;
};

/* Puts what the trunk owes on the step just added. */
static void add_owed(struct draft *d, const struct owing *o, enum expect_message kind,
                     enum probe_message message)
{
    struct arena *a = &d->script->arena;
    enum probe_end from = d->steps[d->n - 1].from;
    bool by_livekit = from == d->script->livekit;
    const struct expect_owed *owed;
    size_t n = expect_owed(a, o->trunk, kind, by_livekit, o->values, &owed);
    struct slice *lines = ARENA_ARRAY(a, struct slice, n), *loose = ARENA_ARRAY(a, struct slice, n),
                 *optional = ARENA_ARRAY(a, struct slice, n);
    size_t loose_count = 0, optional_count = 0;
    for (size_t i = 0; i < n; i++) {
        struct slice value =
            owed[i].value.n ? owed[i].value : ARENA_JOIN(a, SLICE("sipxray."), owed[i].header);
        lines[i] = ARENA_JOIN(a, owed[i].header, SLICE(": "), value);
        if (!o->mine[from] && (!owed[i].has_value || owed[i].force == EXPECT_MAY))
            loose[loose_count++] = owed[i].header;
        if (!o->mine[from] && owed[i].force == EXPECT_MAY)
            optional[optional_count++] = owed[i].header;
    }
    if (n == 0)
        return;
    struct probe_item *item = add_item(d, message, (struct probe_lines){lines, n});
    item->loose = loose;
    item->loose_count = loose_count;
    item->optional = optional;
    item->optional_count = optional_count;
}

/* A BYE or REFER of LiveKit's: on inbound legs mapped headers stand before From, To and CSeq. */
static void add_by_livekit(struct draft *d, const struct owing *o, enum probe_message m)
{
    bool inbound = o->trunk->direction == EXPECT_INBOUND;
    struct probe_step *s = add_step(d, d->script->livekit, method_of(m), 0);
    s->lines_first = inbound;
    add_owed(d, o, m == PROBE_BYE ? EXPECT_BYE : EXPECT_REFER, m);
    if (m == PROBE_REFER)
        add_line(d, s, SLICE("Refer-To: <tel:+15105550199>"));
    if (m == PROBE_BYE && !inbound)
        add_line(d, s, SLICE("User-Agent: LiveKit"));
}

static void add_setup(struct draft *d, const struct owing *o)
{
    add_step(d, PROBE_CALLER, "INVITE", 0);
    add_owed(d, o, EXPECT_INVITE, PROBE_INVITE);
    if (o->mine[PROBE_CALLEE])
        add_step(d, PROBE_CALLEE, "INVITE", 180);
    add_step(d, PROBE_CALLEE, "INVITE", 200);
    add_owed(d, o, EXPECT_INVITE_200, PROBE_INVITE_200);
}

static struct slice trunk_name(const struct expect_trunk *t)
{
    return t->name.n ? t->name : t->id.n ? t->id : SLICE("trunk");
}

bool probe_script_trunk(struct probe_script *s, const struct expect_trunk *trunk,
                        const struct expect_values *values, const bool mine[2], struct err *err)
{
    const struct owing o = {trunk, values, mine};
    struct draft d = {.script = s, .group = arena_copy(&s->arena, trunk_name(trunk))};
    s->has_trunk = true;
    s->livekit = trunk->direction == EXPECT_INBOUND ? PROBE_CALLEE : PROBE_CALLER;
    add_setup(&d, &o);
    add_by_livekit(&d, &o, PROBE_BYE);
    end_call(&d, SLICE("LiveKit hangs up"));
    /* an end that answers learns by what comes which of both it is */
    if ((mine[s->livekit] || s->livekit == PROBE_CALLER) && expect_speaks_of(trunk, EXPECT_REFER)) {
        add_setup(&d, &o);
        add_by_livekit(&d, &o, PROBE_REFER);
        add_step(&d, probe_other_end(s->livekit), "BYE", 0);
        end_call(&d, SLICE("LiveKit transfers"));
    }
    return s->items.n ||
           err_set(err, "trunk \"%.*s\" maps no header to any message: there is nothing to test",
                   SLICE_ARG(trunk_name(trunk)));
}

/* ---- the plan -------------------------------------------------------------------------------- */

/* RFC 3261 and what LiveKit's SIP stack makes of it (hop/ knows it by these marks). */
static const struct probe_party livekit_party = {
    .tag_prefix = {"SCL_", sizeof "SCL_" - 1},
    .branch_prefix = {".", sizeof "." - 1},
    .via_params = {";alias", sizeof ";alias" - 1},
    .agent = {"-", sizeof "-" - 1},
};

void probe_script_as_livekit(struct probe_script *s, enum probe_end end)
{
    s->plan.parties[end] = livekit_party;
}

void probe_script_end(struct probe_script *s)
{
    s->plan.calls = s->calls.items;
    s->plan.call_count = s->calls.n;
    if (s->has_trunk)
        probe_script_as_livekit(s, s->livekit);
}

void probe_script_free(struct probe_script *s)
{
    vec_free(&s->calls);
    vec_free(&s->items);
    arena_free(&s->arena);
}

const struct probe_call_plan *probe_script_find(const struct probe_script *s,
                                                const struct sip_message *invite)
{
    uint32_t at;
    const struct sip_header *h = sip_header_next(invite, 0, SLICE("Subject"), &at);
    if (!h || !slice_starts(h->value, SLICE(PROBE_SUBJECT " ")))
        return NULL;
    struct slice name = slice_from(h->value, strlen(PROBE_SUBJECT " "));
    for (size_t i = 0; i < s->calls.n; i++)
        if (slice_equal(s->calls.items[i].name, name))
            return &s->calls.items[i];
    return NULL;
}
