/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults on purpose: which of those that are armed acts now, and the places
 * where they do.  Plain C; chance comes from a seed and travels with the state.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/timer.h"
#include "hw/cxl/cxl_cdat.h"
#include "fault-internal.h"
#include "trace/trace-hw_cxl.h"

/* A packet that no link takes is given up as MCTP gives up its own */
#define PACKET_LIFETIME_NS  (2 * (int64_t)NANOSECONDS_PER_SECOND)
#define PACKET_RETRY_NS     SCALE_MS

const CXLFaultSet *const cxl_fault_sets[] = {
    &cxl_faults_answers,
    &cxl_faults_tables,
    &cxl_faults_events,
    &cxl_faults_dc,
    &cxl_faults_registers,
    &cxl_faults_cdat,
    &cxl_faults_mctp,
    NULL
};

const CXLFaultKind *cxl_fault_find(const char *name)
{
    const CXLFaultSet *const *set;
    unsigned i;

    for (set = cxl_fault_sets; *set; set++) {
        for (i = 0; i < (*set)->n; i++) {
            if (g_str_equal((*set)->kinds[i].name, name)) {
                return &(*set)->kinds[i];
            }
        }
    }
    return NULL;
}

CXLFaults *cxl_faults_new(void)
{
    return g_new0(CXLFaults, 1);
}

CXLFault *cxl_faults_add(CXLFaults *fs, const CXLFault *f)
{
    CXLFault *at = &fs->fault[fs->n++];

    g_assert(fs->n <= CXL_FAULTS_MAX);
    *at = *f;
    at->id = ++fs->last_id;
    return at;
}

bool cxl_faults_remove(CXLFaults *fs, uint32_t id)
{
    uint32_t i;

    for (i = 0; i < fs->n; i++) {
        if (fs->fault[i].id == id) {
            fs->n--;
            memmove(&fs->fault[i], &fs->fault[i + 1],
                    (fs->n - i) * sizeof(fs->fault[0]));
            cxl_fault_reset(fs);
            return true;
        }
    }
    return false;
}

/* -- when --------------------------------------------------------------- */

/* SplitMix64: one word of state, which any seed may begin */
uint64_t cxl_fault_random(CXLFault *f)
{
    uint64_t z = f->random += 0x9e3779b97f4a7c15ull;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

static bool fault_is_due(CXLFault *f)
{
    f->seen++;
    if (f->count && f->hits >= f->count) {
        return false;
    }
    switch ((CXLFaultWhen)f->when) {
    case CXL_FAULT_NEXT:
        return true;
    case CXL_FAULT_NTH:
        return f->seen >= f->n;
    case CXL_FAULT_EVERY_NTH:
        return f->seen % f->n == 0;
    case CXL_FAULT_PROBABLY:
        return cxl_fault_random(f) % 100 < f->percent;
    case CXL_FAULT_WHENS:
        break;
    }
    return false;
}

/* Bytes that there must be for it to change something */
static size_t fault_least(const CXLFault *f)
{
    const CXLFaultKind *kind = f->kind;
    size_t end = 0;

    if (!kind->act) {
        end = kind->field.offset +
              DIV_ROUND_UP(kind->field.bit + kind->field.bits, 8);
    } else if (kind->takes & CXL_FAULT_OFFSET) {
        end = f->offset + f->width;
    }
    return MAX(end, kind->least);
}

/* Is there what it changes?  Records and registers are of one size */
static bool fault_has_room(const CXLFault *f, const void *arg)
{
    const CXLFaultAnswer *a = arg;
    const CXLFaultEntry *e = arg;

    switch (f->kind->point) {
    case CXL_FAULT_ANSWER:
        return f->kind->failed || (!a->rc && a->len >= fault_least(f));
    case CXL_FAULT_CDAT:
        return e->len >= fault_least(f);
    case CXL_FAULT_EVENT:
        return fault_least(f) <= CXL_EVENT_RECORD_SIZE;
    default:
        return true;
    }
}

/* The next that acts, after @f or the first; it does not see what it leaves */
static CXLFault *fault_next(CXLFaults *fs, CXLFault *f, CXLFaultPoint point,
                            int32_t place, const void *arg)
{
    for (f = f ? f + 1 : fs->fault; f < fs->fault + fs->n; f++) {
        const CXLFaultKind *kind = f->kind;

        if (kind->point == point &&
            (f->only == CXL_FAULT_ANY || f->only == place) &&
            (!kind->fits || kind->fits(place)) &&
            fault_has_room(f, arg) &&
            (!kind->suits || kind->suits(arg)) && fault_is_due(f)) {
            f->hits++;
            trace_cxl_fault_hit(kind->name, f->id, place, f->hits);
            return f;
        }
    }
    return NULL;
}

/* -- what --------------------------------------------------------------- */

/* Change the kind's field of @bytes, which have room for it */
static void fault_edit(const CXLFault *f, uint8_t *bytes)
{
    const CXLFaultField *field = &f->kind->field;
    unsigned bits = field->bits;
    unsigned size = DIV_ROUND_UP(field->bit + bits, 8);
    uint8_t word[8] = { };
    uint64_t old, v = f->value;

    memcpy(word, bytes + field->offset, size);
    old = extract64(ldq_le_p(word), field->bit, bits);

    switch (field->how) {
    case CXL_FAULT_SET:
        break;
    case CXL_FAULT_ADD:
        v += old;
        break;
    case CXL_FAULT_FLIP:
        v ^= old;
        break;
    case CXL_FAULT_TURN_ON:
        v |= old;
        break;
    case CXL_FAULT_TURN_OFF:
        v = old & ~v;
        break;
    case CXL_FAULT_ALTERNATE:
        v = f->hits % 2 ? v : old;
        break;
    }
    stq_le_p(word, deposit64(ldq_le_p(word), field->bit, bits, v));
    memcpy(bytes + field->offset, word, size);
}

CXLRetCode cxl_fault_answer(CXLFaults *fs, uint16_t opcode, const uint8_t *in,
                            size_t in_len, uint8_t *out, size_t room,
                            size_t *len, CXLRetCode rc)
{
    CXLFaultAnswer a = {
        .opcode = opcode,
        .in = in,
        .in_len = in_len,
        .out = out,
        .room = room,
        .len = *len,
        .rc = rc,
    };
    CXLFault *f = NULL;

    while ((f = fault_next(fs, f, CXL_FAULT_ANSWER, opcode, &a))) {
        if (f->kind->act) {
            f->kind->act(fs, f, &a);
        } else {
            fault_edit(f, out);
        }
        g_assert(a.len <= room);
    }
    *len = a.len;
    return a.rc;
}

void cxl_fault_completion(CXLFaults *fs, CXLFaultCompletion *c)
{
    CXLFault *f = NULL;

    while ((f = fault_next(fs, f, CXL_FAULT_COMPLETION, c->opcode, c))) {
        f->kind->act(fs, f, c);
    }
}

void cxl_fault_doorbell_rings(CXLFaults *fs, const CXLFaultCompletion *c)
{
    if (c->never) {
        fs->doorbell_until = INT64_MAX;
    } else if (c->late_ns) {
        fs->doorbell_until = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + c->late_ns;
    }
}

bool cxl_fault_doorbell_is_set(const CXLFaults *fs)
{
    return fs->doorbell_until > qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
}

void cxl_fault_reset(CXLFaults *fs)
{
    fs->doorbell_until = 0;
    fs->nr_held = 0;
}

uint64_t cxl_fault_read(CXLFaults *fs, CXLFaultPoint point, uint32_t place,
                        uint64_t value)
{
    CXLFaultRead r = { .place = place, .value = value };
    CXLFault *f = NULL;
    uint8_t word[8];

    while ((f = fault_next(fs, f, point, place, &r))) {
        if (f->kind->act) {
            f->kind->act(fs, f, &r);
            continue;
        }
        stq_le_p(word, r.value);
        fault_edit(f, word);
        r.value = ldq_le_p(word);
    }
    return r.value;
}

void cxl_fault_cdat(CXLFaults *fs, uint32_t *object, uint32_t dwords,
                    uint16_t handle)
{
    CXLFaultEntry e = {
        .object = (uint8_t *)object,
        .len = dwords * 4,
        .handle = handle,
    };
    int32_t place = CXL_FAULT_CDAT_HEADER;
    CXLFault *f = NULL;

    if (e.len < CXL_FAULT_CDAT_ENTRY + sizeof(CDATSubHeader)) {
        return;
    }
    if (handle) {
        place = e.object[CXL_FAULT_CDAT_ENTRY];
    }
    while ((f = fault_next(fs, f, CXL_FAULT_CDAT, place, &e))) {
        if (f->kind->act) {
            f->kind->act(fs, f, &e);
        } else {
            fault_edit(f, e.object);
        }
    }
}

unsigned cxl_fault_event(CXLFaults *fs, CXLEventLogId log, CXLEventRecord *r,
                         CXLEventRecord *last)
{
    CXLFaultRecord record = { .r = r->b, .times = 1 };
    CXLFault *f = NULL;

    while ((f = fault_next(fs, f, CXL_FAULT_EVENT, log, &record))) {
        if (f->kind->act) {
            f->kind->act(fs, f, &record);
        } else {
            fault_edit(f, r->b);
        }
    }
    if (log == CXL_EVENT_LOG_DYNCAP) {
        fs->extent = ldq_le_p(r->b + CXL_DC_REC_DPA);
    }
    *last = *r;
    if (record.closes) {
        last->b[CXL_DC_REC_MORE] = 0;
    }
    return record.times;
}

unsigned cxl_fault_interrupt(CXLFaults *fs, unsigned vector)
{
    unsigned times = 1;
    CXLFault *f = NULL;

    while ((f = fault_next(fs, f, CXL_FAULT_INTERRUPT, vector,
                           &times))) {
        if (f->kind->act) {
            f->kind->act(fs, f, &times);
        }
    }
    return times;
}

/* -- packets ------------------------------------------------------------ */

bool cxl_fault_held_fit(const CXLFaults *fs, uint32_t max)
{
    uint32_t i;

    for (i = 0; i < fs->nr_held; i++) {
        if (fs->held[i].len > max) {
            return false;
        }
    }
    return true;
}

bool cxl_fault_held_full(const CXLFaults *fs)
{
    return fs->nr_held == CXL_FAULT_HELD_MAX;
}

void cxl_fault_packet(CXLFaults *fs, const CXLFaultPacket *p)
{
    CXLFaultPacket copy = *p;
    CXLFaultSending s = { .data = copy.data, .len = p->len, .times = 1 };
    CXLFault *f = NULL;

    while ((f = fault_next(fs, f, CXL_FAULT_PACKET, CXL_FAULT_ANY, &s))) {
        f->kind->act(fs, f, &s);
    }
    copy.len = s.len;
    /* also what an answer waits for that is late as a whole */
    copy.due = MIN(MAX(copy.due, fs->doorbell_until), CXL_FAULT_TIME_MAX) +
               s.late_ns;
    copy.until = copy.due + PACKET_LIFETIME_NS;
    for (; s.times && !cxl_fault_held_full(fs); s.times--) {
        fs->held[fs->nr_held++] = copy;
    }
}

static void fault_held_remove(CXLFaults *fs, uint32_t i)
{
    fs->nr_held--;
    memmove(&fs->held[i], &fs->held[i + 1],
            (fs->nr_held - i) * sizeof(fs->held[0]));
}

/* Of those whose time has come the one that came first */
static int fault_held_first(const CXLFaults *fs, int64_t now)
{
    uint32_t i;

    for (i = 0; i < fs->nr_held; i++) {
        if (fs->held[i].due <= now) {
            return i;
        }
    }
    return -1;
}

CXLFaultPacket *cxl_fault_held(CXLFaults *fs, int64_t now)
{
    int first;

    while ((first = fault_held_first(fs, now)) >= 0) {
        if (fs->held[first].until > now) {
            return &fs->held[first];
        }
        fault_held_remove(fs, first);
    }
    return NULL;
}

void cxl_fault_held_done(CXLFaults *fs, bool taken, int64_t now)
{
    int first = fault_held_first(fs, now);

    if (first >= 0 && taken) {
        fault_held_remove(fs, first);
    } else if (first >= 0) {
        fs->held[first].due = now + PACKET_RETRY_NS;
    }
}

int64_t cxl_fault_held_next(const CXLFaults *fs)
{
    int64_t next = -1;
    uint32_t i;

    for (i = 0; i < fs->nr_held; i++) {
        if (next < 0 || fs->held[i].due < next) {
            next = fs->held[i].due;
        }
    }
    return next;
}

size_t cxl_fault_wire(CXLFaults *fs, CXLFaultPoint point, uint8_t *data,
                      size_t len)
{
    CXLFaultSending s = { .data = data, .len = len };
    CXLFault *f = NULL;

    while ((f = fault_next(fs, f, point, CXL_FAULT_ANY, &s))) {
        f->kind->act(fs, f, &s);
    }
    return s.len;
}
