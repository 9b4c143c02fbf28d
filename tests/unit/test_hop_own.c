/* Unit tests of hop/: whose address is whose, by what the host did to the frames. */
#include "lab.h"

/* A point saw a message from a to b, and one back: whose capture is that? */
static void test_owner(void **state)
{
    static const struct {
        enum source_direction there, back;
        char owner; /* 0: not known, for the host sends on what others send */
    } cases[] = {
        {SOURCE_IN, SOURCE_OUT, 'b'},        {SOURCE_OUT, SOURCE_IN, 'a'},
        {SOURCE_IN, SOURCE_UNKNOWN, 'b'},    {SOURCE_IN, SOURCE_IN, 0},
        {SOURCE_IN, SOURCE_IN_WITHIN, 0},    {SOURCE_OUT_WITHIN, SOURCE_OUT, 0},
        {SOURCE_OUT, SOURCE_IN_WITHIN, 'a'}, {SOURCE_IN_WITHIN, SOURCE_OUT_WITHIN, 0},
    };
    struct endpoint a = lab_endpoint("10.0.0.1"), b = lab_endpoint("10.0.0.2");
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct hash_key key = hash_key_of(1, 2);
        struct hop_nodes *n = hop_nodes_new(&key);
        hop_nodes_add_point(n, "p");
        hop_nodes_saw(n, 0, &a, &b, cases[i].there);
        hop_nodes_saw(n, 0, &b, &a, cases[i].back);
        hop_nodes_settle(n);
        uint32_t node = hop_node_of_point(n, 0);
        char owner = node == HOP_NODE_NONE ? 0 : node == hop_node_at(n, &a) ? 'a' : 'b';
        if (owner != cases[i].owner)
            fail_msg("case %zu: '%c'", i, owner ? owner : '-');
        hop_nodes_free(n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_owner)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
