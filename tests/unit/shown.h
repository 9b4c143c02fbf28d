/* What printed text may hold, and how wide it is. */
#ifndef TESTS_UNIT_SHOWN_H
#define TESTS_UNIT_SHOWN_H

#include "base/base.h"

#include "unit.h"

/* No control byte but the line end, no bad UTF-8, nothing that reorders text. */
static inline void shown_harmless(struct slice s)
{
    while (s.n) {
        uint32_t code = 0;
        size_t n = utf8_decode(s, &code);
        assert_true(n > 0);
        assert_true(code == '\n' ||
                    (code >= 0x20 && code != 0x7f && !(code >= 0x80 && code < 0xa0)));
        assert_true(code < 0x202a || code > 0x202e);
        assert_true(code != 0x200b);
        s = slice_from(s, n);
    }
}

static inline size_t shown_width(const char *s)
{
    size_t widest = 0;
    for (size_t n; *s; s += n + (s[n] == '\n')) {
        n = strcspn(s, "\n");
        size_t width = text_width((struct slice){s, n});
        widest = width > widest ? width : widest;
    }
    return widest;
}

#endif
