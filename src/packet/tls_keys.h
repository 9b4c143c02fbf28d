/* Private to packet/: the store of TLS secrets, where they come from and who asks for them. */
#ifndef PACKET_TLS_KEYS_H
#define PACKET_TLS_KEYS_H

#include "packet/packet.h"

#define TLS_HASH_MAX      48u /* SHA-384 */
#define TLS_RANDOM        32u
#define TLS_MASTER_LENGTH 48u

/* What a secret is for, and what its id is; unless said the client's random. */
enum tls_label {
    TLS_MASTER,
    TLS_EARLY,
    TLS_CLIENT_HANDSHAKE,
    TLS_SERVER_HANDSHAKE,
    TLS_CLIENT_TRAFFIC,
    TLS_SERVER_TRAFFIC,
    TLS_PREMASTER, /* id: first 8 bytes of what the client encrypted for the server */
    TLS_SESSION    /* a master secret; id: the session id, or the SHA-256 of a ticket */
};

struct tls_secret {
    uint8_t n; /* 0: none */
    uint8_t bytes[TLS_HASH_MAX];
};

bool packet_keys_find(const struct packet_keys *k, enum tls_label label, struct slice id,
                      struct tls_secret *out);
/* One that is there already under this label and id is replaced. */
void packet_keys_put(struct packet_keys *k, enum tls_label label, struct slice id,
                     struct slice secret);
/* Reads what was added to the files. */
void packet_keys_refresh(struct packet_keys *k);
/* Rises with each secret that comes. */
uint64_t packet_keys_generation(const struct packet_keys *k);
/* Premaster secrets may be found, so that a handshake is worth remembering. */
bool packet_keys_exchange(const struct packet_keys *k);
/* Decrypts the client's premaster secret by the first RSA key that fits. */
bool packet_keys_open(const struct packet_keys *k, struct slice sealed, uint16_t version,
                      struct tls_secret *out);

/* keylog.c: false where it is no line of a key log. */
bool packet_keylog_line(struct packet_keys *k, struct slice line);
/* The line that such a secret has in a key log. */
void packet_keylog_write(struct text *out, enum tls_label label, struct slice id,
                         const struct tls_secret *secret);

/* tls_secrets.c: an RSA private key */
struct tls_rsa;
struct tls_rsa *packet_tls_rsa_read(const char *path, struct err *err);
bool packet_tls_rsa_open(const struct tls_rsa *r, struct slice sealed, uint16_t version,
                         struct tls_secret *out);
void packet_tls_rsa_free(struct tls_rsa *r);

#endif
