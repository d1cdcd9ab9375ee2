/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random operations on the dynamic capacity model and on the oracle: return
 * codes, lists, counters, generations, events, access and offers must agree.
 *
 * DC_RANDOM_SEED repeats a run, DC_RANDOM_STEPS makes it longer.
 */
#include "qemu/osdep.h"
#include "qemu/cutils.h"
#include "qemu/module.h"
#include "qapi/error.h"
#include "dc-random.h"

#define STEPS   100000

static const CXLDCConfig small = {
    .nr_hosts = ORACLE_HOSTS,
    .nr_regions = 5,
    .max_extents = 30,
    .max_tags = 9,
    .region = {
        {   /* no gap to the next one */
            .base = 4 * CXL_DC_GRANULE, .decode_len = CXL_DC_GRANULE,
            .len = CXL_DC_GRANULE, .block_size = 8 * MiB,
            .block_mask = 8 * MiB | 16 * MiB,
        }, {
            .base = 5 * CXL_DC_GRANULE, .decode_len = CXL_DC_GRANULE,
            .len = 24 * MiB, .block_size = MiB, .block_mask = MiB,
            .sharable = true, .sanitize_configurable = true,
        }, {
            .base = 7 * CXL_DC_GRANULE, .decode_len = CXL_DC_GRANULE,
            .len = 16 * MiB, .block_size = 512 * KiB,
            .block_mask = 512 * KiB | MiB, .sharable = true,
            .read_only = true,
        }, {
            .base = 8 * CXL_DC_GRANULE, .decode_len = 2 * CXL_DC_GRANULE,
            .len = 128 * KiB, .block_size = 4 * KiB, .block_mask = 4 * KiB,
            .sanitize = true, .sanitize_configurable = true,
        }, {
            .base = 10 * CXL_DC_GRANULE, .decode_len = CXL_DC_GRANULE,
            .len = 1024, .block_size = 64, .block_mask = 64 | 128 | 256,
            .non_volatile = true, .read_only = true,
        },
    },
};

/* -- random requests ------------------------------------------------------ */

static unsigned any_host(Run *run)
{
    return chance(run, 1) ? ORACLE_HOSTS : rnd(run, ORACLE_HOSTS);
}

static unsigned any_region(Run *run)
{
    return chance(run, 2) ? rnd(run, 256) : rnd(run, run->config.nr_regions);
}

static void any_tag(Run *run, QemuUUID *tag)
{
    memset(tag, 0, sizeof(*tag));
    if (chance(run, 85)) {
        tag->data[rnd(run, 100) < 5 ? 3 : 15] = 1 + rnd(run, 14);
    }
}

/* Sometimes near an edge, sometimes nonsense */
static uint64_t spoil(Run *run, uint64_t v)
{
    static const uint64_t odd[] = {
        0, 1, 63, 64, 4096, CXL_DC_GRANULE, UINT64_MAX, UINT64_MAX - 63,
        1ULL << 63,
    };

    switch (rnd(run, 160)) {
    case 0:
        return odd[rnd(run, ARRAY_SIZE(odd))];
    case 1:
        return v + odd[rnd(run, ARRAY_SIZE(odd))];
    case 2:
        return v - odd[rnd(run, ARRAY_SIZE(odd))];
    default:
        return v;
    }
}

static CXLDCRange any_blocks(Run *run)
{
    Oracle *o = run->o;
    int r = rnd(run, run->config.nr_regions);
    uint64_t block = o->region[r].block_size;
    uint64_t blocks = o->region[r].len / block;
    uint64_t at = rnd(run, blocks);
    CXLDCRange range = {
        .dpa = spoil(run, o->region[r].base + at * block),
        .len = spoil(run, (1 + rnd(run, MIN(blocks - at, 5))) * block),
    };

    return range;
}

static CXLRetCode do_add(Run *run)
{
    Oracle *o = run->o;
    CXLDCExtent list[8];
    CXLDCAddRequest req = {
        .host = any_host(run),
        .policy = chance(run, 2) ? rnd(run, 256) : rnd(run, 4),
        .region = any_region(run),
        .extents = list,
        .nr_extents = chance(run, 2) ? 0 : 1 + rnd(run, 5),
    };
    bool one_tag = chance(run, 60), numbered = chance(run, 30);
    CXLRetCode got, want;
    Error *err = NULL;

    any_tag(run, &req.tag);
    if (req.region < run->config.nr_regions) {
        req.len = spoil(run, (1 + rnd(run, 8)) *
                             o->region[req.region].block_size);
    }
    for (size_t i = 0; i < req.nr_extents; i++) {
        CXLDCRange r = any_blocks(run);

        memset(&list[i], 0, sizeof(list[i]));
        list[i].dpa = r.dpa;
        list[i].len = r.len;
        list[i].seq = numbered ? (chance(run, 95) ? req.nr_extents - 1 - i
                                                  : rnd(run, 4)) : 0;
        if (one_tag) {
            list[i].tag = req.tag;
            if (i && chance(run, 80) && list[0].len < 64 * MiB) {
                /* in one region, more often than not free */
                list[i].dpa = list[i - 1].dpa + list[i - 1].len;
                list[i].len = list[0].len;
            }
        } else {
            any_tag(run, &list[i].tag);
        }
    }
    run->what = "add";
    got = cxl_dc_add(run->dc, &req, &err);
    g_assert_true(!!err == (got != CXL_RC_SUCCESS));
    error_free(err);
    want = oracle_add(o, &req);
    g_assert_cmphex(got, ==, want);
    return got;
}

/* Ranges made of what the host has in @state, or nonsense */
static size_t pick_ranges(Run *run, unsigned h, OState state, CXLDCRange *r)
{
    Oracle *o = run->o;
    bool whole = chance(run, 60), all = chance(run, 25);
    int skip = 1 + rnd(run, 4);
    size_t n = 0;

    for (unsigned c = 0; c < o->first[run->config.nr_regions] && n < 12; ) {
        const OCell *cell = &o->cell[h][c];
        unsigned len = 1, from = 0, to;

        if (cell->state != state) {
            c++;
            continue;
        }
        while (o->cell[h][c + len].state == state &&
               o->cell[h][c + len].extent == cell->extent &&
               c + len < o->first[run->config.nr_regions]) {
            len++;
        }
        to = len;
        if (!whole) {
            from = rnd(run, len);
            to = from + 1 + rnd(run, len - from);
            if (chance(run, 20)) {
                to += rnd(run, 3);
            }
        }
        if (all || rnd(run, skip) == 0) {
            uint64_t unit = o->unit[oracle_region_of_cell(o, c)];

            r[n].dpa = spoil(run, oracle_cell_dpa(o, c + from));
            r[n++].len = spoil(run, (to - from) * unit);
        }
        c += len;
    }
    if (chance(run, 5) && n < 12) {
        r[n++] = any_blocks(run);
    }
    for (size_t i = 1; i < n; i++) {
        size_t k = rnd(run, i + 1);
        CXLDCRange swap = r[i];

        r[i] = r[k];
        r[k] = swap;
    }
    return n;
}

static CXLRetCode do_release(Run *run)
{
    CXLDCExtent list[12];
    CXLDCRange r[12];
    CXLDCReleaseRequest req = {
        .host = any_host(run),
        .policy = chance(run, 2) ? rnd(run, 256) : rnd(run, 2),
        .forced = chance(run, 40),
        .sanitize = chance(run, 30),
        .extents = list,
    };
    CXLRetCode got, want;
    Error *err = NULL;

    any_tag(run, &req.tag);
    memset(list, 0, sizeof(list));
    if (req.host < ORACLE_HOSTS) {
        req.nr_extents = pick_ranges(run, req.host,
                                     chance(run, 75) ? O_ADDED : O_PENDING, r);
    }
    for (size_t i = 0; i < req.nr_extents; i++) {
        list[i].dpa = r[i].dpa;
        list[i].len = r[i].len;
    }
    /* A length that may be right for some tag */
    if (req.host < ORACLE_HOSTS) {
        for (guint t = 0; t < run->o->tags->len; t++) {
            OTag *tag = &g_array_index(run->o->tags, OTag, t);

            if (tag->live && chance(run, 20)) {
                req.tag = tag->uuid;
                req.len = 0;
                for (unsigned c = 0; c < ORACLE_CELLS; c++) {
                    if (run->o->cell[req.host][c].tag == t) {
                        req.len +=
                            run->o->unit[oracle_region_of_cell(run->o, c)];
                    }
                }
                if (chance(run, 30)) {
                    req.len = spoil(run, req.len / 2);
                }
            }
        }
    }
    run->what = "release";
    got = cxl_dc_release(run->dc, &req, &err);
    g_assert_true(!!err == (got != CXL_RC_SUCCESS));
    error_free(err);
    want = oracle_release(run->o, &req);
    g_assert_cmphex(got, ==, want);
    return got;
}

/* The oldest offer as it was made, or part of it, or something else */
static size_t pick_answer(Run *run, unsigned h, CXLDCRange *r)
{
    Oracle *o = run->o;
    const OGroup *g;
    guint at = 0;
    size_t n = 0;

    if (!o->groups[h]->len || chance(run, 15)) {
        return pick_ranges(run, h, chance(run, 80) ? O_PENDING : O_ADDED, r);
    }
    g = &g_array_index(o->groups[h], OGroup, 0);
    if (chance(run, 10)) {
        return 0;
    }
    /* Half of the hosts forgot what was withdrawn */
    while (g->dead && at + 1 < o->groups[h]->len && chance(run, 50)) {
        g = &g_array_index(o->groups[h], OGroup, ++at);
    }
    for (guint i = 0; i < g->parts->len && n < 30; i++) {
        const CXLDCExtent *e = &g_array_index(g->parts, CXLDCExtent, i);
        int region = oracle_region_of_cell(o, oracle_cell_of(o, e->dpa));
        uint64_t block = o->region[region].block_size;

        if (chance(run, 8)) {
            continue;
        }
        r[n].dpa = e->dpa;
        r[n++].len = e->len;
        if (e->len > block && chance(run, 10)) {
            /* two parts of one extent, perhaps with a hole between */
            r[n - 1].len = block;
            r[n].dpa = e->dpa + e->len - block;
            r[n++].len = block;
        }
    }
    return n;
}

static CXLRetCode do_host(Run *run, bool answer)
{
    unsigned h = any_host(run);
    CXLDCRange r[32];
    CXLRetCode got, want;
    size_t n = 0, sent = 0;

    if (h < ORACLE_HOSTS) {
        n = answer ? pick_answer(run, h, r)
                   : pick_ranges(run, h, chance(run, 97) ? O_ADDED
                                                         : O_PENDING, r);
    }
    do {
        size_t part = chance(run, 75) ? n - sent : rnd(run, n - sent + 1);
        /* Sometimes the chain breaks off, or starts with nothing */
        bool more = sent + part < n || chance(run, 3);

        run->what = answer ? "answer" : "give back";
        if (answer) {
            got = cxl_dc_host_respond(run->dc, h, r + sent, part, more);
            want = oracle_respond(run->o, h, r + sent, part, more);
        } else {
            got = cxl_dc_host_release(run->dc, h, r + sent, part, more);
            want = oracle_give_back(run->o, h, r + sent, part, more);
        }
        g_assert_cmphex(got, ==, want);
        sent += part;
    } while (sent < n && got == CXL_RC_SUCCESS && !chance(run, 3));
    return got;
}

static CXLRetCode do_reference(Run *run)
{
    bool on = chance(run, 60);
    CXLRetCode got, want;
    QemuUUID tag;

    run->what = "reference";
    any_tag(run, &tag);
    got = on ? cxl_dc_add_reference(run->dc, &tag)
             : cxl_dc_remove_reference(run->dc, &tag);
    want = oracle_reference(run->o, &tag, on);
    g_assert_cmphex(got, ==, want);
    return got;
}

static CXLRetCode do_set_region(Run *run)
{
    unsigned r = any_region(run);
    uint64_t block = chance(run, 10) ? g_rand_int(run->rand)
                                     : 1ULL << rnd(run, 30);
    bool sanitize = chance(run, 50);
    CXLRetCode got, want;
    Error *err = NULL;

    if (r < run->config.nr_regions && chance(run, 70)) {
        block = run->config.region[r].block_mask;
        while (block & (block - 1)) {
            block &= chance(run, 50) ? block - 1 : -block;
        }
        if (chance(run, 70)) {
            sanitize = run->o->region[r].sanitize;
        }
    }
    run->what = "set region";
    got = cxl_dc_set_region(run->dc, r, block, sanitize, &err);
    g_assert_true(!!err == (got != CXL_RC_SUCCESS));
    error_free(err);
    want = oracle_set_region(run->o, r, block, sanitize);
    g_assert_cmphex(got, ==, want);
    return got;
}

static CXLRetCode do_reset(Run *run)
{
    unsigned h = rnd(run, ORACLE_HOSTS);
    bool all = chance(run, 20);

    run->what = all ? "removal" : "reset";
    (all ? cxl_dc_remove_host : cxl_dc_reset_host)(run->dc, h);
    oracle_reset(run->o, h, all);
    return CXL_RC_SUCCESS;
}

/* The copy takes over; it has to be the same to all further steps */
static CXLRetCode do_save_and_load(Run *run)
{
    g_autoptr(GByteArray) bytes = dc_save(run->dc), again = NULL;
    CXLDynCap *copy = cxl_dc_new(&run->config, &dc_recorder_ops, run->rec,
                                 &error_abort);

    run->what = "save and load";
    g_assert_cmpint(dc_load_bytes(copy, bytes->data, bytes->len), ==, 0);
    again = dc_save(copy);
    g_assert_cmpmem(bytes->data, bytes->len, again->data, again->len);
    g_assert_cmpuint(cxl_dc_tag_generation(copy), ==,
                     cxl_dc_tag_generation(run->dc));
    cxl_dc_free(run->dc);
    run->dc = copy;
    return CXL_RC_SUCCESS;
}

static void one_step(Run *run)
{
    int dice = rnd(run, 1000), op;
    CXLRetCode rc;

    for (unsigned h = 0; h < ORACLE_HOSTS; h++) {
        run->rec->room[h] = chance(run, 90) ? UINT32_MAX : rnd(run, 6);
    }
    if (dice < 330) {
        rc = do_add(run);
        op = 0;
    } else if (dice < 480) {
        rc = do_release(run);
        op = 1;
    } else if (dice < 790) {
        rc = do_host(run, true);
        op = 2;
    } else if (dice < 940) {
        rc = do_host(run, false);
        op = 3;
    } else if (dice < 965) {
        rc = do_reference(run);
        op = 4;
    } else if (dice < 985) {
        rc = do_set_region(run);
        op = 5;
    } else if (dice < 990) {
        rc = do_reset(run);
        op = 6;
    } else {
        rc = do_save_and_load(run);
        op = 7;
    }
    run->count[op][rc]++;
    random_compare(run);
}

static void report(Run *run)
{
    static const char *const name[] = {
        "add", "release", "answer", "give back", "reference", "set region",
        "reset", "save and load",
    };

    for (unsigned op = 0; op < ARRAY_SIZE(name); op++) {
        g_autoptr(GString) line = g_string_new(name[op]);

        for (unsigned rc = 0; rc < CXL_RC_COUNT; rc++) {
            if (run->count[op][rc]) {
                g_string_append_printf(line, " %02x:%u", rc,
                                       run->count[op][rc]);
            }
        }
        g_test_message("%s", line->str);
    }
}

static void test_random(void)
{
    const char *seed_text = g_getenv("DC_RANDOM_SEED");
    const char *steps_text = g_getenv("DC_RANDOM_STEPS");
    unsigned seed = g_test_rand_int(), steps = STEPS;
    Run run = { .config = small };

    if (seed_text) {
        g_assert_cmpint(qemu_strtoui(seed_text, NULL, 0, &seed), ==, 0);
    }
    if (steps_text) {
        g_assert_cmpint(qemu_strtoui(steps_text, NULL, 0, &steps), ==, 0);
    }

    g_test_message("DC_RANDOM_SEED=%u", seed);
    run.rand = g_rand_new_with_seed(seed);
    run.rec = dc_recorder_new();
    run.tag_list = g_array_new(FALSE, FALSE, sizeof(CXLDCTagInfo));
    run.dc = cxl_dc_new(&run.config, &dc_recorder_ops, run.rec, &error_abort);
    run.o = oracle_new(&run.config, run.rec->room);
    for (run.step = 0; run.step < steps; run.step++) {
        one_step(&run);
    }
    report(&run);
    for (unsigned why = 0; why < ARRAY_SIZE(run.refused); why++) {
        g_assert_cmpuint(run.refused[why], >, steps / 10000);
    }
    g_assert_cmpuint(run.passed, >, steps / 10000);
    /* Every code of the lists was seen, or the test is blind */
    g_assert_cmpuint(run.count[0][CXL_RC_SUCCESS], >, steps / 100);
    g_assert_cmpuint(run.count[0][CXL_RC_RETRY_REQUIRED], >, 0);
    g_assert_cmpuint(run.count[0][CXL_RC_RESOURCES_EXHAUSTED], >, 0);
    g_assert_cmpuint(run.count[1][CXL_RC_SUCCESS], >, steps / 100);
    g_assert_cmpuint(run.count[2][CXL_RC_SUCCESS], >, steps / 100);
    g_assert_cmpuint(run.count[3][CXL_RC_SUCCESS], >, steps / 100);
    g_assert_cmpuint(run.count[4][CXL_RC_SUCCESS], >, 0);
    g_assert_cmpuint(run.count[5][CXL_RC_SUCCESS], >, 0);
    cxl_dc_free(run.dc);
    oracle_free(run.o);
    dc_recorder_free(run.rec);
    g_array_free(run.tag_list, TRUE);
    g_rand_free(run.rand);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    module_call_init(MODULE_INIT_QOM);
    g_test_add_func("/cxl/dc/random/like-oracle", test_random);
    return g_test_run();
}
