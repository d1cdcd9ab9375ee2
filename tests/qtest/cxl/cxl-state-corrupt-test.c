/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * State that nobody saved: counts, codes and bytes changed, the end missing.
 * It is refused or harmless, and the machine goes on, saves, resets, unplugs
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "hw/cxl/cxl_component.h"
#include "hw/pci/pci.h"
#include "qobject/qdict.h"
#include "cxl-qtest-fault.h"
#include "cxl-qtest-state.h"

/* Values that the stream has in one place only */
#define POISON_DPA      0x01230040ull
#define OP_DPA          0x02340080ull
#define HEADER_WORD     0xa1b2c3d4u
#define DOE_WORD        0xfeedbeefu
#define FAULT           "interrupt-lost"
#define DOE_CFG         0x190
#define DOE_CTRL        (DOE_CFG + 0x08)
#define DOE_WRITE       (DOE_CFG + 0x10)
#define DOE_READ        (DOE_CFG + 0x14)
#define DOE_GO          (1u << 31)

#define MACHINE STATE_RAM("128M") \
    STATE_MEMORY("vm0", "256M") \
    STATE_MEMORY("pm0", "512M") \
    STATE_MEMORY("lsa0", "64K") \
    STATE_MEMORY("dc0", "512M") \
    STATE_MEMORY("vm1", "256M") \
    "-device cxl-type3,bus=rp0,id=cxl-mem0,volatile-memdev=vm0," \
    "persistent-memdev=pm0,lsa=lsa0,volatile-dc-memdev=dc0," \
    "num-dc-regions=2,dc1-sharable=on,partitionable=on " \
    "-device cxl-upstream,id=us0,bus=rp1,addr=0.0,multifunction=on,port=7 " \
    "-device cxl-switch-mailbox-cci,id=sw0,bus=rp1,addr=0.1,target=us0 " \
    "-device cxl-downstream,id=ds0,bus=us0,port=3,chassis=0,slot=4 " \
    "-device cxl-type3,bus=ds0,id=cxl-mem1,volatile-memdev=vm1 " \
    "-device dw-i2c-pci,id=dw,bus=pcie.0,addr=05.0 " \
    "-device i2c_mctp_cxl,id=ep0,bus=dw.0,address=0x21,target=cxl-mem0 " \
    "-chardev null,id=fm " \
    "-device mctp-serial-cxl,id=line0,chardev=fm,target=us0 " \
    "-device qemu-xhci,id=xhci,bus=pcie.0,addr=06.0 " \
    "-device usb-cxl-mctp,id=usb0,bus=xhci.0,port=1,target=us0 "
#define DC_BASE         (256 * MiB + 512 * MiB)

static const uint8_t dram_uuid[16] = {
    0x60, 0x1d, 0xcb, 0xb3, 0x9c, 0x06, 0x4e, 0xab,
    0xb8, 0xaf, 0x4e, 0x9b, 0xfb, 0x5c, 0x96, 0x24,
};

/* -- state with everything in it ----------------------------------------- */

static void fill_doe(CxlDev *dev)
{
    /* an answer to be read: discovery of protocol 0 */
    cfg_writel(dev, DOE_WRITE, 0x00000001);
    cfg_writel(dev, DOE_WRITE, 3);
    cfg_writel(dev, DOE_WRITE, 0);
    cfg_writel(dev, DOE_CTRL, DOE_GO);
    /* and the begin of the next request */
    cfg_writel(dev, DOE_WRITE, DOE_WORD);
    cfg_writel(dev, DOE_WRITE, 9);
}

static void fill_registers(CxlDev *dev)
{
    cxl_map(dev, 256 * MiB);
    qtest_writel(dev->qts, dev->bar[0] + CXL_CACHEMEM_OFFSET +
                 CXL_RAS_UNC_MASK, 0);
    qtest_qmp_assert_success(dev->qts,
        "{'execute': 'cxl-inject-uncorrectable-errors', 'arguments': {"
        " 'path': 'cxl-mem0', 'errors': ["
        " { 'type': 'internal', 'header': [ 1 ] },"
        " { 'type': 'poison-received', 'header': [ %u ] } ] } }",
        HEADER_WORD);
}

/* Faults that change nothing that this test depends on, if they act */
static void fill_faults(QTestState *qts)
{
    fault_arm(qts, "cxl-mem0", FAULT, "'vector': 5, 'when': 'every-nth'");
    fault_arm(qts, "cxl-mem0", "event-lost", "'log': 3, 'count': 0");
    fault_arm(qts, "cxl-mem0", "dc-tag", "'when': 'probably', 'seed': 7");
    fault_arm(qts, "rp1", "hdm-commit-hangs", "");
    fault_arm(qts, "sw0", "answer-late", "'opcode': 1, 'delay': 1000");
    fault_arm(qts, "ep0", "frame-pec", "");
    fault_arm(qts, "line0", "packet-late", "");
    fault_arm(qts, "usb0", "transfer-short", "");
}

static void fill(CxlDev *dev)
{
    const CxlExtent held = { DC_BASE, CXL_BLOCK, 1 };
    CxlReq op;

    qtest_qmp_assert_success(dev->qts,
        "{'execute': 'cxl-inject-poison', 'arguments': {'path': 'cxl-mem0',"
        " 'start': %" PRIu64 ", 'length': 64}}", (uint64_t)POISON_DPA);
    qtest_qmp_assert_success(dev->qts,
        "{'execute': 'cxl-inject-poison', 'arguments': {'path': 'cxl-mem0',"
        " 'start': %" PRIu64 ", 'length': 128}}", (uint64_t)POISON_DPA + 4096);
    qtest_qmp_assert_success(dev->qts,
        "{'execute': 'cxl-inject-dram-event', 'arguments': {"
        " 'path': 'cxl-mem0', 'log': 'failure', 'flags': 1, 'dpa': 4096,"
        " 'descriptor': 3, 'type': 3, 'transaction-type': 1}}");
    cxl_hold(dev, &held, 1);
    g_assert_cmphex(fm_add(dev, ADD_CONTIGUOUS, 0, CXL_BLOCK, 2), ==, 0);
    fill_registers(dev);
    fill_doe(dev);
    fill_faults(dev->qts);
    op = cxl_req(0x4402, 1, 0, 1);
    req64(&op, OP_DPA);
    req64(&op, 64);
    g_assert_cmphex(cxl_cmd(dev, 0x4402, &op, NULL), ==, 1);
}

static void start(CxlDev *dev, State *state)
{
    QTestState *qts = cxl_start(MACHINE);

    cxl_probe(qts, 0, dev);
    fill(dev);
    state_save(state, qts);
}

static void stop(CxlDev *dev, State *state)
{
    state_free(state);
    qtest_quit(dev->qts);
}

/* -- afterwards ---------------------------------------------------------- */

/* Commands that read what streams bring, in lists, rings and tables */
static void read_everything(CxlDev *dev)
{
    static const uint16_t plain[] = {
        0x0002, 0x0003, 0x0102, 0x0200, 0x0300, 0x0400, 0x4000, 0x4100, 0x4200,
        0x4201, 0x4203, 0x4305, 0x4500, 0x4700, 0x5600,
    };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(plain); i++) {
        cxl_cmd(dev, plain[i], NULL, NULL);
    }
    for (i = 0; i < 5; i++) {
        cxl_run(dev, NULL, 0x0100, i);
    }
    cxl_run(dev, NULL, 0x4300, 0, 256 * MiB / 64);
    /* a tag may be any, so nothing is expected of the answer */
    cxl_run(dev, NULL, 0x4801, 256, 0);
    for (i = 0; i < 4; i++) {
        cfg_readl(dev, DOE_READ);
        cfg_writel(dev, DOE_READ, 0);
    }
    cfg_writel(dev, DOE_WRITE, DOE_WORD);
    qtest_readq(dev->qts, cxl_find_region(dev->qts, "cxl-fixed-memory-region"));
    qtest_readl(dev->qts, dev->bar[0] + CXL_CACHEMEM_OFFSET +
                CXL_RAS_UNC_STATUS);
    /* takes the first of the errors that wait, then all of them */
    qtest_writel(dev->qts, dev->bar[0] + CXL_CACHEMEM_OFFSET +
                 CXL_RAS_UNC_STATUS, 1 << 14);
    qtest_writel(dev->qts, dev->bar[0] + CXL_CACHEMEM_OFFSET +
                 CXL_RAS_UNC_STATUS, CXL_RAS_UNC_BITS);
}

/* Everything works, whatever it holds */
static void goes_on(CxlDev *dev)
{
    cxl_probe(dev->qts, 0, dev);
    read_everything(dev);
    qtest_clock_step(dev->qts, 5 * SECOND);
    read_everything(dev);
    state_again(dev->qts);
    cxl_reset(dev);
    cxl_alive(dev);
}

static void unplugs(CxlDev *dev)
{
    qtest_qmp_device_del_send(dev->qts, "cxl-mem0");
    cxl_slot_power(dev->qts, 0, true);
    cxl_slot_power(dev->qts, 0, false);
    qtest_qmp_eventwait(dev->qts, "DEVICE_DELETED");
}

static void refuse(CxlDev *dev, State *state, size_t at, uint32_t value,
                   const char *what)
{
    g_autofree uint8_t *bad = g_memdup2(state->data, state->len);

    stl_be_p(bad + at, value);
    g_test_message("%s: 0x%x", what, value);
    g_assert_false(state_load(state, bad));
    goes_on(dev);
    /* nothing is left of it that the state itself could stumble over */
    g_assert_true(state_load(state, state->data));
    cxl_probe(dev->qts, 0, dev);
}

/* -- tests --------------------------------------------------------------- */

static void a_corrupt_count_is_refused(void)
{
    static const uint32_t wrong[] = { UINT32_MAX, 0x80000000, 0x00ffffff };
    uint8_t dpa[8], word[4];
    State state;
    CxlDev dev;
    unsigned i, k;

    start(&dev, &state);

    struct {
        const char *name;
        size_t at;
    } count[6] = {
        { "poison ranges" }, { "ranges of an operation" }, { "RAS errors" },
        { "event records" }, { "DOE request" }, { "faults" },
    };

    stq_be_p(dpa, POISON_DPA);
    count[0].at = state_find(&state, dpa, 8) - 4;
    stq_be_p(dpa, OP_DPA);
    count[1].at = state_find(&state, dpa, 8) - 4;
    /* the second error, of one byte and a header */
    stl_be_p(word, HEADER_WORD);
    count[2].at = state_find(&state, word, 4) - 1 - 64 - 1 - 4;
    count[3].at = state_find(&state, dram_uuid, sizeof(dram_uuid)) - 4;
    stl_le_p(word, DOE_WORD);
    count[4].at = state_find(&state, word, 4) - 4;
    count[5].at = state_find(&state, FAULT, sizeof(FAULT)) - 4;
    for (i = 0; i < ARRAY_SIZE(count); i++) {
        uint32_t n = ldl_be_p(state.data + count[i].at);

        g_assert_cmpuint(n, >=, 1);
        g_assert_cmpuint(n, <=, 3);
        for (k = 0; k < ARRAY_SIZE(wrong); k++) {
            refuse(&dev, &state, count[i].at, wrong[k], count[i].name);
        }
        refuse(&dev, &state, count[i].at, n + 1, count[i].name);
        refuse(&dev, &state, count[i].at, n - 1, count[i].name);
    }
    unplugs(&dev);
    stop(&dev, &state);
}

/* Where a port or device has byte @reg of its configuration space */
static size_t config_byte(const State *state, const char *what,
                          unsigned reg)
{
    static const struct {
        const char *what;
        uint8_t id[4];
    } port[] = {
        { "cxl-rp", { 0x86, 0x80, 0x75, 0x70 } },
        { "cxl-downstream", { 0xe5, 0x19, 0x29, 0xa1 } },
    };
    g_autoptr(GArray) s = state_sections(state, what);
    const StateSection *device = &g_array_index(s, StateSection, 0);

    g_assert_cmpuint(s->len, >=, 1);
    for (unsigned i = 0; i < ARRAY_SIZE(port); i++) {
        if (!strcmp(port[i].what, what)) {
            /* behind the properties */
            const uint8_t *id = memmem(state->data + device->start,
                                       device->end - device->start,
                                       port[i].id, sizeof(port[i].id));

            g_assert_nonnull(id);
            return id - state->data + reg;
        }
    }
    /* behind the version */
    return device->start + 4 + reg;
}

static void refuse_byte(CxlDev *dev, State *state, size_t at,
                        uint8_t value, const char *what)
{
    uint32_t word = ldl_be_p(state->data + at);

    refuse(dev, state, at, deposit32(word, 24, 8, value), what);
}

static void a_corrupt_interrupt_pin_is_refused(void)
{
    State state;
    CxlDev dev;

    start(&dev, &state);
    refuse_byte(&dev, &state, config_byte(&state, "cxl-rp", PCI_INTERRUPT_PIN),
                9, "root port");
    refuse_byte(&dev, &state, config_byte(&state, "cxl-downstream",
                                         PCI_INTERRUPT_PIN), 9,
                "downstream port");
    refuse_byte(&dev, &state, config_byte(&state, "dw-i2c-pci",
                                         PCI_INTERRUPT_PIN), 9, "I2C");
    stop(&dev, &state);
}

/* The bus counts lines by what its functions say of them */
static void a_line_that_there_is_not_is_refused(void)
{
    const unsigned line_b = 1;
    State state;
    CxlDev dev;

    start(&dev, &state);
    refuse(&dev, &state, config_byte(&state, "cxl-rp", PCIE_CONFIG_SPACE_SIZE +
                                     4 * line_b), 1, "root port");
    refuse(&dev, &state, config_byte(&state, "dw-i2c-pci",
                                     PCI_CONFIG_SPACE_SIZE + 4 * line_b), 1,
           "I2C");
    stop(&dev, &state);
}

/* Registers of the device's first decoder, from its base on */
static size_t decoder_at(const State *state, uint64_t base)
{
    g_autoptr(GArray) s = state_sections(state, "cxl-type3");
    const StateSection *device = &g_array_index(s, StateSection, 0);
    uint8_t pattern[16];
    const uint8_t *at;

    stl_be_p(pattern, base);
    stl_be_p(pattern + 4, base >> 32);
    stl_be_p(pattern + 8, 256 * MiB);
    stl_be_p(pattern + 12, 0);
    at = memmem(state->data + device->start, device->end - device->start,
                pattern, sizeof(pattern));
    g_assert_nonnull(at);
    return at - state->data;
}

static void a_corrupt_decoder_is_refused(void)
{
    const uint32_t good = 1 << 12 | 1 << 10 | 1 << 9;
    static const struct {
        const char *name;
        unsigned offset;
        uint32_t value;
    } wrong[] = {
        { "ways 5", 16, 1 << 10 | 1 << 9 | 5 << 4 },
        { "ways 15", 16, 1 << 10 | 1 << 9 | 15 << 4 },
        { "granularity 7", 16, 1 << 10 | 1 << 9 | 7 },
        { "committed, not asked for", 16, 1 << 10 },
        { "committed and wrong", 16, 1 << 11 | 1 << 10 | 1 << 9 },
        { "base in the middle of 256 MiB", 0, 0x1000 },
        /* before the first decoder: capability, which has four */
        { "more decoders", -0x10, 0xf },
    };
    State state;
    CxlDev dev;
    size_t at;
    unsigned i;

    start(&dev, &state);
    at = decoder_at(&state, cxl_find_region(dev.qts,
                                             "cxl-fixed-memory-region"));
    g_assert_cmphex(ldl_be_p(state.data + at + 16), ==, good);
    for (i = 0; i < ARRAY_SIZE(wrong); i++) {
        refuse(&dev, &state, at + (int)wrong[i].offset, wrong[i].value,
               wrong[i].name);
    }
    stop(&dev, &state);
}

/* What differs from its neighbours, and the ends of what does not */
static bool is_worth_it(const State *state, const StateSection *s,
                        size_t at)
{
    const uint8_t *b = state->data;

    return at < s->start + 8 || at + 8 >= s->end || b[at] != b[at - 8] ||
           b[at] != b[at + 8] || g_test_rand_int_range(0, 64) == 0;
}

static void no_byte_brings_the_machine_down(void)
{
    static const char *const ours[] = {
        "cxl-type3", "cxl-rp", "cxl-switch", "cxl-upstream", "cxl-downstream",
        "cxl-component", "dw-i2c", "i2c_mctp_cxl", "mctp-serial-cxl",
        "usb-cxl-mctp",
    };
    const unsigned each = g_test_thorough() ? UINT_MAX : 40;
    unsigned i, k, loads = 0, refused = 0;
    State state;
    CxlDev dev;

    start(&dev, &state);
    for (i = 0; i < ARRAY_SIZE(ours); i++) {
        g_autoptr(GArray) found = state_sections(&state, ours[i]);

        g_assert_cmpuint(found->len, >=, 1);
        for (k = 0; k < found->len; k++) {
            const StateSection *s = &g_array_index(found, StateSection, k);
            g_autoptr(GArray) sites = g_array_new(false, false,
                                                  sizeof(size_t));

            for (size_t at = s->start; at < s->end; at++) {
                if (is_worth_it(&state, s, at)) {
                    g_array_append_val(sites, at);
                }
            }
            for (unsigned n = 0; n < each && sites->len; n++) {
                unsigned pick = g_test_rand_int_range(0, sites->len);
                size_t at = g_array_index(sites, size_t, pick);
                static const uint8_t flip[] = { 0xff, 0x80, 0x01 };

                g_array_remove_index_fast(sites, pick);
                state.data[at] ^= flip[n % 3];
                refused += !state_load(&state, state.data);
                state.data[at] ^= flip[n % 3];
                loads++;
                cxl_probe(dev.qts, 0, &dev);
                if (n % 8 == 0) {
                    g_test_message("%s, byte %zu ^ %02x", s->name,
                                   at - s->start, flip[n % 3]);
                    goes_on(&dev);
                } else {
                    read_everything(&dev);
                }
                if (!state_load(&state, state.data)) {
                    g_error("%s, byte %zu: state is not accepted any more",
                            s->name, at - s->start);
                }
            }
        }
    }
    g_test_message("%u loads, %u refused", loads, refused);
    g_assert_cmpuint(refused, >, 0);
    goes_on(&dev);
    unplugs(&dev);
    stop(&dev, &state);
}

/* Zeroes follow where a state ends early */
static void a_state_that_ends_early_is_refused(void)
{
    static const char *const ours[] = { "cxl", "i2c" };
    State state;
    CxlDev dev;
    unsigned i, k, n;

    start(&dev, &state);
    for (i = 0; i < ARRAY_SIZE(ours); i++) {
        g_autoptr(GArray) found = state_sections(&state, ours[i]);

        for (k = 0; k < found->len; k++) {
            const StateSection *s = &g_array_index(found, StateSection, k);

            for (n = 0; n < 8; n++) {
                g_autofree uint8_t *bad = g_malloc0(state.len);

                size_t end = g_test_rand_int_range(s->start, s->end);

                memcpy(bad, state.data, end);
                g_assert_false(state_load(&state, bad));
                cxl_probe(dev.qts, 0, &dev);
                if (n) {
                    read_everything(&dev);
                } else {
                    goes_on(&dev);
                }
                if (!state_load(&state, state.data)) {
                    g_error("%s, end at %zu: state is not accepted any more: "
                            "%s", s->name, end - s->start, state.said);
                }
            }
        }
    }
    stop(&dev, &state);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) qtest_add_func("/cxl/state-corrupt/" #f, f)
    T(a_corrupt_count_is_refused);
    T(a_corrupt_interrupt_pin_is_refused);
    T(a_line_that_there_is_not_is_refused);
    T(a_corrupt_decoder_is_refused);
    T(no_byte_brings_the_machine_down);
    T(a_state_that_ends_early_is_refused);
    return g_test_run();
}
