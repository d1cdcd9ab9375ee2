/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command sets 46h and 47h: the list of security protocols; QoS settings, their
 * limits and migration
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "fake-memdev.h"
#include "state-bytes.h"
#include "hw/cxl/cci/cmd-sets.h"
#include "hw/cxl/memdev/qos.h"

const CXLCmdSet *const cxl_cmd_sets[] = {
    &cxl_cmds_security_protocol,
    &cxl_cmds_qos,
    NULL,
};

static void setup(FakeMemDev *unused, gconstpointer data)
{
    fake_memdev_open();
}

static void test_lengths(FakeMemDev *unused, gconstpointer data)
{
    unsigned len;

    for (len = 0; len < 20; len++) {
        g_assert_cmphex(send_bytes(&fake.mailbox, 0x4600, len), ==,
                        len < 8 ? CXL_RC_INVALID_PAYLOAD_LENGTH :
                                  CXL_RC_INVALID_INPUT);
        g_assert_cmphex(send_bytes(&fake.fm, 0x4601, len), ==,
                        len == 8 ? CXL_RC_SUCCESS :
                                   CXL_RC_INVALID_PAYLOAD_LENGTH);
        g_assert((send_bytes(&fake.mailbox, 0x4700, len) ==
                  CXL_RC_INVALID_PAYLOAD_LENGTH) == (len != 0));
        g_assert((send_bytes(&fake.mailbox, 0x4701, len) ==
                  CXL_RC_INVALID_PAYLOAD_LENGTH) == (len != 4));
        g_assert((send_bytes(&fake.mailbox, 0x4702, len) ==
                  CXL_RC_INVALID_PAYLOAD_LENGTH) == (len != 0));
    }
    assert_rc(send_bytes(&fake.ld, 0x4601, 8), CXL_RC_UNSUPPORTED);
    assert_rc(send_bytes(&fake.fm, 0x4700, 0), CXL_RC_UNSUPPORTED);
    assert_rc(send_bytes(&fake.ld, 0x4700, 0), CXL_RC_UNSUPPORTED);
}

static CXLRetCode passthrough(uint16_t op, uint8_t protocol, uint16_t specific)
{
    cxl_put_u8(&rq, protocol);
    cxl_put_le16(&rq, specific);
    cxl_put_zero(&rq, 5);
    return send_request(&fake.mailbox, op);
}

static void test_protocols(FakeMemDev *unused, gconstpointer data)
{
    static const uint8_t list[] = { 0, 0, 0, 0, 0, 0, 0, 1, 0 };

    assert_rc(passthrough(0x4601, 0, 0), CXL_RC_SUCCESS);
    g_assert_cmpmem(rs.data, rs.size, list, sizeof(list));
    assert_rc(passthrough(0x4601, 0, 1), CXL_RC_INVALID_INPUT);
    assert_rc(passthrough(0x4601, 0, 0x100), CXL_RC_INVALID_INPUT);
    assert_rc(passthrough(0x4601, 1, 0), CXL_RC_INVALID_INPUT);
    assert_rc(passthrough(0x4601, 0xff, 0xffff), CXL_RC_INVALID_INPUT);
    assert_rc(passthrough(0x4600, 0, 0), CXL_RC_INVALID_INPUT);
    assert_rc(passthrough(0x4600, 0xef, 0), CXL_RC_INVALID_INPUT);
}

static CXLRetCode set(uint8_t control, uint8_t moderate, uint8_t severe,
                      uint8_t interval)
{
    return send_fields(&fake.mailbox, 0x4701, control, moderate, severe,
                       interval);
}

static void control_is(uint8_t control, uint8_t moderate, uint8_t severe,
                       uint8_t interval)
{
    assert_rc(send_request(&fake.mailbox, 0x4700), CXL_RC_SUCCESS);
    g_assert_cmpuint(rs.size, ==, 4);
    g_assert_cmphex(cxl_get_u8(&rs), ==, control);
    g_assert_cmpuint(cxl_get_u8(&rs), ==, moderate);
    g_assert_cmpuint(cxl_get_u8(&rs), ==, severe);
    g_assert_cmpuint(cxl_get_u8(&rs), ==, interval);
}

static void status_is(uint8_t percent)
{
    assert_rc(send_request(&fake.mailbox, 0x4702), CXL_RC_SUCCESS);
    g_assert_cmpuint(rs.size, ==, 1);
    g_assert_cmpuint(cxl_get_u8(&rs), ==, percent);
}

static void test_control(FakeMemDev *unused, gconstpointer data)
{
    control_is(0, 10, 25, 8);
    assert_rc(set(3, 1, 100, 15), CXL_RC_SUCCESS);
    control_is(3, 1, 100, 15);
    assert_rc(set(4, 1, 1, 1), CXL_RC_INVALID_INPUT);
    assert_rc(set(0, 0, 1, 1), CXL_RC_INVALID_INPUT);
    assert_rc(set(0, 101, 1, 1), CXL_RC_INVALID_INPUT);
    assert_rc(set(0, 1, 0, 1), CXL_RC_INVALID_INPUT);
    assert_rc(set(0, 1, 101, 1), CXL_RC_INVALID_INPUT);
    assert_rc(set(0, 1, 1, 16), CXL_RC_INVALID_INPUT);
    control_is(3, 1, 100, 15);
    cxl_qos_reset(fake.mem->qos);
    control_is(0, 10, 25, 8);
}

static void test_status(FakeMemDev *unused, gconstpointer data)
{
    status_is(0);
    fake.mem->qos->backpressure = 55;
    status_is(55);
    assert_rc(set(0, 10, 25, 0), CXL_RC_SUCCESS);
    status_is(0);
    /* a reset changes settings, not what is measured */
    cxl_qos_reset(fake.mem->qos);
    status_is(55);
}

static void refused(CXLQoS bad)
{
    g_autoptr(GByteArray) state = state_save(&vmstate_cxl_qos, &bad);

    g_assert_true(state_is_refused(&vmstate_cxl_qos, &bad, state->data,
                                   state->len));
}

static void test_migration(FakeMemDev *unused, gconstpointer data)
{
    g_autoptr(GByteArray) state = NULL;
    CXLQoS bad;

    assert_rc(set(2, 33, 44, 5), CXL_RC_SUCCESS);
    fake.mem->qos->backpressure = 7;
    state = state_save(&vmstate_cxl_qos, fake.mem->qos);
    cxl_qos_init(fake.mem->qos);
    g_assert_cmpint(state_load(&vmstate_cxl_qos, fake.mem->qos, state->data,
                               state->len), ==, 0);
    control_is(2, 33, 44, 5);
    status_is(7);
    bad = *fake.mem->qos;
    bad.backpressure = 101;
    refused(bad);
    bad = *fake.mem->qos;
    bad.now.severe = 0;
    refused(bad);
}

#define ADD(path, fn) \
    g_test_add("/cxl/cmds/qos/" path, FakeMemDev, NULL, setup, fn, \
               fake_teardown)

int main(int argc, char **argv)
{
    fake_memdev_test_init(&argc, &argv);
    ADD("wrong-lengths", test_lengths);
    ADD("4600-4601", test_protocols);
    ADD("4700-4701", test_control);
    ADD("4702", test_status);
    ADD("migration", test_migration);
    return g_test_run();
}
