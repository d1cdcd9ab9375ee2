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

/** fm_event_name() - what a type of dynamic capacity record tells. */
const char *fm_event_name(unsigned type);

void fm_print_identity(FILE *out, const char *lead,
                       const struct fm_identity *id);
void fm_print_info(FILE *out, const char *lead, const struct fm_dcd_info *info);
void fm_print_regions(FILE *out, const char *lead,
                      const struct fm_regions *regions);
void fm_print_extent(FILE *out, const char *lead,
                     const struct cxl_extent *ext);
void fm_print_tag(FILE *out, const char *lead, const struct fm_tag *tag);
void fm_print_event(FILE *out, const char *lead,
                    const struct cxl_dc_event *ev);

/**
 * struct fm_map - what a picture of the regions shows
 * @ext: extents that the host holds, by ascending address
 * @colour: paint the letters of tags with the terminal's colours
 */
struct fm_map {
    const struct fm_regions *regions;
    const struct cxl_extent *ext;
    size_t nr_ext;
    bool colour;
};

/**
 * fm_print_map() - a heading and a row of at most @width cells for each region,
 * then what the letters mean
 *
 * A cell stands for the same number of blocks in all of a row.  A letter
 * belongs to one tag, '#' is capacity without a tag, '+' a cell of which a part
 * is in use, '.' is free.
 */
void fm_print_map(FILE *out, const char *lead, const struct fm_map *map,
                  unsigned width);

#endif /* FM_PRINT_H */
