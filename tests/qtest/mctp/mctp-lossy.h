/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bus owner on a bad link: requests and answers lose packets, get them
 * twice or damaged, and the bus owner is at times deaf. What becomes of each
 * exchange is worked out apart from the MCTP library and held against what
 * the endpoint does. Reference: DMTF DSP0236 8; DSP0237; CXL r3.2 7.6.3.
 */
#ifndef TESTS_QTEST_MCTP_LOSSY_H
#define TESTS_QTEST_MCTP_LOSSY_H

#include "mctp-line.h"

/**
 * enum LossyFault - what the link does to a packet, or to an exchange
 */
typedef enum LossyFault {
    /** @LOSSY_FINE: nothing */
    LOSSY_FINE = 0,
    /** @LOSSY_DROPPED: the packet is gone */
    LOSSY_DROPPED,
    /** @LOSSY_DOUBLED: the packet comes twice */
    LOSSY_DOUBLED,
    /** @LOSSY_DAMAGED: one of the frame's bytes is another */
    LOSSY_DAMAGED,
    /** @LOSSY_DEAF: the bus owner NACKs the answer for a while */
    LOSSY_DEAF,
    /** @LOSSY_STALLED: it does so until the endpoint gives up */
    LOSSY_STALLED,
    /** @LOSSY__COUNT: number of verdicts */
    LOSSY__COUNT,
} LossyFault;

/**
 * struct LossyLink - one endpoint and the way to it
 */
typedef struct LossyLink {
    /** @t: the controller, in target mode between exchanges */
    DwI2c *t;
    /** @rand: decides about each packet */
    GRand *rand;
    /** @one_in: a packet in so many is hit; 0 for none */
    unsigned one_in;
    /** @address: of the endpoint on the bus */
    uint8_t address;
    /** @eid: of the endpoint */
    uint8_t eid;
    /** @aimed: the controller knows @address */
    bool aimed;
    /** @serial: exchanges so far; tags are made from it */
    unsigned serial;
    /** @timeouts: exchanges without an answer */
    unsigned timeouts;
    /** @faults: what was done, to requests [0] and answers [1] */
    unsigned faults[2][LOSSY__COUNT];
} LossyLink;

/**
 * lossy_command() - run a CCI command on @link, type by opcode
 * @shortened: set if the request lost packets in a way that sequence numbers,
 * of two bits, do not show
 *
 * Asserts that an answer comes if, and only if, enough of the request and of
 * the answer got through, that it is the one to this request, and that there
 * is silence after it or after the timeout. NO_ANSWER after a timeout.
 */
Answer lossy_command(LossyLink *link, uint16_t opcode, const void *in,
                     size_t len, bool *shortened);

/**
 * lossy_frame() - the next frame, address byte first, or %NULL if it is quiet
 */
GByteArray *lossy_frame(LossyLink *link);

/** lossy_write() - write a frame, its address byte first; ends target mode */
void lossy_write(LossyLink *link, const uint8_t *frame, size_t len);

/** lossy_deaf() - NACK what is written to us until lossy_listen() */
void lossy_deaf(LossyLink *link);
void lossy_listen(LossyLink *link);

#endif
