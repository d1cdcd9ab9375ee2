/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A dynamic capacity model to try things on, in few words.
 */
#include "qemu/osdep.h"
#include "dc-test.h"

CXLDCConfig dc_test_config(void)
{
    CXLDCConfig config = {
        .nr_hosts = 2,
        .nr_regions = NR_REGIONS,
        .max_extents = 512,
        .max_tags = 64,
    };

    for (unsigned r = 0; r < NR_REGIONS; r++) {
        config.region[r] = (CXLDCRegion) {
            .base = DPA(r, 0), .decode_len = CXL_DC_GRANULE,
            .len = CXL_DC_GRANULE, .block_size = BLOCK, .block_mask = BLOCK,
            .dsmad_handle = r,
        };
    }
    config.region[PLAIN].block_mask |= 4 * KiB;
    config.region[SHARED].sharable = true;
    config.region[SHARED_RO].sharable = true;
    config.region[SHARED_RO].read_only = true;
    config.region[WIPED].sanitize = true;
    config.region[WIPED].sanitize_configurable = true;
    return config;
}

DCTest *dc_test_new_with(const CXLDCConfig *config, const CXLDCOps *ops)
{
    DCTest *t = g_new0(DCTest, 1);

    t->config = *config;
    t->rec = dc_recorder_new();
    t->dc = cxl_dc_new(config, ops, t->rec, &error_abort);
    return t;
}

DCTest *dc_test_new(void)
{
    CXLDCConfig config = dc_test_config();

    return dc_test_new_with(&config, &dc_recorder_ops);
}

DCTest *dc_test_new_extents(unsigned max_extents)
{
    CXLDCConfig config = dc_test_config();

    config.max_extents = max_extents;
    return dc_test_new_with(&config, &dc_recorder_ops);
}

void dc_test_free(DCTest *t)
{
    cxl_dc_free(t->dc);
    dc_recorder_free(t->rec);
    g_free(t);
}

typedef struct DCTestCase {
    void (*run)(DCTest *t);
} DCTestCase;

static void dc_test_run(gconstpointer data)
{
    const DCTestCase *test = data;
    g_autoptr(DCTest) t = dc_test_new();

    test->run(t);
}

void dc_test_add(const char *path, void (*run)(DCTest *t))
{
    DCTestCase *test = g_new(DCTestCase, 1);

    test->run = run;
    g_test_add_data_func_full(path, test, dc_test_run, g_free);
}

QemuUUID tag_nr(unsigned n)
{
    QemuUUID tag = { };

    tag.data[0] = n;
    tag.data[15] = n;
    return tag;
}

CXLDCExtent extent_of(uint64_t dpa, uint64_t blocks, unsigned tag)
{
    CXLDCExtent e = { .dpa = dpa, .len = blocks * BLOCK, .tag = tag_nr(tag) };

    return e;
}

CXLDCRange range_of(uint64_t dpa, uint64_t blocks)
{
    return (CXLDCRange) { dpa, blocks * BLOCK };
}

/* -- FM ------------------------------------------------------------------- */

/* Sentence and code come together or not at all */
static CXLRetCode checked(CXLRetCode rc, Error *err)
{
    g_assert_true(!!err == (rc != CXL_RC_SUCCESS));
    error_free(err);
    return rc;
}

static CXLRetCode add(DCTest *t, const CXLDCAddRequest *req)
{
    Error *err = NULL;
    CXLRetCode rc;

    dc_recorder_clear(t->rec);
    rc = cxl_dc_add(t->dc, req, &err);
    return checked(rc, err);
}

static CXLRetCode release(DCTest *t, const CXLDCReleaseRequest *req)
{
    Error *err = NULL;
    CXLRetCode rc;

    dc_recorder_clear(t->rec);
    rc = cxl_dc_release(t->dc, req, &err);
    return checked(rc, err);
}

CXLRetCode fm_add(DCTest *t, unsigned host, const CXLDCExtent *e, size_t n)
{
    CXLDCAddRequest req = {
        .host = host, .policy = CXL_DC_ADD_PRESCRIPTIVE, .extents = e,
        .nr_extents = n,
    };

    return add(t, &req);
}

CXLRetCode fm_add_one(DCTest *t, unsigned host, uint64_t dpa, uint64_t blocks,
                      unsigned tag)
{
    CXLDCExtent e = extent_of(dpa, blocks, tag);

    return fm_add(t, host, &e, 1);
}

CXLRetCode fm_add_sized(DCTest *t, unsigned host, CXLDCAddPolicy policy,
                        unsigned region, uint64_t len, unsigned tag)
{
    CXLDCAddRequest req = {
        .host = host, .policy = policy, .region = region, .len = len,
        .tag = tag_nr(tag),
    };

    return add(t, &req);
}

CXLRetCode fm_share(DCTest *t, unsigned host, unsigned region, unsigned tag)
{
    return fm_add_sized(t, host, CXL_DC_ADD_SHARED, region, 0, tag);
}

CXLRetCode fm_release(DCTest *t, unsigned host, uint64_t dpa, uint64_t blocks,
                      bool forced, bool sanitize)
{
    CXLDCExtent e = extent_of(dpa, blocks, 0);
    CXLDCReleaseRequest req = {
        .host = host, .policy = CXL_DC_RELEASE_PRESCRIPTIVE, .forced = forced,
        .sanitize = sanitize, .extents = &e, .nr_extents = 1,
    };

    return release(t, &req);
}

CXLRetCode fm_release_tag(DCTest *t, unsigned host, unsigned tag,
                          uint64_t len, bool forced)
{
    CXLDCReleaseRequest req = {
        .host = host, .policy = CXL_DC_RELEASE_TAG, .forced = forced,
        .len = len, .tag = tag_nr(tag),
    };

    return release(t, &req);
}

char *fm_add_error(DCTest *t, const CXLDCAddRequest *req, CXLRetCode rc)
{
    Error *err = NULL;
    char *text;

    assert_rc(cxl_dc_add(t->dc, req, &err), rc);
    text = g_strdup(error_get_pretty(err));
    error_free(err);
    return text;
}

char *fm_release_error(DCTest *t, const CXLDCReleaseRequest *req,
                       CXLRetCode rc)
{
    Error *err = NULL;
    char *text;

    assert_rc(cxl_dc_release(t->dc, req, &err), rc);
    text = g_strdup(error_get_pretty(err));
    error_free(err);
    return text;
}

/* -- host ----------------------------------------------------------------- */

CXLRetCode host_accept(DCTest *t, unsigned host, uint64_t dpa,
                       uint64_t blocks)
{
    CXLDCRange r = { dpa, blocks * BLOCK };

    dc_recorder_clear(t->rec);
    return cxl_dc_host_respond(t->dc, host, &r, 1, false);
}

CXLRetCode host_refuse(DCTest *t, unsigned host)
{
    dc_recorder_clear(t->rec);
    return cxl_dc_host_respond(t->dc, host, NULL, 0, false);
}

static bool take_first_group(void *opaque, unsigned group, bool dead,
                             const CXLDCExtent *e)
{
    CXLDCRange r = { e->dpa, e->len };

    if (group) {
        return false;
    }
    g_array_append_val(opaque, r);
    return true;
}

void host_accept_all(DCTest *t, unsigned host)
{
    g_autoptr(GArray) r = g_array_new(FALSE, FALSE, sizeof(CXLDCRange));

    cxl_dc_pending(t->dc, host, take_first_group, r);
    dc_recorder_clear(t->rec);
    assert_rc(cxl_dc_host_respond(t->dc, host, (CXLDCRange *)r->data, r->len,
                                  false), CXL_RC_SUCCESS);
}

CXLRetCode host_release(DCTest *t, unsigned host, uint64_t dpa,
                        uint64_t blocks)
{
    CXLDCRange r = { dpa, blocks * BLOCK };

    dc_recorder_clear(t->rec);
    return cxl_dc_host_release(t->dc, host, &r, 1, false);
}

void give(DCTest *t, unsigned host, uint64_t dpa, uint64_t blocks,
          unsigned tag)
{
    assert_rc(fm_add_one(t, host, dpa, blocks, tag), CXL_RC_SUCCESS);
    host_accept_all(t, host);
}

/* -- what can be seen ----------------------------------------------------- */

unsigned nr_added(DCTest *t, unsigned host)
{
    return cxl_dc_extent_count(t->dc, host);
}

static bool count_pending(void *opaque, unsigned group, bool dead,
                          const CXLDCExtent *e)
{
    ++*(unsigned *)opaque;
    return true;
}

unsigned nr_pending(DCTest *t, unsigned host)
{
    unsigned n = 0;

    cxl_dc_pending(t->dc, host, count_pending, &n);
    return n;
}

static bool take_one(void *opaque, const CXLDCExtent *e)
{
    *(CXLDCExtent *)opaque = *e;
    return false;
}

CXLDCExtent added_at(DCTest *t, unsigned host, unsigned index)
{
    CXLDCExtent e = { };

    cxl_dc_extents(t->dc, host, index, take_one, &e);
    return e;
}

typedef struct PendingAt {
    CXLDCExtent extent;
    unsigned left;
    unsigned group;
    bool dead;
} PendingAt;

static bool take_pending(void *opaque, unsigned group, bool dead,
                         const CXLDCExtent *e)
{
    PendingAt *at = opaque;

    at->extent = *e;
    at->group = group;
    at->dead = dead;
    return at->left--;
}

CXLDCExtent pending_at(DCTest *t, unsigned host, unsigned index,
                       unsigned *group, bool *dead)
{
    PendingAt at = { .left = index };

    cxl_dc_pending(t->dc, host, take_pending, &at);
    if (group) {
        *group = at.group;
    }
    if (dead) {
        *dead = at.dead;
    }
    return at.extent;
}

bool can_access(DCTest *t, unsigned host, uint64_t dpa, uint64_t blocks)
{
    return cxl_dc_access(t->dc, host, dpa, blocks * BLOCK) !=
           CXL_DC_ACCESS_NONE;
}

unsigned extents_left(DCTest *t, unsigned host)
{
    CXLDCUsage u;

    cxl_dc_usage(t->dc, host, &u);
    return u.extents_available;
}

unsigned tags_left(DCTest *t, unsigned host)
{
    CXLDCUsage u;

    cxl_dc_usage(t->dc, host, &u);
    return u.tags_available;
}

typedef struct FindTag {
    QemuUUID uuid;
    CXLDCTagInfo *info;
    bool found;
} FindTag;

static bool match_tag(void *opaque, const CXLDCTagInfo *info)
{
    FindTag *find = opaque;

    if (qemu_uuid_is_equal(&find->uuid, &info->tag)) {
        *find->info = *info;
        find->found = true;
    }
    return !find->found;
}

bool find_tag(DCTest *t, unsigned tag, CXLDCTagInfo *info)
{
    FindTag find = { .uuid = tag_nr(tag), .info = info };

    cxl_dc_tags(t->dc, 0, match_tag, &find);
    return find.found;
}

void assert_extent(const CXLDCExtent *e, uint64_t dpa, uint64_t blocks,
                   unsigned tag, unsigned seq)
{
    QemuUUID uuid = tag_nr(tag);

    g_assert_cmphex(e->dpa, ==, dpa);
    g_assert_cmphex(e->len, ==, blocks * BLOCK);
    g_assert_cmpmem(&e->tag, 16, &uuid, 16);
    g_assert_cmpuint(e->seq, ==, seq);
}

void assert_report(DCTest *t, unsigned i, CXLDCOutcome what, CXLDCReason why,
                   size_t n)
{
    const DCReported *r;

    g_assert_cmpuint(i, <, t->rec->reports->len);
    r = &g_array_index(t->rec->reports, DCReported, i);
    g_assert_cmpint(r->what, ==, what);
    g_assert_cmpint(r->why, ==, why);
    g_assert_cmpuint(r->n, ==, n);
}
