/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dynamic capacity through the monitor: every policy, the error texts, events
 * and the query
 */
#include "qemu/osdep.h"
#include "qemu/units.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#include "cxl-qtest.h"

#define BLOCK       CXL_BLOCK
#define NOTHING     UINT64_MAX
#define TAG         "5be13bce-ae34-4a77-b6c3-16df975fcf1a"
#define DC1_BASE    (CXL_DC_BASE + CXL_REGION)

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
    const CxlExtent e = { CXL_DC_BASE, BLOCK };
    uint64_t dc = cxl_map(dev, CXL_STATIC + 2 * CXL_REGION) + CXL_STATIC;

    hold(dev, 0, BLOCK);
    qtest_writeq(qts, dc, 5);
    qtest_qmp_assert_success(qts,
        "{'execute': 'cxl-release-dynamic-capacity', 'arguments': {"
        " 'path': 'cxl-mem0', 'host-id': 0, 'region': 0,"
        " 'forced-removal': true, 'sanitize-on-release': true,"
        " 'removal-policy': 'prescriptive',"
        " 'extents': [ { 'offset': 0, 'len': 2097152 } ] } }");
    g_assert_cmphex(qtest_readq(qts, dc), ==, NOTHING);
    g_assert_cmphex(host_answer(dev, 0x4803, &e, 1, false), ==, 0x0f);
    hold(dev, 0, BLOCK);
    g_assert_cmphex(qtest_readq(qts, dc), ==, 0);
}

static void without_sanitize_data_stays(CxlDev *dev)
{
    const CxlExtent e = { CXL_DC_BASE, BLOCK };
    uint64_t dc = cxl_map(dev, CXL_STATIC + 2 * CXL_REGION) + CXL_STATIC;

    hold(dev, 0, BLOCK);
    qtest_writeq(dev->qts, dc, 3);
    g_assert_cmphex(host_answer(dev, 0x4803, &e, 1, false), ==, 0);
    hold(dev, 0, BLOCK);
    g_assert_cmphex(qtest_readq(dev->qts, dc), ==, 3);
}

static void small_blocks_are_sanitized_alone(CxlDev *dev)
{
    QTestState *qts = dev->qts;
    const CxlExtent e = { CXL_DC_BASE + 128, 64 };
    uint64_t dc = cxl_map(dev, CXL_STATIC + 2 * CXL_REGION) + CXL_STATIC;

    hold(dev, 64, 128);
    qtest_memset(qts, dc + 64, 0x5a, 128);
    g_assert_cmphex(host_answer(dev, 0x4803, &e, 1, false), ==, 0);
    hold(dev, 128, 64);
    g_assert_cmphex(qtest_readq(qts, dc + 120), ==, 0x5a5a5a5a5a5a5a5a);
    g_assert_cmphex(qtest_readq(qts, dc + 128), ==, 0);
    g_assert_cmphex(qtest_readq(qts, dc + 184), ==, 0);
    g_assert_cmphex(qtest_readq(qts, dc + 192), ==, NOTHING);
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

#define DO(verb, rest) \
    "{'execute': 'cxl-" verb "-dynamic-capacity', 'arguments': {" \
    " 'path': 'cxl-mem0', 'host-id': 0, " rest "} }"
#define ADD_EXTENT(region, offset, len) \
    DO("add", "'region': " #region ", 'selection-policy': 'prescriptive', " \
       "'extents': [ { 'offset': " #offset ", 'len': " #len " } ]")
#define RELEASE_EXTENT(offset, len) \
    DO("release", "'region': 0, 'removal-policy': 'prescriptive', " \
       "'extents': [ { 'offset': " #offset ", 'len': " #len " } ]")

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

    hold(dev, 0, BLOCK);
    offer(dev, BLOCK, BLOCK);
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

static void refusal_is_an_event(CxlDev *dev)
{
    QDict *event, *data;

    offer(dev, 0, BLOCK);
    g_assert_cmphex(host_answer(dev, 0x4802, NULL, 0, false), ==, 0);
    event = qtest_qmp_eventwait_ref(dev->qts, "CXL_DYNAMIC_CAPACITY_REFUSED");
    data = qdict_get_qdict(event, "data");
    g_assert_cmpstr(qdict_get_str(data, "device"), ==, "cxl-mem0");
    g_assert_cmpstr(qdict_get_str(data, "path"), ==,
                    "/machine/peripheral/cxl-mem0");
    g_assert_cmpint(qdict_get_int(data, "host-id"), ==, 0);
    qobject_unref(event);
}

static void shared_capacity_is_followed_by_its_tag(CxlDev *dev)
{
    QTestState *qts = dev->qts;
    const CxlExtent e = { DC1_BASE, 2 * BLOCK };
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
                    DC1_BASE);
    item = first_of(info, "tags");
    g_assert_cmpuint(size_of(item, "pending"), ==, 1);
    g_assert_cmpuint(size_of(item, "accepted"), ==, 0);
    qobject_unref(info);

    g_assert_cmphex(host_answer(dev, 0x4802, &e, 1, false), ==, 0);
    event = qtest_qmp_eventwait_ref(qts, "CXL_DYNAMIC_CAPACITY_ACCEPTED");
    item = qdict_get_qdict(event, "data");
    g_assert_cmpint(qdict_get_int(item, "count"), ==, 1);
    item = first_of(item, "extents");
    g_assert_cmpint(qdict_get_int(item, "dpa"), ==, DC1_BASE);
    g_assert_cmpint(qdict_get_int(item, "len"), ==, 2 * BLOCK);
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
    g_assert_cmpint(qdict_get_int(item, "dpa"), ==, DC1_BASE);
    g_assert_cmpint(qdict_get_int(item, "len"), ==, 2 * BLOCK);
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

static void query_obeys_its_limit(CxlDev *dev)
{
    QDict *info, *host, *region;
    unsigned i;

    for (i = 0; i < 5; i++) {
        hold(dev, 2 * i * BLOCK, BLOCK);
    }
    info = qtest_qmp_assert_success_ref(dev->qts,
        "{'execute': 'query-cxl-dynamic-capacity',"
        " 'arguments': { 'path': 'cxl-mem0', 'limit': 3 } }");
    host = first_of(info, "hosts");
    g_assert_cmpint(qdict_get_int(host, "accepted-count"), ==, 5);
    g_assert_cmpuint(size_of(host, "accepted"), ==, 3);
    g_assert_cmpuint(size_of(info, "regions"), ==, 2);
    region = first_of(info, "regions");
    g_assert_cmpint(qdict_get_int(region, "base"), ==, CXL_DC_BASE);
    g_assert_cmpint(qdict_get_int(region, "length"), ==, CXL_REGION);
    g_assert_cmpint(qdict_get_int(region, "block-size"), ==, BLOCK);
    qobject_unref(info);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) qtest_add_func("/cxl/dcd-qmp/" #f, f)
#define DCD(f, props) cxl_add_dcd_test("/cxl/dcd-qmp/" #f, f, props)
    DCD(errors_name_their_cause, "");
    T(device_without_regions_says_so);
    DCD(path_may_be_left_out_with_one_device, "");
    T(device_is_found_beside_a_backend_of_its_id);
    T(path_left_out_with_several_devices_lists_them);
    DCD(refusal_is_an_event, "");
    DCD(shared_capacity_is_followed_by_its_tag, ",dc1-sharable=on");
    DCD(forced_removal_sanitizes, "");
    DCD(forced_removal_of_an_offer_withdraws_it, "");
    DCD(without_sanitize_data_stays, "");
    DCD(small_blocks_are_sanitized_alone, ",dc0-block-size=64,dc0-sanitize=on");
    DCD(query_obeys_its_limit, "");
#undef DCD
#undef T
    return g_test_run();
}
