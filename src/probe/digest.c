/* Digest credentials (RFC 7616, RFC 8760, RFC 3261 22): MD5 and SHA-256, with qop auth or, as of
 * old, without any. */
#include "probe/internal.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#define CREDENTIALS_MAX 4096u

struct challenge {
    struct slice realm, nonce, opaque, algorithm; /* as between the quotes */
    bool has_opaque, qop, qop_auth, session, stale;
    const EVP_MD *digest;
};

/* ---- the challenge
 * ------------------------------------------------------------------------------- */

static struct slice unquoted(struct slice value)
{
    value = slice_trim(value);
    if (value.n > 1 && value.p[0] == '"' && value.p[value.n - 1] == '"')
        return (struct slice){value.p + 1, value.n - 2};
    return value;
}

/* Without the backslashes of a quoted string. */
static struct slice unescaped(struct arena *a, struct slice value)
{
    char *out = arena_alloc(a, value.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] == '\\' && i + 1 < value.n)
            i++;
        out[n++] = value.p[i];
    }
    return (struct slice){out, n};
}

static bool has_auth(struct slice list)
{
    struct slice element;
    while (sip_list_next(&list, &element))
        if (slice_equal_nocase(element, SLICE("auth")))
            return true;
    return false;
}

static void read_algorithm(struct challenge *c, struct slice value)
{
    static const struct {
        const char *name;
        const char *digest;
        bool session;
    } known[] = {
        {"MD5", "MD5", false},
        {"MD5-sess", "MD5", true},
        {"SHA-256", "SHA256", false},
        {"SHA-256-sess", "SHA256", true},
    };
    c->algorithm = value;
    c->digest = NULL;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (slice_equal_nocase(value, slice_of(known[i].name))) {
            c->digest = EVP_get_digestbyname(known[i].digest);
            c->session = known[i].session;
        }
}

static void read_parameter(struct challenge *c, struct slice name, struct slice value)
{
    if (slice_equal_nocase(name, SLICE("realm"))) {
        c->realm = value;
    } else if (slice_equal_nocase(name, SLICE("nonce"))) {
        c->nonce = value;
    } else if (slice_equal_nocase(name, SLICE("opaque"))) {
        c->opaque = value;
        c->has_opaque = true;
    } else if (slice_equal_nocase(name, SLICE("algorithm"))) {
        read_algorithm(c, value);
    } else if (slice_equal_nocase(name, SLICE("stale"))) {
        c->stale = slice_equal_nocase(value, SLICE("true"));
    } else if (slice_equal_nocase(name, SLICE("qop"))) {
        c->qop = true;
        c->qop_auth = has_auth(value);
    }
}

static bool read_challenge(struct challenge *c, struct slice value)
{
    struct slice element;
    *c = (struct challenge){.digest = EVP_md5()};
    if (!slice_starts_nocase(value, SLICE("Digest ")))
        return false;
    struct slice rest = slice_from(value, 7);
    while (sip_list_next(&rest, &element)) {
        size_t equals = slice_find(element, '=');
        read_parameter(c, slice_trim(slice_first(element, equals)),
                       unquoted(slice_from(element, equals + 1)));
    }
    return c->nonce.n > 0 && c->nonce.n + c->realm.n + c->opaque.n < CREDENTIALS_MAX;
}

/* ---- the answer
 * ---------------------------------------------------------------------------------- */

/* The digest of the parts with colons between them, in hexadecimal. */
static struct slice digest(struct arena *a, const EVP_MD *kind, const struct slice *parts, size_t n)
{
    static const char hex[] = "0123456789abcdef";
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    struct slice text = arena_join_list(a, parts, n, SLICE(":"));
    if (EVP_Digest(text.p, text.n, sum, &size, kind, NULL) != 1)
        return SLICE("");
    char *out = arena_alloc(a, size * 2 + 1);
    for (unsigned i = 0; i < size; i++) {
        out[2 * i] = hex[sum[i] >> 4];
        out[2 * i + 1] = hex[sum[i] & 15];
    }
    return (struct slice){out, size * 2};
}

#define DIGEST(a, kind, ...)                                                                       \
    digest(a, kind, (const struct slice[]){__VA_ARGS__},                                           \
           sizeof(const struct slice[]){__VA_ARGS__} / sizeof(struct slice))

static struct slice quoted(struct arena *a, struct slice value)
{
    struct text t = {0};
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] == '"' || value.p[i] == '\\')
            text_add_char(&t, '\\');
        text_add_char(&t, value.p[i]);
    }
    return text_keep(&t, a);
}

static struct slice respond(struct arena *a, const struct challenge *c,
                            const struct probe_credentials *who, struct slice cnonce,
                            struct slice method, struct slice uri)
{
    struct slice nonce = unescaped(a, c->nonce);
    struct slice ha1 = DIGEST(a, c->digest, who->user, unescaped(a, c->realm), who->password);
    struct slice ha2 = DIGEST(a, c->digest, method, uri);
    if (c->session)
        ha1 = DIGEST(a, c->digest, ha1, nonce, cnonce);
    if (!c->qop)
        return DIGEST(a, c->digest, ha1, nonce, ha2);
    return DIGEST(a, c->digest, ha1, nonce, SLICE("00000001"), cnonce, SLICE("auth"), ha2);
}

static struct slice write_answer(struct arena *a, const struct challenge *c,
                                 const struct probe_credentials *who, struct slice cnonce,
                                 struct slice method, struct slice uri, struct slice header)
{
    struct slice response = respond(a, c, who, cnonce, method, uri), none = SLICE("");
    struct slice tail =
        c->qop ? ARENA_JOIN(a, SLICE(", cnonce=\""), cnonce, SLICE("\", qop=auth, nc=00000001"))
        : c->session ? ARENA_JOIN(a, SLICE(", cnonce=\""), cnonce, SLICE("\""))
                     : none;
    return ARENA_JOIN(
        a, header, SLICE(": Digest username=\""), quoted(a, who->user), SLICE("\", realm=\""),
        c->realm, SLICE("\", nonce=\""), c->nonce, SLICE("\", uri=\""), quoted(a, uri),
        SLICE("\", response=\""), response, SLICE("\""),
        c->algorithm.n ? ARENA_JOIN(a, SLICE(", algorithm="), c->algorithm) : none,
        c->has_opaque ? ARENA_JOIN(a, SLICE(", opaque=\""), c->opaque, SLICE("\"")) : none, tail);
}

struct slice digest_answer(struct arena *a, struct chance *chance,
                           const struct probe_credentials *credentials,
                           const struct sip_message *challenge, struct slice method,
                           struct slice uri, bool again, struct slice *why)
{
    bool proxy = challenge->status == 407;
    struct slice wanted = proxy ? SLICE("Proxy-Authenticate") : SLICE("WWW-Authenticate");
    struct slice header = proxy ? SLICE("Proxy-Authorization") : SLICE("Authorization");
    const struct sip_header *h;
    uint32_t at = 0;
    *why = SLICE("a challenge without Digest");
    if (!credentials->user.n) {
        *why = SLICE("there are no credentials to answer it");
        return SLICE("");
    }
    while ((h = sip_header_next(challenge, at, wanted, &at)) != NULL) {
        struct challenge c;
        at++;
        if (!read_challenge(&c, sip_unfold(a, h)))
            continue;
        if (again && !c.stale)
            *why = SLICE("the credentials were refused");
        else if (credentials->realm.n && !slice_equal(unescaped(a, c.realm), credentials->realm))
            *why = SLICE("the credentials are for another realm");
        else if (!c.digest)
            *why = SLICE("its algorithm is neither MD5 nor SHA-256");
        else if (c.qop && !c.qop_auth)
            *why = SLICE("its qop is not auth");
        else
            return write_answer(a, &c, credentials, chance_letters(chance, a, 16), method, uri,
                                header);
    }
    return SLICE("");
}

/* ---- credentials
 * --------------------------------------------------------------------------------- */

/* "user:password", and the realm on a second line where there is one. */
static bool split(struct probe_credentials *c, struct arena *a, struct slice text)
{
    size_t end = slice_find(text, '\n');
    struct slice line = slice_trim(slice_first(text, end));
    struct slice next = slice_from(text, end + 1);
    size_t colon = slice_find(line, ':');
    c->user = arena_copy(a, slice_first(line, colon));
    c->password = arena_copy(a, slice_from(line, colon + 1));
    c->realm = arena_copy(a, slice_trim(slice_first(next, slice_find(next, '\n'))));
    return colon < line.n && c->user.n;
}

static bool read_text(const char *path, char *into, size_t room, struct err *err)
{
    FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    if (!f)
        return err_set(err, "%s: %s", path, strerror(errno));
    size_t n = fread(into, 1, room - 1, f);
    into[n] = '\0';
    bool ok = !ferror(f);
    if (!ok)
        err_set(err, "%s: %s", path, strerror(errno));
    if (f != stdin)
        (void)fclose(f);
    return ok;
}

bool probe_credentials_read(struct probe_credentials *c, struct arena *a, const char *path,
                            struct err *err)
{
    char text[CREDENTIALS_MAX];
    const char *given = getenv("SIPXRAY_CREDENTIALS"); // NOLINT(concurrency-mt-unsafe)
    *c = (struct probe_credentials){0};
    if (path) {
        bool ok = read_text(path, text, sizeof text, err) &&
                  (split(c, a, slice_of(text)) ||
                   err_set(err, "%s: no credentials in it; they are a line user:password", path));
        explicit_bzero(text, sizeof text);
        return ok;
    }
    return !given || split(c, a, slice_of(given)) ||
           err_set(err, "SIPXRAY_CREDENTIALS is not user:password");
}
