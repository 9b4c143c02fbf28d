/* Regular expressions by PCRE2's interpreter, within limits. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "base/pattern.h"

#include "base/arena.h"

#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pattern {
    pcre2_code *code;
    pcre2_match_context *limits;
    pcre2_match_data *data;
};

static pcre2_code *compile(struct slice expression, bool ignore_case, struct pattern_fault *fault)
{
    uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C |
                       (ignore_case ? PCRE2_CASELESS : 0);
    int error;
    PCRE2_SIZE at;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)(expression.p ? expression.p : ""), expression.n,
                                     options, &error, &at, NULL);
    if (!code) {
        pcre2_get_error_message(error, (PCRE2_UCHAR *)fault->text, sizeof fault->text);
        fault->at = at < expression.n ? at : expression.n;
    }
    return code;
}

struct pattern *pattern_new(struct slice expression, bool ignore_case, struct pattern_fault *fault)
{
    *fault = (struct pattern_fault){"", 0};
    if (expression.n > PATTERN_LENGTH_MAX) {
        snprintf(fault->text, sizeof fault->text, "longer than %u bytes", PATTERN_LENGTH_MAX);
        return NULL;
    }
    pcre2_code *code = compile(expression, ignore_case, fault);
    if (!code)
        return NULL;
    struct pattern *p = base_alloc(sizeof *p);
    *p = (struct pattern){code, pcre2_match_context_create(NULL), pcre2_match_data_create(1, NULL)};
    if (!p->limits || !p->data)
        base_oom();
    pcre2_set_match_limit(p->limits, PATTERN_STEPS_MAX);
    pcre2_set_depth_limit(p->limits, PATTERN_DEPTH_MAX);
    pcre2_set_heap_limit(p->limits, PATTERN_MEMORY_KIB);
    return p;
}

enum pattern_result pattern_match(const struct pattern *p, struct slice subject)
{
    if (subject.n > PATTERN_SUBJECT_MAX)
        return PATTERN_LIMIT;
    int n = pcre2_match(p->code, (PCRE2_SPTR)(subject.p ? subject.p : ""), subject.n, 0, 0, p->data,
                        p->limits);
    return n >= 0 ? PATTERN_MATCHES : n == PCRE2_ERROR_NOMATCH ? PATTERN_MISSES : PATTERN_LIMIT;
}

void pattern_free(struct pattern *p)
{
    if (!p)
        return;
    pcre2_match_data_free(p->data);
    pcre2_match_context_free(p->limits);
    pcre2_code_free(p->code);
    free(p);
}
