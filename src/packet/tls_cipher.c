/* Opens TLS records: cipher suites, AEAD ciphers, and CBC with its MAC. */
#include "packet/tls.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdlib.h>

#define CBC_BLOCK  16u
#define NONCE      12u
#define EXPLICIT   8u  /* bytes of the nonce that stand in the record (RFC 5288) */
#define ADDITIONAL 13u /* number, type, version, length (RFC 5246 6.2.3.3) */

/* ---- suites ---------------------------------------------------------------------------------- */

enum kind_id {
    AES_128_SHA,
    AES_256_SHA,
    AES_128_SHA256,
    AES_256_SHA256,
    AES_256_SHA384,
    AES_128_GCM,
    AES_256_GCM,
    AES_128_CCM,
    AES_256_CCM,
    AES_128_CCM_8,
    AES_256_CCM_8,
    CHACHA,
};

static const struct tls_kind kinds[] = {
    [AES_128_SHA] = {"AES-128-CBC", "SHA1", "SHA256", TLS_CBC, 16, 16, 20, 32},
    [AES_256_SHA] = {"AES-256-CBC", "SHA1", "SHA256", TLS_CBC, 32, 16, 20, 32},
    [AES_128_SHA256] = {"AES-128-CBC", "SHA256", "SHA256", TLS_CBC, 16, 16, 32, 32},
    [AES_256_SHA256] = {"AES-256-CBC", "SHA256", "SHA256", TLS_CBC, 32, 16, 32, 32},
    [AES_256_SHA384] = {"AES-256-CBC", "SHA384", "SHA384", TLS_CBC, 32, 16, 48, 48},
    [AES_128_GCM] = {"AES-128-GCM", NULL, "SHA256", TLS_GCM, 16, 4, 0, 32},
    [AES_256_GCM] = {"AES-256-GCM", NULL, "SHA384", TLS_GCM, 32, 4, 0, 48},
    [AES_128_CCM] = {"AES-128-CCM", NULL, "SHA256", TLS_CCM, 16, 4, 0, 32},
    [AES_256_CCM] = {"AES-256-CCM", NULL, "SHA256", TLS_CCM, 32, 4, 0, 32},
    [AES_128_CCM_8] = {"AES-128-CCM", NULL, "SHA256", TLS_CCM_8, 16, 4, 0, 32},
    [AES_256_CCM_8] = {"AES-256-CCM", NULL, "SHA256", TLS_CCM_8, 32, 4, 0, 32},
    [CHACHA] = {"ChaCha20-Poly1305", NULL, "SHA256", TLS_CHACHA, 32, 12, 0, 32},
};

/* IANA's numbers in runs; in some, even and odd ones differ. */
static const struct {
    uint16_t first, last;
    enum kind_id even, odd;
} suites[] = {
    {0x002f, 0x0034, AES_128_SHA, AES_128_SHA},
    {0x0035, 0x003a, AES_256_SHA, AES_256_SHA},
    {0x003c, 0x003d, AES_128_SHA256, AES_256_SHA256},
    {0x003e, 0x0040, AES_128_SHA256, AES_128_SHA256},
    {0x0067, 0x0067, AES_128_SHA256, AES_128_SHA256},
    {0x0068, 0x006b, AES_256_SHA256, AES_256_SHA256},
    {0x006c, 0x006d, AES_128_SHA256, AES_256_SHA256},
    {0x008c, 0x008d, AES_128_SHA, AES_256_SHA},
    {0x0090, 0x0091, AES_128_SHA, AES_256_SHA},
    {0x0094, 0x0095, AES_128_SHA, AES_256_SHA},
    {0x009c, 0x00ad, AES_128_GCM, AES_256_GCM},
    {0x00ae, 0x00af, AES_128_SHA256, AES_256_SHA384},
    {0x00b2, 0x00b3, AES_128_SHA256, AES_256_SHA384},
    {0x00b6, 0x00b7, AES_128_SHA256, AES_256_SHA384},
    {0x1301, 0x1301, AES_128_GCM, AES_128_GCM},
    {0x1302, 0x1302, AES_256_GCM, AES_256_GCM},
    {0x1303, 0x1303, CHACHA, CHACHA},
    {0x1304, 0x1304, AES_128_CCM, AES_128_CCM},
    {0x1305, 0x1305, AES_128_CCM_8, AES_128_CCM_8},
    {0xc004, 0xc005, AES_128_SHA, AES_256_SHA},
    {0xc009, 0xc00a, AES_256_SHA, AES_128_SHA},
    {0xc00e, 0xc00f, AES_128_SHA, AES_256_SHA},
    {0xc013, 0xc014, AES_256_SHA, AES_128_SHA},
    {0xc018, 0xc019, AES_128_SHA, AES_256_SHA},
    {0xc023, 0xc02a, AES_256_SHA384, AES_128_SHA256},
    {0xc02b, 0xc032, AES_256_GCM, AES_128_GCM},
    {0xc035, 0xc036, AES_256_SHA, AES_128_SHA},
    {0xc037, 0xc038, AES_256_SHA384, AES_128_SHA256},
    {0xc09c, 0xc09f, AES_128_CCM, AES_256_CCM},
    {0xc0a0, 0xc0a3, AES_128_CCM_8, AES_256_CCM_8},
    {0xc0a4, 0xc0a7, AES_128_CCM, AES_256_CCM},
    {0xc0a8, 0xc0ab, AES_128_CCM_8, AES_256_CCM_8},
    {0xc0ac, 0xc0ad, AES_128_CCM, AES_256_CCM},
    {0xc0ae, 0xc0af, AES_128_CCM_8, AES_256_CCM_8},
    {0xcca8, 0xccae, CHACHA, CHACHA},
    {0xd001, 0xd002, AES_256_GCM, AES_128_GCM},
    {0xd003, 0xd003, AES_128_CCM_8, AES_128_CCM_8},
    {0xd005, 0xd005, AES_128_CCM, AES_128_CCM},
};

const struct tls_kind *packet_tls_kind(uint16_t suite)
{
    for (size_t i = 0; i < sizeof suites / sizeof *suites; i++)
        if (suite >= suites[i].first && suite <= suites[i].last)
            return &kinds[suite % 2 ? suites[i].odd : suites[i].even];
    return NULL;
}

/* ---- keys ------------------------------------------------------------------------------------ */

struct tls_cipher {
    const struct tls_kind *kind;
    uint16_t version;
    bool encrypt_then_mac;
    EVP_CIPHER_CTX *cipher;
    EVP_MAC_CTX *mac;
    struct tls_material material; /* its iv: TLS 1.0 has the last block of the record before */
};

static EVP_CIPHER_CTX *new_cipher(const struct tls_kind *kind, const uint8_t *key)
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, kind->cipher, NULL);
    EVP_CIPHER_CTX *x = EVP_CIPHER_CTX_new();
    bool aead = kind->mode != TLS_CBC, late_key = kind->mode == TLS_CCM || kind->mode == TLS_CCM_8;
    bool ok = cipher && x && EVP_DecryptInit_ex(x, cipher, NULL, NULL, NULL) == 1 &&
              (!aead || EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_AEAD_SET_IVLEN, NONCE, NULL) == 1) &&
              (late_key || EVP_DecryptInit_ex(x, NULL, NULL, key, NULL) == 1) &&
              EVP_CIPHER_CTX_set_padding(x, 0) == 1;
    EVP_CIPHER_free(cipher);
    if (ok)
        return x;
    EVP_CIPHER_CTX_free(x);
    return NULL;
}

static EVP_MAC_CTX *new_mac(const struct tls_kind *kind, const uint8_t *key)
{
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *x = EVP_MAC_CTX_new(hmac);
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)(uintptr_t)kind->mac, 0),
        OSSL_PARAM_construct_end()};
    EVP_MAC_free(hmac);
    if (x && EVP_MAC_init(x, key, kind->mac_length, params) == 1)
        return x;
    EVP_MAC_CTX_free(x);
    return NULL;
}

struct tls_cipher *packet_tls_cipher_new(const struct tls_kind *kind, uint16_t version,
                                         bool encrypt_then_mac, const struct tls_material *m)
{
    struct tls_cipher *c = base_alloc(sizeof *c);
    *c = (struct tls_cipher){
        .kind = kind, .version = version, .encrypt_then_mac = encrypt_then_mac, .material = *m};
    c->cipher = new_cipher(kind, m->key);
    if (kind->mode == TLS_CBC)
        c->mac = new_mac(kind, m->mac);
    if (c->cipher && (c->mac || kind->mode != TLS_CBC))
        return c;
    packet_tls_cipher_free(c);
    return NULL;
}

void packet_tls_cipher_free(struct tls_cipher *c)
{
    if (!c)
        return;
    EVP_CIPHER_CTX_free(c->cipher);
    EVP_MAC_CTX_free(c->mac);
    free(c);
}

/* ---- AEAD ------------------------------------------------------------------------------------ */

static void put_number(uint8_t *out, uint64_t number)
{
    for (size_t i = 0; i < 8; i++)
        out[i] = (uint8_t)(number >> (56 - 8 * i));
}

static size_t put_additional(const struct tls_cipher *c, uint64_t number,
                             const struct tls_record *r, size_t length, uint8_t *out)
{
    uint8_t *p = out;
    if (c->version < TLS_1_3) {
        put_number(p, number);
        p += 8;
    } else {
        length = r->body.n;
    }
    *p++ = r->type;
    *p++ = (uint8_t)(r->version >> 8);
    *p++ = (uint8_t)r->version;
    *p++ = (uint8_t)(length >> 8);
    *p++ = (uint8_t)length;
    return (size_t)(p - out);
}

/* RFC 5288 and 6655: salt and explicit part; RFC 7905 and 8446 5.3: the number over the IV. */
static void make_nonce(const struct tls_cipher *c, uint64_t number, const char *explicit_part,
                       uint8_t nonce[NONCE])
{
    memcpy(nonce, c->material.iv, NONCE);
    if (explicit_part) {
        memcpy(nonce + NONCE - EXPLICIT, explicit_part, EXPLICIT);
        return;
    }
    for (size_t i = 0; i < 8; i++)
        nonce[4 + i] ^= (uint8_t)(number >> (56 - 8 * i));
}

static bool decrypt_aead(struct tls_cipher *c, const uint8_t *nonce, struct slice additional,
                         struct slice body, struct slice tag, uint8_t *out)
{
    EVP_CIPHER_CTX *x = c->cipher;
    bool ccm = c->kind->mode == TLS_CCM || c->kind->mode == TLS_CCM_8;
    int n, body_n = (int)body.n;
    uint8_t tag_bytes[16];
    memcpy(tag_bytes, tag.p, tag.n);
    if (!ccm && EVP_DecryptInit_ex(x, NULL, NULL, NULL, nonce) != 1)
        return false;
    if (EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_AEAD_SET_TAG, (int)tag.n, tag_bytes) != 1)
        return false;
    if (ccm && (EVP_DecryptInit_ex(x, NULL, NULL, c->material.key, nonce) != 1 ||
                EVP_DecryptUpdate(x, NULL, &n, NULL, body_n) != 1))
        return false;
    return EVP_DecryptUpdate(x, NULL, &n, (const uint8_t *)additional.p, (int)additional.n) == 1 &&
           EVP_DecryptUpdate(x, out, &n, (const uint8_t *)body.p, body_n) == 1 &&
           (ccm || EVP_DecryptFinal_ex(x, out + n, &n) == 1);
}

static bool open_aead(struct tls_cipher *c, uint64_t number, const struct tls_record *r,
                      uint8_t *out, size_t *n)
{
    size_t before = packet_tls_cipher_lead(c), tag = c->kind->mode == TLS_CCM_8 ? 8 : 16;
    uint8_t nonce[NONCE], additional[ADDITIONAL];
    if (r->body.n < before + tag)
        return false;
    *n = r->body.n - before - tag;
    make_nonce(c, number, before ? r->body.p : NULL, nonce);
    size_t additional_n = put_additional(c, number, r, *n, additional);
    return decrypt_aead(c, nonce, (struct slice){(char *)additional, additional_n},
                        slice_first(slice_from(r->body, before), *n),
                        slice_from(r->body, before + *n), out);
}

/* ---- CBC ------------------------------------------------------------------------------------- */

static bool mac_fits(struct tls_cipher *c, uint64_t number, const struct tls_record *r,
                     struct slice bytes, const uint8_t *mac)
{
    uint8_t head[ADDITIONAL], is[EVP_MAX_MD_SIZE];
    size_t n = put_additional(c, number, r, bytes.n, head);
    return EVP_MAC_init(c->mac, NULL, 0, NULL) == 1 && EVP_MAC_update(c->mac, head, n) == 1 &&
           EVP_MAC_update(c->mac, (const uint8_t *)bytes.p, bytes.n) == 1 &&
           EVP_MAC_final(c->mac, is, &n, sizeof is) == 1 && n == c->kind->mac_length &&
           memcmp(is, mac, n) == 0;
}

/* Takes the padding off: its length stands in each of its bytes and once more (RFC 5246 6.2.3.2).
 */
static bool take_padding(const uint8_t *out, size_t *n)
{
    size_t padding = *n ? out[*n - 1] + 1u : 1;
    if (padding > *n)
        return false;
    for (size_t i = *n - padding; i < *n; i++)
        if (out[i] != padding - 1)
            return false;
    *n -= padding;
    return true;
}

static bool decrypt_cbc(struct tls_cipher *c, struct slice body, uint8_t *out, size_t *n)
{
    const uint8_t *iv = c->material.iv;
    int done = 0, rest = 0;
    if (c->version >= TLS_1_1) {
        iv = (const uint8_t *)body.p;
        body = slice_from(body, CBC_BLOCK);
    }
    if (body.n == 0 || body.n % CBC_BLOCK ||
        EVP_DecryptInit_ex(c->cipher, NULL, NULL, NULL, iv) != 1 ||
        EVP_DecryptUpdate(c->cipher, out, &done, (const uint8_t *)body.p, (int)body.n) != 1 ||
        EVP_DecryptFinal_ex(c->cipher, out + done, &rest) != 1)
        return false;
    *n = (size_t)done + (size_t)rest;
    return take_padding(out, n);
}

static bool open_cbc(struct tls_cipher *c, uint64_t number, const struct tls_record *r,
                     uint8_t *out, size_t *n)
{
    size_t mac = c->kind->mac_length;
    struct slice body = r->body;
    if (body.n < CBC_BLOCK + (c->encrypt_then_mac ? mac : 0))
        return false;
    if (c->encrypt_then_mac) { /* RFC 7366 */
        const uint8_t *at = (const uint8_t *)body.p + body.n - mac;
        body.n -= mac;
        return mac_fits(c, number, r, body, at) && decrypt_cbc(c, body, out, n);
    }
    if (!decrypt_cbc(c, body, out, n) || *n < mac)
        return false;
    *n -= mac;
    return mac_fits(c, number, r, (struct slice){(char *)out, *n}, out + *n);
}

bool packet_tls_cipher_open(struct tls_cipher *c, uint64_t number, const struct tls_record *r,
                            uint8_t *out, size_t *n)
{
    return c->kind->mode == TLS_CBC ? open_cbc(c, number, r, out, n)
                                    : open_aead(c, number, r, out, n);
}

void packet_tls_cipher_pass(struct tls_cipher *c, const struct tls_record *r)
{
    size_t mac = c->encrypt_then_mac ? c->kind->mac_length : 0;
    if (c->kind->mode == TLS_CBC && c->version < TLS_1_1 && r->body.n >= CBC_BLOCK + mac)
        memcpy(c->material.iv, r->body.p + r->body.n - mac - CBC_BLOCK, CBC_BLOCK);
}

size_t packet_tls_cipher_lead(const struct tls_cipher *c)
{
    if (!c)
        return 0;
    if (c->kind->mode == TLS_CBC)
        return c->version >= TLS_1_1 ? CBC_BLOCK : 0;
    return c->version < TLS_1_3 && c->kind->mode != TLS_CHACHA ? EXPLICIT : 0;
}
