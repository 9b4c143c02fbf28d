/* --exec: what its command is told of a call that failed. */
#include "cmd/internal.h"

#include <string.h>

#define VALUE_MAX 4096u /* bytes of one variable; the rest is cut off */

/* No control byte gets into a variable, nor more than a sane length of it. */
static void add(struct text *out, const char *name, struct slice value)
{
    struct text shown = {0};
    text_add_terminal(&shown, slice_first(value, VALUE_MAX));
    text_printf(out, "SIPXRAY_%s=", name);
    text_add(out, slice_first(text_slice(&shown), VALUE_MAX));
    text_add_char(out, '\0');
    text_free(&shown);
}

static struct slice field_of(const struct check_finding *f, size_t field)
{
    return field == 0 ? slice_of(f->id) : field == 1 ? f->header : f->node;
}

static bool was_before(const struct check_call *c, size_t at, size_t field)
{
    for (size_t i = 0; i < at; i++)
        if (c->findings[i].severity == CHECK_ERROR &&
            slice_equal(field_of(&c->findings[i], field), field_of(&c->findings[at], field)))
            return true;
    return false;
}

/* Of the errors, each once, parted by spaces: none of these words has one. */
static void add_words(struct text *out, const char *name, const struct check_call *c, size_t field)
{
    struct text list = {0};
    for (size_t i = 0; i < c->finding_count; i++) {
        struct slice word = field_of(&c->findings[i], field);
        if (c->findings[i].severity != CHECK_ERROR || !word.n || was_before(c, i, field))
            continue;
        text_add(&list, list.n ? SLICE(" ") : SLICE(""));
        text_add(&list, word);
    }
    add(out, name, text_slice(&list));
    text_free(&list);
}

static void add_environment(struct text *out, const struct check_call *c)
{
    struct arena a = {0};
    add(out, "CALL", arena_printf(&a, "%llu", (unsigned long long)c->number));
    add(out, "CALL_ID", c->call_id_count ? c->call_ids[0] : SLICE_NONE);
    add(out, "CALL_IDS", arena_join_list(&a, c->call_ids, c->call_id_count, SLICE(" ")));
    add(out, "CALLER", c->caller);
    add(out, "CALLEE", c->callee);
    add(out, "DIRECTION", slice_of(c->direction));
    add(out, "START", report_start_of(&a, c));
    add(out, "TRUNK", c->trunk ? (c->trunk->id.n ? c->trunk->id : c->trunk->name) : SLICE_NONE);
    add(out, "VERDICT", slice_of(check_verdict_name(c->verdict)));
    add(out, "SUMMARY", report_live_words(&a, c));
    add_words(out, "FINDINGS", c, 0);
    add_words(out, "HEADERS", c, 1);
    add_words(out, "NODES", c, 2);
    arena_free(&a);
}

bool cmd_exec_start(struct cmd_exec *e, const struct cmd_arguments *a, struct err *err)
{
    const char *command = cmd_value(a, CMD_OPT_EXEC);
    e->runner.control = -1;
    if (command && !cmd_given(a, CMD_OPT_LIVE))
        return err_set(err, "--exec is told of calls by --live, which is missing");
    e->report = (struct report_check){.format = report_format("ndjson")};
    return !command || cmd_runner_start(&e->runner, command, CMD_RUNNER_SECONDS, err);
}

/* Once for a call, when it has failed for the first time. */
void cmd_exec_call(struct cmd_exec *e, const struct check_call *c)
{
    struct text environment = {0}, input = {0};
    bool failed_before = c->corrects && c->before == CHECK_FAIL;
    if (e->runner.control < 0 || c->verdict != CHECK_FAIL || failed_before)
        return;
    add_environment(&environment, c);
    report_check_call(&input, &e->report, c);
    cmd_runner_run(&e->runner, text_slice(&environment), text_slice(&input));
    text_free(&environment);
    text_free(&input);
}

void cmd_exec_end(struct cmd_exec *e)
{
    cmd_runner_end(&e->runner);
    report_check_free(&e->report);
}
