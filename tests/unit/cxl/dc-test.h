/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A dynamic capacity model to try things on, in few words.
 */
#ifndef TESTS_CXL_DC_TEST_H
#define TESTS_CXL_DC_TEST_H

#include "qapi/error.h"
#include "dc-recorder.h"

/* Regions of dc_test_config(): 256 MiB each, blocks of 2 MiB, no gaps */
enum {
    PLAIN,          /* may also have blocks of 4 KiB */
    SHARED,
    SHARED_RO,
    WIPED,          /* sanitize on release, can be turned off */
    NR_REGIONS,
};

#define BLOCK   (2 * MiB)
#define BASE    (CXL_DC_GRANULE)
#define DPA(region, block) (BASE + (region) * CXL_DC_GRANULE + (block) * BLOCK)
#define BLOCKS  (CXL_DC_GRANULE / BLOCK)

typedef struct DCTest {
    CXLDCConfig config;
    DCRecorder *rec;
    CXLDynCap *dc;
} DCTest;

/* Two hosts, 512 extents, 64 tags */
CXLDCConfig dc_test_config(void);
DCTest *dc_test_new(void);
/* The same that can track @max_extents */
DCTest *dc_test_new_extents(unsigned max_extents);
DCTest *dc_test_new_with(const CXLDCConfig *config, const CXLDCOps *ops);
void dc_test_free(DCTest *t);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DCTest, dc_test_free)
/* Enter a test that gets what dc_test_new() makes */
void dc_test_add(const char *path, void (*run)(DCTest *t));

/* Tag number @n; 0 is no tag */
QemuUUID tag_nr(unsigned n);
CXLDCExtent extent_of(uint64_t dpa, uint64_t blocks, unsigned tag);
CXLDCRange range_of(uint64_t dpa, uint64_t blocks);

/* FM.  A failure must come with a sentence, success without. */
CXLRetCode fm_add(DCTest *t, unsigned host, const CXLDCExtent *e, size_t n);
CXLRetCode fm_add_one(DCTest *t, unsigned host, uint64_t dpa, uint64_t blocks,
                      unsigned tag);
CXLRetCode fm_add_sized(DCTest *t, unsigned host, CXLDCAddPolicy policy,
                        unsigned region, uint64_t len, unsigned tag);
CXLRetCode fm_share(DCTest *t, unsigned host, unsigned region, unsigned tag);
CXLRetCode fm_release(DCTest *t, unsigned host, uint64_t dpa, uint64_t blocks,
                      bool forced, bool sanitize);
CXLRetCode fm_release_tag(DCTest *t, unsigned host, unsigned tag,
                          uint64_t len, bool forced);
/* The sentence that a request fails with; caller frees */
char *fm_add_error(DCTest *t, const CXLDCAddRequest *req, CXLRetCode rc);
char *fm_release_error(DCTest *t, const CXLDCReleaseRequest *req,
                       CXLRetCode rc);

/* Host */
CXLRetCode host_accept(DCTest *t, unsigned host, uint64_t dpa,
                       uint64_t blocks);
CXLRetCode host_refuse(DCTest *t, unsigned host);
/* Accepts the oldest offer as it is */
void host_accept_all(DCTest *t, unsigned host);
CXLRetCode host_release(DCTest *t, unsigned host, uint64_t dpa,
                        uint64_t blocks);

/* Offer and accept */
void give(DCTest *t, unsigned host, uint64_t dpa, uint64_t blocks,
          unsigned tag);

/* What can be seen */
unsigned nr_added(DCTest *t, unsigned host);
unsigned nr_pending(DCTest *t, unsigned host);
CXLDCExtent added_at(DCTest *t, unsigned host, unsigned index);
CXLDCExtent pending_at(DCTest *t, unsigned host, unsigned index,
                       unsigned *group, bool *dead);
bool can_access(DCTest *t, unsigned host, uint64_t dpa, uint64_t blocks);
unsigned extents_left(DCTest *t, unsigned host);
unsigned tags_left(DCTest *t, unsigned host);
bool find_tag(DCTest *t, unsigned tag, CXLDCTagInfo *info);

void assert_extent(const CXLDCExtent *e, uint64_t dpa, uint64_t blocks,
                   unsigned tag, unsigned seq);

/* Report number @i of the last operation */
void assert_report(DCTest *t, unsigned i, CXLDCOutcome what, CXLDCReason why,
                   size_t n);

#define assert_rc(got, want) g_assert_cmphex(got, ==, want)

#endif /* TESTS_CXL_DC_TEST_H */
