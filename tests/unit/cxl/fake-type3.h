/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A memory device for tests of command sets: real models, no PCI and no memory
 */
#ifndef TESTS_CXL_FAKE_TYPE3_H
#define TESTS_CXL_FAKE_TYPE3_H

#include "hw/cxl/cxl_type3.h"

#define FAKE_LOG_DEPTH      16
#define FAKE_BLOCK          (2 * MiB)
#define FAKE_REGIONS        2
#define FAKE_REGION_BASE(n) (4 * GiB + (n) * 256 * MiB)
/* what the out-of-band CCI of the fake carries */
#define FAKE_FM_PAYLOAD     512
#define FAKE_MBOX_PAYLOAD   2048
#define FAKE_POISON_LIMIT   256

/**
 * struct CXLType3Dev - the fake: two regions of 256 MiB, blocks of 2 MiB, the
 * second one sharable and configurable to sanitize
 * @fm_on_mailbox: set it before fake_type3_open()
 * @blocks: so may this: one region of so many blocks instead, with as many
 *          extents, records in the host's log for all of them, and the largest
 *          payloads on the mailbox
 */
struct CXLType3Dev {
    CXLTimestamp clock;
    CXLEventLogs host_logs;
    CXLEventLogs fm_logs;
    CXLCCI mailbox;
    CXLCCI fm;
    CXLCCI ld;
    CXLFirmware firmware;
    CXLHealth health;
    CXLSecurity security;
    CXLPartition partition;
    /* what cxl_type3_is_decoded() says of any range */
    bool is_decoded;
    CXLQoS qos;
    CXLHistory history;
    CXLDump dump;
    CXLFeatures features;
    CXLMaintenance maintenance;
    CXLDynCap *dc;
    bool has_dc;
    bool fm_on_mailbox;
    uint32_t blocks;
    bool media_disabled;
    CXLPoison poison;
    CXLMediaState media;
    /* what cxl_type3_store_line() and cxl_type3_wipe_all() were asked for */
    uint64_t stored_dpa;
    uint8_t stored[CXL_POISON_LINE];
    unsigned zeroed;
    /* the ranges of cxl_type3_zero() and cxl_type3_wipe(), newest last */
    CXLDCRange zeroed_range[16];
    unsigned zeroed_ranges;
    /* cxl_type3_wipe() was called, and cxl_type3_wipe_begin() not yet */
    bool wiped;
    /* what cxl_type3_wiping() says */
    bool wiping;
    uint64_t volatile_size;
    uint64_t persistent_size;
    uint64_t lsa_size;
    uint8_t lsa[1024];
};

extern CXLType3Dev fake;

void fake_type3_open(void);
void fake_type3_close(void);

/** fake_type3_test_init() - what the main() of a test begins with */
void fake_type3_test_init(int *argc, char ***argv);
/** fake_teardown() - as of g_test_add(): fake_type3_close() */
void fake_teardown(CXLType3Dev *unused, gconstpointer data);

/* The request under construction, and the response as a reader */
extern CXLWriter rq;
extern CXLReader rs;

/** new_request() - start over with an empty payload */
void new_request(void);
/** send_request() - run @rq; @rs then stands at the start of the response */
CXLRetCode send_request(CXLCCI *cci, uint16_t opcode);
/** send_bytes() - run the first @len bytes of @rq, zeroes behind its end */
CXLRetCode send_bytes(CXLCCI *cci, uint16_t opcode, size_t len);

#define assert_rc(call, code) g_assert_cmphex(call, ==, code)

#endif
