/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A memory device for tests of command sets: real models, no PCI and no memory
 */
#ifndef TESTS_CXL_FAKE_MEMDEV_H
#define TESTS_CXL_FAKE_MEMDEV_H

#include "hw/cxl/cxl_cci.h"
#include "hw/cxl/cxl_dc.h"
#include "hw/cxl/cxl_events.h"
#include "hw/cxl/cxl_memdev.h"
#include "hw/cxl/memdev/poison.h"
#include "cxl-requests.h"

#define FAKE_LOG_DEPTH      16
#define FAKE_BLOCK          (2 * MiB)
#define FAKE_REGIONS        2
#define FAKE_REGION_BASE(n) (4 * GiB + (n) * 256 * MiB)
/* what the out-of-band CCI of the fake carries */
#define FAKE_FM_PAYLOAD     512
#define FAKE_MBOX_PAYLOAD   2048
#define FAKE_POISON_LIMIT   CXL_POISON_DEFAULT_LIMIT

/**
 * struct FakeMemDev - the fake: two regions of 256 MiB, blocks of 2 MiB, the
 * second one sharable and configurable to sanitize
 * @fm_on_mailbox: set it before fake_memdev_open()
 * @blocks: so may this: one region of so many blocks instead, with as many
 *          extents, records in the host's log for all of them, and the largest
 *          payloads on the mailbox
 */
typedef struct FakeMemDev {
    CXLMemDev *mem;
    CXLDynCap *dc;
    CXLCCI mailbox;
    CXLCCI fm;
    CXLCCI ld;
    bool partitionable;
    /* what is_decoded() says of any range */
    bool is_decoded;
    bool has_dc;
    bool fm_on_mailbox;
    uint32_t blocks;
    /* what store_line() and wipe_all() were asked for */
    uint64_t stored_dpa;
    uint8_t stored[CXL_POISON_LINE];
    unsigned zeroed;
    /* the ranges of zero() and wipe(), newest last */
    CXLDCRange zeroed_range[16];
    unsigned zeroed_ranges;
    /* wipe() was called, and wipe_begin() not yet */
    bool wiped;
    /* what is_wiping() says */
    bool wiping;
    uint64_t volatile_size;
    uint64_t persistent_size;
    uint64_t lsa_size;
    uint8_t lsa[1024];
} FakeMemDev;

extern FakeMemDev fake;

void fake_memdev_open(void);
void fake_memdev_close(void);

/** fake_memdev_test_init() - what the main() of a test begins with */
void fake_memdev_test_init(int *argc, char ***argv);
/** fake_teardown() - as of g_test_add(): fake_memdev_close() */
void fake_teardown(FakeMemDev *unused, gconstpointer data);

/* The request under construction, and the response as a reader */
extern CXLWriter rq;
extern CXLReader rs;

/** new_request() - start over with an empty payload */
void new_request(void);
/** put_fields() - append the fields of @opcode's request, cxl_request_pack() */
#define put_fields(opcode, ...) \
    put_request_fields(opcode, CXL_VALUES(__VA_ARGS__), \
                       CXL_COUNT(__VA_ARGS__))
void put_request_fields(uint16_t opcode, const uint64_t *values, size_t n);
/** send_fields() - run a request that has these fields and nothing else */
#define send_fields(cci, opcode, ...) \
    (put_fields(opcode, __VA_ARGS__), send_request(cci, opcode))
/** send_request() - run @rq; @rs then stands at the start of the response */
CXLRetCode send_request(CXLCCI *cci, uint16_t opcode);
/** send_bytes() - run the first @len bytes of @rq, zeroes behind its end */
CXLRetCode send_bytes(CXLCCI *cci, uint16_t opcode, size_t len);

#define assert_rc(call, code) g_assert_cmphex(call, ==, code)

#endif
