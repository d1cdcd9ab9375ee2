/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A virtual clock that stands still until a test moves it
 */
#ifndef TESTS_CXL_FAKE_CLOCK_H
#define TESTS_CXL_FAKE_CLOCK_H

/** fake_clock_init() - once, before anything makes a timer */
void fake_clock_init(void);
int64_t fake_clock_now(void);
/** fake_clock_step() - move on by @ns and run the timers that are due */
void fake_clock_step(int64_t ns);

#endif
