/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tests of the dynamic capacity model share: an owner that writes down all
 * that the model tells it, and saving and loading.
 */
#ifndef TESTS_CXL_DC_RECORDER_H
#define TESTS_CXL_DC_RECORDER_H

#include "hw/cxl/cxl_dc.h"

typedef struct DCAccessCall {
    uint16_t host;
    CXLDCRange range;
    bool on;
} DCAccessCall;

typedef struct DCReported {
    uint16_t host;
    CXLDCOutcome what;
    CXLDCReason why;
    size_t n;
} DCReported;

/**
 * struct DCRecorder - calls since the last dc_recorder_clear()
 * @room: what ops->log_room answers
 * @order: one letter for each call, repeated calls once: access (o)ff and o(n),
 *         (s)ettle, (w)ipe, (l)og, (r)eport
 * @unsettled: access changed since the last settle
 * @refuses: what ops->reserve is asked for
 * @media: of the first range that it was asked for last
 */
typedef struct DCRecorder {
    uint32_t room[CXL_DC_MAX_HOSTS];
    GArray *events;             /* CXLDCEvent */
    GArray *access;             /* DCAccessCall */
    GArray *wiped;              /* CXLDCRange */
    GArray *reports;            /* DCReported */
    GString *order;
    bool unsettled;
    bool refuses;
    uint64_t media;
} DCRecorder;

extern const CXLDCOps dc_recorder_ops;
extern const CXLDCOps dc_recorder_ops_no_sanitize;

DCRecorder *dc_recorder_new(void);
void dc_recorder_free(DCRecorder *rec);
void dc_recorder_clear(DCRecorder *rec);

static inline const CXLDCEvent *dc_event(const DCRecorder *rec, unsigned i)
{
    g_assert_cmpuint(i, <, rec->events->len);
    return &g_array_index(rec->events, CXLDCEvent, i);
}

static inline const CXLDCRange *dc_wiped(const DCRecorder *rec, unsigned i)
{
    g_assert_cmpuint(i, <, rec->wiped->len);
    return &g_array_index(rec->wiped, CXLDCRange, i);
}

/* The model as bytes, and a load of bytes into a model; 0 or -errno */
GByteArray *dc_save(CXLDynCap *dc);
int dc_load_bytes(CXLDynCap *dc, const uint8_t *bytes, size_t n);

#endif /* TESTS_CXL_DC_RECORDER_H */
