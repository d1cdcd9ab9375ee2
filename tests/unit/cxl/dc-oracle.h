/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slow and obvious dynamic capacity: one cell per block and host, searched from
 * end to end for every answer.  The model is compared with it.
 */
#ifndef TESTS_CXL_DC_ORACLE_H
#define TESTS_CXL_DC_ORACLE_H

#include "dc-recorder.h"

#define ORACLE_HOSTS    3
#define ORACLE_CELLS    160
#define ORACLE_PARTS    64

typedef enum OState { O_FREE, O_PENDING, O_ADDED } OState;

/* One block as one host sees it */
typedef struct OCell {
    OState state;
    uint32_t extent;            /* cells of an extent share this number */
    uint32_t group;
    int tag;                    /* index in tags, or -1 */
    uint16_t seq;
    bool asked;
    bool asked_sanitize;
} OCell;

typedef struct OTag {
    bool live;
    QemuUUID uuid;
    unsigned region;
    bool sharable;
    bool referenced;
    bool sanitize;
    bool touched;
    unsigned n;                 /* sharable: extents */
    uint64_t dpa[CXL_DC_MAX_REGIONS][ORACLE_PARTS];
    uint64_t len[ORACLE_PARTS];
    bool seen_in[CXL_DC_MAX_REGIONS];
} OTag;

typedef struct OGroup {
    uint32_t id;
    bool dead;
    GArray *parts;              /* CXLDCExtent */
} OGroup;

typedef struct Oracle {
    CXLDCConfig config;
    CXLDCRegion region[CXL_DC_MAX_REGIONS];
    unsigned first[CXL_DC_MAX_REGIONS + 1];
    uint64_t unit[CXL_DC_MAX_REGIONS];  /* bytes of a cell: smallest block */
    OCell cell[ORACLE_HOSTS][ORACLE_CELLS];
    GArray *tags;               /* OTag, dead ones too */
    GArray *groups[ORACLE_HOSTS];
    GArray *held[ORACLE_HOSTS];
    int chain[ORACLE_HOSTS];
    uint32_t next;
    /* what the last operation should have caused */
    DCRecorder *want;
    uint32_t *room;
    bool list_changed[ORACLE_HOSTS];
} Oracle;

Oracle *oracle_new(const CXLDCConfig *config, uint32_t *room);
void oracle_free(Oracle *o);

void oracle_usage(Oracle *o, unsigned host, CXLDCUsage *u);
/* CXLDCExtent of all Added extents */
GArray *oracle_extents(Oracle *o, unsigned host);
bool oracle_region_busy(Oracle *o, unsigned region);
int oracle_cell_of(const Oracle *o, uint64_t dpa);
uint64_t oracle_cell_dpa(const Oracle *o, unsigned cell);
int oracle_region_of_cell(const Oracle *o, unsigned cell);
bool oracle_tag_info(Oracle *o, unsigned tag, CXLDCTagInfo *info);

CXLRetCode oracle_add(Oracle *o, const CXLDCAddRequest *req);
CXLRetCode oracle_release(Oracle *o, const CXLDCReleaseRequest *req);
CXLRetCode oracle_respond(Oracle *o, unsigned host, const CXLDCRange *r,
                          size_t n, bool more);
CXLRetCode oracle_give_back(Oracle *o, unsigned host, const CXLDCRange *r,
                            size_t n, bool more);
CXLRetCode oracle_reference(Oracle *o, const QemuUUID *uuid, bool on);
CXLRetCode oracle_set_region(Oracle *o, unsigned region, uint64_t block,
                             bool sanitize);
/* @all: the host is removed */
void oracle_reset(Oracle *o, unsigned host, bool all);

#endif /* TESTS_CXL_DC_ORACLE_H */
