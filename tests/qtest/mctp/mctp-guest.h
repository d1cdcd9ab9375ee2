/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest's MCTP stack on the DesignWare I2C controller, and a guest's PCI
 * mailbox driver: two ways to ask a CXL component the same thing.
 * Reference: DMTF DSP0236, DSP0237; CXL r3.2 7.6.3, 8.2.8.4.
 */
#ifndef TESTS_QTEST_MCTP_GUEST_H
#define TESTS_QTEST_MCTP_GUEST_H

#include "tests/qtest/i2c/dw-i2c-util.h"

/* The guest: its I2C address is OWN of dw-i2c-util.h */
#define GUEST_EID 8
/* No answer is awaited longer than FM software does */
#define ANSWER_NS 2000000000LL

/* q35 with the controller (id dw), a root port and a switch's upstream port */
#define MCTP_MACHINE \
    "-M q35,cxl=on -nodefaults -display none -m 256M " \
    "-device dw-i2c-pci,id=dw,bus=pcie.0,addr=05.0 " \
    "-device pxb-cxl,id=hb0,bus=pcie.0,bus_nr=52 " \
    "-device cxl-rp,id=rp0,bus=hb0,port=0,chassis=0,slot=0 " \
    "-device cxl-upstream,id=us0,bus=rp0,addr=0.0,sn=0x1122334455667788 "

/* Return code of an answer that never came */
#define NO_ANSWER 0xffff

/**
 * struct Answer - what a CCI command came to
 */
typedef struct Answer {
    /** @ret_code: return code, or NO_ANSWER */
    uint16_t ret_code;
    /** @background: the background operation bit of the message */
    bool background;
    /** @payload: response payload; the test frees it */
    GByteArray *payload;
} Answer;

/** answer_clear() - free what an answer holds */
void answer_clear(Answer *a);
/** answer_is() - asserts code, and no payload but with success; frees it */
void answer_is(Answer a, uint16_t rc);
/** answer_has() - asserts success and so many bytes; frees it */
void answer_has(Answer a, size_t len);
/** answer_bytes() - the payload of a command that succeeded */
GByteArray *answer_bytes(Answer a);
/** assert_answer() - asserts code and payload, and frees the answer */
void assert_answer(Answer a, uint16_t rc, const void *payload, size_t len);
/** assert_equal_answers() - in code and payload */
void assert_equal_answers(const Answer *a, const Answer *b);

/**
 * mctp_listen() - the driver is bound: target mode at OWN
 *
 * From here on the endpoint's writes are taken.
 */
void mctp_listen(DwI2c *t);

/** mctp_send_packet() - frame and write a packet; asserts that it is ACKed */
void mctp_send_packet(DwI2c *t, uint8_t address, const void *packet,
                      size_t len);

/**
 * mctp_receive_frame() - wait for a write to us, at most @ns
 *
 * Returns the frame with the address byte that is not on the wire side of the
 * controller in front, or %NULL.
 */
GByteArray *mctp_receive_frame(DwI2c *t, int64_t ns);

/** mctp_assign() - line_assign() for who has no line */
void mctp_assign(DwI2c *t, uint8_t address, uint8_t eid);

/** mctp_command() - line_try_command() for who has no line */
Answer mctp_command(DwI2c *t, uint8_t address, uint8_t eid, uint16_t opcode,
                    const void *in, size_t len);

/** mctp_is_gone() - asserts that there is no device @id (any more) */
void mctp_is_gone(QTestState *qts, const char *id);
/**
 * mctp_open_port() - have a root port, bus << 8 | devfn, lead to @secondary
 *
 * All of where BARs are placed is behind it.
 */
void mctp_open_port(QPCIBus *pci, int bdf, uint8_t secondary);
/** mctp_find_behind_port() - the same, and the I2C controller is there */
void mctp_find_behind_port(DwI2c *t, int bdf, uint8_t secondary);
/** mctp_unplug() - unplug the device @id from slot 0 of root port @port */
void mctp_unplug(DwI2c *t, const char *port, const char *id);

/**
 * struct Mailbox - a PCI function with a mailbox
 */
typedef struct Mailbox {
    QPCIDevice *dev;
    QPCIBar bar;
} Mailbox;

/** mailbox_open() - find a function on bus 0 and map its registers */
Mailbox mailbox_open(DwI2c *t, int devfn, int bar);
void mailbox_close(Mailbox *m);
/** mailbox_command() - run a CCI command through the doorbell */
Answer mailbox_command(Mailbox *m, uint16_t opcode, const void *in,
                       size_t len);

#endif
