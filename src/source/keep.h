/* Private to source/: what the two sides of a keeper's socket say to each other. */
#ifndef SOURCE_KEEP_H
#define SOURCE_KEEP_H

#include "source/keeper.h"

#include <sys/socket.h>

struct source_request {
    uint32_t job, plan, words;
    bool start; /* false: stop it */
    char word[SOURCE_KEEPER_WORDS][SOURCE_KEEPER_WORD + 2];
};

struct source_told {
    uint32_t job;
    enum source_keeper_event event;
    int status;
};

union source_rights { /* room for two descriptors */
    struct cmsghdr align;
    char bytes[CMSG_SPACE(2 * sizeof(int))];
};

/* The process that is the keeper. */
_Noreturn void source_keep(const struct source_plan *plans, size_t n, int control);

#endif
