/* Where a message ends in its text, when loggers add empty lines, and files lose the CR of CRLF. */
#include "source/log.h"

#define NOWHERE SIZE_MAX

static bool is_blank(struct slice text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] != '\r' && text.p[i] != '\n')
            return false;
    return true;
}

/* Takes a line off the text, its end included. */
static struct slice take_line(struct slice *text)
{
    size_t n = slice_find(*text, '\n');
    struct slice line = slice_first(*text, n + 1);
    *text = slice_from(*text, n + 1);
    return line;
}

/* Its length with CRLF at its end. */
static size_t wire_length(struct slice line)
{
    bool lf = line.n && line.p[line.n - 1] == '\n';
    return line.n + (lf && (line.n == 1 || line.p[line.n - 2] != '\r'));
}

static size_t wire_length_of(struct slice text)
{
    size_t n = 0;
    while (text.n)
        n += wire_length(take_line(&text));
    return n;
}

/* How much of the text is `wire` bytes once each line ends in CRLF; NOWHERE: no whole lines are,
 * the last one's end aside. */
static size_t restored_prefix(struct slice text, size_t wire)
{
    size_t at = 0, have = 0;
    while (text.n && have < wire) {
        struct slice line = take_line(&text), bare = slice_first(line, slice_find(line, '\n'));
        if (have + bare.n == wire)
            return at + bare.n;
        have += wire_length(line);
        at += line.n;
    }
    return have == wire ? at : NOWHERE;
}

static bool lost_cr(struct slice text)
{
    size_t lf = slice_find(text, '\n');
    return lf < text.n && (lf == 0 || text.p[lf - 1] != '\r');
}

/* Without empty lines at its end. */
static size_t trimmed(struct slice text)
{
    size_t n = text.n, kept = text.n;
    while (n > 0 && (text.p[n - 1] == '\n' || text.p[n - 1] == '\r')) {
        kept = text.p[n - 1] == '\n' ? n : kept;
        n--;
    }
    return n == text.n ? n : kept;
}

bool log_content_length(struct slice line, size_t *out)
{
    size_t colon = slice_find(line, ':');
    struct slice name = slice_trim(slice_first(line, colon));
    uint32_t value;
    if (!slice_equal_nocase(name, SLICE("Content-Length")) && !slice_equal_nocase(name, SLICE("l")))
        return false;
    if (!slice_to_u32(slice_trim(slice_from(line, colon + 1)), &value) || value > LOG_MESSAGE_MAX)
        return false;
    *out = value;
    return true;
}

/* Where the body begins, NOWHERE: the headers do not end; *length is NOWHERE without
 * Content-Length. */
static size_t body_of(struct slice text, size_t *length)
{
    size_t whole = text.n;
    *length = NOWHERE;
    while (text.n) {
        struct slice line = take_line(&text);
        if (is_blank(line) && line.p[line.n - 1] == '\n')
            return whole - text.n;
        if (*length == NOWHERE)
            (void)log_content_length(line, length);
    }
    return NOWHERE;
}

/* What follows a message in a log begins with the end of a line. */
static bool at_line_end(struct slice rest)
{
    return rest.n == 0 || rest.p[0] == '\n' || slice_starts(rest, SLICE("\r\n"));
}

/* Does Content-Length say that the first n bytes are the message? */
static bool is_whole(struct slice text, size_t n)
{
    size_t length, body = body_of(text, &length);
    return body != NOWHERE && length != NOWHERE && body + length == n;
}

/* The count is that of the text as it stands or, where the log lost CRs, with them. */
static bool fits_count(struct slice text, size_t count, bool exact, bool *restore, size_t *n)
{
    bool as_is = count <= text.n && at_line_end(slice_from(text, count));
    size_t restored = !exact && lost_cr(text) ? restored_prefix(text, count) : NOWHERE;
    *restore = restored != NOWHERE && at_line_end(slice_from(text, restored)) &&
               !(as_is && is_whole(text, count));
    *n = *restore ? restored : count;
    return *restore || as_is;
}

static size_t fit_length(struct slice text, size_t body_at, size_t length, bool exact,
                         bool *restore, size_t *missing)
{
    struct slice body = slice_from(text, body_at);
    size_t n = length && !exact && lost_cr(text) ? restored_prefix(body, length) : NOWHERE;
    if (n != NOWHERE && memchr(body.p, '\n', n)) {
        *restore = true;
        return body_at + n;
    }
    if (length <= body.n)
        return body_at + length;
    n = trimmed(body);
    *missing = length - n;
    return body_at + n;
}

size_t log_fit(struct slice text, size_t count, bool exact, bool *restore, size_t *missing)
{
    size_t n, length;
    *missing = 0;
    if (count && fits_count(text, count, exact, restore, &n))
        return n;
    *restore = false;
    size_t body = body_of(text, &length);
    if (body != NOWHERE && length != NOWHERE)
        return fit_length(text, body, length, exact, restore, missing);
    n = trimmed(text);
    if (body != NOWHERE && n < body)
        n = body;
    size_t wire = wire_length_of(slice_first(text, n));
    *missing = count > wire ? count - wire : 0;
    return n;
}

/* "Via: SIP/2.0/UDP host" or its compact form */
bool log_via_transport(struct slice message, struct source_message *m)
{
    while (message.n) {
        struct slice line = take_line(&message);
        size_t colon = slice_find(line, ':');
        struct slice name = slice_trim(slice_first(line, colon));
        if (is_blank(line))
            return false;
        if (!slice_equal_nocase(name, SLICE("Via")) && !slice_equal_nocase(name, SLICE("v")))
            continue;
        struct slice value = slice_trim(slice_from(line, colon + 1));
        if (!log_take(&value, "SIP/2.0/"))
            return false;
        return log_transport(slice_first(value, slice_find(value, ' ')), m);
    }
    return false;
}
