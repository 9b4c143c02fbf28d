/* TLS keys: secrets by the client's random, from key log files that are followed while they grow
 * and from captures, and RSA private keys. */
#include "packet/tls_keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEYLOG_LINE  4096u /* the longest line that is looked at */
#define KEYLOG_CHUNK 65536u

struct entry {
    enum tls_label label;
    uint8_t id_length;
    uint8_t id[TLS_RANDOM];
    struct tls_secret secret;
};

struct key_file {
    char *path;
    int fd;        /* kept open: the rights to open it again may have been given up; -1: none yet */
    int error;     /* why it could not be opened when that was tried last */
    bool follow;   /* a regular file, or to be one: it can be read again */
    uint64_t read; /* bytes up to the last line end */
    uint64_t size; /* when it was read last */
    dev_t device;
    ino_t inode;
};

struct packet_keys {
    struct hash_key key;
    struct map map;
    VEC(struct entry) entries;
    size_t oldest; /* where entries is full: the next to go */
    uint64_t generation;
    VEC(struct key_file) files;
    VEC(struct tls_rsa *) rsa;
    struct packet_keys_stats stats;
    bool exchange; /* a premaster secret came */
};

static void free_file(struct key_file *f)
{
    if (f->fd >= 0)
        close(f->fd);
    free(f->path);
}

struct packet_keys *packet_keys_new(void)
{
    struct packet_keys *k = base_alloc(sizeof *k);
    k->key = hash_key_random();
    return k;
}

void packet_keys_free(struct packet_keys *k)
{
    if (!k)
        return;
    for (size_t i = 0; i < k->files.n; i++)
        free_file(&k->files.items[i]);
    for (size_t i = 0; i < k->rsa.n; i++)
        packet_tls_rsa_free(k->rsa.items[i]);
    vec_free(&k->files);
    vec_free(&k->rsa);
    vec_free(&k->entries);
    map_free(&k->map);
    free(k);
}

const struct packet_keys_stats *packet_keys_stats(const struct packet_keys *k)
{
    return &k->stats;
}

uint64_t packet_keys_generation(const struct packet_keys *k)
{
    return k->generation;
}

/* ---- secrets --------------------------------------------------------------------------------- */

static uint64_t hash_of(const struct packet_keys *k, enum tls_label label, struct slice id)
{
    return hash_mix(hash_slice(&k->key, id), label);
}

static struct slice id_of(const struct entry *e)
{
    return (struct slice){(const char *)e->id, e->id_length};
}

static struct entry *find(const struct packet_keys *k, enum tls_label label, struct slice id)
{
    uint64_t hash = hash_of(k, label, id);
    uint32_t i;
    for (uint32_t at = map_first(&k->map, hash); (i = map_next(&k->map, hash, &at)) != MAP_NONE;) {
        struct entry *e = &k->entries.items[i];
        if (e->label == label && slice_equal(id_of(e), id))
            return e;
    }
    return NULL;
}

bool packet_keys_find(const struct packet_keys *k, enum tls_label label, struct slice id,
                      struct tls_secret *out)
{
    const struct entry *e = find(k, label, id);
    if (e)
        *out = e->secret;
    return e != NULL;
}

static struct entry *add_entry(struct packet_keys *k, enum tls_label label, struct slice id)
{
    size_t at = k->oldest;
    if (k->entries.n < PACKET_SECRETS_MAX) {
        at = vec_next(&k->entries);
    } else {
        struct entry *old = &k->entries.items[at];
        map_remove(&k->map, hash_of(k, old->label, id_of(old)), (uint32_t)at);
        k->oldest = (at + 1) % PACKET_SECRETS_MAX;
        k->stats.evicted++;
    }
    struct entry *e = &k->entries.items[at];
    *e = (struct entry){.label = label, .id_length = (uint8_t)id.n};
    memcpy(e->id, id.p, id.n);
    map_add(&k->map, hash_of(k, label, id), (uint32_t)at);
    return e;
}

void packet_keys_put(struct packet_keys *k, enum tls_label label, struct slice id,
                     struct slice secret)
{
    struct entry *e = find(k, label, id);
    if (e && e->secret.n == secret.n && memcmp(e->secret.bytes, secret.p, secret.n) == 0)
        return;
    if (!e) {
        e = add_entry(k, label, id);
        k->stats.secrets++;
    }
    e->secret.n = (uint8_t)secret.n;
    memcpy(e->secret.bytes, secret.p, secret.n);
    k->exchange |= label == TLS_PREMASTER;
    k->generation++;
}

static void read_line(struct packet_keys *k, struct slice line)
{
    k->stats.bad_lines += !packet_keylog_line(k, line);
}

/* Reads whole lines; returns where the last of them ends. */
static size_t read_lines(struct packet_keys *k, struct slice text)
{
    size_t at = 0;
    for (size_t n; (n = slice_find(slice_from(text, at), '\n')) < text.n - at; at += n + 1)
        read_line(k, slice_first(slice_from(text, at), n));
    return at;
}

void packet_keys_add(struct packet_keys *k, struct slice text)
{
    size_t at = read_lines(k, text);
    if (at < text.n)
        read_line(k, slice_from(text, at));
}

/* ---- key log files --------------------------------------------------------------------------- */

/* A last line without its end is taken for what it is now, and read again when there is more. */
static void read_rest(struct packet_keys *k, const struct key_file *f, struct slice rest)
{
    if (f->follow)
        (void)packet_keylog_line(k, rest);
    else if (rest.n)
        read_line(k, rest);
}

static bool read_file(struct packet_keys *k, struct key_file *f, int fd)
{
    struct text text = {0};
    char *chunk = base_realloc(NULL, KEYLOG_CHUNK);
    ssize_t n;
    while ((n = read(fd, chunk, KEYLOG_CHUNK)) > 0 || (n < 0 && errno == EINTR)) {
        if (n < 0)
            continue;
        text_add(&text, (struct slice){chunk, (size_t)n});
        size_t whole = read_lines(k, text_slice(&text));
        if (whole == 0 && text.n > KEYLOG_LINE) {
            k->stats.bad_lines++;
            whole = text.n;
        }
        f->read += whole;
        memmove(text.p, text.p + whole, text.n - whole);
        text.n -= whole;
    }
    if (n == 0 && text.n)
        read_rest(k, f, text_slice(&text));
    text_free(&text);
    free(chunk);
    return n == 0;
}

/* Another file of this name, or one that was emptied, is read from its start. */
static bool changed(struct key_file *f, const struct stat *st)
{
    bool same = f->device == st->st_dev && f->inode == st->st_ino;
    if (same && f->size == (uint64_t)st->st_size)
        return false;
    if (!same || (uint64_t)st->st_size < f->read)
        f->read = 0;
    f->device = st->st_dev;
    f->inode = st->st_ino;
    f->size = (uint64_t)st->st_size;
    return true;
}

/* What is new in the file that is open. */
static bool read_new(struct packet_keys *k, struct key_file *f, struct err *err)
{
    struct stat st;
    if (fstat(f->fd, &st) != 0)
        return err_set(err, "%s: %s", f->path, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return err_set(err, "%s: is a directory, not a key log", f->path);
    f->follow = S_ISREG(st.st_mode);
    if (f->follow && (!changed(f, &st) || lseek(f->fd, (off_t)f->read, SEEK_SET) < 0))
        return true;
    return read_file(k, f, f->fd) || err_set(err, "%s: %s", f->path, strerror(errno));
}

static bool open_file(struct key_file *f, struct err *err)
{
    int fd = open(f->path, O_RDONLY | O_CLOEXEC);
    f->error = fd < 0 ? errno : 0;
    if (fd < 0)
        return err_set(err, "%s: %s", f->path, strerror(f->error));
    if (f->fd >= 0)
        close(f->fd);
    f->fd = fd;
    return true;
}

static bool add_file(struct packet_keys *k, const char *path, bool wait, struct err *err)
{
    size_t n = strlen(path) + 1;
    struct key_file f = {.path = memcpy(base_alloc(n), path, n), .fd = -1, .follow = true};
    bool opened = open_file(&f, err);
    if (opened ? !read_new(k, &f, err) : !wait || f.error != ENOENT) {
        free_file(&f);
        return false;
    }
    *vec_add(&k->files) = f;
    return true;
}

bool packet_keys_file(struct packet_keys *k, const char *path, struct err *err)
{
    return add_file(k, path, false, err);
}

bool packet_keys_await(struct packet_keys *k, const char *path, struct err *err)
{
    return add_file(k, path, true, err);
}

const char *packet_keys_absent(const struct packet_keys *k, size_t i, const char **why)
{
    for (size_t n = 0; n < k->files.n; n++) {
        const struct key_file *f = &k->files.items[n];
        if (f->fd >= 0 || i-- > 0)
            continue;
        *why = strerror(f->error);
        return f->path;
    }
    return NULL;
}

void packet_keys_refresh(struct packet_keys *k)
{
    for (size_t i = 0; i < k->files.n; i++) {
        struct key_file *f = &k->files.items[i];
        struct stat st;
        struct err err;
        bool replaced = f->follow && stat(f->path, &st) == 0 && S_ISREG(st.st_mode) &&
                        (f->device != st.st_dev || f->inode != st.st_ino);
        if (replaced)
            (void)open_file(f, &err);
        if (f->follow && f->fd >= 0)
            (void)read_new(k, f, &err);
    }
}

/* ---- RSA keys -------------------------------------------------------------------------------- */

bool packet_keys_rsa(struct packet_keys *k, const char *path, struct err *err)
{
    if (k->rsa.n >= PACKET_RSA_KEYS)
        return err_set(err, "%s: more than %u RSA keys", path, PACKET_RSA_KEYS);
    struct tls_rsa *r = packet_tls_rsa_read(path, err);
    if (r)
        *vec_add(&k->rsa) = r;
    return r != NULL;
}

bool packet_keys_exchange(const struct packet_keys *k)
{
    return k->rsa.n || k->exchange;
}

bool packet_keys_open(const struct packet_keys *k, struct slice sealed, uint16_t version,
                      struct tls_secret *out)
{
    for (size_t i = 0; i < k->rsa.n; i++)
        if (packet_tls_rsa_open(k->rsa.items[i], sealed, version, out))
            return true;
    return false;
}
