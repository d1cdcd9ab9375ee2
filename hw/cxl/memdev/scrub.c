/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Patrol scrub, see scrub.h (CXL r3.2 8.2.10.9.11.1)
 */
#include "qemu/osdep.h"
#include "migration/vmstate.h"
#include "hw/cxl/memdev/scrub.h"
#include "hw/cxl/trace.h"

#define HOUR_NS (3600ll * NANOSECONDS_PER_SECOND)

static uint64_t scrub_step_start(const CXLScrub *s, unsigned step)
{
    if (step == CXL_SCRUB_STEPS) {
        return s->size;
    }
    return QEMU_ALIGN_DOWN(s->size / CXL_SCRUB_STEPS * step, CXL_POISON_LINE);
}

static void scrub_arm(CXLScrub *s)
{
    if (s->on) {
        s->next_ns = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) +
                     s->hours * HOUR_NS / CXL_SCRUB_STEPS;
        timer_mod_ns(s->timer, s->next_ns);
    } else {
        s->next_ns = 0;
        timer_del(s->timer);
    }
}

/* First poison from @from on, without what began before it and was told of */
static bool scrub_next_start(const CXLPoison *p, uint64_t from, uint64_t part,
                             CXLPoisonRange *r)
{
    if (from != part || !part) {
        return cxl_poison_next(p, from, r);
    }
    if (!cxl_poison_next(p, part - CXL_POISON_LINE, r)) {
        return false;
    }
    return r->dpa >= part ||
           (r->len <= UINT64_MAX - r->dpa &&
            cxl_poison_next(p, r->dpa + r->len, r));
}

static void scrub_patrol(CXLScrub *s)
{
    uint64_t start = scrub_step_start(s, s->step);
    uint64_t end = scrub_step_start(s, s->step + 1);
    uint64_t from = start;
    CXLPoisonRange r;

    /* What was known to the medium only is found now, if there is room */
    if (!s->poison->frozen) {
        cxl_poison_scan(s->poison, start, end - start);
    }
    while (from < end && scrub_next_start(s->poison, from, start, &r) &&
           r.dpa < end) {
        trace_cxl_scrub_found(r.dpa, r.len);
        from = r.len > UINT64_MAX - r.dpa ? end : r.dpa + r.len;
        s->found(s->opaque, &r);
    }
}

static void scrub_tick(void *opaque)
{
    CXLScrub *s = opaque;

    scrub_patrol(s);
    s->step = (s->step + 1) % CXL_SCRUB_STEPS;
    scrub_arm(s);
}

void cxl_scrub_init(CXLScrub *s, CXLPoison *poison, uint64_t size,
                    CXLScrubFound *found, void *opaque)
{
    *s = (CXLScrub) {
        .poison = poison,
        .size = size,
        .found = found,
        .opaque = opaque,
    };
    s->timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, scrub_tick, s);
}

void cxl_scrub_destroy(CXLScrub *s)
{
    timer_free(s->timer);
    s->timer = NULL;
    s->on = false;
}

void cxl_scrub_set(CXLScrub *s, bool on, uint8_t hours)
{
    if (on == s->on && hours == s->hours) {
        return;
    }
    trace_cxl_scrub_set(on, hours);
    if (!s->on) {
        s->step = 0;
    }
    s->on = on;
    s->hours = hours;
    scrub_arm(s);
}

/* -- migration ----------------------------------------------------------- */

static int scrub_post_load(void *opaque, int version_id)
{
    CXLScrub *s = opaque;

    if (s->step >= CXL_SCRUB_STEPS || s->next_ns < 0 ||
        (s->on && !s->hours)) {
        return -EINVAL;
    }
    if (s->on) {
        timer_mod_ns(s->timer, s->next_ns);
    } else {
        timer_del(s->timer);
    }
    return 0;
}

const VMStateDescription vmstate_cxl_scrub = {
    .name = "cxl-scrub",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = scrub_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_BOOL(on, CXLScrub),
        VMSTATE_UINT8(hours, CXLScrub),
        VMSTATE_UINT16(step, CXLScrub),
        VMSTATE_INT64(next_ns, CXLScrub),
        VMSTATE_END_OF_LIST()
    },
};
