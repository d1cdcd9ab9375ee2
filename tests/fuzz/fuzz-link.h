/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A QEMU of the fuzzer: the process, its qtest socket, its monitor
 *
 * Unlike libqtest this client does not wait for each answer, which makes it
 * ten times faster, and a QEMU that dies is a result, not the end of the test.
 */
#ifndef TESTS_FUZZ_LINK_H
#define TESTS_FUZZ_LINK_H

#include "qobject/qdict.h"

/* Requests whose answers may be outstanding */
#define LINK_PENDING 512

/**
 * enum LinkFault - why nothing more can be done with a QEMU
 */
typedef enum LinkFault {
    LINK_FINE,
    /** @LINK_DEAD: the process ended */
    LINK_DEAD,
    /** @LINK_HANG: no answer in %LINK_PATIENCE_MS */
    LINK_HANG,
    /** @LINK_CONFUSED: an answer that is none */
    LINK_CONFUSED,
} LinkFault;

/**
 * LinkSeen - called with a register's value, long after it was asked for
 */
typedef void LinkSeen(void *opaque, uint64_t value);

/**
 * struct LinkPending - a request without an answer so far
 * @op: operation that it is part of
 * @seen: hears the number that is read
 * @to, @len: or where the bytes go that are read
 */
typedef struct LinkPending {
    uint64_t op;
    LinkSeen *seen;
    uint8_t *to;
    size_t len;
} LinkPending;

/**
 * struct QemuLink - one process
 * @op: number of the operation under way; the caller sets it
 * @culprit: after a fault: the operation that had no answer
 * @opaque: for LinkSeen
 */
typedef struct QemuLink {
    pid_t pid;
    int qtest_fd, qmp_fd;
    char *errors;
    LinkFault fault;
    uint64_t op, culprit;
    int status;
    void *opaque;

    GString *out;
    size_t sent;
    LinkPending pending[LINK_PENDING];
    uint64_t asked, answered;
    uint64_t value;
    GString *in, *qmp_in;
} QemuLink;

/**
 * link_start() - run QEMU
 * @args: its command line, without qtest, monitor and accelerator
 * @errors: file for what it says
 */
QemuLink *link_start(const char *args, const char *errors);
/**
 * link_stop() - end it
 * Return: whether it ended by itself and well
 */
bool link_stop(QemuLink *l);

/** link_post() - queue one request of the qtest protocol */
void link_post(QemuLink *l, const char *fmt, ...) G_GNUC_PRINTF(2, 3);
/** link_post_seen() - the same, and @seen hears what was read */
void link_post_seen(QemuLink *l, LinkSeen *seen, const char *fmt, ...)
    G_GNUC_PRINTF(3, 4);
/** link_post_bytes() - queue a write of @len bytes to @addr */
void link_post_bytes(QemuLink *l, uint64_t addr, const void *data,
                     size_t len);
/** link_flush() - wait until all is answered */
void link_flush(QemuLink *l);
/** link_ask() - one read, now; all ones after a fault */
uint64_t link_ask(QemuLink *l, const char *fmt, ...) G_GNUC_PRINTF(2, 3);
/** link_read() - @len bytes, now; %false after a fault */
bool link_read(QemuLink *l, uint64_t addr, void *data, size_t len);

/**
 * link_qmp() - run a monitor command after all that is queued
 * Return: the answer, or %NULL after a fault
 */
QDict *link_qmp(QemuLink *l, const char *json);
/** link_qmp_ok() - the same; %true if there is a return value */
bool link_qmp_ok(QemuLink *l, const char *json);
/** link_hmp() - what a command of the human monitor prints, or %NULL */
char *link_hmp(QemuLink *l, const char *fmt, ...) G_GNUC_PRINTF(2, 3);

#endif
