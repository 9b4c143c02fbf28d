/* TLS keys: secrets by the client's random (NSS key log format), and RSA private keys. */
#include "packet/internal.h"

#include <stdlib.h>

struct packet_keys {
    struct hash_key key;
};

struct packet_keys *packet_keys_new(void)
{
    return base_alloc(sizeof(struct packet_keys));
}

void packet_keys_free(struct packet_keys *k)
{
    free(k);
}

bool packet_keys_file(struct packet_keys *k, const char *path, struct err *err)
{
    (void)k;
    return err_set(err, "%s: not read yet", path);
}

bool packet_keys_rsa(struct packet_keys *k, const char *path, struct err *err)
{
    (void)k;
    return err_set(err, "%s: not read yet", path);
}

void packet_keys_add(struct packet_keys *k, struct slice text)
{
    (void)k;
    (void)text;
}
