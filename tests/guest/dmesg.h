/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Did the kernel complain?
 */
#ifndef GUEST_DMESG_H
#define GUEST_DMESG_H

#include <stdbool.h>

/**
 * dmesg_complaints() - print what the kernel reported at level warning or worse
 *
 * Reads on from where the last call ended.  Known harmless lines of a virtual
 * machine are passed over; see the table in dmesg.c.
 * Return: number of complaints, or a negative errno.
 */
int dmesg_complaints(void);

/**
 * dmesg_await() - give the kernel @seconds to print a line with both texts
 *
 * Reads on from where the last call of either ended, up to that line.
 */
bool dmesg_await(unsigned seconds, const char *who, const char *what);

#endif /* GUEST_DMESG_H */
