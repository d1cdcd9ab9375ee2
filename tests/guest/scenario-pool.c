/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenario "pool": two heads of one pool below two host bridges, so that one
 * guest is two hosts, and the Fabric Manager that it has on I2C is the pool's
 * (CXL r3.2 7.6.7.5, 7.6.7.6, 9.13.3)
 */
#include <stdio.h>
#include <string.h>

#include "dmesg.h"
#include "hdm-window.h"
#include "host-agent.h"
#include "mctp-link.h"
#include "region.h"
#include "scenario.h"
#include "tap.h"

#define SETTLE_S    30
#define HEADS       2
/* Words that are touched lie this far apart */
#define STRIDE      (64ul << 10)
#define BLOCKS      16
/* Of the two regions of the machine the second is sharable */
#define ALONE       0
#define SHARED      1
/* Serial numbers of the machine's heads begin here */
#define SERIAL      0xc0de0000

/**
 * struct head - one of the hosts
 * @number: of the head, which is the host ID
 * @memdev: what Linux calls it
 * @regions: as the Fabric Manager sees them for this host
 */
struct head {
    unsigned number;
    char memdev[16];
    struct cxl_conn *host;
    struct host_agent agent;
    struct hdm_window win;
    struct fm_regions regions;
};

static struct cxl_conn *fm;
static struct head heads[HEADS];

/* Linux numbers devices as it finds them */
static bool find_memdev(struct head *h)
{
    for (unsigned i = 0; i < HEADS; i++) {
        uint64_t serial;

        snprintf(h->memdev, sizeof(h->memdev), "mem%u", i);
        if (!sys_await(SETTLE_S, CXL_SYS "/%s/driver", h->memdev) ||
            sys_read_u64(&serial, CXL_SYS "/%s/serial", h->memdev)) {
            return false;
        }
        if (serial == SERIAL + h->number) {
            return true;
        }
    }
    return false;
}

static bool head_open(struct head *h, unsigned number)
{
    char root[32];
    uint64_t base, size;

    h->number = number;
    if (!tap_check(find_memdev(h), "head %u has a driver", number)) {
        return false;
    }
    h->host = memdev_open(h->memdev);
    if (!tap_check(h->host, "head %u has a mailbox", number) ||
        !tap_rc(fm_get_regions(fm, number, CXL_DC_REGIONS, 0, &h->regions), 0,
                "5601 answers for host %u", number) ||
        !tap_check(h->regions.n == 2, "host %u has two regions", number)) {
        return false;
    }
    host_agent_init(&h->agent, h->host, HOST_ACCEPT_ALL);
    h->agent.release = true;
    base = h->regions.region[0].base;
    size = h->regions.region[1].base + h->regions.region[1].decode_len - base;
    snprintf(root, sizeof(root), "decoder0.%u", number);
    return tap_rc(hdm_window_open(&h->win, h->memdev, root, base, size), 0,
                  "host %u sees its regions in its own window", number);
}

static struct cxl_extent extent(const struct head *h, unsigned region)
{
    const struct fm_region *r = &h->regions.region[region];

    return (struct cxl_extent) { .dpa = r->base, .len = BLOCKS * r->block };
}

static dev8_t *memory(const struct head *h, const struct cxl_extent *ext)
{
    return h->win.mem + (ext->dpa - h->win.dpa);
}

static bool host_answers(struct head *h)
{
    return host_agent_run(&h->agent) > 0 && !h->agent.last_rc;
}

/* 4801h, as Linux would read it */
static unsigned accepted(struct head *h)
{
    static struct cxl_extent_page page;

    return host_get_extents(h->host, 1, 0, &page) ? 0 : page.total;
}

static int offer(const struct head *h, const struct cxl_extent *ext)
{
    struct fm_order order = {
        .host = h->number, .policy = FM_ADD_PRESCRIPTIVE, .ext = ext, .n = 1,
    };

    return fm_add(fm, &order);
}

static int ask_back(const struct head *h, const struct cxl_extent *ext)
{
    struct fm_order order = {
        .host = h->number, .policy = FM_RELEASE_PRESCRIPTIVE, .ext = ext,
        .n = 1,
    };

    return fm_release(fm, &order);
}

static bool is_absent(const struct head *h, const struct cxl_extent *ext)
{
    return !memtest_is(memory(h, ext), ext->len, STRIDE, UINT64_MAX);
}

/* What one host had is another's then, without what the first wrote */
static void capacity_moves(void)
{
    for (unsigned round = 0; round < 2; round++) {
        struct head *one = &heads[round], *other = &heads[!round];
        struct cxl_extent mine = extent(one, ALONE);
        struct cxl_extent theirs = extent(other, ALONE);

        tap_rc(offer(one, &mine), 0, "host %u is offered an extent", round);
        tap_check(host_answers(one) && accepted(one) == 1,
                  "host %u accepts it", round);
        tap_check(accepted(other) == 0 && is_absent(other, &theirs),
                  "host %u sees nothing of it", !round);
        tap_rc(offer(other, &theirs), CXL_RC_EXTENT_LIST,
               "host %u is not offered what is in use", !round);
        tap_check(!memtest_is(memory(one, &mine), mine.len, STRIDE, 0),
                  "host %u gets memory of zeroes", round);
        memtest_fill(memory(one, &mine), mine.len, STRIDE, round);
        tap_check(!memtest_check(memory(one, &mine), mine.len, STRIDE, round),
                  "host %u: it keeps what is written", round);
        tap_rc(ask_back(one, &mine), 0, "host %u is asked for it", round);
        tap_check(host_answers(one) && accepted(one) == 0 &&
                  is_absent(one, &mine), "host %u gives it back", round);
    }
}

static bool other_writes(const struct head *a, const struct head *b,
                         const struct cxl_extent *at_a,
                         const struct cxl_extent *at_b, unsigned seed)
{
    memtest_fill(memory(a, at_a), at_a->len, STRIDE, seed);
    return !memtest_check(memory(b, at_b), at_b->len, STRIDE, seed);
}

/* One tag, two hosts, the same bytes; it ends with the last of them */
static void capacity_is_shared(void)
{
    struct head *a = &heads[0], *b = &heads[1];
    struct cxl_extent at_a = extent(a, SHARED), at_b = extent(b, SHARED);
    struct fm_order share = {
        .host = b->number, .policy = FM_ADD_SHARED, .region = SHARED,
        .tag = at_a.tag,
    };
    struct fm_order again = {
        .host = a->number, .policy = FM_ADD_SHARED, .region = SHARED,
        .tag = at_a.tag,
    };

    memset(at_a.tag, 0x5a, sizeof(at_a.tag));
    memcpy(at_b.tag, at_a.tag, sizeof(at_b.tag));
    tap_rc(offer(a, &at_a), 0, "host 0 is offered a tag");
    tap_check(host_answers(a), "host 0 accepts it");
    tap_rc(fm_add(fm, &share), 0, "host 1 is offered the same tag");
    tap_check(host_answers(b) && accepted(b) == 1, "host 1 accepts it");
    tap_check(other_writes(a, b, &at_a, &at_b, 7),
              "host 1 reads what host 0 writes");
    tap_check(other_writes(b, a, &at_b, &at_a, 8),
              "host 0 reads what host 1 writes");
    tap_rc(ask_back(a, &at_a), 0, "host 0 is asked for it");
    tap_check(host_answers(a) && is_absent(a, &at_a),
              "host 0 gives it back");
    tap_check(!memtest_check(memory(b, &at_b), at_b.len, STRIDE, 8),
              "host 1 still has it, with its bytes");
    tap_rc(ask_back(b, &at_b), 0, "host 1 is asked for it");
    tap_check(host_answers(b) && accepted(b) == 0, "host 1 gives it back");
    tap_check(fm_add(fm, &again) > 0, "there is no such tag any more");
}

void scenario_pool(void)
{
    struct fm_dcd_info info;

    fm = mctp_link_open_first();
    if (!tap_check(fm, "the pool's Fabric Manager is on I2C") ||
        !tap_rc(fm_get_dcd_info(fm, &info), 0, "5600 answers") ||
        !tap_check(info.hosts == HEADS, "the pool has two hosts")) {
        return;
    }
    for (unsigned i = 0; i < HEADS; i++) {
        if (!head_open(&heads[i], i)) {
            return;
        }
    }
    capacity_moves();
    capacity_is_shared();
    tap_check(!dmesg_complaints(), "no warning in dmesg");
}
