/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Device register block: layout, every access width at every offset, doorbell,
 * background status and interrupt
 */
#include "qemu/osdep.h"
#include "block/aio.h"
#include "qemu/bswap.h"
#include "qemu/host-utils.h"
#include "qemu/main-loop.h"
#include "qemu/module.h"
#include "qemu/timer.h"
#include "qemu/units.h"
#include "qapi/error.h"
#include "hw/cxl/cxl_mailbox.h"
#include "hw/cxl/cxl_memdev.h"
#include "hw/cxl/memdev/debug-log.h"
#include "fake-clock.h"
#include "state-bytes.h"

#define MSGNUM      7
#define BG_MS       100
#define MBOX        CXL_DEVREGS_OFF_MAILBOX
#define CONTROL     (MBOX + CXL_MAILBOX_OFF_CONTROL)
#define COMMAND     (MBOX + CXL_MAILBOX_OFF_COMMAND)
#define STATUS      (MBOX + CXL_MAILBOX_OFF_STATUS)
#define BG_STATUS   (MBOX + CXL_MAILBOX_OFF_BG_STATUS)
#define PAYLOAD     (MBOX + CXL_MAILBOX_OFF_PAYLOAD)
#define SIZE        2048
#define MEMDEV      (PAYLOAD + SIZE)

/* -- the block as a bus master sees it -------------------------------- */

static const MemoryRegionOps *ops;
static CXLDeviceRegs *block;
static uint64_t block_size;

void memory_region_init_io(MemoryRegion *mr, Object *owner,
                           const MemoryRegionOps *region_ops, void *opaque,
                           const char *name, uint64_t size)
{
    block_size = size;
    ops = region_ops;
    block = opaque;
}

static uint64_t rd(hwaddr at, unsigned size)
{
    return ops->read(block, at, size);
}

static void wr(hwaddr at, uint64_t value, unsigned size)
{
    ops->write(block, at, value, size);
}

/* -- commands --------------------------------------------------------- */

enum {
    OP_ECHO = 0x0100,
    OP_WRITES_ALL = 0x0101,
    OP_IO = 0x0102,
    OP_BG = 0x4400,
};

static unsigned runs, irqs;
static size_t last_len;
static CXLRetCode bg_code;

static CXLRetCode echo(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    runs++;
    last_len = cxl_reader_left(in);
    cxl_put_bytes(out, cxl_reader_bytes(in, last_len), last_len);
    return CXL_RC_SUCCESS;
}

/* Input and output are not the same memory, and neither is the registers */
static CXLRetCode writes_all(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    uint8_t first = cxl_get_u8(in);

    memset(cxl_put_space(out, out->size), 0x5a, out->size);
    g_assert_cmphex(cxl_get_u8(in), ==, first);
    memset(block->payload, 0xee, block->payload_size);
    g_assert_cmphex(cxl_get_u8(in), ==, first);
    return CXL_RC_SUCCESS;
}

static CXLRetCode start(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    return cxl_cci_bg_start(cci, BG_MS);
}

static CXLRetCode bg_done(CXLCCI *cci)
{
    return bg_code;
}

static const CXLCmd rows[] = {
    { .opcode = OP_ECHO, .where = CXL_CCI_MAILBOX, .name = "echo",
      .len = CXL_LEN_MIN(0), .handler = echo },
    { .opcode = OP_WRITES_ALL, .where = CXL_CCI_MAILBOX, .name = "writes all",
      .len = CXL_LEN_MIN(3), .handler = writes_all },
    { .opcode = OP_IO, .where = CXL_CCI_MAILBOX, .name = "CXL.io",
      .len = CXL_LEN_MIN(0), .handler = echo, .flags = CXL_CMD_IO },
    { .opcode = OP_BG, .effects = CXL_EFF_BACKGROUND,
      .where = CXL_CCI_MAILBOX, .name = "background", .flags = CXL_CMD_BG,
      .len = CXL_LEN(0), .handler = start, .bg_done = bg_done },
};
static const CXLCmdSet set = CXL_CMD_SET("test", rows);
const CXLCmdSet *const cxl_cmd_sets[] = { &set, NULL };

typedef struct Fixture {
    CXLTimestamp clock;
    CXLEventLogs logs;
    CXLHistory history;
    CXLMemDev memdev;
    CXLCCI cci;
    CXLDeviceRegs regs;
} Fixture;

static void irq(void *opaque)
{
    irqs++;
}

static void setup(Fixture *f, gconstpointer data)
{
    static const uint32_t depth[CXL_EVENT_LOGS] = { 8, 8, 8, 8, 8 };

    memset(f, 0, sizeof(*f));
    runs = irqs = 0;
    bg_code = CXL_RC_SUCCESS;
    cxl_events_init(&f->logs, depth, &f->clock, NULL, NULL);
    cxl_history_init(&f->history, &f->clock);
    f->memdev.history = &f->history;
    f->memdev.media_status = CXL_MEDIA_READY;
    f->cci.memdev = &f->memdev;
    cxl_cci_init(&f->cci, CXL_CCI_MAILBOX, NULL, SIZE);
    cxl_devregs_init(&f->regs, NULL, "test", &f->cci, &f->logs, MSGNUM, irq,
                     f);
}

static void teardown(Fixture *f, gconstpointer data)
{
    cxl_devregs_finalize(&f->regs);
    cxl_cci_destroy(&f->cci);
    cxl_events_destroy(&f->logs);
}

/* Rings; gives the return code and checks that the doorbell fell */
static unsigned ring(uint16_t opcode, uint32_t len)
{
    wr(COMMAND, opcode | (uint64_t)len << 16, 8);
    wr(CONTROL, 1, 4);
    g_assert_cmphex(rd(CONTROL, 4) & 1, ==, 0);
    return extract64(rd(STATUS, 8), 32, 16);
}

static uint32_t out_len(void)
{
    return extract64(rd(COMMAND, 8), 16, 20);
}

/* -- layout ----------------------------------------------------------- */

static void test_layout(Fixture *f, gconstpointer data)
{
    static const struct {
        uint64_t at, word;
    } words[] = {
        { 0x00, 0x0000000300010000 }, { 0x08, 0 },
        { 0x10, 0x0000008000020001 }, { 0x18, 0x008 },
        { 0x20, 0x0000008800010002 }, { 0x28, 0x820 },
        { 0x30, 0x000008a800014000 }, { 0x38, 0x008 },
        { 0x40, 0 }, { 0x78, 0 }, { 0x80, 0 },
        { 0x88, 0x3cb }, { 0x90, 0 }, { 0x98, 0 }, { 0xa0, 0 },
        { 0x8a8, 0x14 }, { 0x8b0, 0 }, { 0xff8, 0 },
    };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(words); i++) {
        g_assert_cmphex(rd(words[i].at, 8), ==, words[i].word);
    }
    g_assert_cmphex(block_size, ==, 0x1000);
    g_assert_true(ops->valid.unaligned && ops->impl.unaligned);
    g_assert_cmpuint(ops->impl.max_access_size, ==, 8);
}

/* Memory device status follows, whatever the size of the payload */
static void test_payload_sizes(Fixture *f, gconstpointer data)
{
    uint32_t size;

    for (size = 256; size <= 1 * MiB; size *= 2) {
        uint32_t end = PAYLOAD + size;
        /* 20 bits of length do not reach 1 MiB */
        uint32_t most = MIN(size, 0xfffff);

        cxl_cci_init(&f->cci, CXL_CCI_MAILBOX, NULL, size);
        cxl_devregs_init(&f->regs, NULL, "test", &f->cci, &f->logs, MSGNUM,
                         irq, f);
        g_assert_cmphex(block_size, >=, end + 8);
        g_assert_true(is_power_of_2(block_size));
        g_assert_cmphex(rd(0x28, 8), ==, 0x20 + size);
        g_assert_cmphex(rd(0x30, 8), ==, 0x14000 | (uint64_t)end << 32);
        g_assert_cmphex(rd(MBOX, 8), ==, 0x3c0 | ctz32(size));
        g_assert_cmphex(rd(end, 8), ==, 0x14);
        g_assert_cmphex(rd(block_size - 8, 8), ==, 0);

        wr(end - 8, UINT64_MAX, 8);
        wr(end, UINT64_MAX, 8);
        g_assert_cmphex(rd(end - 8, 8), ==, UINT64_MAX);
        g_assert_cmphex(rd(end, 8), ==, 0x14);
        g_assert_cmphex(ring(OP_ECHO, most), ==, CXL_RC_SUCCESS);
        g_assert_cmpuint(last_len, ==, most);
        g_assert_cmpuint(out_len(), ==, most);
        g_assert_cmphex(ring(OP_WRITES_ALL, 3), ==, CXL_RC_SUCCESS);
        g_assert_cmpuint(out_len(), ==, most);
        if (size < most) {
            g_assert_cmphex(ring(OP_ECHO, size + 1), ==,
                            CXL_RC_INVALID_PAYLOAD_LENGTH);
        }
    }
}

static void test_payload_sizes_that_cannot_be(Fixture *f, gconstpointer data)
{
    static const uint32_t wrong[] = {
        0, 1, 128, 255, 257, 3 * KiB, 2 * MiB, UINT32_MAX,
    };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(wrong); i++) {
        g_autofree char *value = g_strdup_printf(
            "'mailbox-payload' is %u:", wrong[i]);
        Error *err = NULL;

        g_assert_false(cxl_mailbox_check_payload(wrong[i], &err));
        g_assert_nonnull(strstr(error_get_pretty(err), value));
        error_free(err);
    }
    g_assert_true(cxl_mailbox_check_payload(256, &error_abort));
    g_assert_true(cxl_mailbox_check_payload(1 * MiB, &error_abort));
}

static void test_switch_block_has_no_media(Fixture *f, gconstpointer data)
{
    f->cci.memdev = NULL;
    cxl_devregs_init(&f->regs, NULL, "test", &f->cci, NULL, 3, NULL, NULL);
    g_assert_cmphex(rd(MBOX, 8), ==, 0x1cb);
    g_assert_cmphex(rd(MEMDEV, 8), ==, 0);
    g_assert_cmphex(rd(0x80, 8), ==, 0);
}

static void test_event_status_is_a_level(Fixture *f, gconstpointer data)
{
    static const uint16_t first = 1;
    CXLEventRecord r;

    cxl_event_record_init(&r, &cxl_event_uuid_dram, 0);
    cxl_event_append(&f->logs, CXL_EVENT_LOG_DYNCAP, &r);
    g_assert_cmphex(rd(0x80, 8), ==, 0x10);
    g_assert_cmphex(rd(0x80, 1), ==, 0x10);
    cxl_event_clear(&f->logs, CXL_EVENT_LOG_DYNCAP, &first, 1);
    g_assert_cmphex(rd(0x80, 8), ==, 0);
}

static void test_media_status(Fixture *f, gconstpointer data)
{
    f->memdev.media_status = CXL_MEDIA_DISABLED;
    g_assert_cmphex(rd(MEMDEV, 8), ==, 0x1c);
    f->memdev.media_status = CXL_MEDIA_READY;
    g_assert_cmphex(rd(MEMDEV, 4), ==, 0x14);
}

/* -- access ----------------------------------------------------------- */

/* A read of any width at any offset is those bytes of the block */
static void test_reads_of_every_width(Fixture *f, gconstpointer data)
{
    uint8_t image[0x1000 + 8] = { 0 };
    unsigned at, size, i;

    for (i = 0; i < SIZE; i++) {
        wr(PAYLOAD + i, i * 7 + 1, 1);
    }
    ring(OP_ECHO, 100);
    for (at = 0; at < 0x1000; at += 8) {
        stq_le_p(image + at, rd(at, 8));
    }
    for (size = 1; size <= 8; size++) {
        for (at = 0; at + size <= 0x1000; at++) {
            uint8_t wide[8] = { 0 };

            memcpy(wide, image + at, size);
            g_assert_cmphex(rd(at, size), ==, ldq_le_p(wide));
        }
    }
}

static bool writable(unsigned at)
{
    return at == CONTROL || (at >= COMMAND && at < COMMAND + 5) ||
           (at >= PAYLOAD && at < MEMDEV);
}

/*
 * A write of any width at any offset changes writable bytes that it covers.
 * The byte written has the doorbell clear, so no command runs.
 */
static void test_writes_of_every_width(Fixture *f, gconstpointer data)
{
    unsigned at, size, i;

    for (size = 1; size <= 8; size++) {
        for (at = 0; at < 0x1000; at++) {
            uint8_t before[10], after[10];

            for (i = 0; i < 10; i++) {
                before[i] = rd(at + i - 1, 1);
            }
            wr(at, 0xfefefefefefefefe, size);
            for (i = 0; i < 10; i++) {
                after[i] = rd(at + i - 1, 1);
            }
            for (i = 0; i < 10; i++) {
                unsigned byte = at + i - 1;

                if (i < 1 || i > size || !writable(byte)) {
                    g_assert_cmphex(after[i], ==, before[i]);
                } else if (byte == CONTROL) {
                    g_assert_cmphex(after[i], ==, 6);
                } else if (byte == COMMAND + 4) {
                    g_assert_cmphex(after[i], ==, 0xe);
                } else {
                    g_assert_cmphex(after[i], ==, 0xfe);
                }
            }
            cxl_devregs_reset(&f->regs);
        }
    }
    g_assert_cmpuint(runs, ==, 0);
}

static void test_write_over_control_and_command(Fixture *f,
                                                gconstpointer data)
{
    /* the command's low half arrives in the access that rings */
    wr(COMMAND + 4, 0, 4);
    wr(CONTROL, 1 | (uint64_t)(OP_ECHO | 3 << 16) << 32, 8);
    g_assert_cmpuint(runs, ==, 1);
    g_assert_cmpuint(last_len, ==, 3);
}

/* -- doorbell --------------------------------------------------------- */

static void test_doorbell_runs_a_command(Fixture *f, gconstpointer data)
{
    wr(PAYLOAD, 0x1122334455667788, 8);
    g_assert_cmphex(ring(OP_ECHO, 5), ==, CXL_RC_SUCCESS);
    g_assert_cmpuint(last_len, ==, 5);
    g_assert_cmpuint(out_len(), ==, 5);
    g_assert_cmphex(rd(COMMAND, 2), ==, OP_ECHO);
    g_assert_cmphex(rd(PAYLOAD, 4), ==, 0x55667788);
    g_assert_cmphex(ring(OP_ECHO, 2048), ==, CXL_RC_SUCCESS);
    g_assert_cmpuint(out_len(), ==, 2048);
    g_assert_cmphex(ring(0x1234, 2), ==, CXL_RC_UNSUPPORTED);
    g_assert_cmpuint(out_len(), ==, 0);
    /* by a byte, too; and a byte beside it rings nothing */
    wr(COMMAND, OP_ECHO, 8);
    wr(CONTROL, 1, 1);
    g_assert_cmpuint(runs, ==, 3);
    wr(CONTROL + 1, 0xff, 1);
    wr(CONTROL + 2, 0xffff, 2);
    g_assert_cmpuint(runs, ==, 3);
}

static void test_length_beyond_the_payload(Fixture *f, gconstpointer data)
{
    static const uint32_t lengths[] = { 2049, 4096, 0x80000, 0xfffff };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(lengths); i++) {
        g_assert_cmphex(ring(OP_ECHO, lengths[i]), ==,
                        CXL_RC_INVALID_PAYLOAD_LENGTH);
        g_assert_cmpuint(out_len(), ==, 0);
    }
    g_assert_cmpuint(runs, ==, 0);
}

static void test_handlers_see_copies(Fixture *f, gconstpointer data)
{
    wr(PAYLOAD, 0x414141, 8);
    g_assert_cmphex(ring(OP_WRITES_ALL, 3), ==, CXL_RC_SUCCESS);
    g_assert_cmpuint(out_len(), ==, 2048);
    g_assert_cmphex(rd(PAYLOAD, 8), ==, 0x5a5a5a5a5a5a5a5a);
    g_assert_cmphex(rd(MEMDEV - 8, 8), ==, 0x5a5a5a5a5a5a5a5a);
}

/* -- background ------------------------------------------------------- */

static void test_background_status(Fixture *f, gconstpointer data)
{
    bg_code = CXL_RC_MEDIA_FAILURE;
    g_assert_cmphex(ring(OP_BG, 0), ==, CXL_RC_BG_STARTED);
    g_assert_cmphex(rd(STATUS, 8), ==, 1 | (uint64_t)CXL_RC_BG_STARTED << 32);
    g_assert_cmphex(rd(BG_STATUS, 8), ==, OP_BG);
    fake_clock_step(BG_MS / 2 * SCALE_MS);
    g_assert_cmphex(rd(BG_STATUS, 4), ==, OP_BG | 50 << 16);
    g_assert_cmphex(rd(BG_STATUS + 2, 1), ==, 50);
    /* other commands run meanwhile; status then is theirs, bit 0 stays */
    g_assert_cmphex(ring(OP_ECHO, 0), ==, CXL_RC_SUCCESS);
    g_assert_cmphex(rd(STATUS, 1), ==, 1);
    g_assert_cmphex(ring(OP_BG, 0), ==, CXL_RC_BUSY);
    fake_clock_step(BG_MS / 2 * SCALE_MS);
    g_assert_cmphex(rd(STATUS, 4), ==, 0);
    g_assert_cmphex(rd(BG_STATUS, 8), ==, OP_BG | 100 << 16 |
                    (uint64_t)CXL_RC_MEDIA_FAILURE << 32);
    g_assert_cmphex(rd(BG_STATUS, 4), ==, OP_BG | 100 << 16);
    g_assert_cmphex(rd(BG_STATUS + 4, 4), ==, CXL_RC_MEDIA_FAILURE);
}

static void test_background_status_in_halves(Fixture *f, gconstpointer data)
{
    bg_code = CXL_RC_MEDIA_FAILURE;
    ring(OP_BG, 0);
    fake_clock_step(BG_MS * 9 / 10 * SCALE_MS);
    /* high half, end of the operation, low half: not "100 % and success" */
    g_assert_cmphex(rd(BG_STATUS + 4, 4), ==, 0);
    fake_clock_step(BG_MS * SCALE_MS);
    g_assert_cmphex(rd(BG_STATUS, 4), ==, OP_BG | 90 << 16);
    /* the pair is over: what follows is current */
    g_assert_cmphex(rd(BG_STATUS, 4), ==, OP_BG | 100 << 16);
    g_assert_cmphex(rd(BG_STATUS + 4, 4), ==, CXL_RC_MEDIA_FAILURE);

    ring(OP_BG, 0);
    fake_clock_step(BG_MS / 10 * SCALE_MS);
    rd(BG_STATUS + 4, 4);
    rd(STATUS, 4);              /* something else between drops the pair */
    fake_clock_step(BG_MS / 10 * SCALE_MS);
    g_assert_cmphex(rd(BG_STATUS, 4), ==, OP_BG | 20 << 16);
}

/* Linux sets bit 2 once, then rings with a plain 1 and still waits for it */
static void test_interrupt_enable_survives_the_doorbell(Fixture *f,
                                                        gconstpointer data)
{
    wr(CONTROL, 4, 4);
    g_assert_cmphex(rd(CONTROL, 4), ==, 4);
    ring(OP_BG, 0);
    g_assert_cmphex(rd(CONTROL, 4), ==, 4);
    g_assert_cmpuint(irqs, ==, 0);
    fake_clock_step(BG_MS * SCALE_MS);
    g_assert_cmpuint(irqs, ==, 1);

    wr(CONTROL, 0, 4);
    ring(OP_BG, 0);
    fake_clock_step(BG_MS * SCALE_MS);
    g_assert_cmpuint(irqs, ==, 1);
}

static void test_reset(Fixture *f, gconstpointer data)
{
    wr(CONTROL, 6, 4);
    wr(PAYLOAD, UINT64_MAX, 8);
    ring(OP_BG, 0);
    cxl_cci_reset(&f->cci);
    cxl_devregs_reset(&f->regs);
    g_assert_cmphex(rd(MBOX, 8), ==, 0x3cb);
    g_assert_cmphex(rd(COMMAND, 8), ==, 0);
    g_assert_cmphex(rd(STATUS, 8), ==, 0);
    g_assert_cmphex(rd(BG_STATUS, 8), ==, 0);
    g_assert_cmphex(rd(PAYLOAD, 8), ==, 0);
    fake_clock_step(BG_MS * 2 * SCALE_MS);
    g_assert_cmpuint(irqs, ==, 0);
}

/* -- migration -------------------------------------------------------- */

static void test_migration(Fixture *f, gconstpointer data)
{
    g_autoptr(GByteArray) bytes = NULL;
    uint8_t image[0x1000];
    unsigned at;

    wr(CONTROL, 4, 4);
    wr(PAYLOAD + 3, 0x1122334455667788, 8);
    ring(OP_ECHO, 11);
    for (at = 0; at < sizeof(image); at += 8) {
        stq_le_p(image + at, rd(at, 8));
    }
    bytes = state_save(&vmstate_cxl_devregs, &f->regs);
    cxl_devregs_reset(&f->regs);
    g_assert_cmpint(state_load(&vmstate_cxl_devregs, &f->regs, bytes->data,
                               bytes->len), ==, 0);
    for (at = 0; at < sizeof(image); at += 8) {
        g_assert_cmphex(rd(at, 8), ==, ldq_le_p(image + at));
    }

    /* control, command and status stand first in the stream */
    bytes->data[3] |= 1;                    /* a doorbell that never falls */
    g_assert_true(state_is_refused(&vmstate_cxl_devregs, &f->regs,
                                   bytes->data, bytes->len));
    bytes->data[3] &= ~1;
    bytes->data[4] = 0xff;                  /* command bits that do not exist */
    g_assert_true(state_is_refused(&vmstate_cxl_devregs, &f->regs,
                                   bytes->data, bytes->len));
    bytes->data[4] = 0;
    g_assert_cmpint(state_load(&vmstate_cxl_devregs, &f->regs, bytes->data,
                               bytes->len), ==, 0);
}

#define ADD(path, fn) \
    g_test_add("/cxl/mailbox/" path, Fixture, NULL, setup, fn, teardown)

/* -- commands that act on the bus ------------------------------------- */

static void settle(void)
{
    bool more;

    do {
        more = aio_poll(qemu_get_aio_context(), false);
    } while (more);
}

static void ring_io(uint32_t payload)
{
    wr(PAYLOAD, payload, 4);
    wr(COMMAND, OP_IO | 4ull << 16, 8);
    wr(CONTROL, 1, 4);
}

static void test_io_runs_after_the_write(Fixture *f, gconstpointer data)
{
    ring_io(0x11223344);
    g_assert_cmpuint(runs, ==, 0);
    g_assert_cmphex(rd(CONTROL, 4), ==, 1);
    /* neither a second ring nor a write of the enables changes that */
    wr(CONTROL, 1, 4);
    wr(CONTROL, 4, 4);
    g_assert_cmphex(rd(CONTROL, 4), ==, 5);
    settle();
    g_assert_cmpuint(runs, ==, 1);
    g_assert_cmphex(rd(CONTROL, 4), ==, 4);
    g_assert_cmpuint(out_len(), ==, 4);
    g_assert_cmphex(rd(PAYLOAD, 4), ==, 0x11223344);
}

static void test_reset_drops_io(Fixture *f, gconstpointer data)
{
    ring_io(1);
    cxl_devregs_reset(&f->regs);
    settle();
    g_assert_cmpuint(runs, ==, 0);
    g_assert_cmphex(rd(CONTROL, 4), ==, 0);
}

static void test_io_that_waits_travels(Fixture *f, gconstpointer data)
{
    GByteArray *state;

    ring_io(2);
    state = state_save(&vmstate_cxl_devregs, &f->regs);
    settle();
    cxl_devregs_reset(&f->regs);
    runs = 0;
    g_assert_cmpint(state_load(&vmstate_cxl_devregs, &f->regs, state->data,
                               state->len), ==, 0);
    g_assert_cmphex(rd(CONTROL, 4), ==, 1);
    state_machine_runs();
    settle();
    g_assert_cmpuint(runs, ==, 1);

    /* a doorbell that is set while nothing is due: control comes first */
    ring_io(3);
    settle();
    g_byte_array_unref(state);
    state = state_save(&vmstate_cxl_devregs, &f->regs);
    state->data[3] |= 1;
    g_assert_true(state_is_refused(&vmstate_cxl_devregs, &f->regs,
                                   state->data, state->len));
    g_byte_array_unref(state);
}

int main(int argc, char **argv)
{
    module_call_init(MODULE_INIT_QOM);
    /* has made the clocks, of which tests move one */
    qemu_init_main_loop(&error_abort);
    qemu_clock_enable(QEMU_CLOCK_VIRTUAL, true);
    g_test_init(&argc, &argv, NULL);
    ADD("layout", test_layout);
    ADD("layout/payload", test_payload_sizes);
    ADD("payload-property", test_payload_sizes_that_cannot_be);
    ADD("layout/switch", test_switch_block_has_no_media);
    ADD("event-status", test_event_status_is_a_level);
    ADD("media-status", test_media_status);
    ADD("access/reads", test_reads_of_every_width);
    ADD("access/writes", test_writes_of_every_width);
    ADD("access/control-and-command", test_write_over_control_and_command);
    ADD("doorbell/runs", test_doorbell_runs_a_command);
    ADD("doorbell/length", test_length_beyond_the_payload);
    ADD("doorbell/copies", test_handlers_see_copies);
    ADD("background/status", test_background_status);
    ADD("background/halves", test_background_status_in_halves);
    ADD("background/interrupt", test_interrupt_enable_survives_the_doorbell);
    ADD("reset", test_reset);
    ADD("migration", test_migration);
    ADD("io/later", test_io_runs_after_the_write);
    ADD("io/reset", test_reset_drops_io);
    ADD("io/state", test_io_that_waits_travels);
    return g_test_run();
}
