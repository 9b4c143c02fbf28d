/* Unit tests of call/: what is the same message again, and that all of them are there in the end.
 */
#include "desk.h"

#include <stdio.h>
#include <time.h>

/* ---- the same message again ----------------------------------------------------------------- */

enum kind { NEW, AGAIN, TWIN };

static const struct {
    const char *name;
    struct sent first, second;
    enum kind kind;
    bool other_leg;
} pairs[] = {
    {"half a second later",
     {ASK("BYE", "c") END, 0, 0, 1, 7},
     {ASK("BYE", "c") END, 500, 0, 1, 8},
     AGAIN,
     false},
    {"at once under one id",
     {ASK("BYE", "c") END, 0, 0, 1, 7},
     {ASK("BYE", "c") END, 0, 0, 1, 7},
     TWIN,
     false},
    {"at once under another id",
     {ASK("BYE", "c") END, 0, 0, 1, 7},
     {ASK("BYE", "c") END, 1, 0, 1, 8},
     AGAIN,
     false},
    {"100 ms, one id",
     {ASK("BYE", "c") END, 0, 0, 1, 7},
     {ASK("BYE", "c") END, 100, 0, 1, 7},
     TWIN,
     false},
    {"101 ms, one id",
     {ASK("BYE", "c") END, 0, 0, 1, 0},
     {ASK("BYE", "c") END, 101, 0, 1, 0},
     AGAIN,
     false},
    {"earlier, one id",
     {ASK("BYE", "c") END, 50, 0, 1, 7},
     {ASK("BYE", "c") END, 0, 0, 1, 7},
     TWIN,
     false},
    {"another point",
     {ASK("BYE", "c") END, 0, 0, 1, 7},
     {ASK("BYE", "c") END, 1, 1, 1, 7},
     NEW,
     false},
    {"another port",
     {ASK("BYE", "c") END, 0, 0, 1, 7},
     {ASK("BYE", "c") END, 1, 0, 2, 7},
     NEW,
     false},
    {"Call-ID in other letters",
     {ASK("BYE", "c") END, 0, 0, 1, 7},
     {ASK("BYE", "C") END, 1, 0, 1, 8},
     NEW,
     true},
    {"another method",
     {ASK("BYE", "c") END, 0, 0, 1, 7},
     {ASK("INFO", "c") END, 1, 0, 1, 8},
     NEW,
     false},
    {"other extension methods",
     {ASK("FOO", "c") END, 0, 0, 1, 7},
     {ASK("BAR", "c") END, 1, 0, 1, 8},
     NEW,
     false},
    {"methods by case",
     {ASK("FOO", "c") END, 0, 0, 1, 7},
     {ASK("Foo", "c") END, 1, 0, 1, 8},
     NEW,
     false},
    {"other content",
     {ASK("BYE", "c") END, 0, 0, 1, 7},
     {ASK("BYE", "c") "X: 1\r\n" END, 1, 0, 1, 8},
     AGAIN,
     false},
    {"180 again",
     {TELL("180 R", "INVITE", "c", "t") END, 0, 0, 1, 7},
     {TELL("180 R", "INVITE", "c", "t") END, 900, 0, 1, 8},
     AGAIN,
     false},
    {"180 with other content",
     {TELL("180 R", "INVITE", "c", "t") END, 0, 0, 1, 7},
     {TELL("180 R", "INVITE", "c", "t") "X: 1\r\n" END, 900, 0, 1, 8},
     NEW,
     false},
    {"200 with other content",
     {TELL("200 O", "INVITE", "c", "t") END, 0, 0, 1, 7},
     {TELL("200 O", "INVITE", "c", "t") "X: 1\r\n" END, 900, 0, 1, 8},
     AGAIN,
     false},
    {"200 of another branch",
     {TELL("200 O", "INVITE", "c", "t") END, 0, 0, 1, 7},
     {TELL("200 O", "INVITE", "c", "u") END, 900, 0, 1, 8},
     NEW,
     false},
    {"183 after 180",
     {TELL("180 R", "INVITE", "c", "t") END, 0, 0, 1, 7},
     {TELL("183 R", "INVITE", "c", "t") END, 900, 0, 1, 8},
     NEW,
     false},
    {"no branch, the same",
     {"BYE sip:b SIP/2.0\r\n" ID("c") END, 0, 0, 1, 7},
     {"BYE sip:b SIP/2.0\r\n" ID("c") END, 900, 0, 1, 8},
     AGAIN,
     false},
    {"no branch, other content",
     {"BYE sip:b SIP/2.0\r\n" ID("c") END, 0, 0, 1, 7},
     {"BYE sip:b SIP/2.0\r\n" ID("c") "X: 1\r\n" END, 900, 0, 1, 8},
     NEW,
     false},
};

static void again(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(pairs); i++) {
        struct desk d;
        desk_open(&d, 8);
        struct call_filing x = hand_in(&d, &pairs[i].first), y = hand_in(&d, &pairs[i].second);
        enum kind kind = y.duplicate ? TWIN : y.retransmission ? AGAIN : NEW;
        const struct call_sighting *s = call_sighting_of(d.table, x.sighting);
        if (kind != pairs[i].kind || (x.leg != y.leg) != pairs[i].other_leg ||
            (x.sighting == y.sighting) != (kind != NEW) ||
            s->transmissions != (kind == AGAIN ? 2 : 1))
            fail_msg("%s: kind %d, legs %u %u, sightings %u %u, %u transmissions", pairs[i].name,
                     kind, x.leg, y.leg, x.sighting, y.sighting, s->transmissions);
        assert_int_equal(call_table_stats(d.table)->retransmissions, kind == AGAIN);
        assert_int_equal(call_table_stats(d.table)->duplicates, kind == TWIN);
        desk_close(&d);
    }
}

/* Twins of twins do not carry the time on, retransmissions do. */
static void many_copies(void **state)
{
    static const int64_t times[] = {0, 0, 500, 500, 1500, 1501, 3500};
    struct desk d;
    (void)state;
    struct call_filing f = {0, 0, false, false};
    desk_open(&d, 8);
    for (size_t i = 0; i < COUNT(times); i++)
        f = hand_in(&d,
                    &(struct sent){ASK("BYE", "c") END, times[i], 0, 1, (uint32_t)(times[i] / 10)});
    const struct call_sighting *s = call_sighting_of(d.table, f.sighting);
    assert_int_equal(s->transmissions, 4);
    assert_int_equal(s->frame, 1);
    unsigned kinds[3] = {0};
    for (uint32_t id = s->more; id != CALL_NONE; id = call_frame_of(d.table, id)->next)
        kinds[call_frame_of(d.table, id)->kind]++;
    assert_int_equal(kinds[CALL_FRAME_AGAIN], 3);
    assert_int_equal(kinds[CALL_FRAME_TWIN], 3);
    desk_close(&d);
}

/* Bytes that can't be read again are kept, the fuller copy of two. */
static void keeps_bytes(void **state)
{
    struct desk d;
    char text[] = ASK("BYE", "c") "X: kept\r\n" END;
    (void)state;
    desk_open(&d, 8);
    struct call_filing f = hand_in(&d, &(struct sent){text, 0, 0, 1, 7});
    const struct call_sighting *s = call_sighting_of(d.table, f.sighting);
    assert_true(s->kept);
    assert_int_equal(s->length, strlen(text));
    char copy[sizeof text];
    strcpy(copy, text);
    memset(text, 'x', sizeof text - 1);
    assert_memory_equal((const char *)(uintptr_t)s->where, copy, s->length);
    desk_close(&d);
}

/* ---- size and chance ------------------------------------------------------------------------ */

static double seconds_for(uint32_t messages)
{
    struct desk d;
    char text[512];
    struct timespec from, to;
    desk_open(&d, 8);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    for (uint32_t i = 0; i < messages; i++) {
        snprintf(text, sizeof text,
                 "INFO sip:b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK%u\r\n" ID(
                     "c") "CSeq: %u INFO\r\n\r\n",
                 i, i);
        (void)hand_in(&d, &(struct sent){text, i, 0, 1, i});
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    call_table_end(d.table);
    assert_int_equal(d.messages, messages);
    desk_close(&d);
    return (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
}

/* A leg of 100,000 messages takes no more than a few times what four of 25,000 take. */
static void one_long_leg(void **state)
{
    (void)state;
    double quarter = seconds_for(25000), whole = seconds_for(100000);
    if (whole > 4 * quarter * 4 + 0.5)
        fail_msg("%.3f s after %.3f s for a quarter", whole, quarter);
}

#define IDS 40

/* What a plain list makes of the same: one entry for each message that is not there yet. */
struct model {
    struct entry {
        char text[256];
        uint16_t point;
    } entries[512];
    uint32_t n, messages;
};

static void model_add(struct model *m, const struct sent *s)
{
    m->messages++;
    for (uint32_t i = 0; i < m->n; i++)
        if (m->entries[i].point == s->point && strcmp(m->entries[i].text, s->text) == 0)
            return;
    assert_true(m->n < COUNT(m->entries));
    m->entries[m->n].point = s->point;
    snprintf(m->entries[m->n++].text, sizeof m->entries->text, "%s", s->text);
}

struct chance {
    struct call_table *table;
    struct model *models; /* IDS */
    uint32_t retired;
};

static bool compare_with_model(void *context, uint32_t leg)
{
    struct chance *c = context;
    const struct call_leg *l = call_leg_of(c->table, leg);
    struct model *m = &c->models[atoi(l->call_id.p + 1)];
    uint32_t chain = 0;
    assert_int_equal(l->count, m->n);
    assert_int_equal(l->messages, m->messages);
    for (uint32_t id = l->first; id != CALL_NONE; id = call_sighting_of(c->table, id)->next) {
        const struct call_sighting *s = call_sighting_of(c->table, id);
        assert_int_equal(s->length, strlen(m->entries[chain].text));
        assert_memory_equal((const char *)(uintptr_t)s->where, m->entries[chain++].text, s->length);
    }
    assert_int_equal(chain, m->n);
    m->n = m->messages = 0;
    c->retired++;
    return true;
}

/* Messages at random, of legs that end, come again and are handed out in between. */
static void by_chance(void **state)
{
    static const char *const methods[] = {"INVITE", "BYE", "INFO"};
    const struct hash_key key = hash_key_of(5, 6);
    struct chance c = {.models = base_alloc(IDS * sizeof *c.models)};
    const struct call_events events = {.retire = compare_with_model, .context = &c};
    struct desk d = {.scanner = sip_scanner_new()};
    int64_t ms = 0;
    (void)state;
    c.table = d.table = call_table_new(&key, true, 4, &events);
    srandom(1);
    for (int i = 0; i < 20000; i++) {
        char text[256];
        unsigned r = (unsigned)random();
        const char *method = methods[r / 64 % 5 > 1 ? 2 : r / 64 % 5];
        snprintf(text, sizeof text,
                 "%s sip:b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK%u\r\n"
                 "Call-ID: L%02u\r\n"
                 "From: <sip:a@b>;tag=f\r\nCSeq: %u %s\r\n\r\n",
                 method, r / 1024 % 7, (unsigned)random() % IDS, r / 8192 % 3, method);
        struct sent s = {text, ms += 101 + (r % 3000 == 0 ? 50000 : 0) + random() % 400,
                         (uint16_t)(r % 3), 1, 0};
        model_add(&c.models[atoi(strstr(text, "Call-ID: L") + 10)], &s);
        (void)hand_in(&d, &s);
    }
    call_table_end(c.table);
    assert_true(c.retired > IDS);
    call_table_free(c.table);
    sip_scanner_free(d.scanner);
    free(c.models);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(again), cmocka_unit_test(many_copies),
                                       cmocka_unit_test(keeps_bytes),
                                       cmocka_unit_test(one_long_leg), cmocka_unit_test(by_chance)};
    sip_typed_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
