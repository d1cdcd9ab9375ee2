/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cxl-poold: the pool, and turns
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "qemu/timer.h"
#include "hw/cxl/cxl_memdev.h"
#include "hw/cxl/cci/cmd-sets.h"
#include "hw/pci/pci_ids.h"
#include "poold.h"

/* Payload of the Fabric Manager's CCI: that of a memory device */
#define FM_PAYLOAD      4096
/* A host's mailbox says in each request how much it takes */
#define HEAD_PAYLOAD    (1 * MiB)
/* Records of each log of errors */
#define LOG_DEPTH       8
/* Overwriting goes on for so long at once, then others have their turn */
#define WIPE_SLICE_NS   (10 * SCALE_MS)
#define WIPE_PAUSE_MS   5
/* What is free as soon as it is done, and not done again by another life */
#define WIPE_PIECE      (1 * GiB)

/* Of hosts, and of the pool: heads are no PCI functions here */
const CXLCmdSet *const cxl_cmd_sets[] = {
    &cxl_cmds_infostat,
    &cxl_cmds_events,
    &cxl_cmds_timestamp,
    &cxl_cmds_logs,
    &cxl_cmds_dcd,
    &cxl_cmds_mld_port,
    &cxl_cmds_mld,
    &cxl_cmds_mhd,
    &cxl_cmds_fm_dcd,
    NULL,
};

static CXLCCI *pool_no_ld(const CXLHeads *heads, unsigned head)
{
    return NULL;
}

static void pool_init_ccis(Poold *p)
{
    const uint32_t depth[CXL_EVENT_LOGS] = {
        [CXL_EVENT_LOG_INFO] = LOG_DEPTH,
        [CXL_EVENT_LOG_WARN] = LOG_DEPTH,
        [CXL_EVENT_LOG_FAIL] = LOG_DEPTH,
        [CXL_EVENT_LOG_FATAL_ERR] = LOG_DEPTH,
        [CXL_EVENT_LOG_DYNCAP] = p->options.log_depth,
    };

    cxl_events_init(&p->events, depth, &p->clock, NULL, NULL);
    p->heads = (CXLHeads) {
        .n = p->options.heads,
        .vendor = PCI_VENDOR_ID_INTEL,
        .device = CXL_TYPE3_DEVICE_ID,
        .serial = p->options.serial,
        .ld = pool_no_ld,
        .info = heads_info,
        .tunnel = fm_tunnel,
    };
    p->cci = (CXLCCI) {
        .dc = p->dc,
        .heads = &p->heads,
        .events = &p->events,
        .clock = &p->clock,
    };
    cxl_cci_init(&p->cci, CXL_CCI_MHD, NULL, FM_PAYLOAD);
    for (unsigned i = 0; i < p->options.heads; i++) {
        CXLCCI *cci = &p->head[i].cci;

        *cci = (CXLCCI) { .dc = p->dc, .host_id = i };
        cxl_cci_init(cci, CXL_CCI_MAILBOX, NULL, HEAD_PAYLOAD);
    }
}

/* Options of the last life hold, unless the same are given again */
static bool pool_settle_options(Poold *p, Error **errp)
{
    PooldOptions *o = &p->options;
    g_autofree char *given = options_text(o);
    g_autofree char *kept = store_get_text(p->store, "options");

    if (!kept) {
        return store_set_text(p->store, "options", given, errp);
    }
    if (o->given && strcmp(kept, given)) {
        g_auto(GStrv) was = g_strsplit(kept, "\n", -1);
        g_auto(GStrv) now = g_strsplit(given, "\n", -1);
        unsigned i = 0;

        while (was[i] && now[i] && !strcmp(was[i], now[i])) {
            i++;
        }
        error_setg(errp, "the pool in '%s' was made with %s: start it without "
                   "options, or make another one in an empty DIR", o->dir,
                   was[i] && *was[i] ? was[i] : "others");
        return false;
    }
    return options_load(o, kept, errp);
}

Poold *pool_new(PooldOptions *o, Error **errp)
{
    Poold *p = g_new0(Poold, 1);
    CXLDCGeometry geometry;

    p->options = *o;
    *o = (PooldOptions) { };
    o = &p->options;
    p->medium_fd = -1;
    p->conns = g_ptr_array_new();
    p->store = store_open(o->dir, o->file, errp);
    if (!p->store || !pool_settle_options(p, errp)) {
        goto fail;
    }
    p->config = (CXLDCConfig) {
        .nr_hosts = o->heads,
        .nr_regions = o->regions,
        .max_extents = o->max_extents,
        .max_tags = o->max_tags,
    };
    geometry = (CXLDCGeometry) {
        .owner = "cxl-poold",
        .backend = "--size",
        .size = o->size,
        .any_base = true,
        .nr_regions = o->regions,
        .max_extents = o->max_extents,
        .props = o->region,
    };
    if (!cxl_dc_geometry(&geometry, &p->config, p->place, errp)) {
        goto fail;
    }
    p->dc = cxl_dc_new(&p->config, &heads_dc_ops, p, errp);
    if (!p->dc) {
        goto fail;
    }
    heads_init(p);
    pool_init_ccis(p);
    if (!store_load(p, errp) || !medium_open(p, errp)) {
        goto fail;
    }
    heads_watch(p);
    if (!medium_settle(p, errp)) {
        goto fail;
    }
    pool_turn_end(p);
    return p;
fail:
    pool_free(p);
    return NULL;
}

void pool_free(Poold *p)
{
    if (p->store) {
        store_close(p->store);
    }
    if (p->dc) {
        if (p->cci.cmds) {
            cxl_cci_destroy(&p->cci);
            cxl_events_destroy(&p->events);
        }
        for (unsigned i = 0; p->head && i < p->options.heads; i++) {
            cxl_cci_destroy(&p->head[i].cci);
            process_unwatch(p->head[i].process);
            g_byte_array_unref(p->head[i].answer);
            g_array_unref(p->head[i].outbox);
        }
        cxl_dc_free(p->dc);
    }
    if (p->wipe_timer) {
        g_source_remove(p->wipe_timer);
    }
    if (p->sync) {
        medium_synced(p);
    }
    g_free(p->head);
    g_ptr_array_unref(p->conns);
    options_free(&p->options);
    g_free(p);
}

/* -- turns ---------------------------------------------------------------- */

static gboolean pool_wipe_again(gpointer opaque);
static gboolean pool_wipe_synced(gpointer opaque);

static void pool_wipe_end(Poold *p)
{
    cxl_dc_wiped(p->dc, &p->wipe);
    p->wiped = p->wipe.len = 0;
}

/* One step; false: there is nothing to be overwritten, or not now */
static bool pool_wipe_step(Poold *p)
{
    CXLDCRange *r = &p->wipe;
    int region;

    if (p->medium_fd < 0 || (!r->len && !cxl_dc_next_wipe(p->dc, r))) {
        return false;
    }
    region = cxl_dc_region_of(p->dc, r->dpa, r->len);
    if (!p->wiped) {
        r->len = MIN(r->len, MAX(WIPE_PIECE,
                                 cxl_dc_region(p->dc, region)->block_size));
    }
    p->wiped += medium_zero(p, p->place[region] + p->wiped +
                            (r->dpa - p->config.region[region].base),
                            r->len - p->wiped);
    if (p->wiped < r->len) {
        return true;
    }
    if (p->options.file) {
        /* Behind a loss of power the database must not be ahead of the file */
        medium_sync(p, pool_wipe_synced);
        return false;
    }
    pool_wipe_end(p);
    return true;
}

/*
 * That it is free need not be saved at once: until that is, somebody who starts
 * again overwrites it once more.
 */
static void pool_wipe_slice(Poold *p)
{
    int64_t end = get_clock() + WIPE_SLICE_NS;
    bool more;

    do {
        more = pool_wipe_step(p);
    } while (more && get_clock() < end);
    if (more) {
        p->wipe_timer = g_timeout_add(WIPE_PAUSE_MS, pool_wipe_again, p);
    }
}

static gboolean pool_wipe_again(gpointer opaque)
{
    Poold *p = opaque;

    p->wipe_timer = 0;
    pool_wipe_slice(p);
    /* What took long is not done again, but for its last piece */
    p->changed_model |= !p->wiped;
    pool_turn_end(p);
    return G_SOURCE_REMOVE;
}

static gboolean pool_wipe_synced(gpointer opaque)
{
    Poold *p = opaque;

    medium_synced(p);
    pool_wipe_end(p);
    p->changed_model = true;
    pool_turn_end(p);
    return G_SOURCE_REMOVE;
}

static void pool_save(Poold *p)
{
    Error *err = NULL;

    if (!store_save(p, &err)) {
        /* Nobody was told of anything that is not there */
        error_reportf_err(err, "the state cannot be saved: ");
        exit(EXIT_FAILURE);
    }
    p->changed_model = p->changed_log = false;
    p->changed_heads = p->changed_info = false;
}

void pool_turn_end(Poold *p)
{
    if (p->in_turn) {
        return;
    }
    p->in_turn = true;
    do {
        if (p->changed_model || p->changed_log || p->changed_heads ||
            p->changed_info) {
            pool_save(p);
        }
        /* Behind the save: what is taken away now is wiped in another turn */
        if (!p->wipe_timer && !p->sync) {
            pool_wipe_slice(p);
        }
    } while (heads_settle(p));
    conn_turn(p);
    p->in_turn = false;
}
