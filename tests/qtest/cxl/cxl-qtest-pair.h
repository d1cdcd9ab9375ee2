/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two memory devices below two ports of one host bridge, interleaved, whose
 * memory the test sees from behind
 */
#ifndef TESTS_CXL_QTEST_PAIR_H
#define TESTS_CXL_QTEST_PAIR_H

#include "cxl-qtest-map.h"

#define PAIR_DEVICES 2
/* Static capacity, and dynamic */
#define PAIR_KINDS 2

/**
 * struct Pair - a running machine; the devices are "mem0" and "mem1"
 * @grain: bytes that go to one device
 * @args: command line
 */
typedef struct Pair {
    QTestState *qts;
    CxlDev dev[PAIR_DEVICES];
    uint64_t window, bridge;
    unsigned grain;
    char *args;
} Pair;

/**
 * pair_start() - machine with all of both devices decoded from the window's
 * first byte on
 * @props: of both devices, ",x=y" or ""
 * @more: arguments of the machine
 */
void pair_start(Pair *p, unsigned grain, const char *props, const char *more);
void pair_stop(Pair *p);
/** pair_probe() / pair_decode() - after a reset */
void pair_probe(Pair *p);
void pair_decode(Pair *p);
/** pair_control() - what a decoder's control register says of @grain */
uint32_t pair_control(unsigned grain);

/** pair_at() - where in the window DPA @dpa of device @d is */
uint64_t pair_at(const Pair *p, unsigned d, uint64_t dpa);
uint64_t pair_load(Pair *p, unsigned d, uint64_t dpa);
void pair_store(Pair *p, unsigned d, uint64_t dpa, uint64_t value);
/**
 * pair_in_device() - what is there, by its file
 *
 * Devices' decoders are off meanwhile, so that all bytes are with the devices.
 */
uint64_t pair_in_device(Pair *p, unsigned d, uint64_t dpa);

#endif
