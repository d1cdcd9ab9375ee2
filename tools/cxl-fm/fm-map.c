/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A picture of the dynamic capacity that a host holds: regions, blocks, tags
 */
#include <inttypes.h>

#include "fm-print.h"

/* Tags that get a letter of their own; the others share the last one */
#define LETTERS     26
/* Colours 31..36 of a terminal; black and white are those of the rest */
#define COLOUR      31
#define COLOURS     6

static const uint8_t no_tag[16];

/** struct sketch - a map while it is drawn */
struct sketch {
    FILE *out;
    const struct fm_map *map;
    const uint8_t *tag[LETTERS];
    unsigned tags;
    size_t next;                /* first extent that ends behind the cell */
    bool part, unnamed;         /* '+' and '#' need explaining */
    unsigned painted;           /* colour in force, 0 is none */
};

static void paint(struct sketch *s, unsigned colour)
{
    if (s->map->colour && colour != s->painted) {
        fprintf(s->out, "\x1b[%um", colour);
        s->painted = colour;
    }
}

static void put_mark(struct sketch *s, char mark)
{
    bool tag = mark >= 'A' && mark <= 'Z';

    paint(s, tag ? COLOUR + (mark - 'A') % COLOURS : 0);
    fputc(mark, s->out);
}

static char letter_of(struct sketch *s, const struct cxl_extent *ext)
{
    unsigned i = 0;

    if (!memcmp(ext->tag, no_tag, sizeof(no_tag))) {
        s->unnamed = true;
        return '#';
    }
    while (i < s->tags && memcmp(s->tag[i], ext->tag, sizeof(no_tag))) {
        i++;
    }
    if (i == s->tags && s->tags < LETTERS) {
        s->tag[s->tags++] = ext->tag;
    } else if (i == s->tags) {
        i = LETTERS - 1;
    }
    return 'A' + i;
}

/* Bytes that the extent and the cell have in common; an end may be 2^64 */
static uint64_t common(const struct cxl_extent *ext, uint64_t start,
                       uint64_t len)
{
    if (ext->dpa >= start) {
        uint64_t skip = ext->dpa - start;

        return skip >= len ? 0 : len - skip < ext->len ? len - skip : ext->len;
    }
    if (start - ext->dpa >= ext->len) {
        return 0;
    }
    return ext->len - (start - ext->dpa) < len ?
           ext->len - (start - ext->dpa) : len;
}

static char cell(struct sketch *s, uint64_t start, uint64_t len)
{
    const struct fm_map *map = s->map;
    uint64_t used = 0, most = 0;
    char mark = '.';

    while (s->next < map->nr_ext && map->ext[s->next].dpa < start &&
           start - map->ext[s->next].dpa >= map->ext[s->next].len) {
        s->next++;
    }
    for (size_t i = s->next; i < map->nr_ext; i++) {
        uint64_t n = common(&map->ext[i], start, len);

        if (!n) {
            break;
        }
        used += n;
        if (n > most) {
            most = n;
            mark = letter_of(s, &map->ext[i]);
        }
    }
    if (used && used < len) {
        s->part = true;
        mark = '+';
    }
    return mark;
}

/* A cell is a whole number of blocks, the fewest that fit @width cells */
static uint64_t cell_size(const struct fm_region *r, unsigned width)
{
    uint64_t blocks;

    if (!r->block || !width) {
        return 0;
    }
    blocks = r->len / r->block + !!(r->len % r->block);
    return (blocks / width + !!(blocks % width)) * r->block;
}

static void draw_region(struct sketch *s, const char *lead, unsigned index,
                        unsigned width)
{
    const struct fm_region *r = &s->map->regions->region[index];
    uint64_t size = cell_size(r, width), used = 0;
    char text[3][FM_TEXT];

    for (size_t i = 0; i < s->map->nr_ext; i++) {
        used += common(&s->map->ext[i], r->base, r->len);
    }
    fprintf(s->out, "%sregion %u at 0x%" PRIx64 ": %s of %s in use, "
            "a cell is %s\n", lead, index, r->base,
            fm_text_size(text[0], used), fm_text_size(text[1], r->len),
            fm_text_size(text[2], size));
    fprintf(s->out, "%s|", lead);
    s->next = 0;
    for (uint64_t at = 0; size && at < r->len; ) {
        uint64_t n = r->len - at < size ? r->len - at : size;

        put_mark(s, cell(s, r->base + at, n));
        at += n;
    }
    paint(s, 0);
    fputs("|\n", s->out);
}

static void explain(struct sketch *s, const char *lead)
{
    char text[FM_TEXT];

    for (unsigned i = 0; i < s->tags; i++) {
        uint64_t sum = 0;

        for (size_t k = 0; k < s->map->nr_ext; k++) {
            if (!memcmp(s->map->ext[k].tag, s->tag[i], sizeof(no_tag))) {
                sum += s->map->ext[k].len;
            }
        }
        fprintf(s->out, "%s ", lead);
        put_mark(s, 'A' + i);
        paint(s, 0);
        fprintf(s->out, " tag %s, ", fm_text_tag(text, s->tag[i]));
        fprintf(s->out, "%s\n", fm_text_size(text, sum));
    }
    if (s->unnamed) {
        fprintf(s->out, "%s # without a tag\n", lead);
    }
    if (s->part) {
        fprintf(s->out, "%s + a part of the cell is in use\n", lead);
    }
}

void fm_print_map(FILE *out, const char *lead, const struct fm_map *map,
                  unsigned width)
{
    struct sketch s = { .out = out, .map = map };

    for (unsigned i = 0; i < map->regions->n; i++) {
        draw_region(&s, lead, i, width);
    }
    explain(&s, lead);
}
