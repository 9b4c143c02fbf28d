/* sipxray explain: what a finding or a cause means, how to prove it, how to mend it. */
#include "cmd/internal.h"

#include <string.h>

/* Findings, then causes, for nearest_word. */
static const char *topic_name(size_t i)
{
    const struct check_kind *kinds;
    const struct check_cause_kind *causes;
    size_t n = check_kinds(&kinds), cause_count = check_cause_kinds(&causes);
    if (i < n)
        return kinds[i].id;
    return i - n < cause_count ? causes[i - n].id : NULL;
}

static bool read_topic(const struct cmd_arguments *a, struct slice *topic, struct err *err)
{
    *topic = a->operands.n ? slice_of(a->operands.items[0]) : SLICE_NONE;
    if (a->operands.n > 1)
        return err_set(err, "explain takes one finding or cause at a time");
    if (!topic->n || check_kind_of(*topic) || check_cause_kind_of(*topic))
        return true;
    const char *near = nearest_word(a->operands.items[0], topic_name);
    return err_set(err, "no finding or cause is called %s%s%s%s; \"sipxray explain\" lists them",
                   a->operands.items[0], near ? "; did you mean " : "", near ? near : "",
                   near ? "?" : "");
}

static bool print_topic(const struct cmd_arguments *a, const struct report_style *style,
                        struct slice topic, struct err *err)
{
    struct cmd_outputs outputs;
    if (!cmd_outputs_open(&outputs, a, err))
        return false;
    for (size_t i = 0; i < outputs.n; i++) {
        struct cmd_output *o = &outputs.items[i];
        struct report_style s = cmd_style_for(style, o, a);
        if (strcmp(o->format, "json") == 0)
            report_explain_json(&o->text, topic);
        else if (topic.n)
            report_explain_text(&o->text, &s, topic);
        else
            report_explain_list_text(&o->text, &s);
        cmd_output_wrote(o);
    }
    return cmd_outputs_close(&outputs, true, err);
}

int cmd_explain(const struct cmd_arguments *a)
{
    struct err err;
    struct report_style style;
    struct slice topic;
    if (cmd_style(&style, a, &err) && read_topic(a, &topic, &err) &&
        print_topic(a, &style, topic, &err))
        return CMD_HOLDS;
    cmd_complain("%s", err.text);
    return CMD_ERROR;
}
