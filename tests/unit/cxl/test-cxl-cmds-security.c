/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command set 45h: each transition of the security state and each return code,
 * what other commands answer of a locked device, migration
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "fake-memdev.h"
#include "state-bytes.h"
#include "hw/cxl/cci/cmd-sets.h"
#include "hw/cxl/memdev/media.h"
#include "hw/cxl/memdev/security.h"

#define VMEM    (256 * MiB)
#define PMEM    (512 * MiB)

enum { MASTER, USER, NO_SUCH_TYPE };

const CXLCmdSet *const cxl_cmd_sets[] = {
    &cxl_cmds_capacity,
    &cxl_cmds_media,
    &cxl_cmds_sanitize,
    &cxl_cmds_security,
    NULL,
};

static void setup(FakeMemDev *unused, gconstpointer data)
{
    fake.volatile_size = VMEM;
    fake.persistent_size = PMEM;
    fake.lsa_size = sizeof(fake.lsa);
    fake_memdev_open();
}

static void put_secret(uint8_t fill)
{
    memset(cxl_put_space(&rq, CXL_PASSPHRASE_SIZE), fill, CXL_PASSPHRASE_SIZE);
}

static void put_type(uint8_t type)
{
    cxl_put_u8(&rq, type);
    cxl_put_zero(&rq, 0x1f);
}

static CXLRetCode set(uint8_t type, uint8_t current, uint8_t new)
{
    put_type(type);
    put_secret(current);
    put_secret(new);
    return send_request(&fake.mailbox, 0x4501);
}

static CXLRetCode disable(uint8_t type, uint8_t secret)
{
    put_type(type);
    put_secret(secret);
    return send_request(&fake.mailbox, 0x4502);
}

static CXLRetCode unlock(uint8_t secret)
{
    put_secret(secret);
    return send_request(&fake.mailbox, 0x4503);
}

static CXLRetCode freeze(void)
{
    return send_request(&fake.mailbox, 0x4504);
}

static CXLRetCode erase(uint8_t type, uint8_t secret)
{
    put_type(type);
    put_secret(secret);
    return send_request(&fake.mailbox, 0x4505);
}

static void state_is(uint32_t state)
{
    assert_rc(send_request(&fake.mailbox, 0x4500), CXL_RC_SUCCESS);
    g_assert_cmpuint(rs.size, ==, 4);
    g_assert_cmphex(cxl_get_le32(&rs), ==, state);
}

static void lock(uint8_t secret)
{
    assert_rc(set(USER, 0, secret), CXL_RC_SUCCESS);
    cxl_security_reset(fake.mem->security);
    state_is(CXL_SECURITY_USER_SET | CXL_SECURITY_LOCKED);
}

static void test_lengths(FakeMemDev *unused, gconstpointer data)
{
    static const uint8_t right[] = { 0, 0x60, 0x40, 0x20, 0, 0x40 };
    unsigned i, len;

    for (i = 0; i < ARRAY_SIZE(right); i++) {
        for (len = 0; len < 0x70; len++) {
            g_assert((send_bytes(&fake.mailbox, 0x4500 + i, len) ==
                      CXL_RC_INVALID_PAYLOAD_LENGTH) == (len != right[i]));
        }
        assert_rc(send_bytes(&fake.fm, 0x4500 + i, right[i]),
                  CXL_RC_UNSUPPORTED);
        assert_rc(send_bytes(&fake.ld, 0x4500 + i, right[i]),
                  CXL_RC_UNSUPPORTED);
    }
}

static void test_volatile_only(FakeMemDev *unused, gconstpointer data)
{
    uint16_t op;

    fake_memdev_close();
    fake.volatile_size = VMEM;
    fake_memdev_open();
    state_is(0);
    for (op = 0x4501; op <= 0x4505; op++) {
        assert_rc(send_bytes(&fake.mailbox, op, 0x40), CXL_RC_UNSUPPORTED);
    }
}

static void test_set(FakeMemDev *unused, gconstpointer data)
{
    state_is(0);
    assert_rc(set(NO_SUCH_TYPE, 0, 1), CXL_RC_INVALID_INPUT);
    assert_rc(set(0xff, 0, 1), CXL_RC_INVALID_INPUT);
    assert_rc(set(MASTER, 9, 1), CXL_RC_SUCCESS);
    state_is(CXL_SECURITY_MASTER_SET);
    assert_rc(set(MASTER, 9, 2), CXL_RC_BAD_PASSPHRASE);
    assert_rc(set(MASTER, 1, 2), CXL_RC_SUCCESS);
    assert_rc(set(USER, 0, 3), CXL_RC_SUCCESS);
    state_is(CXL_SECURITY_MASTER_SET | CXL_SECURITY_USER_SET);
    assert_rc(set(MASTER, 2, 4), CXL_RC_INVALID_SECURITY_STATE);
    assert_rc(set(USER, 4, 4), CXL_RC_BAD_PASSPHRASE);
    assert_rc(set(USER, 3, 4), CXL_RC_SUCCESS);
    assert_rc(disable(USER, 3), CXL_RC_BAD_PASSPHRASE);
    assert_rc(disable(USER, 4), CXL_RC_SUCCESS);
    state_is(CXL_SECURITY_MASTER_SET);
}

static void test_disable(FakeMemDev *unused, gconstpointer data)
{
    assert_rc(disable(NO_SUCH_TYPE, 0), CXL_RC_INVALID_INPUT);
    assert_rc(disable(USER, 0), CXL_RC_INVALID_SECURITY_STATE);
    assert_rc(disable(MASTER, 0), CXL_RC_INVALID_SECURITY_STATE);
    assert_rc(set(MASTER, 0, 1), CXL_RC_SUCCESS);
    assert_rc(disable(MASTER, 2), CXL_RC_BAD_PASSPHRASE);
    assert_rc(disable(MASTER, 1), CXL_RC_SUCCESS);
    state_is(0);
    /* ... and a locked device is open then */
    lock(5);
    assert_rc(disable(USER, 5), CXL_RC_SUCCESS);
    state_is(0);
}

static void test_unlock(FakeMemDev *unused, gconstpointer data)
{
    assert_rc(unlock(0), CXL_RC_INVALID_SECURITY_STATE);
    assert_rc(set(USER, 0, 1), CXL_RC_SUCCESS);
    assert_rc(unlock(1), CXL_RC_INVALID_SECURITY_STATE);
    assert_rc(disable(USER, 1), CXL_RC_SUCCESS);
    lock(1);
    assert_rc(set(USER, 1, 2), CXL_RC_INVALID_SECURITY_STATE);
    assert_rc(unlock(2), CXL_RC_BAD_PASSPHRASE);
    state_is(CXL_SECURITY_USER_SET | CXL_SECURITY_LOCKED);
    assert_rc(unlock(1), CXL_RC_SUCCESS);
    state_is(CXL_SECURITY_USER_SET);
    /* every reset locks again */
    cxl_security_reset(fake.mem->security);
    state_is(CXL_SECURITY_USER_SET | CXL_SECURITY_LOCKED);
}

static void test_tries(FakeMemDev *unused, gconstpointer data)
{
    const uint32_t locked = CXL_SECURITY_USER_SET | CXL_SECURITY_LOCKED;
    unsigned i;

    lock(1);
    /* a right one starts the count anew */
    assert_rc(unlock(2), CXL_RC_BAD_PASSPHRASE);
    assert_rc(unlock(2), CXL_RC_BAD_PASSPHRASE);
    assert_rc(unlock(1), CXL_RC_SUCCESS);
    cxl_security_reset(fake.mem->security);
    for (i = 0; i < CXL_PASSPHRASE_TRIES; i++) {
        state_is(locked);
        assert_rc(unlock(2), CXL_RC_BAD_PASSPHRASE);
    }
    state_is(locked | CXL_SECURITY_USER_EXHAUSTED);
    assert_rc(unlock(1), CXL_RC_INVALID_SECURITY_STATE);
    assert_rc(disable(USER, 1), CXL_RC_INVALID_SECURITY_STATE);
    assert_rc(erase(USER, 1), CXL_RC_INVALID_SECURITY_STATE);
    g_assert_cmpuint(fake.zeroed_ranges, ==, 0);
    cxl_security_reset(fake.mem->security);
    assert_rc(unlock(1), CXL_RC_SUCCESS);
}

static void test_master_tries(FakeMemDev *unused, gconstpointer data)
{
    unsigned i;

    assert_rc(set(MASTER, 0, 7), CXL_RC_SUCCESS);
    assert_rc(set(USER, 0, 1), CXL_RC_SUCCESS);
    for (i = 0; i < CXL_PASSPHRASE_TRIES; i++) {
        assert_rc(erase(MASTER, 1), CXL_RC_BAD_PASSPHRASE);
        assert_rc(disable(USER, 7), CXL_RC_BAD_PASSPHRASE);
    }
    state_is(CXL_SECURITY_USER_SET | CXL_SECURITY_MASTER_SET |
             CXL_SECURITY_USER_EXHAUSTED | CXL_SECURITY_MASTER_EXHAUSTED);
    assert_rc(erase(MASTER, 7), CXL_RC_INVALID_SECURITY_STATE);
    cxl_security_reset(fake.mem->security);
    for (i = 0; i < CXL_PASSPHRASE_TRIES; i++) {
        assert_rc(unlock(7), CXL_RC_BAD_PASSPHRASE);
    }
    /* the master's erase ends that of the user as well */
    assert_rc(erase(MASTER, 7), CXL_RC_SUCCESS);
    state_is(CXL_SECURITY_MASTER_SET);
}

static void test_freeze(FakeMemDev *unused, gconstpointer data)
{
    lock(1);
    assert_rc(freeze(), CXL_RC_SUCCESS);
    assert_rc(freeze(), CXL_RC_SUCCESS);
    state_is(CXL_SECURITY_USER_SET | CXL_SECURITY_LOCKED |
             CXL_SECURITY_FROZEN);
    assert_rc(set(USER, 1, 2), CXL_RC_INVALID_SECURITY_STATE);
    assert_rc(set(NO_SUCH_TYPE, 1, 2), CXL_RC_INVALID_SECURITY_STATE);
    assert_rc(disable(USER, 1), CXL_RC_INVALID_SECURITY_STATE);
    assert_rc(unlock(1), CXL_RC_INVALID_SECURITY_STATE);
    assert_rc(erase(USER, 1), CXL_RC_INVALID_SECURITY_STATE);
    cxl_security_reset(fake.mem->security);
    assert_rc(unlock(1), CXL_RC_SUCCESS);
}

static void erased(unsigned times)
{
    g_assert_cmpuint(fake.zeroed_ranges, ==, times);
    g_assert_cmphex(fake.zeroed_range[times - 1].dpa, ==, VMEM);
    g_assert_cmphex(fake.zeroed_range[times - 1].len, ==, PMEM);
}

static void test_erase(FakeMemDev *unused, gconstpointer data)
{
    cxl_poison_found(fake.mem->poison, VMEM - 64, 128, CXL_POISON_INTERNAL);
    assert_rc(erase(NO_SUCH_TYPE, 0), CXL_RC_INVALID_INPUT);
    assert_rc(erase(MASTER, 0), CXL_RC_INVALID_INPUT);
    /* none set: whatever passphrase was sent */
    assert_rc(erase(USER, 9), CXL_RC_SUCCESS);
    erased(1);
    g_assert_true(cxl_poison_hits(fake.mem->poison, VMEM - 64, 64));
    g_assert_false(cxl_poison_hits(fake.mem->poison, VMEM, PMEM));
    lock(1);
    assert_rc(erase(USER, 2), CXL_RC_BAD_PASSPHRASE);
    g_assert_cmpuint(fake.zeroed_ranges, ==, 1);
    assert_rc(erase(USER, 1), CXL_RC_SUCCESS);
    erased(2);
    state_is(0);
    assert_rc(set(MASTER, 0, 3), CXL_RC_SUCCESS);
    assert_rc(set(USER, 0, 1), CXL_RC_SUCCESS);
    cxl_security_reset(fake.mem->security);
    assert_rc(erase(MASTER, 3), CXL_RC_SUCCESS);
    erased(3);
    state_is(CXL_SECURITY_MASTER_SET);
}

static CXLRetCode lsa(uint16_t op)
{
    cxl_put_le32(&rq, 0);
    cxl_put_le32(&rq, op == 0x4102);
    return send_request(&fake.mailbox, op);
}

static CXLRetCode line(uint16_t op, uint64_t dpa)
{
    cxl_put_le64(&rq, dpa);
    cxl_put_zero(&rq, op == 0x4302 ? 64 : 0);
    return send_request(&fake.mailbox, op);
}

static CXLRetCode scan(uint64_t dpa, uint64_t lines)
{
    return send_fields(&fake.mailbox, 0x4304, dpa, lines, 0);
}

static void test_other_commands(FakeMemDev *unused, gconstpointer data)
{
    assert_rc(set(USER, 0, 1), CXL_RC_SUCCESS);
    /* set is enough to protect all data from an erase without passphrase */
    assert_rc(send_request(&fake.mailbox, 0x4400),
              CXL_RC_INVALID_SECURITY_STATE);
    assert_rc(send_request(&fake.fm, 0x4401), CXL_RC_INVALID_SECURITY_STATE);
    g_assert_false(cxl_memdev_media_disabled(fake.mem));
    g_assert_cmpuint(fake.zeroed, ==, 0);
    assert_rc(lsa(0x4102), CXL_RC_SUCCESS);

    cxl_security_reset(fake.mem->security);
    assert_rc(send_request(&fake.mailbox, 0x4400),
              CXL_RC_INVALID_SECURITY_STATE);
    assert_rc(lsa(0x4102), CXL_RC_INVALID_SECURITY_STATE);
    assert_rc(lsa(0x4103), CXL_RC_INVALID_SECURITY_STATE);
    assert_rc(line(0x4301, VMEM), CXL_RC_INVALID_SECURITY_STATE);
    assert_rc(line(0x4302, VMEM + PMEM - 64), CXL_RC_INVALID_SECURITY_STATE);
    assert_rc(line(0x4301, VMEM + PMEM), CXL_RC_INVALID_PHYS_ADDR);
    assert_rc(line(0x4301, VMEM - 64), CXL_RC_SUCCESS);
    assert_rc(line(0x4302, VMEM - 64), CXL_RC_SUCCESS);
    assert_rc(scan(0, VMEM / 64 + 1), CXL_RC_INVALID_SECURITY_STATE);
    assert_rc(scan(0, VMEM / 64), CXL_RC_BG_STARTED);
}

static void test_ranges(FakeMemDev *unused, gconstpointer data)
{
    const CXLSecurity *s = fake.mem->security;

    g_assert_false(cxl_security_denies(s, 0, UINT64_MAX));
    lock(1);
    g_assert_false(cxl_security_denies(s, 0, VMEM));
    g_assert_true(cxl_security_denies(s, 0, VMEM + 1));
    g_assert_true(cxl_security_denies(s, VMEM, 1));
    g_assert_false(cxl_security_denies(s, VMEM, 0));
    g_assert_true(cxl_security_denies(s, VMEM + PMEM - 1, UINT64_MAX));
    g_assert_false(cxl_security_denies(s, VMEM + PMEM, UINT64_MAX));
    g_assert_false(cxl_security_denies(s, UINT64_MAX, UINT64_MAX));
}

static unsigned told;

static void count_notice(void *opaque, bool locked)
{
    g_assert_cmpint(locked, ==, fake.mem->security->locked);
    told++;
}

static void test_notice(FakeMemDev *unused, gconstpointer data)
{
    told = 0;
    fake.mem->security->notify = count_notice;
    cxl_security_reset(fake.mem->security);
    assert_rc(set(USER, 0, 1), CXL_RC_SUCCESS);
    g_assert_cmpuint(told, ==, 0);
    cxl_security_reset(fake.mem->security);
    cxl_security_reset(fake.mem->security);
    g_assert_cmpuint(told, ==, 1);
    assert_rc(unlock(1), CXL_RC_SUCCESS);
    assert_rc(erase(USER, 1), CXL_RC_SUCCESS);
    g_assert_cmpuint(told, ==, 2);
}

static void refused(CXLSecurity bad)
{
    g_autoptr(GByteArray) state = state_save(&vmstate_cxl_security, &bad);
    CXLSecurity other;

    cxl_security_init(&other, bad.dpa, bad.len, NULL, NULL);
    g_assert_true(state_is_refused(&vmstate_cxl_security, &other, state->data,
                                   state->len));
}

static void test_migration(FakeMemDev *unused, gconstpointer data)
{
    g_autoptr(GByteArray) state = NULL;
    CXLSecurity bad;

    assert_rc(set(MASTER, 0, 7), CXL_RC_SUCCESS);
    assert_rc(set(USER, 0, 1), CXL_RC_SUCCESS);
    cxl_security_reset(fake.mem->security);
    assert_rc(unlock(2), CXL_RC_BAD_PASSPHRASE);
    assert_rc(freeze(), CXL_RC_SUCCESS);
    state = state_save(&vmstate_cxl_security, fake.mem->security);

    cxl_security_init(fake.mem->security, VMEM, PMEM, NULL, NULL);
    g_assert_cmpint(state_load(&vmstate_cxl_security, fake.mem->security,
                               state->data, state->len), ==, 0);
    state_is(CXL_SECURITY_USER_SET | CXL_SECURITY_MASTER_SET |
             CXL_SECURITY_LOCKED | CXL_SECURITY_FROZEN);
    g_assert_cmpuint(fake.mem->security->pass[USER].failures, ==, 1);
    cxl_security_reset(fake.mem->security);
    assert_rc(unlock(1), CXL_RC_SUCCESS);

    bad = *fake.mem->security;
    bad.pass[USER].failures = CXL_PASSPHRASE_TRIES + 1;
    refused(bad);
    /* the bytes may come later: then the owner looks */
    g_assert_true(cxl_security_has_what_it_locks(fake.mem->security));
    fake.mem->security->len = 0;
    g_assert_false(cxl_security_has_what_it_locks(fake.mem->security));
    g_assert_cmpint(state_load(&vmstate_cxl_security, fake.mem->security,
                               state->data, state->len), ==, 0);
    fake.mem->security->len = PMEM;
    bad = *fake.mem->security;
    bad.locked = true;
    bad.pass[USER].set = false;
    refused(bad);
}

#define ADD(path, fn) \
    g_test_add("/cxl/cmds/security/" path, FakeMemDev, NULL, setup, fn, \
               fake_teardown)

int main(int argc, char **argv)
{
    fake_memdev_test_init(&argc, &argv);
    ADD("wrong-lengths", test_lengths);
    ADD("volatile-only", test_volatile_only);
    ADD("4501", test_set);
    ADD("4502", test_disable);
    ADD("4503", test_unlock);
    ADD("4504", test_freeze);
    ADD("4505", test_erase);
    ADD("tries/user", test_tries);
    ADD("tries/both", test_master_tries);
    ADD("other-commands", test_other_commands);
    ADD("ranges", test_ranges);
    ADD("notice", test_notice);
    ADD("migration", test_migration);
    return g_test_run();
}
