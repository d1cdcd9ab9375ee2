/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests of command sets 48h and 56h share: a fake device that has
 * both, parts of requests, appended to @rq, and of responses, read from @rs
 */
#ifndef TESTS_CXL_DC_COMMANDS_H
#define TESTS_CXL_DC_COMMANDS_H

#include "fake-memdev.h"

#define BLOCK(region, n) (FAKE_REGION_BASE(region) + (n) * FAKE_BLOCK)

extern const QemuUUID tag_a;
extern const QemuUUID no_tag;
/** nth_tag() - a tag is live in one allocation only, so each has its own */
QemuUUID nth_tag(unsigned n);

/** dc_setup() - as of g_test_add(): FM commands on the mailbox too */
void dc_setup(FakeMemDev *unused, gconstpointer data);

/** put_add() - head of 5604h and 5605h; put_list() - a count of extents */
void put_add(uint8_t policy, uint8_t region, uint64_t len,
             const QemuUUID *tag);
void put_list(uint32_t n);
void put_extent(uint64_t dpa, uint64_t len, const QemuUUID *tag, uint16_t seq);
/** put_answer() - head of 4802h and 4803h; put_range() - one of its extents */
void put_answer(uint32_t n, bool more);
void put_range(uint64_t dpa, uint64_t len);

/**
 * add_blocks() - offer and accept one block each at every second block
 * The records that the host got are forgotten.
 */
void add_blocks(unsigned first, unsigned n);

/** check_usage() - the counters at the end of 4800h and 5601h */
void check_usage(uint32_t extents_available);
/** check_extent() - 28h bytes, not shared */
void check_extent(uint64_t dpa, uint64_t len, const QemuUUID *tag);

#endif
