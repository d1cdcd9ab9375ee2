/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A memory device for tests of command sets: real models, no PCI and no memory
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/bswap.h"
#include "qemu/module.h"
#include "hw/pci/pci.h"
#include "hw/pci/pcie.h"
#include "fake-clock.h"
#include "fake-type3.h"

CXLType3Dev fake;
CXLWriter rq;
CXLReader rs;

static uint8_t rq_bytes[4096], rs_bytes[4096];

CXLType3Dev *cxl_cci_type3(const CXLCCI *cci)
{
    return cci->kind == CXL_CCI_SWITCH ? NULL : &fake;
}

CXLDynCap *cxl_type3_dc(CXLType3Dev *d)
{
    return d->dc;
}

uint64_t cxl_type3_volatile_size(const CXLType3Dev *d)
{
    return d->volatile_size + d->partition.active;
}

uint64_t cxl_type3_persistent_size(const CXLType3Dev *d)
{
    return d->persistent_size - d->partition.active;
}

uint64_t cxl_type3_lsa_size(const CXLType3Dev *d)
{
    return d->lsa_size;
}

void cxl_type3_lsa_read(CXLType3Dev *d, uint64_t offset, void *buf, size_t n)
{
    g_assert(n && offset < d->lsa_size && n <= d->lsa_size - offset);
    memcpy(buf, d->lsa + offset, n);
}

void cxl_type3_lsa_write(CXLType3Dev *d, uint64_t offset, const void *buf,
                         size_t n)
{
    g_assert(n && offset < d->lsa_size && n <= d->lsa_size - offset);
    memcpy(d->lsa + offset, buf, n);
}

CXLEventLogs *cxl_type3_events(CXLType3Dev *d)
{
    return &d->host_logs;
}

CXLEventLogs *cxl_type3_fm_events(CXLType3Dev *d)
{
    return &d->fm_logs;
}

CXLPoison *cxl_type3_poison(CXLType3Dev *d)
{
    return &d->poison;
}

CXLMediaState *cxl_type3_media_state(CXLType3Dev *d)
{
    return &d->media;
}

bool cxl_type3_store_line(CXLType3Dev *d, uint64_t dpa, const uint8_t *line)
{
    d->stored_dpa = dpa;
    memcpy(d->stored, line, sizeof(d->stored));
    return true;
}

static void note_zeroed(CXLType3Dev *d, uint64_t dpa, uint64_t len)
{
    d->zeroed_range[d->zeroed_ranges++ % ARRAY_SIZE(d->zeroed_range)] =
        (CXLDCRange) { dpa, len };
}

uint64_t cxl_type3_zero(CXLType3Dev *d, uint64_t dpa, uint64_t len,
                        uint64_t *budget)
{
    uint64_t n = MIN(len, *budget);

    note_zeroed(d, dpa, n);
    *budget -= n;
    return n;
}

void cxl_type3_wipe(CXLType3Dev *d, uint64_t dpa, uint64_t len)
{
    note_zeroed(d, dpa, len);
    d->wiped = true;
}

void cxl_type3_wipe_begin(CXLType3Dev *d)
{
    d->wiped = false;
}

void cxl_type3_wipe_all(CXLType3Dev *d)
{
    d->zeroed++;
}

bool cxl_type3_wiping(const CXLType3Dev *d)
{
    return d->wiping;
}

void cxl_type3_set_media(CXLType3Dev *d, CXLMediaStatus status)
{
    d->media_disabled = status == CXL_MEDIA_DISABLED;
}

CXLFirmware *cxl_type3_firmware(CXLType3Dev *d)
{
    return &d->firmware;
}

CXLFeatures *cxl_type3_features(CXLType3Dev *d)
{
    return &d->features;
}

CXLMaintenance *cxl_type3_maintenance(CXLType3Dev *d)
{
    return &d->maintenance;
}

CXLHealth *cxl_type3_health(CXLType3Dev *d)
{
    return &d->health;
}

CXLSecurity *cxl_type3_security(CXLType3Dev *d)
{
    return &d->security;
}

CXLHistory *cxl_type3_history(CXLType3Dev *d)
{
    return &d->history;
}

CXLDump *cxl_type3_dump(CXLType3Dev *d)
{
    return &d->dump;
}

/* One section, of one byte */
void cxl_type3_populate_dump(CXLType3Dev *d)
{
    CXLWriter w;
    size_t section;

    cxl_dump_begin(&d->dump, &w, cxl_timestamp_get(&d->clock));
    section = cxl_dump_section(&w, CXL_DUMP_STATUS);
    cxl_put_u8(&w, 0x5a);
    cxl_dump_section_end(&w, section);
    cxl_dump_end(&w);
}

CXLQoS *cxl_type3_qos(CXLType3Dev *d)
{
    return &d->qos;
}

CXLPartition *cxl_type3_partition(CXLType3Dev *d)
{
    return &d->partition;
}

bool cxl_type3_is_decoded(CXLType3Dev *d, uint64_t dpa, uint64_t len)
{
    return d->is_decoded;
}

void cxl_type3_repartition(CXLType3Dev *d)
{
    cxl_partition_apply(&d->partition);
}

bool cxl_type3_fm_on_mailbox(const CXLType3Dev *d)
{
    return d->fm_on_mailbox;
}

/* -- dynamic capacity ------------------------------------------------- */

static uint32_t log_space(void *opaque, uint16_t host)
{
    return cxl_event_room(&fake.host_logs, CXL_EVENT_LOG_DYNCAP);
}

/* Enough of a record to tell what was logged and where */
static void log_event(void *opaque, const CXLDCEvent *event)
{
    CXLEventRecord r;

    cxl_event_record_init(&r, &cxl_event_uuid_dynamic_capacity, 0);
    r.b[0x30] = event->type;
    r.b[0x35] = event->more;
    stq_le_p(r.b + 0x38, event->extent.dpa);
    cxl_event_append(cxl_dc_event_is_for_fm(event->type) ? &fake.fm_logs :
                                                           &fake.host_logs,
                     CXL_EVENT_LOG_DYNCAP, &r);
}

static const CXLDCOps dc_ops = {
    .log_space = log_space,
    .log = log_event,
};

static CXLDynCap *make_dc(void)
{
    CXLDCConfig config = {
        .nr_hosts = 1,
        .nr_regions = FAKE_REGIONS,
        .max_extents = 1000,
        .max_tags = 100,
    };
    unsigned i;

    for (i = 0; i < FAKE_REGIONS; i++) {
        config.region[i] = (CXLDCRegion) {
            .base = FAKE_REGION_BASE(i),
            .decode_len = 256 * MiB,
            .len = 256 * MiB,
            .block_size = FAKE_BLOCK,
            .block_mask = FAKE_BLOCK | 4 * MiB,
            .dsmad_handle = 4 + i,
            .sharable = i == 1,
            .sanitize_configurable = i == 1,
        };
    }
    if (fake.blocks) {
        config.nr_regions = 1;
        config.max_extents = fake.blocks;
        config.region[0].decode_len = config.region[0].len =
            ROUND_UP((uint64_t)fake.blocks * FAKE_BLOCK, CXL_DC_GRANULE);
    }
    return cxl_dc_new(&config, &dc_ops, NULL, &error_abort);
}

/* -- life ------------------------------------------------------------- */

static bool media_disabled(const CXLCCI *cci)
{
    return fake.media_disabled;
}

static void command_ran(CXLCCI *cci, uint16_t opcode, size_t in_len,
                        CXLRetCode rc, size_t out_len)
{
    const CXLHistoryRecord r = {
        .kind = cci->kind, .opcode = opcode, .rc = rc, .in_len = in_len,
        .out_len = out_len,
    };

    cxl_history_add(&fake.history, &r);
}

static void open_cci(CXLCCI *cci, CXLCCIKind kind, CXLEventLogs *logs,
                     uint32_t payload)
{
    cci->events = logs;
    cci->clock = &fake.clock;
    cci->media_disabled = media_disabled;
    cci->ran = command_ran;
    cxl_cci_init(cci, kind, NULL, payload);
}

void fake_type3_open(void)
{
    const uint32_t depth[CXL_EVENT_LOGS] = {
        FAKE_LOG_DEPTH, FAKE_LOG_DEPTH, FAKE_LOG_DEPTH, FAKE_LOG_DEPTH,
        MAX(2 * FAKE_LOG_DEPTH, fake.blocks),
    };

    cxl_events_init(&fake.host_logs, depth, &fake.clock, NULL, NULL);
    cxl_events_init(&fake.fm_logs, depth, &fake.clock, NULL, NULL);
    cxl_poison_init(&fake.poison, FAKE_POISON_LIMIT, &fake.clock);
    cxl_security_init(&fake.security, fake.volatile_size, fake.persistent_size,
                      NULL, NULL);
    cxl_history_init(&fake.history, &fake.clock);
    fake.dc = fake.has_dc ? make_dc() : NULL;
    open_cci(&fake.mailbox, CXL_CCI_MAILBOX, &fake.host_logs,
             fake.blocks ? 1u << CXL_CCI_MAX_PAYLOAD_SHIFT :
                           FAKE_MBOX_PAYLOAD);
    open_cci(&fake.fm, CXL_CCI_FM, &fake.fm_logs, FAKE_FM_PAYLOAD);
    open_cci(&fake.ld, CXL_CCI_LD, &fake.host_logs, FAKE_FM_PAYLOAD);
    new_request();
}

void fake_type3_close(void)
{
    cxl_cci_destroy(&fake.mailbox);
    cxl_cci_destroy(&fake.fm);
    cxl_cci_destroy(&fake.ld);
    cxl_dc_free(fake.dc);
    cxl_poison_destroy(&fake.poison);
    cxl_events_destroy(&fake.host_logs);
    cxl_events_destroy(&fake.fm_logs);
    memset(&fake, 0, sizeof(fake));
}

void fake_type3_test_init(int *argc, char ***argv)
{
    module_call_init(MODULE_INIT_QOM);
    g_test_init(argc, argv, NULL);
    fake_clock_init();
}

void fake_teardown(CXLType3Dev *unused, gconstpointer data)
{
    fake_type3_close();
}

/* 0001h asks a PCI device; there is none, so it is never called */
uint16_t pcie_find_capability(PCIDevice *dev, uint16_t cap_id)
{
    g_assert_not_reached();
}

uint8_t pci_find_capability(PCIDevice *dev, uint8_t cap_id)
{
    g_assert_not_reached();
}

/* -- requests --------------------------------------------------------- */

void new_request(void)
{
    cxl_writer_init(&rq, rq_bytes, sizeof(rq_bytes));
}

CXLRetCode send_bytes(CXLCCI *cci, uint16_t opcode, size_t len)
{
    size_t out_len;
    CXLRetCode rc;

    g_assert(!rq.overflow && len <= sizeof(rq_bytes));
    memset(rs_bytes, 0xcc, sizeof(rs_bytes));
    rc = cxl_cci_process(cci, opcode, rq_bytes, len, rs_bytes,
                         sizeof(rs_bytes), &out_len);
    if (rc != CXL_RC_SUCCESS) {
        g_assert_cmpuint(out_len, ==, 0);
    }
    cxl_reader_init(&rs, rs_bytes, out_len);
    return rc;
}

CXLRetCode send_request(CXLCCI *cci, uint16_t opcode)
{
    CXLRetCode rc = send_bytes(cci, opcode, rq.len);

    new_request();
    return rc;
}
