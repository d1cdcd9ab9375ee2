/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A picture of the dynamic capacity: regions, blocks, tags
 */
#include <inttypes.h>

#include "fm-print.h"

/* Tags that get a letter of their own; the others share the last one */
#define LETTERS 26

struct palette {
    const uint8_t *tag[LETTERS];
    unsigned n;
};

static const uint8_t no_tag[16];

static char letter_of(struct palette *p, const struct cxl_extent *ext,
                      bool accepted)
{
    unsigned i = 0;

    if (!memcmp(ext->tag, no_tag, sizeof(no_tag))) {
        return accepted ? '#' : '=';
    }
    while (i < p->n && memcmp(p->tag[i], ext->tag, 16)) {
        i++;
    }
    if (i == p->n && p->n < LETTERS) {
        p->tag[p->n++] = ext->tag;
    } else if (i == p->n) {
        i = LETTERS - 1;
    }
    return (accepted ? 'A' : 'a') + i;
}

/* Bytes that the range and the cell [start, start + len) have in common */
static uint64_t common(const struct cxl_extent *ext, uint64_t start,
                       uint64_t len)
{
    uint64_t end = start + len, stop = ext->dpa + ext->len;
    uint64_t from = ext->dpa > start ? ext->dpa : start;
    uint64_t to = stop < end ? stop : end;

    return from < to ? to - from : 0;
}

static char cell(const struct fm_map *map, struct palette *p, uint64_t start,
                 uint64_t len)
{
    uint64_t used = 0, most = 0;
    char mark = '.';

    for (size_t i = 0; i < map->nr_accepted + map->nr_offered; i++) {
        bool accepted = i < map->nr_accepted;
        const struct cxl_extent *ext = accepted ? &map->accepted[i] :
                                       &map->offered[i - map->nr_accepted];
        uint64_t n = common(ext, start, len);

        used += n;
        if (n > most) {
            most = n;
            mark = letter_of(p, ext, accepted);
        }
    }
    return most && used < len ? '+' : mark;
}

/* A cell is a whole number of blocks, the fewest that fit @width cells */
static uint64_t cell_size(const struct fm_region *r, unsigned width)
{
    uint64_t blocks;

    if (!r->block || !width) {
        return 0;
    }
    blocks = (r->len + r->block - 1) / r->block;
    return (blocks + width - 1) / width * r->block;
}

static void print_row(FILE *out, const char *lead, const struct fm_map *map,
                      struct palette *p, unsigned index, unsigned width)
{
    const struct fm_region *r = &map->regions->region[index];
    uint64_t size = cell_size(r, width);
    char text[FM_TEXT];

    fprintf(out, "%sregion %u |", lead, index);
    for (uint64_t at = 0; size && at < r->len; at += size) {
        uint64_t n = r->len - at < size ? r->len - at : size;

        fputc(cell(map, p, r->base + at, n), out);
    }
    fprintf(out, "| %s a cell\n", fm_text_size(text, size));
}

static void print_legend(FILE *out, const char *lead, const struct fm_map *map,
                         const struct palette *p)
{
    char tag[FM_TEXT], size[FM_TEXT];

    for (unsigned i = 0; i < p->n; i++) {
        uint64_t sum[2] = { 0, 0 };

        for (size_t k = 0; k < map->nr_accepted; k++) {
            if (!memcmp(map->accepted[k].tag, p->tag[i], 16)) {
                sum[0] += map->accepted[k].len;
            }
        }
        for (size_t k = 0; k < map->nr_offered; k++) {
            if (!memcmp(map->offered[k].tag, p->tag[i], 16)) {
                sum[1] += map->offered[k].len;
            }
        }
        fprintf(out, "%s         %c tag %s", lead, 'A' + i,
                fm_text_tag(tag, p->tag[i]));
        if (sum[0]) {
            fprintf(out, ", %s accepted", fm_text_size(size, sum[0]));
        }
        if (sum[1]) {
            fprintf(out, ", %s offered (%c)", fm_text_size(size, sum[1]),
                    'a' + i);
        }
        fputc('\n', out);
    }
}

void fm_print_map(FILE *out, const char *lead, const struct fm_map *map,
                  unsigned width)
{
    struct palette p = { .n = 0 };

    for (unsigned i = 0; i < map->regions->n; i++) {
        print_row(out, lead, map, &p, i, width);
    }
    print_legend(out, lead, map, &p);
}
