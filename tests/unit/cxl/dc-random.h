/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A model, its oracle, and what they told so far.
 */
#ifndef TESTS_CXL_DC_RANDOM_H
#define TESTS_CXL_DC_RANDOM_H

#include "dc-oracle.h"

typedef struct Run {
    GRand *rand;
    CXLDCConfig config;
    DCRecorder *rec;
    CXLDynCap *dc;
    Oracle *o;
    bool on[ORACLE_HOSTS][ORACLE_CELLS];    /* what ops->access told */
    uint32_t generation[ORACLE_HOSTS];
    uint32_t tag_generation;
    GArray *tag_list;                       /* CXLDCTagInfo */
    unsigned step;
    unsigned count[16][CXL_RC_COUNT];
    unsigned refused[CXL_DC_BY_RESET + 1];  /* offers, by CXLDCReason */
    unsigned passed;                        /* answers past withdrawn ones */
    const char *what;
} Run;

static inline int rnd(Run *run, int n)
{
    return g_rand_int_range(run->rand, 0, n);
}

static inline bool chance(Run *run, int percent)
{
    return rnd(run, 100) < percent;
}

/* After each step; forgets what was told */
void random_compare(Run *run);

#endif /* TESTS_CXL_DC_RANDOM_H */
