/* The headers of one message hop by hop. */
#include "view/internal.h"

VEC_TYPE(names, struct slice);

static bool listed(const struct names *list, struct slice name)
{
    for (size_t i = 0; i < list->n; i++)
        if (sip_name_equal(list->items[i], name))
            return true;
    return false;
}

/* False: there is no room for it. */
static bool list_name(struct names *list, struct slice name)
{
    if (listed(list, name))
        return true;
    if (list->n == VIEW_MATRIX_MAX)
        return false;
    *vec_add(list) = name;
    return true;
}

/* Every header of every sighting, in the order in which they are met. */
static void list_all(struct names *list, struct view_matrix *m, const struct hop_journey *j)
{
    for (size_t i = 0; i < j->step_count; i++) {
        const struct sip_message *message = j->steps[i].sighting->message;
        uint64_t left_out = 0;
        for (uint32_t k = 0; k < message->header_count; k++)
            left_out += !list_name(list, message->headers[k].name);
        m->left_out = left_out > m->left_out ? left_out : m->left_out;
    }
}

/* Where it is absent it differs from where it is there; what was not captured does not tell. */
static bool is_changed(const struct check_header *h, size_t n)
{
    bool present = false, missing = false;
    for (size_t i = 0; i < n; i++) {
        if (h->states[i] == CHECK_STATE_ALTERED)
            return true;
        present |= h->states[i] == CHECK_STATE_PRESENT;
        missing |= h->states[i] == CHECK_STATE_MISSING;
    }
    return present && missing;
}

static void classify(struct arena *a, const struct view_options *o, struct view_matrix *m)
{
    size_t n = m->request.header_count;
    enum view_header_class *classes = ARENA_ARRAY(a, enum view_header_class, n);
    bool *changed = ARENA_ARRAY(a, bool, n);
    for (size_t i = 0; i < n; i++) {
        classes[i] = view_class_of(o, m->request.headers[i].name);
        changed[i] = is_changed(&m->request.headers[i], m->request.sighting_count);
    }
    m->classes = classes;
    m->changed = changed;
}

static bool is_judged(const struct check_request *judged, struct slice name)
{
    for (size_t i = 0; judged && i < judged->header_count; i++)
        if (sip_name_equal(judged->headers[i].name, name))
            return true;
    return false;
}

/* What is promised stands as it was judged. */
static void take_judged(struct arena *a, const struct check_request *judged, struct view_matrix *m)
{
    struct check_header *headers = ARENA_ARRAY(a, struct check_header, m->request.header_count);
    for (size_t i = 0; i < m->request.header_count; i++) {
        headers[i] = m->request.headers[i];
        for (size_t k = 0; k < judged->header_count; k++)
            if (sip_name_equal(judged->headers[k].name, headers[i].name))
                headers[i] = judged->headers[k];
    }
    m->request.headers = headers;
}

/* Custom headers first, then others that change. */
static void keep_key(struct arena *a, const struct view_options *o,
                     const struct check_request *judged, struct view_matrix *m)
{
    struct check_header *kept = ARENA_ARRAY(a, struct check_header, m->request.header_count);
    size_t n = 0;
    for (int of = VIEW_CUSTOM; of <= VIEW_OTHER; of++)
        for (size_t i = 0; i < m->request.header_count; i++)
            if (m->classes[i] == (enum view_header_class)of &&
                (of == VIEW_CUSTOM || m->changed[i] ||
                 is_judged(judged, m->request.headers[i].name)))
                kept[n++] = m->request.headers[i];
    m->request.headers = kept;
    m->request.header_count = n;
    classify(a, o, m);
}

void view_matrix_build(struct arena *a, const struct hop_call *call, const struct hop_journey *j,
                       const struct view_options *o, enum view_matrix_rows rows,
                       struct view_matrix *out)
{
    const struct check_request *judged = view_judged(o, j);
    struct names list = {0};
    *out = (struct view_matrix){0};
    for (size_t i = 0; judged && rows != VIEW_ROWS_NAMED && i < judged->header_count; i++)
        (void)list_name(&list, judged->headers[i].name);
    for (size_t i = 0; rows == VIEW_ROWS_NAMED && i < o->name_count; i++)
        out->left_out += !list_name(&list, o->names[i]);
    if (rows != VIEW_ROWS_NAMED)
        list_all(&list, out, j);
    check_follow(a, call, j, list.items, list.n, &out->request);
    vec_free(&list);
    if (judged)
        take_judged(a, judged, out);
    classify(a, o, out);
    if (rows == VIEW_ROWS_KEY)
        keep_key(a, o, judged, out);
}
