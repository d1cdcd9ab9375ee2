/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command set 05h: lists, values, transfers in parts, reset, migration
 */
#include "qemu/osdep.h"
#include "fake-memdev.h"
#include "state-bytes.h"
#include "hw/cxl/cci/cmd-sets.h"
#include "hw/cxl/memdev/features.h"

const CXLCmdSet *const cxl_cmd_sets[] = {
    &cxl_cmds_features,
    NULL,
};

enum { FULL, START, CONTINUE, FINISH, ABORT, SAVE = 8 };

/* Features of no use that differ from real ones: one fixed, one long */
enum { FIXED, LONG, OWN_FEATURES };

static bool first_is_not_ff(const uint8_t *data)
{
    return data[0] != 0xff;
}

static const CXLFeatureDef own[OWN_FEATURES] = {
    [FIXED] = {
        .uuid.data = UUID(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11),
        .attributes = CXL_FEATURE_HAS_DEFAULT,
        .get_size = 2,
        .get = { 0xab, 0xcd },
        .is_valid = first_is_not_ff,
    },
    [LONG] = {
        .uuid.data = UUID(2, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11),
        .attributes = CXL_FEATURE_CHANGEABLE | CXL_FEATURE_HAS_SAVED,
        .set_version = 3,
        .get_size = 8,
        .set_size = 8,
        .get = { 1, 2, 3, 4, 5, 6, 7, 8 },
        .set = {
            { 0, 0xff }, { 1, 0xff }, { 2, 0xff }, { 3, 0xff },
            { 4, 0xff }, { 5, 0xff }, { 6, 0xff }, { 7, 0x0f },
        },
        .is_valid = first_is_not_ff,
    },
};

static unsigned changes;

static void count_change(void *opaque, unsigned feature)
{
    changes++;
}

static void setup(FakeMemDev *unused, gconstpointer data)
{
    changes = 0;
    fake_memdev_open();
    if (data) {
        cxl_features_init(fake.mem->features, own, OWN_FEATURES, count_change,
                          NULL);
    } else {
        cxl_features_init(fake.mem->features, cxl_memdev_features,
                          CXL_MEMDEV_FEATURES, count_change, NULL);
    }
}

/* -- requests ------------------------------------------------------------ */

static CXLRetCode list(uint32_t bytes, uint16_t start)
{
    return send_fields(&fake.mailbox, 0x0500, bytes, start);
}

static CXLRetCode get_part(unsigned feature, uint16_t offset, uint16_t count,
                           uint8_t selection)
{
    cxl_put_uuid(&rq, &fake.mem->features->def[feature].uuid);
    cxl_put_le16(&rq, offset);
    cxl_put_le16(&rq, count);
    cxl_put_u8(&rq, selection);
    return send_request(&fake.mailbox, 0x0501);
}

static CXLRetCode set_part(CXLCCI *cci, unsigned feature, uint32_t flags,
                           uint16_t offset, const void *data, size_t len)
{
    cxl_put_uuid(&rq, &fake.mem->features->def[feature].uuid);
    cxl_put_le32(&rq, flags);
    cxl_put_le16(&rq, offset);
    cxl_put_u8(&rq, fake.mem->features->def[feature].set_version);
    cxl_put_zero(&rq, 9);
    cxl_put_bytes(&rq, data, len);
    return send_request(cci, 0x0502);
}

#define set(feature, flags, offset, data, len) \
    set_part(&fake.mailbox, feature, flags, offset, data, len)

/* Reading the whole of @feature gives exactly these bytes */
static void reads(unsigned feature, uint8_t selection, const uint8_t *want,
                  size_t len)
{
    assert_rc(get_part(feature, 0, 100, selection), CXL_RC_SUCCESS);
    g_assert_cmpuint(cxl_reader_left(&rs), ==, len);
    g_assert_cmpmem(cxl_reader_bytes(&rs, len), len, want, len);
}

#define READS(feature, selection, ...) \
    reads(feature, selection, (const uint8_t[]) { __VA_ARGS__ }, \
          sizeof((const uint8_t[]) { __VA_ARGS__ }))

static const uint8_t eight[] = { 11, 12, 13, 14, 15, 16, 17, 18 };

/* -- tests --------------------------------------------------------------- */

static void test_lengths(FakeMemDev *unused, gconstpointer data)
{
    unsigned len;

    for (len = 0; len < 0x20; len++) {
        /* a count of 0 bytes, an unknown feature */
        assert_rc(send_bytes(&fake.mailbox, 0x0500, len),
                  len == 8 ? CXL_RC_INVALID_INPUT :
                             CXL_RC_INVALID_PAYLOAD_LENGTH);
        assert_rc(send_bytes(&fake.mailbox, 0x0501, len),
                  len == 0x15 ? CXL_RC_UNSUPPORTED :
                                CXL_RC_INVALID_PAYLOAD_LENGTH);
        assert_rc(send_bytes(&fake.mailbox, 0x0502, len),
                  CXL_RC_INVALID_PAYLOAD_LENGTH);
    }
    assert_rc(send_bytes(&fake.mailbox, 0x0502, 0x20), CXL_RC_UNSUPPORTED);
}

static void test_where(FakeMemDev *unused, gconstpointer data)
{
    unsigned op;

    for (op = 0x0500; op <= 0x0502; op++) {
        g_assert_nonnull(cxl_cci_find(&fake.mailbox, op));
        g_assert_nonnull(cxl_cci_find(&fake.fm, op));
        g_assert_null(cxl_cci_find(&fake.ld, op));
    }
    g_assert_cmphex(cxl_cci_find(&fake.mailbox, 0x0502)->effects, ==, 0x3e);
}

static void test_list(FakeMemDev *unused, gconstpointer data)
{
    unsigned i;

    /* what Linux asks first: how many are there? */
    assert_rc(list(8, 0), CXL_RC_SUCCESS);
    g_assert_cmpuint(cxl_reader_left(&rs), ==, 8);
    g_assert_cmpuint(cxl_get_le16(&rs), ==, 0);
    g_assert_cmpuint(cxl_get_le16(&rs), ==, CXL_MEMDEV_FEATURES);

    assert_rc(list(UINT32_MAX, 0), CXL_RC_SUCCESS);
    g_assert_cmpuint(cxl_get_le16(&rs), ==, CXL_MEMDEV_FEATURES);
    cxl_get_skip(&rs, 6);
    for (i = 0; i < CXL_MEMDEV_FEATURES; i++) {
        const CXLFeatureDef *def = &cxl_memdev_features[i];
        QemuUUID uuid;

        cxl_get_uuid(&rs, &uuid);
        g_assert_true(qemu_uuid_is_equal(&uuid, &def->uuid));
        g_assert_cmpuint(cxl_get_le16(&rs), ==, i);
        g_assert_cmpuint(cxl_get_le16(&rs), ==, def->get_size);
        g_assert_cmpuint(cxl_get_le16(&rs), ==, def->set_size);
        g_assert_cmphex(cxl_get_le32(&rs), ==, def->attributes);
        g_assert_cmpuint(cxl_get_u8(&rs), ==, 1);
        g_assert_cmpuint(cxl_get_u8(&rs), ==, 1);
        g_assert_cmphex(cxl_get_le16(&rs), ==, 0x0202);
        cxl_get_skip(&rs, 0x12);
    }
    g_assert_cmpuint(cxl_reader_left(&rs), ==, 0);
    g_assert_false(rs.overrun);

    /* from the middle, and not a byte more than asked for */
    assert_rc(list(8 + 0x30 + 0x2f, 1), CXL_RC_SUCCESS);
    g_assert_cmpuint(cxl_reader_left(&rs), ==, 8 + 0x30);
    g_assert_cmpuint(cxl_get_le16(&rs), ==, 1);
    cxl_get_skip(&rs, 6 + 0x10);
    g_assert_cmpuint(cxl_get_le16(&rs), ==, 1);

    assert_rc(list(7, 0), CXL_RC_INVALID_INPUT);
    assert_rc(list(8, CXL_MEMDEV_FEATURES), CXL_RC_INVALID_INPUT);
    assert_rc(list(8, UINT16_MAX), CXL_RC_INVALID_INPUT);
}

/* A response limit cuts the list, too */
static void test_list_is_cut(FakeMemDev *unused, gconstpointer data)
{
    uint16_t n;

    fake.mailbox.response_limit = 8;
    assert_rc(list(UINT32_MAX, 0), CXL_RC_SUCCESS);
    n = cxl_get_le16(&rs);
    g_assert_cmpuint(n, ==, MIN((256 - 8) / 0x30, CXL_MEMDEV_FEATURES));
    g_assert_cmpuint(cxl_reader_left(&rs), ==, 6 + n * 0x30);
}

static void test_defaults_are_possible(FakeMemDev *unused, gconstpointer data)
{
    unsigned i;

    for (i = 0; i < CXL_MEMDEV_FEATURES; i++) {
        const CXLFeatureDef *def = &cxl_memdev_features[i];
        unsigned b;

        g_assert_cmpuint(def->get_size, <=, CXL_FEATURE_GET_MAX);
        g_assert_cmpuint(def->set_size, <=, CXL_FEATURE_SET_MAX);
        g_assert_cmpuint(def->set_size, >, 0);
        for (b = 0; b < def->set_size; b++) {
            g_assert_cmpuint(def->set[b].at, <, def->get_size);
        }
        g_assert_true(def->is_valid(cxl_features_current(fake.mem->features,
                                                         i)));
    }
}

static void test_get(FakeMemDev *unused, gconstpointer data)
{
    READS(FIXED, CXL_FEATURE_CURRENT, 0xab, 0xcd);
    READS(FIXED, CXL_FEATURE_DEFAULT, 0xab, 0xcd);
    assert_rc(get_part(FIXED, 0, 2, CXL_FEATURE_SAVED),
              CXL_RC_FEAT_SELECTION);
    READS(LONG, CXL_FEATURE_SAVED, 1, 2, 3, 4, 5, 6, 7, 8);
    assert_rc(get_part(LONG, 0, 8, CXL_FEATURE_DEFAULT),
              CXL_RC_FEAT_SELECTION);
    assert_rc(get_part(LONG, 0, 8, 3), CXL_RC_FEAT_SELECTION);
    assert_rc(get_part(LONG, 0, 8, 255), CXL_RC_FEAT_SELECTION);

    assert_rc(get_part(LONG, 7, 2041, 0), CXL_RC_SUCCESS);
    g_assert_cmpuint(cxl_reader_left(&rs), ==, 1);
    g_assert_cmpuint(cxl_get_u8(&rs), ==, 8);
    assert_rc(get_part(LONG, 3, 2, 0), CXL_RC_SUCCESS);
    g_assert_cmpuint(cxl_reader_left(&rs), ==, 2);
    g_assert_cmphex(cxl_get_le16(&rs), ==, 0x0504);
    assert_rc(get_part(LONG, 8, 1, 0), CXL_RC_INVALID_INPUT);
    assert_rc(get_part(LONG, UINT16_MAX, 1, 0), CXL_RC_INVALID_INPUT);
    assert_rc(get_part(LONG, 7, 2042, 0), CXL_RC_INVALID_INPUT);
    assert_rc(get_part(LONG, 0, UINT16_MAX, 0), CXL_RC_INVALID_INPUT);
}

static void test_set(FakeMemDev *unused, gconstpointer data)
{
    static const uint8_t impossible[8] = { 0xff };

    assert_rc(set(LONG, FULL, 0, eight, 8), CXL_RC_SUCCESS);
    g_assert_cmpuint(changes, ==, 1);
    /* 18 is 12h, of which two bits are there */
    READS(LONG, CXL_FEATURE_CURRENT, 11, 12, 13, 14, 15, 16, 17, 2);
    READS(LONG, CXL_FEATURE_SAVED, 1, 2, 3, 4, 5, 6, 7, 8);

    assert_rc(set(LONG, FULL, 0, impossible, 8), CXL_RC_INVALID_INPUT);
    assert_rc(set(LONG, 5, 0, eight, 8), CXL_RC_INVALID_INPUT);
    assert_rc(set(LONG, 7, 0, eight, 8), CXL_RC_INVALID_INPUT);
    assert_rc(set(LONG, 0x10, 0, eight, 8), CXL_RC_INVALID_INPUT);
    assert_rc(set(LONG, 0x80000000, 0, eight, 8), CXL_RC_INVALID_INPUT);
    assert_rc(set(LONG, FULL, 0, eight, 7), CXL_RC_INVALID_PAYLOAD_LENGTH);
    assert_rc(set(LONG, FULL, 1, eight, 8), CXL_RC_INVALID_PAYLOAD_LENGTH);
    assert_rc(set(LONG, FULL, 1, eight, 7), CXL_RC_FEAT_XFER_OUT_OF_ORDER);
    assert_rc(set(LONG, FULL, 8, eight, 1), CXL_RC_INVALID_INPUT);
    assert_rc(set(LONG, FULL, 0, eight, 0), CXL_RC_INVALID_PAYLOAD_LENGTH);
    assert_rc(set(FIXED, FULL, 0, eight, 2), CXL_RC_UNSUPPORTED);
    g_assert_cmpuint(changes, ==, 1);
    READS(LONG, CXL_FEATURE_CURRENT, 11, 12, 13, 14, 15, 16, 17, 2);
}

static void test_version(FakeMemDev *unused, gconstpointer data)
{
    cxl_put_uuid(&rq, &own[LONG].uuid);
    cxl_put_zero(&rq, 6);
    cxl_put_u8(&rq, 2);
    cxl_put_zero(&rq, 9 + 8);
    assert_rc(send_request(&fake.mailbox, 0x0502), CXL_RC_FEAT_VERSION);
}

static void test_parts(FakeMemDev *unused, gconstpointer data)
{
    assert_rc(set(LONG, CONTINUE, 0, eight, 1),
              CXL_RC_FEAT_XFER_OUT_OF_ORDER);
    assert_rc(set(LONG, FINISH, 0, eight, 8), CXL_RC_FEAT_XFER_OUT_OF_ORDER);
    assert_rc(set(LONG, START, 1, eight, 2), CXL_RC_FEAT_XFER_OUT_OF_ORDER);
    assert_rc(get_part(LONG, 0, 8, 0), CXL_RC_SUCCESS);

    assert_rc(set(LONG, START, 0, eight, 2), CXL_RC_SUCCESS);
    assert_rc(get_part(LONG, 0, 8, 0), CXL_RC_FEAT_XFER_IN_PROGRESS);
    assert_rc(get_part(FIXED, 0, 2, 0), CXL_RC_SUCCESS);
    assert_rc(set(LONG, START, 0, eight, 2), CXL_RC_FEAT_XFER_IN_PROGRESS);
    assert_rc(set(LONG, FULL, 0, eight, 8), CXL_RC_FEAT_XFER_IN_PROGRESS);
    /* a gap, a repetition, too much, too early an end */
    assert_rc(set(LONG, CONTINUE, 3, eight, 2),
              CXL_RC_FEAT_XFER_OUT_OF_ORDER);
    assert_rc(set(LONG, CONTINUE, 0, eight, 2),
              CXL_RC_FEAT_XFER_OUT_OF_ORDER);
    assert_rc(set(LONG, CONTINUE, 2, eight, 7),
              CXL_RC_INVALID_PAYLOAD_LENGTH);
    assert_rc(set(LONG, FINISH, 2, eight, 2), CXL_RC_INVALID_PAYLOAD_LENGTH);
    /* and the transfer goes on in spite of all that */
    assert_rc(set(LONG, CONTINUE, 2, eight + 2, 3), CXL_RC_SUCCESS);
    g_assert_cmpuint(changes, ==, 0);
    assert_rc(set(LONG, FINISH | SAVE, 5, eight + 5, 3), CXL_RC_SUCCESS);
    g_assert_cmpuint(changes, ==, 1);
    READS(LONG, CXL_FEATURE_CURRENT, 11, 12, 13, 14, 15, 16, 17, 2);
    READS(LONG, CXL_FEATURE_SAVED, 11, 12, 13, 14, 15, 16, 17, 2);
}

static void test_abort(FakeMemDev *unused, gconstpointer data)
{
    assert_rc(set(LONG, ABORT, 0, NULL, 0), CXL_RC_SUCCESS);
    assert_rc(set(LONG, START, 0, eight, 2), CXL_RC_SUCCESS);
    assert_rc(set(LONG, ABORT, 0, NULL, 0), CXL_RC_SUCCESS);
    READS(LONG, CXL_FEATURE_CURRENT, 1, 2, 3, 4, 5, 6, 7, 8);
    assert_rc(set(LONG, FINISH, 2, eight, 6), CXL_RC_FEAT_XFER_OUT_OF_ORDER);
    assert_rc(set(LONG, FULL, 0, eight, 8), CXL_RC_SUCCESS);
}

static void test_impossible_value_ends_transfer(FakeMemDev *unused,
                                                gconstpointer data)
{
    static const uint8_t bad = 0xff;

    assert_rc(set(LONG, START, 0, &bad, 1), CXL_RC_SUCCESS);
    assert_rc(set(LONG, FINISH, 1, eight + 1, 7), CXL_RC_INVALID_INPUT);
    assert_rc(set(LONG, START, 0, eight, 1), CXL_RC_SUCCESS);
}

/* One transfer per device, whoever asks and for whatever */
static void test_one_transfer(FakeMemDev *unused, gconstpointer data)
{
    static const uint8_t scrub[] = { 5, 0 };
    static const uint8_t ecs[] = { 0, 4, 0, 4, 0, 4, 0 };
    unsigned flags;

    assert_rc(set(CXL_FEATURE_PATROL_SCRUB, START, 0, scrub, 1),
              CXL_RC_SUCCESS);
    for (flags = FULL; flags <= ABORT; flags++) {
        assert_rc(set(CXL_FEATURE_ECS, flags, 0, ecs, sizeof(ecs)),
                  CXL_RC_FEAT_XFER_IN_PROGRESS);
        assert_rc(set_part(&fake.fm, CXL_FEATURE_PATROL_SCRUB, flags, 0,
                           scrub, 2), CXL_RC_FEAT_XFER_IN_PROGRESS);
    }
    assert_rc(set(CXL_FEATURE_PATROL_SCRUB, FINISH, 1, scrub + 1, 1),
              CXL_RC_SUCCESS);
    assert_rc(set_part(&fake.fm, CXL_FEATURE_ECS, FULL, 0, ecs, sizeof(ecs)),
              CXL_RC_SUCCESS);
}

/* A start that names nothing must not lock anything */
static void test_unknown(FakeMemDev *unused, gconstpointer data)
{
    static const uint8_t scrub[] = { 5, 0 };
    unsigned flags;

    for (flags = FULL; flags <= ABORT; flags++) {
        cxl_put_zero(&rq, 0x10);
        cxl_put_le32(&rq, flags);
        cxl_put_zero(&rq, 12 + 2);
        assert_rc(send_request(&fake.mailbox, 0x0502), CXL_RC_UNSUPPORTED);
    }
    cxl_put_zero(&rq, 0x15);
    assert_rc(send_request(&fake.mailbox, 0x0501), CXL_RC_UNSUPPORTED);
    assert_rc(set(CXL_FEATURE_PATROL_SCRUB, FULL, 0, scrub, 2),
              CXL_RC_SUCCESS);
}

static void test_scrub(FakeMemDev *unused, gconstpointer data)
{
    static const uint8_t on[] = { 24, 0xff }, zero[] = { 0, 1 };

    READS(CXL_FEATURE_PATROL_SCRUB, CXL_FEATURE_CURRENT, 3, 12, 1, 0);
    assert_rc(set(CXL_FEATURE_PATROL_SCRUB, FULL, 0, on, 2), CXL_RC_SUCCESS);
    READS(CXL_FEATURE_PATROL_SCRUB, CXL_FEATURE_CURRENT, 3, 24, 1, 1);
    READS(CXL_FEATURE_PATROL_SCRUB, CXL_FEATURE_DEFAULT, 3, 12, 1, 0);
    assert_rc(set(CXL_FEATURE_PATROL_SCRUB, FULL, 0, zero, 2),
              CXL_RC_INVALID_INPUT);
    READS(CXL_FEATURE_PATROL_SCRUB, CXL_FEATURE_CURRENT, 3, 24, 1, 1);
}

static void test_ecs(FakeMemDev *unused, gconstpointer data)
{
    uint8_t v[] = { 0, 4, 0, 0x1d, 0, 0xeb, 0xff };
    unsigned code;

    READS(CXL_FEATURE_ECS, CXL_FEATURE_CURRENT,
          1, 1, 3, 0, 0, 1, 3, 0, 0, 1, 3, 0, 0);
    assert_rc(set(CXL_FEATURE_ECS, FULL, 0, v, sizeof(v)), CXL_RC_SUCCESS);
    /* "reset counter" and reserved bits do not stay */
    READS(CXL_FEATURE_ECS, CXL_FEATURE_CURRENT,
          0, 1, 4, 0, 0, 1, 0xd, 0, 0, 1, 0xb, 0, 0);

    for (code = 0; code < 8; code++) {
        v[3] = code;
        assert_rc(set(CXL_FEATURE_ECS, FULL, 0, v, sizeof(v)),
                  code >= 3 && code <= 5 ? CXL_RC_SUCCESS :
                                           CXL_RC_INVALID_INPUT);
    }
    v[3] = 3;
    for (code = 0; code < 4; code++) {
        v[0] = code;
        assert_rc(set(CXL_FEATURE_ECS, FULL, 0, v, sizeof(v)),
                  code < 2 ? CXL_RC_SUCCESS : CXL_RC_INVALID_INPUT);
    }
    assert_rc(set(CXL_FEATURE_ECS, FULL, 0, v, sizeof(v) - 2),
              CXL_RC_INVALID_PAYLOAD_LENGTH);
}

static void test_reset(FakeMemDev *unused, gconstpointer data)
{
    static const uint8_t six[] = { 6, 1 }, seven[] = { 7, 1 };
    const unsigned f = CXL_FEATURE_PATROL_SCRUB;

    assert_rc(set(f, FULL, 0, six, 2), CXL_RC_SUCCESS);
    cxl_features_reset(fake.mem->features);
    READS(f, CXL_FEATURE_CURRENT, 3, 12, 1, 0);

    assert_rc(set(f, FULL | SAVE, 0, six, 2), CXL_RC_SUCCESS);
    assert_rc(set(f, FULL, 0, seven, 2), CXL_RC_SUCCESS);
    READS(f, CXL_FEATURE_CURRENT, 3, 7, 1, 1);
    READS(f, CXL_FEATURE_SAVED, 3, 6, 1, 1);
    assert_rc(set(f, START, 0, seven, 1), CXL_RC_SUCCESS);
    cxl_features_reset(fake.mem->features);
    READS(f, CXL_FEATURE_CURRENT, 3, 6, 1, 1);
    assert_rc(set(f, FINISH, 1, seven, 1), CXL_RC_FEAT_XFER_OUT_OF_ORDER);
}

/* What cannot be saved is not, however often a host asks for that */
static void test_save_without_place(FakeMemDev *unused, gconstpointer data)
{
    CXLFeatureDef def = own[LONG];

    def.attributes = CXL_FEATURE_CHANGEABLE;
    cxl_features_init(fake.mem->features, &def, 1, NULL, NULL);
    assert_rc(set(0, FULL | SAVE, 0, eight, 8), CXL_RC_SUCCESS);
    READS(0, CXL_FEATURE_CURRENT, 11, 12, 13, 14, 15, 16, 17, 2);
    assert_rc(get_part(0, 0, 8, CXL_FEATURE_SAVED), CXL_RC_FEAT_SELECTION);
    cxl_features_reset(fake.mem->features);
    READS(0, CXL_FEATURE_CURRENT, 1, 2, 3, 4, 5, 6, 7, 8);
}

static int reload(void)
{
    GByteArray *saved = state_save(&vmstate_cxl_features, fake.mem->features);
    int rc = state_load(&vmstate_cxl_features, fake.mem->features, saved->data,
                        saved->len);

    g_byte_array_unref(saved);
    return rc;
}

static void test_migration(FakeMemDev *unused, gconstpointer data)
{
    CXLFeatures *f = fake.mem->features;
    GByteArray *saved;
    size_t i;

    assert_rc(set(LONG, FULL | SAVE, 0, eight, 8), CXL_RC_SUCCESS);
    assert_rc(set(LONG, START, 0, eight, 2), CXL_RC_SUCCESS);
    saved = state_save(&vmstate_cxl_features, f);
    cxl_features_init(f, own, OWN_FEATURES, NULL, NULL);
    g_assert_cmpint(state_load(&vmstate_cxl_features, f, saved->data,
                               saved->len), ==, 0);
    assert_rc(set(LONG, FINISH, 2, eight + 2, 6), CXL_RC_SUCCESS);
    READS(LONG, CXL_FEATURE_SAVED, 11, 12, 13, 14, 15, 16, 17, 2);
    for (i = 0; i < saved->len; i++) {
        g_assert_true(state_is_refused(&vmstate_cxl_features, f, saved->data,
                                       i));
    }
    g_byte_array_unref(saved);

    /* a value that no host could have set */
    f->value[LONG].current[7] = 0x10;
    g_assert_cmpint(reload(), !=, 0);
    f->value[LONG].current[7] = 0;
    f->value[LONG].saved[0] = 0xff;
    g_assert_cmpint(reload(), !=, 0);
    f->value[LONG].saved[0] = 0;
    f->value[FIXED].saved[0] = 1;
    g_assert_cmpint(reload(), !=, 0);
    f->value[FIXED].saved[0] = 0;
    g_assert_cmpint(reload(), ==, 0);
    /* a transfer of nothing */
    f->transfer = (CXLFeatureTransfer) { .open = true, .feature = 2 };
    g_assert_cmpint(reload(), !=, 0);
    f->transfer = (CXLFeatureTransfer) { .open = true, .feature = 1, .got = 9 };
    g_assert_cmpint(reload(), !=, 0);
}

int main(int argc, char **argv)
{
    fake_memdev_test_init(&argc, &argv);
#define T(name, f) g_test_add("/cxl/cmds-features/" name, FakeMemDev, NULL, \
                              setup, f, fake_teardown)
#define OWN(name, f) g_test_add("/cxl/cmds-features/" name, FakeMemDev, own, \
                                setup, f, fake_teardown)
    T("lengths", test_lengths);
    T("where", test_where);
    T("list", test_list);
    T("list-is-cut", test_list_is_cut);
    T("defaults-are-possible", test_defaults_are_possible);
    OWN("get", test_get);
    OWN("set", test_set);
    OWN("version", test_version);
    OWN("parts", test_parts);
    OWN("abort", test_abort);
    OWN("impossible-value-ends-transfer", test_impossible_value_ends_transfer);
    T("one-transfer", test_one_transfer);
    T("unknown", test_unknown);
    T("scrub", test_scrub);
    T("ecs", test_ecs);
    T("reset", test_reset);
    T("save-without-place", test_save_without_place);
    OWN("migration", test_migration);
    return g_test_run();
}
