/* What the rule packs share.  A pack looks at a call with all its messages and notes what it finds;
 * the same of one header over several messages, or sightings, becomes one finding. */
#ifndef CHECK_PACK_H
#define CHECK_PACK_H

#include "check/internal.h"

/* A sighting of a message. */
struct pack_place {
    const struct hop_journey *journey;
    size_t step;
};

#define PACK_NOTES_MAX 256u /* of one pack on one call; headers beyond are counted */
#define PACK_ALSO_MAX  4u   /* further messages that a finding names; more are counted */

struct pack_note {
    enum check_finding_id id;
    enum check_severity severity;
    struct slice header, words;
    struct pack_place first;
    const struct hop_journey *last; /* the last journey that showed it */
    struct slice also[PACK_ALSO_MAX];
    size_t also_count;
    size_t more; /* further messages beyond those named */
};

VEC_TYPE(pack_notes, struct pack_note);

/* A pack at work on a call. */
struct pack_run {
    struct check_work *w;
    struct pack_notes notes;
    bool tells_origin; /* the words end with who made it so, where it was not so before */
};

/* Notes that a message shows something; words: after the message's name, "of INVITE ...". */
void pack_note(struct pack_run *p, struct pack_place at, enum check_finding_id id,
               struct slice header, struct slice words);
void pack_note_as(struct pack_run *p, struct pack_place at, enum check_finding_id id,
                  enum check_severity severity, struct slice header, struct slice words);
/* Was that noted of this message already? */
bool pack_noted(const struct pack_run *p, const struct hop_journey *j, enum check_finding_id id,
                struct slice header);

static inline const struct sip_message *pack_message(struct pack_place at)
{
    return at.journey->steps[at.step].sighting->message;
}

struct slice pack_name_of(struct arena *a, const struct hop_journey *j); /* "200 to INVITE" */
/* "value" in quotes, its middle left out where it is long; of a secret "***". */
struct slice pack_quote(struct arena *a, struct slice header, struct slice value);

/* A header that is neither standard nor, by its value, credentials. */
bool pack_is_custom(struct slice name);

/* The packs. */
void pack_hygiene(struct pack_run *p);
void pack_leak(struct pack_run *p);
void pack_caller_id(struct pack_run *p);
void pack_reject(struct pack_run *p);
/* At the end of the run: what the calls tell together. */
void pack_leak_end(struct check_summary *s, const struct check_options *o);
void pack_reject_end(struct check_summary *s);
void pack_reject_free(struct check_summary *s);
void pack_sayna(struct pack_run *p);
void pack_sayna_end(struct check_summary *s, const struct expect_sayna *sayna);

#endif
