/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Helpers that the files of the oracle share.
 */
#ifndef TESTS_CXL_DC_ORACLE_INTERNAL_H
#define TESTS_CXL_DC_ORACLE_INTERNAL_H

#include "qemu/int128.h"
#include "dc-oracle.h"

int o_region_at(const Oracle *o, uint64_t dpa);
bool o_inside(const Oracle *o, uint64_t dpa, uint64_t len);
unsigned o_cells(const Oracle *o, uint64_t dpa, uint64_t len);
bool o_off_block(const Oracle *o, uint64_t dpa, uint64_t len);
void o_sort(GArray *ranges);
bool o_any_overlap(const CXLDCRange *r, size_t n);
bool o_free_cell(Oracle *o, unsigned cell);

OTag *o_tag(Oracle *o, int tag);
int o_find_tag(Oracle *o, const QemuUUID *uuid);
uint64_t o_tag_bytes(Oracle *o, unsigned host, int tag, OState state);
bool o_holds(Oracle *o, unsigned host, int tag);
bool o_orphan(Oracle *o, int tag);
void o_settle(Oracle *o);

CXLDCExtent o_extent(Oracle *o, uint64_t dpa, uint64_t len, int tag,
                     uint16_t seq);
unsigned o_added(Oracle *o, unsigned host);
unsigned o_used_extents(Oracle *o, unsigned host);
unsigned o_used_tags(Oracle *o, unsigned host);

void o_wipe(Oracle *o, uint64_t dpa, uint64_t len);
void o_log(Oracle *o, CXLDCEventType type, unsigned host, const GArray *list);
void o_report(Oracle *o, unsigned host, CXLDCOutcome what, CXLDCReason why,
              size_t n);

/* Ends the oldest group of the host */
void o_group_end(Oracle *o, unsigned host);
/* The same, reported as refused; @why unless it was withdrawn */
void o_refuse(Oracle *o, unsigned host, CXLDCReason why);
GArray *o_pieces(Oracle *o, unsigned host, const GArray *ranges);
bool o_splits_share(Oracle *o, unsigned host, const GArray *pieces);
unsigned o_count_without(Oracle *o, unsigned host, const GArray *pieces);
void o_remove(Oracle *o, unsigned host, const GArray *pieces, bool sanitize);

#endif /* TESTS_CXL_DC_ORACLE_INTERNAL_H */
