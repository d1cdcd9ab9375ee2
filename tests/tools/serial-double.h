/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A component behind an MCTP endpoint on a socket pair, for the unit tests of
 * cxl-fm: QEMU's endpoint library answers, in a thread of its own
 */
#ifndef SERIAL_DOUBLE_H
#define SERIAL_DOUBLE_H

#include "cxl-conn.h"

/** enum double_fault - what the component does wrong, or unusually */
enum double_fault {
    DOUBLE_FINE,
    DOUBLE_SILENT,              /* no answer */
    DOUBLE_CLOSES,              /* no answer, and the stream ends */
    DOUBLE_CLOSES_EARLY,        /* it ends in the middle of the answer */
    DOUBLE_DAMAGES,             /* a bit of the frame is flipped */
    DOUBLE_DRIPS,               /* one byte at a time */
    DOUBLE_NOISE_FIRST,         /* bytes of no frame before the answer */
    DOUBLE_NOTIFIES_FIRST,      /* a request of its own before the answer */
    DOUBLE_STALE_FIRST,         /* an answer with another CCI tag before */
    DOUBLE_OTHER_OPCODE,
    DOUBLE_LONG_LENGTH,         /* header claims more than there is */
    DOUBLE_SHORT_LENGTH,
    DOUBLE_NO_HEADER,           /* a message shorter than its header */
    DOUBLE_IS_REQUEST,          /* category of a request */
    DOUBLE__COUNT,
};

struct serial_double;

/** double_start() - a component that echoes what it gets, code @rc. */
struct serial_double *double_start(enum double_fault fault, uint16_t rc);
/** double_connect() - the program's connection to it; the caller's. */
struct cxl_conn *double_connect(struct serial_double *d, unsigned timeout_ms);
/** double_stop() - after the connection was closed. */
void double_stop(struct serial_double *d);

#endif /* SERIAL_DOUBLE_H */
