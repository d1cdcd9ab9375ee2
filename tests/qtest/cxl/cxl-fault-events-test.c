/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults of event records and of dynamic capacity: what a host reads of its
 * logs, its list and its regions, and which interrupts it gets
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "cxl-qtest-fault.h"

#define MEM         "cxl-mem0"
#define RECORD      0x80
#define LIST        0x20
#define DCD         4
#define FAILURE     2
#define ALL         UINT64_MAX
/* Vectors of the logs of failures and of dynamic capacity */
#define VEC_FAIL    4
#define VEC_DCD     6

static void read_log(CxlDev *dev, uint8_t log, CxlRsp *rsp)
{
    g_assert_cmphex(cxl_run(dev, rsp, 0x0100, log), ==, 0);
}

static uint64_t record_field(const CxlRsp *rsp, unsigned record, unsigned at,
                             unsigned width)
{
    return ldn_le_p(rsp->data + LIST + record * RECORD + at, width);
}

static void media_event(QTestState *qts)
{
    qtest_qmp_assert_success(qts,
        "{'execute': 'cxl-inject-general-media-event', 'arguments': {"
        " 'path': 'cxl-mem0', 'log': 'failure', 'flags': 1, 'dpa': 64,"
        " 'descriptor': 1, 'type': 0, 'transaction-type': 1}}");
}

/* -- records ------------------------------------------------------------ */

/**
 * struct Row - what an armed fault makes of two extents that are offered as one
 * group in region 0, 2 MiB and 4 MiB long and 2 MiB apart; in @media of two
 * records of errors instead
 * @count: records in the log, which are all read
 * @record: the one whose field of @width bytes at @at is @value; 0: none
 */
static const struct Row {
    const char *kind, *arguments;
    bool media;
    unsigned count, record, at, width;
    uint64_t value;
} rows[] = {
    { "event-lost", "'log': 2", true, 1 },
    { "event-lost", "'log': 4", true, 2 },
    { "event-lost", "", false, 1, 0, 0x35, 1, 0 },
    { "event-doubled", "'log': 2", true, 3, 1, 0x14, 2, 2 },
    { "event-type", "", true, 2, 0, 8, 8, 0xeeeeeeeeeeeeeeee },
    { "event-length", "", true, 2, 0, 0x10, 1, 0 },
    { "event-time", "", true, 2, 0, 0x18, 8, ALL },
    { "event-time", "", true, 2, 1, 0x18, 8, 0 },
    { "event-field", "'offset': 124, 'width': 4, 'value': 305419896", true, 2,
      0, 0x7c, 4, 0x12345678 },
    /* what does not lie in a record is no record's */
    { "event-field", "'offset': 125, 'width': 4, 'value': 305419896", true, 2,
      0, 0x7c, 4, 0 },
    { "dc-chain-open", "", false, 2, 1, 0x35, 1, 1 },
    { "dc-chain-closed", "", false, 2, 0, 0x35, 1, 0 },
    { "dc-last-lost", "", false, 1, 0, 0x35, 1, 1 },
    { "dc-sequence", "", false, 2, 0, 0x58, 2, 1 },
    { "dc-sequence-hole", "'value': 3", false, 2, 0, 0x58, 2, 3 },
    { "dc-sequence-doubled", "", false, 2, 0, 0x58, 2, 0xffff },
    { "dc-tag", "", false, 2, 0, 0x50, 8, 0x1111111111111111 },
    { "dc-tag-null", "", false, 2, 0, 0x48, 8, 0 },
    { "dc-tag-null", "", false, 2, 0, 0x50, 8, 0 },
    { "dc-extent", "", false, 2, 0, 0x38, 8, 0 },
    { "dc-extent-again", "'when': 'nth', 'n': 2", false, 2, 1, 0x38, 8,
      CXL_DC_BASE },
    { "dc-extent-misaligned", "", false, 2, 0, 0x38, 8, CXL_DC_BASE + 1 },
    { "dc-extent-outside", "", false, 2, 0, 0x38, 8,
      CXL_DC_BASE + (1ull << 50) },
    { "dc-extent-empty", "", false, 2, 0, 0x40, 8, 0 },
    { "dc-extent-long", "", false, 2, 0, 0x40, 8, CXL_BLOCK + 256 * MiB },
    { "dc-flood", "'value': 5", false, 6, 4, 0x35, 1, 1 },
    { "dc-flood", "'value': 5, 'when': 'nth', 'n': 2", false, 6, 4, 0x35, 1,
      1 },
    /* the last one ends the group, as it would have */
    { "dc-flood", "'value': 5, 'when': 'nth', 'n': 2", false, 6, 5, 0x35, 1,
      0 },
    { "dc-region", "", false, 2, 0, 0x34, 1, 7 },
    { "dc-host", "", false, 2, 0, 0x32, 2, 0xffff },
    { "dc-type", "", false, 2, 0, 0x30, 1, 0xff },
    { "dc-release-unknown", "", false, 2, 0, 0x30, 1, 1 },
    { "dc-forced-unknown", "", false, 2, 0, 0x30, 1, 2 },
    { "dc-region-updated", "", false, 2, 0, 0x30, 1, 3 },
};

static void each_record_is_as_the_fault_has_it(void)
{
    static const CxlExtent group[] = {
        { CXL_DC_BASE, CXL_BLOCK, 7 },
        { CXL_DC_BASE + 2 * CXL_BLOCK, 2 * CXL_BLOCK, 7 },
    };
    unsigned i, n;

    for (i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct Row *row = &rows[i];
        CxlDev dev;
        QTestState *qts = cxl_start_dcd(&dev, ",fm-on-mailbox=on");
        CxlRsp rsp;

        fault_arm(qts, MEM, row->kind, row->arguments);
        if (row->media) {
            media_event(qts);
            media_event(qts);
        } else {
            g_assert_cmphex(fm_add_list(&dev, group, 2), ==, 0);
        }
        read_log(&dev, row->media ? FAILURE : DCD, &rsp);
        n = lduw_le_p(rsp.data + 0x14);
        g_assert_cmpuint(n, ==, row->count);
        if (row->width) {
            g_assert_cmphex(record_field(&rsp, row->record, row->at,
                                         row->width), ==, row->value);
        }
        /* whatever it says, it can be cleared */
        g_assert_cmpuint(drain_log(&dev, row->media ? FAILURE : DCD), ==, n);
        cxl_alive(&dev);
        qtest_quit(qts);
    }
}

static void a_release_can_be_said_to_be_forced(CxlDev *dev)
{
    static const CxlExtent extent = { CXL_DC_BASE, CXL_BLOCK };
    CxlRsp rsp;

    cxl_hold(dev, &extent, 1);
    drain_log(dev, DCD);
    fault_arm(dev->qts, MEM, "dc-forced", "");
    g_assert_cmphex(fm_release_list(dev, REL_PRESCRIPTIVE, &extent, 1), ==, 0);
    read_log(dev, DCD, &rsp);
    g_assert_cmphex(record_field(&rsp, 0, 0x30, 1), ==, 2);
    /* it is the host's all the same */
    host_has(dev, &extent, 1);
}

/* -- reading ------------------------------------------------------------ */

/* With two records of errors in the log; as above, but of the whole answer */
static const struct {
    const char *kind, *arguments;
    unsigned at, width;
    uint64_t value;
    uint32_t len;
} reads[] = {
    { "events-swapped", "", LIST + 0x14, 2, 2, LIST + 2 * RECORD },
    { "events-same-handle", "", LIST + RECORD + 0x14, 2, 1,
      LIST + 2 * RECORD },
    { "events-count", "", 0x14, 2, 0xffff, LIST + 2 * RECORD },
    { "events-overflow", "", 0, 4, 0xffff0001, LIST },
    { "events-more", "", 0, 1, 2, LIST + 2 * RECORD },
};

static void each_read_is_as_the_fault_has_it(CxlDev *dev)
{
    QTestState *qts = dev->qts;
    CxlRsp good, rsp;
    unsigned i;

    media_event(qts);
    media_event(qts);
    read_log(dev, FAILURE, &good);
    for (i = 0; i < ARRAY_SIZE(reads); i++) {
        fault_arm(qts, MEM, reads[i].kind, reads[i].arguments);
        read_log(dev, FAILURE, &rsp);
        g_assert_cmpuint(rsp.len, ==, reads[i].len);
        g_assert_cmphex(ldn_le_p(rsp.data + reads[i].at, reads[i].width), ==,
                        reads[i].value);
        read_log(dev, FAILURE, &rsp);
        g_assert_cmpmem(&good, sizeof(good), &rsp, sizeof(rsp));
        fault_clear(qts, MEM);
    }
}

static void a_log_can_fill_for_ever(CxlDev *dev)
{
    unsigned i;
    CxlRsp rsp;

    fault_arm(dev->qts, MEM, "events-endless", "'count': 0");
    for (i = 1; i < 20; i++) {
        CxlReq r;

        read_log(dev, FAILURE, &rsp);
        g_assert_cmpuint(lduw_le_p(rsp.data + 0x14), ==, 1);
        g_assert_cmpuint(record_field(&rsp, 0, 0x14, 2), ==, i);
        r = cxl_req(0x0101, FAILURE, 0, 1);
        req16(&r, i);
        g_assert_cmphex(cxl_cmd(dev, 0x0101, &r, NULL), ==, 0);
    }
    fault_clear(dev->qts, MEM);
    g_assert_cmpuint(drain_log(dev, FAILURE), ==, 0);
}

/* -- lists and regions -------------------------------------------------- */

static const struct {
    const char *kind;
    uint16_t opcode;
    unsigned at, width;
    uint64_t value;
    int less;
} lists[] = {
    { "dc-list-total", 0x4801, 4, 4, 2 },
    { "dc-list-returned", 0x4801, 0, 4, 0xffffffff },
    { "dc-list-empty", 0x4801, 0, 8, 0, 0x28 },
    { "dc-list-extent", 0x4801, 0x10, 8, CXL_DC_BASE + CXL_BLOCK },
    { "dc-config-count", 0x4800, 0, 1, 9 },
    { "dc-config-base", 0x4800, 8, 8, CXL_DC_BASE + 1 },
    { "dc-config-decode", 0x4800, 0x10, 8, 0 },
    { "dc-config-length", 0x4800, 0x18, 8, 1ull << 60 },
    { "dc-config-block", 0x4800, 0x20, 8, 3 },
    { "dc-config-handle", 0x4800, 0x28, 4, 0xee },
};

static void each_list_is_as_the_fault_has_it(CxlDev *dev)
{
    static const CxlExtent extent = { CXL_DC_BASE, CXL_BLOCK };
    unsigned i;

    cxl_hold(dev, &extent, 1);
    for (i = 0; i < ARRAY_SIZE(lists); i++) {
        CxlReq config = cxl_req(0x4800, 2, 0), list = cxl_req(0x4801, 10, 0);
        CxlReq *r = lists[i].opcode == 0x4800 ? &config : &list;
        CxlRsp good, bad, after;

        g_assert_cmphex(cxl_cmd(dev, lists[i].opcode, r, &good), ==, 0);
        fault_arm(dev->qts, MEM, lists[i].kind, "");
        g_assert_cmphex(cxl_cmd(dev, lists[i].opcode, r, &bad), ==, 0);
        g_assert_cmphex(ldn_le_p(bad.data + lists[i].at, lists[i].width), ==,
                        lists[i].value);
        g_assert_cmpint((int)good.len - (int)bad.len, ==, lists[i].less);
        cxl_cmd(dev, lists[i].opcode, r, &after);
        g_assert_cmpmem(&good, sizeof(good), &after, sizeof(after));
        fault_clear(dev->qts, MEM);
    }
}

static void a_list_can_change_all_the_time(CxlDev *dev)
{
    uint32_t first, gen;
    unsigned i;

    host_list(dev, NULL, 0, &first);
    fault_arm(dev->qts, MEM, "dc-list-generation", "'count': 0");
    for (i = 1; i < 5; i++) {
        host_list(dev, NULL, 0, &gen);
        g_assert_cmpuint(gen, ==, first + i);
    }
}

/* -- interrupts --------------------------------------------------------- */

static void set_policy(CxlDev *dev)
{
    g_assert_cmphex(cxl_run(dev, NULL, 0x0103, 1, 1, 1, 1, 1), ==, 0);
}

static void interrupts_are_as_the_fault_has_them(CxlDev *dev)
{
    QTestState *qts = dev->qts;
    uint32_t id;

    cxl_msix_enable(dev);
    set_policy(dev);
    /* for nothing at all */
    fault_arm(qts, MEM, "interrupt-spurious", "'vector': 6");
    cxl_settle(qts);
    g_assert_true(cxl_msix_fired(dev, VEC_DCD));
    g_assert_cmpuint(drain_log(dev, DCD), ==, 0);

    fault_arm(qts, MEM, "interrupt-lost", "'vector': 6, 'count': 0");
    id = fault_arm(qts, MEM, "interrupt-lost", "'vector': 4");
    media_event(qts);
    cxl_settle(qts);
    g_assert_false(cxl_msix_fired(dev, VEC_FAIL));
    g_assert_cmpint(fault_hits(qts, MEM, id), ==, 1);
    g_assert_cmpuint(drain_log(dev, FAILURE), ==, 1);
    media_event(qts);
    cxl_settle(qts);
    g_assert_true(cxl_msix_fired(dev, VEC_FAIL));
    drain_log(dev, FAILURE);

    id = fault_arm(qts, MEM, "interrupt-doubled", "");
    media_event(qts);
    cxl_settle(qts);
    g_assert_true(cxl_msix_fired(dev, VEC_FAIL));
    g_assert_cmpint(fault_hits(qts, MEM, id), ==, 1);
}

static bool is_tested(const char *kind)
{
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(rows); i++) {
        if (g_str_equal(rows[i].kind, kind)) {
            return true;
        }
    }
    for (i = 0; i < ARRAY_SIZE(reads); i++) {
        if (g_str_equal(reads[i].kind, kind)) {
            return true;
        }
    }
    for (i = 0; i < ARRAY_SIZE(lists); i++) {
        if (g_str_equal(lists[i].kind, kind)) {
            return true;
        }
    }
    /* functions of their own */
    return fault_is_in("events-endless dc-list-generation dc-forced "
                       "interrupt-lost interrupt-doubled interrupt-spurious",
                       kind);
}

static void each_kind_is_tested(CxlDev *dev)
{
    fault_family_is_tested(dev->qts, "events", is_tested);
    fault_family_is_tested(dev->qts, "dynamic capacity", is_tested);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) qtest_add_func("/cxl/fault-events/" #f, f)
#define D(f, props) cxl_add_dcd_test("/cxl/fault-events/" #f, f, props)
    T(each_record_is_as_the_fault_has_it);
    D(a_release_can_be_said_to_be_forced, ",fm-on-mailbox=on");
    D(each_read_is_as_the_fault_has_it, "");
    D(a_log_can_fill_for_ever, "");
    D(each_list_is_as_the_fault_has_it, ",fm-on-mailbox=on");
    D(a_list_can_change_all_the_time, "");
    D(interrupts_are_as_the_fault_has_them, "");
    D(each_kind_is_tested, "");
    return g_test_run();
}
