/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine with two host bridges, each with a window and a head of one pool
 * below it: what two hosts see, in one guest
 */
#ifndef TESTS_CXL_QTEST_POOL_H
#define TESTS_CXL_QTEST_POOL_H

#include "cxl-qtest-map.h"

/* Static capacity of head 1; head 0 has none */
#define POOL_STATIC     (256 * MiB)
/* Address of a block of a region, as host @h sees it */
#define POOL_DPA(h, region, block) \
    ((h) * POOL_STATIC + (region) * CXL_REGION + (uint64_t)(block) * CXL_BLOCK)
/* Regions of pool_args(): plain, sharable, sharable and read-only, sanitized */
enum { POOL_PLAIN, POOL_SHARED, POOL_SHARED_RO, POOL_WIPED, POOL_REGIONS };
#define POOL_SIZE       (POOL_REGIONS * CXL_REGION)

typedef struct Pool {
    QTestState *qts;
    CxlDev head[2];
    uint64_t window[2];
} Pool;

/** pool_args() - @props: more properties of the pool, with a comma in front */
char *pool_args(const char *props);
void pool_start(Pool *t, const char *props);
/** pool_probe() - enumerates a head, and decodes all of it to its window */
void pool_probe(Pool *t, unsigned h);
/** pool_attach() - the same for both heads of a machine that runs already */
void pool_attach(Pool *t, QTestState *qts);
void pool_stop(Pool *t);
/** pool_add_test() - enter a test that gets such a machine of its own */
void pool_add_test(const char *path, void (*run)(Pool *t), const char *props);

/* The Fabric Manager, by the mailbox of head 0 */
uint16_t pool_add(Pool *t, unsigned h, const CxlExtent *e, unsigned n);
uint16_t pool_share(Pool *t, unsigned h, unsigned region, uint8_t tag);
uint16_t pool_release(Pool *t, unsigned h, unsigned flags, const CxlExtent *e,
                      unsigned n);
uint16_t pool_release_tag(Pool *t, unsigned h, unsigned flags, uint64_t len,
                          uint8_t tag);
/** pool_hold() - the FM offers, the host accepts */
void pool_hold(Pool *t, unsigned h, const CxlExtent *e, unsigned n);
/** pool_share_hold() - the same for what others have; sets @e, by number */
void pool_share_hold(Pool *t, unsigned h, unsigned region, uint8_t tag,
                     CxlExtent *e, unsigned n);

/* Loads and stores of a host */
uint64_t pool_readq(Pool *t, unsigned h, uint64_t dpa);
void pool_writeq(Pool *t, unsigned h, uint64_t dpa, uint64_t v);
/** pool_reset() - the head's bus is reset, as by its host alone */
void pool_reset(Pool *t, unsigned h);

#endif
