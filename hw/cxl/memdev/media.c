/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the media commands remember between two of them, see media.h
 */
#include "qemu/osdep.h"
#include "migration/vmstate-checked.h"
#include "hw/cxl/memdev/media.h"

void cxl_media_forget(CXLMediaState *m)
{
    m->ran = false;
    m->list_cci = 0;
}

static int media_post_load(void *opaque, int version_id)
{
    const CXLMediaState *m = opaque;
    uint32_t i;

    if ((m->scan_dpa | m->scan_end | m->next | m->stop | m->list_next) %
        CXL_POISON_LINE ||
        m->scan_dpa > m->next || m->next > m->stop || m->stop > m->scan_end ||
        (m->running && (m->ran || m->scan_dpa == m->scan_end))) {
        return -EINVAL;
    }
    if (m->op_rc >= CXL_RC_COUNT || m->op_rc == CXL_RC_BG_STARTED) {
        return -EINVAL;
    }
    for (i = 0; i < m->op_ranges; i++) {
        const CXLMediaRange *r = &m->op_range[i];

        if (!r->len || (r->dpa | r->len) % CXL_POISON_LINE ||
            r->len - 1 > UINT64_MAX - r->dpa) {
            return -EINVAL;
        }
    }
    return 0;
}

static const VMStateDescription vmstate_cxl_media_range = {
    .name = "cxl-media-range",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(dpa, CXLMediaRange),
        VMSTATE_UINT64(len, CXLMediaRange),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateCounted media_op_ranges = {
    VMSTATE_COUNTED_INFO(op_range, op_ranges, CXLMediaState),
    .vmsd = &vmstate_cxl_media_range,
    .size = sizeof(CXLMediaRange),
    .max = CXL_MEDIA_OP_RANGES,
    .in_place = true,
};

const VMStateDescription vmstate_cxl_media = {
    .name = "cxl-media",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = media_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_BOOL(running, CXLMediaState),
        VMSTATE_BOOL(ran, CXLMediaState),
        VMSTATE_BOOL(quiet, CXLMediaState),
        VMSTATE_UINT64(scan_dpa, CXLMediaState),
        VMSTATE_UINT64(scan_end, CXLMediaState),
        VMSTATE_UINT64(next, CXLMediaState),
        VMSTATE_UINT64(stop, CXLMediaState),
        VMSTATE_UINT8(list_cci, CXLMediaState),
        VMSTATE_UINT64(list_dpa, CXLMediaState),
        VMSTATE_UINT64(list_lines, CXLMediaState),
        VMSTATE_UINT64(list_next, CXLMediaState),
        VMSTATE_UINT8(op_rc, CXLMediaState),
        VMSTATE_COUNTED(op_range, CXLMediaState, media_op_ranges),
        VMSTATE_END_OF_LIST()
    }
};
