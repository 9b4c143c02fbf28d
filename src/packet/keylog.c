/* Lines of a key log: the NSS key log format (draft-ietf-tls-keylogfile) and what wrote such files
 * before it. */
#include "packet/tls_keys.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)ascii_lower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Bytes from hexadecimal digits; 0: something else, or more than `max`. */
static size_t take_hex(struct slice text, uint8_t *out, size_t max)
{
    if (text.n % 2 || text.n / 2 > max)
        return 0;
    for (size_t i = 0; i < text.n / 2; i++) {
        int high = hex_digit(text.p[2 * i]), low = hex_digit(text.p[2 * i + 1]);
        if (high < 0 || low < 0)
            return 0;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return text.n / 2;
}

static struct slice take_word(struct slice *line)
{
    size_t n = 0;
    *line = slice_trim(*line);
    while (n < line->n && line->p[n] != ' ' && line->p[n] != '\t')
        n++;
    struct slice word = slice_first(*line, n);
    *line = slice_trim(slice_from(*line, n));
    return word;
}

/* ---- lines ----------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    enum tls_label label;
    size_t id, least, most; /* bytes of the id and of the secret */
} labels[] = {
    {"CLIENT_RANDOM", TLS_MASTER, TLS_RANDOM, TLS_MASTER_LENGTH, TLS_MASTER_LENGTH},
    {"CLIENT_EARLY_TRAFFIC_SECRET", TLS_EARLY, TLS_RANDOM, 32, TLS_HASH_MAX},
    {"CLIENT_HANDSHAKE_TRAFFIC_SECRET", TLS_CLIENT_HANDSHAKE, TLS_RANDOM, 32, TLS_HASH_MAX},
    {"SERVER_HANDSHAKE_TRAFFIC_SECRET", TLS_SERVER_HANDSHAKE, TLS_RANDOM, 32, TLS_HASH_MAX},
    {"CLIENT_TRAFFIC_SECRET_0", TLS_CLIENT_TRAFFIC, TLS_RANDOM, 32, TLS_HASH_MAX},
    {"SERVER_TRAFFIC_SECRET_0", TLS_SERVER_TRAFFIC, TLS_RANDOM, 32, TLS_HASH_MAX},
    {"RSA", TLS_PREMASTER, 8, TLS_MASTER_LENGTH, TLS_MASTER_LENGTH},
};

static bool put_line(struct packet_keys *k, enum tls_label label, struct slice id_text,
                     struct slice secret_text, size_t id_least, size_t id_most, size_t least,
                     size_t most)
{
    uint8_t id[TLS_RANDOM], secret[TLS_HASH_MAX];
    size_t id_n = take_hex(id_text, id, id_most), n = take_hex(secret_text, secret, most);
    if (id_n < id_least || n < least || n % 16)
        return false;
    packet_keys_put(k, label, (struct slice){(const char *)id, id_n},
                    (struct slice){(const char *)secret, n});
    return true;
}

/* RSA Session-ID:... Master-Key:... */
static bool read_session(struct packet_keys *k, struct slice id, struct slice master)
{
    struct slice id_name = SLICE("Session-ID:"), master_name = SLICE("Master-Key:");
    return slice_starts_nocase(id, id_name) && slice_starts_nocase(master, master_name) &&
           put_line(k, TLS_SESSION, slice_from(id, id_name.n), slice_from(master, master_name.n), 1,
                    TLS_RANDOM, TLS_MASTER_LENGTH, TLS_MASTER_LENGTH);
}

/* Further labels of the format (EXPORTER_SECRET ...) are well known to be of no use. */
static bool is_other_label(struct slice name, struct slice id, struct slice secret)
{
    uint8_t bytes[256];
    for (size_t i = 0; i < name.n; i++)
        if (!(name.p[i] == '_' || (name.p[i] >= 'A' && name.p[i] <= 'Z') ||
              (name.p[i] >= '0' && name.p[i] <= '9')))
            return false;
    return name.n && take_hex(id, bytes, sizeof bytes) && take_hex(secret, bytes, sizeof bytes);
}

bool packet_keylog_line(struct packet_keys *k, struct slice line)
{
    line = slice_trim(line);
    if (line.n == 0 || line.p[0] == '#')
        return true;
    struct slice name = take_word(&line), id = take_word(&line), secret = take_word(&line);
    if (line.n)
        return false;
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
        if (slice_is(name, labels[i].name))
            return put_line(k, labels[i].label, id, secret, labels[i].id, labels[i].id,
                            labels[i].least, labels[i].most) ||
                   (labels[i].label == TLS_PREMASTER && read_session(k, id, secret));
    return is_other_label(name, id, secret);
}

static void add_hex(struct text *out, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        text_printf(out, "%02x", (uint8_t)bytes[i]);
}

void packet_keylog_write(struct text *out, enum tls_label label, struct slice id,
                         const struct tls_secret *secret)
{
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
        if (labels[i].label == label) {
            text_printf(out, "%s ", labels[i].name);
            add_hex(out, id.p, id.n);
            text_add_char(out, ' ');
            add_hex(out, (const char *)secret->bytes, secret->n);
            text_add_char(out, '\n');
            return;
        }
}
