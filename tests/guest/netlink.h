/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The little of rtnetlink(7) that an MCTP link needs
 */
#ifndef GUEST_NETLINK_H
#define GUEST_NETLINK_H

#include <stddef.h>
#include <stdint.h>

#include <linux/netlink.h>

/* Room for one request; the largest here has three small attributes */
#define NL_ROOM 256

/** struct nl_req - a request: header, a family's struct, attributes */
struct nl_req {
    struct nlmsghdr head;
    uint8_t body[NL_ROOM];
};

/** nl_start() - @fixed is the @size byte struct of the message @type. */
void nl_start(struct nl_req *req, uint16_t type, uint16_t flags,
              const void *fixed, size_t size);
/** nl_attr() - append an attribute; aborts when the request is full. */
void nl_attr(struct nl_req *req, uint16_t type, const void *data, size_t size);
/** nl_nest(), nl_end() - attributes between them are inside of one. */
size_t nl_nest(struct nl_req *req, uint16_t type);
void nl_end(struct nl_req *req, size_t nest);
/** nl_talk() - send, wait for the kernel's verdict. 0 or negative errno. */
int nl_talk(struct nl_req *req);

#endif /* GUEST_NETLINK_H */
