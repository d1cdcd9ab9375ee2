/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine with a switch and a memory device behind it, and the ways to both:
 * the switch's mailbox function, MCTP endpoints, tunnels.
 * Reference: CXL r3.2 7.6.3, 7.6.7.3.1.
 */
#ifndef TESTS_QTEST_MCTP_NET_H
#define TESTS_QTEST_MCTP_NET_H

#include "mctp-guest.h"

/* Ports: 1 a memory device, 2 nothing, 3 something else */
#define PORT_DEVICE 1
#define PORT_EMPTY 2
#define PORT_OTHER 3
#define PORT_NONE 9

/* The switch is us0, its ports ds1 to ds3, the device mem0 */
#define NET_MACHINE MCTP_MACHINE \
    "-device cxl-downstream,id=ds1,bus=us0,port=1,chassis=0,slot=4 " \
    "-device cxl-downstream,id=ds2,bus=us0,port=2,chassis=0,slot=5 " \
    "-device cxl-downstream,id=ds3,bus=us0,port=3,chassis=0,slot=6 " \
    "-device cxl-switch-mailbox-cci,id=sw0,bus=pcie.0,addr=06.0,target=us0 " \
    "-device i2c_mctp_cxl,bus=dw.0,address=0x20,target=us0 " \
    "-object memory-backend-ram,id=vmem,size=256M " \
    "-object memory-backend-ram,id=dcmem,size=512M " \
    "-device cxl-type3,id=mem0,bus=ds1,volatile-memdev=vmem," \
    "volatile-dc-memdev=dcmem,num-dc-regions=2,sn=0x99 " \
    "-device pci-testdev,bus=ds3 " \
    "-device i2c_mctp_cxl,bus=dw.0,address=0x22,target=mem0 "

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

typedef struct Net {
    DwI2c t;
    Mailbox m;
} Net;

void net_up(Net *n);
void net_down(Net *n);
/** net_add_test() - enter a test that gets such a machine of its own */
void net_add_test(const char *path, void (*run)(Net *n));
/** net_find_mailbox() - open the mailbox function again, as after a reset */
void net_find_mailbox(Net *n);

/** net_ask() - run a command at a CCI; clear the answer */
Answer net_ask(Net *n, NetCCI cci, uint16_t opcode, const void *in, size_t len);

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
Answer net_through(Net *n, Way way, uint16_t opcode, const void *in,
                   size_t len);

/** assert_same_answers() - in code, payload and background bit */
void assert_same_answers(const Answer *a, const Answer *b);

#endif
