/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands over MCTP whose effects come back: an FM's write to a switch port
 * makes the port send an interrupt message, and the guest has aimed that at the
 * slot that the switch is in, or the I2C controller that the request came by.
 * And a component that the FM holds in reset.
 * Reference: CXL r3.2 7.6.7.1.3, 7.6.7.1.4; PCIe r6.0 6.7.3, 7.7.1.
 */
#include "qemu/osdep.h"
#include <glib/gstdio.h>
#include "qemu/bswap.h"
#include "hw/mctp/mctp_i2c_frame.h"
#include "mctp-line.h"
#include "tests/qtest/cxl/cxl-qtest-switch.h"

#define ENDPOINT 0x20

/* The controller is below root port rp1, behind the buses of the switch */
#define PXB_BUS 52
#define RP1 (PXB_BUS << 8 | QPCI_DEVFN(1, 0))
#define I2C_BUS 62
#define I2C_DEVICES \
    "-device dw-i2c-pci,id=dw,bus=rp1 " \
    "-device i2c_mctp_cxl,bus=dw.0,address=0x20,target=us0 "

/* The command unplugs the switch that runs it; the line stays */
static void test_command_that_unplugs_its_switch(void)
{
    g_autofree char *line = line_args(0, "us0");
    g_autoptr(Line) l = NULL;
    CxlDev root;
    uint8_t req[8];
    CxlSwitch sw;

    switch_probe(cxl_start(SWITCH_PORTS "%s", line), &sw);
    root = sw.usp;
    root.cfg -= 1 << 20;
    switch_aim(&sw, &root);
    switch_slot_request(&sw, req);
    l = line_open(0);
    answer_is(line_command(l, 0x5103, req, sizeof(req)), 0);
    mctp_is_gone(sw.qts, "us0");
    mctp_is_gone(sw.qts, "ds0");
    line_quiet(l);
    line_unplug(sw.qts, "link0");
    mctp_is_gone(sw.qts, "link0");
    qtest_quit(sw.qts);
}

/* The command unplugs the controller, and with it bus and endpoint */
static void test_command_that_unplugs_its_bus(void)
{
    uint8_t packet[4 + CCI_OVERHEAD + 8] = { 1, 0, GUEST_EID, 0xc8, 7 };
    uint8_t frame[MCTP_I2C_FRAME_MAX];
    CxlDev port;
    CxlSwitch sw;
    size_t len;
    DwI2c t;

    switch_probe(cxl_start(SWITCH_PORTS I2C_DEVICES "%s", ""), &sw);
    t = (DwI2c) { .qts = sw.qts, .pci = qpci_new_pc(sw.qts, NULL) };
    mctp_find_behind_port(&t, RP1, I2C_BUS);
    port = sw.usp;
    port.cfg -= (uint64_t)sw.usp.bus << 20;
    port.cfg += (uint64_t)RP1 << 12;
    switch_aim(&sw, &port);

    stw_le_p(packet + 8, 0x5103);
    stw_le_p(packet + 10, 8);
    switch_slot_request(&sw, packet + 4 + CCI_OVERHEAD);
    len = mctp_i2c_encode(ENDPOINT, OWN, packet, sizeof(packet), frame);
    mctp_listen(&t);
    dw_master_mode(&t, CON_LINUX_MASTER, ENDPOINT);
    for (size_t i = 1; i < len; i++) {
        dw_wr(&t, R_DATA_CMD, frame[i] | (i == len - 1 ? CMD_STOP : 0));
    }
    qtest_qmp_eventwait(sw.qts, "DEVICE_DELETED");
    mctp_is_gone(sw.qts, "dw");
    qtest_clock_step(sw.qts, 2 * ANSWER_NS);
    g_assert_cmphex(slot_control(&sw, 0) & SWITCH_SLOT_EVENTS, ==,
                    SWITCH_SLOT_EVENTS);
    dw_stop(&t);
}

static unsigned count(const char *text, const char *what)
{
    unsigned n = 0;

    for (; (text = strstr(text, what)); text += strlen(what)) {
        n++;
    }
    return n;
}

/*
 * Each command is dropped, whichever way it comes.  The user is told once, and
 * again the next time, also if nobody asked for anything between the two.
 */
static void test_held_in_reset(void)
{
    g_autofree char *line = line_args(0, "cxl-mem0");
    g_autofree char *more = line_args(1, "cxl-mem0");
    g_autofree char *log = NULL, *text = NULL;
    g_autoptr(Line) l = NULL;
    g_autoptr(Line) other = NULL;
    int fd = g_file_open_tmp("mctp-held-XXXXXX", &log, NULL);
    int err = dup(STDERR_FILENO);
    CxlSwitch sw;

    g_assert_cmpint(fd, >=, 0);
    /* what QEMU says to its user */
    dup2(fd, STDERR_FILENO);
    switch_probe(cxl_start(SWITCH_PORTS SWITCH_MAILBOX SWITCH_DEVICE
                           "-trace mctp_cxl_component_held %s %s", line,
                           more), &sw);
    dup2(err, STDERR_FILENO);
    l = line_open(0);
    other = line_open(1);
    for (unsigned hold = 1; hold <= 3; hold++) {
        if (hold != 2) {
            answer_is(line_command(l, 0x0001, NULL, 0), 0);
        }
        g_assert_cmphex(switch_control(&sw, SWITCH_DSP_PORT(0), 0), ==, 0);
        for (unsigned i = 0; i < 3; i++) {
            Line *to = i ? l : other;
            g_autoptr(GByteArray) req = line_cci(to->eid, PEER_EID, i, i,
                                                 0x0001, NULL, 0);

            line_write(to, req->data, req->len);
            line_quiet(to);
        }
        g_assert_cmphex(switch_control(&sw, SWITCH_DSP_PORT(0), 1), ==, 0);
        g_clear_pointer(&text, g_free);
        g_assert_true(g_file_get_contents(log, &text, NULL, NULL));
        g_assert_cmpuint(count(text, "is held in reset (PERST)"), ==, hold);
        g_assert_cmpuint(count(text, "drops 0x0001"), ==, 3 * hold);
    }
    g_assert_nonnull(strstr(text, "mctp-serial-cxl 'link1': 'cxl-mem0' is"));
    qtest_quit(sw.qts);
    close(fd);
    close(err);
    g_unlink(log);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) qtest_add_func("/mctp/outside/" #f, test_ ## f)
    T(command_that_unplugs_its_switch);
    T(command_that_unplugs_its_bus);
    T(held_in_reset);
    return line_test_main();
}
