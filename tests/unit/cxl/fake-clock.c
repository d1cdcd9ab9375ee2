/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A virtual clock that stands still until a test moves it
 *
 * Takes the place of the util library's stand-in for the virtual clock, which
 * follows the wall clock.
 */
#include "qemu/osdep.h"
#include "qemu/timer.h"
#include "system/cpu-timers.h"
#include "fake-clock.h"

/* not zero, so that a lost start time shows */
static int64_t now_ns = 1000 * SCALE_MS;

int64_t cpus_get_virtual_clock(void)
{
    return now_ns;
}

void cpus_set_virtual_clock(int64_t new_time)
{
    now_ns = new_time;
}

/* Nobody sleeps in a main loop that would have to wake up */
static void deadline_changed(void *opaque, QEMUClockType type)
{
}

void fake_clock_init(void)
{
    qemu_init_clocks(deadline_changed);
    qemu_clock_enable(QEMU_CLOCK_VIRTUAL, true);
}

int64_t fake_clock_now(void)
{
    return now_ns;
}

void fake_clock_step(int64_t ns)
{
    now_ns += ns;
    qemu_clock_run_timers(QEMU_CLOCK_VIRTUAL);
}
