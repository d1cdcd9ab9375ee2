/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * State saved by a device with other properties: refused, and the message says
 * which one differs
 */
#include "qemu/osdep.h"
#include "qemu/units.h"
#include "qobject/qdict.h"
#include "cxl-qtest-state.h"

#define BACKENDS STATE_RAM("128M") \
    STATE_MEMORY("vm0", "256M") \
    STATE_MEMORY("vm1", "512M") \
    STATE_MEMORY("pm0", "256M") \
    STATE_MEMORY("pm1", "512M") \
    STATE_MEMORY("lsa0", "64K") \
    STATE_MEMORY("lsa1", "128K") \
    STATE_MEMORY("dc0", "768M")

/* A device in rp0 with all that a property below can change */
static const struct {
    const char *property;
    const char *value;
} base[] = {
    { "volatile-memdev", "vm0" },
    { "persistent-memdev", "pm0" },
    { "lsa", "lsa0" },
    { "sn", "17" },
    { "x-speed", "32" },
    { "x-width", "16" },
    { "fm-on-mailbox", "on" },
    { "partitionable", "off" },
    { "volatile-dc-memdev", "dc0" },
    { "num-dc-regions", "2" },
    { "dc-extents-max", "1000" },
    { "dc-tags-max", "100" },
    { "dc-event-log-depth", "64" },
    { "dc0-size", "256M" },
    { "dc0-block-sizes", "0x600000" },
};

/* Value of a property instead of, or beside, those above */
static const struct {
    const char *property;
    const char *value;
    const char *beside;
    const char *says;       /* QEMU, which looks at memory before devices */
} other[] = {
    { "volatile-memdev", "vm1", .says = "/vm0" },
    { "persistent-memdev", "pm1", .says = "/pm0" },
    { "lsa", "lsa1", .says = "\"lsa0\"" },
    { "sn", "18" },
    { "x-speed", "16" },
    { "x-width", "8" },
    { "fm-on-mailbox", "off" },
    { "partitionable", "on" },
    { "num-dc-regions", "1", "dc0-size=768M" },
    { "num-dc-regions", "3", "dc1-size=256M" },
    { "dc-extents-max", "1001" },
    { "dc-tags-max", "101" },
    { "dc-event-log-depth", "65" },
    { "dc0-size", "512M" },
    { "dc0-block-size", "4M" },
    { "dc0-block-sizes", "0x200000" },
    { "dc0-sharable", "on" },
    { "dc0-read-only", "on" },
    { "dc0-non-volatile", "on" },
    { "dc0-hw-coherent", "on" },
    { "dc0-sanitize", "on" },
    { "dc0-sanitize-configurable", "off" },
    { "dc1-block-size", "4M" },
    { "dc1-sharable", "on" },
    { "dc1-read-only", "on" },
    { "dc1-sanitize", "on" },
};

/* A property that is given twice is what it is given last */
static void plug(QTestState *qts, const char *property, const char *value,
                 const char *beside)
{
    g_autoptr(GString) line = g_string_new("device_add cxl-type3,id=mem,"
                                           "bus=rp0");
    g_autofree char *answer = NULL;
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(base); i++) {
        g_string_append_printf(line, ",%s=%s", base[i].property,
                               base[i].value);
    }
    if (property) {
        g_string_append_printf(line, ",%s=%s", property, value);
    }
    if (beside) {
        g_string_append_printf(line, ",%s", beside);
    }
    answer = qtest_hmp(qts, "%s", line->str);
    g_assert_cmpstr(answer, ==, "");
    cxl_slot_power(qts, 0, true);
}

static void unplug(QTestState *qts)
{
    qtest_qmp_device_del_send(qts, "mem");
    cxl_slot_power(qts, 0, false);
    qtest_qmp_eventwait(qts, "DEVICE_DELETED");
}

static void a_difference_is_refused_by_name(void)
{
    QTestState *qts = cxl_start(BACKENDS);
    State state;
    CxlDev dev;
    unsigned i;

    plug(qts, NULL, NULL, NULL);
    state_save(&state, qts);
    g_assert_true(state_load(&state, state.data));
    for (i = 0; i < ARRAY_SIZE(other); i++) {
        g_autofree char *want = NULL;

        unplug(qts);
        plug(qts, other[i].property, other[i].value, other[i].beside);
        g_test_message("%s=%s", other[i].property, other[i].value);
        g_assert_false(state_load(&state, state.data));
        want = other[i].says ? g_strdup(other[i].says) :
               g_strdup_printf("property '%s' is 0x", other[i].property);
        if (!strstr(state.said, want)) {
            g_test_message("wanted \"%s\" in \"%s\"", want, state.said);
        }
        g_assert_nonnull(strstr(state.said, want));
        cxl_probe(qts, 0, &dev);
        cxl_alive(&dev);
    }
    unplug(qts);
    plug(qts, NULL, NULL, NULL);
    g_assert_true(state_load(&state, state.data));
    state_free(&state);
    qtest_quit(qts);
}

/*
 * Sizes that were given on one side and follow from others on the other; then
 * all of memory is where it was.
 */
static void what_is_in_force_counts(void)
{
    /* in both static parts, in region 0, and at the end of region 1 */
    const uint64_t at[] = {
        0, 256 * MiB, 512 * MiB + 4096, 1280 * MiB - 8,
    };
    const CxlExtent held[] = {
        { 512 * MiB, 2 * MiB, 1 }, { 1278 * MiB, 2 * MiB, 2 },
    };
    QTestState *qts = cxl_start(BACKENDS);
    uint64_t hpa;
    State state;
    CxlDev dev;
    unsigned i;

    plug(qts, NULL, NULL, NULL);
    cxl_probe(qts, 0, &dev);
    hpa = cxl_map(&dev, 1280 * MiB);
    cxl_hold(&dev, held, ARRAY_SIZE(held));
    for (i = 0; i < ARRAY_SIZE(at); i++) {
        qtest_writeq(qts, hpa + at[i], 0x1111 * (i + 1));
    }
    state_save(&state, qts);
    unplug(qts);
    plug(qts, "dc1-size", "512M", "dc0-block-size=2M");
    g_assert_true(state_load(&state, state.data));
    for (i = 0; i < ARRAY_SIZE(at); i++) {
        g_assert_cmphex(qtest_readq(qts, hpa + at[i]), ==, 0x1111 * (i + 1));
    }
    g_assert_cmphex(qtest_readq(qts, hpa + 514 * MiB), ==, UINT64_MAX);
    state_free(&state);
    qtest_quit(qts);
}

#define TREE(pxb, rp, us, ds) \
    "-M q35,cxl=on -m 128M -nodefaults -display none " \
    "-device pxb-cxl,id=hb0,bus=pcie.0,bus_nr=12" pxb \
    " -device cxl-rp,id=rp0,bus=hb0,chassis=0" rp \
    " -device cxl-upstream,id=us0,bus=rp0" us \
    " -device cxl-downstream,id=ds0,bus=us0,chassis=0" ds
#define RP ",port=0,slot=2"
#define DS ",port=3,slot=4"

static void a_port_has_its_properties(void)
{
    static const struct {
        const char *args, *says;
    } rows[] = {
        { TREE(",hdm_for_passthrough=on", RP, "", DS), "hdm_for_passthrough" },
        { TREE("", ",port=0,slot=3", "", DS), "slot" },
        { TREE("", ",port=1,slot=2", "", DS), "port" },
        { TREE("", RP ",hotplug=off", "", DS), "hotplug" },
        { TREE("", RP, ",sn=7", DS), "sn" },
        { TREE("", RP, ",port=2", DS), "port" },
        { TREE("", RP, ",x-speed=8", DS), "x-speed" },
        { TREE("", RP, "", ",port=3,slot=5"), "slot" },
        { TREE("", RP, "", ",port=4,slot=4"), "port" },
        { TREE("", RP, "", DS ",power_controller_present=off"),
          "power_controller_present" },
        { TREE("", RP, "", DS ",x-width=8"), "x-width" },
    };

    qtest_quit(cxl_migrate(qtest_init(TREE("", RP, "", DS)),
                           TREE("", RP, "", DS)));
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        g_autofree char *want = g_strdup_printf("property '%s' is '",
                                                rows[i].says);
        g_autofree char *said = cxl_migrate_refused(
            qtest_init(TREE("", RP, "", DS)), rows[i].args);

        g_test_message("%s", said);
        g_assert_nonnull(strstr(said, want));
    }
}

static void plug_link(QTestState *qts, const char *target)
{
    g_autofree char *answer = qtest_hmp(
        qts, "device_add mctp-serial-cxl,chardev=fm,id=link,target=%s", target);

    g_assert_cmpstr(answer, ==, "");
}

/* What is saved of a link to one component is not loaded into one to another */
static void a_link_has_its_target(void)
{
    static const char *const target[] = { "mem", "us0", "us1", "mem" };

    for (unsigned i = 0; i < ARRAY_SIZE(target) - 1; i++) {
        QTestState *qts = cxl_start(
            BACKENDS "-device cxl-upstream,id=us0,bus=rp0 "
            "-device cxl-upstream,id=us1,bus=rp1 "
            "-device cxl-downstream,id=ds0,bus=us0,chassis=0,slot=4 "
            "-device cxl-type3,id=mem,bus=ds0,volatile-memdev=vm0 "
            /* switches have state as long as something manages them */
            "-chardev null,id=fm0 -chardev null,id=fm1 -chardev null,id=fm "
            "-device mctp-serial-cxl,chardev=fm0,target=us0 "
            "-device mctp-serial-cxl,chardev=fm1,target=us1 ");
        State state;

        plug_link(qts, target[i]);
        state_save(&state, qts);
        g_assert_true(state_load(&state, state.data));
        qtest_qmp_device_del(qts, "link");
        plug_link(qts, target[i + 1]);
        g_assert_false(state_load(&state, state.data));
        g_assert_nonnull(strstr(state.said, "property 'target'"));
        state_again(qts);
        state_free(&state);
        qtest_quit(qts);
    }
}

/* Its mailbox and its link are elsewhere and stay */
static QTestState *start_without_its_switch(const char *args)
{
    QTestState *qts = qtest_init(args);
    QDict *gone;

    cxl_slot_power(qts, 0, true);
    qtest_qmp_device_del_send(qts, "mem");
    cxl_slot_power(qts, 0, false);
    gone = qtest_qmp(qts, "{'execute': 'qom-list', 'arguments': {"
                     "'path': '/machine/peripheral/mem'}}");
    qmp_expect_error_and_unref(gone, "DeviceNotFound");
    return qts;
}

static void a_switch_goes_and_its_mailbox_is_saved(void)
{
    g_autofree char *args = cxl_args(
        BACKENDS "-device cxl-upstream,id=mem,bus=rp0 "
        "-device cxl-switch-mailbox-cci,id=sw0,bus=rp1,target=mem "
        "-chardev null,id=fm -device mctp-serial-cxl,chardev=fm,target=mem ");
    QTestState *qts = start_without_its_switch(args);
    State state;
    CxlDev box;

    state_save(&state, qts);
    g_assert_true(state_load(&state, state.data));
    cxl_probe(qts, 1, &box);
    g_assert_cmphex(cfg_readl(&box, 0), !=, UINT32_MAX);
    state_free(&state);
    qtest_quit(qts);

    /* a machine that is new has the switch: nothing else can be started */
    qtest_quit(cxl_migrate(start_without_its_switch(args), args));
}

static void a_machine_migrates_after_a_refusal(void)
{
    QTestState *qts = cxl_start(BACKENDS);
    g_autofree char *said = NULL, *stream = NULL;
    State state;
    QDict *info;

    plug(qts, NULL, NULL, NULL);
    state_save(&state, qts);
    unplug(qts);
    plug(qts, "sn", "18", NULL);
    said = qtest_hmp(qts, "loadvm here");
    g_assert_nonnull(strstr(said, "property 'sn'"));
    info = qtest_qmp_assert_success_ref(qts, "{'execute': 'query-status'}");
    g_assert_cmpstr(qdict_get_str(info, "status"), ==, "paused");
    qobject_unref(info);
    state_free(&state);
    stream = cxl_save(qts, 0);
    unlink(stream);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) qtest_add_func("/cxl/state-same/" #f, f)
    T(a_difference_is_refused_by_name);
    T(what_is_in_force_counts);
    T(a_port_has_its_properties);
    T(a_link_has_its_target);
    T(a_switch_goes_and_its_mailbox_is_saved);
    T(a_machine_migrates_after_a_refusal);
    return g_test_run();
}
