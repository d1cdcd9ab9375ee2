/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The dynamic capacity tests: a Fabric Manager, a host and one device
 *
 * The same tests run whatever transport the FM's commands take; the host always
 * uses the mailbox.
 */
#ifndef GUEST_DCD_BENCH_H
#define GUEST_DCD_BENCH_H

#include "hdm-window.h"
#include "host-agent.h"

/* Event records that one step can cause: more than any test here does */
#define BENCH_RECORDS 64

/**
 * struct dcd_bench - what all tests share
 * @fm: transport of the FM's commands
 * @host: mailbox; may be the same as @fm
 * @fm_log: @fm has an event log of its own (records 04h and 05h)
 * @agent: the host program
 * @info, @regions: answers of 5600h and 5601h
 * @win: memory of all regions; mem is NULL if it could not be mapped
 * @generation: of the extent list, when it was last looked at
 * @step: capacity that a test usually asks for, a multiple of each block size
 * @rec: records since bench_forget()
 */
struct dcd_bench {
    struct cxl_conn *fm, *host;
    bool fm_log;
    struct host_agent agent;
    struct fm_dcd_info info;
    struct fm_regions regions;
    struct hdm_window win;
    uint32_t generation;
    uint64_t step;
    struct cxl_dc_event rec[BENCH_RECORDS];
    unsigned nr_rec;
};

/**
 * bench_open() - read the geometry, map the memory
 * @memdev: "mem0", its volatile capacity may be in use
 * Return: false if no test can run; the reason is a failed test
 */
bool bench_open(struct dcd_bench *b, struct cxl_conn *fm,
                struct cxl_conn *host, const char *memdev, bool fm_log);

/** bench_tag() - tag number @n; the same for the same number. */
const uint8_t *bench_tag(unsigned n);
/** bench_extent() - @len bytes at @offset of a region. */
struct cxl_extent bench_extent(const struct dcd_bench *b, unsigned region,
                               uint64_t offset, uint64_t len, unsigned tag);

/** bench_host() - let the host handle its log under this policy. */
void bench_host(struct dcd_bench *b, enum host_policy policy);
/** bench_forget() - drop collected records. */
void bench_forget(struct dcd_bench *b);

/**
 * bench_expect() - the host has exactly these extents
 *
 * Compares 5603h with 4801h, both with @want (in any order), the generation
 * number with the one before and the free extent count with the list.
 * @changed: the list changed since the last call
 */
void bench_expect(struct dcd_bench *b, const char *when,
                  const struct cxl_extent *want, unsigned n, bool changed);
/**
 * bench_expect_offer() - 5608h and 5601h show offers
 * @tag: is, or with @n = 0 is not, among the offered tags; NULL: not looked at
 * @n: offered extents of all groups
 */
void bench_expect_offer(struct dcd_bench *b, const char *when,
                        const uint8_t *tag, unsigned n);
/** bench_expect_records() - @n of one type, More on all but the last. */
void bench_expect_records(struct dcd_bench *b, const char *when,
                          enum cxl_dc_event_type type, unsigned n);
/** bench_expect_fm_records() - the FM's log has @n records; it is emptied. */
void bench_expect_fm_records(struct dcd_bench *b, const char *when,
                             enum cxl_dc_event_type type, unsigned n);

/** bench_mem() - memory of a device address, or NULL without a mapping. */
dev8_t *bench_mem(const struct dcd_bench *b, uint64_t dpa);
/** bench_memory_works() - an accepted range keeps what is written. */
void bench_memory_works(struct dcd_bench *b, const char *which, uint64_t dpa,
                        uint64_t len);
/** bench_memory_absent() - loads give all ones, stores have no effect. */
void bench_memory_absent(struct dcd_bench *b, const char *which, uint64_t dpa,
                         uint64_t len);

/* -- dcd-test.c --------------------------------------------------------- */

/** dcd_test_all() - the tests, in order. */
void dcd_test_all(struct dcd_bench *b);

#endif /* GUEST_DCD_BENCH_H */
