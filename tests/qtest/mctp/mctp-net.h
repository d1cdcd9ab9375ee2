/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine with a switch and a memory device behind it, and the ways to both:
 * the switch's mailbox function, MCTP endpoints, tunnels.
 * Reference: CXL r3.2 7.6.3, 7.6.7.3.1.
 */
#ifndef TESTS_QTEST_MCTP_NET_H
#define TESTS_QTEST_MCTP_NET_H

#include "mctp-line.h"

/* Ports: 1 a memory device, 2 nothing, 3 something else */
#define PORT_DEVICE 1
#define PORT_EMPTY 2
#define PORT_OTHER 3
#define PORT_NONE 9

/* The switch is us0, its ports ds1 to ds3, the device mem0 */
extern const LineSetup net_setup;

#define RC_BG_STARTED 0x01
#define RC_INVALID 0x02
#define RC_UNSUPPORTED 0x03
#define RC_INTERNAL 0x04
#define RC_BUSY 0x06
#define RC_LENGTH 0x16

typedef enum NetCCI {
    NET_CCI_SWITCH_PCI,
    NET_CCI_SWITCH_MCTP,
    NET_CCI_DEVICE_MCTP,
} NetCCI;

extern const char *const door_name[];

/** net_ask() - run a command at a CCI; clear the answer */
Answer net_ask(LineTest *n, NetCCI cci, uint16_t opcode, const void *in,
               size_t len);

/**
 * struct Way - through tunnels
 * @port: of the switch; does not count at the device's own CCI
 * @ld: 0 or more to go on to that logical device
 */
typedef struct Way {
    NetCCI cci;
    int port;
    int ld;
} Way;

/* From both CCIs of the switch; to the LD from the device's CCI first */
extern const Way to_device[2];
extern const Way to_ld[3];

/**
 * net_through() - run a command at the end of tunnels; clear the answer
 *
 * Checks every byte that encloses the answer.
 */
Answer net_through(LineTest *n, Way way, uint16_t opcode, const void *in,
                   size_t len);

/** assert_same_answers() - in code, payload and background bit */
void assert_same_answers(const Answer *a, const Answer *b);

#endif
