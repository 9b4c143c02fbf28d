/* The log of a run, and the two clocks. */
#include "probe/internal.h"

#include <time.h>

static int64_t clock_ns(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

int64_t clock_ms(void)
{
    return clock_ns(CLOCK_MONOTONIC) / 1000000;
}

int64_t clock_wall_ns(void)
{
    return clock_ns(CLOCK_REALTIME);
}

uint32_t log_add(struct probe_log *log, const struct probe_entry *entry)
{
    size_t size = entry->bytes.n + entry->text.n;
    if (log->entries.n >= PROBE_LOG_ENTRIES_MAX || size > PROBE_LOG_BYTES_MAX - log->bytes) {
        log->counts.log_left_out++;
        return PROBE_NONE;
    }
    log->bytes += size;
    struct probe_entry copy = *entry;
    copy.bytes = arena_copy(&log->arena, entry->bytes);
    copy.text = arena_copy(&log->arena, entry->text);
    copy.time_ns = clock_wall_ns();
    *vec_add(&log->entries) = copy;
    return (uint32_t)log->entries.n - 1;
}

void log_clear(struct probe_log *log)
{
    vec_clear(&log->entries);
    arena_reset(&log->arena);
    log->bytes = 0;
}

void probe_log_free(struct probe_log *log)
{
    vec_free(&log->entries);
    arena_free(&log->arena);
}
