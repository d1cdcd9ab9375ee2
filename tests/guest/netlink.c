/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The little of rtnetlink(7) that an MCTP link needs
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netlink.h"

static void *append(struct nl_req *req, size_t size)
{
    size_t at = NLMSG_ALIGN(req->head.nlmsg_len);

    if (at + size > sizeof(*req)) {
        abort();
    }
    req->head.nlmsg_len = at + size;
    return (uint8_t *)req + at;
}

void nl_start(struct nl_req *req, uint16_t type, uint16_t flags,
              const void *fixed, size_t size)
{
    memset(req, 0, sizeof(*req));
    req->head.nlmsg_len = NLMSG_HDRLEN;
    req->head.nlmsg_type = type;
    req->head.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
    memcpy(append(req, size), fixed, size);
}

void nl_attr(struct nl_req *req, uint16_t type, const void *data, size_t size)
{
    struct nlattr head = { .nla_len = NLA_HDRLEN + size, .nla_type = type };
    uint8_t *at = append(req, NLA_HDRLEN + size);

    memcpy(at, &head, sizeof(head));
    if (size) {
        memcpy(at + NLA_HDRLEN, data, size);
    }
}

size_t nl_nest(struct nl_req *req, uint16_t type)
{
    size_t at = NLMSG_ALIGN(req->head.nlmsg_len);

    nl_attr(req, type | NLA_F_NESTED, NULL, 0);
    return at;
}

void nl_end(struct nl_req *req, size_t nest)
{
    uint16_t len = req->head.nlmsg_len - nest;

    memcpy((uint8_t *)req + nest, &len, sizeof(len));
}

int nl_talk(struct nl_req *req)
{
    struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
    struct {
        struct nlmsghdr head;
        struct nlmsgerr verdict;
        uint8_t rest[4096];
    } answer;
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    ssize_t n;

    if (fd < 0) {
        return -errno;
    }
    n = sendto(fd, req, req->head.nlmsg_len, 0, (struct sockaddr *)&kernel,
               sizeof(kernel));
    if (n >= 0) {
        n = recv(fd, &answer, sizeof(answer), 0);
    }
    if (n < 0) {
        n = -errno;
    } else if ((size_t)n < NLMSG_LENGTH(sizeof(answer.verdict)) ||
               answer.head.nlmsg_type != NLMSG_ERROR) {
        n = -EPROTO;
    } else {
        n = answer.verdict.error;
    }
    close(fd);
    return n;
}
