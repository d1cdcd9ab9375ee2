/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A peer at the other end of an mctp-serial-cxl's line, a unix socket: what
 * an FM program does, and what a broken one does.
 * Reference: DMTF DSP0236, DSP0253; CXL r3.2 7.6.3.
 */
#ifndef TESTS_QTEST_MCTP_LINE_H
#define TESTS_QTEST_MCTP_LINE_H

#include "mctp-guest.h"
#include "hw/mctp/mctp_packet.h"
#include "hw/mctp/mctp_serial_frame.h"

/* EID of the peer, and those of the endpoints that lines_args() makes */
#define PEER_EID        8
#define LINE_EID(n)     (9 + (n))
/* Type byte and CCI message header */
#define CCI_OVERHEAD    13

/**
 * struct Line - one connection
 */
typedef struct Line {
    /** @fd: the socket, nonblocking */
    int fd;
    /** @eid: of the endpoint */
    uint8_t eid;
    /** @serial: exchanges so far; tags are made from it */
    unsigned serial;
    /** @rx: bytes read and not parsed */
    uint8_t rx[4096];
    size_t rx_pos;
    size_t rx_len;
    /** @parser: of what the endpoint sends */
    MCTPSerialParser parser;
} Line;

/** line_path() - where the socket of line @n is; owned by this file */
const char *line_path(unsigned n);
/** line_cleanup() - remove the sockets and their directory */
void line_cleanup(void);
/**
 * line_args() - command line of chardev chr@n and link link@n to @target
 *
 * A static EID, so that a test needs no control message.
 */
char *line_args(unsigned n, const char *target);

/** line_open() - connect to line @n; QEMU may still be busy with another */
Line *line_open(unsigned n);
/** line_close() - cut the line */
void line_close(Line *l);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Line, line_close)

/** line_write() - write all of it; fails after a minute of standstill */
void line_write(Line *l, const void *data, size_t len);
/** line_try_write() - write what is taken at once; -1 if the line is cut */
ssize_t line_try_write(Line *l, const void *data, size_t len);
/** line_bytes() - read exactly @len raw bytes */
void line_bytes(Line *l, void *data, size_t len);
/** line_packet() - the next packet; every frame must be sound */
GByteArray *line_packet(Line *l);

/** line_frame() - frame a packet */
GByteArray *line_frame(const void *packet, size_t len);
/** line_send_packet() - frame and write a packet */
void line_send_packet(Line *l, const void *packet, size_t len);
/** line_cci() - packets of a CCI request as one piece of frames */
GByteArray *line_cci(uint8_t dest, uint8_t src, uint8_t tag, uint8_t cci_tag,
                     uint16_t opcode, const void *in, size_t len);
/** line_message() - the next message; all of it must come in order */
GByteArray *line_message(Line *l, MCTPHeader *hdr);
/** line_answer() - take a CCI answer apart; asserts that it is one */
Answer line_answer(const GByteArray *body, uint8_t cci_tag, uint16_t opcode);
/** line_command() - run a CCI command, type by opcode */
Answer line_command(Line *l, uint16_t opcode, const void *in, size_t len);
/**
 * line_quiet() - nothing is on its way to us
 *
 * Not by waiting: answers come in order, so the next must be the one to what
 * is asked here.
 */
void line_quiet(Line *l);
/** line_resync() - the same, but skip what still comes before it */
void line_resync(Line *l);

#endif
