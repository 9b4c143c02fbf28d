/* --filter: read, and what is to be said of it at the end. */
#include "cmd/internal.h"

#define POINTS_SHOWN 20u
#define SHOWN_MAX    400u /* bytes of an expression that is shown with its mistake */

bool cmd_filter_read(const struct cmd_arguments *a, enum view_filter_scope scope,
                     struct view_filter **out, struct err *err)
{
    const char *expression = cmd_value(a, CMD_OPT_FILTER);
    struct view_filter_fault fault;
    struct text place = {0};
    *out = NULL;
    if (!expression)
        return true;
    struct slice text = slice_of(expression);
    if ((*out = view_filter_new(text, scope, &fault)) != NULL)
        return true;
    if (text.n <= SHOWN_MAX) {
        view_filter_fault_text(&place, text, &fault);
        cmd_complain_list(text_slice(&place));
        text_free(&place);
    }
    return err_set(err, "--filter: column %zu: %s", view_filter_fault_column(text, &fault),
                   fault.text);
}

void cmd_filter_points(const struct view_filter *f, const struct trace *t)
{
    struct slice name = f && t ? view_filter_stranger(f, t) : SLICE_NONE;
    const struct trace_point *points;
    struct text all = {0};
    if (name.n == 0)
        return;
    for (size_t i = 0, n = trace_points(t, &points); i < n && i < POINTS_SHOWN; i++)
        text_printf(&all, "%s%s", i ? ", " : "", points[i].name);
    cmd_complain("note: --filter: no point is named %.*s; there are: %s", SLICE_ARG(name),
                 all.n ? all.p : "none");
    text_free(&all);
}

void cmd_filter_remarks(const struct view_filter *f, const char *what)
{
    if (!f)
        return;
    const struct view_filter_stats *s = view_filter_stats(f);
    if (s->matched == 0 && s->unsure == 0)
        cmd_complain("note: --filter: no %s matches, of %llu", what, (unsigned long long)s->asked);
    if (s->unsure)
        cmd_complain("note: --filter: of %llu %s%s it can't be told whether they match: what "
                     "decides was not captured%s",
                     (unsigned long long)s->unsure, what, s->unsure == 1 ? "" : "s",
                     s->limited ? ", or hit the limits of a regular expression" : "");
}
