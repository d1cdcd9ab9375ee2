/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which offers the dynamic capacity series for Linux (v11) takes, and how it
 * gives capacity back
 */
#ifndef GUEST_HOST_LINUX_H
#define GUEST_HOST_LINUX_H

#include "host-cmds.h"

/* Extents of one group that a host remembers: more than a test offers */
#define HOST_GROUP_MAX      512
/* The same of Linux; one more, and it drops them all and begins again */
#define HOST_LINUX_GROUP    100

/** struct host_list - extents that a host has */
struct host_list {
    unsigned n;
    struct cxl_extent ext[HOST_GROUP_MAX];
};

/** host_list_add() - an extent more; false if there is no place for it. */
bool host_list_add(struct host_list *list, const struct cxl_extent *ext);
/** host_list_cut() - nothing of the range is in the list any more. */
bool host_list_cut(struct host_list *list, const struct cxl_range *range);

/**
 * struct host_linux - what Linux knows
 * @base, @len: region 0, the only one it uses
 * @has: what it has accepted, with what was taken by force meanwhile: it does
 *       not listen to that
 */
struct host_linux {
    uint64_t base, len;
    struct host_list has;
};

/** host_linux_collect() - one more extent of the offer that is being read. */
void host_linux_collect(struct cxl_extent *group, unsigned *n,
                        const struct cxl_extent *ext);

/**
 * host_linux_choose() - those extents of an offer that Linux accepts
 * @ranges: room for @n
 * Return: their number
 */
unsigned host_linux_choose(const struct host_linux *l,
                           const struct cxl_extent *offer, unsigned n,
                           struct cxl_range *ranges);

/**
 * host_linux_release() - what Linux gives back when it is asked for @range:
 * whole tags, each extent in a command of its own; it has let go of them then
 * @ranges: room for HOST_GROUP_MAX
 * Return: their number
 */
unsigned host_linux_release(struct host_linux *l,
                            const struct cxl_range *range,
                            struct cxl_range *ranges);

#endif /* GUEST_HOST_LINUX_H */
