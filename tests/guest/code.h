/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Machine code that is written into memory under test, and run there
 */
#ifndef GUEST_CODE_H
#define GUEST_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "device-memory.h"

/**
 * struct code_place - memory that code is to run in
 * @name: for the names of tests
 * @mem: writable and executable, shared by forked processes
 * @size: bytes
 * @chunk: code is put over borders at multiples of this, at least 256
 */
struct code_place {
    const char *name;
    dev8_t *mem;
    size_t size, chunk;
};

/**
 * code_test() - tests: code runs on each processor, changes itself, and is
 * changed by another processor
 */
void code_test(const struct code_place *place);

/**
 * code_run_endlessly() - a process that runs code at @at, and nothing else
 * Return: the process, once its code has run; or -1
 */
int code_run_endlessly(dev8_t *at);
/** code_died() - a test: @process ends by signal @sig within some seconds */
void code_died(int process, int sig, const char *name);

#endif /* GUEST_CODE_H */
