/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tests of features and of maintenance have in common
 */
#ifndef TESTS_CXL_QTEST_RAS_H
#define TESTS_CXL_QTEST_RAS_H

#include "cxl-qtest.h"

/* Set Feature: messages of a transfer, and keep the value over a reset */
enum { RAS_FULL, RAS_START, RAS_CONTINUE, RAS_FINISH, RAS_ABORT, RAS_SAVE = 8 };

/* Get Feature */
enum { RAS_CURRENT, RAS_DEFAULT, RAS_SAVED };

/* Features; the order is the device's */
typedef enum RasFeature {
    RAS_SCRUB,
    RAS_ECS,
    RAS_SOFT_PPR,
    RAS_HARD_PPR,
    RAS_CACHELINE,
    RAS_ROW,
    RAS_BANK,
    RAS_RANK,
} RasFeature;

#define RAS_HOUR_NS (3600 * 1000ll * 1000 * 1000)

/** ras_get() - Get Feature of the first @count bytes */
uint16_t ras_get(CxlDev *dev, RasFeature f, uint8_t selection, uint16_t count,
                 CxlRsp *rsp);
/** ras_set_request() - Set Feature without data, for offset 0 */
CxlReq ras_set_request(RasFeature f, uint32_t flags, uint8_t version);
/** ras_set() - Set Feature, all of it, which must work */
void ras_set(CxlDev *dev, RasFeature f, uint32_t flags, const uint8_t *data,
             size_t len);
/** ras_set_scrub() - the same for patrol scrub */
void ras_set_scrub(CxlDev *dev, uint32_t flags, uint8_t hours, bool on);

/** ras_poison() - inject poison as a host, and clear the record of that */
void ras_poison(CxlDev *dev, uint64_t dpa);
/** ras_poisoned() - entries of the poison list of all static capacity */
unsigned ras_poisoned(CxlDev *dev);
/** ras_read_log() - Get Event Records; returns how many there are */
unsigned ras_read_log(CxlDev *dev, uint8_t log, CxlRsp *rsp);

#endif
