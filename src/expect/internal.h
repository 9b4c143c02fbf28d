/* What the files of expect/ share. */
#ifndef EXPECT_INTERNAL_H
#define EXPECT_INTERNAL_H

#include "expect/expect.h"

/* `path` with a member added: "items[0].headers", and path["five9.queue"] for a key that is no
 * plain word. */
struct slice expect_path_add(struct arena *a, struct slice path, struct slice key);
/* Would LiveKit drop this entry of allowed_addresses before it compares? */
bool expect_address_dropped(struct slice entry);
/* `address` of an outbound trunk without scheme, port, parameters and brackets. */
struct slice expect_address_host(struct slice address);
struct slice expect_trunk_label(struct arena *a, const struct expect_trunk *t); /* ST_x "name" */

#endif
