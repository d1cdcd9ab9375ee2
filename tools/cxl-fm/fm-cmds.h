/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands of a Fabric Manager (FM): CXL r3.2 7.6.7.6 (56xxh) and the generic
 * ones around them (0001h, 0100h/0101h, 0400h/0401h)
 *
 * Each fm_*() builds the request, sends it and reads the answer.  Lengths and
 * addresses are bytes; the wire's 256 MiB units are converted here.
 *
 * Every fm_*() returns 0, a positive CXL return code or a negative errno;
 * -EBADMSG says that the answer's length or content contradicts the
 * specification.
 */
#ifndef FM_CMDS_H
#define FM_CMDS_H

#include "cxl-conn.h"

#define CXL_DC_REGIONS  8
/* Unit of decode lengths and total capacity on the wire */
#define CXL_DC_UNIT     (256ull << 20)
/* Log of dynamic capacity event records in 0100h/0101h */
#define CXL_LOG_DC      4
/* A record of 0100h on the wire, and the answer's head before the records */
#define CXL_EVENT_SIZE  0x80
#define CXL_EVENTS_HEAD 0x20
/* An extent on the wire (table 8-63), and a 5608h entry */
#define CXL_EXTENT_SIZE 0x28
#define CXL_TAG_SIZE    0x54

enum cxl_rc {
    CXL_RC_OK               = 0x00,
    CXL_RC_BACKGROUND       = 0x01,
    CXL_RC_INVALID_INPUT    = 0x02,
    CXL_RC_UNSUPPORTED      = 0x03,
    CXL_RC_INTERNAL         = 0x04,
    CXL_RC_RETRY            = 0x05,
    CXL_RC_BUSY             = 0x06,
    CXL_RC_MEDIA_DISABLED   = 0x07,
    CXL_RC_INVALID_HANDLE   = 0x0e,
    CXL_RC_INVALID_PA       = 0x0f,
    CXL_RC_SECURITY_STATE   = 0x13,
    CXL_RC_UNSUPPORTED_CCI  = 0x15,
    CXL_RC_PAYLOAD_LENGTH   = 0x16,
    CXL_RC_INVALID_LOG      = 0x17,
    CXL_RC_RESOURCES        = 0x1d,
    CXL_RC_EXTENT_LIST      = 0x1e,
};

/** cxl_rc_name() - words for a return code; never NULL. */
const char *cxl_rc_name(int rc);

/* -- generic commands --------------------------------------------------- */

struct fm_identity {
    uint16_t vendor, device, subsys_vendor, subsys;
    uint64_t serial;
    uint8_t max_msg_log2;       /* messages up to 2^n bytes */
    uint8_t type;               /* 0 switch, 3 Type 3 */
};

struct fm_cel_entry {
    uint16_t opcode;
    uint16_t effects;
};

/* Opcodes that one CCI can list: all of r3.2 fit several times */
#define FM_CEL_MAX      256

struct fm_cel {
    size_t n;
    struct fm_cel_entry entry[FM_CEL_MAX];
};

/** struct fm_background - the operation that was started last, 0002h */
struct fm_background {
    bool running;
    uint8_t percent;
    uint16_t opcode;
    uint16_t rc;                /* once it is not running */
};

/* Logs that one component can list: r3.2 has five kinds */
#define FM_LOGS_MAX     32

struct fm_logs {
    unsigned n;
    struct {
        uint8_t uuid[16];
        uint32_t size;          /* bytes */
    } log[FM_LOGS_MAX];
};

/* A component that claims a longer log is not believed, bytes */
#define FM_LOG_MAX      (16u << 20)

int fm_identify(struct cxl_conn *conn, struct fm_identity *id);
/** fm_background_status() - 0002h. */
int fm_background_status(struct cxl_conn *conn, struct fm_background *bg);
/** fm_supported_logs() - 0400h. */
int fm_supported_logs(struct cxl_conn *conn, struct fm_logs *logs);
/** fm_read_log() - 0401h, as often as @size bytes need it. */
int fm_read_log(struct cxl_conn *conn, const uint8_t uuid[16], void *to,
                uint32_t size);
/**
 * struct fm_leaving - capacity that a host may still reach, or did last, see
 * docs/system/devices/cxl-commands.rst
 * @wiped: no host reaches it, but it is not overwritten yet
 */
struct fm_leaving {
    uint16_t host;
    bool wiped;
    uint64_t dpa;               /* as the host has it */
    uint64_t len;
};

/**
 * fm_read_leaving() - 0400h, then 0401h of the log of what is leaving
 * @list: to be freed; NULL if nothing is, or the component does not say
 */
int fm_read_leaving(struct cxl_conn *conn, struct fm_leaving **list,
                    size_t *n);
/** fm_read_cel() - 0400h, then 0401h of the command effects log. */
int fm_read_cel(struct cxl_conn *conn, struct fm_cel *cel);
/** fm_cel_find() - NULL if @opcode is not listed. */
const struct fm_cel_entry *fm_cel_find(const struct fm_cel *cel,
                                       uint16_t opcode);

/* -- dynamic capacity, common parts ------------------------------------- */

struct cxl_extent {
    uint64_t dpa;
    uint64_t len;
    uint8_t tag[16];
    uint16_t seq;
};

enum cxl_dc_event_type {
    CXL_EV_ADD              = 0,
    CXL_EV_RELEASE          = 1,
    CXL_EV_FORCED_RELEASE   = 2,
    CXL_EV_REGION_UPDATED   = 3,
    CXL_EV_ADD_RESPONSE     = 4,
    CXL_EV_RELEASED         = 5,
};

struct cxl_dc_event {
    uint32_t flags;             /* bits 1:0 severity */
    uint16_t handle;
    uint64_t timestamp;
    uint8_t type;
    uint8_t validity;           /* bit 0: the two counts below are set */
    uint16_t host;              /* ADD_RESPONSE and RELEASED only */
    uint8_t region;             /* REGION_UPDATED only */
    bool more;
    struct cxl_extent extent;
    uint32_t avail_extents, avail_tags;
};

/* Records that one answer can carry with the largest payload */
#define CXL_EVENTS_MAX  ((CXL_WIRE_MAX - CXL_EVENTS_HEAD) / CXL_EVENT_SIZE)

struct cxl_dc_events {
    bool overflow, more;
    uint16_t lost;
    unsigned n;
    struct cxl_dc_event ev[CXL_EVENTS_MAX];
};

/** fm_read_dc_events() - 0100h for the dynamic capacity log. */
int fm_read_dc_events(struct cxl_conn *conn, struct cxl_dc_events *events);
/** fm_clear_dc_events() - 0101h for the @n oldest records of @events. */
int fm_clear_dc_events(struct cxl_conn *conn,
                       const struct cxl_dc_events *events, unsigned n);

/* Policy of Event Notifications: the dynamic capacity log got a record */
#define FM_NOTICE_DC    0x0010
/** fm_get_notices() - 0104h: what the component says by itself. */
int fm_get_notices(struct cxl_conn *conn, uint16_t *policy);
/** fm_set_notices() - 0105h: what it shall say, to who asks this. */
int fm_set_notices(struct cxl_conn *conn, uint16_t policy);

/* Extents that one page of 4801h or 5603h can carry with the largest payload */
#define CXL_PAGE_MAX    (CXL_WIRE_MAX / CXL_EXTENT_SIZE)

/** struct cxl_extent_page - part of a host's list of accepted extents */
struct cxl_extent_page {
    uint16_t host;              /* 5603h only */
    uint32_t start;
    uint32_t n;
    uint32_t total;
    uint32_t generation;
    struct cxl_extent ext[CXL_PAGE_MAX];
};

/** struct cxl_dc_counts - closes the answers of 4800h and 5601h */
struct cxl_dc_counts {
    uint32_t extents, extents_free;
    uint32_t tags, tags_free;
};

/* -- 56xxh -------------------------------------------------------------- */

struct fm_dcd_info {
    uint8_t hosts, regions;
    uint16_t add_policies, release_policies;
    uint8_t sanitize_mask;
    uint64_t capacity;
    uint64_t block_mask[CXL_DC_REGIONS];
};

/* Attribute bits of struct fm_region, DSMAS positions */
#define FM_REGION_NON_VOLATILE  (1 << 2)
#define FM_REGION_SHARABLE      (1 << 3)
#define FM_REGION_HW_COHERENT   (1 << 4)
#define FM_REGION_DCD           (1 << 5)
#define FM_REGION_READ_ONLY     (1 << 6)

struct fm_region {
    uint64_t base, decode_len, len, block;
    uint8_t attributes;
    bool sanitize;
};

struct fm_regions {
    uint16_t host;
    uint8_t available, n;
    struct fm_region region[CXL_DC_REGIONS];
    struct cxl_dc_counts counts;
};

int fm_get_dcd_info(struct cxl_conn *conn, struct fm_dcd_info *info);
/** fm_may_have_host() - a component counts up to 255, and can have one more. */
bool fm_may_have_host(const struct fm_dcd_info *info, uint16_t host);
int fm_get_regions(struct cxl_conn *conn, uint16_t host, uint8_t count,
                   uint8_t start, struct fm_regions *regions);
int fm_set_region(struct cxl_conn *conn, uint8_t region, uint64_t block,
                  bool sanitize);
int fm_get_extents(struct cxl_conn *conn, uint16_t host, uint32_t count,
                   uint32_t start, struct cxl_extent_page *page);

enum fm_add_policy { FM_ADD_FREE, FM_ADD_CONTIGUOUS, FM_ADD_PRESCRIPTIVE,
                     FM_ADD_SHARED };
enum fm_release_policy { FM_RELEASE_TAG, FM_RELEASE_PRESCRIPTIVE };

#define FM_RELEASE_FORCED   (1 << 4)
#define FM_RELEASE_SANITIZE (1 << 5)

/**
 * struct fm_order - 5604h and 5605h, whose requests differ in one byte
 * @policy: enum of the command; for a release with FM_RELEASE_* ored in
 * @region: 5604h policies 0, 1, 3
 * @len: not for prescriptive policies
 * @tag: NULL is the zero tag; not for prescriptive policies
 * @ext: prescriptive policies, @n extents
 */
struct fm_order {
    uint16_t host;
    uint8_t policy, region;
    uint64_t len;
    const uint8_t *tag;
    const struct cxl_extent *ext;
    uint32_t n;
};

int fm_add(struct cxl_conn *conn, const struct fm_order *order);
int fm_release(struct cxl_conn *conn, const struct fm_order *order);
int fm_add_reference(struct cxl_conn *conn, const uint8_t tag[16]);
int fm_remove_reference(struct cxl_conn *conn, const uint8_t tag[16]);

/**
 * struct fm_tag - an entry of 5608h
 * @accepted, @pending: host k is bit k % 8 of byte k / 8
 * @withdrawn: an offer that was withdrawn waits for the host: nobody has the
 *             tag and nobody can get it, but it is there
 */
struct fm_tag {
    uint8_t tag[16];
    bool referenced, withdrawn;
    uint8_t accepted[32], pending[32];
};

static inline bool fm_tag_accepted(const struct fm_tag *t, uint16_t host)
{
    return host < 256 && t->accepted[host / 8] >> host % 8 & 1;
}

static inline bool fm_tag_offered(const struct fm_tag *t, uint16_t host)
{
    return host < 256 && t->pending[host / 8] >> host % 8 & 1;
}

#define FM_TAGS_MAX     (CXL_WIRE_MAX / CXL_TAG_SIZE)

struct fm_tags {
    uint32_t generation, total, n;
    uint8_t validity;
    struct fm_tag entry[FM_TAGS_MAX];
};

int fm_list_tags(struct cxl_conn *conn, uint32_t start, uint32_t max,
                 struct fm_tags *tags);

/* -- pieces that the host's commands share (host-cmds.c) ---------------- */

void rd_extent(struct cxl_rd *rd, struct cxl_extent *ext);
void rd_counts(struct cxl_rd *rd, struct cxl_dc_counts *counts);
/** rd_end() - 0 if the answer was read whole and to its end, or -EBADMSG. */
int rd_end(const struct cxl_rd *rd);

#endif /* FM_CMDS_H */
