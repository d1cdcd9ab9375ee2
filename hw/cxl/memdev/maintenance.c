/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Maintenance of a medium, see maintenance.h (CXL r3.2 8.2.10.7; record:
 * 8.2.10.2.1.4)
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "migration/vmstate.h"
#include "hw/cxl/memdev/maintenance.h"
#include "hw/cxl/trace.h"

/* Memory Sparing record */
#define REC_FLAGS           0x32
#define REC_QUERY           0x01
#define REC_HARD            0x02
#define REC_BY_DEVICE       0x04
#define REC_RESULT          0x33
#define REC_VALID           0x34
#define REC_LEFT            0x3c
#define REC_CHANNEL         0x3e
#define REC_RANK            0x3f
#define REC_NIBBLES         0x40
#define REC_BANK_GROUP      0x43
#define REC_BANK            0x44
#define REC_ROW             0x45
#define REC_COLUMN          0x48

#define HAS_CHANNEL         (1u << 0)
#define HAS_RANK            (1u << 1)
#define HAS_NIBBLES         (1u << 2)
#define HAS_BANK_GROUP      (1u << 3)
#define HAS_BANK            (1u << 4)
#define HAS_ROW             (1u << 5)
#define HAS_COLUMN          (1u << 6)
#define HAS_THE_RANK        (HAS_CHANNEL | HAS_RANK)
#define HAS_THE_BANK        (HAS_THE_RANK | HAS_BANK_GROUP | HAS_BANK)
#define HAS_THE_ROW         (HAS_THE_BANK | HAS_ROW)
#define HAS_THE_LINE        (HAS_THE_ROW | HAS_COLUMN)

/**
 * struct Kind - one row per kind of repair
 * @spares: of a new device
 * @valid: fields of a place that name what is repaired
 */
static const struct Kind {
    uint16_t spares;
    uint16_t valid;
    uint8_t class;
    uint8_t subclass;
} kinds[CXL_REPAIR_KINDS] = {
    [CXL_REPAIR_SOFT_PPR] = {
        CXL_SPARES_PPR, HAS_THE_LINE, CXL_MAINTENANCE_PPR, 0,
    },
    [CXL_REPAIR_HARD_PPR] = {
        CXL_SPARES_PPR, HAS_THE_LINE, CXL_MAINTENANCE_PPR, 1,
    },
    [CXL_REPAIR_CACHELINE] = {
        CXL_SPARES_CACHELINE, HAS_THE_LINE, CXL_MAINTENANCE_SPARING, 0,
    },
    [CXL_REPAIR_ROW] = {
        CXL_SPARES_ROW, HAS_THE_ROW, CXL_MAINTENANCE_SPARING, 1,
    },
    [CXL_REPAIR_BANK] = {
        CXL_SPARES_BANK, HAS_THE_BANK, CXL_MAINTENANCE_SPARING, 2,
    },
    [CXL_REPAIR_RANK] = {
        CXL_SPARES_RANK, HAS_THE_RANK, CXL_MAINTENANCE_SPARING, 3,
    },
};

static const uint8_t *maintenance_feature(const CXLMaintenance *m,
                                          CXLRepairKind kind)
{
    return cxl_features_current(m->features, CXL_FEATURE_SOFT_PPR + kind);
}

static bool maintenance_is_soft(const CXLRepair *r)
{
    return r->kind == CXL_REPAIR_SOFT_PPR ||
           (kinds[r->kind].class == CXL_MAINTENANCE_SPARING && !r->hard);
}

/* -- where things are ---------------------------------------------------- */

static uint64_t maintenance_bank_size(const CXLMaintenance *m)
{
    return m->size / CXL_DRAM_ALL_BANKS;
}

bool cxl_maintenance_line(const CXLMaintenance *m, CXLRepair *r, uint64_t dpa)
{
    uint64_t bank = dpa / maintenance_bank_size(m);
    uint64_t in_bank = dpa % maintenance_bank_size(m);

    if (dpa >= m->size) {
        return false;
    }
    r->place = (CXLDramPlace) {
        .channel = bank / CXL_DRAM_RANK_BANKS / CXL_DRAM_RANKS,
        .rank = bank / CXL_DRAM_RANK_BANKS % CXL_DRAM_RANKS,
        .bank_group = bank / CXL_DRAM_BANKS % CXL_DRAM_BANK_GROUPS,
        .bank = bank % CXL_DRAM_BANKS,
        .row = in_bank / CXL_DRAM_ROW_SIZE,
        .column = in_bank % CXL_DRAM_ROW_SIZE / CXL_POISON_LINE,
    };
    r->dpa = QEMU_ALIGN_DOWN(dpa, CXL_POISON_LINE);
    r->len = CXL_POISON_LINE;
    return true;
}

bool cxl_maintenance_unit(const CXLMaintenance *m, CXLRepair *r)
{
    const CXLDramPlace *p = &r->place;
    uint16_t has = kinds[r->kind].valid;
    uint64_t n;

    if (p->channel >= CXL_DRAM_CHANNELS || p->rank >= CXL_DRAM_RANKS) {
        return false;
    }
    n = p->channel * CXL_DRAM_RANKS + p->rank;
    r->len = m->size / CXL_DRAM_ALL_RANKS;
    r->dpa = n * r->len;
    if (has & HAS_BANK) {
        if (p->bank_group >= CXL_DRAM_BANK_GROUPS ||
            p->bank >= CXL_DRAM_BANKS) {
            return false;
        }
        n = p->bank_group * CXL_DRAM_BANKS + p->bank;
        r->len = maintenance_bank_size(m);
        r->dpa += n * r->len;
    }
    if (has & HAS_ROW) {
        if (p->row >= maintenance_bank_size(m) / CXL_DRAM_ROW_SIZE) {
            return false;
        }
        r->len = CXL_DRAM_ROW_SIZE;
        r->dpa += p->row * r->len;
    }
    if (has & HAS_COLUMN) {
        if (p->column >= CXL_DRAM_COLUMNS) {
            return false;
        }
        r->len = CXL_POISON_LINE;
        r->dpa += p->column * r->len;
    }
    return true;
}

/* -- what needs repair --------------------------------------------------- */

/* The owner hears of the first range that comes and the last that goes */
static void maintenance_change_needed(CXLMaintenance *m, bool add, uint64_t dpa,
                                      uint64_t len)
{
    bool before = m->needed.n;

    cxl_poison_wipe(&m->needed, dpa, len);
    if (add) {
        cxl_poison_found(&m->needed, dpa, len, CXL_POISON_INTERNAL);
    }
    if (before != (m->needed.n != 0)) {
        m->ops->needed(m->opaque, m->needed.n);
    }
}

void cxl_maintenance_note(CXLMaintenance *m, uint64_t dpa, uint64_t len)
{
    /* what finds no room is found again by the next patrol */
    if (dpa < m->size && len && m->needed.n <= CXL_POISON_RANGES_MAX - 2) {
        maintenance_change_needed(m, true, dpa, MIN(len, m->size - dpa));
    }
}

void cxl_maintenance_forget(CXLMaintenance *m)
{
    maintenance_change_needed(m, false, 0, m->size);
}

/* -- repair -------------------------------------------------------------- */

static void maintenance_log_repair(CXLMaintenance *m, const CXLRepair *r,
                                   CXLRetCode rc)
{
    const struct Kind *kind = &kinds[r->kind];
    const CXLDramPlace *p = &r->place;
    uint16_t valid = kind->valid;
    CXLEventRecord rec;
    uint8_t *b = rec.b;

    cxl_event_record_init(&rec, &cxl_event_uuid_memory_sparing,
                          CXL_EVENT_LOG_INFO | CXL_EVENT_FLAG_SUBCLASS);
    b[CXL_EVENT_OFF_CLASS] = kind->class;
    b[CXL_EVENT_OFF_SUBCLASS] = kind->subclass;
    b[REC_FLAGS] = (r->query ? REC_QUERY : 0) |
                   (maintenance_is_soft(r) ? 0 : REC_HARD) |
                   (r->by_device ? REC_BY_DEVICE : 0);
    /* unsure what else than 0 for success: the code the command answers with */
    b[REC_RESULT] = rc;
    stw_le_p(b + REC_LEFT, m->left[r->kind]);
    b[REC_CHANNEL] = p->channel;
    b[REC_RANK] = p->rank;
    if (r->has_nibbles) {
        valid |= HAS_NIBBLES;
        st24_le_p(b + REC_NIBBLES, r->nibble_mask);
    }
    if (valid & HAS_BANK) {
        b[REC_BANK_GROUP] = p->bank_group;
        b[REC_BANK] = p->bank;
    }
    if (valid & HAS_ROW) {
        st24_le_p(b + REC_ROW, p->row);
    }
    if (valid & HAS_COLUMN) {
        stw_le_p(b + REC_COLUMN, p->column);
    }
    stw_le_p(b + REC_VALID, valid);
    m->ops->log(m->opaque, &rec);
}

/* Sparing is always logged, post package repair where its feature says so */
static bool maintenance_is_logged(const CXLMaintenance *m, CXLRepairKind kind)
{
    return kinds[kind].class == CXL_MAINTENANCE_SPARING ||
           (maintenance_feature(m,
                                kind)[CXL_PPR_SET_MODE] & CXL_PPR_MODE_RECORD);
}

CXLRetCode cxl_maintenance_repair(CXLMaintenance *m, const CXLRepair *r)
{
    static const char *const names[CXL_REPAIR_KINDS] = {
        [CXL_REPAIR_SOFT_PPR] = "soft PPR", [CXL_REPAIR_HARD_PPR] = "hard PPR",
        [CXL_REPAIR_CACHELINE] = "cacheline sparing",
        [CXL_REPAIR_ROW] = "row sparing", [CXL_REPAIR_BANK] = "bank sparing",
        [CXL_REPAIR_RANK] = "rank sparing",
    };
    CXLRetCode rc = m->left[r->kind] ? CXL_RC_SUCCESS :
                                       CXL_RC_RESOURCES_EXHAUSTED;

    if (rc == CXL_RC_SUCCESS && !r->query) {
        m->left[r->kind]--;
        m->lent[r->kind] += maintenance_is_soft(r);
        maintenance_change_needed(m, false, r->dpa, r->len);
        m->ops->replaced(m->opaque, r->dpa, r->len);
    }
    trace_cxl_maintenance(names[r->kind], r->query, r->dpa, r->len,
                          m->left[r->kind], cxl_rc_name(rc));
    if (maintenance_is_logged(m, r->kind)) {
        maintenance_log_repair(m, r, rc);
    }
    return rc;
}

bool cxl_maintenance_auto(CXLMaintenance *m, uint64_t dpa)
{
    /* what replaces least comes first, and of equals what is not for good */
    static const CXLRepairKind order[] = {
        CXL_REPAIR_CACHELINE, CXL_REPAIR_SOFT_PPR, CXL_REPAIR_HARD_PPR,
        CXL_REPAIR_ROW, CXL_REPAIR_BANK, CXL_REPAIR_RANK,
    };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(order); i++) {
        CXLRepair r = { .kind = order[i], .by_device = true };
        const uint8_t *feature = maintenance_feature(m, r.kind);

        if (m->left[r.kind] &&
            (feature[CXL_REPAIR_SET_MODE] & CXL_REPAIR_BY_DEVICE) &&
            cxl_maintenance_line(m, &r, dpa) &&
            cxl_maintenance_unit(m, &r)) {
            cxl_maintenance_repair(m, &r);
            return true;
        }
    }
    return false;
}

/* -- life ---------------------------------------------------------------- */

void cxl_maintenance_init(CXLMaintenance *m, uint64_t size,
                          const CXLFeatures *features,
                          const CXLMaintenanceOps *ops, void *opaque)
{
    unsigned i;

    *m = (CXLMaintenance) {
        .size = QEMU_ALIGN_UP(size, (uint64_t)CXL_DRAM_ROW_SIZE *
                                    CXL_DRAM_ALL_BANKS),
        .features = features,
        .ops = ops,
        .opaque = opaque,
    };
    for (i = 0; i < CXL_REPAIR_KINDS; i++) {
        m->left[i] = kinds[i].spares;
    }
    /* nobody lists these ranges, so the limit of the list means nothing */
    cxl_poison_init(&m->needed, 1, NULL);
}

void cxl_maintenance_destroy(CXLMaintenance *m)
{
    cxl_poison_destroy(&m->needed);
}

void cxl_maintenance_reset(CXLMaintenance *m)
{
    unsigned i;

    for (i = 0; i < CXL_REPAIR_KINDS; i++) {
        m->left[i] += m->lent[i];
        m->lent[i] = 0;
    }
}

/* -- migration ----------------------------------------------------------- */

static int maintenance_post_load(void *opaque, int version_id)
{
    const CXLMaintenance *m = opaque;
    unsigned i;

    for (i = 0; i < CXL_REPAIR_KINDS; i++) {
        if (m->left[i] + m->lent[i] > kinds[i].spares) {
            return -EINVAL;
        }
    }
    return 0;
}

const VMStateDescription vmstate_cxl_maintenance = {
    .name = "cxl-maintenance",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = maintenance_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT16_ARRAY(left, CXLMaintenance, CXL_REPAIR_KINDS),
        VMSTATE_UINT16_ARRAY(lent, CXLMaintenance, CXL_REPAIR_KINDS),
        VMSTATE_STRUCT(needed, CXLMaintenance, 1, vmstate_cxl_poison,
                       CXLPoison),
        VMSTATE_END_OF_LIST()
    },
};
