/* sipxray flow: the ladder of a call.  Which call, when there are several, is for --call to say. */
#include "cmd/internal.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#define LISTED_MAX 20u /* calls that are listed where there is a choice */

struct flow {
    const struct cmd_arguments *arguments;
    struct report_style style;
    struct view_options options;
    struct slice *follow; /* patterns, then what trunks promise */
    struct expect_trunks trunks;
    struct view_filter *filter; /* of calls; NULL: all */
    struct trace_filter hooks;  /* its own, where calls are counted before */
    struct check_options check;
    struct check_summary summary;
    struct trace *trace;
    struct cmd_outputs outputs;
    const char *which;              /* --call; NULL: the only one */
    bool all;                       /* --call all */
    uint64_t all_calls, all_others; /* calls in the captures, and requests outside of calls */
    uint64_t calls, others;         /* of them, those to choose from */
    uint64_t drawn;
    bool other_drawn; /* what is drawn is no call */
    /* drawn before it was known to be the only one */
    struct text held[CMD_OUTPUTS_MAX];
    struct text list;
    bool undecided; /* the list is to be shown */
};

struct format {
    const char *name;
    void (*draw)(struct text *, const struct report_style *, const struct view_ladder *,
                 const struct flow *);
    void (*end)(struct text *); /* NULL: nothing */
    bool many;                  /* holds several calls */
};

static void draw_html(struct text *out, const struct report_style *style,
                      const struct view_ladder *l, const struct flow *f)
{
    report_flow_html(out, style, l, f->drawn + 1);
}

static void draw_mermaid(struct text *out, const struct report_style *style,
                         const struct view_ladder *l, const struct flow *f)
{
    (void)style;
    (void)f;
    report_flow_mermaid(out, l);
}

static void draw_svg(struct text *out, const struct report_style *style,
                     const struct view_ladder *l, const struct flow *f)
{
    const struct report_svg options = {.prefix = "", .local_time = style->local_time};
    (void)f;
    report_ladder_svg(out, l, &options);
}

static void draw_text(struct text *out, const struct report_style *style,
                      const struct view_ladder *l, const struct flow *f)
{
    text_add(out, f->drawn ? SLICE("\n") : SLICE(""));
    report_flow_text(out, style, l, cmd_given(f->arguments, CMD_OPT_HEADERS));
}

static const struct format formats[] = {
    {"html", draw_html, report_flow_html_end, true},
    {"mermaid", draw_mermaid, NULL, false},
    {"svg", draw_svg, NULL, false},
    {"text", draw_text, NULL, true},
};

/* --format was held against the command's formats before. */
static const struct format *format_of(const struct cmd_output *o)
{
    size_t last = sizeof formats / sizeof *formats - 1, i = 0;
    while (i < last && strcmp(formats[i].name, o->format) != 0)
        i++;
    return &formats[i];
}

/* ---- which call ---------------------------------------------------------------------------------
 */

static bool has_call_id(const struct call_summary *c, const char *id)
{
    for (size_t i = 0; i < c->call_id_count; i++)
        if (slice_is(c->call_ids[i], id))
            return true;
    return false;
}

/* "  2  12:00:00  answered  +1 -> +2  Call-ID" */
static void list_call(struct flow *f, const struct call_summary *c)
{
    text_printf(&f->list, "  %2u  ", c->number);
    report_call_line(&f->list, &f->style, c);
    text_add_char(&f->list, '\n');
}

static bool is_number(const struct flow *f, uint32_t number)
{
    uint32_t wanted;
    return slice_to_u32(slice_of(f->which), &wanted) && wanted == number;
}

static void count_call(struct flow *f, const struct call_summary *c)
{
    *(c->outcome != CALL_NOT_A_CALL ? &f->all_calls : &f->all_others) += 1;
}

static void look(void *context, const struct trace_seen *m, struct trace_marks *marks)
{
    struct flow *f = context;
    view_filter_look(f->filter, m, marks);
}

static bool matches(void *context, const struct call_summary *c, const struct trace_marks *marks)
{
    struct flow *f = context;
    count_call(f, c);
    return view_filter_call(f->filter, c, marks, NULL) == VIEW_FILTER_YES;
}

/* Without --call the first one is drawn, and shown if it stays the only one.  What is no call gives
 * way to the first call. */
static bool choose(void *context, const struct call_summary *c)
{
    struct flow *f = context;
    bool call = c->outcome != CALL_NOT_A_CALL;
    if (!f->filter)
        count_call(f, c);
    uint64_t met = call ? ++f->calls : ++f->others;
    if (f->all)
        return call;
    if (f->which)
        return has_call_id(c, f->which) || is_number(f, c->number);
    if (met == 1 && call)
        text_clear(&f->list);
    if ((call || f->calls == 0) && met <= LISTED_MAX)
        list_call(f, c);
    if (met > 1 || (!call && f->calls))
        return false;
    f->other_drawn = !call;
    f->drawn = 0;
    for (size_t i = 0; i < f->outputs.n; i++)
        text_clear(&f->held[i]);
    return true;
}

/* ---- drawing ------------------------------------------------------------------------------------
 */

static void draw(void *context, const struct hop_call *call)
{
    struct flow *f = context;
    struct arena a = {0};
    struct check_call judged;
    struct view_options options = f->options;
    if (f->trunks.n && check_call(&a, &f->check, &f->summary, call, &judged))
        options.judged = &judged;
    const struct view_ladder *l = view_ladder_build(&a, call, &options);
    for (size_t i = 0; i < f->outputs.n; i++) {
        struct cmd_output *o = &f->outputs.items[i];
        struct report_style style = cmd_style_for(&f->style, o, f->arguments);
        struct text *out = f->which ? &o->text : &f->held[i];
        if (f->drawn == 0 || format_of(o)->many)
            format_of(o)->draw(out, &style, l, f);
        if (f->which)
            cmd_output_wrote(o);
    }
    f->drawn++;
    arena_free(&a);
}

/* ---- the run ------------------------------------------------------------------------------------
 */

/* The characters of the user's locale, without taking it over. */
static bool locale_is_utf8(void)
{
    locale_t l = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
    bool utf8 = l != (locale_t)0 && strcmp(nl_langinfo_l(CODESET, l), "UTF-8") == 0;
    if (l != (locale_t)0)
        freelocale(l);
    return utf8;
}

static bool read_choice(struct flow *f, struct err *err)
{
    f->which = cmd_value(f->arguments, CMD_OPT_CALL);
    f->all = f->which && strcmp(f->which, "all") == 0;
    if (f->which && !*f->which)
        return err_set(err, "--call: a Call-ID, a number or all");
    for (size_t i = 0; f->all && i < f->outputs.n; i++)
        if (!format_of(&f->outputs.items[i])->many)
            return err_set(err, "--call all: a file of format %s holds one call",
                           f->outputs.items[i].format);
    return true;
}

/* Promised headers count as X- ones do, whatever their names. */
static size_t add_promised(struct slice *names, size_t n, const struct expect_trunk *t)
{
    for (size_t i = 0; i < t->attributes_to_headers.n; i++)
        names[n++] = t->attributes_to_headers.pairs[i].value;
    for (size_t i = 0; i < t->headers.n; i++)
        names[n++] = t->headers.pairs[i].key;
    return n;
}

static void read_follow(struct flow *f)
{
    const struct cmd_list *patterns = &f->arguments->values[CMD_OPT_FOLLOW];
    size_t n = patterns->n;
    for (size_t i = 0; i < f->trunks.n; i++)
        n += f->trunks.items[i].attributes_to_headers.n + f->trunks.items[i].headers.n;
    f->follow = base_alloc((n + 1) * sizeof *f->follow);
    for (n = 0; n < patterns->n; n++)
        f->follow[n] = slice_of(patterns->items[n]);
    for (size_t i = 0; i < f->trunks.n; i++)
        n = add_promised(f->follow, n, &f->trunks.items[i]);
    f->options = (struct view_options){.follow = f->follow, .follow_count = n};
}

static bool read_trunks(struct flow *f, struct err *err)
{
    const struct cmd_list *files = &f->arguments->values[CMD_OPT_TRUNK];
    for (size_t i = 0; i < files->n; i++)
        if (!expect_trunks_read(&f->trunks, files->items[i], err))
            return false;
    f->check = (struct check_options){.trunks = &f->trunks, .everything = true};
    check_summary_init(&f->summary, &f->check);
    return true;
}

static bool prepare(struct flow *f, struct err *err)
{
    const struct cmd_list *nodes = &f->arguments->values[CMD_OPT_NODE];
    struct trace_options options = {
        .livekit = cmd_value(f->arguments, CMD_OPT_LIVEKIT),
        .nodes = nodes->items,
        .node_count = nodes->n,
    };
    if (!cmd_style(&f->style, f->arguments, err) ||
        !cmd_filter_read(f->arguments, VIEW_FILTER_CALLS, &f->filter, err) ||
        !cmd_outputs_open(&f->outputs, f->arguments, err) || !read_choice(f, err) ||
        !read_trunks(f, err))
        return false;
    f->style.ascii = cmd_given(f->arguments, CMD_OPT_ASCII) || !locale_is_utf8();
    read_follow(f);
    if (f->filter) {
        bool asks = view_filter_asks_messages(f->filter);
        f->hooks = (struct trace_filter){asks ? look : NULL, matches, f};
        options.filter = &f->hooks;
    }
    f->trace = cmd_trace_open(f->arguments, &options, err);
    if (f->trace && f->filter)
        view_filter_begin(f->filter, f->trace);
    return f->trace != NULL;
}

/* One call, or what to say instead. */
static bool settle(struct flow *f, struct err *err)
{
    uint64_t met = f->calls ? f->calls : f->others;
    if (f->drawn == 0 && f->which && !f->all)
        return err_set(err,
                       "--call %s: no such call%s; there are %llu calls, which calls --columns "
                       "number,caller,callee lists",
                       f->which, f->filter ? " among those that match --filter" : "",
                       (unsigned long long)f->all_calls);
    if (f->drawn == 0 && f->filter)
        return err_set(err, "--filter: no call matches, of %llu",
                       (unsigned long long)f->all_calls + f->all_others);
    if (f->drawn == 0)
        return err_set(err, "no call in these captures");
    if (met > 1 && !f->which) {
        if (met > LISTED_MAX)
            text_printf(&f->list, "      and %llu more: sipxray calls lists them all\n",
                        (unsigned long long)(met - LISTED_MAX));
        f->undecided = true;
        return err_set(err, "%llu %s: say which with --call N, --call CALL-ID%s",
                       (unsigned long long)met, f->calls ? "calls" : "dialogs outside of calls",
                       f->calls ? " or --call all" : "");
    }
    for (size_t i = 0; i < f->outputs.n; i++) {
        struct cmd_output *o = &f->outputs.items[i];
        text_add(&o->text, text_slice(&f->held[i]));
        if (format_of(o)->end)
            format_of(o)->end(&o->text);
        cmd_output_wrote(o);
    }
    return true;
}

int cmd_flow(const struct cmd_arguments *a)
{
    struct err err;
    struct flow f = {.arguments = a};
    struct trace_sinks sinks = {.flow = draw, .choose = choose, .context = &f};
    bool ok =
        prepare(&f, &err) && cmd_trace_run(f.trace, &sinks, &f.outputs, &err) && settle(&f, &err);
    cmd_filter_points(f.filter, f.trace);
    int status = cmd_finish(f.trace, &f.outputs, ok, &err);
    if (f.undecided)
        cmd_complain_list(text_slice(&f.list));
    for (size_t i = 0; i < CMD_OUTPUTS_MAX; i++)
        text_free(&f.held[i]);
    text_free(&f.list);
    free(f.follow);
    check_summary_free(&f.summary);
    expect_trunks_free(&f.trunks);
    view_filter_free(f.filter);
    return status;
}
