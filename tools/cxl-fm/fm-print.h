/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Answers of Fabric Manager commands as text for people
 *
 * Every function writes whole lines; @lead stands at the start of each.
 */
#ifndef FM_PRINT_H
#define FM_PRINT_H

#include <stdio.h>

#include "fm-cmds.h"

/* Longest texts of the fm_text_*() functions with their NUL */
#define FM_TEXT 40

/** fm_text_size() - "64 MiB"; @buf holds FM_TEXT bytes and is returned. */
const char *fm_text_size(char *buf, uint64_t bytes);
/** fm_text_tag() - UUID notation, "-" for the zero tag. */
const char *fm_text_tag(char *buf, const uint8_t tag[16]);

void fm_print_identity(FILE *out, const char *lead,
                       const struct fm_identity *id);
void fm_print_info(FILE *out, const char *lead, const struct fm_dcd_info *info);
void fm_print_regions(FILE *out, const char *lead,
                      const struct fm_regions *regions);
void fm_print_extents(FILE *out, const char *lead,
                      const struct cxl_extent_page *page);
void fm_print_tags(FILE *out, const char *lead, const struct fm_tags *tags);
void fm_print_event(FILE *out, const char *lead,
                    const struct cxl_dc_event *ev);

/**
 * struct fm_map - what a picture of the regions shows
 * @accepted: extents that the host holds
 * @offered: extents that it was offered and has not answered
 */
struct fm_map {
    const struct fm_regions *regions;
    const struct cxl_extent *accepted;
    size_t nr_accepted;
    const struct cxl_extent *offered;
    size_t nr_offered;
};

/**
 * fm_print_map() - one row of cells for each region
 *
 * A cell stands for the same number of blocks in all of a row.  Capital letter:
 * accepted; small letter: offered; '+': only a part of the cell is in use; '.':
 * free.  A letter belongs to one tag; '#' and '=' are accepted and offered
 * capacity without a tag.
 */
void fm_print_map(FILE *out, const char *lead, const struct fm_map *map,
                  unsigned width);

#endif /* FM_PRINT_H */
