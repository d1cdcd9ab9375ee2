/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CXL Type 3 memory device: its state, for snapshots and migration and as the
 * Component State Dump Log shows it (CXL r3.2 8.2.10.5.2)
 *
 * Both sides start from the same properties, which is checked; what follows
 * from those is built at realize and not sent.  Contents of memory travel as
 * RAM blocks.  Sections of the dump are described in
 * docs/system/devices/cxl-commands.rst.
 */
#include "qemu/osdep.h"
#include <zlib.h>
#include "migration/vmstate-checked.h"
#include "hw/cxl/cxl_ras.h"
#include "hw/cxl/pci/base-contacts.h"
#include "hw/cxl/memdev/debug-log.h"
#include "hw/cxl/memdev/firmware.h"
#include "hw/cxl/memdev/health.h"
#include "hw/cxl/memdev/media.h"
#include "hw/cxl/memdev/poison.h"
#include "hw/cxl/memdev/security.h"
#include "hw/pci/msix.h"
#include "hw/pci/pci_vmstate.h"
#include "hw/pci/pcie_aer.h"
#include "cxl_type3_internal.h"
#include "trace.h"

/* Goes on in the background while the firmware model has a part in flight */
#define OP_TRANSFER_FW 0x0201

static bool state_has_dc(void *opaque, int version_id)
{
    const CXLType3Dev *d = opaque;

    /* that of a head is the pool's */
    return d->dc && !d->pool;
}

static bool state_is_running(const CXLCCI *cci, uint16_t opcode)
{
    return cci->bg.running && cci->bg.opcode == opcode;
}

/* A list frozen or media disabled by nothing that runs would stay so forever */
static bool state_operations_agree(const CXLType3Dev *d)
{
    bool scans = state_is_running(&d->mailbox_cci, CXL_OP_SCAN_MEDIA) ||
                 state_is_running(&d->ld_cci, CXL_OP_SCAN_MEDIA);
    bool sanitizes = state_is_running(&d->mailbox_cci, CXL_OP_SANITIZE) ||
                     state_is_running(&d->fm_cci, CXL_OP_SANITIZE) ||
                     state_is_running(&d->ld_cci, CXL_OP_SANITIZE);
    bool overwrites = state_is_running(&d->mailbox_cci, CXL_OP_MEDIA_OPS) ||
                      state_is_running(&d->ld_cci, CXL_OP_MEDIA_OPS);

    return d->mem->media->running == scans && d->mem->poison->frozen == scans &&
           (d->mem->media->op_ranges != 0) == overwrites &&
           cxl_memdev_media_disabled(d->mem) == sanitizes;
}

static bool state_stores_firmware(const CXLCCI *cci)
{
    return cci->bg.running && cci->bg.opcode == OP_TRANSFER_FW;
}

/* All models are there now: what one of them alone cannot know of the others */
static int cxl_type3_post_load(void *opaque, int version_id)
{
    CXLType3Dev *d = opaque;

    /* A part of firmware that no CCI works on would never be done */
    if (!state_operations_agree(d) ||
        d->mem->firmware->in_flight !=
        (state_stores_firmware(&d->mailbox_cci) ||
         state_stores_firmware(&d->fm_cci))) {
        return -EINVAL;
    }
    cxl_type3_direct_reload(d);
    return 0;
}

static const VMStateDescription vmstate_state = {
    .name = "cxl-type3-state",
    .version_id = 2,
    .minimum_version_id = 2,
    .post_load = cxl_type3_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_PCI_FUNCTION(parent_obj, CXLType3Dev),
        VMSTATE_MSIX(parent_obj, CXLType3Dev),
        VMSTATE_STRUCT(parent_obj.exp.aer_log, CXLType3Dev, 0,
                       vmstate_pcie_aer_log, PCIEAERLog),
        VMSTATE_STRUCT(doe, CXLType3Dev, 0, vmstate_pcie_doe, DOECap),
        VMSTATE_STRUCT(cxl, CXLType3Dev, 0, vmstate_cxl_component,
                       CXLComponentState),

        VMSTATE_STRUCT_POINTER(mem, CXLType3Dev, vmstate_cxl_memdev,
                               CXLMemDev),
        VMSTATE_STRUCT_POINTER_TEST(dc, CXLType3Dev, state_has_dc,
                                    vmstate_cxl_dc, CXLDynCap),

        VMSTATE_STRUCT(wipe.set, CXLType3Dev, 0, vmstate_cxl_wipe, CXLWipe),
        VMSTATE_STRUCT(reports, CXLType3Dev, 0, vmstate_cxl_type3_reports,
                       CXLType3Reports),
        VMSTATE_STRUCT(mailbox_cci, CXLType3Dev, 0, vmstate_cxl_cci, CXLCCI),
        VMSTATE_STRUCT(fm_cci, CXLType3Dev, 0, vmstate_cxl_cci, CXLCCI),
        VMSTATE_STRUCT(ld_cci, CXLType3Dev, 0, vmstate_cxl_cci, CXLCCI),
        VMSTATE_STRUCT(regs, CXLType3Dev, 0, vmstate_cxl_devregs,
                       CXLDeviceRegs),
        VMSTATE_END_OF_LIST()
    },
};

/* -- what both sides were given ------------------------------------------ */

/* A table from a file: the guest has read it, so it must not be another one */
static void state_sum_cdat(CXLType3Dev *d)
{
    const CDATObject *cdat = &d->cxl.cdat;
    int i;

    d->cdat_sum = 0;
    for (i = 0; cdat->filename && i < cdat->entry_len; i++) {
        d->cdat_sum = crc32(d->cdat_sum, cdat->entry[i].base,
                            cdat->entry[i].length);
    }
}

static int state_properties_pre_save(void *opaque)
{
    state_sum_cdat(opaque);
    return 0;
}

static int state_properties_pre_load(void *opaque)
{
    state_sum_cdat(opaque);
    return 0;
}

#define SAME(field, property) VMSTATE_SAME(field, CXLType3Dev, property)

static bool state_has_flits(void *opaque)
{
    const CXLType3Dev *d = opaque;

    return d->cxl.flit_256b;
}

static const VMStateDescription vmstate_flit_properties = {
    .name = "cxl-type3-properties/flit",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = state_has_flits,
    .fields = (const VMStateField[]) {
        SAME(cxl.flit_256b, "x-256b-flit"),
        SAME(cxl.hdm_db, "hdm-db"),
        VMSTATE_END_OF_LIST()
    },
};

/* What a guest can see of the properties, or what the state below rests on */
static const VMStateDescription vmstate_properties = {
    .name = "cxl-type3-properties",
    .version_id = 1,
    .minimum_version_id = 1,
    .pre_save = state_properties_pre_save,
    .pre_load = state_properties_pre_load,
    .fields = (const VMStateField[]) {
        SAME(vmem.size, "volatile-memdev"),
        SAME(pmem.size, "persistent-memdev"),
        SAME(lsa.size, "lsa"),
        SAME(partitionable, "partitionable"),
        SAME(sn, "sn"),
        SAME(speed, "x-speed"),
        SAME(width, "x-width"),
        SAME(cdat_sum, "cdat"),
        SAME(fm_on_mailbox, "fm-on-mailbox"),
        SAME(mailbox_payload, "mailbox-payload"),
        SAME(head, "head"),
        SAME(nr_dc_regions, "num-dc-regions"),
        SAME(dc_max_extents, "dc-extents-max"),
        SAME(dc_max_tags, "dc-tags-max"),
        SAME(dc_log_depth, "dc-event-log-depth"),
        VMSTATE_STRUCT(dc_config, CXLType3Dev, 0, vmstate_cxl_dc_regions,
                       CXLDCConfig),
        VMSTATE_END_OF_LIST()
    },
    .subsections = (const VMStateDescription *const []) {
        &vmstate_flit_properties,
        NULL
    },
};

/* -- all of it ----------------------------------------------------------- */

static void cxl_type3_give_up(void *opaque)
{
    CXLType3Dev *d = opaque;

    cxl_type3_models_forget(d);
    cxl_base_give_up_pci(PCI_DEVICE(d));
    device_cold_reset(DEVICE(d));
    cxl_type3_direct_reload(d);
}

static const VMStateGuard cxl_type3_guard = {
    VMSTATE_GUARD_INFO,
    .vmsd = &vmstate_state,
    .give_up = cxl_type3_give_up,
};

const VMStateDescription vmstate_cxl_type3 = {
    .name = TYPE_CXL_TYPE3,
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_ALL(CXLType3Dev, vmstate_properties),
        VMSTATE_GUARDED(cxl_type3_guard, CXLType3Dev),
        VMSTATE_END_OF_LIST()
    },
};

/* -- Component State Dump Log --------------------------------------------- */

static void state_put_device(CXLType3Dev *d, CXLWriter *w)
{
    cxl_put_le64(w, d->sn);
    cxl_put_le64(w, cxl_memdev_volatile_size(d->mem));
    cxl_put_le64(w, cxl_memdev_persistent_size(d->mem));
    cxl_put_le64(w, d->dcmem.size);
    cxl_put_le64(w, d->lsa.size);
}

static void state_put_status(CXLType3Dev *d, CXLWriter *w)
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
    cxl_put_le32(w, cxl_ras_waiting(&d->cxl));
}

static void state_put_cci(CXLWriter *w, const CXLCCI *cci)
{
    cxl_put_u8(w, cci->kind);
    cxl_put_u8(w, cci->bg.running);
    cxl_put_u8(w, cxl_cci_bg_percent(cci));
    cxl_put_u8(w, cci->response_limit);
    cxl_put_le16(w, cci->bg.opcode);
    cxl_put_le16(w, cci->bg.ret_code);
}

static void state_put_background(CXLType3Dev *d, CXLWriter *w)
{
    state_put_cci(w, &d->mailbox_cci);
    state_put_cci(w, &d->fm_cci);
    state_put_cci(w, &d->ld_cci);
}

static void state_put_poison(CXLType3Dev *d, CXLWriter *w)
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

static void state_put_events(CXLType3Dev *d, CXLWriter *w)
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

static void state_put_decoders(CXLType3Dev *d, CXLWriter *w)
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

static void state_put_dc(CXLType3Dev *d, CXLWriter *w)
{
    CXLDCUsage usage;
    unsigned i;

    if (!d->dc) {
        return;
    }
    cxl_dc_usage(d->dc, d->mem->host_id, &usage);
    cxl_put_le32(w, cxl_dc_extent_count(d->dc, d->mem->host_id));
    cxl_put_le32(w, cxl_dc_generation(d->dc, d->mem->host_id));
    cxl_put_le32(w, usage.extents_available);
    cxl_put_le32(w, usage.tags_available);
    for (i = 0; i < cxl_dc_nr_regions(d->dc); i++) {
        const CXLDCRegion *r = cxl_dc_region(d->dc, i);

        cxl_put_le64(w, cxl_dc_host_base(d->dc, d->mem->host_id) + r->base);
        cxl_put_le64(w, r->len);
        cxl_put_le64(w, r->block_size);
    }
}

static void state_put_registers(CXLType3Dev *d, CXLWriter *w)
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
        { CXL_DUMP_DEVICE, state_put_device },
        { CXL_DUMP_STATUS, state_put_status },
        { CXL_DUMP_BACKGROUND, state_put_background },
        { CXL_DUMP_POISON, state_put_poison },
        { CXL_DUMP_EVENTS, state_put_events },
        { CXL_DUMP_DECODERS, state_put_decoders },
        { CXL_DUMP_DC, state_put_dc },
        { CXL_DUMP_REGISTERS, state_put_registers },
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
