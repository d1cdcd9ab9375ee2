/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command set 06h: lengths, states of the device that refuse it, where things
 * are on the medium, spares, migration
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "fake-memdev.h"
#include "state-bytes.h"
#include "hw/cxl/cci/cmd-sets.h"
#include "hw/cxl/memdev/features.h"
#include "hw/cxl/memdev/maintenance.h"
#include "hw/cxl/memdev/security.h"

const CXLCmdSet *const cxl_cmd_sets[] = {
    &cxl_cmds_maintenance,
    NULL,
};

#define VOLATILE    (256 * MiB)
#define SIZE        (512 * MiB)

/* What the owner was told last, and how often */
static struct {
    uint64_t dpa;
    uint64_t len;
    unsigned replaced;
    unsigned logged;
    bool needed;
    unsigned changes;
} heard;

static void replaced(void *opaque, uint64_t dpa, uint64_t len)
{
    heard.dpa = dpa;
    heard.len = len;
    heard.replaced++;
}

static void needed(void *opaque, bool needed)
{
    heard.needed = needed;
    heard.changes++;
}

static void log_it(void *opaque, const CXLEventRecord *r)
{
    heard.logged++;
}

static const CXLMaintenanceOps ops = {
    .replaced = replaced,
    .needed = needed,
    .log = log_it,
};

static void setup(FakeMemDev *unused, gconstpointer data)
{
    memset(&heard, 0, sizeof(heard));
    fake.volatile_size = VOLATILE;
    fake.persistent_size = SIZE - VOLATILE;
    fake_memdev_open();
    fake.mem->maintenance->ops = &ops;
}

static CXLRetCode ppr(uint8_t flags, uint64_t dpa)
{
    cxl_put_u8(&rq, 1);
    cxl_put_u8(&rq, 0);
    cxl_put_u8(&rq, flags);
    cxl_put_le64(&rq, dpa);
    cxl_put_zero(&rq, 3);
    return send_request(&fake.mailbox, 0x0600);
}

/* Of rank 0 in a channel */
static CXLRetCode spare_rank(uint8_t flags, uint8_t channel)
{
    cxl_put_u8(&rq, 2);
    cxl_put_u8(&rq, 3);
    cxl_put_u8(&rq, flags);
    cxl_put_u8(&rq, channel);
    cxl_put_zero(&rq, 12);
    return send_request(&fake.mailbox, 0x0600);
}

static void test_lengths(FakeMemDev *unused, gconstpointer data)
{
    static const uint8_t right[] = { 0, 14, 16 };
    unsigned class, len;

    for (class = 0; class < ARRAY_SIZE(right); class++) {
        for (len = 0; len < 24; len++) {
            CXLRetCode rc = len < 2 || (class && len != right[class]) ?
                            CXL_RC_INVALID_PAYLOAD_LENGTH : CXL_RC_SUCCESS;

            new_request();
            cxl_put_u8(&rq, class);
            cxl_put_zero(&rq, 23);
            assert_rc(send_bytes(&fake.mailbox, 0x0600, len), rc);
        }
    }
}

static void test_where(FakeMemDev *unused, gconstpointer data)
{
    g_assert_null(cxl_cci_find(&fake.fm, 0x0600));
    g_assert_null(cxl_cci_find(&fake.ld, 0x0600));
    g_assert_cmphex(cxl_cci_find(&fake.mailbox, 0x0600)->effects, ==, 0x56);
}

static void test_states(FakeMemDev *unused, gconstpointer data)
{
    fake.mem->media_status = CXL_MEDIA_DISABLED;
    assert_rc(ppr(0, 0), CXL_RC_MEDIA_DISABLED);
    fake.mem->media_status = CXL_MEDIA_READY;
    /* a scan that another interface started */
    fake.mem->poison->frozen = true;
    assert_rc(ppr(0, 0), CXL_RC_BUSY);
    assert_rc(ppr(1, 0), CXL_RC_SUCCESS);
    fake.mem->poison->frozen = false;
    /* persistent memory behind a passphrase */
    fake.mem->security->locked = true;
    assert_rc(ppr(0, VOLATILE), CXL_RC_INVALID_SECURITY_STATE);
    assert_rc(spare_rank(0, 1), CXL_RC_INVALID_SECURITY_STATE);
    g_assert_cmpuint(heard.replaced, ==, 0);
    assert_rc(ppr(1, VOLATILE), CXL_RC_SUCCESS);
    assert_rc(ppr(0, VOLATILE - 64), CXL_RC_SUCCESS);
    g_assert_cmphex(heard.dpa, ==, VOLATILE - 64);
    g_assert_cmphex(heard.len, ==, 64);
    assert_rc(spare_rank(0, 0), CXL_RC_SUCCESS);
    g_assert_cmphex(heard.dpa, ==, 0);
    g_assert_cmphex(heard.len, ==, SIZE / 4);
    g_assert_cmpuint(heard.replaced, ==, 2);
    g_assert_cmpuint(heard.logged, ==, 1);
}

/* Each line is in the unit that its place names, and units do not overlap */
static void test_places(FakeMemDev *unused, gconstpointer data)
{
    static const struct {
        uint64_t size;
        uint64_t whole;
    } media[] = {
        { 256 * MiB, 256 * MiB },
        { 768 * MiB, 768 * MiB },
        /* rounded up to a row of each bank */
        { 256 * MiB + 64, 257 * MiB },
    };
    static const uint64_t unit[CXL_REPAIR_KINDS] = {
        64, 64, 64, 8 * KiB, 0, 0,
    };
    unsigned i, kind, n;

    for (i = 0; i < ARRAY_SIZE(media); i++) {
        CXLMaintenance m;

        cxl_maintenance_init(&m, media[i].size, fake.mem->features, &ops, NULL);
        g_assert_cmphex(m.size, ==, media[i].whole);
        for (n = 0; n < 10000; n++) {
            uint64_t dpa = g_test_rand_double() * (m.size - 1);

            for (kind = 0; kind < CXL_REPAIR_KINDS; kind++) {
                uint64_t len = kind == CXL_REPAIR_BANK ? m.size / 128 :
                               kind == CXL_REPAIR_RANK ? m.size / 4 :
                                                         unit[kind];
                CXLRepair r = { .kind = kind };

                g_assert_false(cxl_maintenance_line(&m, &r, m.size));
                g_assert_true(cxl_maintenance_line(&m, &r, dpa));
                g_assert_cmphex(r.dpa, ==, dpa & ~63ull);
                g_assert_cmphex(r.len, ==, 64);
                g_assert_true(cxl_maintenance_unit(&m, &r));
                g_assert_cmphex(r.dpa, ==, dpa / len * len);
                g_assert_cmphex(r.len, ==, len);
            }
        }
        cxl_maintenance_destroy(&m);
    }
}

static void test_needed(FakeMemDev *unused, gconstpointer data)
{
    CXLMaintenance *m = fake.mem->maintenance;

    cxl_maintenance_note(m, SIZE, 64);
    cxl_maintenance_note(m, UINT64_MAX - 63, 64);
    g_assert_cmpuint(heard.changes, ==, 0);
    cxl_maintenance_note(m, 0, 256);
    cxl_maintenance_note(m, 128, 256);
    cxl_maintenance_note(m, 64, 64);
    cxl_maintenance_note(m, SIZE - 64, UINT64_MAX - SIZE + 1);
    g_assert_true(heard.needed);
    g_assert_cmpuint(heard.changes, ==, 1);
    assert_rc(ppr(0, SIZE - 64), CXL_RC_SUCCESS);
    assert_rc(ppr(0, 0), CXL_RC_SUCCESS);
    assert_rc(ppr(0, 64), CXL_RC_SUCCESS);
    assert_rc(ppr(0, 128), CXL_RC_SUCCESS);
    assert_rc(ppr(0, 192), CXL_RC_SUCCESS);
    assert_rc(ppr(0, 256), CXL_RC_SUCCESS);
    g_assert_true(heard.needed);
    assert_rc(ppr(0, 320), CXL_RC_SUCCESS);
    g_assert_false(heard.needed);
    g_assert_cmpuint(heard.changes, ==, 2);
    cxl_maintenance_forget(m);
    g_assert_cmpuint(heard.changes, ==, 2);
}

static int reload(void)
{
    CXLMaintenance *m = fake.mem->maintenance;
    GByteArray *saved = state_save(&vmstate_cxl_maintenance, m);
    int rc = state_load(&vmstate_cxl_maintenance, m, saved->data, saved->len);

    g_byte_array_unref(saved);
    return rc;
}

static void test_migration(FakeMemDev *unused, gconstpointer data)
{
    CXLMaintenance *m = fake.mem->maintenance;
    GByteArray *saved;
    size_t i;

    assert_rc(ppr(0, 0), CXL_RC_SUCCESS);
    assert_rc(spare_rank(2, 0), CXL_RC_SUCCESS);
    cxl_maintenance_note(m, 4096, 64);
    saved = state_save(&vmstate_cxl_maintenance, m);
    cxl_maintenance_destroy(m);
    cxl_maintenance_init(m, SIZE, fake.mem->features, &ops, NULL);
    g_assert_cmpint(state_load(&vmstate_cxl_maintenance, m, saved->data,
                               saved->len), ==, 0);
    assert_rc(spare_rank(1, 0), CXL_RC_RESOURCES_EXHAUSTED);
    g_assert_cmpuint(m->left[CXL_REPAIR_SOFT_PPR], ==, CXL_SPARES_PPR - 1);
    g_assert_cmpuint(m->lent[CXL_REPAIR_SOFT_PPR], ==, 1);
    g_assert_cmpuint(m->needed.n, ==, 1);
    for (i = 0; i < saved->len; i++) {
        g_assert_true(state_is_refused(&vmstate_cxl_maintenance, m,
                                       saved->data, i));
    }
    g_byte_array_unref(saved);

    cxl_maintenance_reset(m);
    m->left[CXL_REPAIR_BANK] = CXL_SPARES_BANK;
    g_assert_cmpint(reload(), ==, 0);
    m->lent[CXL_REPAIR_BANK] = 1;
    g_assert_cmpint(reload(), !=, 0);
    m->lent[CXL_REPAIR_BANK] = 0;
    m->left[CXL_REPAIR_BANK] = UINT16_MAX;
    g_assert_cmpint(reload(), !=, 0);
}

int main(int argc, char **argv)
{
    fake_memdev_test_init(&argc, &argv);
#define T(name, f) g_test_add("/cxl/cmds-maintenance/" name, FakeMemDev, \
                              NULL, setup, f, fake_teardown)
    T("lengths", test_lengths);
    T("where", test_where);
    T("states", test_states);
    T("places", test_places);
    T("needed", test_needed);
    T("migration", test_migration);
    return g_test_run();
}
