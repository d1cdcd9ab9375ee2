/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Host bridges, ports and windows without any memory device: registers,
 * decoders, misses, reset, machine properties, migration.
 */
#include "qemu/osdep.h"
#include "qemu/units.h"
#include "hw/pci/pci_regs.h"
#include "hw/cxl/cxl_hdm.h"
#include "cxl-qtest.h"

#define MACHINE "-machine q35,cxl=on,cxl-fmw.0.targets.0=hb0,cxl-fmw.0.size=1G"\
                " -m 128M -nodefaults -display none " \
                "-device pxb-cxl,id=hb0,bus=pcie.0,bus_nr=52 "
#define TWO_PORTS \
    "-device cxl-rp,id=rp0,bus=hb0,port=0,chassis=0,slot=0,addr=0.0 " \
    "-device cxl-rp,id=rp1,bus=hb0,port=1,chassis=0,slot=1,addr=1.0 "
#define SWITCH \
    "-device cxl-upstream,id=us0,bus=rp0,addr=0.0 " \
    "-device cxl-downstream,id=ds0,bus=us0,port=0,chassis=0,slot=4,addr=0.0 "

/* Where the machine puts things: nothing else lies above 4 GiB */
#define HOST_REGS       (4 * GiB)
#define WINDOW          (4 * GiB + 256 * MiB)
#define CACHEMEM        0x1000

#define RP_BUS          52
#define USP_BUS         53
#define DSP_BUS         54
#define DSP_SEC_BUS     55

/* Below 4 GiB, clear of RAM, ROM and the host bridge's own registers */
#define BRIDGE_MEM      0xc0000000u
#define RP_BAR          0xc8000000u
#define USP_BAR         0xc0000000u
#define DSP_BAR         0xc0100000u
/* In RAM */
#define MESSAGE         0x04000000u

static uint32_t config_address(int bus, int dev, int offset)
{
    return 1u << 31 | bus << 16 | dev << 11 | (offset & 0xfc);
}

static uint32_t config_read(QTestState *s, int bus, int dev, int offset)
{
    qtest_outl(s, 0xcf8, config_address(bus, dev, offset));
    return qtest_inl(s, 0xcfc);
}

static void config_write(QTestState *s, int bus, int dev, int offset,
                         uint32_t value)
{
    qtest_outl(s, 0xcf8, config_address(bus, dev, offset));
    qtest_outl(s, 0xcfc, value);
}

static void bridge_setup(QTestState *s, int bus, int sec, int sub,
                         uint32_t bar, bool forwards)
{
    config_write(s, bus, 0, PCI_PRIMARY_BUS, sub << 16 | sec << 8 | bus);
    config_write(s, bus, 0, PCI_BASE_ADDRESS_0, bar);
    config_write(s, bus, 0, PCI_BASE_ADDRESS_1, 0);
    config_write(s, bus, 0, PCI_MEMORY_BASE,
                 forwards ? 0xc7f0c000 : 0x0000fff0);
    config_write(s, bus, 0, PCI_COMMAND,
                 PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

static uint64_t hdm(uint64_t block, unsigned offset)
{
    return block + CACHEMEM + offset;
}

static uint32_t commit_bits(QTestState *s, uint64_t block, int n)
{
    return qtest_readl(s, hdm(block, CXL_HDM_DECODER(n) + CXL_HDM_CONTROL)) &
           (CXL_HDM_CTRL_COMMITTED | CXL_HDM_CTRL_ERROR);
}

static void commit(QTestState *s, uint64_t block, int n, uint64_t base,
                   uint64_t size, uint32_t targets, uint32_t control)
{
    uint64_t d = hdm(block, CXL_HDM_DECODER(n));

    qtest_writel(s, d + CXL_HDM_BASE_LO, base);
    qtest_writel(s, d + CXL_HDM_BASE_HI, base >> 32);
    qtest_writel(s, d + CXL_HDM_SIZE_LO, size);
    qtest_writel(s, d + CXL_HDM_SIZE_HI, size >> 32);
    qtest_writel(s, d + CXL_HDM_TARGET_LO, targets);
    qtest_writel(s, d + CXL_HDM_CONTROL, control | CXL_HDM_CTRL_COMMIT);
}

static void assert_headers(QTestState *s, uint64_t block, const uint32_t *want)
{
    for (int i = 0; i < 6; i++) {
        g_assert_cmphex(qtest_readl(s, block + CACHEMEM + 4 * i), ==, want[i]);
    }
}

static const uint32_t switch_up_headers[6] = {
    0x03110001, 0x08030002, 0x0d820004, 0x12830005,
};

static void test_host_bridge_registers(void)
{
    QTestState *s = qtest_init(MACHINE TWO_PORTS);

    /* Five capabilities; no RAS */
    g_assert_cmphex(qtest_readl(s, HOST_REGS + CACHEMEM), ==, 0x05110001);
    g_assert_cmphex(qtest_readl(s, HOST_REGS + CACHEMEM + 4), ==, 0);
    g_assert_cmphex(qtest_readl(s, HOST_REGS + CACHEMEM + 12), ==, 0x12830005);
    g_assert_cmphex(qtest_readl(s, hdm(HOST_REGS, CXL_HDM_CAP)), ==, 0x382);

    /* Eight bytes are two registers */
    g_assert_cmphex(qtest_readq(s, HOST_REGS + CACHEMEM + 8), ==,
                    0x128300050d820004);
    qtest_writeq(s, hdm(HOST_REGS, CXL_HDM_DECODER(1)), 0x123456789abcdef0);
    g_assert_cmphex(qtest_readq(s, hdm(HOST_REGS, CXL_HDM_DECODER(1))), ==,
                    0x1234567890000000);

    /* Nothing before and behind the block, whatever the width */
    qtest_writeb(s, HOST_REGS + 1, 0xff);
    g_assert_cmphex(qtest_readq(s, HOST_REGS), ==, 0);
    qtest_writew(s, HOST_REGS + 0x8002, 0xffff);
    g_assert_cmphex(qtest_readl(s, HOST_REGS + 0x8000), ==, 0);
    qtest_quit(s);
}

static void test_passthrough_has_no_decoders(void)
{
    QTestState *s = qtest_init(MACHINE "-device cxl-rp,bus=hb0,port=0");

    g_assert_cmphex(qtest_readl(s, HOST_REGS + CACHEMEM + 12), ==, 0x12830000);
    qtest_writel(s, hdm(HOST_REGS, CXL_HDM_DECODER(0) + CXL_HDM_CONTROL),
                 CXL_HDM_CTRL_COMMIT);
    g_assert_cmphex(commit_bits(s, HOST_REGS, 0), ==, 0);
    qtest_quit(s);
}

static void test_commit_rules(void)
{
    QTestState *s = qtest_init(MACHINE TWO_PORTS);

    commit(s, HOST_REGS, 1, WINDOW, 256 * MiB, 0, 0);
    g_assert_cmphex(commit_bits(s, HOST_REGS, 1), ==, CXL_HDM_CTRL_ERROR);
    commit(s, HOST_REGS, 0, WINDOW, 256 * MiB, 0x0100,
           1 << CXL_HDM_CTRL_IW_SHIFT | CXL_HDM_CTRL_LOCK);
    g_assert_cmphex(commit_bits(s, HOST_REGS, 0), ==, CXL_HDM_CTRL_COMMITTED);
    commit(s, HOST_REGS, 1, WINDOW, 256 * MiB, 0, 0);
    g_assert_cmphex(commit_bits(s, HOST_REGS, 1), ==, CXL_HDM_CTRL_ERROR);
    commit(s, HOST_REGS, 1, WINDOW + 256 * MiB, 256 * MiB, 0, 0);
    g_assert_cmphex(commit_bits(s, HOST_REGS, 1), ==, CXL_HDM_CTRL_COMMITTED);

    /* Locked until a reset */
    qtest_writel(s, hdm(HOST_REGS, CXL_HDM_DECODER(0) + CXL_HDM_CONTROL), 0);
    g_assert_cmphex(commit_bits(s, HOST_REGS, 0), ==, CXL_HDM_CTRL_COMMITTED);
    qtest_system_reset(s);
    g_assert_cmphex(commit_bits(s, HOST_REGS, 0), ==, 0);
    g_assert_cmphex(qtest_readq(s, hdm(HOST_REGS, CXL_HDM_DECODER(0))), ==, 0);
    qtest_quit(s);
}

/* No device is there: reads give zero, writes are ignored, nothing breaks */
static void test_window_misses(void)
{
    QTestState *s = qtest_init(MACHINE TWO_PORTS SWITCH);

    for (int step = 0; step < 4; step++) {
        if (step == 1) {        /* port 0, behind it an undecoded switch */
            commit(s, HOST_REGS, 0, WINDOW, 256 * MiB, 0, 0);
        } else if (step == 2) { /* port 1, nothing behind it */
            commit(s, HOST_REGS, 0, WINDOW, 256 * MiB, 1, 0);
        } else if (step == 3) { /* no such port */
            commit(s, HOST_REGS, 0, WINDOW, 256 * MiB, 9, 0);
        }
        qtest_writeq(s, WINDOW + 0xfd, 0x1122334455667788);
        qtest_writeb(s, WINDOW, 0x99);
        g_assert_cmphex(qtest_readq(s, WINDOW + 0xfd), ==, 0);
        g_assert_cmphex(qtest_readb(s, WINDOW), ==, 0);
        g_assert_cmphex(qtest_readl(s, WINDOW + 1 * GiB - 4), ==, 0);
    }
    qtest_quit(s);
}

static void ports_setup(QTestState *s)
{
    bridge_setup(s, RP_BUS, USP_BUS, DSP_SEC_BUS, RP_BAR, true);
    bridge_setup(s, USP_BUS, DSP_BUS, DSP_SEC_BUS, USP_BAR, true);
    bridge_setup(s, DSP_BUS, DSP_SEC_BUS, DSP_SEC_BUS, DSP_BAR, false);
}

static void test_port_registers(void)
{
    static const uint32_t dsp_headers[6] = { 0x02110001, 0x08030002,
                                             0x0d820004 };
    QTestState *s = qtest_init(MACHINE TWO_PORTS SWITCH);

    ports_setup(s);
    assert_headers(s, USP_BAR, switch_up_headers);
    assert_headers(s, DSP_BAR, dsp_headers);
    g_assert_cmphex(qtest_readl(s, RP_BAR + CACHEMEM), ==, 0x05110001);
    g_assert_cmphex(qtest_readl(s, RP_BAR + CACHEMEM + 12), ==, 0);
    g_assert_cmphex(qtest_readl(s, hdm(USP_BAR, CXL_HDM_CAP)), ==, 0x382);

    /* RAS: masks are writable as far as the bits exist, status clears only */
    g_assert_cmphex(qtest_readl(s, USP_BAR + CACHEMEM + 0x84), ==, 0x1cfff);
    qtest_writel(s, USP_BAR + CACHEMEM + 0x84, 0xfffe0001);
    g_assert_cmphex(qtest_readl(s, USP_BAR + CACHEMEM + 0x84), ==, 1);
    qtest_writel(s, USP_BAR + CACHEMEM + 0x80, 0xffffffff);
    g_assert_cmphex(qtest_readl(s, USP_BAR + CACHEMEM + 0x80), ==, 0);
    qtest_writel(s, USP_BAR + CACHEMEM + 0x8c, 0xffffffff);
    g_assert_cmphex(qtest_readl(s, USP_BAR + CACHEMEM + 0x8c), ==, 0);
    qtest_quit(s);
}

/* The way of a pin is looked up then, up to the root complex: UBSan watches */
static void test_a_guest_disables_pins(void)
{
    QTestState *s = qtest_init(MACHINE TWO_PORTS SWITCH);

    ports_setup(s);
    for (int bus = RP_BUS; bus <= DSP_BUS; bus++) {
        uint32_t command = config_read(s, bus, 0, PCI_COMMAND) & 0xffff;

        config_write(s, bus, 0, PCI_COMMAND,
                     command | PCI_COMMAND_INTX_DISABLE);
        g_assert_cmphex(config_read(s, bus, 0, PCI_COMMAND) & 0xffff, ==,
                        command | PCI_COMMAND_INTX_DISABLE);
        config_write(s, bus, 0, PCI_COMMAND, command);
    }
    qtest_quit(s);
}

/* Whatever a guest writes into Message Control, ports go on */
static void test_any_number_of_messages(void)
{
    static const int buses[] = { RP_BUS, USP_BUS, DSP_BUS };
    QTestState *s = qtest_init(MACHINE TWO_PORTS SWITCH);

    ports_setup(s);
    for (size_t i = 0; i < ARRAY_SIZE(buses); i++) {
        int at = config_read(s, buses[i], 0, PCI_CAPABILITY_LIST) & 0xff;
        unsigned seen = 0;

        for (uint32_t cap; at; at = cap >> 8 & 0xff) {
            cap = config_read(s, buses[i], 0, at);
            if ((cap & 0xff) != PCI_CAP_ID_MSI) {
                continue;
            }
            for (uint32_t flags = 0; flags <= 0xff; flags++) {
                config_write(s, buses[i], 0, at, flags << 16);
                g_assert_cmphex(config_read(s, buses[i], 0, at) & 0xffff, ==,
                                cap & 0xffff);
            }
            seen++;
        }
        g_assert_cmpuint(seen, ==, 1);
    }
    qtest_quit(s);
}

/* Extended configuration space, once the machine is told where it lies */
#define ECAM            0xb0000000u
#define Q35_PCIEXBAR    0x60

static uint64_t ecam(int bus, int offset)
{
    return ECAM + (bus << 20) + offset;
}

static uint64_t find_ext_cap(QTestState *s, int bus, uint16_t id,
                             uint16_t dvsec)
{
    for (int at = PCI_CFG_SPACE_SIZE; at; ) {
        uint32_t header = qtest_readl(s, ecam(bus, at));

        if (PCI_EXT_CAP_ID(header) == id &&
            (id != PCI_EXT_CAP_ID_DVSEC ||
             qtest_readw(s, ecam(bus, at + 8)) == dvsec)) {
            return ecam(bus, at);
        }
        at = PCI_EXT_CAP_NEXT(header);
    }
    g_assert_not_reached();
}

static void assert_writable(QTestState *s, uint64_t reg, uint32_t mask)
{
    uint32_t old = qtest_readl(s, reg);

    qtest_writel(s, reg, ~0u);
    g_assert_cmphex(qtest_readl(s, reg), ==, old | mask);
    qtest_writel(s, reg, 0);
    g_assert_cmphex(qtest_readl(s, reg), ==, old & ~mask);
    qtest_writel(s, reg, old);
}

static void test_dvsecs(void)
{
    QTestState *s = qtest_init(MACHINE TWO_PORTS SWITCH);
    uint64_t d;

    ports_setup(s);
    config_write(s, 0, 0, Q35_PCIEXBAR, ECAM | 1);

    /* Port extensions: control, and the alternate bus range beside it */
    d = find_ext_cap(s, USP_BUS, PCI_EXT_CAP_ID_DVSEC, 3);
    g_assert_cmphex(qtest_readl(s, d + 4), ==, 0x02801e98);
    g_assert_cmphex(qtest_readw(s, d + 0xa), ==, 1);
    assert_writable(s, d + 0x0c, 0xffff400f);
    assert_writable(s, d + 0x10, 0xfff0fff0);
    assert_writable(s, d + 0x14, 0xfff0fff0);
    assert_writable(s, d + 0x18, 0xffffffff);
    assert_writable(s, d + 0x20, 0xffffe001);

    d = find_ext_cap(s, RP_BUS, PCI_EXT_CAP_ID_DVSEC, 4);
    g_assert_cmphex(qtest_readl(s, d + 4), ==, 0x01001e98);
    assert_writable(s, d + 0xc, 0x0f0f0f0f);

    d = find_ext_cap(s, RP_BUS, PCI_EXT_CAP_ID_DVSEC, 7);
    g_assert_cmphex(qtest_readl(s, d + 4), ==, 0x02021e98);
    assert_writable(s, d + 0xc, 0x000000bd);
    d = find_ext_cap(s, DSP_BUS, PCI_EXT_CAP_ID_DVSEC, 7);
    assert_writable(s, d + 0xc, 0x000000fd);
    d = find_ext_cap(s, USP_BUS, PCI_EXT_CAP_ID_DVSEC, 7);
    assert_writable(s, d + 0xc, 0);

    d = find_ext_cap(s, DSP_BUS, PCI_EXT_CAP_ID_DVSEC, 8);
    g_assert_cmphex(qtest_readl(s, d + 4), ==, 0x02401e98);
    g_assert_cmphex(qtest_readl(s, d + 0xc), ==, 0x100);
    assert_writable(s, d + 0xc, 0);
    qtest_quit(s);
}

/* Read CDAT entry @handle by DOE; returns its dwords or -1 */
static int read_cdat(QTestState *s, uint64_t doe, uint16_t handle,
                     uint32_t *entry, uint16_t *next)
{
    uint32_t header[3];
    int dwords;

    qtest_writel(s, doe + 0x10, 0x00021e98);
    qtest_writel(s, doe + 0x10, 3);
    qtest_writel(s, doe + 0x10, handle << 16);
    qtest_writel(s, doe + 0x8, 1u << 31);
    if (!(qtest_readl(s, doe + 0xc) >> 31)) {
        return -1;
    }
    for (int i = 0; i < 3; i++) {
        header[i] = qtest_readl(s, doe + 0x14);
        qtest_writel(s, doe + 0x14, 0);
    }
    g_assert_cmphex(header[0], ==, 0x00021e98);
    g_assert_cmphex(header[2] & 0xffff, ==, 0);
    *next = header[2] >> 16;
    dwords = header[1] - 3;
    g_assert_cmpint(dwords, <=, 64);
    for (int i = 0; i < dwords; i++) {
        entry[i] = qtest_readl(s, doe + 0x14);
        qtest_writel(s, doe + 0x14, 0);
    }
    return dwords;
}

static uint8_t byte_sum(const uint32_t *data, int dwords)
{
    uint8_t sum = 0;

    for (int i = 0; i < dwords; i++) {
        sum += data[i] + (data[i] >> 8) + (data[i] >> 16) + (data[i] >> 24);
    }
    return sum;
}

static uint64_t usp_doe(QTestState *s)
{
    ports_setup(s);
    config_write(s, 0, 0, Q35_PCIEXBAR, ECAM | 1);
    return find_ext_cap(s, USP_BUS, PCI_EXT_CAP_ID_DOE, 0);
}

static void test_cdat_of_a_switch(void)
{
    QTestState *s = qtest_init(MACHINE TWO_PORTS SWITCH);
    uint64_t doe = usp_doe(s);
    uint32_t entry[64];
    uint16_t next;
    uint8_t sum;

    g_assert_cmpint(read_cdat(s, doe, 0, entry, &next), ==, 4);
    g_assert_cmpuint(entry[0], ==, 16 + 2 * 24);
    g_assert_cmphex(next, ==, 1);
    sum = byte_sum(entry, 4);
    g_assert_cmpint(read_cdat(s, doe, 1, entry, &next), ==, 6);
    g_assert_cmphex(entry[0], ==, 0x00180005);
    g_assert_cmphex(next, ==, 2);
    sum += byte_sum(entry, 6);
    g_assert_cmpint(read_cdat(s, doe, 2, entry, &next), ==, 6);
    g_assert_cmphex(next, ==, 0xffff);
    sum += byte_sum(entry, 6);
    g_assert_cmphex(sum, ==, 0);
    g_assert_cmpint(read_cdat(s, doe, 3, entry, &next), ==, -1);
    g_assert_cmpint(read_cdat(s, doe, 0xffff, entry, &next), ==, -1);
    g_assert_cmpint(read_cdat(s, doe, 0, entry, &next), ==, 4);
    qtest_quit(s);
}

/* An answer that nobody read, and half a request */
static void test_a_reset_ends_a_switch_s_exchange(void)
{
    QTestState *s = qtest_init(MACHINE TWO_PORTS SWITCH);
    uint64_t doe = usp_doe(s);
    uint32_t entry[64];
    uint16_t next;

    qtest_writel(s, doe + 0x10, 0x00021e98);
    qtest_writel(s, doe + 0x10, 3);
    qtest_writel(s, doe + 0x10, 0);
    qtest_writel(s, doe + 0x8, 1u << 31 | 2);
    g_assert_cmphex(qtest_readl(s, doe + 0xc) >> 31, ==, 1);
    qtest_writel(s, doe + 0x10, 0x00021e98);
    qtest_system_reset(s);
    doe = usp_doe(s);
    g_assert_cmphex(qtest_readl(s, doe + 0x8), ==, 0);
    g_assert_cmphex(qtest_readl(s, doe + 0xc), ==, 0);
    g_assert_cmpint(read_cdat(s, doe, 0, entry, &next), ==, 4);
    qtest_quit(s);
}

/* The base asserts that there is an entry: a bare switch must have one */
static void test_cdat_without_downstream_ports(void)
{
    QTestState *s = qtest_init(MACHINE TWO_PORTS
                               "-device cxl-upstream,bus=rp0,addr=0.0");
    uint64_t doe = usp_doe(s);
    uint32_t entry[64];
    uint16_t next;

    g_assert_cmpint(read_cdat(s, doe, 0, entry, &next), ==, 4);
    g_assert_cmpuint(entry[0], ==, 16);
    g_assert_cmphex(byte_sum(entry, 4), ==, 0);
    g_assert_cmphex(next, ==, 0xffff);
    g_assert_cmpint(read_cdat(s, doe, 1, entry, &next), ==, -1);
    qtest_quit(s);
}

static int find_cap(QTestState *s, int bus, int id)
{
    int at = config_read(s, bus, 0, PCI_CAPABILITY_LIST) & 0xff;

    while ((config_read(s, bus, 0, at) & 0xff) != id) {
        at = config_read(s, bus, 0, at) >> 8 & 0xff;
        g_assert_cmpint(at, !=, 0);
    }
    return at;
}

/*
 * The guest allocates one message to a port with two, masks it and moves on
 * while it is pending
 */
static void test_a_pending_message_moves(void)
{
    static const char machine[] = MACHINE TWO_PORTS SWITCH;
    QTestState *s = qtest_init(machine);
    uint64_t doe = usp_doe(s);
    int msi = find_cap(s, USP_BUS, PCI_CAP_ID_MSI);

    config_write(s, USP_BUS, 0, msi + PCI_MSI_ADDRESS_LO, MESSAGE);
    config_write(s, USP_BUS, 0, msi + PCI_MSI_ADDRESS_HI, 0);
    config_write(s, USP_BUS, 0, msi + PCI_MSI_DATA_64, 0x55);
    config_write(s, USP_BUS, 0, msi + PCI_MSI_MASK_64, 1);
    config_write(s, USP_BUS, 0, msi, PCI_MSI_FLAGS_ENABLE << 16);
    qtest_writel(s, doe + 0x10, 0x00021e98);
    qtest_writel(s, doe + 0x10, 3);
    qtest_writel(s, doe + 0x10, 0);
    qtest_writel(s, doe + 0x8, 1u << 31 | 2);
    cxl_settle(s);
    g_assert_cmphex(config_read(s, USP_BUS, 0, msi + PCI_MSI_PENDING_64), ==,
                    1);
    s = cxl_migrate(s, machine);
    g_assert_cmphex(qtest_readl(s, MESSAGE), ==, 0);
    config_write(s, USP_BUS, 0, msi + PCI_MSI_MASK_64, 0);
    cxl_settle(s);
    g_assert_cmphex(qtest_readl(s, MESSAGE), ==, 0x55);
    qtest_quit(s);
}

/* A guest has locked what is in a slot when it moves */
static void test_an_interlock_moves(void)
{
    static const char machine[] = MACHINE TWO_PORTS SWITCH;
    static const int buses[] = { RP_BUS, DSP_BUS };
    QTestState *s = qtest_init(machine);

    ports_setup(s);
    for (int i = 0; i < ARRAY_SIZE(buses); i++) {
        int slot = find_cap(s, buses[i], PCI_CAP_ID_EXP) + PCI_EXP_SLTCTL;
        uint32_t control = config_read(s, buses[i], 0, slot) & 0xffff;

        config_write(s, buses[i], 0, slot, control | PCI_EXP_SLTCTL_EIC);
    }
    s = cxl_migrate(s, machine);
    for (int i = 0; i < ARRAY_SIZE(buses); i++) {
        int slot = find_cap(s, buses[i], PCI_CAP_ID_EXP) + PCI_EXP_SLTCTL;

        g_assert_cmphex(config_read(s, buses[i], 0, slot) >> 16 &
                        PCI_EXP_SLTSTA_EIS, !=, 0);
    }
    qtest_quit(s);
}

/* Half of a CDAT header was read when the guest moved on */
static void test_doe_migration(void)
{
    static const char machine[] = MACHINE TWO_PORTS SWITCH;
    QTestState *s = qtest_init(machine);
    uint64_t doe = usp_doe(s);

    qtest_writel(s, doe + 0x10, 0x00021e98);
    qtest_writel(s, doe + 0x10, 3);
    qtest_writel(s, doe + 0x10, 0);
    qtest_writel(s, doe + 0x8, 1u << 31);
    g_assert_cmphex(qtest_readl(s, doe + 0x14), ==, 0x00021e98);
    qtest_writel(s, doe + 0x14, 0);
    /* the beginning of the next request, too */
    qtest_writel(s, doe + 0x10, 0x00021e98);
    s = cxl_migrate(s, machine);
    g_assert_cmphex(qtest_readl(s, doe + 0xc) >> 31, ==, 1);
    g_assert_cmphex(qtest_readl(s, doe + 0x14), ==, 3 + 4);
    qtest_writel(s, doe + 0x14, 0);
    g_assert_cmphex(qtest_readl(s, doe + 0x14), ==, 1 << 16);
    for (int i = 2; i < 3 + 4; i++) {
        qtest_writel(s, doe + 0x14, 0);
    }
    g_assert_cmphex(qtest_readl(s, doe + 0xc), ==, 0);
    /* the rest of the request */
    qtest_writel(s, doe + 0x10, 3);
    qtest_writel(s, doe + 0x10, 1 << 16);
    qtest_writel(s, doe + 0x8, 1u << 31);
    g_assert_cmphex(qtest_readl(s, doe + 0xc), ==, 1u << 31);
    qtest_quit(s);
}

static void test_migration(void)
{
    static const char machine[] = MACHINE TWO_PORTS SWITCH;
    QTestState *s = qtest_init(machine);
    uint32_t buses[3];

    ports_setup(s);
    commit(s, HOST_REGS, 0, WINDOW, 512 * MiB, 0x0100,
           1 << CXL_HDM_CTRL_IW_SHIFT | CXL_HDM_CTRL_LOCK);
    commit(s, USP_BAR, 0, WINDOW, 256 * MiB, 3, 2);
    qtest_writel(s, DSP_BAR + CACHEMEM + 0x84, 0x5);
    for (int i = 0; i < 3; i++) {
        buses[i] = config_read(s, RP_BUS + i, 0, PCI_PRIMARY_BUS);
    }
    s = cxl_migrate(s, machine);
    for (int i = 0; i < 3; i++) {
        g_assert_cmphex(config_read(s, RP_BUS + i, 0, PCI_PRIMARY_BUS), ==,
                        buses[i]);
    }
    g_assert_cmphex(commit_bits(s, HOST_REGS, 0), ==, CXL_HDM_CTRL_COMMITTED);
    g_assert_cmphex(qtest_readq(s, hdm(HOST_REGS, CXL_HDM_DECODER(0))), ==,
                    WINDOW);
    g_assert_cmphex(commit_bits(s, USP_BAR, 0), ==, CXL_HDM_CTRL_COMMITTED);
    g_assert_cmphex(qtest_readl(s, hdm(USP_BAR, CXL_HDM_DECODER(0) +
                                                CXL_HDM_TARGET_LO)), ==, 3);
    g_assert_cmphex(qtest_readl(s, DSP_BAR + CACHEMEM + 0x84), ==, 5);
    /* Still locked */
    qtest_writel(s, hdm(HOST_REGS, CXL_HDM_DECODER(0) + CXL_HDM_CONTROL), 0);
    g_assert_cmphex(commit_bits(s, HOST_REGS, 0), ==, CXL_HDM_CTRL_COMMITTED);
    qtest_quit(s);
}

/* It does not matter whether anything was programmed or loaded before */
static void test_passthrough_passes_on_at_once(void)
{
    g_autofree char *log = NULL;
    g_autofree char *said = NULL;
    int fd = g_file_open_tmp("cxl-trace-XXXXXX", &log, NULL);
    QTestState *s;

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    s = qtest_initf(MACHINE "-device cxl-rp,id=rp0,bus=hb0,chassis=0,slot=0 "
                    "-object memory-backend-ram,id=vm0,size=256M "
                    "-device cxl-type3,id=m0,bus=rp0,volatile-memdev=vm0 "
                    "-d trace:cxl_window_miss -D %s", log);
    qtest_readq(s, WINDOW);
    qtest_quit(s);
    g_assert_true(g_file_get_contents(log, &said, NULL, NULL));
    unlink(log);
    g_assert_nonnull(strstr(said, "no decoder of the device"));
    g_assert_null(strstr(said, "no committed decoder"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) qtest_add_func("/cxl/ports/" #f, test_ ## f)
    T(host_bridge_registers);
    T(passthrough_has_no_decoders);
    T(passthrough_passes_on_at_once);
    T(commit_rules);
    T(window_misses);
    T(port_registers);
    T(any_number_of_messages);
    T(a_guest_disables_pins);
    T(a_pending_message_moves);
    T(an_interlock_moves);
    T(dvsecs);
    T(cdat_of_a_switch);
    T(cdat_without_downstream_ports);
    T(migration);
    T(a_reset_ends_a_switch_s_exchange);
    T(doe_migration);
    return g_test_run();
}
