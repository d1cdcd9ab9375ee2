/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The monitor as a Fabric Manager: policies, the query, events about what the
 * host does (errors and sanitize: cxl-dcd-qmp-test.c)
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#include "cxl-qtest-switch.h"

#define R0(k) (CXL_DC_BASE + (uint64_t)(k) * CXL_BLOCK)
#define R1(k) (CXL_DC_BASE + CXL_REGION + (uint64_t)(k) * CXL_BLOCK)
#define BLOCKS(k) ((uint64_t)(k) * CXL_BLOCK)
#define ADD "'execute': 'cxl-add-dynamic-capacity', 'arguments': " \
            "{'path': 'cxl-mem0', 'host-id': 0, "
#define RELEASE "'execute': 'cxl-release-dynamic-capacity', 'arguments': " \
                "{'path': 'cxl-mem0', 'host-id': 0, "
#define TAG_TEXT "61616161-6161-6161-6161-616161616161"

static void works(QTestState *qts, const char *json)
{
    g_autofree char *text = g_strdup_printf("{%s}", json);

    qtest_qmp_assert_success(qts, text, NULL);
}

static void every_policy_reaches_the_host(CxlDev *dev)
{
    QTestState *qts = dev->qts;
    const CxlExtent listed = { R0(1), BLOCKS(2) };
    const CxlExtent first = { R0(0), BLOCKS(1) };
    const CxlExtent shared = { R0(128), BLOCKS(2) };

    works(qts, ADD "'region': 0, 'selection-policy': 'prescriptive', "
          "'extents': [{'offset': 2097152, 'len': 4194304}]}");
    g_assert_cmphex(host_answer(dev, 0x4802, &listed, 1, false), ==, 0);
    works(qts, ADD "'region': 0, 'selection-policy': 'free', "
          "'length': 2097152}");
    g_assert_cmphex(host_answer(dev, 0x4802, &first, 1, false), ==, 0);
    works(qts, ADD "'region': 1, 'selection-policy': 'contiguous', "
          "'length': 4194304, 'tag': '" TAG_TEXT "'}");
    g_assert_cmphex(host_answer(dev, 0x4802, &shared, 1, false), ==, 0);
    g_assert_cmpuint(host_list(dev, NULL, 0, NULL), ==, 3);

    works(qts, RELEASE "'removal-policy': 'tag-based', 'tag': '" TAG_TEXT
          "', 'forced-removal': true}");
    works(qts, RELEASE "'removal-policy': 'prescriptive', 'region': 0, "
          "'extents': [{'offset': 0, 'len': 2097152}]}");
    g_assert_cmpuint(host_list(dev, NULL, 0, NULL), ==, 2);
    g_assert_cmphex(host_answer(dev, 0x4803, &first, 1, false), ==, 0);
    g_assert_cmpuint(host_list(dev, NULL, 0, NULL), ==, 1);
}

static void query_shows_every_state(CxlDev *dev)
{
    const CxlExtent held = { R0(0), BLOCKS(2), 1 };
    const CxlExtent gone = { R0(8), BLOCKS(1), 2 };
    const CxlExtent offer[] = {
        { R0(12), BLOCKS(1), 3 }, { R0(14), BLOCKS(1), 3 },
    };
    QDict *info, *host;
    QList *pending;
    uint32_t gen;

    cxl_hold(dev, &held, 1);
    g_assert_cmphex(fm_release_list(dev, REL_SANITIZE, &held, 1), ==, 0);
    g_assert_cmphex(fm_add_list(dev, &gone, 1), ==, 0);
    g_assert_cmphex(fm_release_list(dev, REL_FORCED, &gone, 1), ==, 0);
    g_assert_cmphex(fm_add_list(dev, offer, 2), ==, 0);
    host_list(dev, NULL, 0, &gen);

    info = qtest_qmp_assert_success_ref(
        dev->qts, "{'execute': 'query-cxl-dynamic-capacity', "
        "'arguments': {'path': 'cxl-mem0'}}");
    g_assert_cmpuint(qlist_size(qdict_get_qlist(info, "regions")), ==, 2);
    g_assert_cmpuint(qlist_size(qdict_get_qlist(info, "tags")), ==, 3);
    g_assert_cmpuint(qdict_get_int(info, "tag-count"), ==, 3);
    host = qobject_to(QDict, qlist_peek(qdict_get_qlist(info, "hosts")));
    g_assert_cmpuint(qdict_get_int(host, "generation"), ==, gen);
    g_assert_cmpuint(qdict_get_int(host, "accepted-count"), ==, 1);
    g_assert_cmpuint(qlist_size(qdict_get_qlist(host, "accepted")), ==, 1);
    g_assert_cmpuint(qlist_size(qdict_get_qlist(host, "release-requests")),
                     ==, 1);
    pending = qdict_get_qlist(host, "pending");
    g_assert_cmpuint(qlist_size(pending), ==, 2);
    g_assert_true(qdict_get_bool(qobject_to(QDict, qlist_peek(pending)),
                                 "withdrawn"));
    g_assert_cmpuint(qdict_get_int(host, "extents-available"), ==,
                     avail_extents(dev));
    qobject_unref(info);
}

static void monitor_hears_what_the_host_does(CxlDev *dev)
{
    QTestState *qts = dev->qts;
    const CxlExtent e = { R0(0), BLOCKS(2), 1 };
    const CxlExtent part = { R0(1), BLOCKS(1), 1 };
    QDict *event, *data, *extent;

    cxl_hold(dev, &e, 1);
    event = qtest_qmp_eventwait_ref(qts, "CXL_DYNAMIC_CAPACITY_ACCEPTED");
    data = qdict_get_qdict(event, "data");
    g_assert_cmpstr(qdict_get_str(data, "device"), ==, "cxl-mem0");
    g_assert_cmpuint(qdict_get_int(data, "count"), ==, 1);
    extent = qobject_to(QDict, qlist_peek(qdict_get_qlist(data, "extents")));
    g_assert_cmphex(qdict_get_int(extent, "dpa"), ==, e.dpa);
    g_assert_cmphex(qdict_get_int(extent, "len"), ==, e.len);
    qobject_unref(event);

    g_assert_cmphex(host_answer(dev, 0x4803, &part, 1, false), ==, 0);
    event = qtest_qmp_eventwait_ref(qts, "CXL_DYNAMIC_CAPACITY_RELEASED");
    data = qdict_get_qdict(event, "data");
    extent = qobject_to(QDict, qlist_peek(qdict_get_qlist(data, "extents")));
    g_assert_cmphex(qdict_get_int(extent, "dpa"), ==, part.dpa);
    qobject_unref(event);

    g_assert_cmphex(fm_add(dev, ADD_FREE, 1, BLOCKS(1), 2), ==, 0);
    g_assert_cmphex(host_answer(dev, 0x4802, NULL, 0, false), ==, 0);
    qtest_qmp_eventwait(qts, "CXL_DYNAMIC_CAPACITY_REFUSED");
}

/* The next @name has @reason, and is about @e alone */
static void told_of(QTestState *qts, const char *name, const char *reason,
                    const CxlExtent *e)
{
    QDict *event = qtest_qmp_eventwait_ref(qts, name), *data, *extent;

    data = qdict_get_qdict(event, "data");
    g_assert_cmpstr(qdict_get_str(data, "device"), ==, "cxl-mem0");
    g_assert_cmpstr(qdict_get_str(data, "path"), ==,
                    "/machine/peripheral/cxl-mem0");
    g_assert_cmpint(qdict_get_int(data, "host-id"), ==, 0);
    g_assert_cmpstr(qdict_get_str(data, "reason"), ==, reason);
    g_assert_cmpuint(qdict_get_int(data, "count"), ==, 1);
    extent = qobject_to(QDict, qlist_peek(qdict_get_qlist(data, "extents")));
    g_assert_cmphex(qdict_get_int(extent, "dpa"), ==, e->dpa);
    g_assert_cmphex(qdict_get_int(extent, "len"), ==, e->len);
    qobject_unref(event);
}

static void monitor_hears_why_capacity_ends(CxlDev *dev)
{
    QTestState *qts = dev->qts;
    const char *refused = "CXL_DYNAMIC_CAPACITY_REFUSED";
    const char *released = "CXL_DYNAMIC_CAPACITY_RELEASED";
    const CxlExtent e = { R0(0), BLOCKS(2), 1 }, half = { R0(0), BLOCKS(1) };
    const CxlExtent other = { R0(1), BLOCKS(1) };
    const CxlExtent shared = { R1(0), BLOCKS(2), 2 };
    const CxlExtent bad = { R0(0), BLOCKS(3) };

    g_assert_cmphex(fm_add_list(dev, &e, 1), ==, 0);
    g_assert_cmphex(host_answer(dev, 0x4802, &bad, 1, false), ==, 0x0f);
    told_of(qts, refused, "failed-answer", &e);

    g_assert_cmphex(fm_add_list(dev, &e, 1), ==, 0);
    g_assert_cmphex(fm_release_tag(dev, REL_FORCED, e.len, 1), ==, 0);
    g_assert_cmphex(host_answer(dev, 0x4802, NULL, 0, false), ==, 0);
    told_of(qts, refused, "fabric-manager", &e);

    g_assert_cmphex(fm_add_list(dev, &e, 1), ==, 0);
    g_assert_cmphex(host_answer(dev, 0x4802, NULL, 0, false), ==, 0);
    told_of(qts, refused, "host", &e);

    cxl_hold(dev, &e, 1);
    qtest_qmp_eventwait(qts, "CXL_DYNAMIC_CAPACITY_ACCEPTED");
    g_assert_cmphex(host_answer(dev, 0x4803, &half, 1, false), ==, 0);
    told_of(qts, released, "host", &half);
    g_assert_cmphex(fm_release_list(dev, REL_FORCED, &other, 1), ==, 0);
    told_of(qts, released, "fabric-manager", &other);

    cxl_hold(dev, &shared, 1);
    qtest_qmp_eventwait(qts, "CXL_DYNAMIC_CAPACITY_ACCEPTED");
    g_assert_cmphex(fm_add_list(dev, &e, 1), ==, 0);
    qtest_qmp_assert_success(qts, "{'execute': 'system_reset'}");
    told_of(qts, refused, "reset", &e);
    told_of(qts, released, "reset", &shared);
}

#define TELL_MAX    1000
#define SECOND      1000000000ll

static void refuse(CxlDev *dev, unsigned times)
{
    for (; times; times--) {
        g_assert_cmphex(fm_add(dev, ADD_FREE, 0, BLOCKS(1), 0), ==, 0);
        g_assert_cmphex(host_answer(dev, 0x4802, NULL, 0, false), ==, 0);
        drain_log(dev, 4);
    }
}

/* The monitor says that @lost events were not sent; returns how many were */
static unsigned told(QTestState *qts, unsigned lost)
{
    unsigned n = 0;

    for (;;) {
        QDict *event = qtest_qmp_receive_dict(qts);
        const char *name = qdict_get_try_str(event, "event");
        bool end = !g_strcmp0(name, "CXL_DYNAMIC_CAPACITY_EVENTS_DROPPED");

        n += !g_strcmp0(name, "CXL_DYNAMIC_CAPACITY_REFUSED");
        if (end) {
            QDict *data = qdict_get_qdict(event, "data");

            g_assert_cmpuint(qdict_get_int(data, "count"), ==, lost);
            g_assert_cmpstr(qdict_get_str(data, "device"), ==, "cxl-mem0");
        }
        qobject_unref(event);
        if (end) {
            return n;
        }
    }
}

/* A host may answer as often as it likes; the monitor hears how often */
static void host_cannot_flood_the_monitor(void)
{
    g_autofree char *args = cxl_args(CXL_BACKENDS "-device " CXL_DCD_DEVICE);
    CxlDev dev;
    QTestState *qts = qtest_init(args);

    cxl_probe(qts, 0, &dev);
    refuse(&dev, TELL_MAX + 7);
    qtest_clock_step(qts, SECOND);
    g_assert_cmpuint(told(qts, 7), ==, TELL_MAX);

    /* the next second is a new one, and a save in it loses no number */
    refuse(&dev, TELL_MAX + 3);
    qts = cxl_migrate(qts, args);
    dev.qts = qts;
    qtest_clock_step(qts, SECOND);
    g_assert_cmpuint(told(qts, 3), ==, 0);
    refuse(&dev, 1);
    qtest_qmp_eventwait(qts, "CXL_DYNAMIC_CAPACITY_REFUSED");
    qtest_quit(qts);
}

/* A device that is unrealized on its bus ends QEMU at the next reset */
static void qom_set_realizes_nothing(void)
{
    g_autofree char *args = cxl_args(
        SWITCH_PORTS SWITCH_MAILBOX SWITCH_DEVICE
        "-device dw-i2c-pci,id=dw,bus=pcie.0,addr=05.0 "
        "-device i2c_mctp_cxl,id=ep0,bus=dw.0,address=0x21,target=cxl-mem0 "
        "-chardev null,id=fm "
        "-device mctp-serial-cxl,id=link0,chardev=fm,target=us0 ");
    QTestState *qts = qtest_init(args);
    QDict *rsp = qtest_qmp(qts, "{'execute': 'qom-list', 'arguments': "
                           "{'path': '/machine/peripheral'}}");
    unsigned devices = 0;
    const QListEntry *e;

    QLIST_FOREACH_ENTRY(qdict_get_qlist(rsp, "return"), e) {
        const QDict *child = qobject_to(QDict, qlist_entry_obj(e));
        g_autofree char *path = g_strconcat("/machine/peripheral/",
                                            qdict_get_str(child, "name"),
                                            NULL);
        g_autofree char *text = NULL;
        QDict *answer;

        if (!g_str_has_prefix(qdict_get_str(child, "type"), "child<")) {
            continue;
        }
        answer = qtest_qmp(qts, "{'execute': 'qom-set', 'arguments': {"
                           "'path': %s, 'property': 'realized', "
                           "'value': false}}", path);
        qmp_expect_error_and_unref(answer, "GenericError");
        text = qtest_hmp(qts, "qom-set %s realized false", path);
        g_assert_nonnull(strstr(text, "realized"));
        devices++;
    }
    g_assert_cmpuint(devices, ==, 11);
    qobject_unref(rsp);
    qtest_system_reset(qts);
    qtest_quit(qts);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) qtest_add_func("/cxl/monitor/" #f, f)
#define DCD(f, props) cxl_add_dcd_test("/cxl/monitor/" #f, f, props)
    DCD(every_policy_reaches_the_host, ",dc1-sharable=on");
    DCD(query_shows_every_state, "");
    DCD(monitor_hears_what_the_host_does, "");
    DCD(monitor_hears_why_capacity_ends, ",dc1-sharable=on");
    T(host_cannot_flood_the_monitor);
    T(qom_set_realizes_nothing);
#undef DCD
#undef T
    return g_test_run();
}
