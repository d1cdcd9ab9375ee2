/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host of a dynamic capacity device, as a driver would be (CXL r3.2
 * 9.13.3.3): reads the event log, answers offers, gives capacity back
 */
#ifndef GUEST_HOST_AGENT_H
#define GUEST_HOST_AGENT_H

#include "host-linux.h"

enum host_policy {
    HOST_ACCEPT_ALL,
    HOST_ACCEPT_PART,           /* the first half of the group's first extent */
    HOST_REFUSE,
    HOST_LINUX,                 /* as the series for Linux; see host-linux.h */
    HOST_SILENT,                /* read the log, answer nothing */
};

/**
 * struct host_agent - one host
 * @conn: mailbox of its device
 * @policy: what it does with offers
 * @release: does it give back what it is asked for?
 * @told: called for every record and answer, may be NULL
 * @block: block size, for parts of extents
 * @groups: offers answered so far
 * @records: event records read so far
 * @last_rc: result of the last 4802h or 4803h
 * @has: what the host has after all that it has read and been answered
 * @linux_view: what Linux thinks that it has
 */
struct host_agent {
    struct cxl_conn *conn;
    enum host_policy policy;
    bool release;
    void (*told)(struct host_agent *agent, const struct cxl_dc_event *ev,
                 const char *answer);
    void *opaque;
    uint64_t block;
    unsigned groups, records;
    int last_rc;
    bool overflow;
    struct cxl_dc_event last;   /* newest record of any kind */
    struct cxl_extent group[HOST_GROUP_MAX];
    unsigned nr_group;
    struct host_list has;
    struct host_linux linux_view;
};

void host_agent_init(struct host_agent *agent, struct cxl_conn *conn,
                     enum host_policy policy);

/**
 * host_agent_restart() - what a driver does when it starts: forget all, and
 * read with 4801h what is there
 * Return: 0 or as host_get_extents()
 */
int host_agent_restart(struct host_agent *agent);

/**
 * host_agent_run() - handle all that the log holds now
 * Results of 4802h and 4803h are in @agent->last_rc.
 * Return: number of records handled, or a negative errno (-EREMOTEIO: the
 *         device refused to read or clear its log)
 */
int host_agent_run(struct host_agent *agent);

#endif /* GUEST_HOST_AGENT_H */
