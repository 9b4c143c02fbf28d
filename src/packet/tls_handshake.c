/* TLS handshake messages: what both ends agree on, as far as their records cannot be opened without
 * it. */
#include "packet/tls.h"

#include <stdlib.h>

enum message {
    CLIENT_HELLO = 1,
    SERVER_HELLO = 2,
    NEW_TICKET = 4,
    KEY_EXCHANGE = 16,
    KEY_UPDATE = 24,
};

enum extension {
    ENCRYPT_THEN_MAC = 22,
    EXTENDED_MASTER_SECRET = 23,
    SESSION_TICKET = 35,
    SUPPORTED_VERSIONS = 43,
};

#define MESSAGE_HEAD 4u

/* The server's random where it asks for another ClientHello (RFC 8446 4.1.3). */
static const uint8_t retry_random[TLS_RANDOM] = {
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};

void packet_tls_hello_clear(struct tls_hello *h)
{
    vec_free(&h->sealed);
    vec_free(&h->transcript[0]);
    vec_free(&h->transcript[1]);
    *h = (struct tls_hello){0};
}

static struct slice bytes_slice(const void *p, size_t n)
{
    return (struct slice){p, n};
}

static void append(struct tls_bytes *to, struct slice bytes)
{
    if (to->n + bytes.n > to->cap) {
        to->cap = (to->n + bytes.n) * 2;
        to->items = base_realloc(to->items, to->cap);
    }
    if (bytes.n)
        memcpy(to->items + to->n, bytes.p, bytes.n);
    to->n += bytes.n;
}

/* ---- hellos ---------------------------------------------------------------------------------- */

/* A run of bytes with its length in front. */
static struct slice take_vector(struct cursor *c, unsigned length_bytes)
{
    size_t n = length_bytes == 1 ? cursor_u8(c) : cursor_be16(c);
    return cursor_take(c, n);
}

static void take_session(struct tls_hello *h, struct slice id)
{
    h->session_length = (uint8_t)(id.n <= sizeof h->session ? id.n : 0);
    if (h->session_length)
        memcpy(h->session, id.p, id.n);
}

static bool take_extension(struct cursor *c, uint16_t *type, struct slice *value)
{
    if (!cursor_left(c))
        return false;
    *type = cursor_be16(c);
    *value = take_vector(c, 2);
    return !c->failed;
}

static bool hash_ticket(struct slice ticket, uint8_t out[TLS_RANDOM])
{
    uint8_t hash[TLS_HASH_MAX];
    size_t n = packet_tls_hash(0, NULL, &ticket, 1, hash);
    memcpy(out, hash, TLS_RANDOM);
    return n == TLS_RANDOM;
}

/* A second one begins another handshake, or follows the server's wish for it; but where the
 * server's hello came before it from the capture, they belong together. */
static void begin_hello(struct tls_connection *c, unsigned way)
{
    if (c->hello.client)
        packet_tls_hello_clear(&c->hello);
    c->hello.client = true;
    c->client = way;
}

static void read_client_hello(struct tls_connection *c, struct cursor *m)
{
    struct tls_hello *h = &c->hello;
    uint16_t type;
    struct slice value;
    h->offered = cursor_be16(m);
    struct slice random = cursor_take(m, TLS_RANDOM), session = take_vector(m, 1);
    if (m->failed)
        return;
    memcpy(h->random[0], random.p, TLS_RANDOM);
    if (!h->server)
        take_session(h, session);
    take_vector(m, 2); /* suites */
    take_vector(m, 1); /* compression */
    struct cursor extensions = cursor_of(take_vector(m, 2));
    while (take_extension(&extensions, &type, &value))
        if (type == SESSION_TICKET && value.n)
            h->resumes = hash_ticket(value, h->ticket);
}

static void read_server_hello(struct tls_connection *c, unsigned way, struct cursor *m)
{
    struct tls_hello *h = &c->hello;
    uint16_t version = cursor_be16(m), type;
    struct slice random = cursor_take(m, TLS_RANDOM), session = take_vector(m, 1), value;
    uint16_t suite = cursor_be16(m);
    uint8_t compression = cursor_u8(m);
    if (m->failed)
        return;
    if (memcmp(random.p, retry_random, TLS_RANDOM) == 0) {
        h->version = TLS_1_3;
        return;
    }
    if (!h->client)
        c->client = !way;
    h->server = true;
    h->version = version;
    memcpy(h->random[1], random.p, TLS_RANDOM);
    take_session(h, session);
    h->suite = suite;
    h->compressed = compression != 0;
    h->encrypt_then_mac = h->extended_master = false;
    struct cursor extensions = cursor_of(take_vector(m, 2));
    while (take_extension(&extensions, &type, &value)) {
        h->encrypt_then_mac |= type == ENCRYPT_THEN_MAC;
        h->extended_master |= type == EXTENDED_MASTER_SECRET;
        if (type == SUPPORTED_VERSIONS && value.n == 2)
            h->version = (uint16_t)((uint8_t)value.p[0] << 8 | (uint8_t)value.p[1]);
    }
    bool known = h->version >= TLS_1_0 && h->version <= TLS_1_3;
    h->kind = known && !h->compressed ? packet_tls_kind(suite) : NULL;
}

/* ---- the master secret of TLS 1.2 and before ------------------------------------------------- */

/* The suites whose client encrypts the premaster secret for the server's RSA key, and that alone.
 */
static bool exchanges_by_rsa(uint16_t suite)
{
    static const uint16_t suites[] = {0x002f, 0x0035, 0x003c, 0x003d, 0x009c,
                                      0x009d, 0xc09c, 0xc09d, 0xc0a0, 0xc0a1};
    for (size_t i = 0; i < sizeof suites / sizeof *suites; i++)
        if (suites[i] == suite)
            return true;
    return false;
}

/* Of all messages up to the key exchange, in the order of the protocol, which is not always that of
 * the capture: the client's hello, the server's flight, the rest of the client's (RFC 7627 3). */
static size_t hash_session(const struct tls_connection *c, uint8_t out[TLS_HASH_MAX])
{
    const struct tls_hello *h = &c->hello;
    const struct tls_bytes *client = &h->transcript[c->client],
                           *server = &h->transcript[!c->client];
    struct cursor m = cursor_of(bytes_slice(client->items, client->n));
    cursor_skip(&m, 1);
    size_t hello = (size_t)cursor_u8(&m) << 16;
    hello |= cursor_be16(&m);
    hello += MESSAGE_HEAD;
    if (!h->transcript_ended || client->n < hello)
        return 0;
    const struct slice parts[] = {bytes_slice(client->items, hello),
                                  bytes_slice(server->items, server->n),
                                  bytes_slice(client->items + hello, client->n - hello)};
    return packet_tls_hash(h->version, h->kind, parts, 3, out);
}

static bool derive_master(struct tls_connection *c, const struct tls_secret *premaster)
{
    struct tls_hello *h = &c->hello;
    uint8_t hash[TLS_HASH_MAX];
    size_t n = h->extended_master ? hash_session(c, hash) : 0;
    return (n || !h->extended_master) &&
           packet_tls_master(h->version, h->kind, bytes_slice(premaster->bytes, premaster->n),
                             bytes_slice(h->random[0], TLS_RANDOM),
                             bytes_slice(h->random[1], TLS_RANDOM), bytes_slice(hash, n),
                             &h->master);
}

static bool find_exchanged(struct tls_connection *c)
{
    struct tls_hello *h = &c->hello;
    struct tls_secret premaster;
    struct slice sealed = bytes_slice(h->sealed.items, h->sealed.n);
    if (sealed.n < 8 || !exchanges_by_rsa(h->suite))
        return false;
    if (packet_keys_find(c->d->keys, TLS_PREMASTER, slice_first(sealed, 8), &premaster))
        return derive_master(c, &premaster);
    if (h->tried)
        return false;
    h->tried = true;
    return packet_keys_open(c->d->keys, sealed, h->offered, &premaster) &&
           derive_master(c, &premaster);
}

static bool find_session(struct tls_connection *c)
{
    struct tls_hello *h = &c->hello;
    struct slice session = bytes_slice(h->session, h->session_length);
    if (session.n && packet_keys_find(c->d->keys, TLS_SESSION, session, &h->master))
        return true;
    return h->resumes && h->sealed.n == 0 &&
           packet_keys_find(c->d->keys, TLS_SESSION, bytes_slice(h->ticket, TLS_RANDOM),
                            &h->master);
}

void packet_tls_tell_secret(const struct tls_connection *c, enum tls_label label,
                            const struct tls_secret *secret)
{
    struct text line = {0};
    if (!c->d->secret)
        return;
    packet_keylog_write(&line, label, bytes_slice(c->hello.random[0], TLS_RANDOM), secret);
    const struct packet_secret told = {c->ends[c->client], c->ends[!c->client], text_slice(&line)};
    c->d->secret(c->d->sinks.context, &told);
    text_free(&line);
}

bool packet_tls_find_master(struct tls_connection *c)
{
    struct tls_hello *h = &c->hello;
    struct packet_keys *keys = c->d->keys;
    if (h->master.n)
        return true;
    if (!keys || !h->client || !h->server || !h->kind)
        return false;
    if (!packet_keys_find(keys, TLS_MASTER, bytes_slice(h->random[0], TLS_RANDOM), &h->master) &&
        !find_exchanged(c) && !find_session(c)) {
        h->master.n = 0;
        return false;
    }
    if (h->session_length && packet_keys_exchange(keys)) /* it may be resumed */
        packet_keys_put(keys, TLS_SESSION, bytes_slice(h->session, h->session_length),
                        bytes_slice(h->master.bytes, h->master.n));
    packet_tls_tell_secret(c, TLS_MASTER, &h->master);
    vec_free(&h->sealed);
    vec_free(&h->transcript[0]);
    vec_free(&h->transcript[1]);
    return true;
}

static void read_ticket(struct tls_connection *c, struct cursor *m)
{
    uint8_t id[TLS_RANDOM];
    cursor_skip(m, 4); /* lifetime */
    struct slice ticket = take_vector(m, 2);
    if (!m->failed && ticket.n && packet_tls_find_master(c) && hash_ticket(ticket, id))
        packet_keys_put(c->d->keys, TLS_SESSION, bytes_slice(id, sizeof id),
                        bytes_slice(c->hello.master.bytes, c->hello.master.n));
}

static void read_exchange(struct tls_connection *c, struct cursor *m)
{
    struct slice sealed = take_vector(m, 2);
    c->hello.transcript_ended = true;
    if (!m->failed && sealed.n <= TLS_SEALED_MAX)
        append(&c->hello.sealed, sealed);
}

/* ---- messages -------------------------------------------------------------------------------- */

static bool is_of_use(const struct tls_connection *c, uint8_t type, bool sealed)
{
    bool late = c->hello.version == TLS_1_3;
    bool exchange = !late && c->d->keys && packet_keys_exchange(c->d->keys);
    switch (type) {
    case CLIENT_HELLO:
    case SERVER_HELLO:
        return !late || !sealed;
    case NEW_TICKET:
        return exchange;
    case KEY_EXCHANGE:
        return exchange && !c->hello.sealed.n;
    case KEY_UPDATE:
        return late && sealed;
    default:
        return false;
    }
}

/* Kept for the session hash, where an RSA key may lead to the premaster secret. */
static void remember(struct tls_connection *c, unsigned way, struct slice bytes)
{
    struct tls_hello *h = &c->hello;
    struct tls_bytes *to = &h->transcript[way];
    if (h->transcript_ended || h->master.n || !c->d->keys || !packet_keys_exchange(c->d->keys))
        return;
    if (to->n + bytes.n <= TLS_TRANSCRIPT_MAX) {
        append(to, bytes);
    } else {
        vec_free(to);
        h->transcript_ended = true;
    }
}

static void read_message(struct tls_connection *c, unsigned way, struct slice message)
{
    struct cursor m = cursor_of(slice_from(message, MESSAGE_HEAD));
    uint8_t type = (uint8_t)message.p[0];
    c->tried = false;
    if (type == CLIENT_HELLO)
        begin_hello(c, way);
    remember(c, way, message);
    if (type == CLIENT_HELLO)
        read_client_hello(c, &m);
    else if (type == SERVER_HELLO)
        read_server_hello(c, way, &m);
    else if (type == NEW_TICKET)
        read_ticket(c, &m);
    else if (type == KEY_EXCHANGE)
        read_exchange(c, &m);
    else if (type == KEY_UPDATE)
        packet_tls_key_update(c, way);
}

/* Moves bytes over until `said` has n. */
static bool fill(struct tls_bytes *said, struct slice *bytes, size_t n)
{
    size_t lacks = said->n < n ? n - said->n : 0;
    struct slice some = slice_first(*bytes, lacks);
    append(said, some);
    *bytes = slice_from(*bytes, some.n);
    return said->n >= n;
}

void packet_tls_said(struct tls_connection *c, unsigned way, struct slice bytes, bool sealed)
{
    struct tls_side *s = &c->side[way];
    for (;;) {
        struct slice passed = slice_first(bytes, s->said_skip);
        remember(c, way, passed);
        s->said_skip -= passed.n;
        bytes = slice_from(bytes, passed.n);
        if (s->said_skip || !fill(&s->said, &bytes, MESSAGE_HEAD))
            return;
        const uint8_t *head = (const uint8_t *)s->said.items;
        size_t n = (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
        if (!is_of_use(c, head[0], sealed) || n > TLS_MESSAGE_MAX) {
            if (head[0] != 0) /* HelloRequest is in no hash */
                remember(c, way, bytes_slice(head, MESSAGE_HEAD));
            s->said_skip = n;
        } else if (fill(&s->said, &bytes, MESSAGE_HEAD + n)) {
            read_message(c, way, bytes_slice(s->said.items, s->said.n));
        } else {
            return;
        }
        vec_free(&s->said);
    }
}
