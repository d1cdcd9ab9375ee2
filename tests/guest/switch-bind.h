/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A Fabric Manager takes a device from this host and gives it back
 */
#ifndef GUEST_SWITCH_BIND_H
#define GUEST_SWITCH_BIND_H

#include "cxl-conn.h"

/**
 * switch_bind_test() - unbind and bind, asked and by surprise, seen by Linux
 * @fm: the switch
 * @device: the memory device's own endpoint
 * @vppb, @port: where the device is plugged
 * @serial: by which Linux knows it
 */
void switch_bind_test(struct cxl_conn *fm, struct cxl_conn *device,
                      uint8_t vppb, uint8_t port, uint64_t serial);

#endif /* GUEST_SWITCH_BIND_H */
