/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Did the kernel complain?
 */
#ifndef GUEST_DMESG_H
#define GUEST_DMESG_H

/**
 * dmesg_complaints() - print what the kernel reported at level warning or worse
 *
 * Reads on from where the last call ended.  Known harmless lines of a virtual
 * machine are passed over; see the table in dmesg.c.
 * Return: number of complaints, or a negative errno.
 */
int dmesg_complaints(void);

#endif /* GUEST_DMESG_H */
