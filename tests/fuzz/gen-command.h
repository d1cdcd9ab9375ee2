/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Payloads of the fuzzer's commands
 */
#ifndef TESTS_FUZZ_GEN_COMMAND_H
#define TESTS_FUZZ_GEN_COMMAND_H

#include "fuzz.h"

/** command_put() - write @size bytes, little endian */
void command_put(FuzzCommand *c, unsigned at, unsigned size, uint64_t value);

#endif
