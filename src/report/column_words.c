/* What a column of calls is named, and which header of which message it asks for. */
#include "report/internal.h"

#include <string.h>

static const char *method_name(size_t i)
{
    return i + 1 < SIP_METHOD_COUNT ? sip_method_name((enum sip_method)(i + 1)) : NULL;
}

static const char *column_name(size_t i)
{
    return report_column_name(i);
}

/* ---- the message -------------------------------------------------------------------------------
 */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "200", or "2xx" for all that begin so */
static bool read_status(struct slice word, struct call_want *w)
{
    if (word.n != 3 || word.p[0] < '1' || word.p[0] > '6')
        return false;
    uint16_t from = (uint16_t)((word.p[0] - '0') * 100);
    if (slice_equal_nocase(slice_from(word, 1), SLICE("xx"))) {
        w->status_from = from;
        w->status_to = (uint16_t)(from + 99);
        return true;
    }
    if (!is_digit(word.p[1]) || !is_digit(word.p[2]))
        return false;
    w->status_from = w->status_to = (uint16_t)(from + (word.p[1] - '0') * 10 + (word.p[2] - '0'));
    return true;
}

/* Methods that are not among the usual are taken as they are, but for what looks like a slip. */
static bool read_method(struct slice word, struct slice column, struct call_want *w,
                        struct err *err)
{
    char copy[32] = "";
    if (word.n < sizeof copy && word.n)
        memcpy(copy, word.p, word.n);
    w->method = word;
    if (sip_method_of(word) != SIP_METHOD_OTHER)
        return true;
    const char *near = nearest_word(copy, method_name);
    if (near)
        return err_set(err, "column %.*s: unknown method %.*s; did you mean %s?", SLICE_ARG(column),
                       SLICE_ARG(word), near);
    return sip_is_token(word) ||
           err_set(err, "column %.*s: '%.*s' is no method and no status (BYE, 200, INVITE 200)",
                   SLICE_ARG(column), SLICE_ARG(word));
}

/* "", "BYE", "200", "INVITE 200" */
static bool read_message(struct slice message, struct slice column, struct call_want *w,
                         struct err *err)
{
    size_t space = slice_find(message, ' ');
    struct slice first = slice_first(message, space);
    struct slice second = slice_trim(slice_from(message, space));
    if (message.n == 0 || (second.n == 0 && read_status(first, w)))
        return true;
    if (!read_method(first, column, w, err))
        return false;
    w->requests_only = second.n == 0;
    return second.n == 0 || read_status(second, w) ||
           err_set(err, "column %.*s: '%.*s' is no status", SLICE_ARG(column), SLICE_ARG(second));
}

/* ---- the column --------------------------------------------------------------------------------
 */

static size_t builtin_of(struct slice name, bool nocase)
{
    size_t i = 0;
    const char *known;
    while ((known = report_column_name(i)) != NULL &&
           !(nocase ? slice_equal_nocase(name, slice_of(known)) : slice_is(name, known)))
        i++;
    return i;
}

/* A word in lower case without a hyphen is what a call is, unless it is a header that everybody
 * knows. */
static bool looks_builtin(struct slice name)
{
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] == '-' || (name.p[i] >= 'A' && name.p[i] <= 'Z'))
            return false;
    return sip_header_of(name) == SIP_HEADER_OTHER;
}

static bool fail_unknown(struct slice name, struct err *err)
{
    char copy[64] = "";
    if (name.n && name.n < sizeof copy)
        memcpy(copy, name.p, name.n);
    const char *near = nearest_word(copy, column_name);
    if (builtin_of(name, true) < REPORT_COLUMN_HEADER)
        near = report_column_name(builtin_of(name, true));
    if (near)
        return err_set(err, "unknown column %.*s; did you mean %s? (a header of this name: :%.*s)",
                       SLICE_ARG(name), near, SLICE_ARG(name));
    return err_set(err, "unknown column %.*s (a header of this name: :%.*s)", SLICE_ARG(name),
                   SLICE_ARG(name));
}

bool report_column_read(struct slice text, struct report_column *column, struct call_want *want,
                        struct err *err)
{
    size_t colon = slice_find(text, ':');
    bool bare = colon == text.n;
    size_t id = bare ? builtin_of(text, false) : REPORT_COLUMN_HEADER;
    *column = (struct report_column){.id = (enum report_column_id)id, .title = text};
    *want = (struct call_want){0};
    if (id != REPORT_COLUMN_HEADER)
        return true;
    struct slice header = bare ? text : slice_from(text, colon + 1);
    if (bare && (looks_builtin(text) || builtin_of(text, true) < REPORT_COLUMN_HEADER))
        return fail_unknown(text, err);
    if (!sip_is_token(header))
        return err_set(err, "column %.*s: '%.*s' is no name of a header", SLICE_ARG(text),
                       SLICE_ARG(header));
    if (!bare && !read_message(slice_trim(slice_first(text, colon)), text, want, err))
        return false;
    want->header = column->header = header;
    return true;
}
