/* TLS by OpenSSL's libssl, which only this file includes: certificates, the check of the other
 * side's, and the bytes of one connection.  SSLKEYLOGFILE is heeded, so that a capture of a probe
 * can be read. */
#include "probe/internal.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

struct tls {
    SSL_CTX *client, *server;
    const struct probe_tls_options *options;
    FILE *keylog;
};

struct tls_stream {
    SSL *ssl;
    char why[256];
};

static bool fail(struct err *err, const char *what, const char *name)
{
    char reason[200];
    ERR_error_string_n(ERR_peek_last_error(), reason, sizeof reason);
    const char *text = ERR_reason_error_string(ERR_peek_last_error());
    int number = errno;
    ERR_clear_error();
    if (!text && number)
        text = strerror(number);
    return err_set(err, "%s: %s: %s", name, what, text ? text : reason);
}

/* ---- certificates -------------------------------------------------------------------------------
 */

/* One of its own, for this run: those who connect to a listening end rarely check it. */
static bool make_certificate(SSL_CTX *context)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    bool ok = key && cert;
    if (ok) {
        X509_NAME *name = X509_get_subject_name(cert);
        X509_set_version(cert, X509_VERSION_3);
        ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
        X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
        X509_gmtime_adj(X509_getm_notAfter(cert), 7L * 24 * 3600);
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"sipxray probe",
                                   -1, -1, 0);
        X509_set_issuer_name(cert, name);
        ok = X509_set_pubkey(cert, key) && X509_sign(cert, key, EVP_sha256()) &&
             SSL_CTX_use_certificate(context, cert) && SSL_CTX_use_PrivateKey(context, key);
    }
    X509_free(cert);
    EVP_PKEY_free(key);
    return ok;
}

static bool use_certificate(SSL_CTX *context, const struct probe_tls_options *o, struct err *err)
{
    const char *key = o->key ? o->key : o->cert;
    errno = 0;
    if (SSL_CTX_use_certificate_chain_file(context, o->cert) != 1)
        return fail(err, "no certificate in PEM", o->cert);
    errno = 0;
    if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
        return fail(err, "no private key in PEM that fits the certificate", key);
    return true;
}

static bool trust(SSL_CTX *context, const struct probe_tls_options *o, struct err *err)
{
    errno = 0;
    if (o->ca && SSL_CTX_load_verify_locations(context, o->ca, NULL) != 1)
        return fail(err, "no certificates in PEM", o->ca);
    return o->ca || SSL_CTX_set_default_verify_paths(context) == 1 ||
           fail(err, "the system's certificates", "TLS");
}

/* ---- the key log
 * --------------------------------------------------------------------------------- */

static void write_secret(const SSL *ssl, const char *line)
{
    const struct tls *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    (void)fprintf(t->keylog, "%s\n", line);
    (void)fflush(t->keylog);
}

static void keep_secrets(struct tls *t)
{
    const char *path = getenv("SSLKEYLOGFILE"); // NOLINT(concurrency-mt-unsafe)
    t->keylog = path && *path ? fopen(path, "ae") : NULL;
    if (!t->keylog)
        return;
    SSL_CTX_set_keylog_callback(t->client, write_secret);
    SSL_CTX_set_keylog_callback(t->server, write_secret);
}

/* ---- of a run
 * ------------------------------------------------------------------------------------ */

static int ask_no_password(char *into, int size, int writing, void *context)
{
    (void)into, (void)size, (void)writing, (void)context;
    return -1; /* a key with a password is an error, not a question on the terminal */
}

static bool set_up(struct tls *t, struct err *err)
{
    const struct probe_tls_options *o = t->options;
    SSL_CTX *both[] = {t->client, t->server};
    for (size_t i = 0; i < 2; i++) {
        SSL_CTX_set_app_data(both[i], t);
        SSL_CTX_set_min_proto_version(both[i], TLS1_2_VERSION);
        SSL_CTX_set_options(both[i], SSL_OP_IGNORE_UNEXPECTED_EOF); /* many just close */
        SSL_CTX_set_default_passwd_cb(both[i], ask_no_password);
        SSL_CTX_set_mode(both[i],
                         SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        bool checks = i == 0 ? !o->no_verify : o->ask_client;
        if ((checks && !trust(both[i], o, err)) || (o->cert && !use_certificate(both[i], o, err)))
            return false;
    }
    if (!o->cert && !make_certificate(t->server))
        return fail(err, "cannot make a certificate", "TLS");
    SSL_CTX_set_verify(t->client, o->no_verify ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_verify(
        t->server,
        o->ask_client ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT : SSL_VERIFY_NONE, NULL);
    keep_secrets(t);
    return true;
}

struct tls *tls_new(const struct probe_tls_options *options, struct err *err)
{
    struct tls *t = base_alloc(sizeof *t);
    t->options = options;
    t->client = SSL_CTX_new(TLS_client_method());
    t->server = SSL_CTX_new(TLS_server_method());
    if (t->client && t->server && set_up(t, err))
        return t;
    tls_free(t);
    return NULL;
}

void tls_free(struct tls *t)
{
    if (!t)
        return;
    SSL_CTX_free(t->client);
    SSL_CTX_free(t->server);
    if (t->keylog)
        (void)fclose(t->keylog);
    free(t);
}

/* ---- of a connection
 * ----------------------------------------------------------------------------- */

static bool expect_host(SSL *ssl, struct slice host)
{
    struct address ip;
    char name[256];
    if (!host.n || host.n >= sizeof name)
        return false;
    memcpy(name, host.p, host.n);
    name[host.n] = '\0';
    if (address_parse(host, &ip))
        return X509_VERIFY_PARAM_set1_ip(SSL_get0_param(ssl), ip.bytes, ip.family == 6 ? 16 : 4) ==
               1;
    return SSL_set_tlsext_host_name(ssl, name) == 1 && SSL_set1_host(ssl, name) == 1;
}

struct tls_stream *tls_stream_new(struct tls *t, int fd, bool server, struct slice host)
{
    struct tls_stream *s = base_alloc(sizeof *s);
    s->ssl = SSL_new(server ? t->server : t->client);
    bool ok = s->ssl && SSL_set_fd(s->ssl, fd) == 1;
    if (ok && server)
        SSL_set_accept_state(s->ssl);
    else if (ok)
        SSL_set_connect_state(s->ssl);
    if (ok && !server && !expect_host(s->ssl, host) && !t->options->no_verify)
        ok = false;
    if (ok)
        return s;
    tls_stream_free(s);
    return NULL;
}

void tls_stream_free(struct tls_stream *s)
{
    if (!s)
        return;
    if (s->ssl && SSL_is_init_finished(s->ssl))
        (void)SSL_shutdown(s->ssl);
    ERR_clear_error();
    SSL_free(s->ssl);
    free(s);
}

static void explain(struct tls_stream *s)
{
    unsigned long code = ERR_get_error();
    long verify = SSL_get_verify_result(s->ssl);
    const char *text = code ? ERR_reason_error_string(code) : NULL;
    if (verify != X509_V_OK)
        text = X509_verify_cert_error_string(verify);
    if (!text)
        text = errno ? strerror(errno) : "the other side closed the connection";
    (void)snprintf(s->why, sizeof s->why, "%s%s",
                   verify != X509_V_OK ? "the certificate of the other side: " : "TLS: ", text);
}

static enum tls_result result_of(struct tls_stream *s, int returned)
{
    switch (SSL_get_error(s->ssl, returned)) {
    case SSL_ERROR_WANT_READ:
        return TLS_WANT_READ;
    case SSL_ERROR_WANT_WRITE:
        return TLS_WANT_WRITE;
    case SSL_ERROR_ZERO_RETURN:
        return TLS_CLOSED;
    default:
        explain(s);
        return TLS_FAILED;
    }
}

enum tls_result tls_handshake(struct tls_stream *s)
{
    ERR_clear_error();
    errno = 0;
    int r = SSL_do_handshake(s->ssl);
    return r == 1 ? TLS_DONE : result_of(s, r);
}

enum tls_result tls_read(struct tls_stream *s, char *into, size_t room, size_t *n)
{
    ERR_clear_error();
    errno = 0;
    *n = 0;
    int r = SSL_read_ex(s->ssl, into, room, n);
    return r == 1 ? TLS_DONE : result_of(s, r);
}

enum tls_result tls_write(struct tls_stream *s, struct slice bytes, size_t *n)
{
    ERR_clear_error();
    errno = 0;
    *n = 0;
    int r = SSL_write_ex(s->ssl, bytes.p, bytes.n, n);
    return r == 1 ? TLS_DONE : result_of(s, r);
}

bool tls_holds(const struct tls_stream *s)
{
    return SSL_pending(s->ssl) > 0;
}

struct slice tls_why(const struct tls_stream *s)
{
    return slice_of(s->why[0] ? s->why : "TLS: the other side closed the connection");
}
