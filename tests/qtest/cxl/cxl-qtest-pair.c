/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two interleaved memory devices, see cxl-qtest-pair.h
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "cxl-qtest-pair.h"

uint32_t pair_control(unsigned grain)
{
    return 1 << CXL_HDM_CTRL_IW_SHIFT | ctz32(grain / 256);
}

void pair_probe(Pair *p)
{
    for (unsigned d = 0; d < PAIR_DEVICES; d++) {
        cxl_probe(p->qts, d, &p->dev[d]);
    }
    p->window = map_window(p->qts);
    p->bridge = map_bridge(p->qts);
}

void pair_decode(Pair *p)
{
    uint64_t size = PAIR_DEVICES * ALL_DPA;
    uint32_t control = pair_control(p->grain);

    map_decode(p->qts, p->bridge, 0, p->window, size, control, 0x0100);
    for (unsigned d = 0; d < PAIR_DEVICES; d++) {
        map_decode(p->qts, p->dev[d].bar[0], 0, p->window, size, control, 0);
    }
}

void pair_start(Pair *p, unsigned grain, const char *props, const char *more)
{
    g_autoptr(GString) devices = g_string_new(more);

    *p = (Pair) { .grain = grain };
    for (unsigned d = 0; d < PAIR_DEVICES; d++) {
        g_string_append_printf(
            devices, " -object memory-backend-memfd,id=vm%u,size=256M "
            "-object memory-backend-memfd,id=dc%u,size=512M "
            "-device cxl-type3,bus=rp%u,id=mem%u,volatile-memdev=vm%u,"
            "volatile-dc-memdev=dc%u,num-dc-regions=2%s ",
            d, d, d, d, d, d, props);
    }
    p->args = cxl_args(devices->str);
    p->qts = qtest_init(p->args);
    pair_probe(p);
    pair_decode(p);
}

void pair_stop(Pair *p)
{
    qtest_quit(p->qts);
    g_free(p->args);
}

uint64_t pair_at(const Pair *p, unsigned d, uint64_t dpa)
{
    return (dpa / p->grain * PAIR_DEVICES + d) * p->grain + dpa % p->grain;
}

uint64_t pair_load(Pair *p, unsigned d, uint64_t dpa)
{
    return qtest_readq(p->qts, p->window + pair_at(p, d, dpa));
}

void pair_store(Pair *p, unsigned d, uint64_t dpa, uint64_t value)
{
    qtest_writeq(p->qts, p->window + pair_at(p, d, dpa), value);
}

#define DECODERS 2

uint64_t pair_in_device(Pair *p, unsigned d, uint64_t dpa)
{
    bool dynamic = dpa >= CXL_DC_BASE;
    int fd = map_backend(p->qts, PAIR_KINDS * d + dynamic);
    uint32_t was[PAIR_DEVICES][DECODERS];
    uint8_t b[8];

    for (unsigned i = 0; i < PAIR_DEVICES; i++) {
        for (unsigned n = 0; n < DECODERS; n++) {
            was[i][n] = qtest_readl(p->qts, p->dev[i].bar[0] + 0x1000 +
                                    CXL_HDM_DECODER(n) + CXL_HDM_CONTROL);
            map_control(p->qts, p->dev[i].bar[0], n, 0);
        }
    }
    map_sets_gone(p->qts);
    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(pread(fd, b, sizeof(b), dpa - dynamic * CXL_DC_BASE), ==,
                    sizeof(b));
    close(fd);
    for (unsigned i = 0; i < PAIR_DEVICES; i++) {
        for (unsigned n = 0; n < DECODERS; n++) {
            if (was[i][n] & CXL_HDM_CTRL_COMMITTED) {
                map_control(p->qts, p->dev[i].bar[0], n, was[i][n]);
            }
        }
    }
    return ldq_le_p(b);
}
