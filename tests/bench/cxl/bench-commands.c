/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What commands cost within QEMU, without a transport (CXL r3.2 7.6.7.6):
 * look-up, checks, handler and answer, on a device of models only
 *
 * Prints lines of name, payload bytes of the answer and nanoseconds; of a group
 * that is offered and accepted, number of extents and nanoseconds for each.
 */
#include "qemu/osdep.h"
#include "qemu/module.h"
#include "qemu/timer.h"
#include "qemu/units.h"
#include "fake-memdev.h"
#include "hw/cxl/cci/cmd-sets.h"

/* More than a page of either transport holds */
#define EXTENTS     60
#define RUNS        15
#define TIMES       20000
/* Heads of 5604h and 4802h; ranges of a 4802h in a mailbox of 2 KiB */
#define ADD_HEAD    0x20
#define ANSWER_HEAD 8
#define ANSWER_SIZE 0x18
#define ANSWER      ((2 * KiB - ANSWER_HEAD) / ANSWER_SIZE)
/* A 5604h of 1 MiB, the largest payload */
#define LARGEST     ((MiB - ADD_HEAD) / CXL_EXTENT_SIZE)
#define GROUPS      15

const CXLCmdSet *const cxl_cmd_sets[] = {
    &cxl_cmds_events,
    &cxl_cmds_dcd,
    &cxl_cmds_fm_dcd,
    NULL,
};

/* Every second block, so that none of them make one */
static void add(unsigned i)
{
    const uint64_t dpa = FAKE_REGION_BASE(0) + 2 * i * FAKE_BLOCK;
    const CXLDCExtent e = { .dpa = dpa, .len = FAKE_BLOCK };
    const CXLDCAddRequest req = {
        .policy = CXL_DC_ADD_PRESCRIPTIVE, .extents = &e, .nr_extents = 1,
    };
    const CXLDCRange r = { dpa, FAKE_BLOCK };

    assert_rc(cxl_dc_add(fake.dc, &req, NULL), CXL_RC_SUCCESS);
    assert_rc(cxl_dc_host_respond(fake.dc, 0, &r, 1, false), CXL_RC_SUCCESS);
    cxl_event_forget(fake.mem->events, CXL_EVENT_LOG_DYNCAP);
    cxl_event_forget(fake.mem->fm_events, CXL_EVENT_LOG_DYNCAP);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static void measure(const char *name, CXLCCI *cci, uint16_t opcode,
                    const uint8_t *in, size_t len)
{
    static uint8_t out[FAKE_MBOX_PAYLOAD];
    double ns[RUNS];
    size_t out_len = 0;

    for (unsigned run = 0; run < RUNS; run++) {
        int64_t start = get_clock();

        for (unsigned i = 0; i < TIMES; i++) {
            assert_rc(cxl_cci_process(cci, opcode, in, len, out, sizeof(out),
                                      &out_len), CXL_RC_SUCCESS);
        }
        ns[run] = (double)(get_clock() - start) / TIMES;
    }
    qsort(ns, RUNS, sizeof(*ns), compare);
    printf("%s\t%zu\t%.1f\n", name, out_len, ns[RUNS / 2]);
}

static void send_bytes_of(const CXLWriter *w, uint16_t opcode)
{
    static uint8_t out[FAKE_MBOX_PAYLOAD];
    size_t out_len;

    g_assert(!w->overflow);
    assert_rc(cxl_cci_process(&fake.mailbox, opcode, w->data, w->len, out,
                              sizeof(out), &out_len), CXL_RC_SUCCESS);
}

/* Prescriptive, every second block, no tag */
static void offer_group(unsigned n)
{
    static uint8_t bytes[MiB];
    CXLWriter w;

    cxl_writer_init(&w, bytes, sizeof(bytes));
    cxl_put_le16(&w, 0);
    cxl_put_u8(&w, CXL_DC_ADD_PRESCRIPTIVE);
    cxl_put_zero(&w, 1 + 8 + 16);
    cxl_put_le32(&w, n);
    for (unsigned i = 0; i < n; i++) {
        cxl_put_le64(&w, FAKE_REGION_BASE(0) + 2ull * i * FAKE_BLOCK);
        cxl_put_le64(&w, FAKE_BLOCK);
        cxl_put_zero(&w, CXL_EXTENT_SIZE - 16);
    }
    send_bytes_of(&w, 0x5604);
}

/* 4802h or 4803h of all of it, in pages */
static void answer_group(uint16_t opcode, unsigned n)
{
    static uint8_t bytes[FAKE_MBOX_PAYLOAD];

    for (unsigned at = 0; at < n; at += ANSWER) {
        unsigned part = MIN(n - at, ANSWER);
        CXLWriter w;

        cxl_writer_init(&w, bytes, sizeof(bytes));
        cxl_put_le32(&w, part);
        cxl_put_u8(&w, at + part < n);
        cxl_put_zero(&w, 3);
        for (unsigned i = at; i < at + part; i++) {
            cxl_put_le64(&w, FAKE_REGION_BASE(0) + 2ull * i * FAKE_BLOCK);
            cxl_put_le64(&w, FAKE_BLOCK);
            cxl_put_zero(&w, 8);
        }
        send_bytes_of(&w, opcode);
    }
}

/* Nanoseconds per extent of a whole cycle */
static double cycle(unsigned n)
{
    int64_t start = get_clock(), end;

    offer_group(n);
    answer_group(0x4802, n);
    end = get_clock();
    answer_group(0x4803, n);
    cxl_event_forget(fake.mem->events, CXL_EVENT_LOG_DYNCAP);
    cxl_event_forget(fake.mem->fm_events, CXL_EVENT_LOG_DYNCAP);
    return (double)(end - start) / n;
}

/* Sizes take turns, so that load does not make one of them slow */
static void measure_groups(void)
{
    static const unsigned size[] = { 100, 1000, 10000, LARGEST };
    double ns[ARRAY_SIZE(size)][GROUPS], ratio[GROUPS];

    fake.has_dc = true;
    fake.fm_on_mailbox = true;
    fake.blocks = 2 * LARGEST;
    fake_memdev_open();
    for (unsigned run = 0; run < GROUPS; run++) {
        for (unsigned i = 0; i < ARRAY_SIZE(size); i++) {
            cycle(size[i]);
            ns[i][run] = cycle(size[i]);
        }
        ratio[run] = ns[3][run] / ns[1][run];
    }
    for (unsigned i = 0; i < ARRAY_SIZE(size); i++) {
        qsort(ns[i], GROUPS, sizeof(*ns[i]), compare);
        printf("group\t%u\t%.1f\n", size[i], ns[i][GROUPS / 2]);
    }
    qsort(ratio, GROUPS, sizeof(*ratio), compare);
    printf("group-ratio\t%u\t%.3f\n", size[3], ratio[GROUPS / 2]);
    fake_memdev_close();
}

int main(int argc, char **argv)
{
    static const uint8_t page[12] = { [4] = EXTENTS };

    module_call_init(MODULE_INIT_QOM);
    fake.has_dc = true;
    fake.fm_on_mailbox = true;
    fake_memdev_open();
    for (unsigned i = 0; i < EXTENTS; i++) {
        add(i);
    }
    measure("5600", &fake.mailbox, 0x5600, NULL, 0);
    measure("5603", &fake.mailbox, 0x5603, page, sizeof(page));
    /* 4801h has no host in front */
    measure("4801", &fake.mailbox, 0x4801, page + 4, 8);
    fake_memdev_close();
    measure_groups();
    return 0;
}
