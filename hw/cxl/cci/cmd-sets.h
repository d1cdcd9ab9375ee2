/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command sets of this build, and what several of them share
 *
 * A new set is a file with a const CXLCmdSet, a line here and a line in
 * cmd-sets.c.  Dispatch, effects log and documentation follow the rows.
 */
#ifndef CXL_CMD_SETS_H
#define CXL_CMD_SETS_H

#include "hw/cxl/cxl_cci.h"

typedef struct CXLDCRegion CXLDCRegion;
typedef struct CXLDynCap CXLDynCap;

extern const CXLCmdSet cxl_cmds_infostat;       /* 00h */
extern const CXLCmdSet cxl_cmds_events;         /* 01h */
extern const CXLCmdSet cxl_cmds_firmware;       /* 02h */
extern const CXLCmdSet cxl_cmds_timestamp;      /* 03h */
extern const CXLCmdSet cxl_cmds_logs;           /* 04h */
extern const CXLCmdSet cxl_cmds_features;       /* 05h */
extern const CXLCmdSet cxl_cmds_maintenance;    /* 06h */
extern const CXLCmdSet cxl_cmds_identify;       /* 40h */
extern const CXLCmdSet cxl_cmds_capacity;       /* 41h */
extern const CXLCmdSet cxl_cmds_health;         /* 42h */
extern const CXLCmdSet cxl_cmds_media;          /* 43h */
extern const CXLCmdSet cxl_cmds_sanitize;       /* 44h */
extern const CXLCmdSet cxl_cmds_security;       /* 45h */
extern const CXLCmdSet cxl_cmds_security_protocol;  /* 46h */
extern const CXLCmdSet cxl_cmds_qos;            /* 47h */
extern const CXLCmdSet cxl_cmds_dcd;            /* 48h */
extern const CXLCmdSet cxl_cmds_fm_switch;      /* 51h */
extern const CXLCmdSet cxl_cmds_fm_vcs;         /* 52h */
extern const CXLCmdSet cxl_cmds_mld_port;       /* 53h */
extern const CXLCmdSet cxl_cmds_mld;            /* 54h */
extern const CXLCmdSet cxl_cmds_mhd;            /* 55h */
extern const CXLCmdSet cxl_cmds_fm_dcd;         /* 56h */

/* Every kind of CCI */
#define CXL_CCI_ALL (CXL_CCI_MAILBOX | CXL_CCI_FM | CXL_CCI_LD | \
                     CXL_CCI_SWITCH | CXL_CCI_MHD)

/*
 * A row of a table.  Behind the handler come the members that it does not share
 * with most others: CXL_ROW(..., handler, .effects = ..., .flags = ...)
 */
#define CXL_ROW(op, title, kinds, rule, fn, ...) \
    { .opcode = (op), .name = (title), .where = (kinds), .len = rule, \
      .handler = (fn), __VA_ARGS__ }

/**
 * struct CXLListPart - what an answer carries of a list that is walked
 * @max: entries to write, not 0 when the walk begins
 * @done: entries written
 */
typedef struct CXLListPart {
    CXLWriter *out;
    uint32_t max;
    uint32_t done;
} CXLListPart;

/* Bytes of an extent in 4801h, 5603h, 5604h and 5605h (Table 8-63) */
#define CXL_EXTENT_SIZE         0x28

/** cxl_cci_is_memdev() - a row's present(): the component is a memory device */
bool cxl_cci_is_memdev(const CXLCCI *cci);

/** cxl_cci_accessible() - cxl_memdev_accessible() for this CCI's host. */
bool cxl_cci_accessible(const CXLCCI *cci, uint64_t dpa, uint64_t len,
                        bool write);

/** cxl_media_ms() - how long a background operation on @len bytes takes. */
uint32_t cxl_media_ms(uint64_t len);

/** cxl_put_dc_usage() - the four counters that end 4800h and 5601h. */
void cxl_put_dc_usage(CXLWriter *out, const CXLDynCap *dc, uint16_t host);

/**
 * cxl_put_dc_geometry() - what begins a region in 4800h and in 5601h, as @host
 * sees it
 */
void cxl_put_dc_geometry(CXLWriter *out, const CXLDynCap *dc, uint16_t host,
                         unsigned region);

/**
 * cxl_put_dc_extents() - Added extents of @host from index @start on
 * @max: most of them to write
 * Return: how many were written; as many as fit
 */
uint32_t cxl_put_dc_extents(CXLWriter *out, const CXLDynCap *dc, uint16_t host,
                            uint32_t start, uint32_t max);

/**
 * cxl_tunnel_put_answer() - what 5300h gives, with the answer that it encloses
 * @response: of what was enclosed; @response->length bytes are at @payload
 */
void cxl_tunnel_put_answer(CXLWriter *out, const struct CXLCCIMsg *response,
                           const void *payload);

/**
 * cxl_get_lds() - the first logical device that a request asks for, and how
 * many of those that there are
 * Return: false if not even the first is there
 */
bool cxl_get_lds(const CXLCCI *cci, CXLReader *in, uint8_t *start,
                 uint8_t *count);
/** cxl_cci_nr_lds() - logical devices of the component, 0 if it has none. */
unsigned cxl_cci_nr_lds(const CXLCCI *cci);
/** cxl_cci_ld() - CCI of one, NULL if there is none or its head is unplugged */
CXLCCI *cxl_cci_ld(const CXLCCI *cci, unsigned ld);

#endif /* CXL_CMD_SETS_H */
