/* Picks the trunk of a call as LiveKit does (livekit/protocol, sip/sip.go, MatchTrunkIter), and
 * says why. */
#include "expect/internal.h"

#include <string.h>

/* ---- numbers -------------------------------------------------------------------------------- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_filler(char c)
{
    return c == ' ' || c == '-' || c == '(' || c == ')';
}

/* ^\+?[\d\- ()]+$ */
static bool is_number(struct slice s)
{
    if (s.n && s.p[0] == '+')
        s = slice_from(s, 1);
    for (size_t i = 0; i < s.n; i++)
        if (!is_digit(s.p[i]) && !is_filler(s.p[i]))
            return false;
    return s.n > 0;
}

/* One byte of the normalised text; `at` walks from 0, -1 is the end.  The number's + is always
 * given first. */
static int normal_next(struct slice s, bool number, size_t *at)
{
    if (number && *at == 0) {
        *at = 1 + (s.p[0] == '+');
        return '+';
    }
    size_t i = number ? *at - 1 : *at;
    while (number && i < s.n && is_filler(s.p[i]))
        i++;
    *at = (number ? i + 1 : i) + 1;
    return i < s.n ? (unsigned char)s.p[i] : -1;
}

bool expect_number_equal(struct slice a, struct slice b)
{
    bool a_number = is_number(a), b_number = is_number(b);
    size_t i = 0, k = 0;
    for (;;) {
        int x = normal_next(a, a_number, &i), y = normal_next(b, b_number, &k);
        if (x != y)
            return false;
        if (x < 0)
            return true;
    }
}

static size_t count_number(const struct expect_list *list, struct slice number)
{
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++)
        n += expect_number_equal(list->items[i], number);
    return n;
}

/* ---- addresses ------------------------------------------------------------------------------ */

bool expect_address_dropped(struct slice entry)
{
    static const char refused[] = "()+*;, \t\n\r";
    for (size_t i = 0; i < entry.n; i++)
        if (memchr(refused, entry.p[i], sizeof refused - 1) ||
            slice_starts(slice_from(entry, i), SLICE("://")))
            return true;
    return false;
}

struct slice expect_address_host(struct slice address)
{
    static const char *const schemes[] = {"sips:", "sip:"};
    for (size_t i = 0; i < 2; i++)
        if (slice_starts_nocase(address, slice_of(schemes[i])))
            address = slice_from(address, strlen(schemes[i]));
    address = slice_first(address, slice_find(address, ';'));
    size_t at = slice_find(address, '@');
    if (at < address.n)
        address = slice_from(address, at + 1);
    if (address.n && address.p[0] == '[') {
        address = slice_from(address, 1);
        return slice_first(address, slice_find(address, ']'));
    }
    size_t colon = slice_find(address, ':');
    bool only = slice_find(slice_from(address, colon + 1), ':') == slice_from(address, colon + 1).n;
    return only ? slice_first(address, colon) : address; /* several colons: a bare IPv6 address */
}

/* netip.ParseAddr takes no brackets, so an entry with them is never compared as an address. */
static bool entry_matches(struct slice entry, const struct expect_invite *invite)
{
    struct address net;
    unsigned bits;
    if (invite->from_host.n && slice_equal(entry, invite->from_host))
        return true;
    return entry.n && entry.p[0] != '[' && address_parse_cidr(entry, &net, &bits) &&
           address_in_cidr(&invite->source, &net, bits);
}

/* ---- one step each, with its reason ---------------------------------------------------------- */

enum step { PASSES, FAILS, SPECIFIC, DEFAULT, TWICE };

static void say(struct text *why, const char *format, struct slice arg)
{
    text_add(why, why->n ? SLICE("; ") : SLICE(""));
    for (; *format; format++) {
        if (*format == '@')
            text_add(why, arg);
        else
            text_add_char(why, *format);
    }
}

static enum step step_caller(const struct expect_trunk *t, const struct expect_invite *invite,
                             struct text *why)
{
    if (t->allowed_numbers.n == 0) {
        say(why, "allowed_numbers is empty, any caller passes", SLICE_NONE);
        return PASSES;
    }
    if (invite->from_user.n == 0) {
        say(why, "allowed_numbers was not compared, the From user is not known", SLICE_NONE);
        return PASSES;
    }
    bool listed = count_number(&t->allowed_numbers, invite->from_user) > 0;
    say(why,
        listed ? "allowed_numbers has the From user @" : "allowed_numbers lacks the From user @",
        invite->from_user);
    return listed ? PASSES : FAILS;
}

static enum step step_source(const struct expect_trunk *t, const struct expect_invite *invite,
                             struct text *why)
{
    struct address_text source = address_format(&invite->source);
    size_t usable = 0;
    if (invite->source.family == 0 && t->allowed_addresses.n) {
        say(why, "allowed_addresses was not compared, the source address is not known", SLICE_NONE);
        return PASSES;
    }
    for (size_t i = 0; i < t->allowed_addresses.n; i++) {
        struct slice entry = t->allowed_addresses.items[i];
        if (expect_address_dropped(entry))
            continue;
        usable++;
        if (entry_matches(entry, invite)) {
            say(why, "allowed_addresses has @", entry);
            return PASSES;
        }
    }
    if (usable) {
        say(why, "allowed_addresses has neither the source @ nor the From host",
            slice_of(source.s));
        return FAILS;
    }
    say(why,
        t->allowed_addresses.n ? "LiveKit drops every entry of allowed_addresses, any source passes"
                               : "allowed_addresses is empty, any source passes",
        SLICE_NONE);
    return PASSES;
}

/* The To header's user, not the Request-URI's.  Each entry that matches counts: LiveKit refuses the
 * call when one trunk lists a number in two spellings, as it does for two trunks. */
static enum step step_called(const struct expect_trunk *t, const struct expect_invite *invite,
                             struct text *why)
{
    if (t->numbers.n == 0) {
        say(why, "numbers is empty: a default trunk", SLICE_NONE);
        return DEFAULT;
    }
    if (invite->to_user.n == 0) {
        say(why, "numbers was not compared, the To user is not known", SLICE_NONE);
        return SPECIFIC;
    }
    size_t listed = count_number(&t->numbers, invite->to_user);
    say(why,
        listed > 1 ? "numbers has the To user @ more than once, which LiveKit refuses"
        : listed   ? "numbers has the To user @"
                   : "numbers lacks the To user @",
        invite->to_user);
    return listed > 1 ? TWICE : listed ? SPECIFIC : FAILS;
}

/* ---- inbound -------------------------------------------------------------------------------- */

struct tally {
    const struct expect_trunk *specific, *by_default;
    size_t specifics, defaults;
};

static const char *weigh_inbound(const struct expect_trunk *t, const struct expect_invite *invite,
                                 struct tally *tally, struct text *why)
{
    enum step caller = step_caller(t, invite, why);
    enum step source = step_source(t, invite, why);
    enum step called = step_called(t, invite, why);
    if (caller == FAILS || source == FAILS || called == FAILS)
        return "does not match";
    if (called == DEFAULT) {
        tally->by_default = t;
        tally->defaults++;
        return "matches as a default";
    }
    tally->specific = t;
    tally->specifics += called == TWICE ? 2 : 1;
    return "matches";
}

static void settle(const struct tally *tally, struct expect_match *match)
{
    size_t n = tally->specifics ? tally->specifics : tally->defaults;
    match->result = n == 0 ? EXPECT_NO_MATCH : n == 1 ? EXPECT_MATCHED : EXPECT_AMBIGUOUS;
    if (n == 1)
        match->trunk = tally->specifics ? tally->specific : tally->by_default;
}

/* ---- outbound ------------------------------------------------------------------------------- */

/* +1: speaks for the trunk, -1: against it, 0: nothing to compare */
static int weigh_caller(const struct expect_trunk *t, const struct expect_invite *invite,
                        struct text *why)
{
    if (t->numbers.n == 0 || invite->from_user.n == 0) {
        say(why,
            t->numbers.n ? "numbers was not compared, the From user is not known"
                         : "numbers is empty",
            SLICE_NONE);
        return 0;
    }
    bool listed = count_number(&t->numbers, invite->from_user) > 0;
    say(why, listed ? "numbers has the From user @" : "numbers lacks the From user @",
        invite->from_user);
    return listed ? 1 : -1;
}

static bool same_host(struct slice host, struct slice other)
{
    struct address a, b;
    if (address_parse(host, &a) && address_parse(other, &b))
        return address_equal(&a, &b);
    return slice_equal_nocase(host, other);
}

static int weigh_address(const struct expect_trunk *t, const struct expect_invite *invite,
                         struct text *why)
{
    struct slice host = expect_address_host(t->address);
    struct address ip;
    bool is_ip = address_parse(host, &ip), to_ip = is_ip && invite->destination.family;
    if (host.n == 0 || (invite->uri_host.n == 0 && !to_ip)) {
        say(why,
            host.n ? "address @ was not compared, the destination is not known"
                   : "address is empty",
            host);
        return 0;
    }
    bool same = (invite->uri_host.n && same_host(host, invite->uri_host)) ||
                (to_ip && address_equal(&ip, &invite->destination));
    say(why, same ? "address @ is where the call goes" : "address @ is not where the call goes",
        host);
    return same ? 1 : -1;
}

struct best {
    const struct expect_trunk *trunk;
    int score;
    size_t count;
};

static const char *weigh_outbound(const struct expect_trunk *t, const struct expect_invite *invite,
                                  struct best *best, struct text *why)
{
    int caller = weigh_caller(t, invite, why), address = weigh_address(t, invite, why);
    int score = caller + address;
    if (score < 0)
        return "does not match";
    if (best->count == 0 || score > best->score)
        *best = (struct best){t, score, 1};
    else if (score == best->score)
        best->count++;
    return score > 0 ? "fits" : "is possible";
}

/* ---- both ----------------------------------------------------------------------------------- */

static void add_reason(struct arena *a, struct expect_match *match, const struct expect_trunk *t,
                       const char *verdict, const struct text *why)
{
    struct slice label = expect_trunk_label(a, t);
    match->reasons[match->reason_count++] =
        arena_printf(a, "%.*s %s: %.*s", SLICE_ARG(label), verdict, SLICE_ARG(text_slice(why)));
}

struct expect_match expect_match_trunk(struct arena *a, const struct expect_trunks *t,
                                       enum expect_direction direction,
                                       const struct expect_invite *invite)
{
    struct expect_match match = {.result = EXPECT_NO_TRUNKS,
                                 .reasons = ARENA_ARRAY(a, struct slice, t->n)};
    struct tally tally = {0};
    struct best best = {0};
    struct text why = {0};
    for (size_t i = 0; i < t->n; i++) {
        if (t->items[i].direction != direction)
            continue;
        text_clear(&why);
        const char *verdict = direction == EXPECT_INBOUND
                                  ? weigh_inbound(&t->items[i], invite, &tally, &why)
                                  : weigh_outbound(&t->items[i], invite, &best, &why);
        add_reason(a, &match, &t->items[i], verdict, &why);
    }
    text_free(&why);
    if (match.reason_count == 0)
        return match;
    if (direction == EXPECT_OUTBOUND)
        tally = (struct tally){.specific = best.trunk, .specifics = best.count};
    settle(&tally, &match);
    return match;
}

const char *expect_match_name(enum expect_match_result result)
{
    static const char *const names[] = {
        [EXPECT_MATCHED] = "matched",
        [EXPECT_NO_MATCH] = "no-match",
        [EXPECT_AMBIGUOUS] = "ambiguous",
        [EXPECT_NO_TRUNKS] = "no-trunks",
    };
    return names[result];
}
