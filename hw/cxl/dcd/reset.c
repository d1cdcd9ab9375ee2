/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dynamic capacity model: reset and removal of one host (CXL r3.2 9.13.3).
 */
#include "qemu/osdep.h"
#include "dc-internal.h"
#include "trace/trace-hw_cxl.h"

/*
 * @all: not only shared capacity leaves.
 *
 * Shared capacity leaves the host without a record.  Not stated by the
 * specification, and decided here: other Added capacity stays, because a host
 * finds it with 4801h after a crash; offers are dropped, because their records
 * go with the log; references and the wish to sanitize stay.
 */
static void dc_host_leaves(CXLDynCap *dc, uint16_t host, bool all)
{
    g_autoptr(GArray) fragments = g_array_new(FALSE, FALSE, sizeof(DCFragment));
    unsigned dropped = 0;
    const DCRec *rec;
    DCGroup *group;
    DCEffects fx;
    DCCursor cur;
    DCHost *h;

    if (host >= dc->config.nr_hosts) {
        return;
    }
    h = &dc->host[host];
    dc_partial_clear(h);
    dc_effects_init(&fx, host, CXL_DC_EV_FORCED_RELEASE);
    while ((group = QTAILQ_FIRST(&h->groups))) {
        dc_group_refuse(dc, host, group,
                        group->dead ? CXL_DC_BY_FM : CXL_DC_BY_RESET, &fx);
        dropped++;
    }
    rec = dc_set_nth(&h->added, 0, &cur);
    for (; rec; rec = dc_set_next(&cur)) {
        DCTag *tag = rec->ref;

        if (all || (tag && tag->sharable)) {
            DCFragment fragment = {
                .dpa = rec->dpa, .len = rec->len, .ext_dpa = rec->dpa,
                .ext_len = rec->len, .tag = tag, .seq = rec->seq,
            };

            g_array_append_val(fragments, fragment);
        }
    }
    dc_fragments_release(dc, host, fragments, false, &fx);
    dc_effects_report(&fx, CXL_DC_RELEASED, CXL_DC_BY_RESET);
    g_array_set_size(fx.records, 0);
    trace_cxl_dc_reset(host, fragments->len, dropped);
    dc_effects_run(dc, &fx);
}

void cxl_dc_reset_host(CXLDynCap *dc, uint16_t host)
{
    dc_host_leaves(dc, host, false);
}

void cxl_dc_remove_host(CXLDynCap *dc, uint16_t host)
{
    dc_host_leaves(dc, host, true);
}
