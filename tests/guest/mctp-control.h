/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MCTP control messages as a bus owner sends them (DSP0236)
 */
#ifndef GUEST_MCTP_CONTROL_H
#define GUEST_MCTP_CONTROL_H

#include <stddef.h>
#include <stdint.h>

/* Completion codes */
#define MCTP_CC_SUCCESS         0
#define MCTP_CC_INVALID_DATA    2
#define MCTP_CC_UNSUPPORTED     5

/* A control message fits one packet of the baseline size */
#define MCTP_CTRL_MAX           64

/**
 * struct mctp_addr_to - whom to ask
 * @eid: routed by endpoint ID, or 0: the one at @i2c behind @ifindex; on a
 *       serial line @i2c is 0
 */
struct mctp_addr_to {
    unsigned ifindex;
    uint8_t i2c, eid;
};

/**
 * mctp_control() - one request and its answer
 * @command: e.g. 0x01 Set Endpoint ID
 * @data, @size: request data
 * @answer: MCTP_CTRL_MAX bytes; what follows the completion code
 * Return: length of @answer; negative errno; or the negative of
 *         MCTP_CC_BASE + completion code
 */
int mctp_control(const struct mctp_addr_to *to, uint8_t command,
                 const void *data, size_t size, uint8_t *answer);

/* Above every errno */
#define MCTP_CC_BASE            1000

#endif /* GUEST_MCTP_CONTROL_H */
