/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers, names and random numbers of the fuzzer's operations
 */
#include "qemu/osdep.h"
#include "fuzz.h"

const char *const fuzz_class_names[FUZZ_CLASSES] = {
    [FUZZ_MAILBOX] = "mailbox", [FUZZ_TUNNEL] = "tunnel",
    [FUZZ_SERIAL] = "serial", [FUZZ_I2C] = "i2c", [FUZZ_MMIO] = "mmio",
    [FUZZ_CONFIG] = "config", [FUZZ_DECODER] = "decoder",
    [FUZZ_WINDOW] = "window", [FUZZ_DOE] = "doe",
    [FUZZ_MONITOR] = "monitor", [FUZZ_PLUG] = "plug",
    [FUZZ_RESET] = "reset", [FUZZ_INTERRUPT] = "interrupt",
    [FUZZ_CLOCK] = "clock", [FUZZ_STATE] = "state",
    [FUZZ_REPAIR] = "repair", [FUZZ_CHECK] = "check",
};

bool fuzz_op(Fuzz *f, FuzzClass class, const char *fmt, ...)
{
    uint64_t op = f->op++;
    char text[160];
    va_list ap;

    if (op < f->from || fuzz_over(f) ||
        (f->skipped && f->skipped[op / 8] & 1 << op % 8)) {
        return false;
    }
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    g_free(f->log[op % FUZZ_LOG]);
    f->log[op % FUZZ_LOG] = g_strdup_printf("%" PRIu64 " %s: %s", op,
                                            fuzz_class_names[class], text);
    if (f->echo) {
        fprintf(stderr, "# %s\n", f->log[op % FUZZ_LOG]);
    }
    f->did.count[class]++;
    f->link->op = op;
    return true;
}

void fuzz_wrong(Fuzz *f, const char *fmt, ...)
{
    va_list ap;

    if (!fuzz_over(f)) {
        va_start(ap, fmt);
        f->wrong = g_strdup_vprintf(fmt, ap);
        va_end(ap);
    }
}

bool fuzz_over(const Fuzz *f)
{
    return f->wrong || f->link->fault != LINK_FINE;
}

/* splitmix64 */
uint64_t fuzz_random(Fuzz *f)
{
    uint64_t z = f->random += 0x9e3779b97f4a7c15ull;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

unsigned fuzz_below(Fuzz *f, unsigned n)
{
    return (fuzz_random(f) >> 32) * n >> 32;
}

bool fuzz_one_in(Fuzz *f, unsigned n)
{
    return fuzz_below(f, n) == 0;
}

uint64_t fuzz_odd(Fuzz *f)
{
    uint64_t any = fuzz_random(f);

    switch (fuzz_below(f, 8)) {
    case 0:
        return 0;
    case 1:
        return UINT64_MAX;
    case 2:
        return 1ull << (any & 63);
    case 3:
        return (1ull << (any & 63)) - 1;
    case 4:
        return any & 7;
    case 5:
        return any & 0xff;
    case 6:
        return -(any & 0xfff);
    default:
        return any;
    }
}

void fuzz_bytes(Fuzz *f, uint8_t *bytes, size_t len)
{
    unsigned how = fuzz_below(f, 4);
    uint64_t any = fuzz_random(f);

    for (size_t i = 0; i < len; i++) {
        if (i % 8 == 0) {
            any = how == 3 ? fuzz_random(f) :
                  how == 2 ? fuzz_random(f) & fuzz_random(f) & fuzz_random(f) :
                  how == 1 && (any & 15) == 1 ? UINT64_MAX : 0;
        }
        bytes[i] = any >> 8 * (i % 8);
    }
}

FuzzFn *fuzz_pick(Fuzz *f)
{
    return &f->m.fn[fuzz_below(f, f->m.nr_fns)];
}

const FuzzFn *fuzz_pick_kind(Fuzz *f, FuzzKind a, FuzzKind b)
{
    unsigned n = fuzz_below(f, f->m.nr_fns);

    for (unsigned i = 0; i < f->m.nr_fns; i++) {
        const FuzzFn *fn = &f->m.fn[(n + i) % f->m.nr_fns];

        if (fn->kind == a || fn->kind == b) {
            return fn;
        }
    }
    g_assert_not_reached();
}
