/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults of answers: what a host finds in the mailbox, fault by fault
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qobject/qdict.h"
#include "cxl-qtest-fault.h"

#define MEM     "cxl-mem0"
#define ALL     UINT64_MAX
#define CEL     "0da9c0b5bf414b788f7996b1623b3f17"
/* 32 bytes of the Command Effects Log */
#define GET_CEL CEL "0000000020000000"
/* Poison of the first 256 MiB */
#define POISON  "0000000000000000" "0000400000000000"
/* All features; 16 bytes of the one that the list begins with come later */
#define LIST    "00100000" "0000" "0000"

/**
 * struct Row - what an armed fault makes of a command
 * @before: commands for the mailbox before it is armed, opcode and request
 * @less: the answer has so many bytes less than without; negative: more
 * @at: field of @width bytes that is @value; of 0 bytes: none
 */
typedef struct Row {
    const char *kind, *arguments;
    uint16_t opcode;
    const char *request;
    uint16_t rc;
    int less;
    unsigned at, width;
    uint64_t value;
} Row;

static const Row rows[] = {
    { "answer-code", "", 0x4000, "", 4, 0x45 },
    { "answer-code", "'value': 0", 0x4001, "", 0, 0, 0, 0 },
    { "answer-code", "'value': 65535", 0x4000, "", 0xffff, 0x45 },
    { "answer-random", "'seed': 1", 0x4000, "", 0, 0, 0, 1,
      0xc1 },
    { "answer-short", "", 0x4000, "", 0, 1 },
    { "answer-short", "'value': 1000", 0x4000, "", 0, 0x45 },
    { "answer-long", "", 0x4000, "", 0, -16, 0x45, 8, 0xa5a5a5a5a5a5a5a5 },
    { "answer-long", "'value': 4294967295", 0x4000, "", 0,
      0x45 - (int)CXL_PAYLOAD, CXL_PAYLOAD - 1, 1, 0xa5 },
    { "answer-field", "'opcode': 16384, 'offset': 65, 'width': 4, "
      "'value': 305419896", 0x4000, "", 0, 0, 65, 4, 0x12345678 },
    /* its last byte would be behind the end */
    { "answer-field", "'opcode': 16384, 'offset': 66, 'width': 4, "
      "'value': 305419896", 0x4000, "", 0, 0, 66, 1, 3 },
    { "answer-opcode", "", 0x4000, "", 0 },
    { "answer-vendor-status", "", 0x4000, "", 0 },

    { "cel-unknown", "", 0x0401, GET_CEL, 0, 0, 0, 2, 0xffff },
    { "cel-duplicate", "", 0x0401, GET_CEL, 0, 0, 4, 2, 0x0001 },
    { "cel-missing", "'value': 256", 0x0401, GET_CEL, 0 },
    { "cel-odd", "", 0x0401, GET_CEL, 0, 1 },
    { "logs-size", "", 0x0400, "", 0, 0, 0x18, 4, 0xffffffff },
    { "logs-size", "'value': 0", 0x0400, "", 0, 0, 0x18, 4, 0 },
    { "logs-count", "", 0x0400, "", 0, 0, 0, 2, 0xffff },
    { "log-changes", "", 0x0401, GET_CEL, 0 },
    { "features-count", "", 0x0500, LIST, 0, 0, 0, 2, 0xffff },
    { "features-total", "", 0x0500, LIST, 0, 0, 2, 2, 0xffff },
    { "feature-get-size", "", 0x0500, LIST, 0, 0, 0x1a, 2, 0xffff },
    { "feature-set-size", "", 0x0500, LIST, 0, 0, 0x1c, 2, 0xffff },
    { "feature-long", "", 0x0501,
      "96dad7d6fde8482ba73375774e06db8a" "0000" "0100" "00", 0, -64, 1, 4,
      0xa5a5a5a5 },
    { "identify-capacity", "", 0x4000, "", 0, 0, 0x10, 8, 0 },
    { "identify-capacity", "'value': 3", 0x4000, "", 0, 0, 0x10, 8, 3 },
    { "identify-huge", "", 0x4000, "", 0, 0, 0x10, 8, ALL },
    { "identify-volatile", "", 0x4000, "", 0, 0, 0x18, 8, 1ull << 40 },
    { "identify-persistent", "", 0x4000, "", 0, 0, 0x20, 8, 1ull << 40 },
    { "identify-partition-unit", "", 0x4000, "", 0, 0, 0x28, 8, 3 },
    { "identify-labels", "", 0x4000, "", 0, 0, 0x38, 4, 0xffffffff },
    /* the inject limit behind it is what it was */
    { "identify-poison-limit", "", 0x4000, "", 0, 0, 0x3c, 4, 0x00ffffff },
    { "partition-volatile", "", 0x4100, "", 0, 0, 0, 8, 1ull << 40 },
    { "partition-persistent", "", 0x4100, "", 0, 0, 8, 8, 1ull << 40 },
    { "poison-endless", "", 0x4300, POISON, 0, 0, 0, 1, 1 },
    { "poison-count", "", 0x4300, POISON, 0, 0, 0x0a, 2, 0xffff },
    { "poison-wraps", "", 0x4300, POISON, 0, 0, 0x20, 8,
      0xffffffffffffffc2 },
    { "poison-length", "", 0x4300, POISON, 0, 0, 0x28, 4, 0xffffffff },
    { "poison-overlap", "", 0x4300, POISON, 0, -16, 0x0a, 2, 2 },
    { "scan-restart", "", 0x4305, "", 0, 0, 8, 8, 1 },
};

static void fill(CxlReq *r, const char *hex)
{
    r->len = 0;
    for (; *hex; hex += 2) {
        char byte[] = { hex[0], hex[1], '\0' };

        req8(r, g_ascii_strtoull(byte, NULL, 16));
    }
}

static uint64_t field(const CxlRsp *rsp, unsigned at, unsigned width)
{
    return width ? ldn_le_p(rsp->data + at, width) : 0;
}

/* One line of poison, and a scan that is over */
static QTestState *start(CxlDev *dev)
{
    QTestState *qts = cxl_start_dcd(dev, ",bg-time-scale=0");
    CxlReq r;

    qtest_qmp_assert_success(qts, "{'execute': 'cxl-inject-poison', "
                             "'arguments': {'path': 'cxl-mem0', 'start': 4096,"
                             " 'length': 64}}");
    fill(&r, POISON "00");
    g_assert_cmphex(cxl_cmd(dev, 0x4304, &r, NULL), ==, 1);
    qtest_clock_step(qts, 1000000000);
    /* what it found is told once */
    g_assert_cmphex(cxl_cmd(dev, 0x4305, NULL, NULL), ==, 0);
    return qts;
}

static void each_answer_is_as_the_fault_has_it(void)
{
    CxlDev dev;
    QTestState *qts = start(&dev);
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(rows); i++) {
        const Row *row = &rows[i];
        CxlRsp good, bad, after;
        CxlReq r;
        uint32_t id;

        fill(&r, row->request);
        cxl_cmd(&dev, row->opcode, &r, &good);
        id = fault_arm(qts, MEM, row->kind, row->arguments);
        g_assert_cmphex(cxl_cmd(&dev, row->opcode, &r, &bad), ==, row->rc);
        g_assert_cmpint((int)good.len - (int)bad.len, ==, row->less);
        g_assert_cmphex(field(&bad, row->at, row->width), ==, row->value);
        /* once, and nothing of it stays */
        cxl_cmd(&dev, row->opcode, &r, &after);
        g_assert_cmpmem(&good, sizeof(good), &after, sizeof(after));
        /* a row of 66 misses by a byte */
        g_assert_cmpint(fault_hits(qts, MEM, id), ==, row->at != 66);
        fault_clear(qts, MEM);
        cxl_alive(&dev);
    }
    qtest_quit(qts);
}

static bool is_tested(const char *kind)
{
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        if (g_str_equal(rows[i].kind, kind)) {
            return true;
        }
    }
    /* those are about more than one answer, or none at all */
    return fault_is_in("answer-length answer-late answer-never", kind);
}

static void each_kind_is_tested(CxlDev *dev)
{
    fault_family_is_tested(dev->qts, "answers", is_tested);
    fault_family_is_tested(dev->qts, "tables", is_tested);
}

static void registers_repeat_what_the_fault_says(CxlDev *dev)
{
    QTestState *qts = dev->qts;

    fault_arm(qts, MEM, "answer-length", "'value': 1048575");
    fault_arm(qts, MEM, "answer-vendor-status", "'value': 4660");
    fault_arm(qts, MEM, "answer-opcode", "'value': 48879");
    dev_writeq(dev, REG_MB_COMMAND, 0x4000);
    dev_writel(dev, REG_MB_CONTROL, 1);
    g_assert_cmphex(dev_readq(dev, REG_MB_COMMAND), ==, 0xfffffbeef);
    g_assert_cmphex(dev_readq(dev, REG_MB_STATUS), ==, 0x1234ull << 48);
    /* as a request, that is one which is too long */
    dev_writel(dev, REG_MB_CONTROL, 1);
    g_assert_cmphex(dev_readq(dev, REG_MB_STATUS), ==, 0x16ull << 32);
    cxl_alive(dev);
}

static void a_missing_command_is_in_no_entry(CxlDev *dev)
{
    unsigned i, times = 0;
    CxlRsp rsp;
    CxlReq r;

    fault_arm(dev->qts, MEM, "cel-missing", "'count': 0");
    fill(&r, CEL "0000000040000000");
    for (i = 0; i < 2; i++) {
        stl_le_p(r.data + 16, i * 0x40);
        g_assert_cmphex(cxl_cmd(dev, 0x0401, &r, &rsp), ==, 0);
        for (unsigned at = 0; at < rsp.len; at += 4) {
            g_assert_cmphex(lduw_le_p(rsp.data + at), !=, 0x4000);
            times += lduw_le_p(rsp.data + at) == 0xc0de;
        }
    }
    g_assert_cmpuint(times, ==, 1);
}

static void a_log_never_reads_the_same(CxlDev *dev)
{
    CxlRsp first, second;
    CxlReq r;

    fault_arm(dev->qts, MEM, "log-changes", "'count': 0");
    fill(&r, GET_CEL);
    g_assert_cmphex(cxl_cmd(dev, 0x0401, &r, &first), ==, 0);
    g_assert_cmphex(cxl_cmd(dev, 0x0401, &r, &second), ==, 0);
    g_assert_cmpuint(first.len, ==, 0x20);
    for (unsigned i = 0; i < first.len; i++) {
        g_assert_cmphex(first.data[i] ^ second.data[i], ==, 3);
    }
}

static void poison_has_no_end(CxlDev *dev)
{
    unsigned i;
    CxlRsp rsp;
    CxlReq r;

    fault_arm(dev->qts, MEM, "poison-endless", "'count': 0");
    fill(&r, POISON);
    for (i = 0; i < 10; i++) {
        g_assert_cmphex(cxl_cmd(dev, 0x4300, &r, &rsp), ==, 0);
        g_assert_cmphex(rsp.data[0], ==, 1);
        g_assert_cmpuint(lduw_le_p(rsp.data + 0x0a), ==, 1);
        g_assert_cmpuint(rsp.len, ==, 0x30);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) qtest_add_func("/cxl/fault-answers/" #f, f)
#define DCD(f) cxl_add_dcd_test("/cxl/fault-answers/" #f, f, "")
    T(each_answer_is_as_the_fault_has_it);
    DCD(each_kind_is_tested);
    DCD(registers_repeat_what_the_fault_says);
    DCD(a_missing_command_is_in_no_entry);
    DCD(a_log_never_reads_the_same);
    DCD(poison_has_no_end);
    return g_test_run();
}
