/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bus owner on a bad road: requests and answers lose packets, get them
 * twice or damaged, and the bus owner is at times deaf. What becomes of each
 * exchange is worked out apart from the MCTP library and held against what
 * the endpoint does. Reference: DMTF DSP0236 8; DSP0237; CXL r3.2 7.6.3.
 */
#ifndef TESTS_QTEST_MCTP_ROAD_H
#define TESTS_QTEST_MCTP_ROAD_H

#include "mctp-guest.h"

/**
 * enum RoadFault - what the road does to a packet, or to an exchange
 */
typedef enum RoadFault {
    /** @ROAD_FINE: nothing */
    ROAD_FINE = 0,
    /** @ROAD_DROPPED: the packet is gone */
    ROAD_DROPPED,
    /** @ROAD_DOUBLED: the packet comes twice */
    ROAD_DOUBLED,
    /** @ROAD_DAMAGED: one of the frame's bytes is another */
    ROAD_DAMAGED,
    /** @ROAD_DEAF: the bus owner NACKs the answer for a while */
    ROAD_DEAF,
    /** @ROAD_STALLED: it does so until the endpoint gives up */
    ROAD_STALLED,
    /** @ROAD__COUNT: number of verdicts */
    ROAD__COUNT,
} RoadFault;

/**
 * struct Road - one endpoint and the way to it
 */
typedef struct Road {
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
    unsigned faults[2][ROAD__COUNT];
} Road;

/**
 * struct RoadAnswer - what a command came to
 */
typedef struct RoadAnswer {
    /** @payload: response payload, %NULL after a timeout; owned */
    GByteArray *payload;
    /** @ret_code: return code, NO_ANSWER after a timeout */
    uint16_t ret_code;
    /**
     * @shortened: the request lost packets in a way that sequence numbers,
     * of two bits, do not show
     */
    bool shortened;
} RoadAnswer;

/**
 * road_command() - run a CCI command on @road, type by opcode
 *
 * Asserts that an answer comes if, and only if, enough of the request and of
 * the answer got through, that it is the one to this request, and that there
 * is silence after it or after the timeout.
 */
RoadAnswer road_command(Road *road, uint16_t opcode, const void *in,
                        size_t len);

/** road_answer_clear() - free what an answer holds */
void road_answer_clear(RoadAnswer *a);

/**
 * road_frame() - the next frame, address byte first, or %NULL if it is quiet
 */
GByteArray *road_frame(Road *road);

/** road_write() - write a frame, its address byte first; ends target mode */
void road_write(Road *road, const uint8_t *frame, size_t len);

/** road_deaf() - NACK what is written to us until road_listen() */
void road_deaf(Road *road);
void road_listen(Road *road);

#endif
