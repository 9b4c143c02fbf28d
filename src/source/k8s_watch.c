/* What `kubectl get --watch --output-watch-events -o json` prints: one JSON object after the other,
 * each an event with a pod in it. */
#include "source/k8s.h"

#include <stdlib.h>

/* ---- objects --------------------------------------------------------------------------------- */

/* The length of the object at the front, or 0 where its end is not there. */
static size_t object_length(struct slice s)
{
    size_t depth = 0;
    bool string = false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (string) {
            i += c == '\\';
            string = c != '"';
        } else if (c == '"') {
            string = true;
        } else if (c == '{') {
            depth++;
        } else if (c == '}' && --depth == 0) {
            return i + 1;
        }
    }
    return 0;
}

bool k8s_event_next(struct slice *printed, struct slice *object)
{
    struct slice s = slice_from(*printed, slice_find(*printed, '{'));
    size_t n = object_length(s);
    if (!n)
        return false;
    *object = slice_first(s, n);
    *printed = slice_from(s, n);
    return true;
}

/* ---- events ---------------------------------------------------------------------------------- */

static const struct json *at(const struct json *v, const char *key)
{
    return v && json_type(v) == JSON_OBJECT ? json_get(v, key) : NULL;
}

static struct slice string_at(const struct json *v, const char *key)
{
    const struct json *found = at(v, key);
    return found ? json_string(found) : SLICE_NONE;
}

bool k8s_event_read(const struct json *root, struct k8s_event *out)
{
    const struct json *object = at(root, "object"), *metadata = at(object, "metadata");
    const struct json *status = at(object, "status");
    struct slice type = string_at(root, "type"), phase = string_at(status, "phase");
    *out = (struct k8s_event){.pod = string_at(metadata, "name")};
    if (!out->pod.n || !slice_is(string_at(object, "kind"), "Pod"))
        return false;
    out->gone =
        slice_is(type, "DELETED") || slice_is(phase, "Succeeded") || slice_is(phase, "Failed");
    out->running = slice_is(phase, "Running") && !out->gone && !at(metadata, "deletionTimestamp");
    out->addresses = at(status, "podIPs");
    out->containers = at(status, "ephemeralContainerStatuses");
    return true;
}

bool k8s_event_address(const struct k8s_event *e, size_t i, struct address *out)
{
    const struct json *one =
        e->addresses && json_type(e->addresses) == JSON_ARRAY ? json_child(e->addresses) : NULL;
    while (one && i-- > 0)
        one = json_next(one);
    return one && address_parse(string_at(one, "ip"), out);
}

static struct slice reason_of(const struct json *state)
{
    struct slice message = string_at(state, "message");
    return message.n ? message : string_at(state, "reason");
}

enum k8s_debug k8s_event_debug(const struct k8s_event *e, const char *container, struct slice *why)
{
    *why = SLICE_NONE;
    const struct json *c =
        e->containers && json_type(e->containers) == JSON_ARRAY ? json_child(e->containers) : NULL;
    while (c && !slice_is(string_at(c, "name"), container))
        c = json_next(c);
    const struct json *state = at(c, "state");
    if (at(state, "running"))
        return K8S_DEBUG_RUNNING;
    const struct json *ended = at(state, "terminated"), *waiting = at(state, "waiting");
    *why = reason_of(ended ? ended : waiting);
    return ended ? K8S_DEBUG_ENDED : waiting ? K8S_DEBUG_WAITING : K8S_DEBUG_UNKNOWN;
}
