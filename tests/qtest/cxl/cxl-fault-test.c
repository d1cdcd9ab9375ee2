/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults on purpose: how they are armed, when they act, and what they survive
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#include "cxl-qtest-fault.h"

#define MEM         "cxl-mem0"
#define IDENTIFY    0x4000
#define CODE        "'opcode': 16384, 'value': 10"
#define NO_TARGET \
    "give the id or QOM path of a CXL memory device, port, switch mailbox or " \
    "MCTP endpoint"
/* Faults on one target */
#define FAULTS_MAX  64

static void what_cannot_be_armed_is_refused(CxlDev *dev)
{
    static const struct {
        const char *path, *kind, *arguments, *want;
    } rows[] = {
        { "nothing", "answer-code", "",
          "argument 'path' is 'nothing': " NO_TARGET },
        { "", "answer-code", "", "argument 'path' is '': " NO_TARGET },
        { "vm0", "answer-code", "", "argument 'path' is 'vm0': " NO_TARGET },
        { MEM, "answer-cod", "", "argument 'kind' is 'answer-cod': "
          "query-cxl-fault-kinds lists those that there are" },
        { MEM, "packet-drop", "", "argument 'kind' is 'packet-drop', a fault "
          "of MCTP packets, which a cxl-type3 does not have" },
        { "rp0", "event-lost", "", "argument 'kind' is 'event-lost', a fault "
          "of event records, which a cxl-rp does not have" },
        { MEM, "answer-code", "'log': 1", "argument 'log' is given, which a "
          "fault of kind 'answer-code' does not take" },
        { MEM, "answer-code", "'seed': 1", "argument 'seed' is given, which a "
          "fault of kind 'answer-code' does not take" },
        { MEM, "answer-field", "'opcode': 16384, 'value': 1", "argument "
          "'offset' is missing, which a fault of kind 'answer-field' needs" },
        { MEM, "interrupt-spurious", "", "argument 'vector' is missing, which "
          "a fault of kind 'interrupt-spurious' needs" },
        { MEM, "interrupt-lost", "'vector': 8", "argument 'vector' is 8: give "
          "a number from 0 to 7" },
        { MEM, "event-lost", "'log': 5", "argument 'log' is 5: give a number "
          "from 0 to 4" },
        { MEM, "answer-code", "'value': 65536", "argument 'value' is 65536: "
          "give a number from 0 to 65535" },
        { MEM, "answer-field", "'opcode': 1, 'offset': 1, 'value': 256",
          "argument 'value' is 256: give a number from 0 to 255" },
        { MEM, "answer-field",
          "'opcode': 1, 'offset': 65536, 'value': 1, 'width': 2",
          "argument 'offset' is 65536: give a number from 0 to 65535" },
        { MEM, "answer-field", "'opcode': 1, 'offset': 1, 'value': 1, "
          "'width': 3", "argument 'width' is 3: give 1, 2, 4 or 8" },
        { MEM, "answer-late", "'delay': 3600001", "argument 'delay' is "
          "3600001: give a number from 0 to 3600000" },
        { MEM, "answer-code", "'when': 'nth', 'n': 0", "argument 'n' is 0: "
          "give a number from 1 to 4294967295" },
        { MEM, "answer-code", "'when': 'probably', 'probability': 101",
          "argument 'probability' is 101: give a number from 0 to 100" },
    };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(rows); i++) {
        fault_refused(dev->qts, rows[i].path, rows[i].kind, rows[i].arguments,
                      rows[i].want);
    }
    g_assert_cmpint(fault_hits(dev->qts, MEM, 1), ==, -1);
    cxl_alive(dev);
}

static void expect_error(QTestState *qts, const char *text, const char *want)
{
    QDict *rsp = qtest_qmp(qts, text, NULL);
    const QDict *error = qdict_get_qdict(rsp, "error");

    g_assert_nonnull(error);
    g_assert_cmpstr(qdict_get_str(error, "desc"), ==, want);
    qobject_unref(rsp);
}

static void what_is_not_armed_cannot_be_cleared(CxlDev *dev)
{
    QTestState *qts = dev->qts;
    uint32_t id;

    expect_error(qts, "{'execute': 'cxl-clear-fault', 'arguments': {'id': 1}}",
                 "argument 'path' is missing, which 'id' needs");
    expect_error(qts, "{'execute': 'cxl-clear-fault', 'arguments': "
                 "{'path': 'cxl-mem0', 'id': 1}}",
                 "argument 'id' is 1: no such fault is armed on 'cxl-mem0'");
    id = fault_arm(qts, MEM, "answer-code", CODE);
    expect_error(qts, "{'execute': 'cxl-clear-fault', 'arguments': "
                 "{'path': 'cxl-mem0', 'id': 2}}",
                 "argument 'id' is 2: no such fault is armed on 'cxl-mem0'");
    g_assert_cmpint(fault_hits(qts, MEM, id), ==, 0);
    qtest_qmp_assert_success(qts, "{'execute': 'cxl-clear-fault', 'arguments': "
                             "{'path': 'cxl-mem0', 'id': %u}}", id);
    g_assert_cmpint(fault_hits(qts, MEM, id), ==, -1);
    fault_clear(qts, MEM);
    cxl_alive(dev);
}

static void faults_of_a_target_are_bounded(CxlDev *dev)
{
    QTestState *qts = dev->qts;
    unsigned i;

    for (i = 0; i < FAULTS_MAX; i++) {
        fault_arm(qts, MEM, "answer-code", CODE);
    }
    fault_refused(qts, MEM, "answer-code", CODE, "argument 'path' is "
                  "'cxl-mem0', where 64 faults are armed and no more can be: "
                  "clear some");
    fault_arm(qts, "rp0", "hdm-commit-fails", "");
    qtest_qmp_assert_success(qts, "{'execute': 'cxl-clear-fault'}");
    cxl_alive(dev);
}

/* Return codes of @n commands as characters: '.' is success, 'x' the fault's */
static char *outcomes(CxlDev *dev, unsigned n)
{
    g_autofree char *text = g_malloc0(n + 1);
    unsigned i;

    for (i = 0; i < n; i++) {
        uint16_t rc = cxl_cmd(dev, IDENTIFY, NULL, NULL);

        text[i] = rc ? 'x' : '.';
        g_assert_cmpuint(rc, ==, rc ? 10 : 0);
        /* another command never is */
        g_assert_cmpuint(cxl_cmd(dev, 0x0400, NULL, NULL), ==, 0);
    }
    return g_steal_pointer(&text);
}

static void it_acts_when_it_was_told_to(CxlDev *dev)
{
    QTestState *qts = dev->qts;
    static const struct {
        const char *when, *want;
    } rows[] = {
        { "", "x........." },
        { ", 'count': 3", "xxx......." },
        { ", 'count': 0", "xxxxxxxxxx" },
        { ", 'when': 'nth', 'n': 4", "...x......" },
        { ", 'when': 'nth', 'n': 4, 'count': 2", "...xx....." },
        { ", 'when': 'every-nth', 'n': 3", "..x..x..x." },
        { ", 'when': 'every-nth', 'n': 3, 'count': 2", "..x..x...." },
        { ", 'when': 'probably', 'probability': 0", ".........." },
        { ", 'when': 'probably', 'probability': 100", "xxxxxxxxxx" },
    };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(rows); i++) {
        g_autofree char *arguments = g_strconcat(CODE, rows[i].when, NULL);
        uint32_t id = fault_arm(qts, MEM, "answer-code", arguments);
        g_autofree char *got = outcomes(dev, 10);
        const char *x;
        int hits;

        g_assert_cmpstr(got, ==, rows[i].want);
        for (hits = 0, x = got; *x; x++) {
            hits += *x == 'x';
        }
        g_assert_cmpint(fault_hits(qts, MEM, id), ==, hits);
        fault_clear(qts, MEM);
    }
    cxl_alive(dev);
}

static void chance_follows_from_the_seed(CxlDev *dev)
{
    QTestState *qts = dev->qts;
    g_autofree char *first = NULL, *again = NULL, *other = NULL;

    fault_arm(qts, MEM, "answer-code", CODE ", 'when': 'probably', 'seed': 7");
    first = outcomes(dev, 40);
    fault_clear(qts, MEM);
    fault_arm(qts, MEM, "answer-code", CODE ", 'when': 'probably', 'seed': 7");
    again = outcomes(dev, 40);
    fault_clear(qts, MEM);
    fault_arm(qts, MEM, "answer-code", CODE ", 'when': 'probably', 'seed': 8");
    other = outcomes(dev, 40);
    g_assert_cmpstr(first, ==, again);
    g_assert_cmpstr(first, !=, other);
    g_assert_nonnull(strchr(first, 'x'));
    g_assert_nonnull(strchr(first, '.'));
}

static bool doorbell(CxlDev *dev)
{
    return dev_readl(dev, REG_MB_CONTROL) & 1;
}

static void ring(CxlDev *dev, uint16_t opcode)
{
    dev_writeq(dev, REG_MB_COMMAND, opcode);
    dev_writel(dev, REG_MB_CONTROL, 1);
}

static void an_answer_is_late_by_the_clock(CxlDev *dev)
{
    QTestState *qts = dev->qts;

    fault_arm(qts, MEM, "answer-late", "'delay': 500");
    ring(dev, IDENTIFY);
    g_assert_true(doorbell(dev));
    qtest_clock_step(qts, 499 * 1000000);
    g_assert_true(doorbell(dev));
    qtest_clock_step(qts, 1000000);
    g_assert_false(doorbell(dev));
    g_assert_cmphex(dev_readq(dev, REG_MB_COMMAND) >> 16, ==, 0x45);
    cxl_alive(dev);
}

static void a_reset_ends_what_never_comes(CxlDev *dev)
{
    QTestState *qts = dev->qts;
    uint32_t id = fault_arm(qts, MEM, "answer-never", "");

    ring(dev, IDENTIFY);
    qtest_clock_step(qts, 3600 * 1000000000ll);
    g_assert_true(doorbell(dev));
    /* what is written meanwhile does not run */
    ring(dev, 0x0400);
    g_assert_cmphex(dev_readq(dev, REG_MB_COMMAND) & 0xffff, ==, 0x0400);
    cxl_reset(dev);
    g_assert_false(doorbell(dev));
    cxl_alive(dev);
    /* what acted as often as it may is still there */
    g_assert_cmpint(fault_hits(qts, MEM, id), ==, 1);
}

static void clearing_ends_what_never_comes(CxlDev *dev)
{
    fault_arm(dev->qts, MEM, "answer-never", "");
    ring(dev, IDENTIFY);
    g_assert_true(doorbell(dev));
    fault_clear(dev->qts, MEM);
    g_assert_false(doorbell(dev));
    cxl_alive(dev);
}

static void armed_faults_migrate(CxlDev *dev)
{
    g_autofree char *rest = NULL, *want = NULL;
    uint32_t id;

    fault_arm(dev->qts, MEM, "answer-code",
              CODE ", 'when': 'probably', 'seed': 3");
    want = outcomes(dev, 20);
    fault_clear(dev->qts, MEM);
    id = fault_arm(dev->qts, MEM, "answer-code",
                   CODE ", 'when': 'probably', 'seed': 3");
    rest = outcomes(dev, 10);
    g_assert_true(g_str_has_prefix(want, rest));
    fault_arm(dev->qts, MEM, "answer-never", "'opcode': 1024");
    fault_arm(dev->qts, "rp0", "hdm-commit-hangs", "");
    ring(dev, 0x0400);
    g_assert_true(doorbell(dev));

    cxl_migrate_dcd(dev, "");
    g_assert_true(doorbell(dev));
    g_assert_cmpint(fault_hits(dev->qts, "rp0", 1), ==, 0);
    qtest_qmp_assert_success(dev->qts, "{'execute': 'cxl-clear-fault', "
                             "'arguments': {'path': 'cxl-mem0', 'id': %u}}",
                             id + 1);
    g_assert_false(doorbell(dev));
    g_assert_cmpint(fault_hits(dev->qts, MEM, id), >=, 1);
}

static void a_device_goes_with_its_faults(CxlDev *dev)
{
    QTestState *qts = dev->qts;

    fault_arm(qts, MEM, "answer-never", "");
    fault_arm(qts, MEM, "event-lost", "");
    ring(dev, IDENTIFY);
    qtest_qmp_assert_success(qts, "{'execute': 'device_del', 'arguments': "
                             "{'id': 'cxl-mem0'}}");
    cxl_slot_power(qts, 0, false);
    qtest_qmp_eventwait(qts, "DEVICE_DELETED");
    fault_refused(qts, MEM, "answer-never", "",
                  "argument 'path' is 'cxl-mem0': " NO_TARGET);
    qtest_qmp_assert_success(qts, "{'execute': 'cxl-clear-fault'}");
}

static void each_kind_says_what_it_does(CxlDev *dev)
{
    QDict *rsp = qtest_qmp(dev->qts, "{'execute': 'query-cxl-fault-kinds'}");
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    static const char *const texts[] = {
        "family", "place", "does", "specification"
    };
    const QListEntry *e;

    QLIST_FOREACH_ENTRY(qdict_get_qlist(rsp, "return"), e) {
        QDict *kind = qobject_to(QDict, qlist_entry_obj(e));
        const char *name = qdict_get_str(kind, "kind");
        unsigned i;

        /* the name fits in a stream, and is there once */
        g_assert_cmpuint(strlen(name), <, 48);
        g_assert_true(g_hash_table_add(seen, (char *)name));
        for (i = 0; i < ARRAY_SIZE(texts); i++) {
            g_assert_cmpuint(strlen(qdict_get_str(kind, texts[i])), >, 3);
        }
    }
    g_assert_cmpuint(g_hash_table_size(seen), >, 100);
    qobject_unref(rsp);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) cxl_add_dcd_test("/cxl/fault/" #f, f, "")
    T(what_cannot_be_armed_is_refused);
    T(what_is_not_armed_cannot_be_cleared);
    T(faults_of_a_target_are_bounded);
    T(it_acts_when_it_was_told_to);
    T(chance_follows_from_the_seed);
    T(an_answer_is_late_by_the_clock);
    T(a_reset_ends_what_never_comes);
    T(clearing_ends_what_never_comes);
    T(armed_faults_migrate);
    T(a_device_goes_with_its_faults);
    T(each_kind_says_what_it_does);
    return g_test_run();
}
