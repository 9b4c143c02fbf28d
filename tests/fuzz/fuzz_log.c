/* Any text, as the log of a server: it is read to its end, and what is said to stand in it does. */
#include "fuzz/file.h"
#include "source/log.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_frame(struct source *s, const struct source_frame *f)
{
    static char again[LOG_MESSAGE_MAX];
    struct err err;
    assert(f->message && f->time_ns >= 0);
    assert(f->bytes.n > 0 && f->bytes.n <= 2 * LOG_MESSAGE_MAX && f->length >= f->bytes.n);
    assert(f->length - f->bytes.n <= LOG_MESSAGE_MAX);
    if (f->offset == SOURCE_NO_OFFSET || f->bytes.n > sizeof again)
        return;
    bool read = source_read_at(s, f->offset, again, f->bytes.n, &err);
    assert(read && memcmp(again, f->bytes.p, f->bytes.n) == 0);
    (void)read;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct err err = {""};
    struct source_frame frame;
    enum source_result result;
    struct source *s = source_log_open_fd("fuzz", "log:fuzz", file_of(data, n), &err);
    if (!s) {
        assert(err.text[0]);
        return 0;
    }
    while ((result = source_next(s, &frame, &err)) == SOURCE_FRAME)
        check_frame(s, &frame);
    assert(result == SOURCE_END || err.text[0]);
    source_close(s);
    return 0;
}
