/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where MCTP links live that are on no bus of the machine: ends of a line to
 * the world outside, which no guest sees. The bus gives them what QEMU ties
 * to a bus: hot plug, reset with the machine, a name in a migration stream.
 *
 * Reference: none, this is QEMU's own.
 */
#ifndef MCTP_LINK_BUS_H
#define MCTP_LINK_BUS_H

#include "hw/qdev-core.h"

#define TYPE_MCTP_LINK_BUS  "mctp-link-bus"

/**
 * mctp_link_bus_create() - see to it that the machine has the bus
 *
 * There is one, "mctp-links.0". To be called when a component is realized
 * that a link can have as its target; more often is harmless.
 */
void mctp_link_bus_create(void);

#endif
