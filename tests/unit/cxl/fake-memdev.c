/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A memory device for tests of command sets: real models, no PCI and no memory
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/module.h"
#include "hw/pci/pci.h"
#include "hw/pci/pcie.h"
#include "hw/cxl/memdev/debug-log.h"
#include "fake-clock.h"
#include "fake-memdev.h"

FakeMemDev fake;
CXLWriter rq;
CXLReader rs;

static uint8_t rq_bytes[4096], rs_bytes[4096];

/* -- what commands do to the memory ------------------------------------ */

static void fake_note_zeroed(uint64_t dpa, uint64_t len)
{
    fake.zeroed_range[fake.zeroed_ranges++ % ARRAY_SIZE(fake.zeroed_range)] =
        (CXLDCRange) { dpa, len };
}

static uint64_t fake_zero(void *opaque, uint64_t dpa, uint64_t len,
                          uint64_t *budget)
{
    uint64_t n = MIN(len, *budget);

    fake_note_zeroed(dpa, n);
    *budget -= n;
    return n;
}

static void fake_wipe(void *opaque, uint64_t dpa, uint64_t len)
{
    fake_note_zeroed(dpa, len);
    fake.wiped = true;
}

static void fake_wipe_begin(void *opaque)
{
    fake.wiped = false;
}

static void fake_wipe_all(void *opaque)
{
    fake.zeroed++;
}

static bool fake_is_wiping(void *opaque)
{
    return fake.wiping;
}

static bool fake_store_line(void *opaque, uint64_t dpa, const uint8_t *line)
{
    fake.stored_dpa = dpa;
    memcpy(fake.stored, line, sizeof(fake.stored));
    return true;
}

static void fake_lsa_read(void *opaque, uint64_t offset, void *buf, size_t n)
{
    g_assert(n && offset < fake.lsa_size && n <= fake.lsa_size - offset);
    memcpy(buf, fake.lsa + offset, n);
}

static void fake_lsa_write(void *opaque, uint64_t offset, const void *buf,
                           size_t n)
{
    g_assert(n && offset < fake.lsa_size && n <= fake.lsa_size - offset);
    memcpy(fake.lsa + offset, buf, n);
}

static bool fake_is_decoded(void *opaque, uint64_t dpa, uint64_t len)
{
    return fake.is_decoded;
}

static void fake_changed(void *opaque)
{
}

static void fake_interrupt(void *opaque, unsigned number)
{
}

/* One section, of one byte */
static void fake_dump(void *opaque)
{
    CXLWriter w;
    size_t section;

    cxl_dump_begin(fake.mem->dump, &w, cxl_timestamp_get(fake.mem->clock));
    section = cxl_dump_section(&w, CXL_DUMP_STATUS);
    cxl_put_u8(&w, 0x5a);
    cxl_dump_section_end(&w, section);
    cxl_dump_end(&w);
}

static const CXLMemDevOps fake_ops = {
    .zero = fake_zero,
    .wipe = fake_wipe,
    .wipe_begin = fake_wipe_begin,
    .wipe_all = fake_wipe_all,
    .is_wiping = fake_is_wiping,
    .store_line = fake_store_line,
    .lsa_read = fake_lsa_read,
    .lsa_write = fake_lsa_write,
    .is_decoded = fake_is_decoded,
    .partition_moved = fake_changed,
    .map_changed = fake_changed,
    .interrupt = fake_interrupt,
    .dump = fake_dump,
};

/* -- dynamic capacity --------------------------------------------------- */

static uint32_t fake_log_space(void *opaque, uint16_t host)
{
    return cxl_event_room(fake.mem->events, CXL_EVENT_LOG_DYNCAP);
}

static void fake_log_dc(void *opaque, const CXLDCEvent *event)
{
    cxl_memdev_log_dc(fake.mem, event);
}

static const CXLDCOps dc_ops = {
    .log_space = fake_log_space,
    .log = fake_log_dc,
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

static void open_cci(CXLCCI *cci, CXLCCIKind kind, CXLEventLogs *logs,
                     uint32_t payload)
{
    cci->memdev = fake.mem;
    cci->dc = fake.dc;
    cci->fm_sets = fake.fm_on_mailbox;
    cci->events = logs;
    cci->clock = fake.mem->clock;
    cxl_cci_init(cci, kind, NULL, payload);
}

void fake_memdev_open(void)
{
    const CXLMemDevConfig config = {
        .volatile_size = fake.volatile_size,
        .persistent_size = fake.persistent_size,
        .partitionable = fake.partitionable,
        .lsa_size = fake.lsa_size,
        .medium_size = fake.volatile_size + fake.persistent_size,
        .log_depth = FAKE_LOG_DEPTH,
        .dc_log_depth = MAX(2 * FAKE_LOG_DEPTH, fake.blocks),
    };

    fake.mem = cxl_memdev_new(&fake_ops, NULL);
    cxl_memdev_init(fake.mem, &config);
    fake.dc = fake.mem->dc = fake.has_dc ? make_dc() : NULL;
    open_cci(&fake.mailbox, CXL_CCI_MAILBOX, fake.mem->events,
             fake.blocks ? 1u << CXL_CCI_MAX_PAYLOAD_SHIFT :
                           FAKE_MBOX_PAYLOAD);
    fake.fm.lds = &fake.ld;
    fake.fm.nr_lds = 1;
    open_cci(&fake.fm, CXL_CCI_FM, fake.mem->fm_events, FAKE_FM_PAYLOAD);
    open_cci(&fake.ld, CXL_CCI_LD, fake.mem->events, FAKE_FM_PAYLOAD);
    new_request();
}

void fake_memdev_close(void)
{
    cxl_cci_destroy(&fake.mailbox);
    cxl_cci_destroy(&fake.fm);
    cxl_cci_destroy(&fake.ld);
    cxl_dc_free(fake.dc);
    cxl_memdev_destroy(fake.mem);
    cxl_memdev_free(fake.mem);
    memset(&fake, 0, sizeof(fake));
}

void fake_memdev_test_init(int *argc, char ***argv)
{
    module_call_init(MODULE_INIT_QOM);
    g_test_init(argc, argv, NULL);
    fake_clock_init();
}

void fake_teardown(FakeMemDev *unused, gconstpointer data)
{
    fake_memdev_close();
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

void put_request_fields(uint16_t opcode, const uint64_t *values, size_t n)
{
    uint8_t buf[256];

    cxl_put_bytes(&rq, buf, cxl_request_pack(buf, sizeof(buf), opcode, values,
                                             n));
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
