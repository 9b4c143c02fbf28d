/* Private to source/: pods of Kubernetes (k8s:).  One watch of the pods that the specification
 * means, and in each of them a tcpdump, all by the user's kubectl, which a keeper runs. */
#ifndef SOURCE_K8S_H
#define SOURCE_K8S_H

#include "source/internal.h"
#include "source/keeper.h"

#define K8S_EVENT_MAX                                                                              \
    (8u * 1024u * 1024u) /* bytes of what kubectl prints of one change of a pod                    \
                          */
#define K8S_DEBUG_MAX                                                                              \
    5u                    /* ephemeral containers of a pod that gave nothing, one after the other  \
                           */
#define K8S_LINK_TYPE 276 /* LINUX_SLL2, as interface any has it; for checking a filter only */
/* What kubectl is asked to capture where --bpf does not say. */
#define K8S_FILTER       "port 5060 or port 5061 or ip[6:2] & 0x1fff != 0 or ip6[6] = 44"
#define K8S_FILTER_MEDIA "udp or " K8S_FILTER

/* ---- the specification (k8s_spec.c) ---------------------------------------------------------- */

struct k8s_spec {
    struct slice context, namespace; /* no context: kubectl's own */
    struct slice pod, container;     /* of one pod; no container: kubectl chooses */
    struct slice selector;           /* of many, by their labels; else empty */
};

/* "[CONTEXT/]NAMESPACE/POD[/CONTAINER]" or "[CONTEXT/]NAMESPACE/LABEL=VALUE"; slices of `rest`. */
bool k8s_spec_read(struct k8s_spec *spec, const char *path, const char *rest, struct err *err);

enum k8s_plan { K8S_WATCH, K8S_EXEC, K8S_EXEC_IN, K8S_DEBUG, K8S_PLANS };

/* The commands; \1 stands for a pod, \2 for a container of it.  In the arena. */
void k8s_plans(const struct k8s_spec *spec, const char *kubectl, const char *image,
               const char *filter, struct arena *a, struct source_plan plans[K8S_PLANS]);

/* Where the shell in a container says that there is no tcpdump. */
#define K8S_NO_TCPDUMP "sipxray: no tcpdump here"

/* ---- the watch (k8s_watch.c) ----------------------------------------------------------------- */

/* How a container of ours is. */
enum k8s_debug { K8S_DEBUG_UNKNOWN, K8S_DEBUG_WAITING, K8S_DEBUG_RUNNING, K8S_DEBUG_ENDED };

/* A pod as an event tells of it; borrowed from the event. */
struct k8s_event {
    struct slice pod;
    bool gone;    /* deleted, or all its containers have ended */
    bool running; /* it is, and is not being deleted: that it is captured on is no mistake */
    const struct json *addresses;  /* podIPs, or NULL */
    const struct json *containers; /* ephemeralContainerStatuses, or NULL */
};

/* Takes the first whole JSON object off the front of what kubectl printed; false: there is none. */
bool k8s_event_next(struct slice *printed, struct slice *object);
/* False: it is none that we know. */
bool k8s_event_read(const struct json *root, struct k8s_event *out);
bool k8s_event_address(const struct k8s_event *e, size_t i, struct address *out);
/* How the container of this name is; why it waits or ended goes to *why. */
enum k8s_debug k8s_event_debug(const struct k8s_event *e, const char *container, struct slice *why);

/* ---- pods (k8s_pod.c) ------------------------------------------------------------------------ */

enum k8s_state {
    K8S_ABSENT,   /* it is not there, or not running */
    K8S_CAPTURES, /* tcpdump runs in it */
    K8S_CREATES,  /* an ephemeral container is made for it */
    K8S_AWAITS,   /* until that runs */
    K8S_PAUSES,
    K8S_GIVEN_UP,
};

struct k8s;

struct k8s_pod {
    struct k8s *k8s;
    char *name;
    struct source *source; /* NULL: it was closed */
    bool handed_out;
    enum k8s_state state;
    bool there, running; /* as the watch has it */
    bool no_tcpdump;     /* none in its own containers */
    char container[16];  /* the ephemeral one; empty: none yet */
    bool ready;          /* that runs */
    unsigned debugs;     /* that gave nothing */
    struct source_job job;
    struct source_pause pause;
    bool told, slow; /* that it is captured, that nothing comes */
    char *why;       /* it pauses */
    uint32_t pause_s;
    char *waits_for; /* why the container does not run, told already */
};

struct k8s {
    struct source *source;
    struct source_keeper keeper;
    struct arena arena;
    struct k8s_spec spec;
    const char *image;
    bool one; /* pod, by its name */
    struct source_job watch;
    struct source_pause watch_pause;
    int watch_fd;
    struct text printed; /* by the watch, and not read yet */
    bool watched;        /* it has worked before */
    int64_t none_by;     /* when it is said that there is no pod; 0: that is settled */
    VEC(struct k8s_pod *) pods;
    uint64_t left_out;
    uint32_t seed; /* of the containers' names */
};

struct k8s_pod *k8s_pod_new(struct k8s *k, struct slice name);
void k8s_pod_free(struct k8s_pod *p);
void k8s_pod_heed_event(struct k8s_pod *p, const struct k8s_event *e);
void k8s_pod_heed_job(struct k8s_pod *p, const struct source_keeper_news *news);

/* k8s.c: reads what the keeper and the watch have. */
void k8s_heed(struct k8s *k);
/* The hint that goes with an error of rights; empty: it is another. */
const char *k8s_hint(const struct source_job *j);

#endif
