/* The key schedules of TLS: master secret and key block (RFC 5246, 7627), traffic keys (RFC 8446),
 * and RSA private keys. */
#include "packet/tls.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>

static const char *hash_name(uint16_t version, const struct tls_kind *kind)
{
    return !kind ? "SHA256" : version < TLS_1_2 ? "MD5-SHA1" : kind->hash;
}

static OSSL_PARAM octets(const char *name, const void *p, size_t n)
{
    return OSSL_PARAM_construct_octet_string(name, (void *)(uintptr_t)p, n);
}

static OSSL_PARAM word(const char *name, const char *value)
{
    return OSSL_PARAM_construct_utf8_string(name, (char *)(uintptr_t)value, 0);
}

static bool derive(const char *function, const OSSL_PARAM *params, uint8_t *out, size_t n)
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, function, NULL);
    EVP_KDF_CTX *x = EVP_KDF_CTX_new(kdf);
    bool ok = x && EVP_KDF_derive(x, out, n, params) == 1;
    EVP_KDF_CTX_free(x);
    EVP_KDF_free(kdf);
    return ok;
}

size_t packet_tls_hash(uint16_t version, const struct tls_kind *kind, const struct slice *parts,
                       size_t count, uint8_t out[TLS_HASH_MAX])
{
    EVP_MD *md = EVP_MD_fetch(NULL, hash_name(version, kind), NULL);
    EVP_MD_CTX *x = EVP_MD_CTX_new();
    unsigned n = 0;
    bool ok = md && x && EVP_DigestInit_ex(x, md, NULL) == 1;
    for (size_t i = 0; ok && i < count; i++)
        ok = EVP_DigestUpdate(x, parts[i].p, parts[i].n) == 1;
    ok = ok && EVP_DigestFinal_ex(x, out, &n) == 1;
    EVP_MD_CTX_free(x);
    EVP_MD_free(md);
    return ok ? n : 0;
}

/* ---- TLS 1.0 to 1.2 -------------------------------------------------------------------------- */

/* P_hash over label and seeds (RFC 5246 5, RFC 2246 5). */
static bool expand(uint16_t version, const struct tls_kind *kind, struct slice secret,
                   const char *label, struct slice a, struct slice b, uint8_t *out, size_t n)
{
    const OSSL_PARAM params[] = {word(OSSL_KDF_PARAM_DIGEST, hash_name(version, kind)),
                                 octets(OSSL_KDF_PARAM_SECRET, secret.p, secret.n),
                                 octets(OSSL_KDF_PARAM_SEED, label, strlen(label)),
                                 octets(OSSL_KDF_PARAM_SEED, a.p, a.n),
                                 octets(OSSL_KDF_PARAM_SEED, b.p, b.n),
                                 OSSL_PARAM_construct_end()};
    return derive("TLS1-PRF", params, out, n);
}

bool packet_tls_master(uint16_t version, const struct tls_kind *kind, struct slice premaster,
                       struct slice client_random, struct slice server_random,
                       struct slice session_hash, struct tls_secret *out)
{
    out->n = TLS_MASTER_LENGTH;
    if (session_hash.n)
        return expand(version, kind, premaster, "extended master secret", session_hash, SLICE(""),
                      out->bytes, out->n);
    return expand(version, kind, premaster, "master secret", client_random, server_random,
                  out->bytes, out->n);
}

bool packet_tls_key_block(uint16_t version, const struct tls_kind *kind,
                          const struct tls_secret *master, struct slice client_random,
                          struct slice server_random, struct tls_material out[2])
{
    uint8_t block[2 * sizeof(struct tls_material)], *p = block;
    size_t iv = kind->mode == TLS_CBC && version >= TLS_1_1 ? 0 : kind->iv;
    struct slice secret = {(const char *)master->bytes, master->n};
    if (!expand(version, kind, secret, "key expansion", server_random, client_random, block,
                2 * (kind->mac_length + kind->key + iv)))
        return false;
    for (int i = 0; i < 2; i++, p += kind->mac_length)
        memcpy(out[i].mac, p, kind->mac_length);
    for (int i = 0; i < 2; i++, p += kind->key)
        memcpy(out[i].key, p, kind->key);
    for (int i = 0; i < 2; i++, p += iv)
        memcpy(out[i].iv, p, iv);
    return true;
}

/* ---- TLS 1.3 --------------------------------------------------------------------------------- */

/* HKDF-Expand-Label with an empty context (RFC 8446 7.1). */
static bool expand_label(const struct tls_kind *kind, const struct tls_secret *secret,
                         const char *label, uint8_t *out, size_t n)
{
    char info[32];
    int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
    int info_n = snprintf(info, sizeof info, "%c%c%ctls13 %s%c", 0, (char)n,
                          (char)(strlen(label) + 6), label, 0);
    const OSSL_PARAM params[] = {word(OSSL_KDF_PARAM_DIGEST, kind->hash),
                                 OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
                                 octets(OSSL_KDF_PARAM_KEY, secret->bytes, secret->n),
                                 octets(OSSL_KDF_PARAM_INFO, info, (size_t)info_n),
                                 OSSL_PARAM_construct_end()};
    return derive("HKDF", params, out, n);
}

bool packet_tls_traffic_keys(const struct tls_kind *kind, const struct tls_secret *traffic,
                             struct tls_material *out)
{
    return traffic->n == kind->hash_length &&
           expand_label(kind, traffic, "key", out->key, kind->key) &&
           expand_label(kind, traffic, "iv", out->iv, 12);
}

bool packet_tls_next_secret(const struct tls_kind *kind, struct tls_secret *traffic)
{
    struct tls_secret was = *traffic;
    return expand_label(kind, &was, "traffic upd", traffic->bytes, traffic->n);
}

/* ---- RSA ------------------------------------------------------------------------------------- */

struct tls_rsa {
    EVP_PKEY *key;
};

/* There is no asking: a key that needs a pass phrase is an error. */
static int no_pass_phrase(char *buffer, int size, int writing, void *asked)
{
    (void)buffer;
    (void)size;
    (void)writing;
    *(bool *)asked = true;
    return -1;
}

/* Why no key was found in it. */
static bool refuse(const char *path, FILE *f, bool asked, struct err *err)
{
    char *name = NULL, *header = NULL;
    unsigned char *data = NULL;
    long n;
    rewind(f);
    bool pem = PEM_read(f, &name, &header, &data, &n) == 1;
    if (asked)
        err_set(err, "%s: the key is encrypted; decrypt it first: openssl pkey -in %s -out FILE",
                path, path);
    else if (!pem)
        err_set(err, "%s: no RSA private key in PEM format", path);
    else if (strstr(name, "PRIVATE KEY"))
        err_set(err, "%s: a private key that cannot be read", path);
    else
        err_set(err, "%s: no private key, but a %s in PEM format", path, name);
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(data);
    return false;
}

static EVP_PKEY *read_key(const char *path, FILE *f, struct err *err)
{
    bool asked = false;
    EVP_PKEY *key = PEM_read_PrivateKey(f, NULL, no_pass_phrase, &asked);
    if (!key)
        refuse(path, f, asked, err);
    ERR_clear_error();
    if (!key || EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA)
        return key;
    const char *type = EVP_PKEY_get0_type_name(key);
    err_set(err, "%s: no RSA key, but %s; TLS connections that use it need a key log (--keylog)",
            path, type ? type : "of another type");
    EVP_PKEY_free(key);
    return NULL;
}

struct tls_rsa *packet_tls_rsa_read(const char *path, struct err *err)
{
    FILE *f = fopen(path, "re");
    if (!f) {
        err_set(err, "%s: %s", path, strerror(errno));
        return NULL;
    }
    EVP_PKEY *key = read_key(path, f, err);
    fclose(f);
    if (!key)
        return NULL;
    struct tls_rsa *r = base_alloc(sizeof *r);
    r->key = key;
    return r;
}

/* PKCS #1 block type 2 (RFC 8017 7.2.2) around version and random.  Looked at here, since libcrypto
 * may answer a bad one with random bytes instead of an error. */
static bool take_premaster(const uint8_t *block, size_t n, uint16_t version, struct tls_secret *out)
{
    size_t at = n - TLS_MASTER_LENGTH;
    if (n < TLS_MASTER_LENGTH + 11 || block[0] != 0 || block[1] != 2 || block[at - 1] != 0 ||
        memchr(block + 2, 0, at - 3))
        return false;
    if (block[at] != version >> 8 || block[at + 1] != (version & 0xff))
        return false;
    out->n = TLS_MASTER_LENGTH;
    memcpy(out->bytes, block + at, out->n);
    return true;
}

bool packet_tls_rsa_open(const struct tls_rsa *r, struct slice sealed, uint16_t version,
                         struct tls_secret *out)
{
    uint8_t block[TLS_SEALED_MAX];
    size_t n = sizeof block;
    if (sealed.n != (size_t)EVP_PKEY_get_size(r->key) || sealed.n > sizeof block)
        return false;
    EVP_PKEY_CTX *x = EVP_PKEY_CTX_new(r->key, NULL);
    bool ok = x && EVP_PKEY_decrypt_init(x) == 1 &&
              EVP_PKEY_CTX_set_rsa_padding(x, RSA_NO_PADDING) == 1 &&
              EVP_PKEY_decrypt(x, block, &n, (const uint8_t *)sealed.p, sealed.n) == 1;
    EVP_PKEY_CTX_free(x);
    ERR_clear_error();
    return ok && take_premaster(block, n, version, out);
}

void packet_tls_rsa_free(struct tls_rsa *r)
{
    EVP_PKEY_free(r->key);
    free(r);
}
