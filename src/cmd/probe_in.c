/* The options of probe, and the script that they ask for. */
#include "cmd/probe.h"

#include <string.h>

static const struct {
    const char *name;
    bool caller, callee;
} modes[] = {
    [CMD_PROBE_RUN] = {"run", true, true},
    [CMD_PROBE_CALL] = {"call", true, false},
    [CMD_PROBE_ANSWER] = {"answer", false, true},
};

static bool read_mode(struct cmd_probe_in *in, struct err *err)
{
    const struct cmd_list *operands = &in->arguments->operands;
    const char *word = operands->n ? operands->items[0] : "";
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (strcmp(word, modes[i].name) == 0) {
            in->mode = (enum cmd_probe_mode)i;
            in->options.play[PROBE_CALLER] = modes[i].caller;
            in->options.play[PROBE_CALLEE] = modes[i].callee;
            return true;
        }
    return err_set(err,
                   "probe%s%s: run plays both ends, call the caller, answer the callee: "
                   "sipxray probe run ...",
                   *word ? " " : "", word);
}

static bool read_number(const struct cmd_arguments *a, enum cmd_option_id id, uint32_t most,
                        uint32_t *out, struct err *err)
{
    const char *value = cmd_value(a, id);
    if (!value)
        return true;
    return (slice_to_u32(slice_of(value), out) && *out <= most) ||
           err_set(err, "--%s %s: a number up to %u", cmd_option_of(id)->name, value, most);
}

/* "30s", "500ms", "1m30s"; without a unit: seconds. */
static bool read_time(const struct cmd_arguments *a, enum cmd_option_id id, uint32_t *ms,
                      struct err *err)
{
    static const struct {
        const char *unit;
        uint32_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"", 1000}};
    const char *value = cmd_value(a, id);
    uint64_t all = 0;
    for (struct slice rest = slice_of(value); rest.n;) {
        size_t digits = 0, i = 0;
        uint32_t n;
        while (digits < rest.n && rest.p[digits] >= '0' && rest.p[digits] <= '9')
            digits++;
        bool number = slice_to_u32(slice_first(rest, digits), &n);
        rest = slice_from(rest, digits);
        while (!slice_starts(rest, slice_of(units[i].unit)))
            i++;
        rest = slice_from(rest, strlen(units[i].unit));
        all += number ? (uint64_t)n * units[i].ms : UINT32_MAX;
        if (all > INT32_MAX || (units[i].unit[0] == '\0' && rest.n))
            return err_set(err, "--%s %s: a time, such as 30s, 500ms or 5m",
                           cmd_option_of(id)->name, value);
    }
    if (value)
        *ms = (uint32_t)all;
    return true;
}

static bool read_transport(struct cmd_probe_in *in, struct err *err)
{
    const char *value = cmd_value(in->arguments, CMD_OPT_TRANSPORT);
    for (unsigned t = PROBE_UDP; t <= PROBE_TLS; t++)
        if (!value || slice_equal_nocase(slice_of(value),
                                         slice_of(probe_transport_name((enum probe_transport)t)))) {
            in->options.transport = (enum probe_transport)t;
            return true;
        }
    return err_set(err, "--transport %s: udp, tcp or tls", value);
}

static void read_tls(struct cmd_probe_in *in)
{
    const struct cmd_arguments *a = in->arguments;
    in->options.tls = (struct probe_tls_options){
        .ca = cmd_value(a, CMD_OPT_CA),
        .cert = cmd_value(a, CMD_OPT_CERT),
        .key = cmd_value(a, CMD_OPT_CERT_KEY),
        .name = cmd_value(a, CMD_OPT_SERVER_NAME),
        .no_verify = cmd_given(a, CMD_OPT_NO_VERIFY),
        .ask_client = cmd_given(a, CMD_OPT_ASK_CLIENT),
    };
}

static bool read_options(struct cmd_probe_in *in, struct err *err)
{
    const struct cmd_arguments *a = in->arguments;
    struct probe_options *o = &in->options;
    o->via = cmd_value(a, CMD_OPT_VIA);
    o->to = slice_of(cmd_value(a, CMD_OPT_TO));
    o->from = slice_of(cmd_value(a, CMD_OPT_FROM));
    o->listen[PROBE_CALLER] = cmd_value(a, CMD_OPT_LOCAL);
    o->listen[PROBE_CALLEE] = cmd_value(a, CMD_OPT_LISTEN);
    o->routes = a->values[CMD_OPT_ROUTE].items;
    o->route_count = a->values[CMD_OPT_ROUTE].n;
    o->agent = SLICE("sipxray/" CMD_VERSION);
    o->dry = cmd_given(a, CMD_OPT_DRY_RUN);
    o->step_ms = cmd_given(a, CMD_OPT_SUITE) || cmd_given(a, CMD_OPT_CASE) ? 4000 : 10000;
    o->pause_ms = in->mode == CMD_PROBE_ANSWER ? 0 : 100;
    read_tls(in);
    if (o->play[PROBE_CALLER] && !o->to.n)
        return err_set(err, "probe %s needs --to: whom to call, as sip:USER@HOST",
                       modes[in->mode].name);
    if (o->to.n && !slice_starts_nocase(o->to, SLICE("sip:")) &&
        !slice_starts_nocase(o->to, SLICE("sips:")))
        return err_set(err, "--to %.*s: no SIP URI; did you mean sip:%.*s?", SLICE_ARG(o->to),
                       SLICE_ARG(o->to));
    if (o->play[PROBE_CALLEE] && !o->listen[PROBE_CALLEE])
        return err_set(err, "probe %s needs --listen ADDR:PORT: where the path ends",
                       modes[in->mode].name);
    return read_transport(in, err) && read_time(a, CMD_OPT_STEP_TIME, &o->step_ms, err) &&
           read_time(a, CMD_OPT_PAUSE, &o->pause_ms, err) &&
           read_time(a, CMD_OPT_FOR, &o->run_ms, err) &&
           read_number(a, CMD_OPT_CALLS, UINT32_MAX, &o->calls, err) &&
           probe_credentials_read(&o->credentials, &in->arena, cmd_value(a, CMD_OPT_CREDENTIALS),
                                  err);
}

/* ---- the script ------------------------------------------------------------------------------ */

/* Which end --as makes LiveKit; false: it is not given. */
static bool read_as(const struct cmd_probe_in *in, enum probe_end *livekit, bool *given,
                    struct err *err)
{
    const char *as = cmd_value(in->arguments, CMD_OPT_AS);
    enum probe_end own = in->mode == CMD_PROBE_ANSWER ? PROBE_CALLEE : PROBE_CALLER;
    *given = as != NULL;
    *livekit = own;
    if (!as || strcmp(as, "livekit") == 0)
        return true;
    *livekit = probe_other_end(own);
    return strcmp(as, "carrier") == 0 || err_set(err, "--as %s: livekit or carrier", as);
}

static bool fits(const struct expect_trunk *t, bool given, enum probe_end livekit)
{
    return !given || (t->direction == EXPECT_INBOUND ? PROBE_CALLEE : PROBE_CALLER) == livekit;
}

/* Of several trunks that which LiveKit would pick for this number. */
static const struct expect_trunk *match(struct cmd_probe_in *in)
{
    struct sip_address to = {.port = 0}, from = {.port = 0};
    struct expect_invite invite = {.to_user = SLICE_NONE};
    if (sip_uri_parse(&in->arena, in->options.to, &to))
        invite.to_user = to.user;
    if (in->options.from.n && sip_uri_parse(&in->arena, in->options.from, &from))
        invite.from_user = from.user;
    return expect_match_trunk(&in->arena, &in->trunks, EXPECT_INBOUND, &invite).trunk;
}

static const struct expect_trunk *choose_trunk(struct cmd_probe_in *in, struct err *err)
{
    const char *id = cmd_value(in->arguments, CMD_OPT_TRUNK_ID);
    const struct expect_trunk *found = NULL;
    enum probe_end livekit;
    bool given;
    size_t n = 0;
    if (!read_as(in, &livekit, &given, err))
        return NULL;
    for (size_t i = 0; i < in->trunks.n; i++) {
        const struct expect_trunk *t = &in->trunks.items[i];
        if (!fits(t, given, livekit) || (id && !slice_is(t->id, id)))
            continue;
        found = t;
        n++;
    }
    if (n > 1)
        found = match(in);
    if (n == 0)
        err_set(err, "--trunk: no %s%strunk in the files given",
                id                                 ? "such "
                : given && livekit == PROBE_CALLEE ? "inbound "
                                                   : "",
                given && livekit == PROBE_CALLER && !id ? "outbound " : "");
    else if (!found || !fits(found, given, livekit))
        err_set(err, "--trunk: %zu trunks, and --to says not which: --trunk-id does", n);
    else
        return found;
    return NULL;
}

static bool read_trunk(struct cmd_probe_in *in, struct err *err)
{
    const struct cmd_list *files = &in->arguments->values[CMD_OPT_TRUNK];
    const char *values = cmd_value(in->arguments, CMD_OPT_VALUES);
    for (size_t i = 0; i < files->n; i++)
        if (!expect_trunks_read(&in->trunks, files->items[i], err))
            return false;
    if (values && !expect_values_read(&in->values, values, err))
        return false;
    const struct expect_trunk *trunk = choose_trunk(in, err);
    return trunk && probe_script_trunk(&in->script, trunk, values ? &in->values : NULL,
                                       in->options.play, err);
}

static bool read_suite(struct cmd_probe_in *in, struct err *err)
{
    const struct cmd_list *cases = &in->arguments->values[CMD_OPT_CASE];
    bool suite = cmd_given(in->arguments, CMD_OPT_SUITE);
    size_t n = cases->n ? cases->n : !suite;
    struct slice *patterns = ARENA_ARRAY(&in->arena, struct slice, n);
    enum probe_end livekit;
    bool given;
    for (size_t i = 0; i < n; i++)
        patterns[i] = cases->n ? slice_of(cases->items[i]) : SLICE("plain");
    if (!read_as(in, &livekit, &given, err) || !probe_script_suite(&in->script, patterns, n, err))
        return false;
    if (given && in->options.play[livekit])
        probe_script_as_livekit(&in->script, livekit);
    return true;
}

static bool read_script(struct cmd_probe_in *in, struct err *err)
{
    const struct cmd_arguments *a = in->arguments;
    bool suite = cmd_given(a, CMD_OPT_SUITE) || cmd_given(a, CMD_OPT_CASE);
    bool trunk = cmd_given(a, CMD_OPT_TRUNK);
    if (suite && trunk)
        return err_set(err, "--suite and --trunk are two probes: one after the other");
    if (!trunk && (cmd_given(a, CMD_OPT_VALUES) || cmd_given(a, CMD_OPT_TRUNK_ID)))
        return err_set(err, "--values and --trunk-id need --trunk");
    if (in->mode == CMD_PROBE_RUN && cmd_given(a, CMD_OPT_AS))
        return err_set(err, "--as is for call and answer: run plays both ends");
    if (!(trunk ? read_trunk(in, err) : read_suite(in, err)))
        return false;
    probe_script_end(&in->script);
    return true;
}

bool cmd_probe_read(struct cmd_probe_in *in, const struct cmd_arguments *a, struct err *err)
{
    in->arguments = a;
    return read_mode(in, err) && read_options(in, err) && read_script(in, err);
}

void cmd_probe_in_free(struct cmd_probe_in *in)
{
    probe_script_free(&in->script);
    expect_values_free(&in->values);
    expect_trunks_free(&in->trunks);
    arena_free(&in->arena);
}
