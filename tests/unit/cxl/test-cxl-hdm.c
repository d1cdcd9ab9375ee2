/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HDM decoders and interleave arithmetic, against the bit fields that the
 * specification gives (CXL r3.2 sections 8.2.4.20 and 9.18.1.3).
 */
#include "qemu/osdep.h"
#include "qemu/units.h"
#include "hw/cxl/cxl_hdm.h"

#define REGS            1024
#define G               CXL_HDM_GRANULE
#define HDM_HEADER      3
#define HDM_HEADER_SET  0x12830005u

static const unsigned all_ways[] = { 1, 2, 4, 8, 16, 3, 6, 12 };

typedef struct Component {
    uint32_t regs[REGS];
    uint32_t mask[REGS];
} Component;

static void component_init(Component *c, bool device)
{
    memset(c, 0, sizeof(*c));
    c->regs[HDM_HEADER] = HDM_HEADER_SET;
    cxl_hdm_init(c->regs, c->mask, device);
    if (!device) {
        /* As switches and host bridges do: eight targets */
        c->regs[CXL_HDM_CAP / 4] |= 8 << CXL_HDM_CAP_TARGETS_SHIFT;
        c->regs[CXL_HDM_CAP / 4] &= ~(1u << CXL_HDM_CAP_TARGETS_SHIFT);
    }
}

static CXLHDMWrite put(Component *c, unsigned offset, uint32_t value)
{
    g_assert_true(cxl_hdm_owns(c->regs, offset));
    return cxl_hdm_write(c->regs, c->mask, offset, value);
}

static CXLHDMWrite put_decoder(Component *c, unsigned n, unsigned reg,
                               uint32_t value)
{
    return put(c, CXL_HDM_DECODER(n) + reg, value);
}

static uint32_t control(const Component *c, unsigned n)
{
    return c->regs[(CXL_HDM_DECODER(n) + CXL_HDM_CONTROL) / 4];
}

static uint32_t control_of(unsigned ways, unsigned granularity)
{
    return cxl_interleave_encode_ways(ways) << CXL_HDM_CTRL_IW_SHIFT |
           cxl_interleave_encode_granularity(granularity) |
           CXL_HDM_CTRL_HOST_ONLY;
}

/* The committed decoder that an address belongs to */
static bool find(const uint32_t *regs, uint64_t hpa, CXLHDMDecoder *d)
{
    for (unsigned i = 0; i < cxl_hdm_count(regs); i++) {
        cxl_hdm_get(regs, i, d);
        if (d->committed && hpa >= d->base && hpa - d->base < d->size) {
            return true;
        }
    }
    return false;
}

static void set_range(Component *c, unsigned n, uint64_t base, uint64_t size)
{
    put_decoder(c, n, CXL_HDM_BASE_LO, base);
    put_decoder(c, n, CXL_HDM_BASE_HI, base >> 32);
    put_decoder(c, n, CXL_HDM_SIZE_LO, size);
    put_decoder(c, n, CXL_HDM_SIZE_HI, size >> 32);
}

static CXLHDMWrite commit(Component *c, unsigned n, uint64_t base,
                          uint64_t size, unsigned ways, unsigned granularity)
{
    set_range(c, n, base, size);
    return put_decoder(c, n, CXL_HDM_CONTROL,
                       control_of(ways, granularity) | CXL_HDM_CTRL_COMMIT);
}

static void assert_refused(Component *c, unsigned n, CXLHDMWrite w,
                           CXLHDMRefusal why)
{
    g_assert_cmpint(w.refusal, ==, why);
    g_assert_false(w.commit_changed);
    g_assert_false(w.decode_changed);
    g_assert_cmphex(control(c, n) & (CXL_HDM_CTRL_ERROR |
                                     CXL_HDM_CTRL_COMMITTED), ==,
                    CXL_HDM_CTRL_ERROR);
}

static void assert_committed(Component *c, unsigned n, CXLHDMWrite w)
{
    g_assert_cmpint(w.refusal, ==, CXL_HDM_OK);
    g_assert_true(w.commit_changed);
    g_assert_true(w.decode_changed);
    g_assert_cmphex(control(c, n) & (CXL_HDM_CTRL_ERROR |
                                     CXL_HDM_CTRL_COMMITTED), ==,
                    CXL_HDM_CTRL_COMMITTED);
}

static void test_encodings(void)
{
    static const struct { unsigned code, ways; } ways[] = {
        { 0, 1 }, { 1, 2 }, { 2, 4 }, { 3, 8 }, { 4, 16 },
        { 5, 0 }, { 6, 0 }, { 7, 0 },
        { 8, 3 }, { 9, 6 }, { 10, 12 }, { 11, 0 }, { 15, 0 }, { 255, 0 },
    };
    static const unsigned bad_ways[] = { 0, 5, 7, 9, 10, 11, 13, 15, 24, 32 };

    for (int i = 0; i < ARRAY_SIZE(ways); i++) {
        g_assert_cmpuint(cxl_interleave_decode_ways(ways[i].code), ==,
                         ways[i].ways);
        if (ways[i].ways) {
            g_assert_cmpint(cxl_interleave_encode_ways(ways[i].ways), ==,
                            ways[i].code);
        }
    }
    for (int i = 0; i < ARRAY_SIZE(bad_ways); i++) {
        g_assert_cmpint(cxl_interleave_encode_ways(bad_ways[i]), ==, -1);
    }

    for (int code = 0; code <= 6; code++) {
        g_assert_cmpuint(cxl_interleave_decode_granularity(code), ==,
                         256u << code);
        g_assert_cmpint(cxl_interleave_encode_granularity(256u << code), ==,
                        code);
    }
    g_assert_cmpuint(cxl_interleave_decode_granularity(7), ==, 0);
    g_assert_cmpuint(cxl_interleave_decode_granularity(15), ==, 0);
    g_assert_cmpint(cxl_interleave_encode_granularity(0), ==, -1);
    g_assert_cmpint(cxl_interleave_encode_granularity(128), ==, -1);
    g_assert_cmpint(cxl_interleave_encode_granularity(300), ==, -1);
    g_assert_cmpint(cxl_interleave_encode_granularity(32 * KiB), ==, -1);
    g_assert_cmpint(cxl_interleave_encode_granularity(256 + (1ull << 32)),
                    ==, -1);
}

/* The specification's own bit fields */
static unsigned spec_target(uint64_t hpa, unsigned iw, unsigned ig)
{
    if (iw < 8) {
        return hpa >> (8 + ig) & ((1u << iw) - 1);
    }
    return ((hpa >> (8 + ig + iw - 8)) % 3) << (iw - 8) |
           (hpa >> (8 + ig) & ((1u << (iw - 8)) - 1));
}

static uint64_t spec_dpa_offset(uint64_t offset, unsigned iw, unsigned ig)
{
    uint64_t low = offset & ((1ull << (8 + ig)) - 1);

    if (iw < 8) {
        return offset >> (8 + ig + iw) << (8 + ig) | low;
    }
    return (offset >> (8 + ig + iw - 8)) / 3 << (8 + ig) | low;
}

static void test_arithmetic_is_the_specifications(void)
{
    GRand *rand = g_rand_new_with_seed(20261122);

    for (int w = 0; w < ARRAY_SIZE(all_ways); w++) {
        unsigned iw = cxl_interleave_encode_ways(all_ways[w]);

        for (unsigned ig = 0; ig <= 6; ig++) {
            for (int i = 0; i < 2000; i++) {
                uint64_t a = ((uint64_t)g_rand_int(rand) << 32 |
                              g_rand_int(rand)) & MAKE_64BIT_MASK(0, 52);

                g_assert_cmpuint(
                    cxl_interleave_target(a, all_ways[w], 256 << ig), ==,
                    spec_target(a, iw, ig));
                g_assert_cmphex(
                    cxl_interleave_dpa_offset(a, all_ways[w], 256 << ig), ==,
                    spec_dpa_offset(a, iw, ig));
            }
        }
    }
    g_rand_free(rand);
}

/* Every byte of every device is reached by exactly one address */
/* Addresses a period apart meet in the same target of every level */
static void test_interleave_repeats_after_a_period(void)
{
    const unsigned levels = ARRAY_SIZE(all_ways) * 7;
    unsigned longest = 0;

    for (unsigned n = 0; n < levels * levels; n++) {
        unsigned ways[] = { all_ways[n / levels / 7],
                            all_ways[n % levels / 7] };
        unsigned grain[] = { 256 << n / levels % 7, 256 << n % 7 };
        unsigned first = cxl_interleave_period(1, ways[0], grain[0]);
        unsigned period = cxl_interleave_period(first, ways[1], grain[1]);
        uint64_t row = (uint64_t)period * CXL_INTERLEAVE_CHUNK;

        g_assert_cmpuint(first, ==, ways[0] == 1 ? 1 :
                         ways[0] * grain[0] / CXL_INTERLEAVE_CHUNK);
        g_assert_cmpuint(period % first, ==, 0);
        for (unsigned i = 0; i < 2; i++) {
            const uint64_t hpa[] = { 0, 256, 5 * 16384 + 3, 987654321 };

            for (unsigned k = 0; k < ARRAY_SIZE(hpa); k++) {
                g_assert_cmpuint(
                    cxl_interleave_target(hpa[k] + row, ways[i], grain[i]), ==,
                    cxl_interleave_target(hpa[k], ways[i], grain[i]));
                g_assert_cmphex(
                    cxl_interleave_dpa_offset(hpa[k] + row, ways[i],
                                              grain[i]), ==,
                    cxl_interleave_dpa_offset(hpa[k], ways[i], grain[i]) +
                    row / ways[i]);
            }
        }
        longest = MAX(longest, period);
    }
    g_assert_cmpuint(longest, ==, CXL_INTERLEAVE_PERIOD_MAX);
}

static void test_interleave_is_one_to_one(void)
{
    for (int w = 0; w < ARRAY_SIZE(all_ways); w++) {
        unsigned ways = all_ways[w];

        for (unsigned gran = 256; gran <= 16 * KiB; gran *= 2) {
            /* A base that is no multiple of three: targets start elsewhere */
            const uint64_t base = 7 * G, rows = 5;
            g_autofree uint8_t *seen = g_malloc0(ways * rows);

            for (uint64_t chunk = 0; chunk < ways * rows; chunk++) {
                uint64_t offset = chunk * gran + gran - 1;
                unsigned target = cxl_interleave_target(base + offset, ways,
                                                        gran);
                uint64_t dpa = cxl_interleave_dpa_offset(offset, ways, gran);

                g_assert_cmpuint(target, <, ways);
                g_assert_cmpuint(dpa % gran, ==, gran - 1);
                g_assert_cmpuint(dpa / gran, <, rows);
                g_assert_cmpuint(seen[dpa / gran * ways + target], ==, 0);
                seen[dpa / gran * ways + target] = 1;
            }
        }
    }
}

/* From the address to the device and back, whatever row and place in a chunk */
static void test_a_byte_of_a_device_has_one_address(void)
{
    GRand *rand = g_rand_new_with_seed(20261129);

    for (unsigned w = 0; w < ARRAY_SIZE(all_ways); w++) {
        for (unsigned ig = 0; ig < 7; ig++) {
            unsigned ways = all_ways[w], gran = 256 << ig;

            for (unsigned i = 0; i < 1000; i++) {
                uint64_t hpa = i < 500 ? i * (gran / 2) + i :
                               (uint64_t)g_rand_int(rand) << 16 |
                               g_rand_int(rand);
                unsigned position = hpa / gran % ways;
                uint64_t dpa = cxl_interleave_dpa_offset(hpa, ways, gran);

                g_assert_cmphex(cxl_interleave_hpa_offset(dpa, position, ways,
                                                          gran), ==, hpa);
            }
        }
    }
    g_rand_free(rand);
}

static void test_reset_values(void)
{
    Component dev, port;

    component_init(&dev, true);
    g_assert_cmphex(dev.regs[CXL_HDM_CAP / 4], ==, 0x1b12);
    g_assert_cmphex(dev.regs[CXL_HDM_GLOBAL_CONTROL / 4], ==, 0);
    g_assert_cmpuint(cxl_hdm_count(dev.regs), ==, 4);
    component_init(&port, false);
    g_assert_cmphex(port.regs[CXL_HDM_CAP / 4], ==, 0x0382);

    /* Without the capability there are no decoders */
    dev.regs[HDM_HEADER] = 0x12830000;
    g_assert_cmpuint(cxl_hdm_count(dev.regs), ==, 0);
    g_assert_false(cxl_hdm_owns(dev.regs, CXL_HDM_GLOBAL_CONTROL));
}

static void test_owned_offsets(void)
{
    Component c;

    component_init(&c, true);
    g_assert_false(cxl_hdm_owns(c.regs, CXL_HDM_OFFSET - 4));
    g_assert_true(cxl_hdm_owns(c.regs, CXL_HDM_OFFSET));
    g_assert_true(cxl_hdm_owns(c.regs, CXL_HDM_DECODER(4) - 4));
    g_assert_false(cxl_hdm_owns(c.regs, CXL_HDM_DECODER(4)));
}

static void test_write_masks(void)
{
    Component dev, port;
    uint32_t *d;

    component_init(&dev, true);
    put(&dev, CXL_HDM_CAP, UINT32_MAX);
    g_assert_cmphex(dev.regs[CXL_HDM_CAP / 4], ==, 0x1b12);
    put(&dev, CXL_HDM_GLOBAL_CONTROL, UINT32_MAX);
    g_assert_cmphex(dev.regs[CXL_HDM_GLOBAL_CONTROL / 4], ==, 3);

    d = &dev.regs[CXL_HDM_DECODER(3) / 4];
    for (unsigned reg = 0; reg < 0x20; reg += 4) {
        if (reg != CXL_HDM_CONTROL) {
            put_decoder(&dev, 3, reg, UINT32_MAX);
        }
    }
    put_decoder(&dev, 3, CXL_HDM_CONTROL, ~(uint32_t)CXL_HDM_CTRL_COMMIT);
    g_assert_cmphex(d[0], ==, 0xf0000000);
    g_assert_cmphex(d[1], ==, UINT32_MAX);
    g_assert_cmphex(d[2], ==, 0xf0000000);
    g_assert_cmphex(d[3], ==, UINT32_MAX);
    g_assert_cmphex(d[4], ==, 0x11ff);
    g_assert_cmphex(d[5], ==, 0xf0000000);
    g_assert_cmphex(d[6], ==, UINT32_MAX);
    g_assert_cmphex(d[7], ==, 0);

    component_init(&port, false);
    put_decoder(&port, 0, CXL_HDM_TARGET_LO, UINT32_MAX);
    g_assert_cmphex(port.regs[(CXL_HDM_DECODER(0) + CXL_HDM_TARGET_LO) / 4],
                    ==, UINT32_MAX);
}

static void test_commit_and_uncommit(void)
{
    Component c;
    CXLHDMDecoder d;
    CXLHDMWrite w;

    component_init(&c, false);
    set_range(&c, 0, 16 * G, 4 * G);
    g_assert_false(find(c.regs, 16 * G, &d));
    put_decoder(&c, 0, CXL_HDM_TARGET_LO, 0x44332211);
    put_decoder(&c, 0, CXL_HDM_TARGET_HI, 0x88776655);
    assert_committed(&c, 0, commit(&c, 0, 16 * G, 4 * G, 8, 512));

    g_assert_false(find(c.regs, 16 * G - 1, &d));
    g_assert_false(find(c.regs, 20 * G, &d));
    g_assert_true(find(c.regs, 20 * G - 1, &d));
    g_assert_true(find(c.regs, 16 * G, &d));
    g_assert_cmpuint(d.index, ==, 0);
    g_assert_cmphex(d.base, ==, 16 * G);
    g_assert_cmphex(d.size, ==, 4 * G);
    g_assert_cmpuint(d.ways, ==, 8);
    g_assert_cmpuint(d.granularity, ==, 512);
    for (int i = 0; i < 20; i++) {
        unsigned target = cxl_interleave_target(16 * G + 512 * i, d.ways,
                                                d.granularity);

        g_assert_cmphex(d.targets[target], ==, 0x11 * (i % 8 + 1));
    }

    /* The same again changes nothing */
    w = commit(&c, 0, 16 * G, 4 * G, 8, 512);
    g_assert_cmpint(w.refusal, ==, CXL_HDM_OK);
    g_assert_false(w.commit_changed);
    g_assert_false(w.decode_changed);

    /* A live decoder may move, and then it is told */
    w = put_decoder(&c, 0, CXL_HDM_BASE_LO, (uint32_t)(17 * G));
    g_assert_true(w.decode_changed);
    g_assert_false(w.commit_changed);

    w = put_decoder(&c, 0, CXL_HDM_CONTROL, 0);
    g_assert_true(w.commit_changed);
    g_assert_true(w.decode_changed);
    g_assert_cmphex(control(&c, 0), ==, 0);
    g_assert_false(find(c.regs, 17 * G, &d));
}

static void test_commit_refusals(void)
{
    Component dev, port;
    CXLHDMWrite w;

    component_init(&dev, true);
    component_init(&port, false);

    /* Reserved codes */
    set_range(&dev, 0, 4 * G, 4 * G);
    w = put_decoder(&dev, 0, CXL_HDM_CONTROL,
                    5 << CXL_HDM_CTRL_IW_SHIFT | CXL_HDM_CTRL_COMMIT);
    assert_refused(&dev, 0, w, CXL_HDM_BAD_WAYS);
    w = put_decoder(&dev, 0, CXL_HDM_CONTROL, 7 | CXL_HDM_CTRL_COMMIT);
    assert_refused(&dev, 0, w, CXL_HDM_BAD_GRANULARITY);
    /* Clearing commit clears the error */
    w = put_decoder(&dev, 0, CXL_HDM_CONTROL, 0);
    g_assert_false(w.decode_changed);
    g_assert_cmphex(control(&dev, 0), ==, 0);

    /* More ways than a port's target list holds, or than it can divide by */
    assert_refused(&port, 0, commit(&port, 0, 0, 48 * G, 16, 256),
                   CXL_HDM_BAD_WAYS);
    assert_refused(&port, 0, commit(&port, 0, 0, 48 * G, 3, 256),
                   CXL_HDM_BAD_WAYS);
    assert_committed(&dev, 0, commit(&dev, 0, 0, 48 * G, 16, 256));
    put_decoder(&dev, 0, CXL_HDM_CONTROL, 0);
    assert_committed(&dev, 0, commit(&dev, 0, 0, 48 * G, 3, 256));
    put_decoder(&dev, 0, CXL_HDM_CONTROL, 0);

    assert_refused(&dev, 0, commit(&dev, 0, 0, 4 * G, 3, 256),
                   CXL_HDM_BAD_RANGE);
    assert_refused(&dev, 0, commit(&dev, 0, -2 * G, 3 * G, 1, 256),
                   CXL_HDM_BAD_RANGE);
    /* Ending with the address space is no wrap */
    assert_committed(&dev, 0, commit(&dev, 0, -2 * G, 2 * G, 1, 256));
}

static void test_back_invalidate(void)
{
    const uint32_t both = CXL_HDM_CTRL_BI | CXL_HDM_CTRL_HOST_ONLY;

    for (int device = 0; device < 2; device++) {
        Component c;
        CXLHDMWrite w;

        /* there is no such bit unless something allows it */
        component_init(&c, device);
        put_decoder(&c, 0, CXL_HDM_CONTROL, both);
        g_assert_cmphex(control(&c, 0), ==, CXL_HDM_CTRL_HOST_ONLY);

        component_init(&c, device);
        cxl_hdm_allow_bi(c.regs, c.mask, device);
        g_assert_cmphex(c.regs[CXL_HDM_CAP / 4] & CXL_HDM_CAP_BOTH_COHERENT,
                        ==, device ? CXL_HDM_CAP_BOTH_COHERENT : 0);
        put_decoder(&c, 0, CXL_HDM_SIZE_LO, G);
        w = put_decoder(&c, 0, CXL_HDM_CONTROL, both | CXL_HDM_CTRL_COMMIT);
        g_assert_cmpint(w.refusal, ==, CXL_HDM_BAD_COHERENCY);
        g_assert_cmphex(control(&c, 0), ==, both | CXL_HDM_CTRL_COMMIT |
                        CXL_HDM_CTRL_ERROR);
        w = put_decoder(&c, 0, CXL_HDM_CONTROL,
                        CXL_HDM_CTRL_BI | CXL_HDM_CTRL_COMMIT);
        g_assert_cmpint(w.refusal, ==, CXL_HDM_OK);
        g_assert_cmphex(control(&c, 0), ==, CXL_HDM_CTRL_BI |
                        CXL_HDM_CTRL_COMMIT | CXL_HDM_CTRL_COMMITTED);
        g_assert_cmpint(cxl_hdm_check(c.regs, c.mask), ==, CXL_HDM_OK);
        c.regs[(CXL_HDM_DECODER(0) + CXL_HDM_CONTROL) / 4] |= both;
        g_assert_cmpint(cxl_hdm_check(c.regs, c.mask), ==,
                        CXL_HDM_BAD_COHERENCY);
    }
}

static void test_commit_order(void)
{
    Component c;
    CXLHDMDecoder d;

    component_init(&c, true);
    assert_refused(&c, 1, commit(&c, 1, 8 * G, G, 1, 256),
                   CXL_HDM_OUT_OF_ORDER);
    assert_committed(&c, 0, commit(&c, 0, 8 * G, 4 * G, 1, 256));
    assert_refused(&c, 1, commit(&c, 1, 11 * G, G, 1, 256), CXL_HDM_OVERLAP);
    assert_refused(&c, 1, commit(&c, 1, 4 * G, G, 1, 256), CXL_HDM_OVERLAP);
    assert_committed(&c, 1, commit(&c, 1, 12 * G, G, 1, 256));
    /* An empty one is skipped, wherever it says it is */
    assert_committed(&c, 2, commit(&c, 2, 0, 0, 1, 256));
    assert_committed(&c, 3, commit(&c, 3, 13 * G, G, 1, 256));

    g_assert_true(find(c.regs, 13 * G, &d));
    g_assert_cmpuint(d.index, ==, 3);
    g_assert_false(find(c.regs, 0, &d));

    /* Put back below a committed one, it must still fit */
    put_decoder(&c, 0, CXL_HDM_CONTROL, 0);
    assert_refused(&c, 0, commit(&c, 0, 8 * G, 5 * G, 1, 256),
                   CXL_HDM_OVERLAP);
    assert_committed(&c, 0, commit(&c, 0, 8 * G, 4 * G, 1, 256));
}

static void test_lock_on_commit(void)
{
    Component c;
    uint32_t before[REGS];
    CXLHDMWrite w;

    component_init(&c, true);
    set_range(&c, 0, G, G);
    /* Lock alone locks nothing */
    put_decoder(&c, 0, CXL_HDM_CONTROL, CXL_HDM_CTRL_LOCK);
    set_range(&c, 0, 2 * G, G);
    w = put_decoder(&c, 0, CXL_HDM_CONTROL,
                    CXL_HDM_CTRL_LOCK | CXL_HDM_CTRL_COMMIT);
    assert_committed(&c, 0, w);

    memcpy(before, c.regs, sizeof(before));
    for (unsigned reg = 0; reg < 0x20; reg += 4) {
        w = put_decoder(&c, 0, reg, 0);
        g_assert_false(w.decode_changed);
        w = put_decoder(&c, 0, reg, UINT32_MAX);
        g_assert_false(w.decode_changed);
    }
    g_assert_cmpmem(before, sizeof(before), c.regs, sizeof(c.regs));

    /* Its neighbour is free */
    assert_committed(&c, 1, commit(&c, 1, 3 * G, G, 1, 256));
}

static void test_global_enable(void)
{
    Component c;
    uint64_t dpa;
    CXLHDMWrite w;

    component_init(&c, true);
    assert_committed(&c, 0, commit(&c, 0, 4 * G, G, 1, 256));
    g_assert_false(cxl_hdm_hpa_to_dpa(c.regs, 4 * G, &dpa, NULL));
    w = put(&c, CXL_HDM_GLOBAL_CONTROL, CXL_HDM_GLOBAL_POISON);
    g_assert_false(w.decode_changed);
    w = put(&c, CXL_HDM_GLOBAL_CONTROL, CXL_HDM_GLOBAL_ENABLE);
    g_assert_true(w.decode_changed);
    g_assert_cmpint(w.decoder, ==, -1);
    g_assert_true(cxl_hdm_hpa_to_dpa(c.regs, 4 * G, &dpa, NULL));
    w = put(&c, CXL_HDM_GLOBAL_CONTROL, 0);
    g_assert_true(w.decode_changed);
    g_assert_false(cxl_hdm_hpa_to_dpa(c.regs, 4 * G, &dpa, NULL));
}

static void test_dpa_of_several_decoders(void)
{
    Component c;
    CXLHDMDecoder d;
    uint64_t dpa;

    component_init(&c, true);
    put(&c, CXL_HDM_GLOBAL_CONTROL, CXL_HDM_GLOBAL_ENABLE);

    /* 4 of 16 GiB-granules in a four-way set, then a skip, then alone */
    assert_committed(&c, 0, commit(&c, 0, 16 * G, 16 * G, 4, 1024));
    put_decoder(&c, 1, CXL_HDM_SKIP_LO, (uint32_t)(3 * G));
    assert_committed(&c, 1, commit(&c, 1, 64 * G, 2 * G, 1, 256));
    put_decoder(&c, 2, CXL_HDM_SKIP_HI, 1);
    assert_committed(&c, 2, commit(&c, 2, 96 * G, 12 * G, 12, 256));

    g_assert_true(cxl_hdm_hpa_to_dpa(c.regs, 16 * G + 4096 + 5, &dpa, &d));
    g_assert_cmpuint(d.index, ==, 0);
    g_assert_cmphex(dpa, ==, 1024 + 5);
    g_assert_true(cxl_hdm_hpa_to_dpa(c.regs, 64 * G + 0x123, &dpa, &d));
    g_assert_cmpuint(d.index, ==, 1);
    g_assert_cmphex(dpa, ==, (4 + 3) * G + 0x123);
    g_assert_true(cxl_hdm_hpa_to_dpa(c.regs, 96 * G + 24 * 256, &dpa, &d));
    g_assert_cmphex(dpa, ==, (4 + 3 + 2) * G + (1ull << 32) + 512);
    g_assert_false(cxl_hdm_hpa_to_dpa(c.regs, 32 * G, &dpa, &d));
    g_assert_false(cxl_hdm_hpa_to_dpa(c.regs, 108 * G, &dpa, &d));

    /* Behind an uncommitted decoder nobody knows where DPA begins */
    put_decoder(&c, 1, CXL_HDM_CONTROL, 0);
    g_assert_true(cxl_hdm_hpa_to_dpa(c.regs, 16 * G, &dpa, &d));
    g_assert_false(cxl_hdm_hpa_to_dpa(c.regs, 96 * G, &dpa, &d));
}

/* Software may resize and move what is committed and not locked */
static void test_no_dpa_is_reached_twice(void)
{
    Component c;
    uint64_t third = ROUND_DOWN(G / 3, 256), dpa;

    component_init(&c, true);
    put(&c, CXL_HDM_GLOBAL_CONTROL, CXL_HDM_GLOBAL_ENABLE);
    assert_committed(&c, 0, commit(&c, 0, 16 * G, 3 * G, 3, 256));
    assert_committed(&c, 1, commit(&c, 1, 64 * G, 2 * G, 1, 256));
    g_assert_true(cxl_hdm_maps_dpa(c.regs, 3 * G - 1, 1));
    g_assert_false(cxl_hdm_maps_dpa(c.regs, 3 * G, G));

    /* No multiple of the ways: what is left over is nobody's */
    set_range(&c, 0, 16 * G, G);
    g_assert_true(cxl_hdm_hpa_to_dpa(c.regs, 64 * G, &dpa, NULL));
    g_assert_cmphex(dpa, ==, third);
    for (uint64_t hpa = 17 * G - 1024; hpa < 17 * G; hpa++) {
        if (cxl_hdm_hpa_to_dpa(c.regs, hpa, &dpa, NULL)) {
            g_assert_cmphex(dpa, <, third);
        }
    }
    g_assert_false(cxl_hdm_hpa_to_dpa(c.regs, 17 * G - 1, &dpa, NULL));

    /* So large a skip that addresses would begin anew */
    put_decoder(&c, 1, CXL_HDM_SKIP_LO, (uint32_t)-G);
    put_decoder(&c, 1, CXL_HDM_SKIP_HI, UINT32_MAX);
    g_assert_false(cxl_hdm_hpa_to_dpa(c.regs, 64 * G, &dpa, NULL));
    g_assert_false(cxl_hdm_hpa_to_dpa(c.regs, 65 * G, &dpa, NULL));
    g_assert_false(cxl_hdm_maps_dpa(c.regs, third, UINT64_MAX - third));
    /* or so large a size */
    put_decoder(&c, 1, CXL_HDM_SKIP_LO, (uint32_t)G);
    put_decoder(&c, 1, CXL_HDM_SKIP_HI, 0);
    put_decoder(&c, 1, CXL_HDM_SIZE_HI, UINT32_MAX);
    put_decoder(&c, 1, CXL_HDM_SIZE_LO, UINT32_MAX);
    g_assert_false(cxl_hdm_hpa_to_dpa(c.regs, 64 * G, &dpa, NULL));
    g_assert_true(cxl_hdm_hpa_to_dpa(c.regs, 16 * G, &dpa, NULL));
}

/* Any write whatsoever: no crash, read-only bits stay, lookups agree */
static void test_random_writes(void)
{
    GRand *rand = g_rand_new_with_seed(0xc71);
    Component c;

    for (int round = 0; round < 200; round++) {
        component_init(&c, round & 1);
        for (int i = 0; i < 500; i++) {
            unsigned offset = g_rand_int_range(rand, CXL_HDM_OFFSET / 4,
                                               CXL_HDM_DECODER(4) / 4) * 4;
            uint64_t hpa = (uint64_t)g_rand_int_range(rand, 0, 32) * G;
            uint32_t value = g_rand_boolean(rand) ? g_rand_int(rand) :
                             g_rand_int_range(rand, 0, 16) * (uint32_t)G;
            CXLHDMDecoder d;
            uint64_t dpa;

            if (g_rand_boolean(rand) && offset % 8) {
                value |= CXL_HDM_CTRL_COMMIT;
            }
            put(&c, offset, value & ~CXL_HDM_CTRL_LOCK);
            g_assert_cmpuint(cxl_hdm_count(c.regs), ==, 4);
            /* what software can make, a stream may hold */
            g_assert_cmpint(cxl_hdm_check(c.regs, c.mask), ==, CXL_HDM_OK);
            if (find(c.regs, hpa, &d)) {
                g_assert_cmpuint(d.ways, >, 0);
                g_assert_cmpuint(d.granularity, >, 0);
                g_assert_cmpuint(hpa - d.base, <, d.size);
                g_assert_cmpuint(cxl_interleave_target(hpa, d.ways,
                                                       d.granularity), <,
                                 d.ways);
            } else {
                g_assert_false(cxl_hdm_hpa_to_dpa(c.regs, hpa, &dpa, NULL));
            }
        }
    }
    g_rand_free(rand);
}

/* Registers that no write has made, as a stream may have them */
static void test_registers_from_elsewhere(void)
{
    const uint32_t committed = CXL_HDM_CTRL_COMMIT | CXL_HDM_CTRL_COMMITTED;
    const struct {
        uint32_t control;
        bool device;
        CXLHDMRefusal want;
    } rows[] = {
        { 0, true, CXL_HDM_OK },
        { committed, true, CXL_HDM_OK },
        { CXL_HDM_CTRL_COMMIT | CXL_HDM_CTRL_ERROR, true, CXL_HDM_OK },
        /* a code that is not in force may be any */
        { 0xff, true, CXL_HDM_OK },
        { committed | control_of(12, 256), true, CXL_HDM_OK },
        { committed | control_of(12, 256), false, CXL_HDM_BAD_WAYS },
        { committed | 5 << CXL_HDM_CTRL_IW_SHIFT, true, CXL_HDM_BAD_WAYS },
        { committed | 0xf0, true, CXL_HDM_BAD_WAYS },
        { committed | 7, true, CXL_HDM_BAD_GRANULARITY },
        { CXL_HDM_CTRL_COMMIT, true, CXL_HDM_BAD_STATUS },
        { CXL_HDM_CTRL_COMMITTED, true, CXL_HDM_BAD_STATUS },
        { CXL_HDM_CTRL_ERROR, true, CXL_HDM_BAD_STATUS },
        { committed | CXL_HDM_CTRL_ERROR, true, CXL_HDM_BAD_STATUS },
    };
    Component c;

    for (int i = 0; i < ARRAY_SIZE(rows); i++) {
        for (int n = 0; n < CXL_HDM_DECODERS; n++) {
            unsigned at = CXL_HDM_DECODER(n) + CXL_HDM_CONTROL;

            component_init(&c, rows[i].device);
            c.regs[at / 4] = rows[i].control;
            g_assert_cmpint(cxl_hdm_check(c.regs, c.mask), ==, rows[i].want);
            g_assert_cmphex(cxl_hdm_status(c.regs, at), ==,
                            CXL_HDM_CTRL_COMMITTED | CXL_HDM_CTRL_ERROR);
            g_assert_cmphex(cxl_hdm_status(c.regs, at + 4), ==, 0);
        }
    }
    /* the capability in front of the decoders has none */
    g_assert_cmphex(cxl_hdm_status(c.regs, CXL_HDM_OFFSET), ==, 0);
    g_assert_cmphex(cxl_hdm_status(c.regs, CXL_HDM_DECODER(CXL_HDM_DECODERS) +
                                   CXL_HDM_CONTROL), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) g_test_add_func("/cxl/hdm/" #f, test_ ## f)
    T(encodings);
    T(arithmetic_is_the_specifications);
    T(interleave_repeats_after_a_period);
    T(interleave_is_one_to_one);
    T(a_byte_of_a_device_has_one_address);
    T(reset_values);
    T(owned_offsets);
    T(write_masks);
    T(commit_and_uncommit);
    T(commit_refusals);
    T(back_invalidate);
    T(commit_order);
    T(lock_on_commit);
    T(global_enable);
    T(dpa_of_several_decoders);
    T(no_dpa_is_reached_twice);
    T(random_writes);
    T(registers_from_elsewhere);
    return g_test_run();
}
