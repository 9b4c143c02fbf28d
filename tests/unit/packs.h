/* Rule packs in a test: a call over one proxy whose INVITE and BYE have the headers of a case, and
 * what a pack finds on it. */
#ifndef TESTS_UNIT_PACKS_H
#define TESTS_UNIT_PACKS_H

#include "path.h"

struct pack_case {
    const char *name;
    const char *invite, *bye; /* header lines; LiveKit sends the BYE */
    const char *found;        /* a line for each finding */
    struct path_change change;
};

static const struct dialog packs_dialog = {"c1", "far", "SCL_aaaaaaaaaaaa", "+14155550100",
                                           "+15105550100"};

static inline struct path packs_path(struct lab *lab)
{
    struct path p = {.lab = lab,
                     .n = 3,
                     .nodes = {{.name = "carrier", .left = "203.0.113.20"},
                               {.name = "kam1", .left = "203.0.113.1", .right = "10.0.1.1"},
                               {.name = "livekit", .left = "10.0.1.10"}}};
    lab->now_ms = 1000000000;
    if (!lab->point_count)
        for (size_t i = 1; i < p.n; i++)
            lab_point(lab, p.nodes[i].name, LAB_SLL2);
    return p;
}

static inline void packs_judge(struct lab *lab, const struct pack_case *c)
{
    struct path p = packs_path(lab);
    p.changes[0] = c->change;
    path_call(&p, &packs_dialog, c->invite);
    path_ask(&p, &packs_dialog,
             (struct told){.method = "BYE", .cseq = 1, .up = true, .headers = c->bye});
    lab_run(lab);
    if (strcmp(lab->ruled.p, c->found) != 0) {
        print_error("%s\n", c->name);
        assert_string_equal(lab->ruled.p, c->found);
    }
}

#endif
