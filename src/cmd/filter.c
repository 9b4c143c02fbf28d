/* --filter: read, and what is to be said of it at the end. */
#include "cmd/internal.h"

#define SHOWN_MAX 400u /* bytes of an expression that is shown with its mistake */

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
