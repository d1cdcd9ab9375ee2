/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory whose every access counts: registers, and memory under test
 */
#ifndef GUEST_DEVICE_MEMORY_H
#define GUEST_DEVICE_MEMORY_H

#include <stdint.h>

/*
 * volatile: each load and store must be done, once, in order, with its width;
 * the compiler must not merge, repeat or drop what the test is about.
 */
typedef volatile uint8_t dev8_t;
/* volatile as above */
typedef volatile uint16_t dev16_t;
/* volatile as above */
typedef volatile uint32_t dev32_t;
/* volatile as above */
typedef volatile uint64_t dev64_t;

#endif /* GUEST_DEVICE_MEMORY_H */
