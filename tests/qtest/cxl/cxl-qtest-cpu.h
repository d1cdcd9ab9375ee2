/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processors under TCG that do what a test tells them, with no firmware and no
 * kernel: each looks at a mailbox in RAM all the time
 */
#ifndef TESTS_CXL_QTEST_CPU_H
#define TESTS_CXL_QTEST_CPU_H

#include "tests/qtest/libqtest.h"

/* A processor's mailbox, below what a 16-bit segment reaches */
#define MAILBOX(cpu) (0x7000 + 0x100 * (cpu))

/*
 * In a mailbox.  IDLE: the address that is loaded from while there is nothing
 * to do.  WRONG, LOADS, and all from CPU_TABLE on: for what is called.
 */
enum { TOLD = 0, DONE = 8, ADDR = 16, VALUE = 24, IDLE = 32, WHAT = 40,
       WRONG = 48, LOADS = 56, CPU_TABLE = 64 };

/*
 * CALL: code at ADDR, which finds the mailbox at (%rdi) and [TOLD] in %rbp, and
 * has what it likes for VALUE in %rax when it returns
 */
enum { LOAD, STORE, CALL };

/** cpu_rom() - a file for -bios; unlink() it and g_free() its name */
char *cpu_rom(void);
/** cpu_start() - let @n processors of a machine run that was started with -S */
void cpu_start(QTestState *qts, unsigned n);
/** cpu_tell() - let @cpu do an access, or call something */
void cpu_tell(QTestState *qts, unsigned cpu, int what, uint64_t addr,
              uint64_t value);
/** cpu_wait() - until it has. Return: what it loaded, if it was to load */
uint64_t cpu_wait(QTestState *qts, unsigned cpu);

#endif
