/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every way of interleaving at every level: a window over host bridges, those
 * over root ports, switches over their ports (CXL r3.2 8.2.4.20, 9.13.1,
 * 9.18.1.3).  Each device's backend is a file that the test maps too; what is
 * in it is compared with a copy filled by the specification's arithmetic.
 */
#include "qemu/osdep.h"
#include "qemu/units.h"
#include "cxl-qtest-tree.h"

/* The largest block that is written in one go */
#define BLOCK_MAX       (72 * KiB)

/**
 * struct Shape - a machine, and how to share out the bits of an address
 * @ways: see struct Tree
 * @grains: granularity of each level as a multiple of the finest, which is the
 *   devices'; sets of them
 */
typedef struct Shape {
    uint8_t ways[TREE_LEVELS];
    uint8_t grains[4][TREE_LEVELS];
} Shape;

/* The same ones in every run */
static GRand *random_numbers;

typedef struct Decoder {
    uint64_t base;
    uint64_t size;
    unsigned iw, ig;
    uint8_t port[8];
} Decoder;

/**
 * struct Plan - how all decoders of a machine are set
 * @window: number of the window, which is the code of its granularity
 * @level: of all components of a level; port is not used for TREE_WINDOW
 * @device: of all devices but those of @off
 * @skip: DPAs that a device's decoder leaves out
 * @off: bit map of devices whose decoder stays off
 */
typedef struct Plan {
    unsigned window;
    Decoder level[TREE_LEVELS];
    Decoder device;
    uint64_t skip;
    unsigned off;
} Plan;

/* -- the specification's arithmetic --------------------------------------- */

static unsigned code_of(unsigned ways)
{
    static const uint8_t ways_of[] = { 1, 2, 4, 8, 16, 0, 0, 0, 3, 6, 12 };

    for (unsigned code = 0; code < ARRAY_SIZE(ways_of); code++) {
        if (ways_of[code] == ways) {
            return code;
        }
    }
    g_assert_not_reached();
}

/* Bit fields of the address; what is divided by three is above the others */
static unsigned select_way(uint64_t hpa, unsigned iw, unsigned ig)
{
    unsigned low = iw & 7;
    unsigned field = extract64(hpa, 8 + ig, low ? low : 1) * !!low;

    return iw & 8 ? (hpa >> (8 + ig + low)) % 3 << low | field : field;
}

static uint64_t squeeze(uint64_t offset, unsigned iw, unsigned ig)
{
    uint64_t high = offset >> (8 + ig + (iw & 7));

    return (iw & 8 ? high / 3 : high) << (8 + ig) |
           extract64(offset, 0, 8 + ig);
}

static bool inside(const Decoder *d, uint64_t hpa)
{
    return hpa >= d->base && hpa - d->base < d->size;
}

/* Return: false if the address leads nowhere */
static bool where(const Tree *t, const Plan *p, uint64_t hpa,
                  unsigned *device, uint64_t *dpa)
{
    const Decoder *d = &p->level[TREE_WINDOW];
    unsigned n = tree_ports(t, TREE_WINDOW);

    /* Windows name their targets in turn, each beginning with another */
    *device = (select_way(hpa, d->iw, d->ig) + p->window) % n;
    for (unsigned l = TREE_BRIDGE; l < TREE_LEVELS; l++) {
        unsigned port = 0;

        n = tree_ports(t, l);
        d = &p->level[l];
        if (t->ways[l]) {
            if (!inside(d, hpa)) {
                return false;
            }
            port = d->port[select_way(hpa, d->iw, d->ig)];
        }
        if (port >= n) {
            return false;
        }
        *device = *device * n + port;
    }
    d = &p->device;
    if ((p->off & BIT(*device)) || !inside(d, hpa)) {
        return false;
    }
    *dpa = p->skip + squeeze(hpa - d->base, d->iw, d->ig);
    return *dpa < TREE_DEVICE_SIZE;
}

/* -- decoders -------------------------------------------------------------- */

/* Levels that fit; @round varies places and orders. False: cannot be said */
static bool plan_fit(const Tree *t, const uint8_t *grains, unsigned ig,
                     unsigned round, Plan *p)
{
    uint64_t size = t->nr_devices * (uint64_t)TREE_UNIT, base;

    *p = (Plan) { .skip = round & 1 ? TREE_UNIT : 0 };
    for (unsigned l = 0; l < TREE_LEVELS; l++) {
        unsigned n = tree_ports(t, l);
        Decoder *d = &p->level[l];

        d->iw = code_of(n);
        d->ig = ig + ctz32(grains[l] ? grains[l] : 1);
        if (n == 1 && l != TREE_WINDOW) {
            /* What does not divide may have any */
            d->ig = (ig + 2 * l + round) % TREE_GRAINS;
        }
        if (d->ig >= TREE_GRAINS) {
            return false;
        }
        for (unsigned i = 0; i < n && l != TREE_WINDOW; i++) {
            d->port[i] = (i + round) % n;
        }
    }
    p->window = p->level[TREE_WINDOW].ig;
    base = t->window[p->window] + (round & 2 ? TREE_UNIT : 0);
    p->device = (Decoder) { base, size, code_of(t->nr_devices), ig };
    for (unsigned l = 0; l < TREE_LEVELS; l++) {
        p->level[l].base = base;
        p->level[l].size = size;
    }
    return true;
}

static uint32_t control(const Decoder *d)
{
    return d->iw << CXL_HDM_CTRL_IW_SHIFT | d->ig;
}

static void port_decode(Tree *t, uint64_t regs, const Decoder *d)
{
    qtest_writel(t->qts, regs + 0x1000 + CXL_HDM_DECODER(0) +
                 CXL_HDM_TARGET_HI, ldl_le_p(d->port + 4));
    map_decode(t->qts, regs, 0, d->base, d->size, control(d),
               ldl_le_p(d->port));
}

static void plan_apply(Tree *t, const Plan *p)
{
    for (unsigned l = TREE_BRIDGE; l < TREE_LEVELS; l++) {
        for (unsigned i = 0; i < t->nr_ports[l] && t->ways[l]; i++) {
            port_decode(t, t->port[l][i], &p->level[l]);
        }
    }
    for (unsigned i = 0; i < t->nr_devices; i++) {
        map_control(t->qts, t->device[i], 0, 0);
        if (!(p->off & BIT(i))) {
            /* A device has its skip where ports have targets */
            map_decode(t->qts, t->device[i], 0, p->device.base,
                       p->device.size, control(&p->device), p->skip);
        }
    }
}

/* -- loads and stores ------------------------------------------------------ */

/* Put @n bytes to where they belong; the later ones stay */
static void expect(Tree *t, const Plan *p, uint64_t hpa, const uint8_t *buf,
                   unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        unsigned d;
        uint64_t dpa;

        if (where(t, p, hpa + i, &d, &dpa)) {
            tree_want(t, d, dpa, buf[i]);
        }
    }
}

static void fill(uint8_t *buf, unsigned n)
{
    /* Never 0, which is what memory holds before */
    for (unsigned i = 0; i < n; i++) {
        buf[i] = g_rand_int_range(random_numbers, 1, 256);
    }
}

static void store(Tree *t, const Plan *p, uint64_t hpa, unsigned n)
{
    uint8_t b[8];

    fill(b, n);
    switch (n) {
    case 1:
        qtest_writeb(t->qts, hpa, b[0]);
        break;
    case 2:
        qtest_writew(t->qts, hpa, lduw_le_p(b));
        break;
    case 4:
        qtest_writel(t->qts, hpa, ldl_le_p(b));
        break;
    default:
        qtest_writeq(t->qts, hpa, ldq_le_p(b));
    }
    expect(t, p, hpa, b, n);
}

static void store_block(Tree *t, const Plan *p, uint64_t hpa, unsigned n)
{
    g_autofree uint8_t *buf = g_malloc(n);

    fill(buf, n);
    qtest_bufwrite(t->qts, hpa, buf, n);
    expect(t, p, hpa, buf, n);
}

/*
 * What leads nowhere reads as 0. With part of an access it is all of it, or
 * that part, by the way the machine cuts it: such a load is left out.
 */
static void load(Tree *t, const Plan *p, uint64_t hpa, unsigned n)
{
    uint64_t want = 0, got, dpa;
    unsigned known = 0, d;

    for (unsigned i = 0; i < n; i++) {
        if (where(t, p, hpa + i, &d, &dpa)) {
            want |= (uint64_t)t->want[d][dpa] << (8 * i);
            known++;
        }
    }
    got = n == 1 ? qtest_readb(t->qts, hpa) :
          n == 2 ? qtest_readw(t->qts, hpa) :
          n == 4 ? qtest_readl(t->qts, hpa) : qtest_readq(t->qts, hpa);
    if (!known || known == n) {
        g_assert_cmphex(got, ==, want);
    }
}

static void load_block(Tree *t, const Plan *p, uint64_t hpa, unsigned n)
{
    g_autofree uint8_t *buf = g_malloc(n);

    qtest_bufread(t->qts, hpa, buf, n);
    for (unsigned i = 0; i < n; i++) {
        unsigned d;
        uint64_t dpa;

        if (where(t, p, hpa + i, &d, &dpa)) {
            g_assert_cmphex(buf[i], ==, t->want[d][dpa]);
        }
    }
}

/* A word of each width all over the region, at all places in a chunk */
#define SPOTS 40

/* In which order bytes are does not matter to their contents */
static void look_into_devices(Tree *t, const Plan *p)
{
    if (t->private) {
        for (unsigned i = 0; i < t->nr_devices; i++) {
            map_control(t->qts, t->device[i], 0, 0);
        }
        map_sets_gone(t->qts);
    }
    tree_check(t);
}

static void exercise(Tree *t, const Plan *p)
{
    static const uint8_t widths[] = { 8, 1, 4, 2, 8 };
    uint64_t base = p->device.base, size = p->device.size;
    unsigned grain = TREE_GRAIN(p->device.ig);
    unsigned edges = MIN(24, t->nr_devices + 2);
    unsigned block = MIN((t->nr_devices + 1) * grain + 13, BLOCK_MAX);
    uint64_t spot[SPOTS];

    for (unsigned i = 0; i < SPOTS; i++) {
        spot[i] = base + i * (size / SPOTS) +
                  g_rand_int_range(random_numbers, 0, size / SPOTS - 8);
        store(t, p, spot[i], widths[i % ARRAY_SIZE(widths)]);
    }
    store_block(t, p, base + size / 2 + grain - 5, block);
    /* Over the border of chunks; the devices take turns */
    for (unsigned i = 1; i <= edges; i++) {
        store(t, p, base + i * grain - 1 - i % 7, 8);
        store(t, p, base + (i + edges) * grain - 1, i % 2 ? 2 : 4);
    }
    /* Over the ends of the region, where something else begins */
    store(t, p, base + size - 3, 8);
    if (base > t->window[p->window]) {
        store(t, p, base - 5, 8);
    }

    for (unsigned i = 0; i < SPOTS; i++) {
        load(t, p, spot[i], widths[(i + 1) % ARRAY_SIZE(widths)]);
        load(t, p, spot[i] ^ grain, 8);
    }
    for (unsigned i = 1; i <= edges; i++) {
        load(t, p, base + i * grain - 4, 8);
        load(t, p, base + i * grain, 1);
    }
    load_block(t, p, base, MIN(block, 8 * KiB));
    load_block(t, p, base + size / 2, MIN(block + grain, BLOCK_MAX));
    look_into_devices(t, p);
}

/* -- tests ----------------------------------------------------------------- */

/* No byte of a device has two addresses: what makes a set of levels fit */
static void assert_one_to_one(const Tree *t, const Plan *p)
{
    unsigned grain = TREE_GRAIN(p->device.ig), rows = 3;
    g_autofree uint8_t *seen = g_malloc0(rows * t->nr_devices);

    for (unsigned i = 0; i < rows * t->nr_devices; i++) {
        unsigned d;
        uint64_t dpa;

        g_assert_true(where(t, p, p->device.base + i * grain, &d, &dpa));
        dpa = (dpa - p->skip) / grain;
        g_assert_cmpuint(dpa, <, rows);
        g_assert_cmpuint(seen[dpa * t->nr_devices + d]++, ==, 0);
    }
}

/* What the query says of the middle of what @p decodes */
static void becomes(Tree *t, const Plan *p, const char *want)
{
    map_trap_is(t->qts, p->device.base + p->device.size / 2 - t->window[0],
                want);
}

static void levels_fit(const Shape *shape, bool private)
{
    unsigned round = 0, done = 0;
    Tree t;
    Plan p;

    tree_start(&t, shape->ways, private);
    for (unsigned k = 0; k < ARRAY_SIZE(shape->grains); k++) {
        for (unsigned ig = 0; ig < TREE_GRAINS; ig++) {
            if (k && !shape->grains[k][TREE_WINDOW]) {
                break;
            }
            if (plan_fit(&t, shape->grains[k], ig, round, &p)) {
                assert_one_to_one(&t, &p);
                plan_apply(&t, &p);
                if (private) {
                    becomes(&t, &p, "direct");
                }
                exercise(&t, &p);
                round++;
                done++;
            }
        }
    }
    g_assert_cmpuint(done, >, 0);
    tree_stop(&t);
}

static void levels_of_shared_files_fit(gconstpointer shape)
{
    levels_fit(shape, false);
}

static void levels_of_private_memory_fit(gconstpointer shape)
{
    levels_fit(shape, true);
}

static const Shape shapes[] = {
    /* the window alone; without interleave, too */
    { { 1 }, { { 1 } } },
    { { 2 }, { { 1 } } },
    { { 4 }, { { 1 } } },
    { { 8 }, { { 1 } } },
    { { 16 }, { { 1 } } },
    { { 3 }, { { 1 } } },
    { { 6 }, { { 1 } } },
    { { 12 }, { { 1 } } },
    /* a host bridge; a switch; two switches; a decoder for one port */
    { { 1, 2 }, { { 1, 1 } } },
    { { 1, 4 }, { { 1, 1 } } },
    { { 1, 8 }, { { 1, 1 } } },
    { { 1, 1, 2 }, { { 1, 1, 1 } } },
    { { 1, 0, 4 }, { { 1, 1, 1 } } },
    { { 1, 0, 8 }, { { 1, 1, 1 } } },
    { { 1, 0, 2, 4 }, { { 1, 1, 1, 2 }, { 1, 1, 4, 1 } } },
    { { 1, 0, 1, 8 }, { { 1, 1, 1, 1 } } },
    /* window and bridge, either of them the finer one */
    { { 2, 2 }, { { 1, 2 }, { 2, 1 } } },
    { { 2, 8 }, { { 1, 2 }, { 8, 1 } } },
    { { 4, 4 }, { { 1, 4 }, { 4, 1 } } },
    { { 8, 2 }, { { 1, 8 }, { 2, 1 } } },
    { { 2, 1 }, { { 1, 1 } } },
    /* a third takes no bits: what is below divides the same chunks */
    { { 3, 2 }, { { 1, 1 }, { 2, 1 } } },
    { { 3, 4 }, { { 1, 1 }, { 2, 1 }, { 4, 1 } } },
    { { 6, 2 }, { { 1, 2 }, { 2, 1 } } },
    { { 3, 2, 2 }, { { 1, 1, 2 }, { 4, 2, 1 }, { 2, 2, 1 } } },
    { { 3, 0, 2, 2 }, { { 1, 1, 2, 1 }, { 4, 1, 1, 2 } } },
    { { 12, 1 }, { { 1, 1 } } },
    /* bridge and switch; all of them, in several orders */
    { { 1, 2, 4 }, { { 1, 1, 2 }, { 1, 4, 1 } } },
    { { 2, 2, 4 }, { { 1, 2, 4 }, { 8, 4, 1 }, { 2, 1, 4 } } },
    { { 4, 0, 4 }, { { 1, 1, 4 }, { 4, 1, 1 } } },
    { { 2, 2, 2, 2 }, { { 1, 2, 4, 8 }, { 8, 4, 2, 1 }, { 4, 1, 8, 2 } } },
};

/* -- sets of decoders that do not fit -------------------------------------- */

typedef void Twist(Plan *p);

static void bridge_takes_bits_of_the_window(Plan *p)
{
    p->level[TREE_BRIDGE].ig = p->level[TREE_WINDOW].ig;
}

static void devices_have_wider_chunks(Plan *p)
{
    p->device.ig += 2;
}

static void devices_are_alone(Plan *p)
{
    /* Most of the region is beyond their capacity */
    p->device.iw = 0;
}

static void devices_divide_by_three(Plan *p)
{
    p->device.iw = 8;
    p->device.size = 3 * (uint64_t)TREE_UNIT;
}

static void devices_count_too_many(Plan *p)
{
    p->device.iw = 4;
}

static void a_port_is_not_there(Plan *p)
{
    p->level[TREE_BRIDGE].port[1] = 9;
}

static void both_targets_are_one_port(Plan *p)
{
    p->level[TREE_BRIDGE].port[1] = p->level[TREE_BRIDGE].port[0];
}

static void a_device_is_off(Plan *p)
{
    p->off = BIT(1) | BIT(2);
}

static void the_bridge_ends_early(Plan *p)
{
    p->level[TREE_BRIDGE].size -= 2 * TREE_UNIT;
}

static void the_bridge_divides_by_four(Plan *p)
{
    p->level[TREE_BRIDGE].iw = 2;
    p->level[TREE_BRIDGE].port[2] = 1;
    p->level[TREE_BRIDGE].port[3] = 0xff;
}

static void the_bridge_begins_early(Plan *p)
{
    p->level[TREE_BRIDGE].base -= TREE_UNIT;
    p->level[TREE_BRIDGE].size -= TREE_UNIT;
}

static const struct {
    const char *name;
    Twist *twist;
} twists[] = {
#define T(f) { #f, f }
    T(bridge_takes_bits_of_the_window),
    T(devices_have_wider_chunks),
    T(devices_are_alone),
    T(devices_divide_by_three),
    T(devices_count_too_many),
    T(a_port_is_not_there),
    T(both_targets_are_one_port),
    T(a_device_is_off),
    T(the_bridge_ends_early),
    T(the_bridge_divides_by_four),
    T(the_bridge_begins_early),
#undef T
};

static void levels_do_not_fit(gconstpointer private)
{
    static const Shape square = { { 2, 2 }, { { 1, 2 }, { 2, 1 } } };
    Tree t;
    Plan p;

    tree_start(&t, square.ways, private);
    for (unsigned i = 0; i < ARRAY_SIZE(twists); i++) {
        for (unsigned ig = 0; ig < TREE_GRAINS - 2; ig++) {
            g_test_message("%s, %u bytes", twists[i].name, TREE_GRAIN(ig));
            /* rounds with the region in the middle, so both ends are tested */
            g_assert_true(plan_fit(&t, square.grains[ig & 1], ig, 2 + (i & 1),
                                   &p));
            twists[i].twist(&p);
            plan_apply(&t, &p);
            exercise(&t, &p);
            g_free(map_why(t.qts, 0));
        }
    }
    tree_stop(&t);
}

int main(int argc, char **argv)
{
    int ret;

    random_numbers = g_rand_new_with_seed(20261123);
    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < ARRAY_SIZE(shapes); i++) {
        const uint8_t *w = shapes[i].ways;
        g_autofree char *path =
            g_strdup_printf("/cxl/interleave/%u-%u-%u-%u", w[0], w[1], w[2],
                            w[3]);

        g_autofree char *ram = g_strconcat(path, "-private", NULL);

        qtest_add_data_func(path, &shapes[i], levels_of_shared_files_fit);
        qtest_add_data_func(ram, &shapes[i], levels_of_private_memory_fit);
    }
    qtest_add_data_func("/cxl/interleave/levels-do-not-fit", NULL,
                        levels_do_not_fit);
    qtest_add_data_func("/cxl/interleave/levels-do-not-fit-private", shapes,
                        levels_do_not_fit);
    ret = g_test_run();
    g_rand_free(random_numbers);
    return ret;
}
