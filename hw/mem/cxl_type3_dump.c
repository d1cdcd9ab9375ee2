/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CXL Type 3 memory device: what its debug logs show (CXL r3.2 8.2.10.5.2)
 *
 * Sections are described in docs/system/devices/cxl-commands.rst.
 */
#include "qemu/osdep.h"
#include "hw/cxl/memdev/debug-log.h"
#include "hw/cxl/memdev/firmware.h"
#include "hw/cxl/memdev/health.h"
#include "hw/cxl/memdev/media.h"
#include "hw/cxl/memdev/poison.h"
#include "hw/cxl/memdev/security.h"
#include "cxl_type3_internal.h"
#include "hw/cxl/trace.h"

static void put_device(CXLType3Dev *d, CXLWriter *w)
{
    cxl_put_le64(w, d->sn);
    cxl_put_le64(w, cxl_memdev_volatile_size(d->mem));
    cxl_put_le64(w, cxl_memdev_persistent_size(d->mem));
    cxl_put_le64(w, d->dcmem.size);
    cxl_put_le64(w, d->lsa.size);
}

static void put_status(CXLType3Dev *d, CXLWriter *w)
{
    uint8_t media = d->mem->media_status;
    uint8_t info[CXL_HEALTH_INFO_SIZE];

    cxl_put_le32(w, cxl_security_state(d->mem->security));
    cxl_put_u8(w, media);
    cxl_put_u8(w, d->mem->firmware->active);
    cxl_put_u8(w, d->mem->firmware->staged);
    cxl_put_u8(w, d->mem->health->dirty);
    cxl_health_info(d->mem->health, media == CXL_MEDIA_READY, info);
    cxl_put_bytes(w, info, sizeof(info));
    cxl_put_le16(w, d->mem->health->armed);
    cxl_put_le32(w, d->nr_ras_errors);
}

static void put_cci(CXLWriter *w, const CXLCCI *cci)
{
    cxl_put_u8(w, cci->kind);
    cxl_put_u8(w, cci->bg.running);
    cxl_put_u8(w, cxl_cci_bg_percent(cci));
    cxl_put_u8(w, cci->response_limit);
    cxl_put_le16(w, cci->bg.opcode);
    cxl_put_le16(w, cci->bg.ret_code);
}

static void put_background(CXLType3Dev *d, CXLWriter *w)
{
    put_cci(w, &d->mailbox_cci);
    put_cci(w, &d->fm_cci);
    put_cci(w, &d->ld_cci);
}

static void put_poison(CXLType3Dev *d, CXLWriter *w)
{
    cxl_put_le32(w, d->mem->poison->n);
    cxl_put_le32(w, d->mem->poison->n_listed);
    cxl_put_le32(w, d->mem->poison->limit);
    cxl_put_u8(w, d->mem->poison->overflowed);
    cxl_put_u8(w, d->mem->media->running);
    cxl_put_le16(w, d->mem->media->op_ranges);
    cxl_put_le64(w, d->mem->media->scan_dpa);
    cxl_put_le64(w, d->mem->media->scan_end);
}

static void put_events(CXLType3Dev *d, CXLWriter *w)
{
    const CXLEventLogs *logs[] = { d->mem->events, d->mem->fm_events };
    CXLEventLogId log;
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(logs); i++) {
        for (log = 0; log < CXL_EVENT_LOGS; log++) {
            cxl_put_le32(w, logs[i]->log[log].count);
            cxl_put_le32(w, logs[i]->log[log].depth);
            cxl_put_le16(w, logs[i]->log[log].next_handle);
            cxl_put_le16(w, logs[i]->log[log].overflow_count);
            cxl_put_u8(w, logs[i]->log[log].policy);
            cxl_put_zero(w, 3);
        }
    }
}

static void put_decoders(CXLType3Dev *d, CXLWriter *w)
{
    const uint32_t *regs = d->cxl.crb.cache_mem_registers;
    unsigned i;

    for (i = 0; i < cxl_hdm_count(regs); i++) {
        CXLHDMDecoder dec;

        cxl_hdm_get(regs, i, &dec);
        cxl_put_le64(w, dec.base);
        cxl_put_le64(w, dec.size);
        cxl_put_le64(w, dec.skip);
        cxl_put_le32(w, dec.granularity);
        cxl_put_u8(w, dec.ways);
        cxl_put_u8(w, dec.committed);
        cxl_put_u8(w, dec.locked);
        cxl_put_zero(w, 1);
    }
}

static void put_dc(CXLType3Dev *d, CXLWriter *w)
{
    CXLDCUsage usage;
    unsigned i;

    if (!d->dc) {
        return;
    }
    cxl_dc_usage(d->dc, 0, &usage);
    cxl_put_le32(w, cxl_dc_extent_count(d->dc, 0));
    cxl_put_le32(w, cxl_dc_generation(d->dc, 0));
    cxl_put_le32(w, usage.extents_available);
    cxl_put_le32(w, usage.tags_available);
    for (i = 0; i < cxl_dc_nr_regions(d->dc); i++) {
        const CXLDCRegion *r = cxl_dc_region(d->dc, i);

        cxl_put_le64(w, r->base);
        cxl_put_le64(w, r->len);
        cxl_put_le64(w, r->block_size);
    }
}

static void put_registers(CXLType3Dev *d, CXLWriter *w)
{
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(d->cxl.crb.cache_mem_registers); i++) {
        cxl_put_le32(w, d->cxl.crb.cache_mem_registers[i]);
    }
}

void cxl_type3_populate_dump(void *opaque)
{
    static const struct {
        CXLDumpSection id;
        void (*put)(CXLType3Dev *d, CXLWriter *w);
    } sections[] = {
        { CXL_DUMP_DEVICE, put_device },
        { CXL_DUMP_STATUS, put_status },
        { CXL_DUMP_BACKGROUND, put_background },
        { CXL_DUMP_POISON, put_poison },
        { CXL_DUMP_EVENTS, put_events },
        { CXL_DUMP_DECODERS, put_decoders },
        { CXL_DUMP_DC, put_dc },
        { CXL_DUMP_REGISTERS, put_registers },
    };
    CXLType3Dev *d = opaque;
    CXLWriter w;
    unsigned i;

    cxl_dump_begin(d->mem->dump, &w, cxl_timestamp_get(d->mem->clock));
    for (i = 0; i < ARRAY_SIZE(sections); i++) {
        size_t section = cxl_dump_section(&w, sections[i].id);

        sections[i].put(d, &w);
        cxl_dump_section_end(&w, section);
    }
    cxl_dump_end(&w);
    trace_cxl_type3_dump(DEVICE(d)->id, w.len);
}
