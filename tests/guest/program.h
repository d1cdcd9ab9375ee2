/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs of a distribution, run in the guest, and what they print
 */
#ifndef GUEST_PROGRAM_H
#define GUEST_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * program_run() - run a command line, words separated by single blanks
 *
 * Finds the program in /bin.  Nothing is read from its standard input.
 * Return: its exit status, -1 if it was killed or could not be run
 */
int program_run(const char *line, ...) __attribute__((format(printf, 1, 2)));
/** program_begin() - the same beside this program, until program_end() */
pid_t program_begin(const char *line);
void program_end(pid_t child);
/** program_output() - standard output and error of the last one */
const char *program_output(void);
/** program_count() - how often it holds @text; blanks do not count */
unsigned program_count(const char *text);
/** program_show() - the same as notes of the results */
void program_show(void);

/** program_ok() - a test: the command succeeds. */
bool program_ok(const char *line, ...) __attribute__((format(printf, 1, 2)));
/**
 * program_says() - a test: the output of the last one holds @text
 *
 * Blanks do not count on either side, so that @text may be JSON as one writes
 * it in a line.
 */
bool program_says(const char *text, ...) __attribute__((format(printf, 1, 2)));
/** program_silent_on() - a test: it does not */
bool program_silent_on(const char *text);

#endif /* GUEST_PROGRAM_H */
