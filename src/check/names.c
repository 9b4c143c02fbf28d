/* The words of the report. */
#include "check/check.h"

const char *check_verdict_name(enum check_verdict v)
{
    static const char *const names[] = {"pass", "fail", "inconclusive"};
    return names[v];
}

const char *check_header_verdict_name(enum check_header_verdict v)
{
    static const char *const names[] = {"ok",        "never-sent", "stripped", "altered",
                                        "truncated", "encoded",    "emptied",  "duplicated",
                                        "missing",   "unknown"};
    return names[v];
}

const char *check_state_name(enum check_state s)
{
    static const char *const names[] = {"present", "missing", "altered", "cut"};
    return names[s];
}

const char *check_severity_name(enum check_severity s)
{
    static const char *const names[] = {"error", "warning", "note"};
    return names[s];
}

const char *check_confidence_name(enum check_confidence c)
{
    static const char *const names[] = {"certain", "likely", "possible"};
    return names[c];
}
