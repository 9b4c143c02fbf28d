/* A TLS client and a server of libssl that talk in memory: what goes over the wire, what they said,
 * and the key log.  For tests of packet/tls*.c. */
#ifndef TESTS_UNIT_TALK_H
#define TESTS_UNIT_TALK_H

#include "bytes.h"
#include "unit.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

enum talk_flags {
    TALK_EC = 1,           /* the server has an ECDSA key, not RSA */
    TALK_RETRY = 2,        /* HelloRetryRequest */
    TALK_UPDATE = 4,       /* both ends update their keys in between */
    TALK_RESUME = 8,       /* a second connection resumes the first */
    TALK_NO_TICKET = 16,   /* by session id */
    TALK_NO_EMS = 32,      /* no extended master secret */
    TALK_NO_ETM = 64,      /* no encrypt-then-MAC */
    TALK_PSK = 128,        /* a key agreed on before; no certificate */
    TALK_EARLY = 256,      /* the resumed connection begins with early data */
    TALK_RENEGOTIATE = 512 /* in between */
};

struct talk_case {
    const char *name;
    int version;
    const char *cipher;
    unsigned flags;
};

struct flight {
    unsigned way;
    size_t begin, n; /* of talk.wire */
};

struct talk {
    const struct talk_case *how;
    EVP_PKEY *key;
    X509 *certificate;
    SSL_CTX *contexts[2]; /* client, server */
    SSL *ends[2];
    SSL_SESSION *session;
    struct bytes wire;
    VEC(struct flight) flights;
    struct text log;
    struct text said[2];
};

/* Made once for all tests: an RSA key takes its time. */
static inline EVP_PKEY *talk_key(bool ec)
{
    static EVP_PKEY *keys[2];
    if (!keys[ec])
        keys[ec] = ec ? EVP_EC_gen("P-256") : EVP_RSA_gen(2048);
    assert_non_null(keys[ec]);
    return keys[ec];
}

static inline X509 *talk_certificate(EVP_PKEY *key)
{
    X509 *x = X509_new();
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -1000);
    X509_gmtime_adj(X509_getm_notAfter(x), 100000);
    X509_set_pubkey(x, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                               (const unsigned char *)"kam1.example", -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(x));
    assert_true(X509_sign(x, key, EVP_sha256()) > 0);
    return x;
}

static inline void talk_log(const SSL *ssl, const char *line)
{
    struct text *log = SSL_get_ex_data(ssl, 0);
    text_printf(log, "%s\n", line);
}

static inline unsigned talk_client_psk(SSL *ssl, const char *hint, char *identity, unsigned max,
                                       unsigned char *psk, unsigned psk_max)
{
    (void)ssl, (void)hint;
    assert_true(psk_max >= 16);
    snprintf(identity, max, "trunk");
    memset(psk, 7, 16);
    return 16;
}

static inline unsigned talk_server_psk(SSL *ssl, const char *identity, unsigned char *psk,
                                       unsigned psk_max)
{
    (void)ssl, (void)identity;
    assert_true(psk_max >= 16);
    memset(psk, 7, 16);
    return 16;
}

static inline SSL_CTX *talk_context(struct talk *t, bool server)
{
    const struct talk_case *how = t->how;
    SSL_CTX *x = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
    char cipher[128];
    snprintf(cipher, sizeof cipher, "%s:@SECLEVEL=0", how->cipher);
    SSL_CTX_set_security_level(x, 0);
    assert_int_equal(SSL_CTX_set_min_proto_version(x, how->version), 1);
    assert_int_equal(SSL_CTX_set_max_proto_version(x, how->version), 1);
    if (how->version == TLS1_3_VERSION)
        assert_int_equal(SSL_CTX_set_ciphersuites(x, how->cipher), 1);
    else
        assert_int_equal(SSL_CTX_set_cipher_list(x, cipher), 1);
    SSL_CTX_set_options(x, (how->flags & TALK_NO_TICKET ? SSL_OP_NO_TICKET : 0) |
                               (how->flags & TALK_NO_EMS ? SSL_OP_NO_EXTENDED_MASTER_SECRET : 0) |
                               (how->flags & TALK_NO_ETM ? SSL_OP_NO_ENCRYPT_THEN_MAC : 0) |
                               SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
    SSL_CTX_set_keylog_callback(x, talk_log);
    SSL_CTX_set_session_cache_mode(x, SSL_SESS_CACHE_BOTH);
    SSL_CTX_set_session_id_context(x, (const unsigned char *)"t", 1);
    SSL_CTX_set_max_early_data(x, 16384);
    SSL_CTX_set_dh_auto(x, 1);
    if (how->flags & TALK_RETRY)
        SSL_CTX_set1_groups_list(x, server ? "P-256" : "X25519:P-256");
    if (how->flags & TALK_PSK && server)
        SSL_CTX_set_psk_server_callback(x, talk_server_psk);
    else if (how->flags & TALK_PSK)
        SSL_CTX_set_psk_client_callback(x, talk_client_psk);
    if (server) {
        SSL_CTX_use_certificate(x, t->certificate);
        SSL_CTX_use_PrivateKey(x, t->key);
    }
    return x;
}

/* What an end wrote goes over the wire. */
static inline bool talk_carry(struct talk *t, unsigned way)
{
    char buffer[70000];
    int n = BIO_read(SSL_get_wbio(t->ends[way]), buffer, sizeof buffer);
    if (n <= 0)
        return false;
    *vec_add(&t->flights) = (struct flight){way, t->wire.n, (size_t)n};
    put(&t->wire, buffer, (size_t)n);
    BIO_write(SSL_get_rbio(t->ends[!way]), buffer, n);
    return true;
}

static inline void talk_read(struct talk *t, unsigned end)
{
    char buffer[70000];
    while (SSL_read(t->ends[end], buffer, sizeof buffer) > 0)
        ;
}

static inline void talk_settle(struct talk *t)
{
    for (int i = 0; i < 10; i++) {
        talk_carry(t, 0);
        talk_read(t, 1);
        talk_carry(t, 1);
        talk_read(t, 0);
    }
}

static inline void talk_say(struct talk *t, unsigned way, struct slice words)
{
    if (SSL_write(t->ends[way], words.p, (int)words.n) != (int)words.n)
        fail_msg("%s: %zu bytes were not sent", t->how->name, words.n);
    text_add(&t->said[way], words);
}

static inline void talk_say_early(struct talk *t)
{
    size_t n;
    unsigned char buffer[100];
    assert_int_equal(SSL_write_early_data(t->ends[0], "OPTIONS early", 13, &n), 1);
    text_add(&t->said[0], SLICE("OPTIONS early"));
    talk_carry(t, 0);
    assert_int_equal(SSL_read_early_data(t->ends[1], buffer, sizeof buffer, &n),
                     SSL_READ_EARLY_DATA_SUCCESS);
    assert_int_equal(n, 13);
    SSL_read_early_data(t->ends[1], buffer, sizeof buffer, &n);
}

static inline void talk_connect(struct talk *t)
{
    for (unsigned i = 0; i < 2; i++) {
        t->ends[i] = SSL_new(t->contexts[i]);
        SSL_set_bio(t->ends[i], BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
        SSL_set_ex_data(t->ends[i], 0, &t->log);
    }
    SSL_set_connect_state(t->ends[0]);
    SSL_set_accept_state(t->ends[1]);
    if (t->session)
        SSL_set_session(t->ends[0], t->session);
    if (t->session && t->how->flags & TALK_EARLY)
        talk_say_early(t);
    for (int i = 0; i < 10; i++) {
        SSL_do_handshake(t->ends[0]);
        talk_carry(t, 0);
        SSL_do_handshake(t->ends[1]);
        talk_carry(t, 1);
    }
    assert_true(SSL_is_init_finished(t->ends[0]));
    assert_true(SSL_is_init_finished(t->ends[1]));
    talk_settle(t);
}

static inline void talk_turn(struct talk *t)
{
    if (t->how->flags & TALK_UPDATE) {
        assert_int_equal(SSL_key_update(t->ends[0], SSL_KEY_UPDATE_REQUESTED), 1);
        talk_say(t, 0, SLICE("INFO after an update"));
        talk_settle(t);
    }
    if (t->how->flags & TALK_RENEGOTIATE) {
        assert_int_equal(SSL_renegotiate(t->ends[0]), 1);
        for (int i = 0; i < 5; i++) {
            SSL_do_handshake(t->ends[0]);
            talk_settle(t);
        }
    }
}

/* Short words, several records in one segment, and a long text over several records. */
static inline void talk_exchange(struct talk *t)
{
    struct bytes long_text = {0};
    put_slice(&long_text, SLICE("MESSAGE "));
    put_times(&long_text, 'x', 40000);
    talk_say(t, 0, SLICE("INVITE sip:a@example SIP/2.0\r\n"));
    talk_settle(t);
    talk_say(t, 1, SLICE("SIP/2.0 100 Trying\r\n"));
    talk_say(t, 1, SLICE("SIP/2.0 180 Ringing\r\n"));
    talk_say(t, 1, SLICE("SIP/2.0 200 OK\r\n"));
    talk_settle(t);
    talk_turn(t);
    talk_say(t, 1, bytes_slice(&long_text));
    talk_settle(t);
    talk_say(t, 0, bytes_slice(&long_text));
    talk_settle(t);
    talk_say(t, 0, SLICE("BYE"));
    talk_settle(t);
    vec_free(&long_text);
}

static inline void talk_hang_up(struct talk *t)
{
    SSL_SESSION_free(t->session);
    t->session = SSL_get1_session(t->ends[0]);
    SSL_shutdown(t->ends[0]);
    talk_carry(t, 0);
    talk_read(t, 1);
    SSL_shutdown(t->ends[1]);
    talk_carry(t, 1);
    SSL_free(t->ends[0]);
    SSL_free(t->ends[1]);
    t->ends[0] = t->ends[1] = NULL;
}

static inline struct talk *talk_new(const struct talk_case *how)
{
    struct talk *t = calloc(1, sizeof *t);
    t->how = how;
    t->key = talk_key(how->flags & TALK_EC);
    t->certificate = talk_certificate(t->key);
    t->contexts[0] = talk_context(t, false);
    t->contexts[1] = talk_context(t, true);
    return t;
}

/* Forgets what was said, so that a further connection can be looked at on its own. */
static inline void talk_clear(struct talk *t)
{
    vec_clear(&t->wire);
    vec_clear(&t->flights);
    text_clear(&t->said[0]);
    text_clear(&t->said[1]);
}

static inline struct talk *talk_over(const struct talk_case *how)
{
    struct talk *t = talk_new(how);
    talk_connect(t);
    talk_exchange(t);
    talk_hang_up(t);
    return t;
}

static inline void talk_again(struct talk *t)
{
    talk_clear(t);
    talk_connect(t);
    if (!SSL_session_reused(t->ends[0]))
        fail_msg("%s: not resumed", t->how->name);
    talk_exchange(t);
    talk_hang_up(t);
}

static inline void talk_free(struct talk *t)
{
    SSL_SESSION_free(t->session);
    SSL_CTX_free(t->contexts[0]);
    SSL_CTX_free(t->contexts[1]);
    X509_free(t->certificate);
    vec_free(&t->wire);
    vec_free(&t->flights);
    text_free(&t->log);
    text_free(&t->said[0]);
    text_free(&t->said[1]);
    free(t);
}

#endif
