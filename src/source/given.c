/* Messages that the program itself sent and received, as a source beside files and interfaces. */
#include "source/internal.h"

#include <stdlib.h>

struct given {
    VEC(struct source_given) messages; /* their bytes are copies */
    size_t next;
    bool ended;
    struct source_message current; /* of the frame handed out last */
};

static enum source_result next_given(struct source *s, struct source_frame *frame, struct err *err)
{
    struct given *g = s->state;
    (void)err;
    if (g->next == g->messages.n)
        return g->ended || s->stopping ? SOURCE_END : SOURCE_WAIT;
    const struct source_given *m = &g->messages.items[g->next++];
    g->current = m->message;
    *frame = (struct source_frame){
        .bytes = m->bytes,
        .length = (uint32_t)m->bytes.n,
        .link_type = -1,
        .time_ns = m->time_ns,
        .offset = SOURCE_NO_OFFSET,
        .direction = m->direction,
        .message = &g->current,
    };
    return SOURCE_FRAME;
}

static void close_given(struct source *s)
{
    struct given *g = s->state;
    for (size_t i = 0; i < g->messages.n; i++)
        free((char *)(uintptr_t)g->messages.items[i].bytes.p);
    vec_free(&g->messages);
    free(g);
}

static const struct source_format format_given = {
    "messages", NULL, NULL, next_given, NULL, close_given,
};

struct source *source_given_new(const char *name, const char *label)
{
    struct source *s = source_new(name, label);
    s->state = base_alloc(sizeof(struct given));
    s->format = &format_given;
    s->opened = true;
    s->stats.live = true;
    return s;
}

void source_given_add(struct source *s, const struct source_given *message)
{
    struct given *g = s->state;
    char *copy = base_alloc(message->bytes.n + 1);
    if (message->bytes.n)
        memcpy(copy, message->bytes.p, message->bytes.n);
    struct source_given *m = vec_add(&g->messages);
    *m = *message;
    m->bytes = (struct slice){copy, message->bytes.n};
}

void source_given_end(struct source *s)
{
    struct given *g = s->state;
    g->ended = true;
    s->stats.live = false; /* all of it is there: nobody has to wait */
}
