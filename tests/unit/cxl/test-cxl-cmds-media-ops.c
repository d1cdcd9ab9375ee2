/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Media Operations (4402h): discovery, ranges, each return code, migration
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "fake-clock.h"
#include "fake-memdev.h"
#include "state-bytes.h"
#include "hw/cxl/cci/cmd-sets.h"
#include "hw/cxl/memdev/media.h"
#include "hw/cxl/memdev/security.h"

#define LINE        64
#define VMEM        (256 * MiB)
#define PMEM        (256 * MiB)
#define STATIC_END  (VMEM + PMEM)
#define SECOND      1000000000ll

enum { SANITIZE, ZEROS };

const CXLCmdSet *const cxl_cmd_sets[] = {
    &cxl_cmds_media,
    &cxl_cmds_sanitize,
    NULL,
};

static void setup(FakeMemDev *unused, gconstpointer data)
{
    fake.volatile_size = VMEM;
    fake.persistent_size = PMEM;
    fake.has_dc = true;
    fake_memdev_open();
}

static void put_head(uint8_t class, uint8_t subclass, uint32_t count)
{
    cxl_put_u8(&rq, class);
    cxl_put_u8(&rq, subclass);
    cxl_put_le16(&rq, 0);
    cxl_put_le32(&rq, count);
}

static void put_range(uint64_t dpa, uint64_t len)
{
    cxl_put_le64(&rq, dpa);
    cxl_put_le64(&rq, len);
}

static CXLRetCode run(void)
{
    return send_request(&fake.mailbox, 0x4402);
}

static CXLRetCode one(uint64_t dpa, uint64_t len)
{
    put_head(1, ZEROS, 1);
    put_range(dpa, len);
    return run();
}

static CXLRetCode discover(uint16_t start, uint16_t count)
{
    put_head(0, 0, 0);
    cxl_put_le16(&rq, start);
    cxl_put_le16(&rq, count);
    return run();
}

static void ended_with(CXLRetCode rc)
{
    g_assert_true(fake.mailbox.bg.running);
    for (unsigned i = 0; i < 1000; i++) {
        fake_clock_step(SECOND / 1000);
    }
    g_assert_false(fake.mailbox.bg.running);
    g_assert_cmphex(fake.mailbox.bg.ret_code, ==, rc);
    g_assert_cmpuint(fake.mem->media->op_ranges, ==, 0);
}

static void zeroed(unsigned i, uint64_t dpa, uint64_t len)
{
    g_assert_cmpuint(fake.zeroed_ranges, >, i);
    g_assert_cmphex(fake.zeroed_range[i].dpa, ==, dpa);
    g_assert_cmphex(fake.zeroed_range[i].len, ==, len);
}

static void test_discovery(FakeMemDev *unused, gconstpointer data)
{
    assert_rc(discover(0, 9), CXL_RC_SUCCESS);
    g_assert_cmpuint(rs.size, ==, 12 + 4);
    g_assert_cmphex(cxl_get_le64(&rs), ==, LINE);
    g_assert_cmpuint(cxl_get_le16(&rs), ==, 2);
    g_assert_cmpuint(cxl_get_le16(&rs), ==, 2);
    g_assert_cmphex(cxl_get_le16(&rs), ==, 1 | SANITIZE << 8);
    g_assert_cmphex(cxl_get_le16(&rs), ==, 1 | ZEROS << 8);
    assert_rc(discover(1, 1), CXL_RC_SUCCESS);
    cxl_get_skip(&rs, 8);
    g_assert_cmpuint(cxl_get_le16(&rs), ==, 2);
    g_assert_cmpuint(cxl_get_le16(&rs), ==, 1);
    g_assert_cmphex(cxl_get_le16(&rs), ==, 1 | ZEROS << 8);
    assert_rc(discover(0, 0), CXL_RC_SUCCESS);
    g_assert_cmpuint(rs.size, ==, 12);
    assert_rc(discover(2, 1), CXL_RC_INVALID_INPUT);
    assert_rc(discover(0xffff, 0xffff), CXL_RC_INVALID_INPUT);
    put_head(0, 0, 1);
    cxl_put_le32(&rq, 0);
    assert_rc(run(), CXL_RC_INVALID_INPUT);
    put_head(0, 0, 0);
    cxl_put_le16(&rq, 0);
    assert_rc(run(), CXL_RC_INVALID_PAYLOAD_LENGTH);
}

/* A mailbox of 64 KiB carries more ranges than the device remembers */
static void test_too_many_ranges(FakeMemDev *unused, gconstpointer data)
{
    const uint32_t n = CXL_MEDIA_OP_RANGES + 1;
    const size_t len = 8 + n * 16;
    g_autofree uint8_t *in = g_malloc0(len);
    g_autofree uint8_t *out = g_malloc(64 * KiB);
    size_t out_len;
    unsigned i;

    cxl_cci_init(&fake.mailbox, CXL_CCI_MAILBOX, NULL, 64 * KiB);
    in[0] = 1;
    in[1] = ZEROS;
    stl_le_p(in + 4, n);
    for (i = 0; i < n; i++) {
        stq_le_p(in + 8 + i * 16 + 8, LINE);
    }
    g_assert_cmphex(cxl_cci_process(&fake.mailbox, 0x4402, in, len, out,
                                    64 * KiB, &out_len), ==,
                    CXL_RC_RESOURCES_EXHAUSTED);
    g_assert_false(fake.mailbox.bg.running);
    stl_le_p(in + 4, n - 1);
    g_assert_cmphex(cxl_cci_process(&fake.mailbox, 0x4402, in, len - 16, out,
                                    64 * KiB, &out_len), ==,
                    CXL_RC_BG_STARTED);
    g_assert_cmpuint(fake.mem->media->op_ranges, ==, n - 1);
    /* the stand-in for the memory has no room for so many */
    fake.mem->media->op_ranges = 0;
}

static void test_requests(FakeMemDev *unused, gconstpointer data)
{
    static const uint8_t unknown[][2] = {
        { 0, 1 }, { 1, 2 }, { 2, 0 }, { 0xff, 0xff },
    };
    unsigned i;

    for (i = 0; i < 8; i++) {
        assert_rc(send_bytes(&fake.mailbox, 0x4402, i),
                  CXL_RC_INVALID_PAYLOAD_LENGTH);
    }
    for (i = 0; i < ARRAY_SIZE(unknown); i++) {
        put_head(unknown[i][0], unknown[i][1], 0);
        assert_rc(run(), CXL_RC_UNSUPPORTED);
    }
    put_head(1, ZEROS, 0);
    assert_rc(run(), CXL_RC_SUCCESS);
    g_assert_false(fake.mailbox.bg.running);
    put_head(1, ZEROS, 2);
    put_range(0, LINE);
    assert_rc(run(), CXL_RC_INVALID_PAYLOAD_LENGTH);
    put_head(1, ZEROS, 0x10000001);
    put_range(0, LINE);
    assert_rc(run(), CXL_RC_INVALID_PAYLOAD_LENGTH);
    assert_rc(send_bytes(&fake.fm, 0x4402, 8), CXL_RC_UNSUPPORTED);
    fake.mem->media_status = CXL_MEDIA_DISABLED;
    assert_rc(one(0, LINE), CXL_RC_MEDIA_DISABLED);
}

static void test_ranges(FakeMemDev *unused, gconstpointer data)
{
    assert_rc(one(1, LINE), CXL_RC_INVALID_INPUT);
    assert_rc(one(0, LINE + 1), CXL_RC_INVALID_INPUT);
    assert_rc(one(0, 0), CXL_RC_INVALID_INPUT);
    assert_rc(one(STATIC_END, LINE), CXL_RC_INVALID_INPUT);
    assert_rc(one(STATIC_END - LINE, 2 * LINE), CXL_RC_INVALID_INPUT);
    assert_rc(one(0 - (uint64_t)LINE, LINE), CXL_RC_INVALID_INPUT);
    assert_rc(one(LINE, 0 - (uint64_t)LINE), CXL_RC_INVALID_INPUT);
    assert_rc(one(FAKE_REGION_BASE(0), LINE), CXL_RC_INVALID_INPUT);
    /* one bad range: none is touched */
    put_head(1, SANITIZE, 2);
    put_range(0, LINE);
    put_range(0, 1);
    assert_rc(run(), CXL_RC_INVALID_INPUT);
    g_assert_false(fake.mailbox.bg.running);
    g_assert_cmpuint(fake.mem->media->op_ranges, ==, 0);
}

static void test_overwrite(FakeMemDev *unused, gconstpointer data)
{
    cxl_poison_found(fake.mem->poison, 0, 4 * LINE, CXL_POISON_INTERNAL);
    put_head(1, SANITIZE, 2);
    put_range(LINE, 2 * LINE);
    put_range(VMEM - LINE, 2 * LINE);
    assert_rc(run(), CXL_RC_BG_STARTED);
    g_assert_cmpuint(fake.zeroed_ranges, ==, 0);
    assert_rc(one(0, LINE), CXL_RC_BUSY);
    new_request();
    put_head(1, ZEROS, 1);
    put_range(0, LINE);
    assert_rc(send_request(&fake.ld, 0x4402), CXL_RC_BUSY);
    ended_with(CXL_RC_SUCCESS);
    g_assert_cmpuint(fake.zeroed_ranges, ==, 2);
    zeroed(0, LINE, 2 * LINE);
    zeroed(1, VMEM - LINE, 2 * LINE);
    g_assert_false(cxl_poison_hits(fake.mem->poison, LINE, 2 * LINE));
    g_assert_true(cxl_poison_hits(fake.mem->poison, 0, LINE));
    g_assert_true(cxl_poison_hits(fake.mem->poison, 3 * LINE, LINE));
}

/* At a reset, what is left reads as zeroes at once */
static void test_cut_short(FakeMemDev *unused, gconstpointer data)
{
    assert_rc(one(0, STATIC_END), CXL_RC_BG_STARTED);
    cxl_cci_reset(&fake.mailbox);
    g_assert_cmpuint(fake.zeroed_ranges, ==, 1);
    zeroed(0, 0, STATIC_END);
    g_assert_false(fake.wiped);
    g_assert_cmpuint(fake.mem->media->op_ranges, ==, 0);
}

/* Some slices of a range, and a bit of another one */
#define LONG    (8 * CXL_MEMDEV_SLICE)

static void start_long(void)
{
    put_head(1, ZEROS, 2);
    put_range(LINE, LONG);
    put_range(VMEM, LINE);
    assert_rc(run(), CXL_RC_BG_STARTED);
}

/* The clock goes on until one more slice is done, and not two */
static void slice(unsigned n)
{
    unsigned percent = cxl_cci_bg_percent(&fake.mailbox), now;

    while (fake.zeroed_ranges < n) {
        g_assert_true(fake.mailbox.bg.running);
        fake_clock_step(SECOND / 1000);
        now = cxl_cci_bg_percent(&fake.mailbox);
        g_assert_cmpuint(now, >=, percent);
        percent = now;
    }
}

static void test_slices(FakeMemDev *unused, gconstpointer data)
{
    uint64_t dpa = LINE;

    start_long();
    for (unsigned i = 0; i < 8; i++) {
        slice(i + 1);
        /* one only, and others are served in between */
        g_assert_cmpuint(fake.zeroed_ranges, ==, i + 1);
        zeroed(i, dpa, CXL_MEMDEV_SLICE);
        dpa += CXL_MEMDEV_SLICE;
        assert_rc(one(0, LINE), CXL_RC_BUSY);
        new_request();
        assert_rc(discover(0, 1), CXL_RC_BUSY);
        new_request();
    }
    ended_with(CXL_RC_SUCCESS);
    g_assert_cmpuint(fake.zeroed_ranges, ==, 9);
    zeroed(8, VMEM, LINE);
}

static void test_slices_move(FakeMemDev *unused, gconstpointer data)
{
    g_autoptr(GByteArray) media = NULL, cci = NULL;

    start_long();
    slice(2);
    media = state_save(&vmstate_cxl_media, fake.mem->media);
    cci = state_save(&vmstate_cxl_cci, &fake.mailbox);
    cxl_cci_reset(&fake.mailbox);
    fake.zeroed_ranges = 0;
    g_assert_cmpint(state_load(&vmstate_cxl_media, fake.mem->media, media->data,
                               media->len), ==, 0);
    g_assert_cmpint(state_load(&vmstate_cxl_cci, &fake.mailbox, cci->data,
                               cci->len), ==, 0);
    slice(1);
    /* where it was, not from the start */
    g_assert_cmphex(fake.zeroed_range[0].dpa, >=, LINE + CXL_MEMDEV_SLICE);
    ended_with(CXL_RC_SUCCESS);
    zeroed(fake.zeroed_ranges - 1, VMEM, LINE);
}

static void test_slices_cut_short(FakeMemDev *unused, gconstpointer data)
{
    start_long();
    slice(1);
    cxl_cci_reset(&fake.mailbox);
    g_assert_cmpuint(fake.zeroed_ranges, ==, 3);
    zeroed(1, LINE + fake.zeroed_range[0].len,
           LONG - fake.zeroed_range[0].len);
    zeroed(2, VMEM, LINE);
    g_assert_cmpuint(fake.mem->media->op_ranges, ==, 0);
}

static void test_slices_aborted(FakeMemDev *unused, gconstpointer data)
{
    cxl_poison_found(fake.mem->poison, LONG, LINE, CXL_POISON_INTERNAL);
    start_long();
    slice(1);
    g_assert_cmphex(cxl_cci_bg_abort(&fake.mailbox), ==, CXL_RC_SUCCESS);
    g_assert_false(fake.mailbox.bg.running);
    g_assert_cmphex(fake.mailbox.bg.ret_code, ==, CXL_RC_ABORTED);
    /* the poison is gone, so the data are */
    g_assert_false(cxl_poison_hits(fake.mem->poison, LONG, LINE));
    g_assert_cmpuint(fake.zeroed_ranges, ==, 3);
    zeroed(1, LINE + fake.zeroed_range[0].len,
           LONG - fake.zeroed_range[0].len);
    zeroed(2, VMEM, LINE);
    /* and the next one runs */
    new_request();
    assert_rc(one(0, LINE), CXL_RC_BG_STARTED);
    ended_with(CXL_RC_SUCCESS);
}

static void test_dynamic(FakeMemDev *unused, gconstpointer data)
{
    CXLDCExtent e = { .dpa = FAKE_REGION_BASE(0), .len = FAKE_BLOCK };
    CXLDCAddRequest add = {
        .policy = CXL_DC_ADD_PRESCRIPTIVE, .extents = &e, .nr_extents = 1,
        .len = e.len,
    };
    CXLDCRange range = { e.dpa, e.len };

    assert_rc(cxl_dc_add(fake.dc, &add, NULL), CXL_RC_SUCCESS);
    assert_rc(cxl_dc_host_respond(fake.dc, 0, &range, 1, false),
              CXL_RC_SUCCESS);
    assert_rc(one(e.dpa, e.len + LINE), CXL_RC_INVALID_INPUT);
    assert_rc(one(e.dpa + LINE, e.len - LINE), CXL_RC_BG_STARTED);
    ended_with(CXL_RC_SUCCESS);
    zeroed(0, e.dpa + LINE, e.len - LINE);
    /* given back before its turn: somebody else may have it by then */
    put_head(1, ZEROS, 2);
    put_range(e.dpa, LINE);
    put_range(0, LINE);
    assert_rc(run(), CXL_RC_BG_STARTED);
    assert_rc(cxl_dc_host_release(fake.dc, 0, &range, 1, false),
              CXL_RC_SUCCESS);
    ended_with(CXL_RC_INVALID_PHYS_ADDR);
    g_assert_cmpuint(fake.zeroed_ranges, ==, 2);
    zeroed(1, 0, LINE);
}

static void test_locked(FakeMemDev *unused, gconstpointer data)
{
    fake.mem->security->pass[CXL_PASSPHRASE_USER].set = true;
    assert_rc(one(VMEM, LINE), CXL_RC_BG_STARTED);
    ended_with(CXL_RC_SUCCESS);
    cxl_security_reset(fake.mem->security);
    assert_rc(one(VMEM - LINE, 2 * LINE), CXL_RC_INVALID_SECURITY_STATE);
    assert_rc(one(VMEM - LINE, LINE), CXL_RC_BG_STARTED);
}

static void refused(CXLMediaState bad)
{
    g_autoptr(GByteArray) state = state_save(&vmstate_cxl_media, &bad);
    CXLMediaState other = { 0 };

    g_assert_true(state_is_refused(&vmstate_cxl_media, &other, state->data,
                                   state->len));
}

static void test_migration(FakeMemDev *unused, gconstpointer data)
{
    g_autoptr(GByteArray) state = NULL;
    CXLMediaState bad;

    assert_rc(one(LINE, 3 * LINE), CXL_RC_BG_STARTED);
    state = state_save(&vmstate_cxl_media, fake.mem->media);
    memset(fake.mem->media, 0, sizeof(*fake.mem->media));
    g_assert_cmpint(state_load(&vmstate_cxl_media, fake.mem->media, state->data,
                               state->len), ==, 0);
    bad = *fake.mem->media;
    bad.op_range[0].len = 0;
    refused(bad);
    bad.op_range[0].len = 1;
    refused(bad);
    bad.op_range[0].len = 0 - (uint64_t)LINE;
    bad.op_range[0].dpa = 2 * LINE;
    refused(bad);
    ended_with(CXL_RC_SUCCESS);
    zeroed(0, LINE, 3 * LINE);
}

static void test_too_many_in_stream(FakeMemDev *unused, gconstpointer data)
{
    g_autoptr(GByteArray) state = NULL;
    CXLMediaState m = { .op_ranges = 1 };
    uint8_t *at;
    size_t i;

    /* the saver sends what it has; so the count is put in by hand */
    m.op_range[0] = (CXLMediaRange) { 0x5a5a00, LINE };
    state = state_save(&vmstate_cxl_media, &m);
    for (i = 4; i + 8 <= state->len &&
         ldq_be_p(state->data + i) != m.op_range[0].dpa; i++) {
        /* look on */
    }
    at = state->data + i - 4;
    g_assert_cmphex(ldl_be_p(at), ==, 1);
    stl_be_p(at, CXL_MEDIA_OP_RANGES + 1);
    g_assert_true(state_is_refused(&vmstate_cxl_media, fake.mem->media,
                                   state->data, state->len));
    fake.mem->media->op_ranges = 0;
}

/* A host that heals every other line comes to an end, and nothing else does */
static void test_no_room_for_pieces(FakeMemDev *unused, gconstpointer data)
{
    g_autoptr(GByteArray) state = NULL;
    uint8_t line[LINE] = { 1 };
    uint64_t dpa = 4 * LINE;

    cxl_poison_found(fake.mem->poison, 0, 3 * LINE, CXL_POISON_INTERNAL);
    while (fake.mem->poison->n < CXL_POISON_RANGES_MAX) {
        cxl_poison_found(fake.mem->poison, dpa, LINE, CXL_POISON_INTERNAL);
        dpa += 2 * LINE;
    }
    assert_rc(one(LINE, LINE), CXL_RC_BG_STARTED);
    ended_with(CXL_RC_INTERNAL_ERROR);
    g_assert_cmpuint(fake.zeroed_ranges, ==, 0);
    cxl_put_le64(&rq, LINE);
    cxl_put_bytes(&rq, line, sizeof(line));
    fake.stored_dpa = UINT64_MAX;
    assert_rc(send_request(&fake.mailbox, 0x4302), CXL_RC_INTERNAL_ERROR);
    g_assert_cmphex(fake.stored_dpa, ==, UINT64_MAX);
    g_assert_true(cxl_poison_hits(fake.mem->poison, LINE, LINE));
    /* it can be saved, and healed from an end */
    state = state_save(&vmstate_cxl_poison, fake.mem->poison);
    assert_rc(one(0, LINE), CXL_RC_BG_STARTED);
    ended_with(CXL_RC_SUCCESS);
    assert_rc(one(LINE, LINE), CXL_RC_BG_STARTED);
    ended_with(CXL_RC_SUCCESS);
    g_assert_false(cxl_poison_hits(fake.mem->poison, 0, 2 * LINE));
}

#define ADD(path, fn) \
    g_test_add("/cxl/cmds/media-ops/" path, FakeMemDev, NULL, setup, fn, \
               fake_teardown)

int main(int argc, char **argv)
{
    fake_memdev_test_init(&argc, &argv);
    ADD("discovery", test_discovery);
    ADD("requests", test_requests);
    ADD("requests/too-many", test_too_many_ranges);
    ADD("ranges", test_ranges);
    ADD("overwrite", test_overwrite);
    ADD("cut-short", test_cut_short);
    ADD("slices", test_slices);
    ADD("slices/move", test_slices_move);
    ADD("slices/cut-short", test_slices_cut_short);
    ADD("slices/aborted", test_slices_aborted);
    ADD("dynamic", test_dynamic);
    ADD("locked", test_locked);
    ADD("no-room-for-pieces", test_no_room_for_pieces);
    ADD("migration", test_migration);
    ADD("migration/too-many", test_too_many_in_stream);
    return g_test_run();
}
