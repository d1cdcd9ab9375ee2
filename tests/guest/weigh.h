/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What memory costs, as a guest sees it
 *
 * Figures are notes ("figure: NAME VALUE") for scripts/bench_guest.py; nothing
 * is judged but that there is something to measure.
 */
#ifndef GUEST_WEIGH_H
#define GUEST_WEIGH_H

#include "region.h"

/* Memory that one pass touches */
#define WEIGH_BYTES (1u << 20)

/** weigh_now() - nanoseconds since some time in the past */
uint64_t weigh_now(void);
/** weigh_figure() - a figure of the name @where-@what */
void weigh_figure(const char *where, const char *what, double value);
/** weigh_median() - of @n values, whose order changes */
double weigh_median(double *value, unsigned n);

/**
 * weigh() - words read and written, and loads of lines in random order
 * @mem: WEIGH_BYTES, whose contents are lost
 *
 * "read" and "write" are nanoseconds for all of it, "load" for one line;
 * "-plain" are those of the guest's own memory at the same time, "-ratio" how
 * many times longer the former take.  Medians.
 */
void weigh(const char *where, dev8_t *mem);
/** weigh_region() - the same of the first bytes of a region */
void weigh_region(const char *where, const struct ram_region *region);

#endif /* GUEST_WEIGH_H */
