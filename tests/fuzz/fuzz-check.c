/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What must hold of every memory device that a guest can reach, whatever went
 * before: it answers, its logs can be read, and what it says of dynamic
 * capacity is the same by each way
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/uuid.h"
#include "hw/pci/pci_regs.h"
#include "qobject/qlist.h"
#include "tests/qtest/cxl/cxl-log-uuids.h"
#include "fuzz.h"

/* Default of the property mailbox-payload */
#define MAILBOX_BYTES 8192
#define BG_RUNS 1
/* The array of capabilities that all registers begin with */
#define CAPS_MAX 16
#define CAP_BYTES 16
#define CAP_MEMORY_DEVICE_STATUS 0x4000
/* What it has: the media, which a sanitize takes away */
#define MEDIA_MASK 0xc
#define MEDIA_READY 0x4

#define POLLS 1000
#define EXTENTS 2048
/* More than any background operation takes: sanitize of a large device */
#define STEPS 8
#define STEP_NS UINT64_C(3600000000000)

typedef struct Answer {
    uint16_t rc;
    unsigned len;
    uint8_t data[MAILBOX_BYTES];
} Answer;

typedef struct Extent {
    uint64_t dpa, len;
    uint8_t tag[16];
    uint16_t seq;
} Extent;

typedef struct Extents {
    uint32_t generation, total, n;
    Extent e[EXTENTS];
    /* what a head adds to the addresses of its pool */
    uint64_t base;
} Extents;

/* -- one command, answered -- */

static bool ask(Fuzz *f, const FuzzFn *fn, uint16_t opcode, const void *in,
                unsigned len, Answer *a)
{
    uint64_t at = fuzz_registers(fn);
    FuzzCommand c = { .opcode = opcode, .len = len };
    uint8_t regs[MAILBOX_PAYLOAD - MAILBOX_CONTROL];
    bool set = true;

    if (len) {
        memcpy(c.data, in, len);
    }
    link_post_bytes(f->link, at + MAILBOX_PAYLOAD, c.data, len);
    link_post(f->link, "writeq 0x%" PRIx64 " 0x%" PRIx64, at + MAILBOX_COMMAND,
              opcode | (uint64_t)len << 16);
    link_post(f->link, "writel 0x%" PRIx64 " 0x1", at + MAILBOX_CONTROL);
    /* it may run in a bottom half, which each of these reads lets run */
    for (unsigned i = 0; i < POLLS && set; i++) {
        if (!link_read(f->link, at + MAILBOX_CONTROL, regs, sizeof(regs))) {
            return false;
        }
        set = regs[0] & 1;
    }
    if (set) {
        fuzz_wrong(f, "%s: the doorbell of %04xh stays set", fn->id, opcode);
        return false;
    }
    a->rc = lduw_le_p(regs + MAILBOX_STATUS + 4 - MAILBOX_CONTROL);
    a->len = ldq_le_p(regs + MAILBOX_COMMAND - MAILBOX_CONTROL) >> 16 &
             0x1fffff;
    if (a->len > sizeof(a->data)) {
        fuzz_wrong(f, "%s: %04xh answers %u bytes", fn->id, opcode, a->len);
        return false;
    }
    f->did.checked++;
    return link_read(f->link, at + MAILBOX_PAYLOAD, a->data, a->len) &&
           !fuzz_over(f);
}

static bool expect(Fuzz *f, const FuzzFn *fn, uint16_t opcode, const void *in,
                   unsigned len, Answer *a)
{
    if (!ask(f, fn, opcode, in, len, a)) {
        return false;
    }
    if (a->rc) {
        fuzz_wrong(f, "%s: %04xh answers %04xh", fn->id, opcode, a->rc);
    }
    return !a->rc;
}

/* -- the command effects log tells what else to ask -- */

static bool effects(Fuzz *f, const FuzzFn *fn, Answer *cel)
{
    static const uint8_t uuid[] = CXL_LOG_UUID_EFFECTS;
    uint8_t in[24] = { 0 };
    unsigned i, size = 0;
    Answer a;

    if (!expect(f, fn, 0x0400, NULL, 0, &a)) {
        return false;
    }
    for (i = 8; i + 20 <= a.len; i += 20) {
        if (!memcmp(a.data + i, uuid, sizeof(uuid))) {
            size = ldl_le_p(a.data + i + 16);
        }
    }
    memcpy(in, uuid, sizeof(uuid));
    stl_le_p(in + 20, size);
    if (!expect(f, fn, 0x0401, in, sizeof(in), cel)) {
        return false;
    }
    if (!size || cel->len != size || size % 4) {
        fuzz_wrong(f, "%s: effects log of %u bytes, announced as %u", fn->id,
                   cel->len, size);
        return false;
    }
    return true;
}

static bool has(const Answer *cel, uint16_t opcode)
{
    for (unsigned i = 0; i < cel->len; i += 4) {
        if (lduw_le_p(cel->data + i) == opcode) {
            return true;
        }
    }
    return false;
}

/* -- dynamic capacity -- */

static void take_extents(Extents *to, const uint8_t *from, unsigned n)
{
    for (unsigned i = 0; i < n && to->n < EXTENTS; i++, from += 40) {
        Extent *e = &to->e[to->n++];

        e->dpa = ldq_le_p(from);
        e->len = ldq_le_p(from + 8);
        memcpy(e->tag, from + 16, sizeof(e->tag));
        e->seq = lduw_le_p(from + 32);
    }
}

/* 4801h, or 5603h, the Fabric Manager's: as many answers as it needs */
static bool device_list(Fuzz *f, const FuzzFn *fn, uint16_t opcode, Extents *x)
{
    /* 5603h has the host in front, and tells where its answer begins */
    unsigned asked = opcode == 0x5603 ? 4 : 0, told = 2 * asked;

    x->n = 0;
    do {
        uint8_t in[12] = { 0 };
        unsigned n;
        Answer a;

        stl_le_p(in + asked, 40);
        stl_le_p(in + asked + 4, x->n);
        if (!expect(f, fn, opcode, in, asked + 8, &a)) {
            return false;
        }
        n = ldl_le_p(a.data + told);
        x->total = ldl_le_p(a.data + told + 4);
        x->generation = ldl_le_p(a.data + told + 8);
        if (a.len != told + 16 + 40 * n || (!n && x->n < x->total)) {
            fuzz_wrong(f, "%s: %04xh has %u of %u extents in %u bytes",
                       fn->id, opcode, n, x->total, a.len);
            return false;
        }
        take_extents(x, a.data + told + 16, n);
    } while (x->n < x->total && x->n < EXTENTS);
    return true;
}

/* The monitor's; @info is the whole answer, to be given back */
static bool monitor_list(Fuzz *f, const FuzzFn *fn, Extents *x, QDict **info)
{
    g_autofree char *json = g_strdup_printf(
        "{\"execute\": \"query-cxl-dynamic-capacity\", \"arguments\": "
        "{\"path\": \"%s\"}}", fn->id);
    unsigned id = f->m.has_pool ? fn->number : 0;
    const QListEntry *entry;
    QDict *host = NULL;

    *info = link_qmp(f->link, json);
    if (!*info || !qdict_haskey(*info, "return")) {
        fuzz_wrong(f, "%s: the monitor does not tell its capacity", fn->id);
        return false;
    }
    QLIST_FOREACH_ENTRY(qdict_get_qlist(qdict_get_qdict(*info, "return"),
                                        "hosts"), entry) {
        QDict *d = qobject_to(QDict, qlist_entry_obj(entry));

        if (qdict_get_int(d, "host-id") == id) {
            host = d;
        }
    }
    if (!host) {
        fuzz_wrong(f, "%s: the monitor does not know host %u", fn->id, id);
        return false;
    }
    x->generation = qdict_get_int(host, "generation");
    x->total = qdict_get_int(host, "accepted-count");
    x->base = qdict_get_try_int(host, "dpa-base", 0);
    x->n = 0;
    QLIST_FOREACH_ENTRY(qdict_get_qlist(host, "accepted"), entry) {
        QDict *d = qobject_to(QDict, qlist_entry_obj(entry));
        const char *tag = qdict_get_try_str(d, "tag");
        Extent *e = &x->e[x->n];
        QemuUUID uuid = { 0 };

        if (x->n++ == EXTENTS) {
            break;
        }
        if (tag) {
            qemu_uuid_parse(tag, &uuid);
        }
        e->dpa = qdict_get_int(d, "dpa");
        e->len = qdict_get_int(d, "len");
        memcpy(e->tag, uuid.data, sizeof(e->tag));
        e->seq = qdict_get_try_int(d, "sequence", 0);
    }
    return true;
}

static void same(Fuzz *f, const FuzzFn *fn, const Extents *a, const char *as,
                 const Extents *b, const char *bs)
{
    if (a->total != b->total || a->generation != b->generation) {
        fuzz_wrong(f, "%s: %s has %u extents, generation %u; %s %u, %u",
                   fn->id, as, a->total, a->generation, bs, b->total,
                   b->generation);
    }
    for (unsigned i = 0; i < MIN(a->n, b->n); i++) {
        const Extent *x = &a->e[i], *y = &b->e[i];

        if (x->dpa != y->dpa || x->len != y->len || x->seq != y->seq ||
            memcmp(x->tag, y->tag, sizeof(x->tag))) {
            fuzz_wrong(f, "%s: extent %u is %" PRIx64 " + %" PRIx64
                       " in %s, %" PRIx64 " + %" PRIx64 " in %s", fn->id, i,
                       x->dpa, x->len, as, y->dpa, y->len, bs);
            return;
        }
    }
    f->did.checked++;
}

static int by_dpa(const void *a, const void *b)
{
    const Extent *x = a, *y = b;

    return x->dpa < y->dpa ? -1 : x->dpa > y->dpa;
}

static bool in_a_region(QDict *info, const Extent *e, uint64_t host_base)
{
    uint64_t dpa = e->dpa - host_base;
    const QListEntry *entry;

    QLIST_FOREACH_ENTRY(qdict_get_qlist(info, "regions"), entry) {
        QDict *r = qobject_to(QDict, qlist_entry_obj(entry));
        uint64_t base = qdict_get_int(r, "base");
        uint64_t len = qdict_get_int(r, "length");
        uint64_t block = qdict_get_int(r, "block-size");

        if (dpa >= base && dpa - base < len) {
            return e->len && e->len <= len - (dpa - base) &&
                   block && (dpa - base) % block == 0 &&
                   e->len % block == 0;
        }
    }
    return false;
}

static void sane(Fuzz *f, const FuzzFn *fn, Extents *x, uint64_t host_base,
                 QDict *info)
{
    qsort(x->e, x->n, sizeof(x->e[0]), by_dpa);
    for (unsigned i = 0; i < x->n; i++) {
        const Extent *e = &x->e[i];

        if (!in_a_region(info, e, host_base)) {
            fuzz_wrong(f, "%s: extent %" PRIx64 " + %" PRIx64 " is in no "
                       "region", fn->id, e->dpa, e->len);
        }
        if (i && e[-1].dpa + e[-1].len > e->dpa) {
            fuzz_wrong(f, "%s: extents at %" PRIx64 " and %" PRIx64 " overlap",
                       fn->id, e[-1].dpa, e->dpa);
        }
    }
}

static void check_capacity(Fuzz *f, const FuzzFn *fn, const Answer *cel)
{
    static Extents host, manager, monitor;
    QDict *info = NULL;

    if (device_list(f, fn, 0x4801, &host) &&
        monitor_list(f, fn, &monitor, &info)) {
        same(f, fn, &host, "4801h", &monitor, "the monitor");
        if (has(cel, 0x5603) && device_list(f, fn, 0x5603, &manager)) {
            same(f, fn, &host, "4801h", &manager, "5603h");
        }
        sane(f, fn, &host, monitor.base, qdict_get_qdict(info, "return"));
    }
    qobject_unref(info);
}

/* -- all of a device -- */

static void check_logs(Fuzz *f, const FuzzFn *fn)
{
    for (uint8_t log = 0; log < 5; log++) {
        Answer a;

        if (expect(f, fn, 0x0100, &log, 1, &a) &&
            a.len != 0x20 + 0x80 * lduw_le_p(a.data + 0x14)) {
            fuzz_wrong(f, "%s: log %u of %u records in %u bytes", fn->id, log,
                       lduw_le_p(a.data + 0x14), a.len);
        }
    }
}

/* Where the status of a memory device is among its registers, or 0 */
static uint32_t device_status(Fuzz *f, const FuzzFn *fn)
{
    uint8_t array[CAP_BYTES * (1 + CAPS_MAX)];

    if (!link_read(f->link, fuzz_registers(fn), array, sizeof(array))) {
        return 0;
    }
    for (unsigned n = MIN(lduw_le_p(array + 4), CAPS_MAX); n; n--) {
        if (lduw_le_p(array + CAP_BYTES * n) == CAP_MEMORY_DEVICE_STATUS) {
            return ldl_le_p(array + CAP_BYTES * n + 4);
        }
    }
    fuzz_wrong(f, "%s: no memory device status", fn->id);
    return 0;
}

/* Whoever began it, by this mailbox or by another way */
static bool settle(Fuzz *f, const FuzzFn *fn)
{
    uint64_t at = fuzz_registers(fn), mailbox, media;
    uint32_t status = fn->kind == FUZZ_MEMORY ? device_status(f, fn) : 0;

    for (unsigned i = 0; i < STEPS; i++) {
        mailbox = link_ask(f->link, "readq 0x%" PRIx64, at + MAILBOX_STATUS);
        media = !status ? MEDIA_READY :
                link_ask(f->link, "readq 0x%" PRIx64, at + status);
        if (fuzz_over(f)) {
            return false;
        }
        if (!(mailbox & BG_RUNS) && (media & MEDIA_MASK) == MEDIA_READY) {
            return true;
        }
        link_post(f->link, "clock_step %" PRIu64, STEP_NS);
    }
    /* a machine that was not given its state does not start: no timer runs */
    if (f->refused) {
        return false;
    }
    fuzz_wrong(f, "%s: not at rest: mailbox %" PRIx64 ", device %" PRIx64,
               fn->id, mailbox, media);
    return false;
}

static bool reachable(Fuzz *f, const FuzzFn *fn)
{
    uint64_t cfg = fuzz_cfg(fn);
    uint32_t id = link_ask(f->link, "readl 0x%" PRIx64, cfg);
    uint32_t bar = link_ask(f->link, "readl 0x%" PRIx64, cfg +
                            PCI_BASE_ADDRESS_0 +
                            (fn->kind == FUZZ_MEMORY ? 8 : 0));
    uint32_t caps = link_ask(f->link, "readl 0x%" PRIx64, fuzz_registers(fn));

    return !fuzz_over(f) && id != UINT32_MAX && caps != UINT32_MAX && caps &&
           (bar & ~15u) == (uint32_t)fuzz_registers(fn);
}

static void check_device(Fuzz *f, const FuzzFn *fn)
{
    Answer a, cel;

    if (!reachable(f, fn) || !settle(f, fn) || !effects(f, fn, &cel)) {
        return;
    }
    f->did.reached++;
    if (fn->kind != FUZZ_MEMORY) {
        expect(f, fn, 0x0001, NULL, 0, &a);
        return;
    }
    if (expect(f, fn, 0x4000, NULL, 0, &a) && a.len != 0x45) {
        fuzz_wrong(f, "%s: 4000h answers %u bytes", fn->id, a.len);
    }
    check_logs(f, fn);
    if (has(&cel, 0x4801)) {
        check_capacity(f, fn, &cel);
    }
}

/* The monitor's map has no gaps and no overlaps */
static void check_map(Fuzz *f)
{
    QDict *answer = link_qmp(f->link, "{\"execute\": \"query-cxl-memory-map\","
                             "\"arguments\": {\"limit\": 20000}}");
    QList *windows = answer ? qdict_get_qlist(answer, "return") : NULL;
    const QListEntry *w, *r;

    if (!windows) {
        fuzz_wrong(f, "the monitor does not tell the memory map");
        qobject_unref(answer);
        return;
    }
    QLIST_FOREACH_ENTRY(windows, w) {
        QDict *window = qobject_to(QDict, qlist_entry_obj(w));
        uint64_t at = qdict_get_int(window, "base");
        uint64_t end = at + qdict_get_int(window, "size");

        QLIST_FOREACH_ENTRY(qdict_get_qlist(window, "ranges"), r) {
            QDict *range = qobject_to(QDict, qlist_entry_obj(r));

            if (qdict_get_int(range, "base") != at) {
                fuzz_wrong(f, "the memory map has a gap at %" PRIx64, at);
            }
            at += qdict_get_int(range, "size");
        }
        if (at != end && !qdict_get_bool(window, "truncated")) {
            fuzz_wrong(f, "the memory map ends at %" PRIx64, at);
        }
    }
    f->did.checked++;
    qobject_unref(answer);
}

void fuzz_check(Fuzz *f)
{
    /* below the lies there is a device that works */
    link_qmp_ok(f->link, "{\"execute\": \"cxl-clear-fault\"}");
    f->lies = false;
    fuzz_repair(f);
    for (unsigned i = 0; i < f->m.nr_fns; i++) {
        const FuzzFn *fn = &f->m.fn[i];

        if (fn->kind == FUZZ_MEMORY || fn->kind == FUZZ_SWITCH_MAILBOX) {
            check_device(f, fn);
        }
    }
    check_map(f);
}

void fuzz_gen_check(Fuzz *f)
{
    if (fuzz_op(f, FUZZ_CHECK, "all")) {
        fuzz_check(f);
    }
}
