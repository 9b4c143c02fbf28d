/* Private to tui/: the screens and what they share. */
#ifndef TUI_INTERNAL_H
#define TUI_INTERNAL_H

#include "report/report.h"
#include "tui/draw.h"
#include "tui/tui.h"
#include "view/view.h"

/* ---- what keys do ---------------------------------------------------------------------------- */

enum tui_map {
    MAP_CALLS,
    MAP_LADDER,
    MAP_MATRIX,
    MAP_MESSAGE,
    MAP_FINDINGS,
    MAP_DIFF,
    MAP_TEXT,
    MAP_FILTER,
    MAP_SETTINGS,
    MAP_COLUMNS,
    MAP_SCROLL,
    MAP_ALL,
    MAP_COUNT
};

enum tui_action {
    DO_NOTHING,
    DO_OPEN,
    DO_MATRIX,
    DO_RAW,
    DO_FINDINGS,
    DO_EXPLAIN,
    DO_DIFF,
    DO_SEARCH,
    DO_CLEAR,
    DO_NEXT,
    DO_PREVIOUS,
    DO_MARK,
    DO_SORT_NEXT,
    DO_SORT_PREVIOUS,
    DO_SORT_TURN,
    DO_FOLLOW,
    DO_SAVE,
    DO_STATISTICS,
    DO_PREVIEW,
    DO_LARGER,
    DO_SMALLER,
    DO_TIMES,
    DO_FOLD,
    DO_COLUMN,
    DO_MEDIA,
    DO_ALL_HEADERS,
    DO_WRAP,
    DO_HEX,
    DO_COPY,
    DO_LEFT,
    DO_RIGHT,
    DO_UP,
    DO_DOWN,
    DO_PAGE_UP,
    DO_PAGE_DOWN,
    DO_TOP,
    DO_BOTTOM,
    DO_FILTER,
    DO_EXPRESS,
    DO_SETTINGS,
    DO_COLUMNS,
    DO_PAUSE,
    DO_TINT,
    DO_ALIASES,
    DO_SYNTAX,
    DO_EXTEND,
    DO_RESET,
    DO_ADD,
    DO_MOVE_UP,
    DO_MOVE_DOWN,
    DO_HIDE,
    DO_HELP,
    DO_BACK,
    DO_QUIT,
    DO_REDRAW
};

enum tui_action tui_action_of(const struct tui_keys *k, enum tui_map map, uint32_t key);
struct tui_kind;
/* On a screen: its own keys, those of lists, those that hold everywhere. */
enum tui_action tui_action_on(const struct tui_keys *k, const struct tui_kind *kind, uint32_t key);
/* "Enter Ladder  m Headers ..." as far as it fits. */
void tui_draw_bar(const struct tui_keys *k, struct grid *g, size_t row, enum tui_map map);
void tui_help_text(struct text *out, const struct tui_keys *k, enum tui_map map);
void tui_keys_init(struct tui_keys *k); /* as keys.def has them */
void tui_keys_free(struct tui_keys *k);

/* ---- settings -------------------------------------------------------------------------------- */

struct slice tui_next_word(struct slice *rest);
typedef bool tui_line_taker(void *context, struct slice line, struct err *err);
/* Hands out the lines that are neither empty nor a comment; one that is refused is a remark. */
bool tui_each_line(struct tui_settings *s, const char *path, tui_line_taker *take, void *context,
                   struct err *err);
/* Saves what was changed, and says so or why not. */
void tui_settings_keep(struct tui *t);
bool tui_take_alias(struct tui_settings *s, struct slice rest, struct err *err);

/* ---- columns --------------------------------------------------------------------------------- */

#define TUI_COLUMNS_MAX 64u
#define TUI_WANTS_MAX   64u /* headers, of columns that went too */
#define TUI_WIDTH_MAX   200u

struct tui_column {
    struct slice spec; /* "caller", "BYE:X-Queue" */
    enum view_cell cell;
    size_t width; /* that was asked for; 0: what fits */
    size_t shown; /* as it is on the screen now */
};

struct tui_columns {
    struct tui_column items[TUI_COLUMNS_MAX];
    size_t n;
    bool usual;
    struct slice wanted[TUI_WANTS_MAX], headers[TUI_WANTS_MAX]; /* specs, and names in them */
    size_t want_count;
    struct trace *trace; /* is told what is wanted; NULL: none */
    struct arena arena;
};

/* A header is wanted from now on. */
bool tui_column_read(struct tui_columns *c, struct slice text, struct tui_column *out,
                     struct err *err);
/* False: some are no columns; the others are there. */
bool tui_columns_put(struct tui_columns *c, struct slice list, struct err *err);
void tui_columns_add_text(struct text *out, const struct tui_columns *c);
struct slice tui_column_title(const struct tui_column *c);
bool tui_column_is_right(const struct tui_column *c);
/* How wide each is on a list of that width; their titles; the column under a click. */
void tui_columns_fit(struct tui *t, size_t width);
void tui_columns_head(const struct tui *t, struct grid *g, size_t row, enum view_cell sort,
                      bool backwards);
const struct tui_column *tui_column_at(const struct tui *t, size_t x);
void tui_columns_heed(struct tui *t); /* what is set */
void tui_columns_note(struct tui *t); /* what was changed: is set */
bool tui_sort_read(struct tui_columns *c, struct slice text, enum view_cell *by, bool *backwards,
                   struct err *err);
void tui_sort_note(struct tui *t, enum view_cell by, bool backwards);
void tui_sort_heed(struct tui *t); /* calls.c: what is set */

/* Colours of a ladder's rows, by what is asked for; `harm`: headers that come to harm there.  What
 * the colour says stands in the label as well. */
unsigned tui_row_look(const struct tui *t, const struct view_row *row, size_t harm);
void tui_add_tint(const struct tui *t, struct text *label, const struct view_row *row);
void tui_next_tint(struct tui *t);

/* Addresses by the names that they were given. */
struct slice tui_column_name(const struct tui *t, const struct view_column *c);
void tui_add_endpoint(const struct tui *t, struct text *out, const struct endpoint *e);

/* ---- lists ----------------------------------------------------------------------------------- */

/* Where the cursor is in a list of n, of which `page` are seen from `top` on. */
struct tui_scroll {
    size_t at, top, n, page;
};
bool tui_scroll_do(struct tui_scroll *s, enum tui_action a); /* false: no action of a list */
void tui_scroll_fit(struct tui_scroll *s, size_t n, size_t page);
bool tui_scroll_to(struct tui_scroll *s, size_t row); /* of the page; false: nothing is there */
/* The same for a text, which has no cursor: `top` moves. */
bool tui_scroll_text(struct tui_scroll *s, enum tui_action a);

/* ---- lines that are typed -------------------------------------------------------------------- */

#define TUI_LINE_MAX    8192u /* bytes; more is not taken */
#define TUI_HISTORY_MAX 64u   /* lines; the oldest go */
#define TUI_FAULT_ROWS  3u    /* that say what is wrong with a line */

struct tui_edit {
    struct text line;
    size_t at; /* the byte before which the cursor is */
};

void tui_edit_set(struct tui_edit *e, struct slice line);
void tui_edit_free(struct tui_edit *e);
bool tui_edit_key(struct tui_edit *e, uint32_t key); /* false: no key of a line */
/* Between these columns.  Returns how many columns of it are left out on the left. */
size_t tui_edit_draw(const struct tui_edit *e, struct grid *g, size_t row, size_t column,
                     size_t end, unsigned look, bool cursor);

VEC_TYPE(tui_history, char *);
void tui_history_add(struct tui_history *h, struct slice line);
void tui_history_free(struct tui_history *h);
/* *back: where in it; h->n: behind its end.  False: no key of a history. */
bool tui_history_key(const struct tui_history *h, size_t *back, struct tui_edit *e, uint32_t key);

size_t tui_fault_rows(const struct grid *g, const struct view_filter_fault *fault);
/* Under a line that was drawn from `column` to `end` with its first `pan` columns left out. */
void tui_fault_draw(struct grid *g, size_t row, size_t column, size_t end, size_t pan,
                    struct slice line, const struct view_filter_fault *fault);

/* What is searched for among messages. */
struct tui_find {
    struct view_filter *filter; /* NULL: nothing */
};

/* False: *fault says what is wrong, and what was searched for before goes on being that. */
bool tui_find_set(struct tui_find *f, struct slice line, struct view_filter_fault *fault);
bool tui_find_row(const struct tui *t, struct tui_find *f, const struct view_row *row);
void tui_find_free(struct tui_find *f);

/* The form of the filter. */
enum tui_form_field {
    FORM_FROM,
    FORM_TO,
    FORM_SOURCE,
    FORM_DESTINATION,
    FORM_TEXT,
    FORM_WITH,
    FORM_WITHOUT,
    FORM_EXPRESSION,
    FORM_FIELDS
};

struct tui_form {
    struct tui_edit fields[FORM_FIELDS];
    uint32_t methods; /* a bit for each enum sip_method */
};

/* ---- the call that is open ------------------------------------------------------------------- */

/* Built anew when more was loaded, for what it borrows is valid until then.  A screen remembers
 * places by sighting ids. */
struct tui_call {
    uint32_t number; /* of trace_call_*; UINT32_MAX: none */
    uint64_t built;  /* another number each time */
    struct arena arena;
    struct hop_span span; /* of a call that is too long to be built whole: what of it is */
    bool part;            /* it is such a one */
    const struct hop_call *hops;
    const struct view_ladder *ladder;
    struct check_call check; /* of a part: says what becomes of headers, and no more */
    bool checked;
    struct tui_call *whole; /* of a part: its call as check judges it, where it was asked for */
};

#define TUI_SPAN 512u /* messages that a part has, and some for larger terminals */

bool tui_call_open(struct tui *t, uint32_t number);
/* The open call as it is now; NULL: it is there no more. */
struct tui_call *tui_call_now(struct tui *t);
void tui_call_close(struct tui *t);
/* Of a call that is shown in parts: the part in whose middle the sighting is, or the first or last
 * one.  False: that is what is there already. */
bool tui_call_around(struct tui *t, uint32_t sighting);
bool tui_call_end(struct tui *t, bool last);
/* The call with all its findings; with a part, it has no ladder. */
const struct tui_call *tui_call_whole(struct tui *t);
/* A sighting by its id: the journey's index and step; false: not in this call. */
bool tui_call_find(const struct tui_call *c, uint32_t sighting, size_t *journey, size_t *step);
/* Brings it into the part that is shown; false: it is not in this call. */
bool tui_call_show(struct tui *t, uint32_t sighting);
const struct hop_sighting *tui_call_sighting(const struct tui_call *c, uint32_t sighting);
/* What check says of a journey; NULL: nothing. */
const struct check_request *tui_call_request(const struct tui_call *c, const struct hop_journey *j);
const struct check_header *tui_request_header(const struct check_request *r, struct slice name);
/* A header that is owed, or has to survive, and does not. */
bool tui_header_is_bad(const struct check_header *h);
/* The last step where it stood right and the first where it does not; count: there is none. */
void tui_header_harm(const struct check_header *h, size_t count, size_t *good, size_t *bad);
/* How many headers come to harm at this step. */
size_t tui_call_harmed_at(const struct tui_call *c, const struct hop_journey *j, size_t step);
/* The first message of the call whose headers come to harm, with the place of the harm; false:
 * there is none.  It is brought into the part that is shown. */
bool tui_call_worst(struct tui *t, size_t *journey, size_t *step);
struct slice tui_sighting_title(struct tui_call *c, const struct hop_sighting *s);

/* ---- screens --------------------------------------------------------------------------------- */

struct tui_screen;

struct tui_kind {
    enum tui_map map;
    bool scrolls; /* MAP_SCROLL holds as well */
    bool in_call; /* it shows the open call */
    void (*draw)(struct tui *t, struct tui_screen *s, struct grid *g, struct tui_area area);
    void (*act)(struct tui *t, struct tui_screen *s, enum tui_action a);
    void (*title)(struct tui *t, struct tui_screen *s, struct text *out);
    /* a line was typed; NULL: the screen asks for none */
    void (*typed)(struct tui *t, struct tui_screen *s, struct slice line);
    void (*status)(struct tui *t, struct tui_screen *s, struct text *out); /* NULL: the counters */
    /* keys before they are looked up; false: not taken; NULL: none */
    bool (*key)(struct tui *t, struct tui_screen *s, uint32_t key);
    /* a click on a row of the grid, told from the area's top; false: nothing to open is there;
     * NULL: nothing ever is */
    bool (*click)(struct tui *t, struct tui_screen *s, size_t row);
    void (*free)(struct tui_screen *s); /* NULL: nothing in it */
};

/* Each screen's own struct begins with this one. */
struct tui_screen {
    const struct tui_kind *kind;
};

#define TUI_DEPTH_MAX 32u /* screens above each other; the lowest but the first give way */

void *tui_push(struct tui *t, const struct tui_kind *kind, size_t size);
void tui_pop(struct tui *t);
void tui_ask(struct tui *t, const char *question); /* the line goes to `typed` of the screen */
void tui_ask_with(struct tui *t, const char *question, struct slice line); /* to be changed */
void tui_ask_path(struct tui *t, const char *question); /* with the folder to save to */
/* The same with an expression, and the history of those. */
void tui_ask_expression(struct tui *t, const char *question, struct slice line);
/* Within `typed`: what was typed is wrong, and is to be mended. */
void tui_ask_again(struct tui *t, const struct view_filter_fault *fault);
/* The same of the line as a whole. */
void tui_ask_other(struct tui *t, const char *why);
void tui_say(struct tui *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

void tui_calls_push(struct tui *t);
void tui_ladder_push(struct tui *t);
void tui_matrix_push(struct tui *t, size_t journey, size_t step);
/* Of the open call: the message that came to harm, else the first whose headers matter. */
void tui_matrix_push_call(struct tui *t);
/* header: its bytes are marked where it stands there; empty: none */
void tui_message_push(struct tui *t, uint32_t sighting, struct slice header);
void tui_findings_push(struct tui *t);
void tui_diff_push(struct tui *t, uint32_t left, uint32_t right);
/* A message and what it was a hop before; says so where there is none.  Where this header comes to
 * harm on the next hop: the two hops between which it does. */
void tui_diff_hop(struct tui *t, uint32_t sighting, struct slice header);
void tui_text_push(struct tui *t, const char *title, struct text *text); /* takes the text */
void tui_explain(struct tui *t, struct slice id);
void tui_statistics_push(struct tui *t);
void tui_settings_push(struct tui *t);
/* call: whose headers are offered as columns; UINT32_MAX: none */
void tui_columns_push(struct tui *t, uint32_t call);
void tui_calls_sort(struct tui *t, enum view_cell by); /* twice by the same: turned */

/* filter.c: the form, and what it makes; `now`: the expression that holds. */
void tui_filter_push(struct tui *t);
/* Applies an expression to the list of calls; false: *fault says what is wrong with it. */
bool tui_calls_express(struct tui *t, struct slice expression, struct view_filter_fault *fault);
void tui_form_clear(struct tui_form *f);
void tui_form_free(struct tui_form *f);
/* The form says no more than this expression. */
void tui_form_express(struct tui_form *f, struct slice expression);
/* Looks at some more calls for the filter; false: all were. */
bool tui_calls_filter(struct tui *t);
/* Judges one more call in the background; false: all are. */
bool tui_calls_judge(struct tui *t);
/* Asks one more call for the headers of a new column; false: all were. */
bool tui_calls_ask(struct tui *t);

/* save.c: the end of the file's name says what is written; a file that is there is left alone. */
void tui_save_calls(struct tui *t, struct slice path, const uint32_t *calls, size_t n);
void tui_save_call(struct tui *t, struct slice path); /* the open one */
void tui_save_message(struct tui *t, struct slice path, const struct hop_sighting *s);
#define TUI_SAVE_AS ".pcapng .pcap .txt .json .html .svg .mmd"

/* ---- the ladder ------------------------------------------------------------------------------ */

/* How a ladder lies in the grid: which of its columns are seen, and where. */
struct tui_lanes {
    struct tui *t;
    struct grid *g;
    const struct view_ladder *l;
    size_t left, gap, first, last;
    int64_t since_ns; /* the call's beginning */
};

/* *first: the column at the left, made to fit. */
struct tui_lanes tui_lanes_of(struct tui *t, struct grid *g, const struct view_ladder *l,
                              size_t *first);
/* Brings an arrow into sight. */
void tui_lanes_show(struct tui_lanes *f, size_t *first, const struct view_row *row);
void tui_lanes_head(const struct tui_lanes *f, size_t row);
void tui_lanes_lines(const struct tui_lanes *f, size_t row);
void tui_lanes_time(const struct tui_lanes *f, size_t i, size_t y);
void tui_lanes_arrow(const struct tui_lanes *f, struct tui_call *c, const struct view_row *row,
                     size_t y);
size_t tui_row_harm(const struct tui_call *c, const struct view_row *row);

/* "10.0.0.1:4000 PCMU,telephone-event hold"; nothing where there is no SDP. */
void tui_add_sdp(const struct tui *t, struct text *out, const struct sip_message *m, size_t codecs);
void tui_media_push(struct tui *t);

/* ---- the program ----------------------------------------------------------------------------- */

struct tui_prompt {
    bool on;
    bool leaves; /* it is asked whether to */
    const char *question;
    struct tui_edit edit;
    const struct tui_history *history; /* NULL: none */
    size_t back;                       /* in it */
    bool wrong;                        /* what was typed is, as */
    struct view_filter_fault fault;    /* says */
};

void tui_prompt_draw(struct tui *t, struct grid *g, size_t row);
void tui_prompt_key(struct tui *t, uint32_t key);

#define TUI_NEWS_MAX 64u /* lines of what sources said that are kept */

struct tui_news {
    char *lines[TUI_NEWS_MAX]; /* the i-th at i % TUI_NEWS_MAX */
    uint64_t count;
};

struct tui {
    struct trace *trace;
    struct tui_options options;
    struct tui_settings *settings, own; /* own: where none were given */
    struct tui_columns chosen;          /* of the list of calls */
    bool paused;
    size_t clicked; /* the column of a click */
    struct tui_screen *screens[TUI_DEPTH_MAX];
    size_t depth;
    struct tui_call call;
    bool stale;      /* something was read since the call was built */
    uint64_t frames; /* read so far */
    uint64_t builds; /* of calls */
    uint32_t key;    /* that is worked */
    struct view_options view;
    size_t rows, columns; /* of the terminal */
    bool drawn;           /* the screen on top was, so that it knows where its cursor is */
    struct tui_prompt prompt;
    struct tui_history filters; /* expressions */
    struct tui_form form;       /* of the filter, as it was left */
    struct text said;           /* until the next key */
    struct tui_news news;
    struct text clipboard;
    enum trace_step step;
    struct err err; /* TRACE_FAILED */
    bool over;
};

/* What is set, and a change of it by a key. */
static inline uint32_t tui_set(const struct tui *t, enum tui_set id)
{
    return t->settings->values[id];
}
void tui_set_to(struct tui *t, enum tui_set id, uint32_t value);
bool tui_is_secret(const struct tui *t, const struct sip_header *h);
struct slice tui_utf8(const struct tui *t, const char *utf8, const char *ascii);

/* ---- news.c: what live sources say of themselves --------------------------------------------- */

void tui_news_begin(struct tui *t);
void tui_news_end(struct tui *t);
void tui_news_add(const struct tui *t,
                  struct text *out); /* the last of them, for a screen of text */

#endif
