/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dynamic capacity model: hosts that are elsewhere, whose access ends later
 * than it is taken (CXL r3.2 9.13.3).
 */
#include "qemu/osdep.h"
#include "qemu/module.h"
#include "dc-test.h"

#define TAG     7
#define NEVER   UINT64_MAX

static DCTest *fence_new(void)
{
    static CXLDCOps ops;
    CXLDCConfig config = dc_test_config();

    ops = dc_recorder_ops;
    ops.fenced = true;
    return dc_test_new_with(&config, &ops);
}

static bool fence_count(void *opaque, const CXLDCRange *range, bool sanitize)
{
    uint64_t *sum = opaque;

    sum[sanitize] += range->len / BLOCK;
    return true;
}

/* Blocks that are held, without and with the wish to wipe them */
static void assert_held(DCTest *t, uint64_t plain, uint64_t wiped)
{
    uint64_t sum[2] = { 0 };

    cxl_dc_held(t->dc, fence_count, sum);
    g_assert_cmpuint(sum[false], ==, plain);
    g_assert_cmpuint(sum[true], ==, wiped);
}

/* Says of all that has to be wiped that it is; so many blocks */
static uint64_t wipe_all(DCTest *t)
{
    uint64_t sum = 0;
    CXLDCRange range;

    while (cxl_dc_next_wipe(t->dc, &range)) {
        cxl_dc_wiped(t->dc, &range);
        sum += range.len / BLOCK;
    }
    return sum;
}

/* Can host 1 be offered these blocks now? */
static bool is_free_as(DCTest *t, uint64_t dpa, uint64_t blocks, unsigned tag)
{
    CXLRetCode rc = fm_add_one(t, 1, dpa, blocks, tag);

    if (rc == CXL_RC_SUCCESS) {
        assert_rc(host_refuse(t, 1), CXL_RC_SUCCESS);
    }
    return rc == CXL_RC_SUCCESS;
}

static bool is_free(DCTest *t, uint64_t dpa, uint64_t blocks)
{
    return is_free_as(t, dpa, blocks, 0);
}

static void what_a_host_gives_back_is_held_until_its_access_ended(void)
{
    g_autoptr(DCTest) t = fence_new();
    uint64_t ticket;

    give(t, 0, DPA(PLAIN, 0), 4, 0);
    assert_rc(host_release(t, 0, DPA(PLAIN, 1), 2), CXL_RC_SUCCESS);
    ticket = cxl_dc_last_ticket(t->dc);
    assert_held(t, 2, 0);
    g_assert_false(can_access(t, 0, DPA(PLAIN, 1), 1));
    g_assert_false(is_free(t, DPA(PLAIN, 1), 1));
    g_assert_true(is_free(t, DPA(PLAIN, 4), 1));
    /* of another host, or of an operation before */
    g_assert_false(cxl_dc_access_ended(t->dc, 1, ticket));
    g_assert_false(cxl_dc_access_ended(t->dc, 0, ticket - 1));
    g_assert_false(is_free(t, DPA(PLAIN, 1), 1));
    g_assert_true(cxl_dc_access_ended(t->dc, 0, ticket));
    g_assert_false(cxl_dc_access_ended(t->dc, 0, ticket));
    assert_held(t, 0, 0);
    g_assert_true(is_free(t, DPA(PLAIN, 1), 2));
}

static void offers_and_what_is_not_fenced_are_free_at_once(void)
{
    g_autoptr(DCTest) t = fence_new(), plain = dc_test_new();

    assert_rc(fm_add_one(t, 0, DPA(PLAIN, 0), 2, 0), CXL_RC_SUCCESS);
    assert_rc(host_refuse(t, 0), CXL_RC_SUCCESS);
    g_assert_true(is_free(t, DPA(PLAIN, 0), 2));
    g_assert_cmpuint(cxl_dc_last_ticket(t->dc), ==, 0);

    give(plain, 0, DPA(PLAIN, 0), 2, 0);
    assert_rc(host_release(plain, 0, DPA(PLAIN, 0), 2), CXL_RC_SUCCESS);
    g_assert_true(is_free(plain, DPA(PLAIN, 0), 2));
}

static void it_is_wiped_when_nobody_reaches_it_any_more(void)
{
    g_autoptr(DCTest) t = fence_new();

    give(t, 0, DPA(WIPED, 0), 2, 0);
    dc_recorder_clear(t->rec);
    assert_rc(fm_release(t, 0, DPA(WIPED, 0), 2, true, false), CXL_RC_SUCCESS);
    g_assert_cmpuint(t->rec->wiped->len, ==, 0);
    assert_held(t, 0, 2);
    g_assert_true(cxl_dc_access_ended(t->dc, 0, NEVER));
    g_assert_cmpuint(t->rec->wiped->len, ==, 1);
    g_assert_cmphex(dc_wiped(t->rec, 0)->dpa, ==, DPA(WIPED, 0));
    g_assert_cmphex(dc_wiped(t->rec, 0)->len, ==, 2 * BLOCK);
    assert_held(t, 0, 0);
    g_assert_false(is_free(t, DPA(WIPED, 0), 1));
    g_assert_cmpuint(wipe_all(t), ==, 2);
    g_assert_true(is_free(t, DPA(WIPED, 0), 2));
}

static bool leaving_add(void *opaque, uint16_t host, uint64_t ticket,
                        const CXLDCRange *range)
{
    g_string_append_printf(opaque, "%u %c %" PRIu64 "+%" PRIu64 "\n", host,
                           ticket == CXL_DC_TICKET_WIPE ? 'w' : 'r',
                           (range->dpa - DPA(WIPED, 0)) / BLOCK,
                           range->len / BLOCK);
    return true;
}

static void assert_leaving(DCTest *t, const char *expected)
{
    g_autoptr(GString) seen = g_string_new(NULL);

    cxl_dc_leaving(t->dc, leaving_add, seen);
    g_assert_cmpstr(seen->str, ==, expected);
}

static void what_is_wiped_is_free_as_far_as_it_is_said_to_be(void)
{
    g_autoptr(DCTest) t = fence_new();
    CXLDCRange range, part;

    give(t, 1, DPA(WIPED, 0), 6, 0);
    assert_rc(host_release(t, 1, DPA(WIPED, 0), 3), CXL_RC_SUCCESS);
    assert_rc(host_release(t, 1, DPA(WIPED, 4), 1), CXL_RC_SUCCESS);
    assert_leaving(t, "1 r 0+3\n1 r 4+1\n");
    g_assert_false(cxl_dc_next_wipe(t->dc, &range));
    g_assert_true(cxl_dc_access_ended(t->dc, 1, NEVER));
    assert_leaving(t, "1 w 0+3\n1 w 4+1\n");
    /* it has left a host already */
    g_assert_false(cxl_dc_access_ended(t->dc, 1, NEVER));
    g_assert_true(cxl_dc_next_wipe(t->dc, &range));
    g_assert_cmphex(range.dpa, ==, DPA(WIPED, 0));
    g_assert_cmphex(range.len, ==, 3 * BLOCK);
    part = range_of(DPA(WIPED, 0), 2);
    cxl_dc_wiped(t->dc, &part);
    assert_leaving(t, "1 w 2+1\n1 w 4+1\n");
    g_assert_true(is_free(t, DPA(WIPED, 0), 2));
    g_assert_false(is_free(t, DPA(WIPED, 2), 1));
    g_assert_cmpuint(wipe_all(t), ==, 2);
    assert_leaving(t, "");
    g_assert_true(is_free(t, DPA(WIPED, 2), 1));
}

static void what_only_a_reference_kept_is_wiped_as_well(void)
{
    g_autoptr(DCTest) t = fence_new();
    QemuUUID tag = tag_nr(TAG);

    give(t, 1, DPA(SHARED, 0), 2, TAG);
    assert_rc(cxl_dc_add_reference(t->dc, &tag), CXL_RC_SUCCESS);
    assert_rc(cxl_dc_release(t->dc, &(CXLDCReleaseRequest) {
        .host = 1, .policy = CXL_DC_RELEASE_TAG, .forced = true,
        .sanitize = true, .len = 2 * BLOCK, .tag = tag,
    }, NULL), CXL_RC_SUCCESS);
    g_assert_true(cxl_dc_access_ended(t->dc, 1, NEVER));
    g_assert_cmpuint(wipe_all(t), ==, 0);
    assert_rc(cxl_dc_remove_reference(t->dc, &tag), CXL_RC_SUCCESS);
    g_assert_false(is_free_as(t, DPA(SHARED, 0), 2, TAG));
    g_assert_cmpuint(wipe_all(t), ==, 2);
    g_assert_true(is_free_as(t, DPA(SHARED, 0), 2, TAG));
}

static void all_that_have_shared_it_must_have_stopped(void)
{
    g_autoptr(DCTest) t = fence_new();
    CXLDCTagInfo info;

    give(t, 0, DPA(SHARED, 0), 2, TAG);
    assert_rc(fm_share(t, 1, SHARED_RO, TAG), CXL_RC_SUCCESS);
    host_accept_all(t, 1);
    assert_rc(fm_release_tag(t, 0, TAG, 2 * BLOCK, true), CXL_RC_SUCCESS);
    /* the other one has it */
    assert_held(t, 0, 0);
    assert_rc(fm_release_tag(t, 1, TAG, 2 * BLOCK, true), CXL_RC_SUCCESS);
    g_assert_false(find_tag(t, TAG, &info));
    assert_held(t, 2, 0);
    g_assert_true(cxl_dc_access_ended(t->dc, 1, NEVER));
    assert_held(t, 2, 0);
    assert_rc(fm_add_one(t, 1, DPA(SHARED, 0), 1, TAG),
              CXL_RC_INVALID_EXTENT_LIST);
    g_assert_true(cxl_dc_access_ended(t->dc, 0, NEVER));
    assert_held(t, 0, 0);
    assert_rc(fm_add_one(t, 1, DPA(SHARED, 0), 2, TAG), CXL_RC_SUCCESS);
}

static void the_last_reference_frees_no_more_than_is_not_reached(void)
{
    g_autoptr(DCTest) t = fence_new();
    QemuUUID tag = tag_nr(TAG);

    give(t, 0, DPA(SHARED, 0), 2, TAG);
    assert_rc(cxl_dc_add_reference(t->dc, &tag), CXL_RC_SUCCESS);
    cxl_dc_reset_host(t->dc, 0);
    assert_rc(cxl_dc_remove_reference(t->dc, &tag), CXL_RC_SUCCESS);
    assert_held(t, 2, 0);
    g_assert_true(cxl_dc_access_ended(t->dc, 0, NEVER));
    assert_held(t, 0, 0);
}

static void one_operation_after_the_other_ends(void)
{
    g_autoptr(DCTest) t = fence_new();
    uint64_t first;

    give(t, 0, DPA(PLAIN, 0), 6, 0);
    assert_rc(host_release(t, 0, DPA(PLAIN, 0), 2), CXL_RC_SUCCESS);
    first = cxl_dc_last_ticket(t->dc);
    assert_rc(host_release(t, 0, DPA(PLAIN, 2), 2), CXL_RC_SUCCESS);
    assert_held(t, 4, 0);
    g_assert_true(cxl_dc_access_ended(t->dc, 0, first));
    assert_held(t, 2, 0);
    g_assert_true(is_free(t, DPA(PLAIN, 0), 2));
    g_assert_false(is_free(t, DPA(PLAIN, 2), 1));
    g_assert_true(cxl_dc_access_ended(t->dc, 0, NEVER));
    assert_held(t, 0, 0);
}

typedef struct Copy {
    CXLDynCap *to;
    unsigned leaving;
} Copy;

static bool copy_leaving(void *opaque, uint16_t host, uint64_t ticket,
                         const CXLDCRange *range)
{
    Copy *copy = opaque;

    copy->leaving++;
    return cxl_dc_restore_leaving(copy->to, host, ticket, range);
}

static bool copy_held(void *opaque, const CXLDCRange *range, bool sanitize)
{
    Copy *copy = opaque;

    return cxl_dc_restore_held(copy->to, range, sanitize);
}

static void it_can_be_kept_and_put_back(void)
{
    g_autoptr(DCTest) t = fence_new(), other = fence_new(), third = fence_new();
    g_autoptr(GByteArray) bytes = NULL;
    Copy copy = { .to = other->dc };

    give(t, 0, DPA(WIPED, 0), 4, 0);
    give(t, 0, DPA(PLAIN, 0), 4, 0);
    assert_rc(host_release(t, 0, DPA(WIPED, 1), 2), CXL_RC_SUCCESS);
    assert_rc(host_release(t, 0, DPA(PLAIN, 0), 1), CXL_RC_SUCCESS);
    bytes = dc_save(t->dc);
    g_assert_cmpint(dc_load_bytes(other->dc, bytes->data, bytes->len), ==, 0);
    cxl_dc_leaving(t->dc, copy_leaving, &copy);
    cxl_dc_held(t->dc, copy_held, &copy);
    g_assert_cmpuint(copy.leaving, ==, 2);
    assert_held(other, 1, 2);
    g_assert_cmpuint(cxl_dc_last_ticket(other->dc), ==,
                     cxl_dc_last_ticket(t->dc));
    g_assert_false(is_free(other, DPA(WIPED, 1), 1));
    dc_recorder_clear(other->rec);
    g_assert_true(cxl_dc_access_ended(other->dc, 0, NEVER));
    assert_held(other, 0, 0);
    g_assert_cmpuint(other->rec->wiped->len, ==, 1);
    g_assert_false(is_free(other, DPA(WIPED, 1), 1));
    assert_leaving(other, "0 w 1+2\n");
    /* and once more, while it is wiped */
    g_assert_cmpint(dc_load_bytes(third->dc, bytes->data, bytes->len), ==, 0);
    copy = (Copy) { .to = third->dc };
    cxl_dc_leaving(other->dc, copy_leaving, &copy);
    assert_leaving(third, "0 w 1+2\n");
    g_assert_false(is_free(third, DPA(WIPED, 1), 1));
    g_assert_cmpuint(wipe_all(third), ==, 2);
    g_assert_true(is_free(third, DPA(WIPED, 1), 2));
}

static void what_cannot_be_is_not_put_back(void)
{
    const CXLDCRange good = range_of(DPA(PLAIN, 0), 1);
    const CXLDCRange outside = range_of(DPA(NR_REGIONS, 0), 1);
    g_autoptr(DCTest) t = fence_new();

    g_assert_false(cxl_dc_restore_leaving(t->dc, 2, 1, &good));
    g_assert_false(cxl_dc_restore_leaving(t->dc, 2, 0, &good));
    g_assert_false(cxl_dc_restore_leaving(t->dc, 0, 0, &outside));
    g_assert_false(cxl_dc_restore_leaving(t->dc, 0, 1, &outside));
    g_assert_false(cxl_dc_restore_held(t->dc, &outside, false));
    give(t, 0, DPA(PLAIN, 0), 1, 0);
    g_assert_false(cxl_dc_restore_held(t->dc, &good, false));
    g_assert_false(cxl_dc_restore_leaving(t->dc, 0, 0, &good));
    assert_held(t, 0, 0);
}

static void a_block_size_cannot_change_under_what_is_held(void)
{
    g_autoptr(DCTest) t = fence_new();

    give(t, 0, DPA(PLAIN, 0), 1, 0);
    assert_rc(host_release(t, 0, DPA(PLAIN, 0), 1), CXL_RC_SUCCESS);
    assert_rc(cxl_dc_set_region(t->dc, PLAIN, 4 * KiB, false, NULL),
              CXL_RC_UNSUPPORTED);
    g_assert_true(cxl_dc_access_ended(t->dc, 0, NEVER));
    assert_rc(cxl_dc_set_region(t->dc, PLAIN, 4 * KiB, false, NULL),
              CXL_RC_SUCCESS);
}

#define ADD(name) g_test_add_func("/cxl/dc/fence/" #name, name)

int main(int argc, char **argv)
{
    module_call_init(MODULE_INIT_QOM);
    g_test_init(&argc, &argv, NULL);
    ADD(what_a_host_gives_back_is_held_until_its_access_ended);
    ADD(offers_and_what_is_not_fenced_are_free_at_once);
    ADD(it_is_wiped_when_nobody_reaches_it_any_more);
    ADD(what_is_wiped_is_free_as_far_as_it_is_said_to_be);
    ADD(what_only_a_reference_kept_is_wiped_as_well);
    ADD(all_that_have_shared_it_must_have_stopped);
    ADD(the_last_reference_frees_no_more_than_is_not_reached);
    ADD(one_operation_after_the_other_ends);
    ADD(it_can_be_kept_and_put_back);
    ADD(what_cannot_be_is_not_put_back);
    ADD(a_block_size_cannot_change_under_what_is_held);
    return g_test_run();
}
