/* `sipxray trunk`: what a trunk promises on which message, its lint, and which trunk a call would
 * get. */
#include "report/internal.h"

/* The messages that a mapping can speak of, in the order of a call. */
static const struct block {
    enum expect_direction direction;
    enum expect_message message;
    bool by_livekit;
    const char *title;
} blocks[] = {
    {EXPECT_INBOUND, EXPECT_INVITE, false, "INVITE that LiveKit receives"},
    {EXPECT_INBOUND, EXPECT_INVITE_200, true, "200 to INVITE, sent by LiveKit"},
    {EXPECT_INBOUND, EXPECT_REFER, true, "REFER sent by LiveKit"},
    {EXPECT_INBOUND, EXPECT_BYE, true, "BYE sent by LiveKit"},
    {EXPECT_OUTBOUND, EXPECT_INVITE, true, "INVITE sent by LiveKit"},
    {EXPECT_OUTBOUND, EXPECT_INVITE_200, false, "200 to INVITE that LiveKit receives"},
    {EXPECT_OUTBOUND, EXPECT_REFER, true, "REFER sent by LiveKit"},
    {EXPECT_OUTBOUND, EXPECT_BYE, true, "BYE sent by LiveKit"},
};

#define BLOCK_COUNT (sizeof blocks / sizeof *blocks)

#define NEVER_MAPPED                                                                               \
    "Never mapped, so nothing is owed there: ACK, CANCEL, 100, 180, error responses, the 200 to "  \
    "BYE, the 200 to a re-INVITE, and a BYE that LiveKit receives, that is, when the far end "     \
    "hangs up."

#define LEGEND                                                                                     \
    "must: if it is absent as it leaves LiveKit, something is wrong. may: there only if the "      \
    "attribute is set by then, or if the far end sends it."

/* What the functions below share. */
struct page {
    struct text *out;
    const struct report_style *style;
    const struct expect_trunk *trunk;
    const struct expect_values *values;
    struct arena scratch;
    size_t name_width;
};

static size_t block_owed(struct page *p, const struct block *b, const struct expect_owed **out)
{
    return expect_owed(&p->scratch, p->trunk, b->message, b->by_livekit, p->values, out);
}

/* ---- text ----------------------------------------------------------------------------------- */

static void add_paragraph(struct text *out, const struct report_style *style, size_t indent,
                          struct slice text)
{
    report_add_spaces(out, indent);
    report_add_wrapped(out, indent, indent, report_width(style), text);
    text_add_char(out, '\n');
}

static void add_head(struct page *p)
{
    const struct expect_trunk *t = p->trunk;
    report_colour_on(p->out, p->style, REPORT_BOLD);
    text_add(p->out,
             t->direction == EXPECT_INBOUND ? SLICE("Inbound trunk ") : SLICE("Outbound trunk "));
    text_add_terminal(p->out, t->id.n ? t->id : SLICE("without id"));
    if (t->name.n) {
        text_add(p->out, SLICE(" \""));
        text_add_terminal(p->out, t->name);
        text_add_char(p->out, '"');
    }
    report_colour_off(p->out, p->style, REPORT_BOLD);
    text_add(p->out, SLICE(", from "));
    text_add_terminal(p->out, t->file);
    text_add_char(p->out, '\n');
}

static void add_list(struct page *p, const char *label, const struct expect_list *list,
                     const char *if_empty)
{
    struct text line = {0};
    text_printf(&line, "%s:", label);
    for (size_t i = 0; i < list->n; i++) {
        text_add(&line, i ? SLICE(", ") : SLICE(" "));
        text_add(&line, list->items[i]);
    }
    if (list->n == 0)
        text_printf(&line, " %s", if_empty);
    add_paragraph(p->out, p->style, 2, text_slice(&line));
    text_free(&line);
}

static void add_criteria(struct page *p)
{
    const struct expect_trunk *t = p->trunk;
    if (t->direction == EXPECT_OUTBOUND) {
        struct slice copy = t->address;
        struct expect_list address = {&copy, copy.n > 0};
        add_list(p, "address", &address, "none");
        add_list(p, "numbers it calls from", &t->numbers, "none");
        return;
    }
    add_list(p, "numbers (To user)", &t->numbers, "any: a default trunk");
    add_list(p, "allowed numbers (From user)", &t->allowed_numbers, "any");
    add_list(p, "allowed addresses (source)", &t->allowed_addresses, "any");
}

static void measure_names(struct page *p)
{
    size_t most = report_width(p->style) * 2 / 5;
    for (size_t i = 0; i < BLOCK_COUNT; i++) {
        const struct expect_owed *owed;
        size_t n =
            blocks[i].direction == p->trunk->direction ? block_owed(p, &blocks[i], &owed) : 0;
        for (size_t k = 0; k < n; k++) {
            size_t width = text_width(owed[k].header);
            p->name_width = width > p->name_width ? width : p->name_width;
        }
    }
    p->name_width = p->name_width > most ? most : p->name_width;
}

/* "attribute five9.queue = Billing" */
static struct slice describe(struct page *p, const struct expect_owed *o)
{
    struct text line = {0};
    if (o->attribute.n == 0)
        text_add(&line, SLICE("fixed"));
    else
        text_add(&line, o->by_livekit ? SLICE("from attribute ") : SLICE("into attribute "));
    text_add(&line, o->attribute);
    if (o->has_value || o->value.n) {
        text_add(&line, SLICE(" = "));
        text_add(&line, report_masked(&p->scratch, p->style, o->header, o->value));
    }
    if (!o->has_value && o->value.n)
        text_add(&line, SLICE(", unless the call's own request sets it"));
    return text_keep(&line, &p->scratch);
}

static void add_owed(struct page *p, const struct expect_owed *o)
{
    report_add_spaces(p->out, 4);
    report_add_cell(p->out, o->header, p->name_width);
    text_printf(p->out, "  %-4s  ", expect_force_name(o->force));
    size_t column = 4 + p->name_width + 2 + 4 + 2;
    report_add_wrapped(p->out, column, column, report_width(p->style), describe(p, o));
    text_add_char(p->out, '\n');
}

static void add_block(struct page *p, const struct block *b)
{
    const struct expect_owed *owed;
    size_t n = block_owed(p, b, &owed);
    text_printf(p->out, "  %s%s\n", b->title, n ? "" : ": nothing");
    for (size_t i = 0; i < n; i++)
        add_owed(p, &owed[i]);
}

static void add_lint_line(struct page *p, const struct expect_lint *lint)
{
    static const enum report_colour colours[] = {
        [EXPECT_LINT_ERROR] = REPORT_RED,
        [EXPECT_LINT_WARNING] = REPORT_YELLOW,
        [EXPECT_LINT_NOTE] = REPORT_PLAIN,
    };
    struct slice severity = slice_of(expect_lint_name(lint->severity));
    report_add_spaces(p->out, 2);
    report_add_coloured(p->out, p->style, colours[lint->severity], severity);
    report_add_spaces(p->out, 9 - severity.n);
    struct slice line =
        arena_printf(&p->scratch, "%.*s: %.*s", SLICE_ARG(lint->path), SLICE_ARG(lint->message));
    report_add_wrapped(p->out, 11, 11, report_width(p->style), line);
    text_add_char(p->out, '\n');
}

static void add_lints(struct page *p)
{
    const struct expect_lint *lint;
    size_t n = expect_lint(&p->scratch, p->trunk, &lint);
    text_add(p->out, n ? SLICE("\n") : SLICE(""));
    for (size_t i = 0; i < n; i++)
        add_lint_line(p, &lint[i]);
}

void report_trunk_text(struct text *out, const struct report_style *style,
                       const struct expect_trunk *trunk, const struct expect_values *values)
{
    struct page p = {.out = out, .style = style, .trunk = trunk, .values = values};
    add_head(&p);
    add_criteria(&p);
    text_add_char(out, '\n');
    measure_names(&p);
    for (size_t i = 0; i < BLOCK_COUNT; i++)
        if (blocks[i].direction == trunk->direction)
            add_block(&p, &blocks[i]);
    text_add_char(out, '\n');
    add_paragraph(out, style, 2, SLICE(LEGEND));
    add_paragraph(out, style, 2, SLICE(NEVER_MAPPED));
    add_lints(&p);
    arena_free(&p.scratch);
}

/* ---- the match, as text --------------------------------------------------------------------- */

static const char *match_sentence(enum expect_direction direction, enum expect_match_result result)
{
    static const char *const sentences[2][4] = {
        [EXPECT_INBOUND] =
            {
                [EXPECT_MATCHED] = "LiveKit would pick the trunk ",
                [EXPECT_NO_MATCH] =
                    "No inbound trunk matches: LiveKit answers 503 or 404, by version.",
                [EXPECT_AMBIGUOUS] = "More than one match: LiveKit refuses the call.",
                [EXPECT_NO_TRUNKS] = "No inbound trunk was given.",
            },
        [EXPECT_OUTBOUND] =
            {
                [EXPECT_MATCHED] = "The call fits the trunk ",
                [EXPECT_NO_MATCH] = "No outbound trunk fits the call.",
                [EXPECT_AMBIGUOUS] =
                    "Several outbound trunks fit the call equally well: name one by --trunk-id.",
                [EXPECT_NO_TRUNKS] = "No outbound trunk was given.",
            },
    };
    return sentences[direction][result];
}

void report_trunk_match_text(struct text *out, const struct report_style *style,
                             enum expect_direction direction, const struct expect_match *match)
{
    struct text line = {0};
    text_printf(&line, "%s", match_sentence(direction, match->result));
    if (match->trunk) {
        text_add(&line, match->trunk->id.n ? match->trunk->id : SLICE("without id"));
        text_printf(&line, match->trunk->name.n ? " \"%.*s\"." : "%.*s.",
                    SLICE_ARG(match->trunk->name));
    }
    add_paragraph(out, style, 0, text_slice(&line));
    for (size_t i = 0; i < match->reason_count; i++)
        add_paragraph(out, style, 2, match->reasons[i]);
    text_free(&line);
}

/* ---- JSON: schema sipxray-trunk/1 ------------------------------------------------------------ */

static void add_string_or_null(struct json_writer *w, const char *key, struct slice s)
{
    json_add_key(w, key);
    if (s.n)
        json_add_string(w, s);
    else
        json_add_null(w);
}

static void json_promise(struct json_writer *w, struct page *p, const struct block *b,
                         const struct expect_owed *o)
{
    json_begin_object(w);
    json_add_key(w, "message");
    json_add_cstring(w, expect_message_name(b->message));
    json_add_key(w, "sent_by");
    json_add_cstring(w, o->by_livekit ? "livekit" : "peer");
    json_add_key(w, "header");
    json_add_string(w, o->header);
    add_string_or_null(w, "attribute", o->attribute);
    json_add_key(w, "field");
    json_add_cstring(w, o->field);
    json_add_key(w, "force");
    json_add_cstring(w, expect_force_name(o->force));
    json_add_key(w, "value");
    if (o->has_value)
        json_add_string(w, report_masked(&p->scratch, p->style, o->header, o->value));
    else
        json_add_null(w);
    json_end_object(w);
}

static void json_promises(struct json_writer *w, struct page *p)
{
    json_add_key(w, "promises");
    json_begin_array(w);
    for (size_t i = 0; i < BLOCK_COUNT; i++) {
        const struct expect_owed *owed;
        size_t n =
            blocks[i].direction == p->trunk->direction ? block_owed(p, &blocks[i], &owed) : 0;
        for (size_t k = 0; k < n; k++)
            json_promise(w, p, &blocks[i], &owed[k]);
    }
    json_end_array(w);
}

static void json_lints(struct json_writer *w, struct page *p)
{
    const struct expect_lint *lint;
    size_t n = expect_lint(&p->scratch, p->trunk, &lint);
    json_add_key(w, "lint");
    json_begin_array(w);
    for (size_t i = 0; i < n; i++) {
        json_begin_object(w);
        json_add_key(w, "severity");
        json_add_cstring(w, expect_lint_name(lint[i].severity));
        json_add_key(w, "path");
        json_add_string(w, lint[i].path);
        json_add_key(w, "message");
        json_add_string(w, lint[i].message);
        json_end_object(w);
    }
    json_end_array(w);
}

static void json_trunk(struct json_writer *w, struct page *p)
{
    json_begin_object(w);
    add_string_or_null(w, "file", p->trunk->file);
    add_string_or_null(w, "id", p->trunk->id);
    add_string_or_null(w, "name", p->trunk->name);
    json_add_key(w, "direction");
    json_add_cstring(w, expect_direction_name(p->trunk->direction));
    json_promises(w, p);
    json_lints(w, p);
    json_end_object(w);
}

static void json_match(struct json_writer *w, const struct expect_match *match)
{
    json_begin_object(w);
    json_add_key(w, "result");
    json_add_cstring(w, expect_match_name(match->result));
    add_string_or_null(w, "trunk", match->trunk ? match->trunk->id : SLICE_NONE);
    json_add_key(w, "reasons");
    json_begin_array(w);
    for (size_t i = 0; i < match->reason_count; i++)
        json_add_string(w, match->reasons[i]);
    json_end_array(w);
    json_end_object(w);
}

void report_trunk_json(struct text *out, const struct report_style *style,
                       const struct expect_trunks *trunks, const struct expect_values *values,
                       const struct expect_match *match)
{
    struct json_writer w = {.out = out, .pretty = true};
    json_begin_object(&w);
    json_add_key(&w, "schema");
    json_add_cstring(&w, "sipxray-trunk/1");
    json_add_key(&w, "trunks");
    json_begin_array(&w);
    for (size_t i = 0; i < trunks->n; i++) {
        struct page p = {.out = out, .style = style, .trunk = &trunks->items[i], .values = values};
        json_trunk(&w, &p);
        arena_free(&p.scratch);
    }
    json_end_array(&w);
    json_add_key(&w, "match");
    if (match)
        json_match(&w, match);
    else
        json_add_null(&w);
    json_end_object(&w);
    text_add_char(out, '\n');
}
