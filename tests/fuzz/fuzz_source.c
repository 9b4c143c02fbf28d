/* Any file: it is opened, filtered where its second byte is odd, and read to its end. */
#include "fuzz/file.h"
#include "source/internal.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* What is read again at a frame's offset is the frame. */
static void check_again(struct source *s, const struct source_frame *frame)
{
    char again[4096];
    struct err err;
    if (frame->offset == SOURCE_NO_OFFSET || frame->bytes.n > sizeof again)
        return;
    bool read = source_read_at(s, frame->offset, again, frame->bytes.n, &err);
    assert(read);
    assert(frame->bytes.n == 0 || memcmp(again, frame->bytes.p, frame->bytes.n) == 0);
    (void)read;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct err err = {""};
    struct source_frame frame;
    enum source_result result;
    uint32_t frames = 0;
    volatile char sum = 0;
    struct source *s = source_open_fd("fuzz", "fuzz", file_of(data, n), &err);
    if (!s) {
        assert(err.text[0]);
        return 0;
    }
    if (n > 1 && data[1] & 1)
        source_filter(s, "udp port 5060 or ip6", &err);
    while ((result = source_next(s, &frame, &err)) == SOURCE_FRAME) {
        assert(frame.number > frames && frame.time_ns >= 0);
        frames = frame.number;
        for (size_t i = 0; i < frame.bytes.n; i++)
            sum = (char)(sum + frame.bytes.p[i]);
        check_again(s, &frame);
    }
    assert(result == SOURCE_END || err.text[0]);
    assert(source_stats(s)->frames + source_stats(s)->filtered >= frames);
    source_close(s);
    return 0;
}
