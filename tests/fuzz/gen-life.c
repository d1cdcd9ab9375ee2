/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plug and unplug, resets of every reach, time; and what brings a machine back
 * to where most operations do something
 */
#include "qemu/osdep.h"
#include "hw/pci/pci_regs.h"
#include "qobject/qlist.h"
#include "fuzz.h"

#define SECOND UINT64_C(1000000000)
#define CONTROL_DEASSERT 1

/* One of so many repairs, of operations that far apart, is of everything */
#define FOR_GOOD 4
#define FOR_GOOD_OPS 250

static const FuzzFn *switch_mailbox(Fuzz *f)
{
    for (unsigned i = 0; i < f->m.nr_fns; i++) {
        if (f->m.fn[i].kind == FUZZ_SWITCH_MAILBOX) {
            return &f->m.fn[i];
        }
    }
    return NULL;
}

static void slot_control(Fuzz *f, const FuzzFn *port, unsigned value)
{
    if (port->express && port->kind != FUZZ_UPSTREAM) {
        link_post(f->link, "writew 0x%" PRIx64 " 0x%x",
                  fuzz_cfg(port) + port->express + PCI_EXP_SLTCTL, value);
    }
}

static void say(Fuzz *f, const char *fmt, ...) G_GNUC_PRINTF(2, 3);

/* A command of the human monitor; what it prints is not looked at */
static void say(Fuzz *f, const char *fmt, ...)
{
    g_autofree char *line = NULL, *said = NULL;
    va_list ap;

    va_start(ap, fmt);
    line = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    said = link_hmp(f->link, "%s", line);
}

/* -- plug -- */

static void plug(Fuzz *f, const FuzzFn *fn)
{
    g_autofree char *props = fuzz_machine_props(&f->m, fn);

    say(f, "device_add %s", props);
}

static void plug_end(Fuzz *f, unsigned n, bool i2c)
{
    g_autofree char *props = fuzz_end_props(&f->m, n, i2c);

    say(f, "device_add %s", props);
}

void fuzz_gen_plug(Fuzz *f)
{
    const FuzzFn *fn = fuzz_pick(f);
    unsigned how = fuzz_below(f, 8), n = fuzz_below(f, f->m.nr_targets);
    bool again = fuzz_one_in(f, 2);
    const FuzzFn *port = fn->parent < 0 ? fn : &f->m.fn[fn->parent];

    if (!fuzz_op(f, FUZZ_PLUG, "%s, port %s, link %u, way %u%s", fn->id,
                 port->id, n, how, again ? ", again" : "")) {
        return;
    }
    switch (how) {
    case 0:
        say(f, "device_del %s", fn->id);
        break;
    case 1:
        say(f, "device_del %s", fn->id);
        /* fall through */
    case 2: case 3:
        slot_control(f, port, PCI_EXP_SLTCTL_PWR_IND_OFF |
                     PCI_EXP_SLTCTL_PCC);
        break;
    case 4:
        slot_control(f, port, PCI_EXP_SLTCTL_PWR_IND_BLINK);
        break;
    case 5:
        say(f, "device_del link%u", n);
        break;
    case 6:
        say(f, "device_del i2c%u", n);
        break;
    default:
        say(f, "device_del link%u", n);
        plug_end(f, n, false);
        say(f, "device_del i2c%u", n);
        plug_end(f, n, true);
    }
    if (again) {
        plug(f, fn);
        slot_control(f, port, PCI_EXP_SLTCTL_PWR_IND_ON);
    }
}

/* -- resets -- */

static void port_control(Fuzz *f, uint8_t port, uint8_t what)
{
    const FuzzFn *sw = switch_mailbox(f);
    FuzzCommand c = { .opcode = 0x5102, .len = 2, .data = { port, what } };

    if (sw) {
        fuzz_post_command(f, sw, &c);
    }
}

void fuzz_gen_reset(Fuzz *f)
{
    const FuzzFn *fn = fuzz_pick(f);
    unsigned how = fuzz_below(f, 8), what = fuzz_below(f, 3);
    bool repair = fuzz_below(f, 4);
    uint64_t at = fuzz_cfg(fn);

    if (!fuzz_op(f, FUZZ_RESET, "%s way %u, port control %u%s", fn->id, how,
                 what, repair ? "" : ", left so")) {
        return;
    }
    if (how < 2) {
        link_qmp_ok(f->link, "{\"execute\": \"system_reset\"}");
    } else if (how == 2) {
        link_post(f->link, "outb 0xcf9 0x0e");
    } else if (how < 5 && fn->sec) {
        link_post(f->link, "writew 0x%" PRIx64 " 0x%x",
                  at + PCI_BRIDGE_CONTROL, PCI_BRIDGE_CTL_BUS_RESET);
        link_post(f->link, "writew 0x%" PRIx64 " 0x0",
                  at + PCI_BRIDGE_CONTROL);
    } else if (how == 5 && fn->express) {
        link_post(f->link, "writew 0x%" PRIx64 " 0x%x",
                  at + fn->express + PCI_EXP_DEVCTL, PCI_EXP_DEVCTL_BCR_FLR);
    } else {
        port_control(f, fn->port, what);
    }
    if (repair) {
        link_flush(f->link);
        fuzz_enumerate(f);
    }
}

/* -- time -- */

void fuzz_gen_clock(Fuzz *f)
{
    static const uint64_t steps[] = {
        1000, 250000, 1000000, 20000000, 150000000, SECOND, 2 * SECOND,
        5 * SECOND, 31 * SECOND, 100 * SECOND,
    };
    unsigned how = fuzz_below(f, 4);
    uint64_t step = FUZZ_PICK(f, steps);
    uint64_t more = fuzz_below(f, 1000);

    if (!fuzz_op(f, FUZZ_CLOCK, "%" PRIu64 " ns", how ? step + more : 0)) {
        return;
    }
    if (how) {
        link_post(f->link, "clock_step %" PRIu64, step + more);
    } else {
        link_post(f->link, "clock_step");
    }
}

/* -- repair -- */

/* Identities of the devices that are there */
static GHashTable *present(Fuzz *f)
{
    GHashTable *ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                            NULL);
    QDict *answer = link_qmp(f->link, "{\"execute\": \"qom-list\", "
                             "\"arguments\": {\"path\": "
                             "\"/machine/peripheral\"}}");
    QList *list = answer ? qdict_get_qlist(answer, "return") : NULL;
    const QListEntry *e;

    if (list) {
        QLIST_FOREACH_ENTRY(list, e) {
            QDict *d = qobject_to(QDict, qlist_entry_obj(e));

            g_hash_table_add(ids, g_strdup(qdict_get_str(d, "name")));
        }
    }
    qobject_unref(answer);
    return ids;
}

static bool is_there(GHashTable *ids, const char *name, unsigned n)
{
    g_autofree char *id = g_strdup_printf("%s%u", name, n);

    return g_hash_table_contains(ids, id);
}

bool fuzz_missing(Fuzz *f)
{
    g_autoptr(GHashTable) ids = present(f);
    unsigned i;

    for (i = 0; i < f->m.nr_fns; i++) {
        if (!g_hash_table_contains(ids, f->m.fn[i].id)) {
            return true;
        }
    }
    for (i = 0; i < f->m.nr_targets; i++) {
        if (!is_there(ids, "link", i) || !is_there(ids, "i2c", i)) {
            return true;
        }
    }
    return false;
}

/*
 * Only memory devices and their lines can be plugged once a machine runs: the
 * I2C endpoint of a device that went stays without one
 */
static bool plug_missing(Fuzz *f)
{
    g_autoptr(GHashTable) ids = present(f);
    bool for_good = f->op / FOR_GOOD_OPS % FOR_GOOD == 0;
    unsigned i;

    for (i = 0; i < f->m.nr_fns; i++) {
        const FuzzFn *fn = &f->m.fn[i];

        if (!g_hash_table_contains(ids, fn->id)) {
            if (for_good || fn->kind != FUZZ_MEMORY) {
                return false;
            }
            plug(f, fn);
        }
    }
    for (i = 0; i < f->m.nr_targets; i++) {
        const char *target = fuzz_target(&f->m, i);
        bool gone = !g_hash_table_contains(ids, target) &&
                    !g_str_equal(target, FUZZ_POOL);
        bool line = is_there(ids, "link", i);

        if (!line || gone) {
            if (line) {
                say(f, "device_del link%u", i);
            }
            plug_end(f, i, false);
        }
    }
    return true;
}

/* A QEMU that cannot be what it was makes room for another */
static void start_again(Fuzz *f)
{
    fuzz_serial_close(f);
    if (!link_stop(f->link)) {
        fuzz_wrong(f, "QEMU ended badly");
    }
    fuzz_machine_launch(f, "");
    f->refused = false;
}

/* PERST ends, and vPPBs are bound again; that takes the switch its time */
static void repair_switch(Fuzz *f)
{
    const FuzzFn *sw = switch_mailbox(f);

    if (!sw) {
        return;
    }
    for (unsigned vppb = 1; vppb <= 2; vppb++) {
        FuzzCommand bind = {
            .opcode = 0x5201, .len = 6, .data = { 0, vppb, vppb + 2 },
        };

        port_control(f, vppb + 2, CONTROL_DEASSERT);
        bind.data[4] = bind.data[5] = 0xff;
        fuzz_post_command(f, sw, &bind);
        link_post(f->link, "clock_step %" PRIu64, SECOND);
    }
}

void fuzz_repair(Fuzz *f)
{
    fuzz_serial_close(f);
    link_qmp_ok(f->link, "{\"execute\": \"cont\"}");
    fuzz_enumerate(f);
    repair_switch(f);
    if (f->refused || !plug_missing(f)) {
        start_again(f);
    }
    for (unsigned i = 0; i < f->m.nr_fns; i++) {
        if (f->m.fn[i].sec) {
            slot_control(f, &f->m.fn[i], PCI_EXP_SLTCTL_PWR_IND_ON);
        }
    }
    fuzz_enumerate(f);
}

void fuzz_gen_repair(Fuzz *f)
{
    if (fuzz_op(f, FUZZ_REPAIR, "all")) {
        fuzz_repair(f);
    }
}
