/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command set 02h: slots, order and time of parts, activation, migration
 */
#include "qemu/osdep.h"
#include "qemu/timer.h"
#include "qemu/units.h"
#include "fake-clock.h"
#include "fake-memdev.h"
#include "state-bytes.h"
#include "hw/cxl/cci/cmd-sets.h"
#include "hw/cxl/memdev/firmware.h"

#define SECOND      ((int64_t)NANOSECONDS_PER_SECOND)
#define PART        (2 * SECOND)
#define FULL        (10 * SECOND)
#define ONLINE      0
#define AT_RESET    1

enum { ACT_FULL, ACT_START, ACT_CONTINUE, ACT_END, ACT_ABORT, ACT_UNKNOWN };

const CXLCmdSet *const cxl_cmd_sets[] = {
    &cxl_cmds_firmware,
    &cxl_cmds_identify,
    NULL,
};

static void setup(FakeMemDev *unused, gconstpointer data)
{
    fake_memdev_open();
}

static CXLRetCode part_on(CXLCCI *cci, uint8_t action, uint8_t slot,
                          uint32_t unit, size_t len)
{
    cxl_put_u8(&rq, action);
    cxl_put_u8(&rq, slot);
    cxl_put_zero(&rq, 2);
    cxl_put_le32(&rq, unit);
    cxl_put_zero(&rq, 0x78 + len);
    return send_request(cci, 0x0201);
}

/* A part on the mailbox, and the time that it takes if it is accepted */
static CXLRetCode part(uint8_t action, uint8_t slot, uint32_t unit, size_t len)
{
    CXLRetCode rc = part_on(&fake.mailbox, action, slot, unit, len);

    if (rc == CXL_RC_BG_STARTED) {
        fake_clock_step(action == ACT_FULL ? FULL : PART);
        g_assert_false(fake.mailbox.bg.running);
        g_assert_cmphex(fake.mailbox.bg.ret_code, ==, CXL_RC_SUCCESS);
    }
    return rc;
}

static CXLRetCode activate(uint8_t when, uint8_t slot)
{
    return send_fields(&fake.mailbox, 0x0202, when, slot);
}

static void check_slots(uint8_t byte, const char *first, const char *second)
{
    char text[17] = "";
    const char *running = (byte & 7) == 1 ? first : second;

    assert_rc(send_request(&fake.mailbox, 0x0200), CXL_RC_SUCCESS);
    g_assert_cmpuint(rs.size, ==, 0x50);
    g_assert_cmphex(cxl_get_u8(&rs), ==, 2);
    g_assert_cmphex(cxl_get_u8(&rs), ==, byte);
    g_assert_cmphex(cxl_get_u8(&rs), ==, 1);
    cxl_get_skip(&rs, 13);
    cxl_get_bytes(&rs, text, 16);
    g_assert_cmpstr(text, ==, first);
    cxl_get_bytes(&rs, text, 16);
    g_assert_cmpstr(text, ==, second);
    cxl_get_bytes(&rs, text, 16);
    g_assert_cmpstr(text, ==, "");
    assert_rc(send_request(&fake.mailbox, 0x4000), CXL_RC_SUCCESS);
    cxl_get_bytes(&rs, text, 16);
    g_assert_cmpstr(text, ==, running);
}

#define V0 "BWFW VERSION 00"
#define V1 "BWFW VERSION 01"
#define V2 "BWFW VERSION 02"

static void test_lengths(FakeMemDev *unused, gconstpointer data)
{
    unsigned len;

    for (len = 0; len < 0x80; len++) {
        assert_rc(send_bytes(&fake.mailbox, 0x0201, len),
                  CXL_RC_INVALID_PAYLOAD_LENGTH);
        if (len) {
            assert_rc(send_bytes(&fake.mailbox, 0x0200, len),
                      CXL_RC_INVALID_PAYLOAD_LENGTH);
        }
        if (len != 2) {
            assert_rc(send_bytes(&fake.mailbox, 0x0202, len),
                      CXL_RC_INVALID_PAYLOAD_LENGTH);
        }
    }
    assert_rc(send_bytes(&fake.ld, 0x0200, 0), CXL_RC_UNSUPPORTED);
}

static void test_whole_image(FakeMemDev *unused, gconstpointer data)
{
    check_slots(1, V0, "");
    assert_rc(part_on(&fake.mailbox, ACT_FULL, 2, 0, 512), CXL_RC_BG_STARTED);
    fake_clock_step(FULL - 1);
    g_assert_true(fake.mailbox.bg.running);
    check_slots(1, V0, "");
    fake_clock_step(1);
    g_assert_false(fake.mailbox.bg.running);
    check_slots(1, V0, V1);
    /* the transfer is over: the next one may start, and is a new image */
    assert_rc(part(ACT_FULL, 2, 0, 512), CXL_RC_BG_STARTED);
    check_slots(1, V0, V2);
}

static void test_parts(FakeMemDev *unused, gconstpointer data)
{
    assert_rc(part(ACT_START, 0, 0, 256), CXL_RC_BG_STARTED);
    assert_rc(part(ACT_CONTINUE, 0, 2, 256), CXL_RC_BG_STARTED);
    /* an exact repeat of the last part, but not of an earlier one */
    assert_rc(part(ACT_CONTINUE, 0, 2, 256), CXL_RC_BG_STARTED);
    assert_rc(part(ACT_CONTINUE, 0, 0, 256), CXL_RC_FW_XFER_OUT_OF_ORDER);
    assert_rc(part(ACT_CONTINUE, 0, 2, 128), CXL_RC_FW_XFER_OUT_OF_ORDER);
    assert_rc(part(ACT_END, 2, 3, 5), CXL_RC_FW_XFER_OUT_OF_ORDER);
    check_slots(1, V0, "");
    assert_rc(part(ACT_END, 2, 4, 5), CXL_RC_BG_STARTED);
    check_slots(1, V0, V1);
    assert_rc(part(ACT_END, 2, 4, 5), CXL_RC_INVALID_INPUT);
}

static void test_size(FakeMemDev *unused, gconstpointer data)
{
    const uint32_t last = 32 * MiB / 128 - 1;

    assert_rc(part(ACT_FULL, 2, last, 129), CXL_RC_INVALID_INPUT);
    assert_rc(part(ACT_FULL, 2, UINT32_MAX, 1), CXL_RC_INVALID_INPUT);
    assert_rc(part(ACT_START, 0, 0, 128), CXL_RC_BG_STARTED);
    assert_rc(part(ACT_END, 2, last, 129), CXL_RC_INVALID_INPUT);
    assert_rc(part(ACT_END, 2, last, 128), CXL_RC_BG_STARTED);
}

static void test_refusals(FakeMemDev *unused, gconstpointer data)
{
    static const uint8_t bad_slots[] = { 0, 1, 3, 255 };
    unsigned i;

    assert_rc(part(ACT_CONTINUE, 0, 0, 128), CXL_RC_INVALID_INPUT);
    assert_rc(part(ACT_END, 2, 0, 128), CXL_RC_INVALID_INPUT);
    assert_rc(part(ACT_START, 0, 1, 128), CXL_RC_INVALID_INPUT);
    assert_rc(part(ACT_UNKNOWN, 2, 0, 128), CXL_RC_INVALID_INPUT);
    for (i = 0; i < ARRAY_SIZE(bad_slots); i++) {
        assert_rc(part(ACT_FULL, bad_slots[i], 0, 128),
                  CXL_RC_FW_INVALID_SLOT);
    }
    assert_rc(part(ACT_START, 0, 0, 128), CXL_RC_BG_STARTED);
    assert_rc(part(ACT_START, 0, 0, 128), CXL_RC_FW_XFER_IN_PROGRESS);
    assert_rc(part(ACT_FULL, 2, 0, 128), CXL_RC_FW_XFER_IN_PROGRESS);
    for (i = 0; i < ARRAY_SIZE(bad_slots); i++) {
        assert_rc(part(ACT_END, bad_slots[i], 1, 128),
                  CXL_RC_FW_INVALID_SLOT);
    }
    /* none of this hurt the transfer */
    assert_rc(part(ACT_END, 2, 1, 128), CXL_RC_BG_STARTED);
}

static void test_timeout(FakeMemDev *unused, gconstpointer data)
{
    assert_rc(part(ACT_START, 0, 0, 128), CXL_RC_BG_STARTED);
    fake_clock_step(30 * SECOND - PART);
    assert_rc(part(ACT_CONTINUE, 0, 1, 128), CXL_RC_BG_STARTED);
    fake_clock_step(30 * SECOND - PART + 1);
    assert_rc(part(ACT_CONTINUE, 0, 2, 128), CXL_RC_INVALID_INPUT);
    assert_rc(part(ACT_START, 0, 0, 128), CXL_RC_BG_STARTED);
}

static void test_abort(FakeMemDev *unused, gconstpointer data)
{
    assert_rc(part(ACT_ABORT, 0, 0, 0), CXL_RC_SUCCESS);
    assert_rc(part(ACT_START, 0, 0, 128), CXL_RC_BG_STARTED);
    assert_rc(part(ACT_ABORT, 0, 0, 0), CXL_RC_SUCCESS);
    assert_rc(part(ACT_END, 2, 1, 128), CXL_RC_INVALID_INPUT);
    /* 0005h ends the whole transfer with the part that it hits */
    assert_rc(part_on(&fake.mailbox, ACT_FULL, 2, 0, 128), CXL_RC_BG_STARTED);
    assert_rc(cxl_cci_bg_abort(&fake.mailbox), CXL_RC_SUCCESS);
    g_assert_cmphex(fake.mailbox.bg.ret_code, ==, CXL_RC_ABORTED);
    fake_clock_step(FULL);
    check_slots(1, V0, "");
    assert_rc(part(ACT_FULL, 2, 0, 128), CXL_RC_BG_STARTED);
}

static void test_one_part_at_a_time(FakeMemDev *unused, gconstpointer data)
{
    assert_rc(part_on(&fake.fm, ACT_FULL, 2, 0, 128), CXL_RC_BG_STARTED);
    assert_rc(part_on(&fake.fm, ACT_ABORT, 0, 0, 0), CXL_RC_BUSY);
    assert_rc(part(ACT_ABORT, 0, 0, 0), CXL_RC_BUSY);
    assert_rc(part(ACT_FULL, 2, 0, 128), CXL_RC_BUSY);
    assert_rc(activate(ONLINE, 2), CXL_RC_BUSY);
    fake_clock_step(FULL);
    check_slots(1, V0, V1);
}

static void test_activation(FakeMemDev *unused, gconstpointer data)
{
    static const uint8_t bad_slots[] = { 0, 1, 2, 3, 255 };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(bad_slots); i++) {
        assert_rc(activate(ONLINE, bad_slots[i]), CXL_RC_FW_INVALID_SLOT);
        assert_rc(activate(AT_RESET, bad_slots[i]), CXL_RC_FW_INVALID_SLOT);
    }
    assert_rc(part(ACT_FULL, 2, 0, 128), CXL_RC_BG_STARTED);
    assert_rc(activate(2, 2), CXL_RC_INVALID_INPUT);
    check_slots(1, V0, V1);
    assert_rc(activate(AT_RESET, 2), CXL_RC_SUCCESS);
    check_slots(1 | 2 << 3, V0, V1);
    cxl_firmware_reset(fake.mem->firmware);
    check_slots(2, V0, V1);
    assert_rc(activate(AT_RESET, 1), CXL_RC_SUCCESS);
    assert_rc(activate(ONLINE, 1), CXL_RC_SUCCESS);
    check_slots(1, V0, V1);
    cxl_firmware_reset(fake.mem->firmware);
    check_slots(1, V0, V1);
}

static void test_reset_drops_the_transfer(FakeMemDev *unused,
                                          gconstpointer data)
{
    assert_rc(part_on(&fake.mailbox, ACT_START, 0, 0, 128),
              CXL_RC_BG_STARTED);
    cxl_cci_reset(&fake.mailbox);
    cxl_firmware_reset(fake.mem->firmware);
    assert_rc(part(ACT_END, 2, 1, 128), CXL_RC_INVALID_INPUT);
    check_slots(1, V0, "");
}

static void test_migration(FakeMemDev *unused, gconstpointer data)
{
    g_autoptr(GByteArray) state = NULL;
    CXLFirmware bad;

    assert_rc(part(ACT_FULL, 2, 0, 128), CXL_RC_BG_STARTED);
    assert_rc(activate(AT_RESET, 2), CXL_RC_SUCCESS);
    assert_rc(part(ACT_START, 0, 0, 128), CXL_RC_BG_STARTED);
    state = state_save(&vmstate_cxl_firmware, fake.mem->firmware);
    cxl_firmware_init(fake.mem->firmware);
    g_assert_cmpint(state_load(&vmstate_cxl_firmware, fake.mem->firmware,
                               state->data, state->len), ==, 0);
    check_slots(1 | 2 << 3, V0, V1);
    bad = *fake.mem->firmware;
    assert_rc(part(ACT_END, 2, 1, 128), CXL_RC_BG_STARTED);
    check_slots(1 | 2 << 3, V0, V2);

    /* a slot that runs without an image */
    bad.active = 3;
    g_clear_pointer(&state, g_byte_array_unref);
    state = state_save(&vmstate_cxl_firmware, &bad);
    g_assert_true(state_is_refused(&vmstate_cxl_firmware, fake.mem->firmware,
                                   state->data, state->len));
}

#define ADD(path, fn) \
    g_test_add("/cxl/cmds/firmware/" path, FakeMemDev, NULL, setup, fn, \
               fake_teardown)

int main(int argc, char **argv)
{
    fake_memdev_test_init(&argc, &argv);
    ADD("wrong-lengths", test_lengths);
    ADD("whole-image", test_whole_image);
    ADD("parts", test_parts);
    ADD("size", test_size);
    ADD("refusals", test_refusals);
    ADD("timeout", test_timeout);
    ADD("abort", test_abort);
    ADD("one-part-at-a-time", test_one_part_at_a_time);
    ADD("activation", test_activation);
    ADD("reset", test_reset_drops_the_transfer);
    ADD("migration", test_migration);
    return g_test_run();
}
