/* The HTTP server of --metrics: one page, for few clients at a time, each with little time.  It
 * runs on a thread of its own, so that no client holds up the capture. */
#ifndef CMD_METRICS_H
#define CMD_METRICS_H

#include "base/base.h"

#define METRICS_CLIENTS_MAX 16u /* beyond, the oldest is let go */
#define METRICS_REQUEST_MAX 8192u
#define METRICS_CLIENT_MS   5000 /* from its coming to its end */

struct metrics_server;

/* Listens on [ADDR:]PORT; *out is to be freed by metrics_server_end, whatever comes out. */
bool metrics_server_listen(struct metrics_server **out, const char *where, struct err *err);
/* Begins to serve what was published. */
bool metrics_server_start(struct metrics_server *s, struct err *err);
void metrics_server_publish(struct metrics_server *s, struct text *page); /* takes the page */
void metrics_server_end(struct metrics_server *s);                        /* NULL is allowed */

#endif
