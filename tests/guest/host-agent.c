/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host of a dynamic capacity device (CXL r3.2 9.13.3.3, 8.2.10.9.9)
 *
 * An offer is a group of records that ends with the one whose More flag is
 * clear; it gets exactly one answer.  A release request gets the capacity back
 * record by record.  A forced release needs no answer.
 */
#include <errno.h>
#include <stdio.h>

#include "host-agent.h"

void host_agent_init(struct host_agent *agent, struct cxl_conn *conn,
                     enum host_policy policy)
{
    struct host_regions regions;

    memset(agent, 0, sizeof(*agent));
    agent->conn = conn;
    agent->policy = policy;
    agent->release = true;
    if (!host_get_regions(conn, 1, 0, &regions) && regions.n) {
        agent->block = regions.region[0].block;
    }
}

static void tell(struct host_agent *agent, const struct cxl_dc_event *ev,
                 const char *answer)
{
    if (agent->told) {
        agent->told(agent, ev, answer);
    }
}

/* Half an extent, but whole blocks and at least one */
static uint64_t half(const struct host_agent *agent, uint64_t len)
{
    uint64_t part = len / 2;

    if (agent->block) {
        part -= part % agent->block;
    }
    return part ? part : len;
}

static void answer_group(struct host_agent *agent,
                         const struct cxl_dc_event *ev)
{
    static const char *const words[] = {
        "accepts all", "accepts a part", "refuses", "stays silent"
    };
    struct cxl_range ranges[HOST_GROUP_MAX];
    unsigned n = 0;

    switch (agent->policy) {
    case HOST_ACCEPT_ALL:
        for (n = 0; n < agent->nr_group; n++) {
            ranges[n].dpa = agent->group[n].dpa;
            ranges[n].len = agent->group[n].len;
        }
        break;
    case HOST_ACCEPT_PART:
        ranges[0].dpa = agent->group[0].dpa;
        ranges[0].len = half(agent, agent->group[0].len);
        n = 1;
        break;
    default:
        break;
    }
    agent->groups++;
    agent->nr_group = 0;
    if (agent->policy != HOST_SILENT) {
        agent->last_rc = host_respond(agent->conn, ranges, n);
    }
    tell(agent, ev, words[agent->policy]);
}

static void take_offer(struct host_agent *agent, const struct cxl_dc_event *ev)
{
    if (agent->nr_group < HOST_GROUP_MAX) {
        agent->group[agent->nr_group++] = ev->extent;
    }
    if (ev->more) {
        tell(agent, ev, NULL);
    } else {
        answer_group(agent, ev);
    }
}

static void take(struct host_agent *agent, const struct cxl_dc_event *ev)
{
    struct cxl_range range = { ev->extent.dpa, ev->extent.len };

    agent->records++;
    agent->last = *ev;
    switch (ev->type) {
    case CXL_EV_ADD:
        take_offer(agent, ev);
        break;
    case CXL_EV_RELEASE:
        if (agent->release) {
            agent->last_rc = host_release(agent->conn, &range, 1);
        }
        tell(agent, ev, agent->release ? "gives it back" : "keeps it");
        break;
    default:
        tell(agent, ev, NULL);
        break;
    }
}

int host_agent_run(struct host_agent *agent)
{
    struct cxl_dc_events events;
    int ret, total = 0;

    for (;;) {
        ret = fm_read_dc_events(agent->conn, &events);
        if (ret) {
            return ret < 0 ? ret : -EREMOTEIO;
        }
        agent->overflow |= events.overflow;
        if (!events.n) {
            return total;
        }
        /* Clear first: an answer may put new records into the log */
        ret = fm_clear_dc_events(agent->conn, &events, events.n);
        if (ret) {
            return ret < 0 ? ret : -EREMOTEIO;
        }
        for (unsigned i = 0; i < events.n; i++) {
            take(agent, &events.ev[i]);
        }
        total += events.n;
    }
}
