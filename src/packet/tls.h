/* Private to packet/: TLS 1.0 to 1.3 (RFC 2246, 4346, 5246, 8446), read with secrets from outside.
 * keys.c has the secrets, tls_secrets.c makes keys of them, tls_cipher.c opens records,
 * tls_handshake.c reads what both ends agree on, tls_open.c finds the key and number of a record,
 * tls.c takes a stream apart into records and tls_held.c keeps those that wait for their key. */
#ifndef PACKET_TLS_H
#define PACKET_TLS_H

#include "packet/stream.h"
#include "packet/tls_keys.h"

#define TLS_1_0 0x0301
#define TLS_1_1 0x0302
#define TLS_1_2 0x0303
#define TLS_1_3 0x0304

enum tls_content { TLS_CHANGE_CIPHER = 20, TLS_ALERT, TLS_HANDSHAKE, TLS_DATA };

#define TLS_HEADER     5u
#define TLS_PLAIN_MAX  16384u
#define TLS_RECORD_MAX (TLS_PLAIN_MAX + 2048u) /* RFC 5246 6.2.3; 1.3 allows 256 only */
/* ---- cipher suites and records (tls_cipher.c) ------------------------------------------------ */

enum tls_mode { TLS_GCM, TLS_CCM, TLS_CCM_8, TLS_CHACHA, TLS_CBC };

struct tls_kind {
    const char *cipher; /* libcrypto's names */
    const char *mac;    /* of TLS_CBC */
    const char *hash;   /* of the key schedule, from TLS 1.2 on */
    enum tls_mode mode;
    uint8_t key, iv, mac_length, hash_length;
};

const struct tls_kind *packet_tls_kind(uint16_t suite); /* NULL: one that we do not read */

/* Keys of one direction. */
struct tls_material {
    uint8_t key[32], iv[16], mac[TLS_HASH_MAX];
};

struct tls_record {
    uint8_t type;
    uint16_t version; /* as its header says */
    struct slice body;
    const struct packet_part *parts; /* the frames that it came in */
    size_t part_count;
};

struct tls_cipher;

struct tls_cipher *packet_tls_cipher_new(const struct tls_kind *kind, uint16_t version,
                                         bool encrypt_then_mac, const struct tls_material *m);
/* Opens the record of this number into out[TLS_RECORD_MAX]; false: the key or the number is another
 * one.  TLS 1.3's padding and content type are left on. */
bool packet_tls_cipher_open(struct tls_cipher *c, uint64_t number, const struct tls_record *r,
                            uint8_t *out, size_t *n);
/* The record is passed over: what the next one needs of it is kept. */
void packet_tls_cipher_pass(struct tls_cipher *c, const struct tls_record *r);
void packet_tls_cipher_free(struct tls_cipher *c);
/* Bytes of a record's body before those that the plaintext is made of; c may be NULL. */
size_t packet_tls_cipher_lead(const struct tls_cipher *c);

/* ---- key schedule (tls_secrets.c) ------------------------------------------------------------ */

/* The master secret from a premaster secret; session_hash (RFC 7627) in place of the randoms where
 * it is not empty. */
bool packet_tls_master(uint16_t version, const struct tls_kind *kind, struct slice premaster,
                       struct slice client_random, struct slice server_random,
                       struct slice session_hash, struct tls_secret *out);
/* Keys of the client (way 0) and the server (way 1), RFC 5246 6.3. */
bool packet_tls_key_block(uint16_t version, const struct tls_kind *kind,
                          const struct tls_secret *master, struct slice client_random,
                          struct slice server_random, struct tls_material out[2]);
/* RFC 8446 7.3 and 7.2 */
bool packet_tls_traffic_keys(const struct tls_kind *kind, const struct tls_secret *traffic,
                             struct tls_material *out);
bool packet_tls_next_secret(const struct tls_kind *kind, struct tls_secret *traffic);
/* Hash of the parts one after the other: that of the key schedule, SHA-256 where kind is NULL.
 * Returns its length, at most TLS_HASH_MAX; 0 on failure. */
size_t packet_tls_hash(uint16_t version, const struct tls_kind *kind, const struct slice *parts,
                       size_t count, uint8_t out[TLS_HASH_MAX]);

/* ---- a connection ---------------------------------------------------------------------------- */

#define TLS_SEALED_MAX     1024u         /* bytes of an encrypted premaster secret: RSA-8192 */
#define TLS_MESSAGE_MAX    (16u * 1024u) /* of a handshake message that is read */
#define TLS_TRANSCRIPT_MAX (32u * 1024u) /* of one direction, kept for the session hash */
/* Of a record in more frames than these a message has those that its own bytes were in, and the one
 * that completed the record: not all of them, for there may be thousands, and hundreds of messages.
 */
#define TLS_SHARED_FRAMES 32u
#define TLS_TRIALS        64u /* record numbers tried after a hole */
#define TLS_GIVE_UP       16u /* records after a hole for which that is done in vain */
#define TLS_RESYNCS       8u  /* places after a hole taken for a record in vain */
#define TLS_TOLD_NS       (30 * (int64_t)1000000000)
#define TLS_NOT_LISTED    UINT32_MAX
#define TLS_HELD_BYTES    (512u * 1024u) /* of a connection, waiting for its keys */

VEC_TYPE(tls_bytes, char);

/* What the handshake has agreed on so far. */
struct tls_hello {
    bool client, server; /* that hello was seen */
    uint8_t random[2][TLS_RANDOM];
    uint16_t offered, version; /* by the client; by both */
    uint16_t suite;
    const struct tls_kind *kind; /* NULL: none that we read */
    bool compressed, encrypt_then_mac, extended_master;
    bool resumes; /* the client showed a ticket */
    uint8_t session[TLS_RANDOM], ticket[TLS_RANDOM];
    uint8_t session_length;
    struct tls_bytes sealed;        /* premaster secret */
    struct tls_bytes transcript[2]; /* by way, until the key exchange; only where it is of use */
    bool transcript_ended;
    bool tried; /* the RSA keys were, in vain */
    struct tls_secret master;
};

/* Where TLS 1.3 is in its key schedule; earlier versions have TLS_TRAFFIC only. */
enum tls_epoch { TLS_EPOCH_EARLY, TLS_EPOCH_HANDSHAKE, TLS_EPOCH_TRAFFIC, TLS_EPOCH_COUNT };

struct tls_side {
    bool sealed; /* before TLS 1.3: records are encrypted from here on */
    bool lost;   /* records are missing, so that the number of the next one is open */
    bool waits;  /* its next record is held */
    bool spoke;  /* some of its inner stream was handed on */
    bool gap;    /* bytes of that are missing before what comes next */
    struct tls_cipher *cipher;
    struct tls_secret traffic; /* TLS 1.3: what the cipher was made of */
    enum tls_epoch epoch;
    uint64_t number; /* of the next record */
    bool has_nonce;  /* the last one that was opened, nonce_number, */
    uint64_t nonce;  /* had this explicit part of its nonce, which most ends count on */
    uint64_t nonce_number;
    unsigned vain;         /* records since the hole that no number fitted */
    uint64_t unproven;     /* unread ones that may be handshake (TLS 1.3) */
    struct tls_bytes said; /* a handshake message's beginning */
    uint64_t said_skip;    /* bytes left of one that is of no use */
    uint64_t skip;         /* bytes to pass over after a hole, up to the next record */
    bool resync;           /* after a hole: find the next record */
    unsigned resyncs;
};

/* A record or hole that waits. */
struct tls_event {
    unsigned way;
    uint8_t type;
    uint16_t version;
    size_t begin, n, part, part_count; /* n == 0: no record, but what `after` says */
    enum packet_after after;
    uint64_t missing;
};

struct tls_held {
    VEC(struct tls_event) events;
    struct tls_bytes bytes;
    struct packet_parts parts;
};

struct tls_connection {
    struct packet_decoder *d;
    struct endpoint ends[2];
    unsigned client; /* the way that goes from client to server */
    bool joined;     /* its handshake was not captured */
    struct tls_hello hello;
    struct tls_side side[2];
    struct tls_held held;
    uint64_t looks;      /* for its keys; at each power of two the key log files are read again */
    uint64_t generation; /* of the keys when what is held was last tried, */
    bool tried;          /* with the handshake as it is now */
    uint64_t unread;     /* application data records so far */
    int64_t told_ns;     /* when the sink was told of it last */
    uint32_t hidden;     /* index of packet_undecrypted, or TLS_NOT_LISTED */
    bool detached;       /* its stream is over */
    bool listed;         /* among the decoder's that wait */
    struct tls_connection *before, *after; /* there */
    struct packet_stream *inner;           /* NULL: nothing was decrypted yet */
};

/* Of a decoder: connections that wait, the longest waiting first. */
struct packet_tls {
    struct tls_connection *first, *last;
    uint64_t waiting;
    size_t held;                /* bytes */
    uint64_t generation, tried; /* of the keys, and the frame, when all were tried */
    VEC(struct packet_hidden) hidden;
};

enum tls_opened { TLS_OPENED, TLS_UNREAD, TLS_WAITS };

struct tls_plain {
    uint8_t type;
    struct slice bytes;
};

/* tls_handshake.c: handshake bytes of one direction. */
void packet_tls_said(struct tls_connection *c, unsigned way, struct slice bytes, bool sealed);
void packet_tls_hello_clear(struct tls_hello *h);
bool packet_tls_find_master(struct tls_connection *c);
/* The secret is used: for whoever wants to hand it on. */
void packet_tls_tell_secret(const struct tls_connection *c, enum tls_label label,
                            const struct tls_secret *secret);
void packet_tls_key_update(struct tls_connection *c, unsigned way);

/* tls_open.c: the plaintext of an encrypted record, in room[TLS_RECORD_MAX]. */
enum tls_opened packet_tls_open(struct tls_connection *c, unsigned way, const struct tls_record *r,
                                uint8_t *room, struct tls_plain *out);
bool packet_tls_has_keys(struct tls_connection *c); /* some that were not tried yet */

/* tls.c: a record, or a hole or end (after), on its way; TLS_WAITS: come again when there are
 * keys. */
enum tls_opened packet_tls_take(struct tls_connection *c, unsigned way, const struct tls_record *r);
void packet_tls_event(struct tls_connection *c, unsigned way, enum packet_after after,
                      uint64_t missing);
/* The record is passed over, unread. */
void packet_tls_pass(struct tls_connection *c, unsigned way, const struct tls_record *r);
/* Counts a record that was not read, and those that were in the end. */
void packet_tls_unread(struct tls_connection *c, unsigned way, const struct tls_record *r);
void packet_tls_read_late(struct tls_connection *c, uint64_t records);
void packet_tls_connection_free(struct tls_connection *c);

/* tls_held.c */
void packet_tls_hold(struct tls_connection *c, unsigned way, const struct tls_record *r);
void packet_tls_hold_event(struct tls_connection *c, unsigned way, enum packet_after after,
                           uint64_t missing);
/* Looks for keys once more, and takes what is held if there are some. */
void packet_tls_look(struct tls_connection *c);

#endif
