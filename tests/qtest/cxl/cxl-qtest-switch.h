/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A CXL switch below root port rp0: mailbox function, two downstream ports, a
 * memory device below the first
 */
#ifndef TESTS_CXL_QTEST_SWITCH_H
#define TESTS_CXL_QTEST_SWITCH_H

#include "cxl-qtest.h"
#include "hw/pci/pci_regs.h"

/* Numbers of the ports, all different */
#define SWITCH_USP_PORT     7
#define SWITCH_DSP_PORT(n)  (3 + (n))

#define SWITCH_PORTS \
    "-device cxl-upstream,id=us0,bus=rp0,port=7,addr=0.0,multifunction=on," \
    "sn=0x1122334455667788 " \
    "-device cxl-downstream,id=ds0,bus=us0,port=3,chassis=0,slot=4,addr=0.0 " \
    "-device cxl-downstream,id=ds1,bus=us0,port=4,chassis=0,slot=5,addr=1.0 "
#define SWITCH_MAILBOX \
    "-device cxl-switch-mailbox-cci,id=sw0,bus=rp0,addr=0.1,target=us0 "
#define SWITCH_DEVICE \
    "-object memory-backend-ram,id=vm0,size=256M " \
    "-device cxl-type3,bus=ds0,id=cxl-mem0,volatile-memdev=vm0 "

/**
 * struct CxlSwitch - the switch as a guest and a Fabric Manager see it
 * @mailbox: its function; bar[2] is the register block, so cxl_cmd() works
 * @usp, @dsp: the ports; only configuration space
 * @below: what may be below each downstream port; only configuration space
 */
typedef struct CxlSwitch {
    QTestState *qts;
    CxlDev mailbox;
    CxlDev usp;
    CxlDev dsp[2];
    CxlDev below[2];
} CxlSwitch;

/** switch_probe() - enumerate it */
void switch_probe(QTestState *qts, CxlSwitch *sw);
/** switch_start() - machine with the switch and @more devices */
void switch_start(CxlSwitch *sw, const char *more);
/** switch_add_test() - enter a test that gets such a machine of its own */
void switch_add_test(const char *path, void (*run)(CxlSwitch *sw),
                     const char *more);

/* Registers of the slot of downstream port @n */
uint16_t slot_control(CxlSwitch *sw, unsigned n);
uint16_t slot_status(CxlSwitch *sw, unsigned n);
uint16_t link_status(CxlSwitch *sw, unsigned n);
void slot_set_control(CxlSwitch *sw, unsigned n, uint16_t v);
/** slot_clear_status() - as a guest acknowledges all events */
void slot_clear_status(CxlSwitch *sw, unsigned n);

/** switch_refused() - @op gives @rc and nothing, and the switch lives on */
void switch_refused(CxlSwitch *sw, uint16_t op, const CxlReq *req,
                    uint16_t rc);
/** switch_port() - block of port @id as 5101h gives it */
void switch_port(CxlSwitch *sw, uint8_t id, uint8_t block[16]);
/** switch_control() - 5102h */
uint16_t switch_control(CxlSwitch *sw, uint8_t port, uint8_t op);

/* What switch_slot_request() sets in Slot Control */
#define SWITCH_SLOT_EVENTS  (PCI_EXP_SLTCTL_HPIE | PCI_EXP_SLTCTL_CCIE)

/**
 * switch_aim() - have the interrupt message of port ds0 switch off a slot
 * @port: the root port whose slot that is
 */
void switch_aim(CxlSwitch *sw, CxlDev *port);
/** switch_slot_request() - payload of a 5103h that makes ds0 send it */
void switch_slot_request(CxlSwitch *sw, uint8_t req[8]);

#endif
