/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenario "hang": a guest that comes up and waits, for the test of what is
 * told of a guest that hangs (test-hang.py), and never ends
 */
#include <unistd.h>

#include "scenario.h"
#include "tap.h"

void scenario_hang(void)
{
    tap_check(tap_ask("wait"), "the guest goes on");
    for (;;) {
        pause();
    }
}
