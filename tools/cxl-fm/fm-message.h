/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests and answers as messages over MCTP (CXL r3.2 7.6.3), whatever
 * carries the message
 */
#ifndef FM_MESSAGE_H
#define FM_MESSAGE_H

#include "cxl-wire.h"

/* Header of a CCI message, without the MCTP type byte */
#define FM_MESSAGE_HEADER   12
#define FM_MESSAGE_MAX      (FM_MESSAGE_HEADER + CXL_WIRE_MAX)

/** fm_message_type() - MCTP message type for an opcode, 7 or 8. */
uint8_t fm_message_type(uint16_t opcode);

/**
 * fm_message_build() - write a request
 * @tag: the requester's choice, the answer has it too
 * @out: FM_MESSAGE_MAX bytes
 * Return: bytes used
 */
size_t fm_message_build(const struct cxl_req *req, uint8_t tag, uint8_t *out);

/**
 * fm_message_read() - read an answer to a request
 * @msg: @n bytes from outside, without the MCTP type byte
 * Return: 0; -EAGAIN for an answer to another request, which the caller
 * overlooks; -EPROTO for what is no answer
 */
int fm_message_read(const uint8_t *msg, size_t n, const struct cxl_req *req,
                    uint8_t tag, struct cxl_rsp *rsp);

/**
 * fm_message_notice() - take an Event Notification (CXL r3.2 8.2.10.2.8)
 * @msg: @n bytes from outside, without the MCTP type byte
 * @conditions: that it tells
 * @answer: FM_MESSAGE_HEADER bytes, the acknowledgement
 * Return: false for any other message
 */
bool fm_message_notice(const uint8_t *msg, size_t n, uint16_t *conditions,
                       uint8_t *answer);

#endif /* FM_MESSAGE_H */
