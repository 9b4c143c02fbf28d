/* Finds the key and the number of an encrypted TLS record.  Where records are missing, or where the
 * secrets of one step of TLS 1.3 are, what fits is found by trying: a wrong key or number does not
 * pass the record's authentication. */
#include "packet/tls.h"

static bool has_explicit_nonce(const struct tls_connection *c, const struct tls_record *r)
{
    const struct tls_hello *h = &c->hello;
    return h->kind && h->version < TLS_1_3 && h->kind->mode != TLS_CBC &&
           h->kind->mode != TLS_CHACHA && r->body.n >= 8;
}

static uint64_t explicit_nonce(const struct tls_record *r)
{
    struct cursor m = cursor_of(r->body);
    uint64_t high = cursor_be32(&m);
    return high << 32 | cursor_be32(&m);
}

/* ---- numbers --------------------------------------------------------------------------------- */

/* Tries the number that comes next; after a hole those behind it, too. */
static bool find_number(const struct tls_side *s, struct tls_cipher *cipher, uint64_t from,
                        const struct tls_record *r, uint8_t *room, size_t *n, uint64_t *number)
{
    uint64_t trials = s->lost && s->vain < TLS_GIVE_UP ? TLS_TRIALS : 1;
    for (uint64_t i = 0; i < trials; i++) {
        *number = from + i;
        if (packet_tls_cipher_open(cipher, *number, r, room, n))
            return true;
    }
    return false;
}

/* Most ends count the explicit part of their nonces on, which tells how many records were lost. */
static bool find_by_nonce(const struct tls_connection *c, const struct tls_side *s,
                          const struct tls_record *r, uint8_t *room, size_t *n, uint64_t *number)
{
    if (!s->lost || !s->has_nonce || !has_explicit_nonce(c, r))
        return false;
    *number = s->nonce_number + (explicit_nonce(r) - s->nonce);
    return packet_tls_cipher_open(s->cipher, *number, r, room, n);
}

/* `first`: the number of the side's first record that may hold data. */
static void found(const struct tls_connection *c, struct tls_side *s, const struct tls_record *r,
                  uint64_t number, uint64_t first)
{
    if (number <= first && !s->spoke)
        s->gap = false;
    packet_tls_cipher_pass(s->cipher, r);
    s->number = number + 1;
    s->lost = false;
    s->vain = s->resyncs = 0;
    s->has_nonce = has_explicit_nonce(c, r);
    s->nonce = s->has_nonce ? explicit_nonce(r) : 0;
    s->nonce_number = number;
}

/* ---- TLS 1.2 and before ---------------------------------------------------------------------- */

static bool install(struct tls_connection *c, unsigned way)
{
    const struct tls_hello *h = &c->hello;
    struct tls_side *s = &c->side[way];
    struct tls_material m[2];
    if (!packet_tls_find_master(c) ||
        !packet_tls_key_block(h->version, h->kind, &h->master,
                              (struct slice){(const char *)h->random[0], TLS_RANDOM},
                              (struct slice){(const char *)h->random[1], TLS_RANDOM}, m))
        return false;
    s->cipher = packet_tls_cipher_new(h->kind, h->version, h->encrypt_then_mac,
                                      &m[way == c->client ? 0 : 1]);
    return s->cipher != NULL;
}

static enum tls_opened open_earlier(struct tls_connection *c, unsigned way,
                                    const struct tls_record *r, uint8_t *room,
                                    struct tls_plain *out)
{
    struct tls_side *s = &c->side[way];
    uint64_t number;
    size_t n;
    if (!s->cipher && !install(c, way))
        return TLS_WAITS;
    if (!find_by_nonce(c, s, r, room, &n, &number) &&
        !find_number(s, s->cipher, s->number, r, room, &n, &number))
        return TLS_UNREAD;
    found(c, s, r, number, 1); /* after Finished */
    *out = (struct tls_plain){r->type, {(char *)room, n}};
    return TLS_OPENED;
}

/* ---- TLS 1.3 --------------------------------------------------------------------------------- */

static bool epoch_secret(const struct tls_connection *c, unsigned way, enum tls_epoch epoch,
                         struct tls_secret *out)
{
    static const enum tls_label labels[TLS_EPOCH_COUNT][2] = {
        [TLS_EPOCH_EARLY] = {TLS_EARLY, TLS_EARLY},
        [TLS_EPOCH_HANDSHAKE] = {TLS_CLIENT_HANDSHAKE, TLS_SERVER_HANDSHAKE},
        [TLS_EPOCH_TRAFFIC] = {TLS_CLIENT_TRAFFIC, TLS_SERVER_TRAFFIC},
    };
    bool server = way != c->client;
    struct slice id = {(const char *)c->hello.random[0], TLS_RANDOM};
    enum tls_label label = labels[epoch][server];
    if ((server && epoch == TLS_EPOCH_EARLY) || !packet_keys_find(c->d->keys, label, id, out))
        return false;
    packet_tls_tell_secret(c, label, out);
    return true;
}

static struct tls_cipher *traffic_cipher(const struct tls_connection *c,
                                         const struct tls_secret *traffic)
{
    struct tls_material m;
    return packet_tls_traffic_keys(c->hello.kind, traffic, &m)
               ? packet_tls_cipher_new(c->hello.kind, TLS_1_3, false, &m)
               : NULL;
}

/* What could not be read before the application's keys was the handshake, or else early data. */
static void enter(struct tls_connection *c, unsigned way, enum tls_epoch epoch)
{
    struct tls_side *s = &c->side[way];
    struct tls_secret handshake;
    if (epoch == TLS_EPOCH_TRAFFIC && !epoch_secret(c, way, TLS_EPOCH_HANDSHAKE, &handshake))
        packet_tls_read_late(c, s->unproven);
    s->unproven = 0;
    s->epoch = epoch;
}

/* Tries the record with another secret; where it fits, that is what the side uses from now on. */
static bool try_secret(struct tls_connection *c, unsigned way, const struct tls_secret *secret,
                       const struct tls_record *r, uint8_t *room, size_t *n)
{
    struct tls_side *s = &c->side[way];
    struct tls_cipher *cipher = traffic_cipher(c, secret);
    uint64_t number;
    if (!cipher)
        return false;
    if (!find_number(s, cipher, 0, r, room, n, &number)) {
        packet_tls_cipher_free(cipher);
        return false;
    }
    packet_tls_cipher_free(s->cipher);
    s->cipher = cipher;
    s->traffic = *secret;
    found(c, s, r, number, 0);
    return true;
}

/* The steps of the key schedule that may follow; and a key update that was lost (RFC 8446 4.6.3).
 */
static enum tls_opened try_further(struct tls_connection *c, unsigned way,
                                   const struct tls_record *r, uint8_t *room, size_t *n)
{
    struct tls_side *s = &c->side[way];
    struct tls_secret secret = s->traffic;
    bool known = s->epoch == TLS_EPOCH_TRAFFIC;
    for (enum tls_epoch e = s->cipher ? s->epoch + 1 : s->epoch; e < TLS_EPOCH_COUNT; e++) {
        if (!epoch_secret(c, way, e, &secret))
            continue;
        known |= e == TLS_EPOCH_TRAFFIC;
        if (try_secret(c, way, &secret, r, room, n)) {
            enter(c, way, e);
            return TLS_OPENED;
        }
    }
    if (s->cipher && s->epoch == TLS_EPOCH_TRAFFIC && s->lost && s->vain < TLS_GIVE_UP &&
        packet_tls_next_secret(c->hello.kind, &secret) && try_secret(c, way, &secret, r, room, n))
        return TLS_OPENED;
    s->unproven += known && s->epoch < TLS_EPOCH_TRAFFIC;
    return known ? TLS_UNREAD : TLS_WAITS;
}

void packet_tls_key_update(struct tls_connection *c, unsigned way)
{
    struct tls_side *s = &c->side[way];
    if (s->epoch != TLS_EPOCH_TRAFFIC || !c->hello.kind ||
        !packet_tls_next_secret(c->hello.kind, &s->traffic))
        return;
    struct tls_cipher *next = traffic_cipher(c, &s->traffic);
    if (!next)
        return;
    packet_tls_cipher_free(s->cipher);
    s->cipher = next;
    s->number = 0;
}

/* Content, its type, zeros (RFC 8446 5.2) */
static bool take_inner(struct slice bytes, struct tls_plain *out)
{
    while (bytes.n && bytes.p[bytes.n - 1] == 0)
        bytes.n--;
    if (bytes.n == 0)
        return false;
    *out = (struct tls_plain){(uint8_t)bytes.p[bytes.n - 1], slice_first(bytes, bytes.n - 1)};
    return true;
}

static enum tls_opened open_late(struct tls_connection *c, unsigned way, const struct tls_record *r,
                                 uint8_t *room, struct tls_plain *out)
{
    struct tls_side *s = &c->side[way];
    enum tls_opened opened = TLS_OPENED;
    uint64_t number;
    size_t n;
    if (s->cipher && find_number(s, s->cipher, s->number, r, room, &n, &number))
        found(c, s, r, number, 0);
    else
        opened = try_further(c, way, r, room, &n);
    if (opened == TLS_OPENED && !take_inner((struct slice){(char *)room, n}, out))
        return TLS_UNREAD;
    return opened;
}

/* Secrets of a step that was not reached yet. */
static bool has_further(const struct tls_connection *c, unsigned way)
{
    const struct tls_side *s = &c->side[way];
    struct tls_secret secret;
    for (enum tls_epoch e = s->cipher ? s->epoch + 1 : s->epoch; e < TLS_EPOCH_COUNT; e++)
        if (epoch_secret(c, way, e, &secret))
            return true;
    return false;
}

/* ---- either ---------------------------------------------------------------------------------- */

enum tls_opened packet_tls_open(struct tls_connection *c, unsigned way, const struct tls_record *r,
                                uint8_t *room, struct tls_plain *out)
{
    const struct tls_hello *h = &c->hello;
    if (c->side[way].cipher && h->version < TLS_1_3)
        return open_earlier(c, way, r, room, out);
    if (!c->d->keys || (h->server && !h->kind))
        return TLS_UNREAD;
    if (!h->client || !h->server)
        return c->joined ? TLS_UNREAD : TLS_WAITS;
    return h->version < TLS_1_3 ? open_earlier(c, way, r, room, out)
                                : open_late(c, way, r, room, out);
}

bool packet_tls_has_keys(struct tls_connection *c)
{
    const struct tls_hello *h = &c->hello;
    if (!h->client || !h->server)
        return false;
    if (!h->kind)
        return true; /* to no avail: it need not wait any more */
    if (h->version < TLS_1_3)
        return packet_tls_find_master(c);
    return (c->side[0].waits && has_further(c, 0)) || (c->side[1].waits && has_further(c, 1));
}
