/* Collects the text of a message from its lines: to what ends it in its format, to the head of the
 * next record, or as far as the log's count and Content-Length say. */
#include "source/log.h"

#define NOWHERE SIZE_MAX

bool log_line(struct log *l, size_t at, struct slice *line, size_t *next)
{
    size_t want = at + 4096, from = at;
    for (;;) {
        struct slice have = source_input_peek(&l->source->in, want);
        if (have.n <= at)
            return false;
        const char *lf = have.n > from ? memchr(have.p + from, '\n', have.n - from) : NULL;
        size_t end = lf ? (size_t)(lf - have.p) : have.n;
        l->within_line = !lf && have.n - at >= LOG_MESSAGE_MAX;
        *line = (struct slice){have.p + at, end - at};
        *next = end + (lf != NULL);
        if (lf || have.n < want || l->within_line)
            return true;
        from = have.n;
        want += want - at;
    }
}

struct slice log_chomp(struct slice line)
{
    return line.n && line.p[line.n - 1] == '\r' ? slice_first(line, line.n - 1) : line;
}

/* The text so far. */
struct walk {
    struct log *l;
    const struct log_record *r;
    size_t at, pos;        /* of its first line, of the line that comes next */
    size_t n;              /* bytes of text */
    size_t lost;           /* lines of it without CR */
    size_t body;           /* where the body begins in it; NOWHERE: the headers go on */
    size_t body_lost;      /* `lost` there */
    size_t length;         /* Content-Length; NOWHERE: none */
    size_t end_n, end_pos; /* where something first looked like the message's end; NOWHERE */
    bool dots;             /* LOG_DOTTED: the first line ends with one */
    bool ended, large;
};

/* ---- lines ---------------------------------------------------------------------------------- */

/* Without the escape sequences for colours. */
static void add_plain(struct text *t, struct slice line)
{
    while (line.n) {
        size_t n = slice_find(line, '\033');
        text_add(t, slice_first(line, n));
        line = slice_from(line, n);
        if (!line.n)
            return;
        size_t m = slice_find(line, 'm');
        line = slice_from(line, m < line.n && m < 16 ? m + 1 : 1);
    }
}

static void add_dotted(struct walk *w, struct slice line)
{
    struct text *t = &w->l->text;
    add_plain(t, line);
    bool dot = t->n > w->n && t->p[t->n - 1] == '.';
    if (w->n == 0)
        w->dots = dot;
    if (dot && w->dots)
        t->p[t->n - 1] = '\r';
    text_add_char(t, '\n');
}

/* Takes the margin off a line; true also where there is nothing on it. */
static bool take_margin(const struct log_record *r, struct slice *line)
{
    struct slice rest = slice_from(*line, line->n >= r->indent + r->margin ? r->indent : 0);
    size_t spaces = 0;
    while (spaces < r->margin && spaces < rest.n && rest.p[spaces] == ' ')
        spaces++;
    bool is = spaces == r->margin || log_chomp(*line).n == 0;
    *line = spaces == r->margin ? slice_from(rest, spaces) : rest;
    return is;
}

/* False: a line that is not indented came between. */
static bool add_indented(struct walk *w, struct slice line)
{
    if (!take_margin(w->r, &line)) {
        w->l->source->stats.unread++;
        return false;
    }
    text_add(&w->l->text, log_chomp(line));
    text_add(&w->l->text, SLICE("\r\n"));
    return true;
}

/* Adds `line` and, unless the message ends within it, its end; gives the text that it is. */
static struct slice add_line(struct walk *w, struct slice line, size_t next, bool part)
{
    size_t was = w->n;
    if (w->r->shape == LOG_AS_IS) {
        w->n += part ? line.n : next - w->pos;
        w->lost += !part && log_chomp(line).n == line.n;
        return line;
    }
    if (w->r->shape == LOG_DOTTED)
        add_dotted(w, line);
    else if (!add_indented(w, line))
        return SLICE("-");
    w->n = w->l->text.n;
    return slice_first(slice_from(text_slice(&w->l->text), was), w->n - was - 1);
}

static void note_headers(struct walk *w, struct slice line)
{
    if (w->body != NOWHERE)
        return;
    if (log_chomp(line).n == 0) {
        w->body = w->n;
        w->body_lost = w->lost;
    } else if (w->length == NOWHERE) {
        (void)log_content_length(line, &w->length);
    }
}

/* ---- the end -------------------------------------------------------------------------------- */

static bool near(size_t have, size_t wanted)
{
    return have >= wanted && have - wanted <= 4; /* two line ends of the logger */
}

/* Does the text end here, as far as there is anything to go by? */
static bool is_complete(const struct walk *w)
{
    if (w->r->count)
        return near(w->n, w->r->count) || near(w->n + w->lost, w->r->count);
    if (w->body == NOWHERE || w->length == NOWHERE)
        return true;
    size_t body = w->n - w->body;
    return near(body, w->length) || near(body + w->lost - w->body_lost, w->length);
}

/* Nothing that follows can be of the message. */
static bool is_enough(const struct walk *w)
{
    if (w->r->end || w->n < w->r->count || w->body == NOWHERE)
        return false;
    return w->length != NOWHERE ? w->n - w->body >= w->length : w->r->count > 0;
}

/* Neither a count nor Content-Length: an empty line or the next start line ends it. */
static bool ends_by_sight(const struct walk *w, struct slice line)
{
    if (w->r->end || w->r->count || w->length != NOWHERE || w->n == 0)
        return false;
    return log_is_start(line) || (w->body != NOWHERE && line.n == 0);
}

static bool is_next_head(const struct walk *w, struct slice line)
{
    struct log_clock scratch = w->l->clock;
    struct log_record r = {.time_ns = 0};
    enum log_step step;
    return log_format_find(&scratch, line, &r, &step) != NULL;
}

/* Takes the line at w->pos; false: the text ended before it or with it. */
static bool step(struct walk *w, struct slice line, size_t next)
{
    struct slice bare = log_chomp(line);
    size_t part = w->r->end ? w->r->end(bare) : LOG_GOES_ON;
    if (is_next_head(w, bare) || ends_by_sight(w, bare))
        return false;
    if (part != LOG_GOES_ON) {
        struct walk at_end = *w;
        at_end.n += part;
        if (w->end_n == NOWHERE) {
            w->end_n = at_end.n;
            w->end_pos = next;
        }
        if (is_complete(&at_end)) {
            w->end_n = NOWHERE;
            (void)add_line(w, slice_first(line, part), next, true);
            w->pos = next;
            return false;
        }
    }
    note_headers(w, add_line(w, line, next, false));
    w->pos = next;
    w->large = w->pos - w->at > LOG_MESSAGE_MAX;
    return !w->large && !is_enough(w);
}

static void walk(struct walk *w)
{
    struct slice line;
    size_t next;
    bool more;
    do {
        more = log_line(w->l, w->pos, &line, &next);
        w->ended = !more;
        more = more && step(w, line, next);
    } while (more);
    if (w->end_n != NOWHERE) { /* the first end was the right one */
        w->n = w->end_n;
        w->pos = w->end_pos;
        w->ended = w->large = false;
    }
}

/* ---- messages ------------------------------------------------------------------------------- */

static void restore_cr(struct text *t, struct slice text)
{
    text_clear(t);
    while (text.n) {
        size_t n = slice_find(text, '\n');
        struct slice line = slice_first(text, n);
        text_add(t, log_chomp(line));
        if (n < text.n)
            text_add(t, SLICE("\r\n"));
        else if (line.n && line.p[line.n - 1] == '\r')
            text_add_char(t, '\r');
        text = slice_from(text, n + 1);
    }
}

/* The log's count, where line ends are as they were: true without looking at what the message says,
 * which may look like anything. */
static bool by_count(struct log *l, size_t count, size_t at, struct log_found *out)
{
    struct slice have = slice_from(source_input_peek(&l->source->in, at + count + 2), at);
    size_t lf = slice_find(have, '\n');
    struct slice after = slice_from(have, count);
    if (have.n < count || lf == 0 || lf >= count || have.p[lf - 1] != '\r' ||
        (after.n && after.p[0] != '\n' && !slice_is(after, "\r\n")))
        return false;
    *out = (struct log_found){.bytes = slice_first(have, count),
                              .at = at,
                              .used = at + count + slice_find(after, '\n') + (after.n > 0)};
    return true;
}

static void skip_blank(struct log *l, size_t *at)
{
    struct slice line;
    size_t next;
    for (int i = 0; i < 2 && log_line(l, *at, &line, &next) && log_chomp(line).n == 0; i++)
        *at = next;
}

static struct log_found found(struct walk *w)
{
    struct log *l = w->l;
    struct log_found out = {.used = w->pos, .large = w->large, .at = SIZE_MAX};
    bool restore, in_place = w->r->shape == LOG_AS_IS;
    if (w->large)
        return out;
    struct slice text = in_place
                            ? slice_from(source_input_peek(&l->source->in, w->at + w->n), w->at)
                            : slice_first(text_slice(&l->text), w->n);
    size_t n = log_fit(text, w->r->count, !in_place, &restore, &out.missing);
    out.bytes = slice_first(text, n);
    out.ended = w->ended && out.missing > 0;
    if (in_place && n < w->n)
        out.used = w->at + n;
    if (restore) {
        restore_cr(&l->text, out.bytes);
        out.bytes = text_slice(&l->text);
    } else if (in_place) {
        out.at = w->at;
    }
    return out;
}

struct log_found log_read(struct log *l, const struct log_record *r, size_t at)
{
    struct walk w = {.l = l, .r = r, .body = NOWHERE, .length = NOWHERE, .end_n = NOWHERE};
    struct log_found out;
    text_clear(&l->text);
    if (r->count && r->shape == LOG_AS_IS && by_count(l, r->count, at, &out))
        return out;
    if (!r->count)
        skip_blank(l, &at);
    w.at = w.pos = at;
    walk(&w);
    return found(&w);
}
