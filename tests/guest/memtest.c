/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Does memory keep what is written to it?
 *
 * Plain loads and stores of one width each, so that every access is one that an
 * emulator can carry out even where the range traps.
 */
#include <inttypes.h>

#include "region.h"
#include "tap.h"

/* Wrong words that are shown */
#define SHOWN   4

/* splitmix64: every place gets another word, and so does every seed */
static uint64_t word_for(uint64_t seed, uint64_t place)
{
    uint64_t z = seed + place * 0x9e3779b97f4a7c15ull;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

static void wrong(uint64_t count, size_t at, uint64_t got, uint64_t want)
{
    if (count <= SHOWN) {
        tap_note("offset 0x%zx: 0x%016" PRIx64 " instead of 0x%016" PRIx64, at,
                 got, want);
    }
}

void memtest_fill(dev8_t *mem, size_t size, size_t stride, uint64_t seed)
{
    for (size_t at = 0; at + 8 <= size; at += stride) {
        *(dev64_t *)(mem + at) = word_for(seed, at);
    }
}

uint64_t memtest_check(const dev8_t *mem, size_t size, size_t stride,
                       uint64_t seed)
{
    uint64_t bad = 0;

    for (size_t at = 0; at + 8 <= size; at += stride) {
        uint64_t got = *(const dev64_t *)(mem + at);

        if (got != word_for(seed, at)) {
            wrong(++bad, at, got, word_for(seed, at));
        }
    }
    return bad;
}

uint64_t memtest_is(const dev8_t *mem, size_t size, size_t stride,
                    uint64_t value)
{
    uint64_t bad = 0;

    for (size_t at = 0; at + 8 <= size; at += stride) {
        uint64_t got = *(const dev64_t *)(mem + at);

        if (got != value) {
            wrong(++bad, at, got, value);
        }
    }
    return bad;
}

uint64_t memtest_words(dev8_t *mem, size_t size, size_t stride)
{
    uint64_t bad = 0;

    /* Two rounds: the second proves that the first left no stuck words */
    for (uint64_t seed = 1; seed <= 2; seed++) {
        memtest_fill(mem, size, stride, seed);
        bad += memtest_check(mem, size, stride, seed);
    }
    return bad;
}

uint64_t memtest_widths(dev8_t *mem)
{
    /* Arm maps what is not its RAM such that unaligned accesses fault */
    bool any = !sys_is_arm();
    unsigned middle = any ? 3 : 4;
    uint64_t bad = 0;

    for (unsigned at = 0; at < 64; at++) {
        mem[at] = at;
    }
    for (unsigned at = 0; at < 48; at++) {
        uint64_t want = 0;

        for (unsigned i = 8; i--;) {
            want = want << 8 | ((at + i) & 0xff);
        }
        bad += mem[at] != (uint8_t)want;
        if (any || at % 2 == 0) {
            bad += *(dev16_t *)(mem + at) != (uint16_t)want;
        }
        if (any || at % 4 == 0) {
            bad += *(dev32_t *)(mem + at) != (uint32_t)want;
        }
        if (any || at % 8 == 0) {
            bad += *(dev64_t *)(mem + at) != want;
        }
    }
    *(dev32_t *)(mem + middle) = 0xa1b2c3d4;
    bad += mem[middle - 1] != middle - 1 || mem[middle] != 0xd4 ||
           mem[middle + 3] != 0xa1 || mem[middle + 4] != middle + 4;
    return bad;
}
