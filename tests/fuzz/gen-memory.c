/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decoders that lead from fixed memory windows to devices, and what a host
 * does with the memory there (CXL r3.2 8.2.4.20)
 */
#include "qemu/osdep.h"
#include "hw/cxl/cxl_hdm.h"
#include "fuzz.h"

#define CACHEMEM 0x1000
#define DECODERS 4
#define PART (UINT64_C(256) << 20)
#define PARTS 8

static uint64_t decoder_registers(Fuzz *f, const char **id, unsigned *target)
{
    unsigned n = fuzz_below(f, f->m.nr_fns + f->m.nr_bridges);

    for (;; n = (n + 1) % f->m.nr_fns) {
        if (n >= f->m.nr_fns) {
            *id = "bridge";
            return f->m.bridge[n - f->m.nr_fns];
        }
        if (f->m.fn[n].kind == FUZZ_MEMORY ||
            f->m.fn[n].kind == FUZZ_UPSTREAM) {
            *id = f->m.fn[n].id;
            *target = f->m.fn[n].kind == FUZZ_UPSTREAM ? 3 : *target;
            return f->m.fn[n].bar[0];
        }
    }
}

static void post_decoder(Fuzz *f, uint64_t regs, unsigned n, uint64_t base,
                         uint64_t size, uint64_t third, uint32_t control)
{
    const struct { unsigned offset; uint32_t value; } writes[] = {
        { CXL_HDM_DECODER(n) + CXL_HDM_CONTROL, 0 },
        { CXL_HDM_GLOBAL_CONTROL, CXL_HDM_GLOBAL_ENABLE },
        { CXL_HDM_DECODER(n) + CXL_HDM_BASE_LO, base },
        { CXL_HDM_DECODER(n) + CXL_HDM_BASE_HI, base >> 32 },
        { CXL_HDM_DECODER(n) + CXL_HDM_SIZE_LO, size },
        { CXL_HDM_DECODER(n) + CXL_HDM_SIZE_HI, size >> 32 },
        { CXL_HDM_DECODER(n) + CXL_HDM_TARGET_LO, third },
        { CXL_HDM_DECODER(n) + CXL_HDM_TARGET_LO + 4, third >> 32 },
        { CXL_HDM_DECODER(n) + CXL_HDM_CONTROL, control },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(writes); i++) {
        link_post(f->link, "writel 0x%" PRIx64 " 0x%x",
                  regs + CACHEMEM + writes[i].offset, writes[i].value);
    }
}

/* All of the way to one device at once, as a host sets it up */
static void decode_all(Fuzz *f)
{
    unsigned part = fuzz_below(f, PARTS / 2), size = 1 + fuzz_below(f, 4);
    const FuzzFn *fn = fuzz_pick_kind(f, FUZZ_MEMORY, FUZZ_MEMORY);
    unsigned decoder = 0;
    bool both = f->m.nr_bridges > 1 && fuzz_one_in(f, 2);
    uint32_t control = both ? 1 << CXL_HDM_CTRL_IW_SHIFT : 0;
    uint64_t base = f->m.window + part * PART;
    const FuzzFn *root = NULL;

    if (!fuzz_op(f, FUZZ_DECODER, "%s and all above, %u + %u%s", fn->id, part,
                 size, both ? ", with others" : "")) {
        return;
    }
    control |= CXL_HDM_CTRL_COMMIT;
    for (int up = fn->parent; up >= 0; up = f->m.fn[up].parent) {
        if (f->m.fn[up].kind == FUZZ_UPSTREAM) {
            post_decoder(f, f->m.fn[up].bar[0], decoder, base, size * PART,
                         fn->port, CXL_HDM_CTRL_COMMIT);
        }
        root = &f->m.fn[up];
    }
    for (unsigned b = 0; b < f->m.nr_bridges; b++) {
        post_decoder(f, f->m.bridge[b], decoder, base, size * PART,
                     root->port, CXL_HDM_CTRL_COMMIT);
    }
    for (unsigned i = 0; i < f->m.nr_fns; i++) {
        if (f->m.fn[i].kind == FUZZ_MEMORY &&
            (&f->m.fn[i] == fn || (both && f->m.fn[i].bus == 65))) {
            post_decoder(f, f->m.fn[i].bar[0], decoder, base, size * PART, 0,
                         control);
        }
    }
}

void fuzz_gen_decoder(Fuzz *f)
{
    unsigned n = fuzz_below(f, DECODERS), target = fuzz_below(f, 3);
    const char *id;
    uint64_t regs = decoder_registers(f, &id, &target);
    uint64_t base = fuzz_one_in(f, 8) ? fuzz_odd(f) :
                    f->m.window + fuzz_below(f, PARTS) * PART;
    uint64_t size = fuzz_one_in(f, 8) ? fuzz_odd(f) :
                    fuzz_below(f, 4) * PART;
    uint64_t third = fuzz_one_in(f, 4) ? fuzz_odd(f) : target;
    unsigned ways = fuzz_below(f, 3);
    uint32_t control = fuzz_one_in(f, 3) ? fuzz_odd(f) :
                       ways << CXL_HDM_CTRL_IW_SHIFT | fuzz_below(f, 3);

    if (fuzz_one_in(f, 2)) {
        decode_all(f);
        return;
    }
    control |= fuzz_one_in(f, 3) ? 0 : CXL_HDM_CTRL_COMMIT;
    if (fuzz_below(f, 12)) {
        control &= ~(1u << 8);
    }
    if (fuzz_op(f, FUZZ_DECODER, "%s %u: %" PRIx64 " + %" PRIx64 " third %"
                PRIx64 " control %x", id, n, base, size, third, control)) {
        post_decoder(f, regs, n, base, size, third, control);
    }
}

void fuzz_gen_window(Fuzz *f)
{
    static const char widths[] = "bwlq";
    unsigned w = fuzz_below(f, 4), how = fuzz_below(f, 8);
    unsigned part = fuzz_below(f, PARTS);
    uint64_t any = fuzz_odd(f), value = fuzz_random(f);
    unsigned len = 1 + fuzz_below(f, fuzz_one_in(f, 16) ? 20000 : 300);
    uint64_t at = f->m.window + part * PART;

    at += how == 0 ? any % f->m.window_size :
          how < 5 ? (any & 0x7f) * FUZZ_BLOCK + (value & 0x1ff) - 0x100 :
          any % PART;
    if (w < 3) {
        value &= (1ull << (8 << w)) - 1;
    }
    if (!fuzz_op(f, FUZZ_WINDOW, "%" PRIx64 " %c how %u, %u bytes", at,
                 widths[w], how, len)) {
        return;
    }
    if (how < 3) {
        link_post(f->link, "read%c 0x%" PRIx64, widths[w], at);
    } else if (how < 6) {
        link_post(f->link, "write%c 0x%" PRIx64 " 0x%" PRIx64, widths[w], at,
                  value);
    } else if (how == 6) {
        link_post(f->link, "memset 0x%" PRIx64 " 0x%x 0x%x", at, len,
                  (unsigned)value & 0xff);
    } else {
        link_post(f->link, "read 0x%" PRIx64 " 0x%x", at, MIN(len, 256));
    }
}
