/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Data Object Exchange from its registers: requests of right and wrong length,
 * discovery, answers, abort, interrupts, memory that mailboxes hold, migration
 * (PCIe r6.2 6.30, 7.9.24)
 */
#include "qemu/osdep.h"
#include "block/aio.h"
#include "qapi/error.h"
#include "qemu/bswap.h"
#include "qemu/main-loop.h"
#include "qemu/module.h"
#include "hw/pci/msi.h"
#include "hw/pci/msix.h"
#include "hw/pci/pci_device.h"
#include "hw/pci/pcie.h"
#include "hw/pci/pcie_doe.h"
#include "state-bytes.h"

#define AT          0x190
#define VECTOR      5
#define ECHO        0x0007abcd
#define MUTE        0x0008abcd
#define BUSY        PCI_DOE_STATUS_BUSY
#define IRQ         PCI_DOE_STATUS_INT_STATUS
#define ERROR       PCI_DOE_STATUS_ERROR
#define READY       PCI_DOE_STATUS_DATA_OBJECT_READY
#define GO          PCI_DOE_CTRL_GO
#define IRQ_ON      PCI_DOE_CTRL_INT_EN
#define ABORT       PCI_DOE_CTRL_ABORT

static PCIDevice function = {
    .name = "function",
    .qdev = { .parent_obj.ref = 1, .realized = true },
};
static DOECap doe;
static bool has_msix;
static unsigned fired;

/* -- what the function is asked ------------------------------------------- */

int msix_present(PCIDevice *dev)
{
    return has_msix;
}

int msix_enabled(PCIDevice *dev)
{
    return has_msix;
}

bool msi_enabled(const PCIDevice *dev)
{
    return false;
}

void msix_notify(PCIDevice *dev, unsigned vector)
{
    g_assert_cmpuint(vector, ==, VECTOR);
    fired++;
}

/* Interrupts sent by the time that the main loop has nothing left to do */
static unsigned sent(void)
{
    bool more;

    do {
        more = aio_poll(qemu_get_aio_context(), false);
    } while (more);
    return fired;
}

unsigned int msi_nr_vectors_allocated(const PCIDevice *dev)
{
    g_assert_not_reached();
}

void msi_notify(PCIDevice *dev, unsigned int vector)
{
    g_assert_not_reached();
}

void pcie_add_capability(PCIDevice *dev, uint16_t cap_id, uint8_t cap_ver,
                         uint16_t offset, uint16_t size)
{
    g_assert_cmphex(cap_id, ==, PCI_EXT_CAP_ID_DOE);
    g_assert_cmphex(offset, ==, AT);
    g_assert_cmphex(size, ==, 0x18);
}

static bool echo(DOECap *d)
{
    const void *request = pcie_doe_get_write_mbox_ptr(d);
    uint32_t dwords = pcie_doe_get_obj_len(request);

    memcpy(d->read_mbox + d->read_mbox_len, request, dwords * 4);
    d->read_mbox_len += dwords;
    return true;
}

static bool mute(DOECap *d)
{
    memset(d->read_mbox, 0xff, PCI_DOE_DW_SIZE_MAX * 4);
    d->read_mbox_len += 10;
    return false;
}

static const DOEProtocol protocols[] = {
    { 0xabcd, 7, echo },
    { 0xabcd, 8, mute },
    { }
};

/* -- what software does --------------------------------------------------- */

static void start(bool irq)
{
    has_msix = irq;
    fired = 0;
    pcie_doe_init(&function, &doe, AT, protocols, true, VECTOR);
}

static uint32_t get(unsigned reg)
{
    uint32_t value = 0xdeadbeef;

    g_assert_true(pcie_doe_read_config(&doe, AT + reg, 4, &value));
    return value;
}

static void put(unsigned reg, uint32_t value)
{
    pcie_doe_write_config(&doe, AT + reg, value, 4);
}

static uint32_t take(void)
{
    uint32_t value = get(PCI_DOE_READ);

    put(PCI_DOE_READ, 0);
    return value;
}

/* A request whose header says @says, and @dwords of it */
static void request(uint32_t type, uint32_t says, uint32_t dwords)
{
    for (uint32_t i = 0; i < dwords; i++) {
        put(PCI_DOE_WRITE, i == 0 ? type : i == 1 ? says : i * 0x01010101);
    }
}

static void is_idle(void)
{
    g_assert_cmphex(get(PCI_DOE_STATUS) & (BUSY | READY | ERROR), ==, 0);
    g_assert_cmphex(get(PCI_DOE_READ), ==, 0);
    g_assert_null(doe.write_mbox);
    g_assert_null(doe.read_mbox);
}

/* The answer to an echo of @dwords, read to its end */
static void takes_echo(uint32_t dwords)
{
    g_assert_cmphex(get(PCI_DOE_STATUS) & ~IRQ, ==, READY);
    g_assert_cmphex(take(), ==, ECHO);
    g_assert_cmphex(take(), ==, dwords & 0x3ffff);
    for (uint32_t i = 2; i < dwords; i++) {
        g_assert_cmphex(take(), ==, i * 0x01010101);
    }
    is_idle();
}

/* -- tests ---------------------------------------------------------------- */

static void an_answer_is_read_dword_by_dword(void)
{
    start(false);
    is_idle();
    request(ECHO, 4, 4);
    g_assert_cmphex(get(PCI_DOE_STATUS), ==, 0);
    put(PCI_DOE_CTRL, GO);
    g_assert_null(doe.write_mbox);
    /* as often as software likes */
    g_assert_cmphex(get(PCI_DOE_READ), ==, ECHO);
    g_assert_cmphex(get(PCI_DOE_CTRL), ==, 0);
    takes_echo(4);
    /* reserved bits of the header have no meaning */
    put(PCI_DOE_WRITE, ECHO | 0xee000000);
    put(PCI_DOE_WRITE, 0xfffc0002);
    put(PCI_DOE_CTRL, GO);
    g_assert_cmphex(get(PCI_DOE_STATUS), ==, READY);
    put(PCI_DOE_CTRL, ABORT);
    is_idle();
}

static void discovery_lists_itself_and_all_protocols(void)
{
    static const uint32_t rows[][2] = {
        { 0, 0x01000001 }, { 1, 0x0207abcd }, { 2, 0x0008abcd },
        { 3, 0x00ffffff }, { 255, 0x00ffffff },
        /* above the index: a version that this one does not know */
        { 0x0201, 0x0207abcd },
    };

    start(false);
    for (int i = 0; i < ARRAY_SIZE(rows); i++) {
        put(PCI_DOE_WRITE, 0x00000001);
        put(PCI_DOE_WRITE, 3);
        put(PCI_DOE_WRITE, rows[i][0]);
        put(PCI_DOE_CTRL, GO);
        g_assert_cmphex(get(PCI_DOE_STATUS), ==, READY);
        g_assert_cmphex(take(), ==, 0x00000001);
        g_assert_cmphex(take(), ==, 3);
        g_assert_cmphex(take(), ==, rows[i][1]);
        is_idle();
    }
    request(0x00000001, 2, 2);
    put(PCI_DOE_CTRL, GO);
    is_idle();
}

static void requests_of_a_wrong_length_vanish(void)
{
    static const uint32_t rows[][2] = {
        /* what the header says, dwords that come */
        { 4, 0 }, { 4, 1 }, { 4, 2 }, { 4, 3 }, { 4, 5 }, { 4, 100 },
        { 1, 1 }, { 1, 2 }, { 1, 3 }, { 2, 3 }, { 0, 3 }, { 0x3ffff, 100 },
    };

    start(false);
    for (int i = 0; i < ARRAY_SIZE(rows); i++) {
        request(ECHO, rows[i][0], rows[i][1]);
        put(PCI_DOE_CTRL, GO);
        is_idle();
        request(ECHO, 3, 3);
        put(PCI_DOE_CTRL, GO);
        takes_echo(3);
    }
}

static void unknown_and_unanswered_requests_vanish(void)
{
    static const uint32_t types[] = { MUTE, 0x0009abcd, 0x0007abce, 0, ~0 };

    start(false);
    for (int i = 0; i < ARRAY_SIZE(types); i++) {
        request(types[i], 3, 3);
        put(PCI_DOE_CTRL, GO);
        is_idle();
    }
}

static void the_longest_object_passes_both_mailboxes(void)
{
    start(false);
    request(ECHO, 0, 1 << 18);
    g_assert_cmpuint(doe.write_mbox_room, ==, 1 << 18);
    put(PCI_DOE_CTRL, GO);
    takes_echo(1 << 18);
}

static void a_request_without_end_holds_no_memory(void)
{
    start(false);
    request(ECHO, 5, 5);
    g_assert_cmpuint(doe.write_mbox_room, <=, 16);
    put(PCI_DOE_WRITE, 5);
    g_assert_null(doe.write_mbox);
    /* two to the 18th, and a whole request behind it */
    for (int i = 6; i < 1 << 18; i++) {
        put(PCI_DOE_WRITE, i);
    }
    request(ECHO, 5, 5);
    g_assert_null(doe.write_mbox);
    put(PCI_DOE_CTRL, GO);
    is_idle();

    request(ECHO, 0, (1 << 18) + 1);
    is_idle();
    put(PCI_DOE_CTRL, ABORT);
    request(ECHO, 3, 3);
    put(PCI_DOE_CTRL, GO);
    takes_echo(3);
}

static void reading_too_much_is_an_error_until_abort(void)
{
    start(false);
    put(PCI_DOE_READ, 0);
    g_assert_cmphex(get(PCI_DOE_STATUS), ==, ERROR);
    request(ECHO, 3, 3);
    put(PCI_DOE_CTRL, GO);
    g_assert_cmphex(get(PCI_DOE_STATUS), ==, ERROR);
    g_assert_cmphex(get(PCI_DOE_READ), ==, 0);
    put(PCI_DOE_CTRL, ABORT | GO);
    is_idle();
    request(ECHO, 3, 3);
    put(PCI_DOE_CTRL, GO);
    takes_echo(3);
}

static void abort_drops_what_is_under_way(void)
{
    start(false);
    request(ECHO, 4, 2);
    put(PCI_DOE_CTRL, ABORT);
    is_idle();
    request(ECHO, 4, 4);
    put(PCI_DOE_CTRL, GO);
    take();
    request(ECHO, 9, 7);
    put(PCI_DOE_CTRL, ABORT);
    is_idle();
    put(PCI_DOE_CTRL, GO);
    is_idle();
}

static void an_answer_outlives_the_next_request(void)
{
    start(false);
    request(ECHO, 4, 4);
    put(PCI_DOE_CTRL, GO);
    take();
    request(ECHO, 2, 2);
    put(PCI_DOE_CTRL, GO);
    g_assert_null(doe.write_mbox);
    g_assert_cmphex(take(), ==, 4);
    g_assert_cmphex(take(), ==, 0x02020202);
    g_assert_cmphex(take(), ==, 0x03030303);
    is_idle();
}

static void narrow_accesses_reach_registers_but_no_mailbox(void)
{
    uint32_t value;

    start(true);
    g_assert_cmphex(get(PCI_DOE_CAP), ==, VECTOR << 1 | 1);
    g_assert_true(pcie_doe_read_config(&doe, AT + PCI_DOE_CAP, 1, &value));
    g_assert_cmphex(value, ==, VECTOR << 1 | 1);
    request(ECHO, 2, 2);
    pcie_doe_write_config(&doe, AT + PCI_DOE_WRITE, 7, 2);
    pcie_doe_write_config(&doe, AT + PCI_DOE_WRITE + 2, 7, 4);
    pcie_doe_write_config(&doe, AT + PCI_DOE_CTRL, IRQ_ON, 1);
    pcie_doe_write_config(&doe, AT + PCI_DOE_CTRL + 3, 0x80, 1);
    /* that byte has no enable in it */
    g_assert_cmphex(get(PCI_DOE_CTRL), ==, IRQ_ON);
    g_assert_cmphex(get(PCI_DOE_STATUS), ==, READY | IRQ);
    g_assert_true(pcie_doe_read_config(&doe, AT + PCI_DOE_STATUS + 3, 1,
                                       &value));
    g_assert_cmphex(value, ==, 0x80);
    g_assert_true(pcie_doe_read_config(&doe, AT + PCI_DOE_READ, 2, &value));
    g_assert_cmphex(value, ==, 0);
    pcie_doe_write_config(&doe, AT + PCI_DOE_READ, 0, 1);
    takes_echo(2);

    /* beside the registers, the header of the capability included */
    for (int i = 0; i < 4; i++) {
        g_assert_false(pcie_doe_read_config(&doe, AT + i, 1, &value));
        g_assert_false(pcie_doe_read_config(&doe, AT + 0x18 + i, 1, &value));
        pcie_doe_write_config(&doe, AT + i, 0xff, 1);
        pcie_doe_write_config(&doe, AT + 0x18 + i, 0xff, 1);
    }
    g_assert_false(pcie_doe_read_config(&doe, 0, 4, &value));
    g_assert_false(pcie_doe_read_config(&doe, AT - 4, 4, &value));
    /* read only */
    put(PCI_DOE_CAP, 0xffffffff);
    g_assert_cmphex(get(PCI_DOE_CAP), ==, VECTOR << 1 | 1);
    is_idle();
}

static void answers_and_errors_interrupt_once_each(void)
{
    start(true);
    request(ECHO, 2, 2);
    put(PCI_DOE_CTRL, GO);
    takes_echo(2);
    g_assert_cmpuint(sent(), ==, 0);

    put(PCI_DOE_CTRL, IRQ_ON);
    request(ECHO, 3, 2);
    put(PCI_DOE_CTRL, GO | IRQ_ON);
    g_assert_cmpuint(sent(), ==, 0);
    request(ECHO, 2, 2);
    put(PCI_DOE_CTRL, GO | IRQ_ON);
    g_assert_cmpuint(sent(), ==, 1);
    takes_echo(2);
    put(PCI_DOE_READ, 0);
    g_assert_cmpuint(sent(), ==, 1);
    put(PCI_DOE_STATUS, IRQ);
    g_assert_cmphex(get(PCI_DOE_STATUS), ==, ERROR);
    put(PCI_DOE_CTRL, ABORT | IRQ_ON);
    put(PCI_DOE_READ, 0);
    put(PCI_DOE_READ, 0);
    g_assert_cmpuint(sent(), ==, 2);
    g_assert_cmphex(get(PCI_DOE_STATUS), ==, ERROR | IRQ);

    pcie_doe_reset(&doe);
    is_idle();
    g_assert_cmphex(get(PCI_DOE_STATUS), ==, 0);
    g_assert_cmphex(get(PCI_DOE_CTRL), ==, 0);
    /* a function without message signalled interrupts */
    start(false);
    g_assert_cmphex(get(PCI_DOE_CAP), ==, 0);
    request(ECHO, 2, 2);
    put(PCI_DOE_CTRL, GO | IRQ_ON);
    takes_echo(2);
    g_assert_cmpuint(sent(), ==, 0);
}

static void reset_and_the_end_free_both_mailboxes(void)
{
    for (int i = 0; i < 2; i++) {
        start(false);
        request(ECHO, 4, 4);
        put(PCI_DOE_CTRL, GO);
        request(ECHO, 4, 3);
        g_assert_nonnull(doe.write_mbox);
        g_assert_nonnull(doe.read_mbox);
        (i ? pcie_doe_fini : pcie_doe_reset)(&doe);
        g_assert_null(doe.write_mbox);
        g_assert_null(doe.read_mbox);
    }
}

static void both_halves_of_an_exchange_travel(void)
{
    GByteArray *state;

    start(true);
    request(ECHO, 40, 40);
    put(PCI_DOE_CTRL, GO | IRQ_ON);
    take();
    request(ECHO, 4, 3);
    state = state_save(&vmstate_pcie_doe, &doe);
    pcie_doe_fini(&doe);

    /* over something else that was under way */
    start(true);
    put(PCI_DOE_READ, 0);
    request(ECHO, 9, 9);
    g_assert_cmpint(state_load(&vmstate_pcie_doe, &doe, state->data,
                               state->len), ==, 0);
    g_assert_cmphex(get(PCI_DOE_STATUS), ==, READY | IRQ);
    g_assert_cmphex(get(PCI_DOE_CTRL), ==, IRQ_ON);
    g_assert_cmphex(take(), ==, 40);
    for (uint32_t i = 2; i < 40; i++) {
        g_assert_cmphex(take(), ==, i * 0x01010101);
    }
    put(PCI_DOE_WRITE, 0x03030303);
    put(PCI_DOE_CTRL, GO);
    takes_echo(4);
    g_byte_array_unref(state);

    request(ECHO, 2, 3);
    state = state_save(&vmstate_pcie_doe, &doe);
    pcie_doe_reset(&doe);
    g_assert_cmpint(state_load(&vmstate_pcie_doe, &doe, state->data,
                               state->len), ==, 0);
    request(ECHO, 2, 2);
    put(PCI_DOE_CTRL, GO);
    is_idle();
    g_byte_array_unref(state);
}

static void spoilt_state_is_refused(void)
{
    /* lengths of request and answer, dwords read, behind four flags */
    static const struct { uint8_t overrun; uint32_t v[3]; } rows[] = {
        { 0, { (1 << 18) + 1, 0, 0 } },
        { 0, { UINT32_MAX, 0, 0 } },
        { 0, { 0, (1 << 18) + 1, 0 } },
        { 0, { 0, 0x80000000, 0 } },
        { 0, { 0, 2, 2 } },
        { 0, { 0, 2, UINT32_MAX } },
        { 0, { 0, 0, 1 } },
        { 1, { 2, 0, 0 } },
        { 0, { 2, UINT32_MAX, 0 } },
    };

    start(false);
    for (int i = 0; i < ARRAY_SIZE(rows); i++) {
        uint8_t state[64] = { [3] = rows[i].overrun };
        uint8_t *at = state + 4;

        for (int j = 0; j < 3; j++) {
            stl_be_p(at, rows[i].v[j]);
            at += 4;
            /* behind a length, the dwords, unless it is a wrong one */
            if (j < 2 && rows[i].v[j] <= 2) {
                at += rows[i].v[j] * 4;
            }
        }
        request(ECHO, 2, 2);
        g_assert_true(state_is_refused(&vmstate_pcie_doe, &doe, state,
                                       sizeof(state)));
        put(PCI_DOE_WRITE, 0);
        put(PCI_DOE_CTRL, ABORT);
        is_idle();
    }
}

int main(int argc, char **argv)
{
    module_call_init(MODULE_INIT_QOM);
    qemu_init_main_loop(&error_abort);
    g_test_init(&argc, &argv, NULL);
#define T(f) g_test_add_func("/pcie/doe/" #f, f)
    T(an_answer_is_read_dword_by_dword);
    T(discovery_lists_itself_and_all_protocols);
    T(requests_of_a_wrong_length_vanish);
    T(unknown_and_unanswered_requests_vanish);
    T(the_longest_object_passes_both_mailboxes);
    T(a_request_without_end_holds_no_memory);
    T(reading_too_much_is_an_error_until_abort);
    T(abort_drops_what_is_under_way);
    T(an_answer_outlives_the_next_request);
    T(narrow_accesses_reach_registers_but_no_mailbox);
    T(answers_and_errors_interrupt_once_each);
    T(reset_and_the_end_free_both_mailboxes);
    T(both_halves_of_an_exchange_travel);
    T(spoilt_state_is_refused);
    return g_test_run();
}
