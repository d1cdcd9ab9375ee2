/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A CCI behind an MCTP endpoint at the other end of a byte stream (DSP0253)
 */
#ifndef FM_SERIAL_H
#define FM_SERIAL_H

#include "cxl-conn.h"

/**
 * cxl_conn_open_serial() - speak serial frames on a stream
 * @fd: socket or raw terminal, better non-blocking; closed with the connection
 * @name: for messages
 * @timeout_ms: for one command, from its first byte to the answer's last
 * Return: owned by the caller, never NULL. The payload limits are those of
 * this program; the component's have to be asked for.
 */
struct cxl_conn *cxl_conn_open_serial(int fd, const char *name,
                                      unsigned timeout_ms);

#endif /* FM_SERIAL_H */
