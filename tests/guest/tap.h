/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Results of the guest's tests, in TAP, on the results port
 *
 * The port is the serial line that the kernel command line names
 * ("cxlout=ttyS1"), so that kernel messages never cut a line in two.
 */
#ifndef GUEST_TAP_H
#define GUEST_TAP_H

#include <stdbool.h>
#include <stdio.h>

/** tap_open() - @port as "ttyS1"; NULL: the console. */
void tap_open(const char *port);
/** tap_out() - the stream, for programs that print a story of their own. */
FILE *tap_out(void);

/** tap_check() - one test; the name must not depend on the outcome. */
bool tap_check(bool ok, const char *name, ...)
    __attribute__((format(printf, 2, 3)));
/**
 * tap_quiet() - from now on passed tests are neither shown nor counted
 *
 * For what runs before a reset: nobody could go on with its numbers.
 */
void tap_quiet(void);
/** tap_say() - a line of a story, which the runner has at once. */
void tap_say(const char *text, ...) __attribute__((format(printf, 1, 2)));
/** tap_note() - a comment line. */
void tap_note(const char *text, ...) __attribute__((format(printf, 1, 2)));
/** tap_skip() - a test that this machine cannot run, and why. */
void tap_skip(const char *name, const char *why);

/**
 * tap_rc() - one test on the result of a command
 * @got: 0, a CXL return code or a negative errno; shown when it is not @want
 */
bool tap_rc(int got, int want, const char *name, ...)
    __attribute__((format(printf, 3, 4)));

/**
 * tap_ask() - ask the runner for something, see scripts/guest_qemu.py
 * Return: did it happen?  The runner says why not
 */
bool tap_ask(const char *what);

/** tap_finish() - write the plan. Return: number of failed tests. */
unsigned tap_finish(void);

#endif /* GUEST_TAP_H */
