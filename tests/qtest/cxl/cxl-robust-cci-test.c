/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every opcode in every length on every CCI in every state of the device: the
 * answer is one that the specification knows, and the next command works
 *
 * Which commands there are and how long they may be comes from the tables in
 * the code, so that a new set is covered from the start.  Random payloads are
 * the same in every run; CXL_ROBUST_SEED in the environment changes them.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/cutils.h"
#include "qemu/units.h"
#include "robust-ccis.h"
#include "robust-rows.h"

#define SEED            20261123
/* Longer than what the longest operation here takes, in small steps */
#define WAIT_NS         1000000000ll
#define WAIT_STEPS      600
/* Opcodes without a row that are tried where each try is slow */
#define UNKNOWN_SAMPLE  40
/* Bytes of a request that is long where each try is slow */
#define LONG            512

#define RC_BG           0x01
#define RC_UNSUPPORTED  0x03
#define RC_BUSY         0x06
#define RC_DISABLED     0x07
#define RC_LENGTH       0x16

#define OP_SCAN         0x4304
#define OP_TRANSFER     0x0201
#define OP_UNBIND       0x5202
#define OP_SANITIZE     0x4400
#define OP_GET_SECURITY 0x4500
#define OP_PASSPHRASE   0x4501
#define SECURITY_LOCKED 0x04

#define KIND_MEMORY     (KIND_MAILBOX | KIND_FM | KIND_LD)

typedef struct State State;

typedef struct Run {
    RobustMachine m;
    const RobustCCI *cci;
    const State *state;
    GArray *cel;
    GRand *rand;
    unsigned room;
    unsigned sent, entered;
} Run;

/**
 * struct State - a state of the device
 * @kinds: CCIs of components that can be in it
 * @enter: bring it about; false: this CCI has no way to
 * @holds: is it still so?
 * @refusal: what a command with these row flags answers, 0: anything
 */
struct State {
    const char *name;
    unsigned kinds;
    bool (*enter)(Run *r);
    bool (*holds)(Run *r);
    uint16_t (*refusal)(const RobustRow *row);
};

/* -- states -- */

static void await_idle(Run *r)
{
    unsigned i;

    for (i = 0; robust_bg_runs(&r->m, r->cci); i++) {
        g_assert_cmpuint(i, <, WAIT_STEPS);
        qtest_clock_step(r->m.i2c.qts, WAIT_NS);
    }
}

static bool enter_idle(Run *r)
{
    await_idle(r);
    return true;
}

static bool is_idle(Run *r)
{
    return !robust_bg_runs(&r->m, r->cci);
}

static bool bg_runs(Run *r)
{
    return robust_bg_runs(&r->m, r->cci);
}

/* All of the static capacity, 512 MiB in lines of 64 bytes */
static uint16_t start_scan(Run *r)
{
    uint8_t in[17] = { 0 };

    stq_le_p(in + 8, 512 * MiB / 64);
    return robust_rc(&r->m, r->cci, OP_SCAN, in, sizeof(in));
}

/* A whole image into the second slot */
static uint16_t start_transfer(Run *r)
{
    uint8_t in[256] = { 0, 2 };

    return robust_rc(&r->m, r->cci, OP_TRANSFER, in, sizeof(in));
}

/* Of the device at vPPB 1, as soon as its link is down: it never is */
static uint16_t start_unbind(Run *r)
{
    const uint8_t in[] = { 0, 1, 0 };

    return robust_rc(&r->m, r->cci, OP_UNBIND, in, sizeof(in));
}

static bool enter_background(Run *r)
{
    await_idle(r);
    if (robust_cel_has(r->cel, OP_SCAN)) {
        g_assert_cmphex(start_scan(r), ==, RC_BG);
    } else if (robust_cel_has(r->cel, OP_TRANSFER)) {
        g_assert_cmphex(start_transfer(r), ==, RC_BG);
    } else if (robust_cel_has(r->cel, OP_UNBIND)) {
        g_assert_cmphex(start_unbind(r), ==, RC_BG);
    } else {
        return false;
    }
    return true;
}

static bool enter_disabled(Run *r)
{
    if (!robust_cel_has(r->cel, OP_SANITIZE)) {
        return false;
    }
    await_idle(r);
    g_assert_cmphex(robust_rc(&r->m, r->cci, OP_SANITIZE, NULL, 0), ==,
                    RC_BG);
    return true;
}

/* Through the mailbox, whatever the CCI: only a host can lock its data */
static uint32_t security_state(Run *r)
{
    Answer a = robust_run(&r->m, &robust_ccis[0], OP_GET_SECURITY, NULL, 0);
    uint32_t state;

    g_assert_cmphex(a.ret_code, ==, 0);
    state = ldl_le_p(a.payload->data);
    answer_clear(&a);
    return state;
}

static bool is_locked(Run *r)
{
    return security_state(r) & SECURITY_LOCKED;
}

static bool enter_locked(Run *r)
{
    g_autoptr(GArray) cel = robust_cel(&r->m, &robust_ccis[0]);
    uint8_t in[0x60] = { 0 };

    if (!robust_cel_has(cel, OP_PASSPHRASE)) {
        return false;
    }
    /* the user's passphrase, none so far; nothing below sends this one */
    in[0] = 1;
    memcpy(in + 0x40, "robust", 6);
    g_assert_cmphex(robust_rc(&r->m, &robust_ccis[0], OP_PASSPHRASE, in,
                              sizeof(in)), ==, 0);
    robust_reset(&r->m);
    return is_locked(r);
}

/* In the middle of what a background operation does, if there is one */
static bool enter_after_reset(Run *r)
{
    if (!r->entered) {
        enter_background(r);
        robust_reset(&r->m);
    }
    await_idle(r);
    return true;
}

static uint16_t nothing_refused(const RobustRow *row)
{
    return 0;
}

static uint16_t refused_as_busy(const RobustRow *row)
{
    return row->flags & ROW_BG ? RC_BUSY : 0;
}

static uint16_t refused_without_media(const RobustRow *row)
{
    return row->flags & ROW_BG ? RC_BUSY :
           row->flags & ROW_MEDIA ? RC_DISABLED : 0;
}

#define ALL_KINDS (KIND_MEMORY | KIND_SWITCH)

static const State states[] = {
    { "idle", ALL_KINDS | KIND_MHD, enter_idle, is_idle, nothing_refused },
    { "background", ALL_KINDS, enter_background, bg_runs, refused_as_busy },
    { "media-disabled", KIND_MEMORY, enter_disabled, bg_runs,
      refused_without_media },
    { "locked", KIND_MEMORY, enter_locked, is_locked, nothing_refused },
    { "after-reset", ALL_KINDS, enter_after_reset, is_idle, nothing_refused },
};

/* -- requests -- */

static void assert_alive(Run *r)
{
    Answer a = robust_run(&r->m, r->cci, r->cci->alive, NULL, 0);

    g_assert_cmphex(a.ret_code, ==, 0);
    g_assert_cmpuint(a.payload->len, ==, r->cci->alive_len);
    answer_clear(&a);
}

static bool hold(Run *r)
{
    if (r->state->holds(r)) {
        return true;
    }
    r->entered++;
    g_assert_true(r->state->enter(r));
    return false;
}

static void send_one(Run *r, unsigned opcode, const RobustRow *row,
                     RobustFill fill, unsigned len, unsigned more)
{
    g_autofree uint8_t *in = g_malloc(len + 1);
    bool right = row && robust_fits(row, r->room, len) && !more;
    uint16_t rc, refusal;

    robust_fill(row, fill, r->rand, in, len, more);
    rc = robust_rc(&r->m, r->cci, opcode, in, len);
    r->sent++;
    if (!row) {
        g_assert_cmphex(rc, ==, RC_UNSUPPORTED);
        return;
    }
    if (!right) {
        g_assert_cmphex(rc, ==, RC_LENGTH);
        return;
    }
    refusal = r->state->refusal(row);
    assert_alive(r);
    /* a command may end the state that it found, and time passes on MCTP */
    if (hold(r) && refusal) {
        g_assert_cmphex(rc, ==, refusal);
    }
}

/*
 * A length that is wrong is refused before anybody looks at the payload: there
 * one fill will do.  Where each byte costs time, a long request is sent in one
 * state only.
 */
static void send_row(Run *r, const RobustRow *row)
{
    unsigned len[5], n, i, fill;

    n = robust_lengths(row, r->room, len);
    for (i = 0; i < n; i++) {
        bool right = robust_fits(row, r->room, len[i]);

        if (r->cci->slow && len[i] > LONG && r->state != &states[0]) {
            continue;
        }
        for (fill = FILL_ONES; fill < FILL__COUNT; fill++) {
            send_one(r, row->opcode, row, fill, len[i], 0);
            if (!right || !len[i]) {
                break;
            }
        }
        if (right && !r->cci->slow) {
            send_one(r, row->opcode, row, FILL_ZEROS, len[i], 0);
        }
        if (right && row->record) {
            send_one(r, row->opcode, row, FILL_ONES, len[i], 1);
        }
    }
    assert_alive(r);
}

static void send_known(Run *r)
{
    unsigned i;

    for (i = 0; i < r->cel->len; i++) {
        unsigned opcode = g_array_index(r->cel, uint16_t, i);
        const RobustRow *row = robust_row(opcode);

        g_assert_nonnull(row);
        g_assert_cmphex(row->kinds & r->cci->kind, !=, 0);
        g_test_message("%04xh", opcode);
        send_row(r, row);
    }
}

static void send_unknown(Run *r, unsigned opcode)
{
    static const unsigned lengths[] = { 0, 40 };
    unsigned i;

    if (!robust_cel_has(r->cel, opcode)) {
        for (i = 0; i < ARRAY_SIZE(lengths); i++) {
            send_one(r, opcode, NULL, FILL_RANDOM, lengths[i], 0);
        }
    }
}

/* Rows that other CCIs have, and numbers that nobody has */
static void send_all_unknown(Run *r)
{
    const GArray *rows = robust_rows();
    unsigned i;

    for (i = 0; i < rows->len; i++) {
        send_unknown(r, g_array_index(rows, RobustRow, i).opcode);
    }
    for (i = 0; i < UNKNOWN_SAMPLE; i++) {
        send_unknown(r, g_rand_int_range(r->rand, 0, 0x10000));
    }
    for (i = 0; !r->cci->slow && i < 0x10000; i += i % 16 < 15 ? 1 : 0xf1) {
        if (!robust_cel_has(r->cel, i)) {
            send_one(r, i, NULL, FILL_ONES, 16, 0);
        }
    }
    assert_alive(r);
}

/* -- the table -- */

typedef struct Case {
    const RobustCCI *cci;
    const State *state;
} Case;

static unsigned seed(void)
{
    const char *given = g_getenv("CXL_ROBUST_SEED");
    unsigned number = SEED;

    if (given) {
        g_assert_cmpint(qemu_strtoui(given, NULL, 0, &number), ==, 0);
    }
    g_test_message("CXL_ROBUST_SEED=%u", number);
    return number;
}

static void stands_every_request(const void *data)
{
    const Case *c = data;
    Run r = { .cci = c->cci, .state = c->state };

    robust_start(&r.m);
    r.rand = g_rand_new_with_seed(seed());
    if (!robust_is_there(&r.m, r.cci)) {
        g_test_skip("no such CCI in this machine");
    } else {
        r.cel = robust_cel(&r.m, r.cci);
        r.room = robust_room(&r.m, r.cci);
        if (!r.state->enter(&r)) {
            g_test_skip("this CCI does not know the state");
        } else {
            r.entered = 1;
            send_known(&r);
            if (r.state == &states[0]) {
                send_all_unknown(&r);
            }
            g_test_message("%u commands, %u requests, state entered %u times",
                           r.cel->len, r.sent, r.entered);
        }
        g_array_unref(r.cel);
    }
    g_rand_free(r.rand);
    robust_stop(&r.m);
}

/* What the tables tell of, and the README with them, a user can get at */
static void every_interface_of_the_tables_exists(void)
{
    const GArray *rows = robust_rows();
    unsigned kinds = 0, i;

    for (i = 0; i < robust_nr_ccis; i++) {
        kinds |= robust_ccis[i].kind;
    }
    for (i = 0; i < rows->len; i++) {
        const RobustRow *row = &g_array_index(rows, RobustRow, i);

        g_assert_cmphex(row->kinds & ~kinds, ==, 0);
    }
}

int main(int argc, char **argv)
{
    unsigned d, s;

    g_test_init(&argc, &argv, NULL);
    qtest_add_func("/cxl/robust/every_interface_of_the_tables_exists",
                   every_interface_of_the_tables_exists);
    for (d = 0; d < robust_nr_ccis; d++) {
        for (s = 0; s < ARRAY_SIZE(states); s++) {
            g_autofree char *path = g_strdup_printf(
                "/cxl/robust/%s/%s", robust_ccis[d].name, states[s].name);
            Case *c;

            if (!(states[s].kinds & robust_ccis[d].kind)) {
                continue;
            }
            c = g_new(Case, 1);
            *c = (Case) { &robust_ccis[d], &states[s] };
            qtest_add_data_func_full(path, c, stands_every_request, g_free);
        }
    }
    return g_test_run();
}
