/* sipxray trunk: what trunks promise on which message, their mistakes, and which of them takes a
 * call. */
#include "cmd/internal.h"

#include <string.h>

static bool read_trunks(struct expect_trunks *t, const struct cmd_arguments *a, struct err *err)
{
    if (a->operands.n == 0)
        return err_set(err, "trunk needs a file: sipxray trunk FILE...");
    for (size_t i = 0; i < a->operands.n; i++)
        if (!expect_trunks_read(t, a->operands.items[i], err))
            return false;
    return true;
}

/* "NUMBER[@HOST]" */
static bool read_invite(struct expect_invite *invite, const struct cmd_arguments *a,
                        struct err *err)
{
    const char *to = cmd_value(a, CMD_OPT_MATCH), *source = cmd_value(a, CMD_OPT_SOURCE);
    struct slice from = slice_of(cmd_value(a, CMD_OPT_FROM));
    if (!to && (from.n || source))
        return err_set(
            err, "--from and --source say more about the call of --match NUMBER, which is missing");
    size_t at = slice_find(from, '@');
    *invite = (struct expect_invite){.to_user = slice_of(to),
                                     .from_user = slice_first(from, at),
                                     .from_host = slice_from(from, at + 1)};
    if (source && !address_parse(slice_of(source), &invite->source))
        return err_set(err, "--source %s: not an IP address", source);
    return true;
}

static void print_text(struct text *out, const struct report_style *style,
                       const struct expect_trunks *trunks, const struct expect_values *values,
                       const struct expect_match *match)
{
    if (match) {
        report_trunk_match_text(out, style, EXPECT_INBOUND, match);
        return;
    }
    for (size_t i = 0; i < trunks->n; i++) {
        text_add(out, i ? SLICE("\n") : SLICE(""));
        report_trunk_text(out, style, &trunks->items[i], values);
    }
}

/* What a run of the subcommand reads and works out. */
struct trunk {
    struct expect_trunks trunks;
    struct expect_values values;
    struct arena arena;
    struct expect_match match;
};

static bool print_trunks(const struct trunk *t, const struct cmd_arguments *a,
                         const struct report_style *style, struct err *err)
{
    struct cmd_outputs outputs;
    const struct expect_values *values = cmd_given(a, CMD_OPT_VALUES) ? &t->values : NULL;
    const struct expect_match *match = cmd_given(a, CMD_OPT_MATCH) ? &t->match : NULL;
    if (!cmd_outputs_open(&outputs, a, err))
        return false;
    for (size_t i = 0; i < outputs.n; i++) {
        struct cmd_output *o = &outputs.items[i];
        struct report_style s = cmd_style_for(style, o, a);
        if (strcmp(o->format, "text") == 0)
            print_text(&o->text, &s, &t->trunks, values, match);
        else
            report_trunk_json(&o->text, &s, &t->trunks, values, match);
        cmd_output_wrote(o);
    }
    return cmd_outputs_close(&outputs, true, err);
}

static bool has_error(struct arena *arena, const struct expect_trunks *t)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct expect_lint *lint;
        size_t n = expect_lint(arena, &t->items[i], &lint);
        for (size_t k = 0; k < n; k++)
            if (lint[k].severity == EXPECT_LINT_ERROR)
                return true;
    }
    return false;
}

static int judge(struct trunk *t, const struct cmd_arguments *a)
{
    struct err err;
    struct report_style style;
    struct expect_invite invite;
    const char *values = cmd_value(a, CMD_OPT_VALUES);
    bool ok = cmd_style(&style, a, &err) && read_invite(&invite, a, &err) &&
              read_trunks(&t->trunks, a, &err) &&
              (!values || expect_values_read(&t->values, values, &err));
    if (ok && cmd_given(a, CMD_OPT_MATCH))
        t->match = expect_match_trunk(&t->arena, &t->trunks, EXPECT_INBOUND, &invite);
    if (!ok || !print_trunks(t, a, &style, &err)) {
        cmd_complain("%s", err.text);
        return CMD_ERROR;
    }
    if (cmd_given(a, CMD_OPT_MATCH))
        return t->match.result == EXPECT_MATCHED ? CMD_HOLDS : CMD_FAILS;
    return has_error(&t->arena, &t->trunks) ? CMD_FAILS : CMD_HOLDS;
}

int cmd_trunk(const struct cmd_arguments *a)
{
    struct trunk t = {0};
    int status = judge(&t, a);
    arena_free(&t.arena);
    expect_values_free(&t.values);
    expect_trunks_free(&t.trunks);
    return status;
}
