/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The monitor's commands that inject something: what all of them have in
 * common, and every number they map a name to (CXL r3.2 8.2.4.17)
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "hw/cxl/cxl_component.h"
#include "hw/pci/pci_regs.h"
#include "qobject/qdict.h"
#include "cxl-qtest.h"

#define LINE            64
#define AER             0x200
/* Errors that wait to be read, at most */
#define RAS_MAX         1024
/* Entries of the poison list, and records of an event log */
#define POISON_MAX      256
#define LOG_RECORDS     8

#define NO_PATH         "Unable to resolve path"
#define NO_TYPE3        "Path does not point to a CXL type 3 device"

#define MEDIA_EVENT     "'log': 'fatal', 'flags': 3, 'dpa': 64, " \
                        "'descriptor': 1, 'type': 0, 'transaction-type': 1"

static const struct {
    const char *command, *arguments;
} commands[] = {
    { "cxl-inject-general-media-event", MEDIA_EVENT },
    { "cxl-inject-dram-event", MEDIA_EVENT },
    { "cxl-inject-memory-module-event",
      "'log': 'warning', 'flags': 1, 'type': 0, 'health-status': 0, "
      "'media-status': 0, 'additional-status': 0, 'life-used': 1, "
      "'temperature': 20, 'dirty-shutdown-count': 0, "
      "'corrected-volatile-error-count': 0, "
      "'corrected-persistent-error-count': 0" },
    { "cxl-inject-poison", "'start': 4096, 'length': 64" },
    { "cxl-inject-uncorrectable-errors",
      "'errors': [ { 'type': 'internal', 'header': [ 1 ] } ]" },
    { "cxl-inject-correctable-error", "'type': 'physical'" },
    { "cxl-add-dynamic-capacity",
      "'host-id': 0, 'selection-policy': 'prescriptive', 'region': 0, "
      "'extents': [ { 'offset': 0, 'len': 2097152 } ]" },
    { "cxl-release-dynamic-capacity",
      "'host-id': 0, 'removal-policy': 'prescriptive', 'region': 0, "
      "'forced-removal': true, "
      "'extents': [ { 'offset': 0, 'len': 2097152 } ]" },
    { "query-cxl-dynamic-capacity", "'start': 0" },
};

/* @want: NULL for success, or how the error begins; details may follow */
static void expect(QTestState *qts, const char *command, const char *path,
                   const char *arguments, const char *want)
{
    g_autofree char *text = g_strdup_printf(
        "{'execute': '%s', 'arguments': { 'path': '%s', %s } }", command, path,
        arguments);
    QDict *rsp = qtest_qmp(qts, text, NULL);
    const QDict *error = qdict_get_qdict(rsp, "error");

    g_test_message("%s of %s", command, path);
    if (!want || !error ||
        !g_str_has_prefix(qdict_get_str(error, "desc"), want)) {
        g_assert_cmpstr(error ? qdict_get_str(error, "desc") : NULL, ==, want);
    }
    qobject_unref(rsp);
}

static void every_command_wants_a_memory_device(CxlDev *dev)
{
    QTestState *qts = dev->qts;
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(commands); i++) {
        const char *name = commands[i].command;
        const char *arguments = commands[i].arguments;

        expect(qts, name, "nothing", arguments, NO_PATH);
        expect(qts, name, "", arguments, NO_TYPE3);
        expect(qts, name, "/machine/peripheral/cxl.0", arguments, NO_TYPE3);
        /* a port has RAS registers, and that is all */
        expect(qts, name, "/machine/peripheral/rp0", arguments,
               strstr(name, "correctable") ? NULL : NO_TYPE3);
        expect(qts, name, "cxl-mem0", arguments, NULL);
        expect(qts, name, "/machine/peripheral/cxl-mem0", arguments,
               g_str_equal(name, "cxl-inject-poison") ?
               "Overlap with existing poisoned region not supported" :
               g_str_equal(name, "cxl-add-dynamic-capacity") ?
               "cannot add DPA again while still pending" : NULL);
        cxl_alive(dev);
    }
}

/* The monitor's reader sees what is wrong, not thousands of characters of it */
static void errors_repeat_little_of_a_long_text(CxlDev *dev)
{
    g_autofree char *text = g_strnfill(10000, 'x');
    static const struct { const char *command, *arguments; } tags[] = {
        { "cxl-add-dynamic-capacity", "'host-id': 0, 'region': 0, "
          "'selection-policy': 'free', 'length': 2097152" },
        { "cxl-release-dynamic-capacity", "'host-id': 0, "
          "'removal-policy': 'tag-based'" },
    };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(commands) + ARRAY_SIZE(tags); i++) {
        unsigned tag = i - ARRAY_SIZE(commands);
        g_autofree char *json = i < ARRAY_SIZE(commands) ?
            g_strdup_printf("{'execute': '%s', 'arguments': { 'path': '%s', "
                            "%s } }", commands[i].command, text,
                            commands[i].arguments) :
            g_strdup_printf("{'execute': '%s', 'arguments': { 'tag': '%s', "
                            "%s } }", tags[tag].command, text,
                            tags[tag].arguments);
        QDict *rsp;
        const char *desc;

        qtest_qmp_send_raw(dev->qts, "%s", json);
        rsp = qtest_qmp_receive(dev->qts);
        desc = qdict_get_str(qdict_get_qdict(rsp, "error"), "desc");
        g_assert_nonnull(strstr(desc, "'xxx"));
        g_assert_nonnull(strstr(desc, "xxx'"));
        g_assert_cmpuint(strlen(desc), <, 256);
        qobject_unref(rsp);
    }
}

#define GM(more)    "cxl-inject-general-media-event", MEDIA_EVENT ", " more
#define DRAM(more)  "cxl-inject-dram-event", MEDIA_EVENT ", " more
#define HEADER      "'log': 'fatal', 'descriptor': 1, 'type': 0, " \
                    "'transaction-type': 1, "
#define SIXTEEN     "0123456789abcdef"

static void records_take_what_fits_and_nothing_else(CxlDev *dev)
{
    static const struct {
        const char *command, *arguments, *error;
    } row[] = {
        { GM("'device': 16777216"),
          "argument 'device' is 0x1000000, but its field has 24 bits" },
        { GM("'cme-count': 4294967295"),
          "argument 'cme-count' is 0xffffffff, but its field has 24 bits" },
        { GM("'component-id': '" SIXTEEN "g'"), "argument 'component-id' is '"
          SIXTEEN "g' of 17 bytes, but its field has 16" },
        { DRAM("'nibble-mask': 16777216"),
          "argument 'nibble-mask' is 0x1000000, but its field has 24 bits" },
        { DRAM("'row': 16777216"),
          "argument 'row' is 0x1000000, but its field has 24 bits" },
        { DRAM("'cvme-count': 16777216"),
          "argument 'cvme-count' is 0x1000000, but its field has 24 bits" },
        { DRAM("'correction-mask': [ 1, 2, 3, 4, 5 ]"),
          "argument 'correction-mask' has 5 masks, but its field has room for "
          "4" },
        { "cxl-inject-dram-event", HEADER "'flags': 16777216, 'dpa': 0",
          "argument 'flags' is 0x1000000, but its field has 24 bits" },
        { "cxl-inject-dram-event",
          HEADER "'flags': 0, 'dpa': 18446744073709551615",
          "argument 'dpa' is 0xffffffffffffffff, but the addresses of the "
          "device end at 0x30000000" },
        { "cxl-inject-general-media-event",
          HEADER "'flags': 8, 'dpa': 805306368",
          "argument 'dpa' is 0x30000000, but the addresses of the device end "
          "at 0x30000000" },
        { "cxl-inject-memory-module-event",
          "'log': 'fatal', 'flags': 4294967295, 'type': 0, "
          "'health-status': 0, 'media-status': 0, 'additional-status': 0, "
          "'life-used': 1, 'temperature': 20, 'dirty-shutdown-count': 0, "
          "'corrected-volatile-error-count': 0, "
          "'corrected-persistent-error-count': 0",
          "argument 'flags' is 0xffffffff, but its field has 24 bits" },
    }, fits[] = {
        { GM("'device': 16777215, 'cme-count': 16777215") },
        { DRAM("'nibble-mask': 16777215, 'row': 16777215, "
               "'cvme-count': 16777215, 'column': 65535, "
               "'component-id': '" SIXTEEN "', "
               "'correction-mask': [ 1, 2, 3, 4 ]") },
        { "cxl-inject-dram-event",
          HEADER "'flags': 16777215, 'dpa': 805306367" },
    };
    CxlReq r;
    CxlRsp rsp;
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(row); i++) {
        expect(dev->qts, row[i].command, "cxl-mem0", row[i].arguments,
               row[i].error);
    }
    r = cxl_req(0x0100, 3);
    g_assert_cmphex(cxl_cmd(dev, 0x0100, &r, &rsp), ==, 0);
    g_assert_cmpuint(lduw_le_p(rsp.data + 0x14), ==, 0);
    g_assert_cmphex(rsp.data[0], ==, 0);
    for (i = 0; i < ARRAY_SIZE(fits); i++) {
        expect(dev->qts, fits[i].command, "cxl-mem0", fits[i].arguments, NULL);
    }
    g_assert_cmphex(cxl_cmd(dev, 0x0100, &r, &rsp), ==, 0);
    g_assert_cmpuint(lduw_le_p(rsp.data + 0x14), ==, ARRAY_SIZE(fits));
}

/* Record of the log of failures that is the only one; leaves the log empty */
static void take_record(CxlDev *dev, uint8_t rec[0x80])
{
    CxlRsp rsp;

    g_assert_cmphex(cxl_run(dev, &rsp, 0x0100, 2), ==, 0);
    g_assert_cmpuint(lduw_le_p(rsp.data + 0x14), ==, 1);
    memcpy(rec, rsp.data + 0x20, 0x80);
    /* handle and time are the device's */
    memset(rec + 0x14, 0, 2);
    memset(rec + 0x18, 0, 8);
    g_assert_cmpuint(drain_log(dev, 2), ==, 1);
}

/* CXL r3.2 Tables 8-55, 8-57 to 8-59: a field, its bit, and nothing else */
static void each_argument_has_its_field(void)
{
#define PART "'log': 'failure', 'flags': 3, "
#define MEDIUM PART "'dpa': 64, 'descriptor': 1, 'type': 0, " \
               "'transaction-type': 0"
    static const struct {
        const char *command, *arguments;
        uint8_t validity;
    } kinds[] = {
        { "cxl-inject-general-media-event", MEDIUM, 0x3b },
        { "cxl-inject-dram-event", MEDIUM, 0x3b },
        { "cxl-inject-memory-module-event", PART "'type': 0, "
          "'health-status': 0, 'media-status': 0, 'additional-status': 0, "
          "'life-used': 0, 'temperature': 0, 'dirty-shutdown-count': 0, "
          "'corrected-volatile-error-count': 0, "
          "'corrected-persistent-error-count': 0", 0x43 },
    };
    enum { GENERAL, DRAM_KIND, MODULE, KINDS };
    /* @flag, @valid, @descriptor: bits that the argument adds */
    static const struct {
        const char *argument, *bytes;
        uint8_t kinds;
        uint8_t at[KINDS];
        uint8_t len;
        uint32_t flag;
        uint16_t valid[KINDS];
        uint8_t descriptor;
    } rows[] = {
        { "'maint-op-class': 255", "\xff", 7, { 0x20, 0x20, 0x20 }, 1 },
        { "'maint-op-subclass': 129", "\x81", 7, { 0x21, 0x21, 0x21 }, 1,
          1 << 6 },
        { "'ld-id': 4660", "\x34\x12", 7, { 0x22, 0x22, 0x22 }, 2, 1 << 7 },
        { "'head-id': 130", "\x82", 7, { 0x24, 0x24, 0x24 }, 1, 1 << 8 },
        { "'component-id': '" SIXTEEN "'", SIXTEEN, 7, { 0x42, 0x69, 0x45 },
          16, 0, { 1 << 3, 1 << 8, 1 << 0 } },
        { "'component-id': 'abc', 'is-comp-id-pldm': true", "abc", 7,
          { 0x42, 0x69, 0x45 }, 3, 0, { 3 << 3, 3 << 8, 3 << 0 } },
        { "'component-id': 'abc', 'is-comp-id-pldm': false", "abc", 7,
          { 0x42, 0x69, 0x45 }, 3, 0, { 1 << 3, 1 << 8, 1 << 0 } },
        { "'is-comp-id-pldm': true", "", 7, { 0 }, 0 },
        { "'sub-type': 131", "\x83", 7, { 0x56, 0x7e, 0x55 }, 1 },

        { "'channel': 132", "\x84", 3, { 0x3d, 0x3d }, 1, 0, { 1, 1 } },
        { "'rank': 133", "\x85", 3, { 0x3e, 0x3e }, 1, 0, { 2, 2 } },
        { "'cme-ev-flags': 134", "\x86", 3, { 0x52, 0x7a }, 1 },
        { "'device': 8479617", "\x81\x63\x81", 1, { 0x3f }, 3, 0, { 1 << 2 } },
        { "'cme-count': 8479617", "\x81\x63\x81", 1, { 0x53 }, 3, 0, { 0 },
          2 },

        { "'nibble-mask': 8479617", "\x81\x63\x81", 2, { 0, 0x3f }, 3, 0,
          { 0, 1 << 2 } },
        { "'bank-group': 135", "\x87", 2, { 0, 0x42 }, 1, 0, { 0, 1 << 3 } },
        { "'bank': 136", "\x88", 2, { 0, 0x43 }, 1, 0, { 0, 1 << 4 } },
        { "'row': 8479617", "\x81\x63\x81", 2, { 0, 0x44 }, 3, 0,
          { 0, 1 << 5 } },
        { "'column': 4660", "\x34\x12", 2, { 0, 0x47 }, 2, 0,
          { 0, 1 << 6 } },
        { "'correction-mask': [ 1, 2, 3, 9259542123273814144 ]",
          "\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0"
          "\x80\x80\x80\x80\x80\x80\x80\x80", 2, { 0, 0x49 }, 32, 0,
          { 0, 1 << 7 } },
        { "'sub-channel': 137", "\x89", 2, { 0, 0x79 }, 1, 0,
          { 0, 1 << 10 } },
        { "'cvme-count': 8479617", "\x81\x63\x81", 2, { 0, 0x7b }, 3, 0,
          { 0 }, 2 },
    };
    CxlDev dev;
    QTestState *qts = cxl_start_dcd(&dev, "");
    unsigned i, k;

    for (k = 0; k < KINDS; k++) {
        uint8_t plain[0x80];

        expect(qts, kinds[k].command, "cxl-mem0", kinds[k].arguments, NULL);
        take_record(&dev, plain);
        for (i = 0; i < ARRAY_SIZE(rows); i++) {
            g_autofree char *arguments = g_strdup_printf(
                "%s, %s", kinds[k].arguments, rows[i].argument);
            uint8_t want[0x80], got[0x80];

            if (!(rows[i].kinds & BIT(k))) {
                g_autofree char *error = g_strdup_printf(
                    "Parameter '%.*s' is unexpected",
                    (int)(strchr(rows[i].argument + 1, '\'') -
                          rows[i].argument - 1), rows[i].argument + 1);

                expect(qts, kinds[k].command, "cxl-mem0", arguments, error);
                continue;
            }
            expect(qts, kinds[k].command, "cxl-mem0", arguments, NULL);
            take_record(&dev, got);
            memcpy(want, plain, sizeof(want));
            memcpy(want + rows[i].at[k], rows[i].bytes, rows[i].len);
            stl_le_p(want + 0x11, ldl_le_p(plain + 0x11) | rows[i].flag);
            stw_le_p(want + kinds[k].validity,
                     lduw_le_p(plain + kinds[k].validity) | rows[i].valid[k]);
            want[0x38] |= rows[i].descriptor;
            g_assert_cmpmem(got, sizeof(got), want, sizeof(want));
        }
    }
    qtest_quit(qts);
#undef MEDIUM
#undef PART
}

static uint32_t ras(CxlDev *dev, unsigned offset)
{
    return qtest_readl(dev->qts, dev->bar[0] + CXL_CACHEMEM_OFFSET + offset);
}

static void ras_write(CxlDev *dev, unsigned offset, uint32_t value)
{
    qtest_writel(dev->qts, dev->bar[0] + CXL_CACHEMEM_OFFSET + offset, value);
}

static void every_error_has_its_bit(CxlDev *dev)
{
    static const struct {
        const char *name;
        unsigned bit;
    } uncorrectable[] = {
        { "cache-data-parity", 0 }, { "cache-address-parity", 1 },
        { "cache-be-parity", 2 }, { "cache-data-ecc", 3 },
        { "mem-data-parity", 4 }, { "mem-address-parity", 5 },
        { "mem-be-parity", 6 }, { "mem-data-ecc", 7 },
        { "reinit-threshold", 8 }, { "rsvd-encoding", 9 },
        { "poison-received", 10 }, { "receiver-overflow", 11 },
        { "internal", 14 }, { "cxl-ide-tx", 15 }, { "cxl-ide-rx", 16 },
    }, correctable[] = {
        { "cache-data-ecc", 0 }, { "mem-data-ecc", 1 }, { "crc-threshold", 2 },
        { "retry-threshold", 3 }, { "cache-poison-received", 4 },
        { "mem-poison-received", 5 }, { "physical", 6 },
    };
    unsigned i;

    ras_write(dev, CXL_RAS_UNC_MASK, 0);
    ras_write(dev, CXL_RAS_COR_MASK, 0);
    for (i = 0; i < ARRAY_SIZE(uncorrectable); i++) {
        qtest_qmp_assert_success(dev->qts,
            "{'execute': 'cxl-inject-uncorrectable-errors', 'arguments': {"
            " 'path': 'cxl-mem0', 'errors': ["
            " { 'type': %s, 'header': [] } ] } }", uncorrectable[i].name);
        g_assert_cmphex(ras(dev, CXL_RAS_UNC_STATUS), ==, 1u <<
                        uncorrectable[i].bit);
        ras_write(dev, CXL_RAS_UNC_STATUS, 1u << uncorrectable[i].bit);
    }
    for (i = 0; i < ARRAY_SIZE(correctable); i++) {
        qtest_qmp_assert_success(dev->qts,
            "{'execute': 'cxl-inject-correctable-error', 'arguments': {"
            " 'path': 'cxl-mem0', 'type': %s } }", correctable[i].name);
        g_assert_cmphex(ras(dev, CXL_RAS_COR_STATUS), ==, 1u <<
                        correctable[i].bit);
        ras_write(dev, CXL_RAS_COR_STATUS, 1u << correctable[i].bit);
    }
}

/* @aer: the mask of AER hides it; @ras: so many are hidden by that of RAS */
static void expect_masked(QTestState *qts, const char *json, unsigned ras,
                          bool aer)
{
    QDict *answer = qtest_qmp_assert_success_ref(qts, json, NULL);

    /* nothing is set up on the way to the root port, see cxl-ras-test.c */
    g_assert_cmpuint(qdict_size(answer), ==, !!ras + aer + 1);
    g_assert_nonnull(qdict_get_qlist(answer, "stops"));
    g_assert_cmpint(qdict_get_try_int(answer, "ras-masked", 0), ==, ras);
    g_assert_true(qdict_get_try_bool(answer, "aer-masked", false) == aer);
    qobject_unref(answer);
}

static void masks_that_hide_an_error_are_told(CxlDev *dev)
{
    QTestState *qts = dev->qts;
    const char *two = "{'execute': 'cxl-inject-uncorrectable-errors', "
        "'arguments': { 'errors': [ { 'type': 'mem-data-ecc', 'header': [] }, "
        "{ 'type': 'internal', 'header': [] } ] } }";
    const char *corrected = "{'execute': 'cxl-inject-correctable-error', "
        "'arguments': { 'type': 'mem-data-ecc' } }";

    expect_masked(qts, two, 2, true);
    expect_masked(qts, corrected, 1, true);
    g_assert_cmphex(ras(dev, CXL_RAS_UNC_STATUS), ==, 0);
    g_assert_cmphex(ras(dev, CXL_RAS_COR_STATUS), ==, 0);

    /* one of the two */
    ras_write(dev, CXL_RAS_UNC_MASK, 1 << 14);
    ras_write(dev, CXL_RAS_COR_MASK, 0);
    expect_masked(qts, two, 1, true);
    expect_masked(qts, corrected, 0, true);
    g_assert_cmphex(ras(dev, CXL_RAS_UNC_STATUS), ==, 1 << 7);

    /* cxl-commands.rst: with setpci, and of RAS at 1084h and 1090h of BAR0 */
    cfg_writel(dev, AER + 0x08, cfg_readl(dev, AER + 0x08) & ~0x400000);
    cfg_writel(dev, AER + 0x14, cfg_readl(dev, AER + 0x14) & ~0x4000);
    expect_masked(qts, two, 1, false);
    expect_masked(qts, corrected, 0, false);
    qtest_writel(qts, dev->bar[0] + 0x1084, 0);
    qtest_writel(qts, dev->bar[0] + 0x1090, 0);
    expect_masked(qts, two, 0, false);
    expect_masked(qts, corrected, 0, false);
}

/* A header log has 16 words, and a caller may give what older ones had */
static void header_log_is_bounded(CxlDev *dev)
{
    GString *words = g_string_new("'errors': [ { 'type': 'internal', "
                                  "'header': [ 1");
    g_autofree char *fits = NULL;
    unsigned i;

    ras_write(dev, CXL_RAS_UNC_MASK, 0);
    for (i = 2; i <= 32; i++) {
        g_string_append_printf(words, ", %u", i);
    }
    fits = g_strdup_printf("%s ] } ]", words->str);
    g_string_append(words, ", 33 ] } ]");
    expect(dev->qts, "cxl-inject-uncorrectable-errors", "cxl-mem0", words->str,
           "Header must be 32 DWORD or less");
    g_assert_cmphex(ras(dev, CXL_RAS_UNC_STATUS), ==, 0);
    expect(dev->qts, "cxl-inject-uncorrectable-errors", "cxl-mem0", fits, NULL);
    for (i = 0; i < 16; i++) {
        g_assert_cmpuint(ras(dev, CXL_RAS_HEADER_LOG + 4 * i), ==, i + 1);
    }
    g_string_free(words, true);
}

/* Whether a mask hides them or not; what waits is not changed by a refusal */
static void errors_in_line_are_bounded(CxlDev *dev)
{
    QTestState *qts = dev->qts;
    static const char one[] = "{ 'type': 'internal', 'header': [ 7 ] }";
    g_autoptr(GString) most = g_string_new("'errors': [ ");
    g_autofree char *fits = NULL, *more = NULL;
    unsigned i;

    for (i = 0; i < RAS_MAX; i++) {
        g_string_append_printf(most, "%s%s", i ? ", " : "", one);
    }
    fits = g_strdup_printf("%s ]", most->str);
    more = g_strdup_printf("%s, %s ]", most->str, one);
    expect(qts, "cxl-inject-uncorrectable-errors", "cxl-mem0", more,
           "argument 'errors' has 1025 errors: give 1 to 1024");
    expect(qts, "cxl-inject-uncorrectable-errors", "cxl-mem0", "'errors': []",
           "argument 'errors' has 0 errors: give 1 to 1024");
    expect(qts, "cxl-inject-uncorrectable-errors", "cxl-mem0", fits, NULL);
    ras_write(dev, CXL_RAS_UNC_MASK, 0);
    g_assert_cmphex(ras(dev, CXL_RAS_UNC_STATUS), ==, 0);

    expect(qts, "cxl-inject-uncorrectable-errors", "cxl-mem0", fits, NULL);
    expect(qts, "cxl-inject-uncorrectable-errors", "cxl-mem0",
           commands[4].arguments,
           "1024 errors are waiting to be read, and 1 more exceed the limit of "
           "1024");
    for (i = 0; i < RAS_MAX; i++) {
        g_assert_cmphex(ras(dev, CXL_RAS_UNC_STATUS), ==, 1 << 14);
        g_assert_cmpuint(ras(dev, CXL_RAS_HEADER_LOG), ==, 7);
        ras_write(dev, CXL_RAS_UNC_STATUS, 1 << 14);
    }
    g_assert_cmphex(ras(dev, CXL_RAS_UNC_STATUS), ==, 0);
}

static void full_log_counts_what_it_loses(CxlDev *dev)
{
    CxlRsp rsp;
    unsigned i;

    for (i = 0; i < LOG_RECORDS + 3; i++) {
        expect(dev->qts, "cxl-inject-dram-event", "cxl-mem0", MEDIA_EVENT,
               NULL);
    }
    g_assert_cmphex(cxl_run(dev, &rsp, 0x0100, 3), ==, 0);
    g_assert_cmpuint(lduw_le_p(rsp.data + 0x14), ==, LOG_RECORDS);
    g_assert_cmphex(rsp.data[0] & 1, ==, 1);
    g_assert_cmpuint(lduw_le_p(rsp.data + 2), ==, 3);
}

static void full_poison_list_takes_more(CxlDev *dev)
{
    CxlRsp rsp;
    unsigned i;

    for (i = 0; i <= POISON_MAX; i++) {
        qtest_qmp_assert_success(dev->qts,
            "{'execute': 'cxl-inject-poison', 'arguments': {"
            " 'path': 'cxl-mem0', 'start': %u, 'length': 64 } }",
            2 * i * LINE);
    }
    g_assert_cmphex(cxl_run(dev, &rsp, 0x4300, 0, CXL_STATIC / LINE), ==, 0);
    /* overflow, and when it came */
    g_assert_cmphex(rsp.data[0] & 2, ==, 2);
    cxl_alive(dev);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) qtest_add_func("/cxl/inject/" #f, f)
#define DCD(f) cxl_add_dcd_test("/cxl/inject/" #f, f, "")
    DCD(every_command_wants_a_memory_device);
    DCD(errors_repeat_little_of_a_long_text);
    DCD(records_take_what_fits_and_nothing_else);
    T(each_argument_has_its_field);
    DCD(every_error_has_its_bit);
    DCD(masks_that_hide_an_error_are_told);
    DCD(header_log_is_bounded);
    DCD(errors_in_line_are_bounded);
    DCD(full_log_counts_what_it_loses);
    DCD(full_poison_list_takes_more);
    return g_test_run();
}
