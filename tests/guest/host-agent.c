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
        agent->linux_view.base = regions.region[0].base;
        agent->linux_view.len = regions.region[0].len;
    }
    host_agent_restart(agent);
}

int host_agent_restart(struct host_agent *agent)
{
    static struct cxl_extent_page page;
    uint32_t start = 0;
    int ret;

    agent->nr_group = 0;
    agent->has.n = 0;
    do {
        ret = host_get_extents(agent->conn, CXL_PAGE_MAX, start, &page);
        for (uint32_t i = 0; !ret && i < page.n; i++) {
            host_list_add(&agent->has, &page.ext[i]);
        }
        start += page.n;
    } while (!ret && page.n && start < page.total);
    agent->linux_view.has = agent->has;
    return ret;
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

/* The group's extent that a range is in; NULL if there is none */
static const struct cxl_extent *offered(const struct host_agent *agent,
                                        const struct cxl_range *range)
{
    for (unsigned i = 0; i < agent->nr_group; i++) {
        const struct cxl_extent *ext = &agent->group[i];

        if (range->dpa >= ext->dpa && range->dpa - ext->dpa < ext->len) {
            return ext;
        }
    }
    return NULL;
}

static void accepted(struct host_agent *agent, const struct cxl_range *ranges,
                     unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        const struct cxl_extent *from = offered(agent, &ranges[i]);

        if (from) {
            struct cxl_extent ext = *from;

            ext.dpa = ranges[i].dpa;
            ext.len = ranges[i].len;
            host_list_add(&agent->has, &ext);
            host_list_add(&agent->linux_view.has, &ext);
        }
    }
}

static void give_back(struct host_agent *agent, const struct cxl_range *range)
{
    agent->last_rc = host_release(agent->conn, range, 1);
    if (!agent->last_rc) {
        host_list_cut(&agent->has, range);
    }
}

static void answer_group(struct host_agent *agent,
                         const struct cxl_dc_event *ev)
{
    static const char *const words[] = {
        "accepts all", "accepts a part", "refuses", "answers as Linux",
        "stays silent"
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
    case HOST_LINUX:
        n = host_linux_choose(&agent->linux_view, agent->group,
                              agent->nr_group, ranges);
        break;
    default:
        break;
    }
    agent->groups++;
    if (agent->policy != HOST_SILENT) {
        agent->last_rc = host_respond(agent->conn, ranges, n);
        if (!agent->last_rc) {
            accepted(agent, ranges, n);
        }
    }
    agent->nr_group = 0;
    tell(agent, ev, words[agent->policy]);
}

static void take_offer(struct host_agent *agent, const struct cxl_dc_event *ev)
{
    if (agent->policy == HOST_LINUX) {
        host_linux_collect(agent->group, &agent->nr_group, &ev->extent);
    } else if (agent->nr_group < HOST_GROUP_MAX) {
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
    struct cxl_range ranges[HOST_GROUP_MAX];
    unsigned n;

    agent->records++;
    agent->last = *ev;
    switch (ev->type) {
    case CXL_EV_ADD:
        take_offer(agent, ev);
        break;
    case CXL_EV_RELEASE:
        if (agent->release && agent->policy == HOST_LINUX) {
            n = host_linux_release(&agent->linux_view, &range, ranges);
            for (unsigned i = 0; i < n; i++) {
                give_back(agent, &ranges[i]);
            }
        } else if (agent->release) {
            give_back(agent, &range);
            host_list_cut(&agent->linux_view.has, &range);
        }
        tell(agent, ev, agent->release ? "gives it back" : "keeps it");
        break;
    case CXL_EV_FORCED_RELEASE:
        host_list_cut(&agent->has, &range);
        /* fall through */
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
