/* What makes foreign bytes safe for XML, HTML, Markdown, TAP, YAML and workflow commands. */
#include "base/text.h"

#include <string.h>

#define ESCAPES 128 /* of ASCII; NULL: the byte goes out as it is */

/* U+FFFE and U+FFFF, in UTF-8 */
static bool is_no_xml(struct slice s)
{
    return slice_starts(s, SLICE("\xef\xbf\xbe")) || slice_starts(s, SLICE("\xef\xbf\xbf"));
}

static void add_escaped(struct text *t, struct slice bytes, const char *const *escapes)
{
    struct text shown = {0};
    text_add_terminal(&shown, bytes);
    text_add(t, SLICE("")); /* an empty one leaves the text terminated too */
    for (struct slice rest = text_slice(&shown); rest.n;) {
        unsigned char c = (unsigned char)rest.p[0];
        const char *escaped = c < ESCAPES ? escapes[c] : NULL;
        size_t n = 1;
        if (is_no_xml(rest)) {
            text_add(t, rest.p[2] == '\xbe' ? SLICE("\\xef\\xbf\\xbe") : SLICE("\\xef\\xbf\\xbf"));
            n = 3;
        } else if (escaped) {
            text_add(t, slice_of(escaped));
        } else {
            text_add_char(t, rest.p[0]);
        }
        rest = slice_from(rest, n);
    }
    text_free(&shown);
}

/* ---- XML and HTML ---------------------------------------------------------------------------- */

static const char *const xml_escapes[ESCAPES] = {
    ['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['"'] = "&quot;", ['\''] = "&#39;",
};

void text_add_xml(struct text *t, struct slice bytes)
{
    add_escaped(t, bytes, xml_escapes);
}

/* ---- Prometheus ------------------------------------------------------------------------------ */

static const char *const prometheus_escapes[ESCAPES] = {['\\'] = "\\\\", ['"'] = "\\\""};

void text_add_prometheus(struct text *t, struct slice bytes)
{
    add_escaped(t, bytes, prometheus_escapes);
}

/* ---- Markdown -------------------------------------------------------------------------------- */

/* A character reference cannot stand for a mark of structure (CommonMark 6.2).  The comment behind
 * an at sign, a colon or a dot ends the text node, so that no link or mention is seen in what the
 * references stand for. */
static const char *const markdown_escapes[ESCAPES] = {
    ['&'] = "&amp;",         ['<'] = "&lt;",   ['>'] = "&gt;",           ['"'] = "&quot;",
    ['\''] = "&#39;",        ['\\'] = "&#92;", ['`'] = "&#96;",          ['*'] = "&#42;",
    ['_'] = "&#95;",         ['{'] = "&#123;", ['}'] = "&#125;",         ['['] = "&#91;",
    [']'] = "&#93;",         ['('] = "&#40;",  [')'] = "&#41;",          ['#'] = "&#35;<!-- -->",
    ['!'] = "&#33;<!-- -->", ['|'] = "&#124;", ['~'] = "&#126;<!-- -->", ['$'] = "&#36;<!-- -->",
    ['%'] = "&#37;<!-- -->", ['^'] = "&#94;",  ['='] = "&#61;",          ['@'] = "&#64;<!-- -->",
    [':'] = "&#58;<!-- -->",
};

/* "www." begins a link as well, and so does a line's "+", "-" or "1." a list: the caller has text
 * in front of them. */
void text_add_markdown(struct text *t, struct slice bytes)
{
    while (bytes.n) {
        size_t n = 0;
        while (n < bytes.n && !slice_starts_nocase(slice_from(bytes, n), SLICE("www.")))
            n++;
        add_escaped(t, slice_first(bytes, n), markdown_escapes);
        bytes = slice_from(bytes, n);
        if (bytes.n) {
            text_add(t, slice_first(bytes, 3));
            text_add(t, SLICE("<!-- -->&#46;"));
            bytes = slice_from(bytes, 4);
        }
    }
    text_add(t, SLICE(""));
}

/* ---- workflow commands ----------------------------------------------------------------------- */

static const char *const workflow_escapes[ESCAPES] = {['%'] = "%25"};

static const char *const workflow_property_escapes[ESCAPES] = {
    ['%'] = "%25",
    [':'] = "%3A",
    [','] = "%2C",
};

void text_add_workflow(struct text *t, struct slice bytes)
{
    add_escaped(t, bytes, workflow_escapes);
}

void text_add_workflow_property(struct text *t, struct slice bytes)
{
    add_escaped(t, bytes, workflow_property_escapes);
}

/* "::" counts at the start of a line only, where the caller has put something, but the older "##["
 * counts everywhere. */
void text_add_workflow_log(struct text *t, struct slice bytes)
{
    struct text shown = {0};
    text_add_terminal(&shown, bytes);
    text_add(t, SLICE(""));
    for (struct slice rest = text_slice(&shown); rest.n; rest = slice_from(rest, 1)) {
        if (rest.p[0] == '[' && t->n && t->p[t->n - 1] == '#')
            text_add(t, SLICE("\\x5b"));
        else
            text_add_char(t, rest.p[0]);
    }
    text_free(&shown);
}

/* ---- TAP and YAML ---------------------------------------------------------------------------- */

static const char *const tap_escapes[ESCAPES] = {['#'] = "\\#", ['\\'] = "\\\\"};

static const char *const yaml_escapes[ESCAPES] = {['"'] = "\\\"", ['\\'] = "\\\\"};

void text_add_tap(struct text *t, struct slice bytes)
{
    add_escaped(t, bytes, tap_escapes);
}

void text_add_yaml(struct text *t, struct slice bytes)
{
    text_add_char(t, '"');
    add_escaped(t, bytes, yaml_escapes);
    text_add_char(t, '"');
}
