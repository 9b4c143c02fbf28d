/* Fuzzes the way of a trunk file: JSON, fields, what is owed, lint, match, and both reports. */
#include "report/report.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void owe_everything(struct arena *a, const struct expect_trunk *t,
                           const struct expect_values *values)
{
    const struct expect_owed *owed;
    for (int message = EXPECT_INVITE; message <= EXPECT_REFER; message++) {
        size_t n = 0;
        for (int by_livekit = 0; by_livekit < 2; by_livekit++)
            n += expect_owed(a, t, (enum expect_message)message, by_livekit, values, &owed);
        assert(n == 0 || expect_speaks_of(t, (enum expect_message)message));
    }
}

/* The output is valid JSON and valid UTF-8 without control characters, whatever the trunk was. */
static void check_outputs(const struct expect_trunks *t, const struct expect_values *values,
                          const struct expect_match *match)
{
    struct report_style style = {.width = 80};
    struct text json = {0}, text = {0};
    struct err err;
    report_trunk_json(&json, &style, t, values, match);
    struct json *back = json_parse("back", text_slice(&json), &err);
    assert(back);
    json_free(back);
    for (size_t i = 0; i < t->n; i++)
        report_trunk_text(&text, &style, &t->items[i], values);
    report_trunk_match_text(&text, &style, EXPECT_INBOUND, match);
    for (size_t i = 0; i < text.n; i++)
        assert((unsigned char)text.p[i] >= 0x20 || text.p[i] == '\n');
    text_free(&json);
    text_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice json = {(const char *)data, size};
    struct expect_trunks trunks = {0};
    struct expect_values values = {0};
    struct arena a = {0};
    struct err err;
    bool known = expect_values_parse(&values, "values", json, &err);
    if (expect_trunks_parse(&trunks, "trunk", json, &err)) {
        struct expect_invite invite = {.from_user = slice_first(json, 5),
                                       .to_user = SLICE("+15105550100"),
                                       .from_host = SLICE("h"),
                                       .uri_host = slice_first(json, 9)};
        address_parse(SLICE("10.0.0.1"), &invite.source);
        expect_match_trunk(&a, &trunks, EXPECT_OUTBOUND, &invite);
        struct expect_match match = expect_match_trunk(&a, &trunks, EXPECT_INBOUND, &invite);
        for (size_t i = 0; i < trunks.n; i++)
            owe_everything(&a, &trunks.items[i], known ? &values : NULL);
        check_outputs(&trunks, known ? &values : NULL, &match);
    }
    arena_free(&a);
    expect_values_free(&values);
    expect_trunks_free(&trunks);
    return 0;
}
