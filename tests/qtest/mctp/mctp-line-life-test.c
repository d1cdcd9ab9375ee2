/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Resets, unplugs and migration in the middle of a message, on serial lines,
 * on USB and on I2C. What only one of them has is in mctp-usb-life-test.c and
 * mctp-i2c-lifecycle-test.c.
 * Reference: DMTF DSP0236 8; CXL r3.2 7.6.3.
 */
#include "qemu/osdep.h"
#include "mctp-line.h"
#include "mctp-usb-line.h"

#define EID 0x42

/* Line 0 to a switch, line 1 to a memory device that can be unplugged */
static const LineSetup setup = {
    .machine = MCTP_MACHINE
        "-object memory-backend-ram,id=vmem,size=256M "
        "-device pcie-root-port,id=p1,bus=pcie.0,addr=08.0,chassis=7,slot=7 "
        "-device cxl-type3,id=mem0,bus=p1,volatile-memdev=vmem,sn=0x99 ",
    .target = { "us0", "mem0" },
};

/* Undisturbed, two packets are answered: what the tests below rely on */
static void test_whole_message(LineTest *t, Line *l)
{
    line_assign(l, EID);
    line_half(l, EID, 0);
    line_quiet(l);
    line_half(l, EID, 1);
    line_whole(l);
}

/* What is under way is lost, and what was assigned */
static void test_reset(LineTest *t, Line *l)
{
    line_assign(l, EID);
    line_half(l, EID, 0);
    line_quiet(l);
    line_reset(t);
    l = line_of(t, 0);
    line_has_forgotten(l, EID);
}

/* Half a message goes along, and the EID that was assigned */
static void test_migrate(LineTest *t, Line *l)
{
    line_assign(l, EID);
    line_half(l, EID, 0);
    line_quiet(l);
    line_migrate(t);
    l = line_of(t, 0);
    line_half(l, EID, 1);
    line_whole(l);
}

/* With nothing behind it the endpoint still is one */
static void test_target_unplugged(LineTest *t, Line *sw)
{
    Line *l = line_of(t, 1);

    answer_is(line_command(l, 1, NULL, 0), 0);
    mctp_unplug(&t->i2c, "p1", "mem0");
    qtest_qmp_eventwait(t->i2c.qts, "DEVICE_DELETED");
    line_request(l, PEER_EID, 3, 0x55, 1, NULL, 0);
    line_quiet(l);
    line_reset(t);
    line_quiet(line_of(t, 1));
}

/* -- serial lines ------------------------------------------------------- */

/* ... and half of the next one's frame */
static void test_migrate_half_a_frame(LineTest *t, Line *l)
{
    g_autoptr(GPtrArray) packets = line_halves(EID);
    const GByteArray *packet = g_ptr_array_index(packets, 1);
    g_autoptr(GByteArray) frame = line_frame(packet->data, packet->len);

    line_assign(l, EID);
    line_half(l, EID, 0);
    line_quiet(l);
    line_write(l, frame->data, 8);
    for (int i = 0; i < 100; i++) {
        qtest_readb(t->i2c.qts, 0);
    }
    line_migrate(t);
    l = line_of(t, 0);
    line_write(l, frame->data + 8, frame->len - 8);
    line_whole(l);
}

/* Gone and back again in the middle of a message, on the same chardev */
static void test_hotplug(LineTest *t, Line *l)
{
    static const struct {
        const char *props, *refusal;
    } rows[] = {
        { "'target': 'us0'", "chardev" },
        { "'chardev': 'chr0'", "target" },
        { "'chardev': 'chr0', 'target': 'rp0'", "'target' is 'rp0'" },
        { "'chardev': 'chr0', 'target': 'us0', 'eid': 7", "eid" },
        { "'chardev': 'chr1', 'target': 'us0'", "chr1" },
        { "'chardev': 'chr0', 'target': 'us0', 'eid': 9" },
    };
    g_autoptr(GPtrArray) packets = line_halves(LINE_EID(0));
    const GByteArray *packet = g_ptr_array_index(packets, 0);
    g_autoptr(GByteArray) frame = line_frame(packet->data, packet->len);
    Line *mem = line_of(t, 1);

    line_quiet(l);
    line_write(l, frame->data, frame->len / 2);
    line_unplug(t->i2c.qts, "link0");
    /* each is refused, and leaves the chardev free */
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        g_autofree char *props = g_strconcat(
            "'driver': 'mctp-serial-cxl', 'id': 'new', ", rows[i].props,
            NULL);

        line_plug(t->i2c.qts, props, rows[i].refusal);
    }
    /* the peer stayed connected; what it sends now meets a new endpoint */
    line_write(l, frame->data + frame->len / 2, frame->len - frame->len / 2);
    line_half(l, LINE_EID(0), 1);
    line_resync(l);
    answer_is(line_command(l, 1, NULL, 0), 0);
    line_quiet(mem);
    line_unplug(t->i2c.qts, "new");
    line_drop(t, 0);
    line_quiet(mem);
}

int main(int argc, char **argv)
{
    static const LineKind *const kinds[] = {
        &line_serial, &line_usb, &line_i2c,
    };

    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
#define T(f) line_add_test(kinds[i], "life/" #f, &setup, test_ ## f)
        T(whole_message);
        T(reset);
        T(migrate);
        T(target_unplugged);
#undef T
    }
    line_add_test(&line_serial, "life/migrate_half_a_frame", &setup,
                  test_migrate_half_a_frame);
    line_add_test(&line_serial, "life/hotplug", &setup, test_hotplug);
    return line_test_main();
}
