/* Parts of pages: their frame, the matrix of a message, and messages as they were on the wire.  A
 * page needs no network and runs no script; the reader's light or dark scheme is followed. */
#include "report/internal.h"

static const char style_sheet[] =
    ":root{color-scheme:light dark;--fg:#1f2328;--bg:#fff;--dim:#59636e;--line:#d1d9e0;"
    "--pane:#f6f8fa;--ok:#116329;--bad:#cf222e;--warn:#9a6700;--link:#0550ae}"
    "@media(prefers-color-scheme:dark){:root{--fg:#e6edf3;--bg:#0d1117;--dim:#9198a1;"
    "--line:#3d444d;--pane:#151b23;--ok:#7ee787;--bad:#ff7b72;--warn:#e3b341;--link:#79c0ff}}"
    "body{font:15px/1.45 system-ui,sans-serif;color:var(--fg);background:var(--bg);margin:0}"
    "main{max-width:1200px;margin:0 auto;padding:16px}"
    "h1{font-size:1.35em;overflow-wrap:anywhere;margin:.2em 0}h2{font-size:1.1em;margin:1.6em 0 "
    ".4em}"
    "h3{font-size:1em;margin:1.2em 0 .3em}p,ul{margin:.3em 0}"
    ".wide{overflow-x:auto;border:1px solid var(--line);border-radius:6px}"
    "table{border-collapse:collapse;font:13px ui-monospace,Menlo,Consolas,monospace;width:100%}"
    "th,td{padding:4px 8px;text-align:left;vertical-align:top;border-bottom:1px solid var(--line);"
    "white-space:pre-wrap;overflow-wrap:anywhere;min-width:5em}"
    "thead th{background:var(--pane);white-space:nowrap}tbody th{font-weight:600;min-width:9em}"
    ".dim{color:var(--dim)}.ok{color:var(--ok)}.bad{color:var(--bad)}.warn{color:var(--warn)}"
    ".hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}"
    ".raw{display:none}.raw:target{display:block;position:fixed;left:0;right:0;bottom:0;"
    "max-height:55vh;overflow:auto;background:var(--pane);border-top:2px solid var(--link);"
    "padding:8px 16px;box-shadow:0 -4px 16px #0004}"
    ".raw pre{font:13px/1.4 ui-monospace,Menlo,Consolas,monospace;white-space:pre-wrap;"
    "overflow-wrap:anywhere;margin:.4em 0}.raw .close{float:right}a{color:var(--link)}"
    ".fail{border-left:6px solid var(--bad)}.pass{border-left:6px solid var(--ok)}"
    ".inconclusive{border-left:6px solid var(--warn)}"
    "section.call{margin:24px 0;padding:2px 0 2px 14px}.said{padding-left:0;list-style:none}"
    ".said li{margin:.35em 0;overflow-wrap:anywhere}.said b{display:inline-block;min-width:3.6em}"
    "details{margin:.6em 0}summary{cursor:pointer;overflow-wrap:anywhere}"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 12px;margin:.5em 0}"
    "dt{color:var(--dim)}dd{margin:0;overflow-wrap:anywhere}"
    "table.calls td{min-width:0}table.calls td:nth-child(-n+4){white-space:nowrap}"
    "@media(max-width:700px){table.calls thead{display:none}table.calls tr,table.calls "
    "td:last-child{"
    "display:block}table.calls tr{border-bottom:1px solid var(--line)}table.calls td{border:0;"
    "display:inline-block;padding:2px 8px}}"
    "code{font:13px ui-monospace,Menlo,Consolas,monospace;overflow-wrap:anywhere}";

void report_html_begin(struct text *out, struct slice title)
{
    text_add(out,
             SLICE("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                   "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                   "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n"
                   "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                   "<title>"));
    text_add_xml(out, title);
    text_add(out, SLICE("</title>\n<style>"));
    text_add(out, slice_of(style_sheet));
    report_ladder_style(out);
    text_add(out,
             SLICE(".ladder{--lad-fg:var(--fg);--lad-bg:var(--bg);--lad-dim:var(--dim);"
                   "--lad-ok:var(--ok);--lad-bad:var(--bad);--lad-req:var(--link);"
                   "--lad-warn:var(--warn);display:block}</style>\n</head>\n<body>\n<main>\n"));
}

void report_html_end(struct text *out)
{
    text_add(out, SLICE("</main>\n</body>\n</html>\n"));
}

/* ---- the matrix -------------------------------------------------------------------------------
 */

static void add_cell(struct text *out, const struct report_style *style, struct arena *a,
                     const struct check_header *h, size_t i)
{
    static const struct {
        const char *class, *mark, *word;
    } states[] = {
        [CHECK_STATE_PRESENT] = {"", "", ""},
        [CHECK_STATE_MISSING] = {" class=\"bad\"", "\xe2\x88\x92", "missing"},
        [CHECK_STATE_ALTERED] = {" class=\"bad\"", "~ ", "altered"},
        [CHECK_STATE_CUT] = {" class=\"warn\"", "? ", "not captured"},
    };
    enum check_state state = h->states[i];
    bool wanted = h->expected || state != CHECK_STATE_MISSING;
    text_printf(out, "<td%s%s%s%s>%s", wanted ? states[state].class : " class=\"dim\"",
                *states[state].word ? " title=\"" : "", states[state].word,
                *states[state].word ? "\"" : "", states[state].mark);
    for (size_t k = 0; k < h->values[i].n; k++) {
        text_add(out, k ? SLICE("<br>") : SLICE(""));
        text_add_xml(out, report_masked(a, style, h->name, h->values[i].items[k]));
    }
    text_add(out, SLICE("</td>"));
}

static void add_verdict(struct text *out, const struct check_header *h)
{
    const char *class = h->verdict == CHECK_OK        ? "ok"
                        : h->verdict == CHECK_UNKNOWN ? "warn"
                                                      : "bad";
    text_printf(out, "<td class=\"%s\">%s", h->expected || h->verdict == CHECK_OK ? class : "dim",
                check_header_verdict_name(h->verdict));
    if (h->guilty.any && h->guilty.node.n) {
        text_add(out, SLICE(" by "));
        text_add_xml(out, h->guilty.node);
    } else if (h->guilty.any && h->guilty.after.n) {
        text_add(out, SLICE(" after "));
        text_add_xml(out, h->guilty.after);
    }
    text_add(out, SLICE("</td>"));
}

void report_html_matrix(struct text *out, const struct report_style *style, struct arena *a,
                        const struct check_request *r)
{
    text_add(out, SLICE("<div class=\"wide\" tabindex=\"0\"><table>\n<thead><tr>"
                        "<th scope=\"col\">Header</th>"));
    for (size_t i = 0; i < r->sighting_count; i++) {
        text_add(out, SLICE("<th scope=\"col\">"));
        text_add_xml(out, r->sightings[i].at);
        text_add(out, SLICE("</th>"));
    }
    text_add(out, SLICE("<th scope=\"col\">Verdict</th></tr></thead>\n<tbody>\n"));
    for (size_t k = 0; k < r->header_count; k++) {
        text_add(out, SLICE("<tr><th scope=\"row\">"));
        text_add_xml(out, r->headers[k].name);
        text_add(out, SLICE("</th>"));
        for (size_t i = 0; i < r->sighting_count; i++)
            add_cell(out, style, a, &r->headers[k], i);
        add_verdict(out, &r->headers[k]);
        text_add(out, SLICE("</tr>\n"));
    }
    text_add(out, SLICE("</tbody></table></div>\n"));
}

/* ---- messages ----------------------------------------------------------------------------------
 */

/* Lines as they were, without the CR of their ends; XML's escaping shows what else is no text. */
static void add_lines(struct text *out, struct slice bytes)
{
    while (bytes.n) {
        size_t n = slice_find(bytes, '\n');
        struct slice line = slice_first(bytes, n);
        if (line.n && line.p[line.n - 1] == '\r')
            line.n--;
        text_add_xml(out, line);
        if (n < bytes.n)
            text_add_char(out, '\n');
        bytes = slice_from(bytes, n + 1);
    }
}

static size_t offset_of(const struct sip_message *m, const struct sip_header *h)
{
    return h->at < m->bytes.n ? h->at : m->bytes.n;
}

void report_html_raw(struct text *out, const struct report_style *style, struct arena *a,
                     const struct sip_message *m)
{
    size_t at = 0;
    text_add(out, SLICE("<pre>"));
    for (uint32_t i = 0; i < m->header_count; i++) {
        const struct sip_header *h = &m->headers[i];
        struct slice value = sip_unfold(a, h), masked = report_masked(a, style, h->name, value);
        if (slice_equal(value, masked))
            continue;
        size_t end = i + 1 < m->header_count ? offset_of(m, &m->headers[i + 1])
                                             : (size_t)(h->value.p + h->value.n - m->bytes.p);
        add_lines(out, (struct slice){m->bytes.p + at, offset_of(m, h) - at});
        text_add_xml(out, h->name);
        text_add(out, SLICE(": "));
        text_add_xml(out, masked);
        text_add(out, i + 1 < m->header_count ? SLICE("\n") : SLICE(""));
        at = end;
    }
    add_lines(out, slice_from(m->bytes, at));
    text_add(out, SLICE("</pre>\n"));
}
