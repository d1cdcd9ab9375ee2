/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Save, change everything, load: every register and every answer is what it
 * was, in every state of background work, on every CCI
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "cxl-qtest-state.h"
#include "robust-ccis.h"
#include "robust-rows.h"

#define STATIC          (512 * MiB)
#define RC_BG           1
#define OP_SCAN         0x4304
#define OP_SANITIZE     0x4400
#define OP_MEDIA_OPS    0x4402
#define OP_TRANSFER     0x0201
#define OP_BIND         0x5201
#define OP_UNBIND       0x5202

enum { DEVICE, SWITCH, DEVICE_MCTP, SWITCH_MCTP, TUNNEL };

static const uint8_t debug_log[16] = {
    0x5e, 0x18, 0x19, 0xd9, 0x11, 0xa9, 0x40, 0x0c,
    0x81, 0x1f, 0xd6, 0x07, 0x19, 0x40, 0x3d, 0x86,
};
static const uint8_t scrub[16] = {
    0x96, 0xda, 0xd7, 0xd6, 0xfd, 0xe8, 0x48, 0x2b,
    0xa7, 0x33, 0x75, 0x77, 0x4e, 0x06, 0xdb, 0x8a,
};

static void bytes(CxlReq *r, const void *data, size_t len)
{
    memcpy(r->data + r->len, data, len);
    r->len += len;
}

static uint16_t run(RobustMachine *m, unsigned cci, uint16_t op,
                    const CxlReq *r)
{
    return robust_rc(m, &robust_ccis[cci], op, r->data, r->len);
}

static void must(RobustMachine *m, unsigned cci, uint16_t op,
                 const CxlReq *r, uint16_t rc)
{
    g_assert_cmphex(run(m, cci, op, r), ==, rc);
}

static void must_fields(RobustMachine *m, unsigned cci, uint16_t rc,
                        uint16_t op, const uint64_t *values, size_t n)
{
    CxlReq r = cxl_req_fields(op, values, n);

    must(m, cci, op, &r, rc);
}

#define MUST(m, cci, rc, op, ...) \
    must_fields(m, cci, rc, op, CXL_VALUES(__VA_ARGS__), \
                CXL_COUNT(__VA_ARGS__))

/* -- what a guest and a Fabric Manager see --------------------------------- */

/* Commands that change something, though no effect of the log says so */
static bool is_question(const RobustRow *row)
{
    static const uint16_t not[] = {
        0x0004, 0x0005, 0x0106, 0x4301, 0x4302, 0x4600, 0x5103, 0x5203, 0x5300,
        0x5301, 0x5302,
    };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(not); i++) {
        if (row->opcode == not[i]) {
            return false;
        }
    }
    return !row->effects && !(row->flags & ROW_BG);
}

static void put_answer(GString *seen, RobustMachine *m, unsigned cci,
                       uint16_t op, const void *in, size_t len)
{
    Answer a = robust_run(m, &robust_ccis[cci], op, in, len);
    unsigned i;

    g_string_append_printf(seen, "%s %04x(%zu): %02x", robust_ccis[cci].name,
                           op, len, a.ret_code);
    for (i = 0; i < a.payload->len; i++) {
        g_string_append_printf(seen, " %02x", a.payload->data[i]);
    }
    g_string_append_c(seen, '\n');
    answer_clear(&a);
}

static void ask(GString *seen, RobustMachine *m, unsigned cci, uint16_t op,
                const CxlReq *r)
{
    put_answer(seen, m, cci, op, r->data, r->len);
}

static void ask_fields(GString *seen, RobustMachine *m, unsigned cci,
                       uint16_t op, const uint64_t *values, size_t n)
{
    CxlReq r = cxl_req_fields(op, values, n);

    ask(seen, m, cci, op, &r);
}

#define ASK(seen, m, cci, op, ...) \
    ask_fields(seen, m, cci, op, CXL_VALUES(__VA_ARGS__), \
               CXL_COUNT(__VA_ARGS__))

/* Questions with a meaning, beside those of zeroes */
static void ask_in_detail(GString *seen, RobustMachine *m)
{
    CxlReq feature = { 0 };
    unsigned log;

    for (log = 0; log < 5; log++) {
        ASK(seen, m, DEVICE, 0x0100, log);
        ASK(seen, m, SWITCH, 0x0100, log);
    }
    ASK(seen, m, DEVICE, 0x4300, 0, STATIC / 64);
    ASK(seen, m, DEVICE, 0x4801, 16, 0);
    ASK(seen, m, DEVICE, 0x5603, 0, 16, 0);
    ASK(seen, m, DEVICE, 0x5608, 0, 8);
    bytes(&feature, scrub, sizeof(scrub));
    req16(&feature, 0);
    req16(&feature, 4);
    req8(&feature, 0);
    ask(seen, m, DEVICE, 0x0501, &feature);
}

static void ask_everything(GString *seen, RobustMachine *m, unsigned cci,
                           const GArray *cel)
{
    unsigned i;

    for (i = 0; i < cel->len; i++) {
        const RobustRow *row = robust_row(g_array_index(cel, uint16_t, i));

        if (is_question(row)) {
            g_autofree uint8_t *zeros = g_malloc0(row->min + 1);

            put_answer(seen, m, cci, row->opcode, zeros, row->min);
        }
    }
}

static void put_registers(GString *seen, QPCIDevice *pci, QPCIBar bar,
                          unsigned from, unsigned to)
{
    unsigned i;

    for (i = from; i < to; i += 4) {
        g_string_append_printf(seen, "%" PRIx64 "+%05x: %08x\n", bar.addr, i,
                               qpci_io_readl(pci, bar, i));
    }
}

/**
 * struct View - what there is to look at
 * @component, @msix: the device's BARs beside the one of its mailbox
 * @cel: commands of the mailboxes, which not every state tells
 */
typedef struct View {
    QPCIBar component, msix;
    GArray *cel[SWITCH + 1];
} View;

static char *look(RobustMachine *m, const View *v)
{
    GString *seen = g_string_new("");
    CxlReq history = { 0 };
    unsigned i;

    /* what is below asks on its own, so the log of questions comes first */
    bytes(&history, debug_log, sizeof(debug_log));
    req32(&history, 0);
    req32(&history, 512);
    put_registers(seen, m->device.dev, m->device.bar, 0, 0x800);
    put_registers(seen, m->sw.dev, m->sw.bar, 0, 0x800);
    ask(seen, m, DEVICE, 0x0401, &history);
    for (i = 0; i < 256; i += 4) {
        g_string_append_printf(seen, "config %02x: %08x %08x\n", i,
                               qpci_config_readl(m->device.dev, i),
                               qpci_config_readl(m->sw.dev, i));
    }
    put_registers(seen, m->device.dev, v->component, 0x1000, 0x1400);
    put_registers(seen, m->device.dev, v->msix, 0, 0x80);
    ask_in_detail(seen, m);
    ask_everything(seen, m, DEVICE, v->cel[DEVICE]);
    ask_everything(seen, m, SWITCH, v->cel[SWITCH]);
    return g_string_free(seen, false);
}

/* The first line that differs is worth more than a hundred KB of lines */
static void expect_same(const char *was, const char *is)
{
    g_auto(GStrv) a = g_strsplit(was, "\n", -1);
    g_auto(GStrv) b = g_strsplit(is, "\n", -1);
    unsigned i;

    for (i = 0; a[i] && b[i]; i++) {
        g_assert_cmpstr(a[i], ==, b[i]);
    }
    g_assert_cmpstr(was, ==, is);
}

/* -- states ---------------------------------------------------------------- */

static void set_feature(RobustMachine *m, uint8_t hours)
{
    CxlReq r = { 0 };

    bytes(&r, scrub, sizeof(scrub));
    req32(&r, 0);
    req16(&r, 0);
    req8(&r, 1);
    req_zero(&r, 9);
    req8(&r, hours);
    req8(&r, 1);
    must(m, DEVICE, 0x0502, &r, 0);
}

static void offer(RobustMachine *m, uint64_t dpa, uint8_t tag, bool accept)
{
    CxlReq add = cxl_req(0x5604, 0, ADD_PRESCRIPTIVE, 0, 2 * MiB, tag, 1);
    CxlReq answer = cxl_req(0x4802, 1, 0);

    req_extent(&add, dpa, 2 * MiB, tag, 0);
    must(m, DEVICE, 0x5604, &add, 0);
    if (accept) {
        req_range(&answer, dpa, 2 * MiB);
        must(m, DEVICE, 0x4802, &answer, 0);
    }
}

/* Something in every model; another @n makes another state of all of them */
static void fill(RobustMachine *m, unsigned n)
{
    CxlReq policy = cxl_req(0x0103, 1, 1, 1, 1, 1);

    MUST(m, DEVICE, 0, 0x0301, 1000000 * n);
    MUST(m, SWITCH, 0, 0x0301, 1000000 * n);
    policy.data[n % 5] = 0;
    must(m, DEVICE, 0x0103, &policy, 0);
    MUST(m, DEVICE, 0, 0x4301, 4096 * n);
    MUST(m, DEVICE, 0, 0x4202, 1, 1, 50 + n, 0, 0, 0, 0);
    set_feature(m, 2 + n);
    offer(m, STATIC + 4 * MiB * n, n, true);
    offer(m, STATIC + 4 * MiB * n + 128 * MiB, 10 + n, false);
    MUST(m, DEVICE, 0, 0x4204, n % 2);
    MUST(m, DEVICE, 0, 0x4701, 3, 10 + n, 30 + n, 8);
}

static void scan(RobustMachine *m, unsigned cci)
{
    MUST(m, cci, RC_BG, OP_SCAN, 0, STATIC / 64, 0);
}

static void sanitize(RobustMachine *m, unsigned cci)
{
    const CxlReq r = { 0 };

    must(m, cci, OP_SANITIZE, &r, RC_BG);
}

static void overwrite(RobustMachine *m, unsigned cci)
{
    CxlReq r = cxl_req(OP_MEDIA_OPS, 1, 0, 2);

    req64(&r, 0);
    req64(&r, 4096);
    req64(&r, 64 * MiB);
    req64(&r, 4096);
    must(m, cci, OP_MEDIA_OPS, &r, RC_BG);
}

static void transfer(RobustMachine *m, unsigned cci)
{
    CxlReq r = cxl_req(OP_TRANSFER, 0, 2, 0);

    req_zero(&r, 128);
    must(m, cci, OP_TRANSFER, &r, RC_BG);
}

/* Of the device at vPPB 1, as soon as its link is down: it never is */
static void unbind(RobustMachine *m, unsigned cci)
{
    MUST(m, cci, RC_BG, OP_UNBIND, 0, 1, 0);
}

static const struct {
    const char *name;
    unsigned cci;
    void (*start)(RobustMachine *m, unsigned cci);
} work[] = {
    { "nothing", DEVICE, NULL },
    { "scan", DEVICE, scan },
    { "sanitize", DEVICE, sanitize },
    { "media operation", DEVICE, overwrite },
    { "firmware", DEVICE, transfer },
    { "unbind", SWITCH, unbind },
    { "firmware, FM", DEVICE_MCTP, transfer },
    { "sanitize, FM", DEVICE_MCTP, sanitize },
    { "unbind, MCTP", SWITCH_MCTP, unbind },
    { "scan, LD", TUNNEL, scan },
    { "sanitize, LD", TUNNEL, sanitize },
    { "media operation, LD", TUNNEL, overwrite },
};

static void start(RobustMachine *m)
{
    robust_start_args(m, STATE_RAM("256M"));
}

/* Also in the middle of it; time does not pass from the save to the load */
static void loaded_is_what_was_saved(void)
{
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(work); i++) {
        g_autofree char *was = NULL, *other = NULL, *is = NULL;
        RobustMachine m, later;
        State state;
        View view;

        g_test_message("%s", work[i].name);
        start(&m);
        view = (View) {
            .component = qpci_iomap(m.device.dev, 0, NULL),
            .msix = qpci_iomap(m.device.dev, 4, NULL),
            .cel = { robust_cel(&m, &robust_ccis[DEVICE]),
                     robust_cel(&m, &robust_ccis[SWITCH]) },
        };
        fill(&m, 1);
        if (work[i].start) {
            work[i].start(&m, work[i].cci);
            g_assert_true(robust_bg_runs(&m, &robust_ccis[work[i].cci]));
        }
        state_save(&state, m.i2c.qts);
        was = look(&m, &view);

        qtest_system_reset(m.i2c.qts);
        later = m;
        later.sw = mailbox_open(&m.i2c, QPCI_DEVFN(6, 0), 0);
        later.device = mailbox_open(&m.i2c, QPCI_DEVFN(7, 0), 2);
        fill(&later, 2);
        other = look(&later, &view);
        mailbox_close(&later.device);
        mailbox_close(&later.sw);
        g_assert_cmpstr(other, !=, was);

        g_assert_true(state_load(&state, state.data));
        is = look(&m, &view);
        expect_same(was, is);
        if (work[i].start) {
            unsigned seconds = 0;

            while (robust_bg_runs(&m, &robust_ccis[work[i].cci])) {
                g_assert_cmpuint(seconds++, <, 60);
                qtest_clock_step(m.i2c.qts, SECOND);
            }
        }
        g_array_unref(view.cel[DEVICE]);
        g_array_unref(view.cel[SWITCH]);
        state_free(&state);
        robust_stop(&m);
    }
}

/*
 * A bind or unbind is one operation of a switch, and one of its CCIs works on
 * it: a state with the one and not the other is refused.
 */
static void an_unbind_without_a_door_is_refused(void)
{
    g_autoptr(GArray) switches = NULL;
    RobustMachine m;
    State state;
    unsigned i;

    start(&m);
    unbind(&m, SWITCH);
    state_save(&state, m.i2c.qts);
    /* what the CCIs share, and the mailbox */
    switches = state_sections(&state, "cxl-switch");
    g_assert_cmpuint(switches->len, ==, 2);
    for (i = 0; i < switches->len; i++) {
        const StateSection *s = &g_array_index(switches, StateSection, i);
        g_autofree uint8_t *bad = g_memdup2(state.data, state.len);
        size_t at = s->end - 2;

        while (lduw_be_p(bad + at) != OP_UNBIND) {
            g_assert_cmpuint(at--, >, s->start);
        }
        /* none, and another one */
        stw_be_p(bad + at, i ? OP_BIND : 0);
        g_assert_false(state_load(&state, bad));
        /* the port is not busy for ever */
        robust_reset(&m);
        unbind(&m, SWITCH);
        robust_reset(&m);
        g_assert_true(state_load(&state, state.data));
        g_assert_true(robust_bg_runs(&m, &robust_ccis[SWITCH]));
    }
    state_free(&state);
    robust_stop(&m);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) qtest_add_func("/cxl/state-trip/" #f, f)
    T(loaded_is_what_was_saved);
    T(an_unbind_without_a_door_is_refused);
    return g_test_run();
}
