/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Migration of MCTP state. Reference: none, this is QEMU's own format.
 *
 * A stream is hostile input: whatever it holds is bounded while it is read
 * and checked before it is used, and a bad one fails to load.
 */
#ifndef HW_MCTP_VMSTATE_H
#define HW_MCTP_VMSTATE_H

#include "migration/vmstate.h"
#include "hw/mctp/mctp_endpoint.h"
#include "hw/mctp/mctp_serial_frame.h"

/**
 * vmstate_mctp_endpoint - an endpoint made with the same configuration
 *
 * EID, messages under way in both directions and unanswered requests. Use
 * with VMSTATE_STRUCT_POINTER(); the owner kicks transmission after loading.
 */
extern const VMStateDescription vmstate_mctp_endpoint;

/** vmstate_mctp_serial_parser - &struct MCTPSerialParser, embedded */
extern const VMStateDescription vmstate_mctp_serial_parser;

/** vmstate_mctp_request - &struct MCTPRequest that a handler still holds */
extern const VMStateDescription vmstate_mctp_request;

/** vmstate_info_mctp_body - a message, or %NULL; bounded when it is loaded */
extern const VMStateInfo vmstate_info_mctp_body;

#define VMSTATE_MCTP_BODY(_f, _s) \
    VMSTATE_SINGLE(_f, _s, 0, vmstate_info_mctp_body, GByteArray *)

#endif
