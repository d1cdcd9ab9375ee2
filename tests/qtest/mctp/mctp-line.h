/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A peer at the other end of a line: what an FM program does, and what a
 * broken one does. The line is that of an mctp-serial-cxl, a unix socket, or
 * of another kind that carries packets in order, see LineKind.
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
/* Of those on I2C */
#define LINE_ADDRESS(n) (0x20 + (n))
/* Type byte and CCI message header */
#define CCI_OVERHEAD    13

typedef struct Line Line;

/**
 * struct LineKind - a binding of MCTP that connects two ends
 */
typedef struct LineKind {
    /** @name: in names of tests */
    const char *name;
    /** @machine: what the lines of a machine need once, on its command line */
    const char *machine;
    /** @args: command line of link@n to @target, with the EID LINE_EID(@n) */
    char *(*args)(unsigned n, const char *target);
    /** @start: prepare a machine that was started or reset; may be %NULL */
    void (*start)(DwI2c *t);
    /** @stop: before the machine ends; may be %NULL */
    void (*stop)(void);
    /**
     * @moved: the machine goes on in another QEMU, and its lines too;
     * %NULL: lines end with a QEMU
     */
    void (*moved)(DwI2c *t);
    Line *(*open)(unsigned n);
    void (*close)(Line *l);
    /** @send: all of them, of GByteArray */
    void (*send)(Line *l, const GPtrArray *packets);
    /** @packet: the next packet, or %NULL where one can wait in vain */
    GByteArray *(*packet)(Line *l);
} LineKind;

extern const LineKind line_serial;
/* In mctp-guest.c */
extern const LineKind line_i2c;

/**
 * struct Line - one connection
 */
struct Line {
    const LineKind *kind;
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
};

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

/* Bytes of a serial line */

/** line_write() - write all of it; fails after a minute of standstill */
void line_write(Line *l, const void *data, size_t len);
/** line_try_write() - write what is taken at once; -1 if the line is cut */
ssize_t line_try_write(Line *l, const void *data, size_t len);
/** line_bytes() - read exactly @len raw bytes */
void line_bytes(Line *l, void *data, size_t len);
/** line_frame() - frame a packet */
GByteArray *line_frame(const void *packet, size_t len);
/** line_cci() - packets of a CCI request as one piece of frames */
GByteArray *line_cci(uint8_t dest, uint8_t src, uint8_t tag, uint8_t cci_tag,
                     uint16_t opcode, const void *in, size_t len);

/* From here on, lines of any kind */

/** line_packet() - the next packet; every frame must be sound */
GByteArray *line_packet(Line *l);
/** line_send_packet() - frame and write a packet */
void line_send_packet(Line *l, const void *packet, size_t len);
/** line_packets() - packets of a CCI request from @src, of GByteArray */
GPtrArray *line_packets(uint8_t dest, uint8_t src, uint8_t tag,
                        uint8_t cci_tag, uint16_t opcode, const void *in,
                        size_t len);
/** line_request() - send a CCI request from @src */
void line_request(Line *l, uint8_t src, uint8_t tag, uint8_t cci_tag,
                  uint16_t opcode, const void *in, size_t len);
/** line_message() - the next message; all of it must come in order */
GByteArray *line_message(Line *l, MCTPHeader *hdr);
/** line_answer() - take a CCI answer apart; asserts that it is one */
Answer line_answer(const GByteArray *body, uint8_t cci_tag, uint16_t opcode);
/** line_command() - run a CCI command, type by opcode */
Answer line_command(Line *l, uint16_t opcode, const void *in, size_t len);
/** line_try_command() - the same, and NO_ANSWER if none comes */
Answer line_try_command(Line *l, uint16_t opcode, const void *in, size_t len);
/** line_next() - the next message is the answer to this request */
Answer line_next(Line *l, uint8_t cci_tag, uint16_t opcode);
/** line_halves() - two packets to @eid of a request that is too long */
GPtrArray *line_halves(uint8_t eid);
/** line_half() - send packet @n of them */
void line_half(Line *l, uint8_t eid, unsigned n);
/** line_whole() - both came: the answer says that the length is wrong */
void line_whole(Line *l);
/**
 * line_has_forgotten() - half a message to @eid is lost, and that EID as well
 *
 * Line 0, which has its first EID again.
 */
void line_has_forgotten(Line *l, uint8_t eid);
/** line_control() - send a control request to EID @to, return the answer */
GByteArray *line_control(Line *l, uint8_t to, const void *body, size_t len);
/** line_assign() - Set Endpoint ID as a bus owner does it */
void line_assign(Line *l, uint8_t eid);
/** line_uuid() - Get Endpoint UUID; header and UUID are the answer */
GByteArray *line_uuid(Line *l);
/**
 * line_quiet() - nothing is on its way to us
 *
 * Not by waiting: answers come in order, so the next must be the one to what
 * is asked here.
 */
void line_quiet(Line *l);
/** line_resync() - the same, but skip what still comes before it */
void line_resync(Line *l);

/* Tests that get a machine with lines */

#define LINES_MAX 5

/**
 * struct LineSetup - a machine
 * @machine: its command line, but for lines
 * @target: what lines 0, 1, ... lead to
 * @devfn, @bar: a function on bus 0 with a mailbox; 0: none is looked for
 */
typedef struct LineSetup {
    const char *machine;
    const char *target[LINES_MAX];
    int devfn, bar;
} LineSetup;

/**
 * struct LineTest - such a machine
 * @i2c: QEMU, and the I2C controller
 * @line: those that are open
 * @count: from 0, for the test
 */
typedef struct LineTest {
    const LineSetup *setup;
    const LineKind *kind;
    DwI2c i2c;
    Mailbox mailbox;
    Line *line[LINES_MAX];
    uint64_t count;
} LineTest;

/** line_test_start() - start the machine of @setup, with lines of @kind */
void line_test_start(LineTest *t, const LineSetup *setup,
                     const LineKind *kind);
/** line_test_stop() - QEMU must be there, and lines that are open quiet */
void line_test_stop(LineTest *t);
/** line_of() - line @n, which is opened when it is first asked for */
Line *line_of(LineTest *t, unsigned n);
/** line_drop() - close line @n, if it is open; it may be gone already */
void line_drop(LineTest *t, unsigned n);
/** line_anew() - close line @n and open it again */
Line *line_anew(LineTest *t, unsigned n);
/**
 * line_reset() - reset the machine
 *
 * Where a guest has the other end of lines, it begins anew.
 */
void line_reset(LineTest *t);
/** line_migrate() - the machine, and open lines, go on in another QEMU */
void line_migrate(LineTest *t);
/**
 * line_add_test() - enter /mctp-KIND/@name with such a machine
 * @run: gets line 0; who opens it anew has another one
 */
void line_add_test(const LineKind *kind, const char *name,
                   const LineSetup *setup,
                   void (*run)(LineTest *t, Line *l));
/** line_test_main() - run what was entered */
int line_test_main(void);

/** line_plug() - device_add with @props; %NULL or what the refusal says */
void line_plug(QTestState *qts, const char *props, const char *refusal);
/** line_unplug() - device_del, to which no guest need agree */
void line_unplug(QTestState *qts, const char *id);

#endif
