/* What is owed, as the options say: trunks, values, rules, packs, what is followed, the baseline.
 */
#include "cmd/internal.h"

#include <stdlib.h>
#include <string.h>

static bool read_trunks(struct cmd_owed *c, struct err *err)
{
    const struct cmd_list *files = &c->arguments->values[CMD_OPT_TRUNK];
    const char *id = cmd_value(c->arguments, CMD_OPT_TRUNK_ID);
    for (size_t i = 0; i < files->n; i++)
        if (!expect_trunks_read(&c->trunks, files->items[i], err))
            return false;
    c->options.trunks = &c->trunks;
    if (!id)
        return true;
    if (files->n == 0)
        return err_set(err, "--trunk-id needs --trunk: where is the trunk %s?", id);
    c->options.forced = expect_trunk_by_id(&c->trunks, slice_of(id));
    return c->options.forced ||
           err_set(err, "--trunk-id %s: no trunk of this id in the files given", id);
}

static bool read_values(struct cmd_owed *c, struct err *err)
{
    const char *path = cmd_value(c->arguments, CMD_OPT_VALUES);
    if (!path)
        return true;
    if (!cmd_given(c->arguments, CMD_OPT_TRUNK))
        return err_set(err, "--values needs --trunk: attributes have headers by a trunk only");
    c->options.values = &c->values;
    return expect_values_read(&c->values, path, err);
}

static bool read_baseline(struct cmd_owed *c, struct err *err)
{
    const char *path = cmd_value(c->arguments, CMD_OPT_BASELINE);
    if (path)
        c->options.baseline = check_baseline_read(path, err);
    return !path || c->options.baseline;
}

static void read_follow(struct cmd_owed *c)
{
    const struct cmd_list *patterns = &c->arguments->values[CMD_OPT_FOLLOW];
    c->follow = base_alloc((patterns->n + 1) * sizeof *c->follow);
    for (size_t i = 0; i < patterns->n; i++)
        c->follow[i] = slice_of(patterns->items[i]);
    c->options.follow = c->follow;
    c->options.follow_count = patterns->n;
}

static const char *pack_name(size_t i)
{
    const struct check_pack *p = check_pack_at(i);
    return p ? p->name : NULL;
}

static bool fail_no_pack(const char *name, struct err *err)
{
    const char *near = nearest_word(name, pack_name);
    struct text names = {0};
    for (size_t i = 0; pack_name(i); i++)
        text_printf(&names, "%s%s", i ? ", " : "", pack_name(i));
    (void)err_set(err, "--pack %s: no such pack%s%s%s; there are %s", name,
                  near ? "; did you mean " : "", near ? near : "", near ? "?" : "", names.p);
    text_free(&names);
    return false;
}

static bool has_pack(const struct cmd_owed *c, const char *name)
{
    for (size_t i = 0; pack_name(i); i++)
        if (strcmp(pack_name(i), name) == 0)
            return c->options.packs >> i & 1;
    return false;
}

static bool read_outside(struct cmd_owed *c, struct err *err)
{
    const struct cmd_list *specs = &c->arguments->values[CMD_OPT_OUTSIDE];
    if (specs->n && !has_pack(c, "leak"))
        return err_set(err, "--outside needs --pack leak: no other rule asks what is outside");
    c->outside = base_alloc((specs->n + 1) * sizeof *c->outside);
    for (size_t i = 0; i < specs->n; i++)
        c->outside[i] = check_outside_of(slice_of(specs->items[i]));
    c->options.outside = c->outside;
    c->options.outside_count = specs->n;
    return true;
}

static bool read_sayna(struct cmd_owed *c, struct err *err)
{
    const char *path = cmd_value(c->arguments, CMD_OPT_SAYNA);
    if (!has_pack(c, "sayna"))
        return !path || err_set(err, "--sayna needs --pack sayna: no other rule asks for it");
    c->options.sayna = &c->sayna;
    return path ? expect_sayna_read(&c->sayna, path, err)
                : expect_sayna_variables(&c->sayna, getenv, err);
}

/* The packs look at messages that no trunk speaks of as well. */
static bool read_packs(struct cmd_owed *c, struct err *err)
{
    const struct cmd_list *names = &c->arguments->values[CMD_OPT_PACK];
    for (size_t k = 0; k < names->n; k++) {
        size_t i = 0;
        while (pack_name(i) && strcmp(pack_name(i), names->items[k]) != 0)
            i++;
        if (!pack_name(i))
            return fail_no_pack(names->items[k], err);
        c->options.packs |= 1u << i;
        c->options.everything = true;
    }
    return read_outside(c, err) && read_sayna(c, err);
}

/* All mistakes are told, each with its place; the last is the error. */
static bool fail_mistakes(const struct expect_mistakes *m, struct err *err)
{
    for (size_t i = 0; i + 1 < m->n; i++)
        cmd_complain("%.*s", SLICE_ARG(m->items[i]));
    if (m->more)
        cmd_complain("and %zu more mistakes", m->more);
    return err_set(err, "%.*s", SLICE_ARG(m->items[m->n - 1]));
}

static bool read_lines(struct cmd_owed *c, enum cmd_option_id option, struct expect_mistakes *m)
{
    const struct cmd_list *lines = &c->arguments->values[option];
    bool ok = true;
    for (size_t i = 0; i < lines->n; i++)
        ok &= expect_rules_line(&c->rules, option == CMD_OPT_FORBID, lines->items[i], m);
    return ok;
}

static bool read_rules(struct cmd_owed *c, struct err *err)
{
    const struct cmd_list *files = &c->arguments->values[CMD_OPT_RULES];
    struct expect_mistakes m = {0};
    bool ok = true;
    for (size_t i = 0; i < files->n; i++)
        ok &= expect_rules_read(&c->rules, files->items[i], &m);
    ok &= read_lines(c, CMD_OPT_REQUIRE, &m);
    ok &= read_lines(c, CMD_OPT_FORBID, &m);
    if (!ok)
        (void)fail_mistakes(&m, err);
    expect_mistakes_free(&m);
    c->options.rules = &c->rules;
    c->options.strict = cmd_given(c->arguments, CMD_OPT_STRICT);
    if (ok && c->options.strict && c->rules.n == 0)
        return err_set(err, "--strict needs rules: --rules, --require or --forbid");
    return ok;
}

bool cmd_owed_read(struct cmd_owed *c, const struct cmd_arguments *a, struct err *err)
{
    c->arguments = a;
    c->options.allow_untested = cmd_given(a, CMD_OPT_ALLOW_UNTESTED);
    read_follow(c);
    return read_trunks(c, err) && read_values(c, err) && read_rules(c, err) &&
           read_baseline(c, err) && read_packs(c, err);
}

void cmd_owed_free(struct cmd_owed *c)
{
    check_baseline_free(c->options.baseline);
    expect_values_free(&c->values);
    expect_rules_free(&c->rules);
    expect_trunks_free(&c->trunks);
    free(c->follow);
    free(c->outside);
    expect_sayna_free(&c->sayna);
}
