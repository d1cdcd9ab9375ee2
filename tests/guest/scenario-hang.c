/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenario "hang": a guest that comes up and then does no more, for the test
 * of what is told of such a guest (test-hang.py)
 */
#include <unistd.h>

#include "scenario.h"
#include "tap.h"

void scenario_hang(void)
{
    tap_check(true, "the guest is there");
    for (;;) {
        pause();
    }
}
