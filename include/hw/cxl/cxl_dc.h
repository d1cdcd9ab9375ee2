/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dynamic capacity model (CXL r3.2 9.13.3, 8.2.10.9.9, 7.6.7.6)
 *
 * One object owns every fact about the dynamic capacity of a medium: regions,
 * extents, tags, offers, release requests, references, generation numbers.
 * Host commands (48h), Fabric Manager commands (56h), QMP and reset are ways
 * to the functions below; each checks all of its input, then changes state, or
 * changes nothing.
 *
 * The medium is seen by @nr_hosts hosts (LDs).  A block belongs to one host or,
 * in a sharable region under one tag, to several.  Nothing here knows PCI, QOM
 * or a CCI: consequences go out through CXLDCOps.
 *
 * All sizes and addresses are bytes.  The caller holds the BQL.
 */
#ifndef CXL_DC_H
#define CXL_DC_H

#include "qemu/bitmap.h"
#include "qemu/units.h"
#include "qemu/uuid.h"
#include "hw/cxl/cxl_msg.h"

/* Table 8-180: regions 0..7 per LD */
#define CXL_DC_MAX_REGIONS      8
/* Bases, decode lengths and total capacity are reported in this unit */
#define CXL_DC_GRANULE          (256 * MiB)
/* Reference and pending bitmaps of 5608h have 256 bits */
#define CXL_DC_MAX_HOSTS        256
/* A block is 2^6 .. 2^51 bytes (7.6.7.6.1: mask bits 5:0 and 63:52 are zero) */
#define CXL_DC_MIN_BLOCK_SHIFT  6
#define CXL_DC_MAX_BLOCK_SHIFT  51
/* Extents and tags that a device tracks unless told otherwise */
#define CXL_DC_DEFAULT_EXTENTS  65536
#define CXL_DC_DEFAULT_TAGS     65536

typedef struct CXLDynCap CXLDynCap;

/** struct CXLDCRange - a piece of DPA space; "updated extent" of 4802h/4803h */
typedef struct CXLDCRange {
    uint64_t dpa;
    uint64_t len;
} CXLDCRange;

/** struct CXLDCExtent - an extent (Table 8-63); @tag all zero: untagged */
typedef struct CXLDCExtent {
    uint64_t dpa;
    uint64_t len;
    QemuUUID tag;
    uint16_t seq;
} CXLDCExtent;

/**
 * struct CXLDCRegion - geometry and attributes of one region
 * @base: multiple of CXL_DC_GRANULE and of the block size, ascending
 * @decode_len: DPA span for HDM decoders, multiple of CXL_DC_GRANULE
 * @len: usable bytes, multiple of every size in @block_mask, <= @decode_len
 * @block_size: power of two, its bit set in @block_mask
 * @block_mask: bit n: 5602h may choose blocks of 2^n bytes
 * @dsmad_handle: DSMAS of the region in each host's CDAT, until
 *                cxl_dc_set_dsmad_handle()
 * @sanitize: capacity is sanitized before another host gets it
 * @sanitize_configurable: 5602h may change @sanitize
 */
typedef struct CXLDCRegion {
    uint64_t base;
    uint64_t decode_len;
    uint64_t len;
    uint64_t block_size;
    uint64_t block_mask;
    uint32_t dsmad_handle;
    bool sanitize;
    bool sanitize_configurable;
    bool non_volatile;
    bool sharable;
    bool hw_coherent;
    bool read_only;
} CXLDCRegion;

/** struct CXLDCConfig - what a model is made of; copied by cxl_dc_new() */
typedef struct CXLDCConfig {
    uint16_t nr_hosts;
    uint8_t nr_regions;
    CXLDCRegion region[CXL_DC_MAX_REGIONS];
    uint32_t max_extents;       /* per host; Pending and Added count */
    uint32_t max_tags;
} CXLDCConfig;

/*
 * Event types of Table 8-62; ADD_RESPONSE and RELEASED go to the FM's log.  A
 * RELEASED record is for what a host gave back as one: one range of its list,
 * as far as that is of one allocation and without sequence numbers, and not one
 * record for each extent in there.
 */
typedef enum CXLDCEventType {
    CXL_DC_EV_ADD               = 0,
    CXL_DC_EV_RELEASE           = 1,
    CXL_DC_EV_FORCED_RELEASE    = 2,
    CXL_DC_EV_REGION_UPDATED    = 3,
    CXL_DC_EV_ADD_RESPONSE      = 4,
    CXL_DC_EV_RELEASED          = 5,
} CXLDCEventType;

static inline bool cxl_dc_event_is_for_fm(CXLDCEventType t)
{
    return t == CXL_DC_EV_ADD_RESPONSE || t == CXL_DC_EV_RELEASED;
}

/** struct CXLDCEvent - one record to log, already in its group's order */
typedef struct CXLDCEvent {
    CXLDCEventType type;
    uint16_t host;              /* whose log, or (FM types) who answered */
    uint8_t region;             /* REGION_UPDATED only */
    bool more;                  /* further records of the group follow */
    CXLDCExtent extent;         /* zero for REGION_UPDATED */
    uint32_t avail_extents;     /* after the operation */
    uint32_t avail_tags;
} CXLDCEvent;

/* What became of capacity */
typedef enum CXLDCOutcome {
    CXL_DC_ACCEPTED,
    CXL_DC_REFUSED,             /* an offer ended, all of it is free again */
    CXL_DC_RELEASED,
} CXLDCOutcome;

typedef enum CXLDCReason {
    CXL_DC_BY_HOST,             /* its own will */
    CXL_DC_BY_ERROR,            /* refused: the host's answer failed */
    CXL_DC_BY_FM,               /* released by force, or the offer withdrawn */
    CXL_DC_BY_RESET,
} CXLDCReason;

/* Extents that one report to the monitor shows */
#define CXL_DC_REPORT_EXTENTS   256

/**
 * struct CXLDCOps - consequences of an operation; any may be NULL
 * @log_space: records that fit in the DC event log of @host now (NULL: no
 *             bound)
 * @present: somebody is @host, or comes back as it, and has to be told of what
 *           concerns all hosts (NULL: all are there)
 * @reserve: @host is about to accept @n ranges, which begin at @media on the
 *           medium. False, with nothing changed, if it cannot have them: its
 *           answer fails. May be let in already (NULL: it can)
 * @access: @host may (@on) or may no more reach @range
 * @commit: bring all changes of access into force that were announced since
 *          the last call: when it returns, no processor and no device can reach
 *          what was taken away (coalesce mapping changes here)
 * @sanitize: make @range of the medium read as zeroes, before anybody can reach
 *            it again, in the medium's own addresses.  NULL: 5605h with
 *            "sanitize on release" is refused
 * @log: append a record; records of a group come in one uninterrupted row
 * @report: for the monitor: what happened to @n > 0 extents of @host, of which
 *          the first CXL_DC_REPORT_EXTENTS are in @extents.  Each offer is
 *          reported exactly once as accepted or as refused, each accepted byte
 *          once as released
 *
 * However an operation came about (a command of the host or the FM, the
 * monitor, a reset), its consequences leave once the model is consistent and in
 * this order, each step only where it has something to do:
 *
 *   1. access off, commit     so that nobody writes what is wiped
 *   2. sanitize, commit       so that who hears of it finds zeroes
 *   3. access on, commit      so that who hears of it can use it
 *   4. log                    the host or the FM is told
 *   5. report                 the monitor is told
 *
 * Then the function returns and its caller answers the command.  What is wiped
 * is free then: the owner may overwrite it later, but before anybody's access
 * to it at the latest.
 *
 * Where hosts are elsewhere, their access cannot end inside of commit: with
 * @fenced, what they had is given to nobody, and not wiped, before
 * cxl_dc_access_ended().  Wiping may take its time as well: what @sanitize was
 * called for is given to nobody before cxl_dc_wiped().
 *
 * An owner that saves the model after each command would write all extents each
 * time.  With @next_kept it keeps them itself, as @access and
 * cxl_dc_extents_in() tell of them, and they are not in the saved state:
 * @next_kept gives them back while that is loaded, those of host 0 first,
 * ascending, as if the host's base were 0; false: @host has no more.  Nor is a
 * tag in there that only they tell of, whose place in the list of tags may then
 * be another one.
 */
typedef struct CXLDCOps {
    uint32_t (*log_space)(void *opaque, uint16_t host);
    bool (*present)(void *opaque, uint16_t host);
    bool (*reserve)(void *opaque, uint16_t host, const CXLDCRange *range,
                    const uint64_t *media, size_t n);
    void (*access)(void *opaque, uint16_t host, const CXLDCRange *range,
                   bool on);
    void (*commit)(void *opaque);
    void (*sanitize)(void *opaque, const CXLDCRange *range);
    void (*log)(void *opaque, const CXLDCEvent *event);
    void (*report)(void *opaque, uint16_t host, CXLDCOutcome what,
                   CXLDCReason why, const CXLDCExtent *extents, size_t n);
    bool (*next_kept)(void *opaque, uint16_t host, CXLDCExtent *extent);
    bool fenced;
} CXLDCOps;

/**
 * cxl_dc_new() - a model with all capacity free
 * @errp: names the region and the value that break a rule of CXLDCRegion
 * Return: owned by the caller, cxl_dc_free(); NULL on error
 */
CXLDynCap *cxl_dc_new(const CXLDCConfig *config, const CXLDCOps *ops,
                      void *opaque, Error **errp);
void cxl_dc_free(CXLDynCap *dc);
/** cxl_dc_forget() - all capacity is free again; the owner is not told. */
void cxl_dc_forget(CXLDynCap *dc);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CXLDynCap, cxl_dc_free)

/* -- what everybody may ask ----------------------------------------------- */

uint16_t cxl_dc_nr_hosts(const CXLDynCap *dc);
/**
 * cxl_dc_set_host_base() - region 0 begins so much higher for @host
 * @base: the same for all regions, 0 at first
 *
 * Each host has an address space of its own (9.13.3), in which its regions
 * begin behind its static capacity.  Whatever has a host has its addresses; the
 * medium's own are those of a host whose base is 0.
 *
 * Return: false if @host has capacity or offers, if an address would leave the
 *         address space, or if some block size does not divide @base
 */
bool cxl_dc_set_host_base(CXLDynCap *dc, uint16_t host, uint64_t base,
                          Error **errp);
uint64_t cxl_dc_host_base(const CXLDynCap *dc, uint16_t host);
/** cxl_dc_dsmad_handle() - DSMAS of a region in the CDAT of @host. */
uint32_t cxl_dc_dsmad_handle(const CXLDynCap *dc, uint16_t host,
                             unsigned region);
void cxl_dc_set_dsmad_handle(CXLDynCap *dc, uint16_t host, unsigned region,
                             uint32_t handle);
uint8_t cxl_dc_nr_regions(const CXLDynCap *dc);
/** cxl_dc_region() - current settings, or NULL for an unknown region. */
const CXLDCRegion *cxl_dc_region(const CXLDynCap *dc, unsigned region);
/** cxl_dc_has_region() - false, and an error, for an unknown region. */
bool cxl_dc_has_region(const CXLDynCap *dc, unsigned region, Error **errp);
/** cxl_dc_region_of() - region of the medium that holds all of it, or -1. */
int cxl_dc_region_of(const CXLDynCap *dc, uint64_t dpa, uint64_t len);
/** cxl_dc_total_capacity() - sum of the regions' usable bytes. */
uint64_t cxl_dc_total_capacity(const CXLDynCap *dc);

/** struct CXLDCUsage - the four counters of 4800h and 5601h */
typedef struct CXLDCUsage {
    uint32_t extents_supported;
    uint32_t extents_available;
    uint32_t tags_supported;
    uint32_t tags_available;
} CXLDCUsage;

void cxl_dc_usage(const CXLDynCap *dc, uint16_t host, CXLDCUsage *usage);

/** CXLDCExtentFn - false ends the walk */
typedef bool CXLDCExtentFn(void *opaque, const CXLDCExtent *extent);

/** cxl_dc_extent_count() - Added extents of @host. */
uint32_t cxl_dc_extent_count(const CXLDynCap *dc, uint16_t host);
uint32_t cxl_dc_generation(const CXLDynCap *dc, uint16_t host);
/** cxl_dc_extents() - walk the Added list from index @start; O(log n + k). */
void cxl_dc_extents(const CXLDynCap *dc, uint16_t host, uint32_t start,
                    CXLDCExtentFn *fn, void *opaque);
/** cxl_dc_extents_in() - walk the Added extents that @range touches. */
void cxl_dc_extents_in(const CXLDynCap *dc, uint16_t host,
                       const CXLDCRange *range, CXLDCExtentFn *fn,
                       void *opaque);
/**
 * cxl_dc_pending() - walk the offers, oldest group first
 *
 * A dead one was withdrawn by the FM: it waits only for the host's answer, or
 * for one to a later offer, and counts until then.
 */
typedef bool CXLDCPendingFn(void *opaque, unsigned group, bool dead,
                            const CXLDCExtent *extent);
void cxl_dc_pending(const CXLDynCap *dc, uint16_t host, CXLDCPendingFn *fn,
                    void *opaque);
/** cxl_dc_release_requests() - ranges asked back and not yet released. */
typedef bool CXLDCRangeFn(void *opaque, const CXLDCRange *range, bool sanitize);
void cxl_dc_release_requests(const CXLDynCap *dc, uint16_t host,
                             CXLDCRangeFn *fn, void *opaque);

typedef enum CXLDCAccess {
    CXL_DC_ACCESS_OK,
    CXL_DC_ACCESS_READ_ONLY,    /* reads only: writes are dropped */
    CXL_DC_ACCESS_NONE,         /* some byte is not Added for this host */
} CXLDCAccess;

/**
 * cxl_dc_access() - may @host touch @len bytes at @dpa?
 *
 * For what is within 64 blocks, up to 2^25 blocks a region, the cost does not
 * depend on the number of extents; else O(log n).
 */
CXLDCAccess cxl_dc_access(const CXLDynCap *dc, uint16_t host, uint64_t dpa,
                          uint64_t len);

/**
 * cxl_dc_translate() - where on the medium is what @host sees at @dpa?
 * @media: the same address, but for shared capacity that @host sees through
 *         another region than its own (policy 3 with a different region): then
 *         the address in the region where the capacity was first given, as if
 *         @host saw it there
 * @len: so many bytes from there on, or more, are on the medium in one row; at
 *       least the rest of the block
 * Return: false if @dpa is not Added for @host; cost as of cxl_dc_access(), but
 *         O(log n) in sharable regions
 */
bool cxl_dc_translate(const CXLDynCap *dc, uint16_t host, uint64_t dpa,
                      uint64_t *media, uint64_t *len);

/**
 * cxl_dc_next() - first bytes at @dpa or above that are Added for @host
 * @range: they, as far as one extent reaches
 * @media: where @range begins on the medium, as of cxl_dc_translate()
 * Return: false if there are none; O(log n)
 */
bool cxl_dc_next(const CXLDynCap *dc, uint16_t host, uint64_t dpa,
                 CXLDCRange *range, uint64_t *media);

/* -- Fabric Manager (7.6.7.6) --------------------------------------------- */

typedef enum CXLDCAddPolicy {
    CXL_DC_ADD_FREE             = 0,
    CXL_DC_ADD_CONTIGUOUS       = 1,
    CXL_DC_ADD_PRESCRIPTIVE     = 2,
    CXL_DC_ADD_SHARED           = 3,
} CXLDCAddPolicy;

typedef enum CXLDCReleasePolicy {
    CXL_DC_RELEASE_TAG          = 0,
    CXL_DC_RELEASE_PRESCRIPTIVE = 1,
} CXLDCReleasePolicy;

/** cxl_dc_add_policies() / cxl_dc_release_policies() - bitmasks of 5600h. */
uint16_t cxl_dc_add_policies(const CXLDynCap *dc);
uint16_t cxl_dc_release_policies(const CXLDynCap *dc);

/** struct CXLDCAddRequest - 5604h; fields a policy does not use are ignored */
typedef struct CXLDCAddRequest {
    uint16_t host;
    uint8_t policy;             /* raw; unknown ones are refused */
    uint8_t region;
    uint64_t len;
    QemuUUID tag;
    const CXLDCExtent *extents; /* prescriptive */
    size_t nr_extents;
} CXLDCAddRequest;

/** struct CXLDCReleaseRequest - 5605h */
typedef struct CXLDCReleaseRequest {
    uint16_t host;
    uint8_t policy;
    bool forced;
    bool sanitize;
    uint64_t len;
    QemuUUID tag;
    const CXLDCExtent *extents; /* prescriptive; tags and sequences ignored */
    size_t nr_extents;
} CXLDCReleaseRequest;

/*
 * Each returns a code of its command's list (facts of 7.6.7.6.x) and, with
 * @errp not NULL and a code other than success, a sentence for a human that
 * names the offending value.  QMP shows it; CCI handlers pass NULL.
 */
CXLRetCode cxl_dc_add(CXLDynCap *dc, const CXLDCAddRequest *req, Error **errp);
CXLRetCode cxl_dc_release(CXLDynCap *dc, const CXLDCReleaseRequest *req,
                          Error **errp);
CXLRetCode cxl_dc_set_region(CXLDynCap *dc, unsigned region,
                             uint64_t block_size, bool sanitize, Error **errp);
CXLRetCode cxl_dc_add_reference(CXLDynCap *dc, const QemuUUID *tag);
CXLRetCode cxl_dc_remove_reference(CXLDynCap *dc, const QemuUUID *tag);

/**
 * struct CXLDCTagInfo - an entry of 5608h
 * @pending: hosts that may still accept it.  Unsure for an offer that the FM
 *           has withdrawn and the host not answered: not in it, so that the FM
 *           can tell.  Such a tag may be in neither map
 */
typedef struct CXLDCTagInfo {
    QemuUUID tag;
    bool referenced;
    DECLARE_BITMAP(accepted, CXL_DC_MAX_HOSTS);
    DECLARE_BITMAP(pending, CXL_DC_MAX_HOSTS);
} CXLDCTagInfo;

uint32_t cxl_dc_tag_count(const CXLDynCap *dc);
/** cxl_dc_tag_generation() - changes when anything in the tag list does. */
uint32_t cxl_dc_tag_generation(const CXLDynCap *dc);
typedef bool CXLDCTagFn(void *opaque, const CXLDCTagInfo *info);
/** cxl_dc_tags() - walk the tags from index @start in a stable order. */
void cxl_dc_tags(const CXLDynCap *dc, uint32_t start, CXLDCTagFn *fn,
                 void *opaque);

/* -- host (8.2.10.9.9) ---------------------------------------------------- */

/**
 * cxl_dc_host_respond() - 4802h: answer the oldest offer of @host
 * @more: further payloads of the same answer follow; nothing changes yet
 *
 * One answer ends one offer, whatever the answer is worth: a host does not try
 * again after an error, and an offer that stayed would meet each later answer.
 * So an answer that fails refuses the offer that it is about.  It is about the
 * oldest one if it is empty or if one of its ranges touches it.  Withdrawn
 * offers are passed (and end) on the way to a later one that it is about.  An
 * answer that is about none of these changes nothing.
 *
 * A host sends the payloads of one answer back to back, but its driver may let
 * other commands through between two of them.  If those ended the answer, the
 * rest of it would count as all of it, and memory that the host believes to
 * have would be gone.  So only the other of 4802h and 4803h, an error or a
 * reset forgets what was collected.
 */
CXLRetCode cxl_dc_host_respond(CXLDynCap *dc, uint16_t host,
                               const CXLDCRange *ranges, size_t n, bool more);
/** cxl_dc_host_release() - 4803h: give ranges back; @more as above. */
CXLRetCode cxl_dc_host_release(CXLDynCap *dc, uint16_t host,
                               const CXLDCRange *ranges, size_t n, bool more);

/* -- life ----------------------------------------------------------------- */

/**
 * cxl_dc_reset_host() - conventional or CXL reset of one LD (9.13.3): shared
 * capacity is force-released without records, offers are dropped, collected
 * More payloads forgotten; other Added capacity stays
 */
void cxl_dc_reset_host(CXLDynCap *dc, uint16_t host);
/**
 * cxl_dc_remove_host() - the host's interface is gone: the same, and all of its
 * capacity is force-released, so that others can have it
 */
void cxl_dc_remove_host(CXLDynCap *dc, uint16_t host);

/* -- hosts that are elsewhere (CXLDCOps.fenced) ---------------------------- */

/**
 * cxl_dc_last_ticket() - of the last operation that took access from a host
 *
 * They count up from 1.  In ops->access (off) and the commit behind it, that is
 * the operation which these are about.
 */
uint64_t cxl_dc_last_ticket(const CXLDynCap *dc);
/**
 * cxl_dc_access_ended() - @host does not reach any more what left it by
 * operations up to @ticket; blocks that no other host reaches are wiped, where
 * they have to be, and free
 * Return: some of it was not known to have ended yet
 */
bool cxl_dc_access_ended(CXLDynCap *dc, uint16_t host, uint64_t ticket);

/**
 * cxl_dc_next_wipe() - some of what has to be wiped, and nobody reaches
 * Return: false if there is nothing
 */
bool cxl_dc_next_wipe(const CXLDynCap *dc, CXLDCRange *range);
/**
 * cxl_dc_wiped() - @range reads as zeroes, and is free
 * @range: whole blocks at the beginning of what cxl_dc_next_wipe() returned
 */
void cxl_dc_wiped(CXLDynCap *dc, const CXLDCRange *range);

/** cxl_dc_is_fenced() - do hosts leave capacity later than it is taken away? */
bool cxl_dc_is_fenced(const CXLDynCap *dc);
/* In place of a ticket: no host reaches it, it is to be wiped */
#define CXL_DC_TICKET_WIPE  0
/**
 * cxl_dc_leaving() - what hosts may still reach of the medium, oldest first;
 * then what is to be wiped, with the host that has left it last
 */
typedef bool CXLDCLeavingFn(void *opaque, uint16_t host, uint64_t ticket,
                            const CXLDCRange *range);
void cxl_dc_leaving(const CXLDynCap *dc, CXLDCLeavingFn *fn, void *opaque);
/** cxl_dc_held() - what nobody has and nobody is given because of that. */
void cxl_dc_held(const CXLDynCap *dc, CXLDCRangeFn *fn, void *opaque);
/*
 * Both walks are state that vmstate_cxl_dc has not: these put it back into a
 * model that was loaded.  False for what cannot be.
 */
bool cxl_dc_restore_leaving(CXLDynCap *dc, uint16_t host, uint64_t ticket,
                            const CXLDCRange *range);
bool cxl_dc_restore_held(CXLDynCap *dc, const CXLDCRange *range, bool sanitize);

/* -- the host's end, where the model is elsewhere -------------------------- */

/** struct CXLDCPiece - @len bytes at @dpa of a host, and where on the medium */
typedef struct CXLDCPiece {
    uint64_t dpa;
    uint64_t len;
    uint64_t media;             /* as of cxl_dc_translate() */
} CXLDCPiece;

/*
 * A model may be no more than a view of what a host has of another one: it
 * answers cxl_dc_access(), cxl_dc_translate() and cxl_dc_next(), and tells its
 * owner by ops->access and ops->commit.  No other operation may be used.
 * False, and nothing has changed, for pieces that no host can have.
 */

/** cxl_dc_view_on() - @host can access these as well; it could not before. */
bool cxl_dc_view_on(CXLDynCap *dc, uint16_t host, const CXLDCPiece *piece,
                    size_t n);
/** cxl_dc_view_off() - @host cannot access anything at these addresses. */
bool cxl_dc_view_off(CXLDynCap *dc, uint16_t host, const CXLDCPiece *piece,
                     size_t n);
/** cxl_dc_view_become() - @host can access these and nothing else. */
bool cxl_dc_view_become(CXLDynCap *dc, uint16_t host, const CXLDCPiece *piece,
                        size_t n);
/** cxl_dc_view_leave() - @host has nothing shared now, or nothing at all */
void cxl_dc_view_leave(CXLDynCap *dc, uint16_t host, bool all);

/** cxl_dc_memory() - bytes of heap that the model holds now. */
size_t cxl_dc_memory(const CXLDynCap *dc);

/*
 * vmstate_cxl_dc - state of a CXLDynCap made with the same CXLDCConfig; use
 * VMSTATE_STRUCT_POINTER.  post_load rejects a stream that breaks any rule of
 * the model.  The owner rebuilds its mappings from cxl_dc_extents().
 */
extern const struct VMStateDescription vmstate_cxl_dc;

#endif /* CXL_DC_H */
