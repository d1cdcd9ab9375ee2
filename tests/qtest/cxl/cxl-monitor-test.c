/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The monitor as a Fabric Manager: every policy, the error texts, the query,
 * events about what the host does
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#include "cxl-qtest-switch.h"

#define TAG         "5be13bce-ae34-4a77-b6c3-16df975fcf1a"

#define DO(verb, rest) \
    "{'execute': 'cxl-" verb "-dynamic-capacity', 'arguments': {" \
    " 'path': 'cxl-mem0', 'host-id': 0, " rest "} }"
#define ADD_EXTENT(region, offset, len) \
    DO("add", "'region': " #region ", 'selection-policy': 'prescriptive', " \
       "'extents': [ { 'offset': " #offset ", 'len': " #len " } ]")
#define RELEASE_EXTENT(offset, len) \
    DO("release", "'region': 0, 'removal-policy': 'prescriptive', " \
       "'extents': [ { 'offset': " #offset ", 'len': " #len " } ]")

static void offer(CxlDev *dev, uint64_t offset, uint64_t len)
{
    qtest_qmp_assert_success(dev->qts,
        "{'execute': 'cxl-add-dynamic-capacity', 'arguments': {"
        " 'path': 'cxl-mem0', 'host-id': 0, 'region': 0, 'tag': '',"
        " 'selection-policy': 'prescriptive',"
        " 'extents': [ { 'offset': %" PRIu64 ", 'len': %" PRIu64 " } ] } }",
        offset, len);
}

static void hold(CxlDev *dev, uint64_t offset, uint64_t len)
{
    const CxlExtent e = { CXL_DC_BASE + offset, len };

    offer(dev, offset, len);
    g_assert_cmphex(host_answer(dev, 0x4802, &e, 1, false), ==, 0);
}

static void forced_removal_sanitizes(CxlDev *dev)
{
    QTestState *qts = dev->qts;
    const CxlExtent e = { CXL_DC_BASE, CXL_BLOCK };
    uint64_t dc = cxl_map(dev, ALL_DPA) + CXL_STATIC;

    hold(dev, 0, CXL_BLOCK);
    qtest_writeq(qts, dc, 5);
    /* asked for it back only: the host still has it */
    qtest_qmp_assert_success(qts, RELEASE_EXTENT(0, 2097152));
    g_assert_cmphex(qtest_readq(qts, dc), ==, 5);
    qtest_qmp_assert_success(qts,
        "{'execute': 'cxl-release-dynamic-capacity', 'arguments': {"
        " 'path': 'cxl-mem0', 'host-id': 0, 'region': 0,"
        " 'forced-removal': true, 'sanitize-on-release': true,"
        " 'removal-policy': 'prescriptive',"
        " 'extents': [ { 'offset': 0, 'len': 2097152 } ] } }");
    g_assert_cmphex(qtest_readq(qts, dc), ==, ONES);
    g_assert_cmphex(host_answer(dev, 0x4803, &e, 1, false), ==, 0x0f);
    hold(dev, 0, CXL_BLOCK);
    g_assert_cmphex(qtest_readq(qts, dc), ==, 0);
}

static void small_blocks_are_sanitized_alone(CxlDev *dev)
{
    QTestState *qts = dev->qts;
    const CxlExtent e = { CXL_DC_BASE + 128, 64 };
    uint64_t dc = cxl_map(dev, ALL_DPA) + CXL_STATIC;

    hold(dev, 64, 128);
    qtest_memset(qts, dc + 64, 0x5a, 128);
    g_assert_cmphex(host_answer(dev, 0x4803, &e, 1, false), ==, 0);
    hold(dev, 128, 64);
    g_assert_cmphex(qtest_readq(qts, dc + 120), ==, 0x5a5a5a5a5a5a5a5a);
    g_assert_cmphex(qtest_readq(qts, dc + 128), ==, 0);
    g_assert_cmphex(qtest_readq(qts, dc + 184), ==, 0);
    g_assert_cmphex(qtest_readq(qts, dc + 192), ==, ONES);
    /* Half of these eight bytes is the host's */
    g_assert_cmphex(qtest_readq(qts, dc + 188), ==, 0xffffffff00000000);
}

static void expect_error(QTestState *qts, const char *want, const char *command)
{
    g_autoptr(QDict) rsp = NULL;
    const char *got;

    qtest_qmp_send_raw(qts, "%s", command);
    rsp = qtest_qmp_receive(qts);
    g_assert_true(qdict_haskey(rsp, "error"));
    got = qdict_get_str(qdict_get_qdict(rsp, "error"), "desc");
    if (!g_str_has_prefix(got, want)) {
        g_test_message("wanted \"%s\", got \"%s\"", want, got);
        g_test_fail();
    }
}

static void errors_name_their_cause(CxlDev *dev)
{
    /* The host holds block 0; block 1 is on offer */
    static const struct { const char *error, *command; } row[] = {
        { "region id is too large: 2, the highest is 1",
          ADD_EXTENT(2, 0, 2097152) },
        { "extent with 0 length is not allowed", ADD_EXTENT(0, 4194304, 0) },
        { "dpa or len is not aligned to region block size",
          ADD_EXTENT(0, 1, 2097152) },
        { "dpa or len is not aligned to region block size",
          ADD_EXTENT(0, 4194304, 4096) },
        { "extent range is beyond the region end",
          ADD_EXTENT(0, 268435456, 2097152) },
        { "extent range is beyond the region end",
          ADD_EXTENT(0, 18446744073707454464, 4194304) },
        { "duplicate or overlapped extents are detected",
          DO("add", "'region': 0, 'selection-policy': 'prescriptive', "
             "'extents': [ { 'offset': 4194304, 'len': 4194304 }, "
             "             { 'offset': 6291456, 'len': 2097152 } ]") },
        { "cannot add DPA already accessible to the same LD",
          ADD_EXTENT(0, 0, 2097152) },
        { "cannot add DPA again while still pending",
          ADD_EXTENT(0, 2097152, 2097152) },
        { "the list of extents is empty",
          DO("add", "'region': 0, 'selection-policy': 'prescriptive'") },
        { "selection policy 'free' needs argument 'length'",
          DO("add", "'region': 0, 'selection-policy': 'free'") },
        { "selection policy 'enable-shared-access' needs argument 'tag'",
          DO("add", "'region': 0, "
             "'selection-policy': 'enable-shared-access'") },
        { "selection policy 'enable-shared-access' needs argument 'tag'",
          DO("add", "'region': 0, 'tag': '', "
             "'selection-policy': 'enable-shared-access'") },
        { "argument 'length' does not belong to selection policy "
          "'prescriptive'",
          DO("add", "'region': 0, 'selection-policy': 'prescriptive', "
             "'extents': [ { 'offset': 4194304, 'len': 2097152 } ], "
             "'length': 2097152") },
        { "argument 'length' does not belong to selection policy "
          "'enable-shared-access'",
          DO("add", "'region': 0, 'tag': '" TAG "', 'length': 2097152, "
             "'selection-policy': 'enable-shared-access'") },
        { "argument 'extents' does not belong to selection policy 'free'",
          DO("add", "'region': 0, 'selection-policy': 'free', "
             "'extents': [ { 'offset': 4194304, 'len': 2097152 } ], "
             "'length': 2097152") },
        { "argument 'length' does not belong to removal policy "
          "'prescriptive'",
          DO("release", "'region': 0, 'removal-policy': 'prescriptive', "
             "'extents': [ { 'offset': 0, 'len': 2097152 } ], "
             "'length': 2097152") },
        { "argument 'extents' does not belong to removal policy 'tag-based'",
          DO("release", "'removal-policy': 'tag-based', 'tag': '" TAG "', "
             "'forced-removal': true, "
             "'extents': [ { 'offset': 0, 'len': 2097152 } ]") },
        { "argument 'region' does not belong to removal policy 'tag-based'",
          DO("release", "'removal-policy': 'tag-based', 'tag': '" TAG "', "
             "'region': 0") },
        { "host 0 has accepted nothing with tag '" TAG "'",
          DO("release", "'removal-policy': 'tag-based', 'tag': '" TAG "'") },
        { "tag 'x' is not a UUID",
          DO("add", "'region': 0, 'selection-policy': 'free', "
             "'length': 2097152, 'tag': 'x'") },
        { "cannot release extent with pending DPA range",
          RELEASE_EXTENT(2097152, 2097152) },
        { "cannot release extent with non-existing DPA range",
          RELEASE_EXTENT(4194304, 2097152) },
        { "removal policy 'tag-based' needs argument 'tag'",
          DO("release", "'removal-policy': 'tag-based'") },
        { "removal policy 'prescriptive' needs argument 'region'",
          DO("release", "'removal-policy': 'prescriptive'") },
        { "host ID 1 is not valid: the highest is 0",
          "{'execute': 'cxl-add-dynamic-capacity', 'arguments': {"
          " 'path': 'cxl-mem0', 'host-id': 1, 'region': 0, "
          " 'selection-policy': 'free', 'length': 2097152 } }" },
        { "host ID 1 is not valid: the highest is 0",
          "{'execute': 'cxl-release-dynamic-capacity', 'arguments': {"
          " 'path': 'cxl-mem0', 'host-id': 1, 'tag': '" TAG "', "
          " 'removal-policy': 'tag-based' } }" },
        { "region id is too large: 255, the highest is 1",
          DO("release", "'removal-policy': 'prescriptive', 'region': 255, "
             "'extents': [ { 'offset': 0, 'len': 2097152 } ]") },
        { "region id is too large: 2, the highest is 1",
          DO("add", "'region': 2, 'selection-policy': 'free', "
             "'length': 2097152") },
        { "Path does not point to a CXL type 3 device: 'rp0'",
          "{'execute': 'query-cxl-dynamic-capacity', 'arguments': {"
          " 'path': 'rp0' } }" },
    };
    uint32_t left;
    unsigned i;

    hold(dev, 0, CXL_BLOCK);
    offer(dev, CXL_BLOCK, CXL_BLOCK);
    left = avail_extents(dev);
    for (i = 0; i < ARRAY_SIZE(row); i++) {
        expect_error(dev->qts, row[i].error, row[i].command);
    }
    g_assert_cmpuint(avail_extents(dev), ==, left);
}

static void device_without_regions_says_so(void)
{
    QTestState *qts = cxl_start(CXL_BACKENDS "-device cxl-type3,bus=rp0,"
                                "id=cxl-mem0,volatile-memdev=vm0");

    expect_error(qts, "No dynamic capacity support from the device",
                 ADD_EXTENT(0, 0, 2097152));
    expect_error(qts, "No dynamic capacity support from the device",
                 "{'execute': 'query-cxl-dynamic-capacity', 'arguments': {"
                 " 'path': 'cxl-mem0' } }");
    qtest_quit(qts);
}

/* As scripts have it that know of one device only */
static void path_may_be_left_out_with_one_device(CxlDev *dev)
{
    QTestState *qts = dev->qts;
    static const char *const commands[] = {
        "{'execute': 'cxl-add-dynamic-capacity', 'arguments': {"
        " 'host-id': 0, 'region': 0, 'selection-policy': 'prescriptive',"
        " 'tag': '', 'extents': [ { 'offset': 0, 'len': 2097152 } ] } }",
        "{'execute': 'cxl-release-dynamic-capacity', 'arguments': {"
        " 'host-id': 0, 'region': 0, 'removal-policy': 'prescriptive',"
        " 'tag': '', 'forced-removal': true,"
        " 'extents': [ { 'offset': 0, 'len': 2097152 } ] } }",
        "{'execute': 'cxl-inject-poison', 'arguments': {"
        " 'start': 0, 'length': 64 } }",
        "{'execute': 'cxl-inject-memory-module-event', 'arguments': {"
        " 'log': 'informational', 'flags': 1, 'type': 3, 'health-status': 3,"
        " 'media-status': 7, 'additional-status': 33, 'life-used': 30,"
        " 'temperature': -15, 'dirty-shutdown-count': 4,"
        " 'corrected-volatile-error-count': 3233,"
        " 'corrected-persistent-error-count': 1300 } }",
        "{'execute': 'cxl-inject-correctable-error', 'arguments': {"
        " 'type': 'physical' } }",
        "{'execute': 'cxl-inject-uncorrectable-errors', 'arguments': {"
        " 'errors': [ { 'type': 'cache-address-parity', 'header': [ 3 ] } ]"
        " } }",
    };
    QDict *info;

    for (unsigned i = 0; i < ARRAY_SIZE(commands); i++) {
        QDict *rsp;

        qtest_qmp_send_raw(qts, "%s", commands[i]);
        rsp = qtest_qmp_receive(qts);
        if (qdict_haskey(rsp, "error")) {
            g_test_message("%s: %s", commands[i], qdict_get_str(
                               qdict_get_qdict(rsp, "error"), "desc"));
            g_test_fail();
        }
        qobject_unref(rsp);
    }
    info = qtest_qmp_assert_success_ref(
        qts, "{'execute': 'query-cxl-dynamic-capacity'}");
    qobject_unref(info);
}

static void device_is_found_beside_a_backend_of_its_id(void)
{
    QTestState *qts = cxl_start(CXL_BACKENDS "-device cxl-type3,bus=rp0,"
                                "id=vm0,volatile-memdev=vm0");

    qtest_qmp_assert_success(qts,
        "{'execute': 'cxl-inject-poison', 'arguments': {"
        " 'path': 'vm0', 'start': 0, 'length': 64 } }");
    expect_error(qts, "Path does not point to a CXL type 3 device: 'dc0'",
                 "{'execute': 'cxl-inject-poison', 'arguments': {"
                 " 'path': 'dc0', 'start': 64, 'length': 64 } }");
    qtest_quit(qts);
}

static void path_left_out_with_several_devices_lists_them(void)
{
    QTestState *qts = cxl_start(CXL_BACKENDS "-device cxl-type3,bus=rp0,"
                                "id=cxl-mem0,volatile-memdev=vm0 "
                                "-object memory-backend-ram,id=vm9,size=256M "
                                "-device cxl-type3,bus=rp1,id=cxl-mem9,"
                                "volatile-memdev=vm9");
    const char *why = "argument 'path' is missing, and there are several CXL "
                      "Type 3 devices: /machine/peripheral/cxl-mem";

    expect_error(qts, why, "{'execute': 'query-cxl-dynamic-capacity'}");
    expect_error(qts, why, "{'execute': 'cxl-inject-poison', 'arguments': {"
                 " 'start': 0, 'length': 64 } }");
    qtest_quit(qts);
    qts = qtest_init("-M q35,cxl=on");
    expect_error(qts, "argument 'path' is missing, and there is no CXL Type 3 "
                 "device", "{'execute': 'query-cxl-dynamic-capacity'}");
    qtest_quit(qts);
}

static QDict *query(QTestState *qts)
{
    return qtest_qmp_assert_success_ref(qts,
        "{'execute': 'query-cxl-dynamic-capacity',"
        " 'arguments': { 'path': 'cxl-mem0' } }");
}

static QDict *first_of(QDict *in, const char *list)
{
    return qobject_to(QDict, qlist_peek(qdict_get_qlist(in, list)));
}

static size_t size_of(QDict *in, const char *list)
{
    return qlist_size(qdict_get_qlist(in, list));
}

static void shared_capacity_is_followed_by_its_tag(CxlDev *dev)
{
    QTestState *qts = dev->qts;
    const CxlExtent e = { R1(0), BLOCKS(2) };
    QDict *event, *info, *host, *item;

    qtest_qmp_assert_success(qts,
        "{'execute': 'cxl-add-dynamic-capacity', 'arguments': {"
        " 'path': 'cxl-mem0', 'host-id': 0, 'region': 1, 'tag': %s,"
        " 'selection-policy': 'contiguous', 'length': 4194304 } }", TAG);
    info = query(qts);
    host = first_of(info, "hosts");
    g_assert_cmpint(qdict_get_int(host, "accepted-count"), ==, 0);
    g_assert_cmpuint(size_of(host, "pending"), ==, 1);
    item = first_of(host, "pending");
    g_assert_false(qdict_get_bool(item, "withdrawn"));
    g_assert_cmpint(qdict_get_int(first_of(item, "extents"), "dpa"), ==,
                    R1(0));
    item = first_of(info, "tags");
    g_assert_cmpuint(size_of(item, "pending"), ==, 1);
    g_assert_cmpuint(size_of(item, "accepted"), ==, 0);
    qobject_unref(info);

    g_assert_cmphex(host_answer(dev, 0x4802, &e, 1, false), ==, 0);
    event = qtest_qmp_eventwait_ref(qts, "CXL_DYNAMIC_CAPACITY_ACCEPTED");
    item = qdict_get_qdict(event, "data");
    g_assert_cmpint(qdict_get_int(item, "count"), ==, 1);
    item = first_of(item, "extents");
    g_assert_cmpint(qdict_get_int(item, "dpa"), ==, R1(0));
    g_assert_cmpint(qdict_get_int(item, "len"), ==, BLOCKS(2));
    g_assert_cmpstr(qdict_get_str(item, "tag"), ==, TAG);
    g_assert_cmpint(qdict_get_int(item, "sequence"), ==, 0);
    qobject_unref(event);

    /* No length: all that the host has under the tag */
    qtest_qmp_assert_success(qts,
        "{'execute': 'cxl-release-dynamic-capacity', 'arguments': {"
        " 'path': 'cxl-mem0', 'host-id': 0, 'removal-policy': 'tag-based',"
        " 'tag': %s } }", TAG);
    info = query(qts);
    host = first_of(info, "hosts");
    g_assert_cmpint(qdict_get_int(host, "accepted-count"), ==, 1);
    item = first_of(host, "release-requests");
    g_assert_cmpint(qdict_get_int(item, "dpa"), ==, R1(0));
    g_assert_cmpint(qdict_get_int(item, "len"), ==, BLOCKS(2));
    g_assert_cmpint(qdict_get_int(info, "tag-count"), ==, 1);
    item = first_of(info, "tags");
    g_assert_cmpstr(qdict_get_str(item, "tag"), ==, TAG);
    g_assert_cmpuint(size_of(item, "accepted"), ==, 1);
    qobject_unref(info);

    g_assert_cmphex(host_answer(dev, 0x4803, &e, 1, false), ==, 0);
    qtest_qmp_eventwait(qts, "CXL_DYNAMIC_CAPACITY_RELEASED");
    info = query(qts);
    g_assert_cmpint(qdict_get_int(info, "tag-count"), ==, 0);
    g_assert_cmpuint(size_of(info, "tags"), ==, 0);
    qobject_unref(info);
}

static void forced_removal_of_an_offer_withdraws_it(CxlDev *dev)
{
    QTestState *qts = dev->qts;
    QDict *info;

    qtest_qmp_assert_success(qts,
        "{'execute': 'cxl-add-dynamic-capacity', 'arguments': {"
        " 'path': 'cxl-mem0', 'host-id': 0, 'region': 0, 'tag': %s,"
        " 'selection-policy': 'free', 'length': 2097152 } }", TAG);
    qtest_qmp_assert_success(qts,
        "{'execute': 'cxl-release-dynamic-capacity', 'arguments': {"
        " 'path': 'cxl-mem0', 'host-id': 0, 'removal-policy': 'tag-based',"
        " 'tag': %s, 'forced-removal': true } }", TAG);
    info = query(qts);
    g_assert_true(qdict_get_bool(first_of(first_of(info, "hosts"), "pending"),
                                 "withdrawn"));
    g_assert_cmpint(qdict_get_int(info, "tag-count"), ==, 1);
    g_assert_cmpuint(size_of(first_of(info, "tags"), "pending"), ==, 0);
    qobject_unref(info);
    /* once more changes nothing */
    qtest_qmp_assert_success(qts,
        "{'execute': 'cxl-release-dynamic-capacity', 'arguments': {"
        " 'path': 'cxl-mem0', 'host-id': 0, 'removal-policy': 'tag-based',"
        " 'tag': %s, 'forced-removal': true } }", TAG);
    g_assert_cmphex(host_answer(dev, 0x4802, NULL, 0, false), ==, 0);
    info = query(qts);
    g_assert_cmpuint(size_of(first_of(info, "hosts"), "pending"), ==, 0);
    qobject_unref(info);
}

static void query_shows_every_state(CxlDev *dev)
{
    const CxlExtent held = { R0(0), BLOCKS(2), 1 };
    const CxlExtent gone = { R0(8), BLOCKS(1), 2 };
    const CxlExtent offer[] = {
        { R0(12), BLOCKS(1), 3 }, { R0(14), BLOCKS(1), 3 },
    };
    QDict *info, *host, *region;
    uint32_t gen;

    cxl_hold(dev, &held, 1);
    g_assert_cmphex(fm_release_list(dev, REL_SANITIZE, &held, 1), ==, 0);
    g_assert_cmphex(fm_add_list(dev, &gone, 1), ==, 0);
    g_assert_cmphex(fm_release_list(dev, REL_FORCED, &gone, 1), ==, 0);
    g_assert_cmphex(fm_add_list(dev, offer, 2), ==, 0);
    host_list(dev, NULL, 0, &gen);

    info = query(dev->qts);
    g_assert_cmpuint(size_of(info, "regions"), ==, 2);
    g_assert_cmpuint(size_of(info, "tags"), ==, 3);
    g_assert_cmpuint(qdict_get_int(info, "tag-count"), ==, 3);
    region = first_of(info, "regions");
    g_assert_cmpint(qdict_get_int(region, "base"), ==, CXL_DC_BASE);
    g_assert_cmpint(qdict_get_int(region, "length"), ==, CXL_REGION);
    g_assert_cmpint(qdict_get_int(region, "block-size"), ==, CXL_BLOCK);
    host = first_of(info, "hosts");
    g_assert_cmpuint(qdict_get_int(host, "generation"), ==, gen);
    g_assert_cmpuint(qdict_get_int(host, "accepted-count"), ==, 1);
    g_assert_cmpuint(size_of(host, "accepted"), ==, 1);
    g_assert_cmpuint(size_of(host, "release-requests"), ==, 1);
    g_assert_cmpuint(size_of(host, "pending"), ==, 2);
    g_assert_true(qdict_get_bool(first_of(host, "pending"), "withdrawn"));
    g_assert_cmpuint(qdict_get_int(host, "extents-available"), ==,
                     avail_extents(dev));
    qobject_unref(info);
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
    extent = first_of(data, "extents");
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
    qtest_system_reset_nowait(qts);
    told_of(qts, refused, "reset", &e);
    told_of(qts, released, "reset", &shared);
}

#define TELL_MAX    1000

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
    DCD(errors_name_their_cause, "");
    T(device_without_regions_says_so);
    DCD(path_may_be_left_out_with_one_device, "");
    T(device_is_found_beside_a_backend_of_its_id);
    T(path_left_out_with_several_devices_lists_them);
    DCD(shared_capacity_is_followed_by_its_tag, ",dc1-sharable=on");
    DCD(forced_removal_sanitizes, "");
    DCD(forced_removal_of_an_offer_withdraws_it, "");
    DCD(small_blocks_are_sanitized_alone, ",dc0-block-size=64,dc0-sanitize=on");
    DCD(query_shows_every_state, "");
    DCD(monitor_hears_why_capacity_ends, ",dc1-sharable=on");
    T(host_cannot_flood_the_monitor);
    T(qom_set_realizes_nothing);
    return g_test_run();
}
