/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The monitor's view of a memory device: dynamic capacity commands, their
 * events and the query, injection of event records and poison
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#include "cxl-qtest.h"

#define R0(k) (CXL_DC_BASE + (uint64_t)(k) * CXL_BLOCK)
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

static void fails(QTestState *qts, const char *json, const char *why)
{
    g_autofree char *text = g_strdup_printf("{%s}", json);
    QDict *rsp = qtest_qmp(qts, text, NULL);
    const char *desc;

    if (!qdict_haskey(rsp, "error")) {
        g_test_message("no error: %s", json);
    }
    g_assert_true(qdict_haskey(rsp, "error"));
    desc = qdict_get_str(qdict_get_qdict(rsp, "error"), "desc");
    if (!strstr(desc, why)) {
        g_test_message("wanted \"%s\" in \"%s\"", why, desc);
    }
    g_assert_nonnull(strstr(desc, why));
    qobject_unref(rsp);
}

static void every_policy_reaches_the_host(void)
{
    CxlDev dev;
    QTestState *qts = cxl_start_dcd(&dev, ",dc1-sharable=on");
    const CxlExtent listed = { R0(1), BLOCKS(2) };
    const CxlExtent first = { R0(0), BLOCKS(1) };
    const CxlExtent shared = { R0(128), BLOCKS(2) };

    works(qts, ADD "'region': 0, 'selection-policy': 'prescriptive', "
          "'extents': [{'offset': 2097152, 'len': 4194304}]}");
    g_assert_cmphex(host_answer(&dev, 0x4802, &listed, 1, false), ==, 0);
    works(qts, ADD "'region': 0, 'selection-policy': 'free', "
          "'length': 2097152}");
    g_assert_cmphex(host_answer(&dev, 0x4802, &first, 1, false), ==, 0);
    works(qts, ADD "'region': 1, 'selection-policy': 'contiguous', "
          "'length': 4194304, 'tag': '" TAG_TEXT "'}");
    g_assert_cmphex(host_answer(&dev, 0x4802, &shared, 1, false), ==, 0);
    fails(qts, ADD "'region': 1, 'selection-policy': 'enable-shared-access', "
          "'tag': '" TAG_TEXT "'}", "");
    g_assert_cmpuint(host_list(&dev, NULL, 0, NULL), ==, 3);

    works(qts, RELEASE "'removal-policy': 'tag-based', 'tag': '" TAG_TEXT
          "', 'forced-removal': true}");
    works(qts, RELEASE "'removal-policy': 'prescriptive', 'region': 0, "
          "'extents': [{'offset': 0, 'len': 2097152}]}");
    g_assert_cmpuint(host_list(&dev, NULL, 0, NULL), ==, 2);
    g_assert_cmphex(host_answer(&dev, 0x4803, &first, 1, false), ==, 0);
    g_assert_cmpuint(host_list(&dev, NULL, 0, NULL), ==, 1);
    qtest_quit(qts);
}

static void bad_requests_are_named_in_the_error(void)
{
#define PRESCRIBE "'selection-policy': 'prescriptive', 'extents': "
#define TAKE "'removal-policy': 'prescriptive', 'region': 0, 'extents': "
    static const struct { const char *json, *why; } rows[] = {
        { ADD "'region': 2, " PRESCRIBE "[{'offset': 0, 'len': 2097152}]}",
          "region id is too large" },
        { ADD "'region': 0, " PRESCRIBE "[{'offset': 0, 'len': 0}]}",
          "extent with 0 length is not allowed" },
        { ADD "'region': 0, " PRESCRIBE "[{'offset': 64, 'len': 2097152}]}",
          "dpa or len is not aligned to region block size" },
        { ADD "'region': 0, " PRESCRIBE
          "[{'offset': 268435456, 'len': 2097152}]}",
          "extent range is beyond the region end" },
        { ADD "'region': 0, " PRESCRIBE
          "[{'offset': 18446744073707454464, 'len': 4194304}]}",
          "extent range is beyond the region end" },
        { ADD "'region': 0, " PRESCRIBE "[{'offset': 0, 'len': 4194304}, "
          "{'offset': 2097152, 'len': 2097152}]}",
          "duplicate or overlapped extents are detected" },
        { ADD "'region': 0, " PRESCRIBE
          "[{'offset': 33554432, 'len': 2097152}]}",
          "cannot add DPA already accessible to the same LD" },
        { ADD "'region': 0, " PRESCRIBE
          "[{'offset': 41943040, 'len': 2097152}]}",
          "cannot add DPA again while still pending" },
        { ADD "'region': 0, 'selection-policy': 'prescriptive'}", "extents" },
        { ADD "'region': 0, 'selection-policy': 'free'}", "length" },
        { ADD "'region': 0, 'selection-policy': 'free', 'length': 2097152, "
          "'tag': 'nonsense'}", "nonsense" },
        { RELEASE TAKE "[{'offset': 41943040, 'len': 2097152}]}",
          "cannot release extent with pending DPA range" },
        { RELEASE TAKE "[{'offset': 0, 'len': 2097152}]}",
          "cannot release extent with non-existing DPA range" },
        { RELEASE "'removal-policy': 'tag-based', 'tag': '" TAG_TEXT "'}",
          "" },
    };
    const CxlExtent held = { R0(16), BLOCKS(1), 1 };
    const CxlExtent pending = { R0(20), BLOCKS(1), 2 };
    CxlDev dev;
    QTestState *qts = cxl_start_dcd(&dev, "");
    uint32_t avail;
    unsigned i;

    g_assert_cmphex(fm_add_list(&dev, &held, 1), ==, 0);
    g_assert_cmphex(host_answer(&dev, 0x4802, &held, 1, false), ==, 0);
    g_assert_cmphex(fm_add_list(&dev, &pending, 1), ==, 0);
    avail = avail_extents(&dev);
    for (i = 0; i < ARRAY_SIZE(rows); i++) {
        fails(qts, rows[i].json, rows[i].why);
        g_assert_cmpuint(avail_extents(&dev), ==, avail);
    }
    fails(qts, "'execute': 'query-cxl-dynamic-capacity', 'arguments': "
          "{'path': '/machine/peripheral/rp0'}", "");
    fails(qts, "'execute': 'query-cxl-dynamic-capacity', 'arguments': "
          "{'path': 'nobody'}", "");
    cxl_alive(&dev);
    qtest_quit(qts);
}

static void query_shows_every_state(void)
{
    const CxlExtent held = { R0(0), BLOCKS(2), 1 };
    const CxlExtent dead = { R0(8), BLOCKS(1), 2 };
    const CxlExtent offer[] = {
        { R0(12), BLOCKS(1), 3 }, { R0(14), BLOCKS(1), 3 },
    };
    CxlDev dev;
    QTestState *qts = cxl_start_dcd(&dev, "");
    QDict *info, *host;
    QList *pending;
    uint32_t gen;

    g_assert_cmphex(fm_add_list(&dev, &held, 1), ==, 0);
    g_assert_cmphex(host_answer(&dev, 0x4802, &held, 1, false), ==, 0);
    g_assert_cmphex(fm_release_list(&dev, REL_SANITIZE, &held, 1), ==, 0);
    g_assert_cmphex(fm_add_list(&dev, &dead, 1), ==, 0);
    g_assert_cmphex(fm_release_list(&dev, REL_FORCED, &dead, 1), ==, 0);
    g_assert_cmphex(fm_add_list(&dev, offer, 2), ==, 0);
    host_list(&dev, NULL, 0, &gen);

    info = qtest_qmp_assert_success_ref(
        qts, "{'execute': 'query-cxl-dynamic-capacity', "
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
                                 "dead"));
    g_assert_cmpuint(qdict_get_int(host, "extents-available"), ==,
                     avail_extents(&dev));
    qobject_unref(info);
    qtest_quit(qts);
}

static void monitor_hears_what_the_host_does(void)
{
    const CxlExtent e = { R0(0), BLOCKS(2), 1 };
    const CxlExtent part = { R0(1), BLOCKS(1), 1 };
    CxlDev dev;
    QTestState *qts = cxl_start_dcd(&dev, "");
    QDict *event, *data, *extent;

    g_assert_cmphex(fm_add_list(&dev, &e, 1), ==, 0);
    g_assert_cmphex(host_answer(&dev, 0x4802, &e, 1, false), ==, 0);
    event = qtest_qmp_eventwait_ref(qts, "CXL_DYNAMIC_CAPACITY_ACCEPTED");
    data = qdict_get_qdict(event, "data");
    g_assert_cmpstr(qdict_get_str(data, "device"), ==, "cxl-mem0");
    g_assert_cmpuint(qdict_get_int(data, "count"), ==, 1);
    extent = qobject_to(QDict, qlist_peek(qdict_get_qlist(data, "extents")));
    g_assert_cmphex(qdict_get_int(extent, "dpa"), ==, e.dpa);
    g_assert_cmphex(qdict_get_int(extent, "len"), ==, e.len);
    qobject_unref(event);

    g_assert_cmphex(host_answer(&dev, 0x4803, &part, 1, false), ==, 0);
    event = qtest_qmp_eventwait_ref(qts, "CXL_DYNAMIC_CAPACITY_RELEASED");
    data = qdict_get_qdict(event, "data");
    extent = qobject_to(QDict, qlist_peek(qdict_get_qlist(data, "extents")));
    g_assert_cmphex(qdict_get_int(extent, "dpa"), ==, part.dpa);
    qobject_unref(event);

    g_assert_cmphex(fm_add(&dev, ADD_FREE, 1, BLOCKS(1), 2), ==, 0);
    g_assert_cmphex(host_answer(&dev, 0x4802, NULL, 0, false), ==, 0);
    qtest_qmp_eventwait(qts, "CXL_DYNAMIC_CAPACITY_REFUSED");
    qtest_quit(qts);
}

static void injected_records_land_in_their_logs(void)
{
    static const struct { const char *json; uint8_t log; uint8_t uuid; }
    rows[] = {
        { "'execute': 'cxl-inject-general-media-event', 'arguments': {"
          "'path': 'cxl-mem0', 'log': 'informational', 'flags': 1, "
          "'dpa': 4096, 'descriptor': 3, 'type': 3, 'transaction-type': 192, "
          "'channel': 3, 'device': 5, 'component-id': 'Iras mem'}", 0, 0xfb },
        { "'execute': 'cxl-inject-dram-event', 'arguments': {"
          "'path': 'cxl-mem0', 'log': 'warning', 'flags': 1, 'dpa': 4096, "
          "'descriptor': 3, 'type': 3, 'transaction-type': 192, "
          "'channel': 3, 'rank': 17, 'nibble-mask': 37421234, "
          "'bank-group': 7, 'bank': 11, 'row': 2, 'column': 77, "
          "'correction-mask': [33, 44, 55, 66]}", 1, 0x60 },
        { "'execute': 'cxl-inject-memory-module-event', 'arguments': {"
          "'path': 'cxl-mem0', 'log': 'fatal', 'flags': 1, 'type': 3, "
          "'health-status': 3, 'media-status': 7, 'additional-status': 33, "
          "'life-used': 30, 'temperature': -15, "
          "'dirty-shutdown-count': 4, "
          "'corrected-volatile-error-count': 3233, "
          "'corrected-persistent-error-count': 1300}", 3, 0xfe },
    };
    CxlDev dev;
    QTestState *qts = cxl_start_dcd(&dev, "");
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(rows); i++) {
        CxlReq get = { 0 };
        CxlRsp rsp;

        works(qts, rows[i].json);
        g_assert_cmphex(dev_readl(&dev, REG_EVENT_STATUS), ==,
                        1 << rows[i].log);
        req8(&get, rows[i].log);
        g_assert_cmphex(cxl_cmd(&dev, 0x0100, &get, &rsp), ==, 0);
        g_assert_cmpuint(lduw_le_p(rsp.data + 0x14), ==, 1);
        g_assert_cmphex(rsp.data[0x20], ==, rows[i].uuid);
        g_assert_cmphex(rsp.data[0x20 + 0x11], ==, 1);
        if (i < 2) {
            g_assert_cmphex(ldq_le_p(rsp.data + 0x50), ==, 4096);
            g_assert_cmphex(rsp.data[0x20 + 0x3d], ==, 3);
        } else {
            g_assert_cmphex((int16_t)lduw_le_p(rsp.data + 0x20 + 0x35), ==,
                            -15);
        }
        g_assert_cmpuint(drain_log(&dev, rows[i].log), ==, 1);
    }
    fails(qts, "'execute': 'cxl-inject-general-media-event', 'arguments': {"
          "'path': 'nobody', 'log': 'informational', 'flags': 1, 'dpa': 0, "
          "'descriptor': 3, 'type': 3, 'transaction-type': 192}",
          "Unable to resolve path");
    fails(qts, "'execute': 'cxl-inject-general-media-event', 'arguments': {"
          "'path': '/machine/peripheral/rp0', 'log': 'informational', "
          "'flags': 1, 'dpa': 0, "
          "'descriptor': 3, 'type': 3, 'transaction-type': 192}",
          "Path does not point to a CXL type 3 device");
    qtest_quit(qts);
}

static void injected_poison_is_checked(void)
{
#define POISON(start, len) "'execute': 'cxl-inject-poison', 'arguments': {" \
    "'path': 'cxl-mem0', 'start': " start ", 'length': " len "}"
    CxlDev dev;
    QTestState *qts = cxl_start_dcd(&dev, "");

    fails(qts, POISON("0", "63"),
          "Poison injection must be in multiples of 64 bytes");
    fails(qts, POISON("32", "64"),
          "Poison start address must be 64 byte aligned");
    works(qts, POISON("0", "128"));
    fails(qts, POISON("64", "64"),
          "Overlap with existing poisoned region not supported");
    works(qts, POISON("128", "64"));
    cxl_alive(&dev);
    qtest_quit(qts);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) qtest_add_func("/cxl/qmp/" #f, f)
    T(every_policy_reaches_the_host);
    T(bad_requests_are_named_in_the_error);
    T(query_shows_every_state);
    T(monitor_hears_what_the_host_does);
    T(injected_records_land_in_their_logs);
    T(injected_poison_is_checked);
#undef T
    return g_test_run();
}
