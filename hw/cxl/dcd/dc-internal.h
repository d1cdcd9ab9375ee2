/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside of the dynamic capacity model (CXL r3.2 9.13.3): what its source files
 * share with each other and with nobody else.
 */
#ifndef HW_CXL_DC_INTERNAL_H
#define HW_CXL_DC_INTERNAL_H

#include "qemu/queue.h"
#include "hw/cxl/cxl_dc.h"

/* -- ordered sets of ranges (extents.c) ----------------------------------- */

/**
 * struct DCRec - a range in an ordered set
 * @dpa: key; ranges of one set do not overlap
 * @ref: Added: DCTag or NULL; offered: DCGroup; list of tags: DCTag
 * @idx: offered: which part of the group
 */
typedef struct DCRec {
    uint64_t dpa;
    uint64_t len;
    void *ref;
    uint32_t idx;
    uint16_t seq;
    uint16_t flags;
} DCRec;

/* asked back with sanitize */
#define DC_REC_SANITIZE 1

typedef struct DCNode DCNode;

/** struct DCSet - B+ tree with counts and longest lengths; all zero: empty */
typedef struct DCSet {
    DCNode *root;
    uint32_t count;
    uint32_t nodes;
} DCSet;

/** struct DCCursor - a place in a set, until the set changes */
typedef struct DCCursor {
    const DCNode *leaf;
    unsigned at;
    bool walks;                 /* reads ahead */
} DCCursor;

void dc_set_clear(DCSet *set);
/* @rec must not overlap what is there; @dpa must be a key that is there */
void dc_set_insert(DCSet *set, const DCRec *rec);
void dc_set_remove(DCSet *set, uint64_t dpa);
/* the record at @key grows or shrinks; its neighbours stay its neighbours */
void dc_set_change(DCSet *set, uint64_t key, uint64_t dpa, uint64_t len);
/* record that holds @dpa */
const DCRec *dc_set_find(const DCSet *set, uint64_t dpa);
/* record that holds @dpa, else the next one */
const DCRec *dc_set_from(const DCSet *set, uint64_t dpa, DCCursor *cur);
const DCRec *dc_set_nth(const DCSet *set, uint32_t k, DCCursor *cur);
const DCRec *dc_set_next(DCCursor *cur);
bool dc_set_overlaps(const DCSet *set, uint64_t dpa, uint64_t len);
/* lowest record of at least @len bytes; lowest of the longest records */
const DCRec *dc_set_first_fit(const DCSet *set, uint64_t len);
const DCRec *dc_set_longest(const DCSet *set);
size_t dc_set_memory(const DCSet *set);

static inline bool dc_rec_holds(const DCRec *rec, uint64_t dpa)
{
    return dpa >= rec->dpa && dpa - rec->dpa < rec->len;
}

/* -- objects -------------------------------------------------------------- */

/**
 * struct DCTagRef - what one host has of a tag: all of it offered in one group,
 * or all of it (or what is left of it) Added
 * @withdrawn: the group is dead
 */
typedef struct DCTagRef {
    uint64_t bytes;
    uint32_t pending;
    uint32_t added;
    uint16_t host;
    uint8_t region;
    bool withdrawn;
} DCTagRef;

/**
 * struct DCAlias - shared capacity shown in another region than its own
 *
 * The addresses are reserved there for all hosts that see the tag through that
 * region, so that one map of free blocks serves the addresses and the medium.
 */
typedef struct DCAlias {
    struct DCAlias *next;
    uint32_t users;
    uint8_t region;
    uint64_t dpa[];             /* by sequence number */
} DCAlias;

/**
 * struct DCTag - one allocation with a name
 * @uuid: first, the hash table's key
 * @id: place in the list of tags
 * @part: sharable: the medium by sequence number; else: ascending spans that
 *        contain all that is left of the allocation; &only if it is one
 * @marked, @marked_bytes: zero outside of an operation
 * @accessed_once: a host had access to it
 */
typedef struct DCTag {
    QemuUUID uuid;
    uint64_t id;
    CXLDCRange *part;
    CXLDCRange only;
    uint32_t nr_parts;
    uint32_t marked;
    uint64_t marked_bytes;
    DCTagRef *ref;              /* by host; &first while there is one */
    DCTagRef first;
    DCAlias *alias;
    uint16_t nr_refs;
    uint8_t region;
    bool sharable;
    bool referenced;
    bool sanitize;
    bool accessed_once;
} DCTag;

/** struct DCPart - an extent of an offer */
typedef struct DCPart {
    uint64_t dpa;
    uint64_t len;
    DCTag *tag;
    uint16_t seq;
} DCPart;

/**
 * struct DCGroup - an offer
 * @dead: withdrawn by the FM
 * @meant: an answer's range touches it; false outside of an operation
 */
typedef struct DCGroup {
    QTAILQ_ENTRY(DCGroup) next;
    uint32_t nr_parts;
    bool dead;
    bool meant;
    DCPart part[];
} DCGroup;

typedef struct DCRegion {
    CXLDCRegion pub;
    DCSet holes;
    uint64_t free;
} DCRegion;

/* A chain of payloads with More set */
typedef enum DCChain {
    DC_CHAIN_NONE,
    DC_CHAIN_RESPOND,
    DC_CHAIN_RELEASE,
} DCChain;

/**
 * struct DCMap - which blocks of a region are Added for one host
 * @bit: one for each block; NULL: nothing is Added, or the map were too large
 * @blocks: so many are Added
 *
 * It repeats what DCHost.added says, for look-ups of a single line: with a
 * million extents these would be cache misses down the tree.
 */
typedef struct DCMap {
    unsigned long *bit;
    uint64_t blocks;
} DCMap;

typedef struct DCHost {
    uint64_t base;              /* its address of the medium's address 0 */
    uint32_t dsmad_handle[CXL_DC_MAX_REGIONS];
    DCSet added;                /* change by dc_added_...() only */
    DCMap *map;                 /* by region */
    DCSet pending;
    DCSet release_pending;      /* maximal runs; inside Added */
    QTAILQ_HEAD(, DCGroup) groups;
    size_t group_bytes;
    GArray *partial;            /* CXLDCRange of the chain */
    DCChain chain;
    uint32_t generation;
    uint32_t nr_tags;
} DCHost;

struct CXLDynCap {
    const CXLDCOps *ops;
    void *opaque;
    CXLDCConfig config;         /* as given; region[].pub below is current */
    DCRegion *region;
    DCHost *host;
    GHashTable *tags;           /* DCTag by its UUID */
    DCSet tag_list;             /* DCTag by id */
    DCSet shared_tags;          /* those that are sharable */
    uint64_t next_tag_id;
    uint32_t tag_generation;
    /* referenced and held by no host */
    uint32_t orphan_extents;
    uint32_t orphan_tags;
    size_t tag_bytes;
    /* fence.c */
    GPtrArray *leaving;
    DCSet held;
    DCSet wiping;               /* @seq: host that has left it last */
    uint64_t last_ticket;
};

/*
 * Ranges that one chain may collect, and release requests that are remembered:
 * more than any list of whole extents needs, and a bound on what a host or FM
 * can make us keep.
 */
static inline uint64_t dc_list_limit(const CXLDynCap *dc)
{
    return 4 * (uint64_t)dc->config.max_extents + 16;
}

/* -- consequences, gathered while the model changes (model.c) ------------ */

typedef struct DCReport {
    CXLDCOutcome what;
    CXLDCReason why;
    guint n;
} DCReport;

typedef struct DCEffects {
    uint16_t host;
    CXLDCEventType type;
    uint8_t region;             /* CXL_DC_EV_REGION_UPDATED */
    GArray *on;                 /* CXLDCRange */
    GArray *off;                /* CXLDCRange */
    GArray *wipe;               /* CXLDCRange */
    GArray *records;            /* CXLDCExtent */
    GArray *reports;            /* DCReport */
    GArray *reported;           /* CXLDCExtent, one report after the other */
} DCEffects;

void dc_effects_init(DCEffects *fx, uint16_t host, CXLDCEventType type);
/*
 * Calls the owner in the order that CXLDCOps promises and frees the lists.
 * Nothing else calls the owner, but for the questions ops->log_space and
 * ops->present.
 */
void dc_effects_run(CXLDynCap *dc, DCEffects *fx);
void dc_range_append(GArray *list, uint64_t dpa, uint64_t len);
/* Goes up: joins what follows the last range of the list */
void dc_effects_range(const CXLDynCap *dc, GArray *list, uint64_t dpa,
                      uint64_t len);
void dc_effects_record(DCEffects *fx, uint64_t dpa, uint64_t len,
                       const DCTag *tag, uint16_t seq);
/* The records so far are what is reported */
void dc_effects_report(DCEffects *fx, CXLDCOutcome what, CXLDCReason why);

void dc_fill_extent(CXLDCExtent *extent, uint64_t dpa, uint64_t len,
                    const DCTag *tag, uint16_t seq);
/* False, and an error, for an unknown host */
bool dc_has_host(const CXLDynCap *dc, unsigned host, Error **errp);
/*
 * @n addresses of a host as the medium's.  One below the host's regions wraps
 * around and is in none.  NULL, and *@ranges stays, if they are the same.
 */
CXLDCRange *dc_ranges_of_host(const DCHost *h, const CXLDCRange **ranges,
                              size_t n);
CXLDCExtent *dc_extents_of_host(const DCHost *h, const CXLDCExtent **extents,
                                size_t n);
uint64_t dc_used_extents(const CXLDynCap *dc, const DCHost *h);
uint64_t dc_used_tags(const CXLDynCap *dc, const DCHost *h);
bool dc_log_has_space(CXLDynCap *dc, uint16_t host, uint64_t records);
/** dc_host_is_present() - is there somebody to be told of something? */
bool dc_host_is_present(CXLDynCap *dc, uint16_t host);
int dc_compare_range(gconstpointer a, gconstpointer b);

/* -- what hosts may touch (access.c) ------------------------------- */

/* Largest map of one region and host: 2 TiB in blocks of 64 KiB */
#define DC_MAP_MAX_BYTES (4 * MiB)

/* Place on the medium of @dpa, which @rec holds */
uint64_t dc_rec_media(const DCRec *rec, uint64_t dpa);
void dc_added_insert(CXLDynCap *dc, DCHost *h, const DCRec *rec);
/* The extents that the fragments, in ascending order, are of */
void dc_added_remove(CXLDynCap *dc, DCHost *h, const GArray *fragments);
void dc_added_clear(CXLDynCap *dc, DCHost *h);
size_t dc_added_memory(const CXLDynCap *dc, const DCHost *h);

/* -- the medium (region.c) ----------------------------------------- */

/* region whose usable bytes include @dpa, or -1 */
int dc_region_at(const CXLDynCap *dc, uint64_t dpa);
bool dc_check_region(const CXLDCConfig *config, unsigned i, Error **errp);
bool dc_range_is_free(const CXLDynCap *dc, unsigned region, uint64_t dpa,
                      uint64_t len);
void dc_alloc_range(CXLDynCap *dc, unsigned region, uint64_t dpa, uint64_t len);
void dc_free_range(CXLDynCap *dc, unsigned region, uint64_t dpa, uint64_t len);

/* -- what hosts may still reach (fence.c) -------------------------- */

void dc_fence_free(CXLDynCap *dc);
/* @media left @host, before it is given back: remember that */
void dc_fence_leave(CXLDynCap *dc, uint16_t host, GArray *media);
/* Accessed once and nobody's now: free, or held while somebody reaches it */
void dc_give_back(CXLDynCap *dc, uint64_t dpa, uint64_t len);
/*
 * Takes from @wipe what is held: it is wiped when it is let go.  The rest is
 * nobody's until it is wiped.
 */
void dc_fence_sanitize(CXLDynCap *dc, uint16_t host, GArray *wipe);

/* -- tags (tags.c) ------------------------------------------------- */

void dc_tags_init(CXLDynCap *dc);
void dc_tags_free(CXLDynCap *dc);
DCTag *dc_tag_find(const CXLDynCap *dc, const QemuUUID *uuid);
/* The name for a sentence; NULL if nobody reads it.  Caller frees. */
char *dc_tag_name(const QemuUUID *uuid, Error **errp);
DCTag *dc_tag_new(CXLDynCap *dc, const QemuUUID *uuid, unsigned region,
                  const CXLDCRange *part, uint32_t nr_parts);
void dc_tag_set_parts(CXLDynCap *dc, DCTag *tag, const CXLDCRange *part,
                      uint32_t nr_parts);
/* One more span, or a longer one: loading learns them extent by extent */
void dc_tag_grow(CXLDynCap *dc, DCTag *tag, uint64_t dpa, uint64_t len);
DCTagRef *dc_tag_ref(DCTag *tag, uint16_t host);
DCAlias *dc_tag_alias(const DCTag *tag, unsigned region);
/* @alias goes over to the tag, its addresses are taken */
void dc_tag_add_alias(CXLDynCap *dc, DCTag *tag, DCAlias *alias);
/* where extent @seq of a sharable tag is seen in @region */
uint64_t dc_tag_dpa(const DCTag *tag, unsigned region, uint32_t seq);
void dc_tag_offer(CXLDynCap *dc, DCTag *tag, uint16_t host, unsigned region,
                  uint64_t len);
/* the group that offers the tag is dead from now on */
void dc_tag_withdraw(CXLDynCap *dc, DCTag *tag, uint16_t host);
/* one offered extent less */
void dc_tag_unoffer(CXLDynCap *dc, DCTag *tag, uint16_t host, uint64_t len);
void dc_tag_accept(CXLDynCap *dc, DCTag *tag, uint16_t host, unsigned region,
                   uint64_t len);
/* one extent became @left extents and @len bytes less */
void dc_tag_cut(CXLDynCap *dc, DCTag *tag, uint16_t host, uint64_t len,
                unsigned left);
/* after the last change: a tag that nobody holds ends here */
void dc_tag_put(CXLDynCap *dc, DCTag *tag, uint16_t host, DCEffects *fx);

/* -- groups (group.c) ---------------------------------------------- */

DCGroup *dc_group_new(uint32_t nr_parts);
void dc_group_append(CXLDynCap *dc, uint16_t host, DCGroup *group);
/* The FM has withdrawn it */
void dc_group_withdraw(CXLDynCap *dc, uint16_t host, DCGroup *group);
/*
 * Takes the group from its host and frees it.  The blocks of an extent become
 * free unless @keep is there and not zero for it.
 */
void dc_group_end(CXLDynCap *dc, uint16_t host, DCGroup *group,
                  const uint64_t *keep, DCEffects *fx);
/* The same for an offer of which nothing is accepted, and reports it */
void dc_group_refuse(CXLDynCap *dc, uint16_t host, DCGroup *group,
                     CXLDCReason why, DCEffects *fx);
void dc_merge_ranges(CXLDCRange *range, uint32_t *n);

/* -- offers (offer.c, offer-list.c) ------------------------- */

/* Sequence numbers have 16 bits */
#define DC_MAX_SHARED_EXTENTS 65536

/*
 * May @host get so many more extents and tags, and the records of the offer?
 * @counted: they are counted for it already, as referenced by the FM only
 */
CXLRetCode dc_check_space(CXLDynCap *dc, uint16_t host, uint64_t extents,
                          uint64_t tags, bool counted, Error **errp);
/* The group's blocks are taken, its tags exist: make it pending and log it */
void dc_offer(CXLDynCap *dc, uint16_t host, DCGroup *group);
CXLRetCode dc_add_list(CXLDynCap *dc, const CXLDCAddRequest *req,
                       Error **errp);

/* -- releases (release.c) ------------------------------------------ */

/**
 * struct DCFragment - a part of an Added extent that shall go
 * @joins: the fragment before it is of the same range and allocation, and no
 *   number tells their extents apart
 */
typedef struct DCFragment {
    uint64_t dpa;
    uint64_t len;
    uint64_t ext_dpa;
    uint64_t ext_len;
    DCTag *tag;
    uint16_t seq;
    bool joins;
} DCFragment;

/*
 * Splits a range into fragments of Added extents; offered parts go to @groups
 * (NULL: they count as missing).  False and @missing: that address is neither.
 */
bool dc_split_range(const DCHost *h, uint64_t dpa, uint64_t len,
                    GArray *fragments, GPtrArray *groups, uint64_t *missing);
/*
 * @left: extents of the host once the fragments, in ascending order, are gone.
 * False: that are more than before, and more than are tracked.
 */
bool dc_fragments_fit(const CXLDynCap *dc, const DCHost *h,
                      const GArray *fragments, uint64_t *left);
/* does some piece's sharable tag stay in part? */
bool dc_fragments_split_share(const CXLDynCap *dc, uint16_t host,
                              const GArray *fragments);
void dc_fragments_release(CXLDynCap *dc, uint16_t host, const GArray *fragments,
                          bool sanitize, DCEffects *fx);

void dc_partial_clear(DCHost *h);

/* -- saved state (load.c) ------------------------------------------ */

/* Flags of a shared tag */
#define DC_TAG_REFERENCED  1
#define DC_TAG_SANITIZE    2
#define DC_TAG_ACCESSED    4
#define DC_TAG_FLAGS       7

/* Addresses and lengths in a stream count smallest blocks */
#define DC_STREAM_SHIFT CXL_DC_MIN_BLOCK_SHIFT

/* Replaces what @dc holds by the stream's; -EINVAL and nothing if it is bad */
int dc_load(CXLDynCap *dc, QEMUFile *f);

/* A model without content, of the same make as @dc */
CXLDynCap *dc_new_like(const CXLDynCap *dc);
/* Swap the contents of two models of the same make */
void dc_swap_content(CXLDynCap *a, CXLDynCap *b);

#endif /* HW_CXL_DC_INTERNAL_H */
