/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests of every length that a command's row has an opinion about
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "robust-rows.h"

/* From the folder that the tests run in */
#define TABLE_PROGRAM "tests/unit/cxl/test-cxl-command-table"

static char *table_text(void)
{
    const char *argv[] = { TABLE_PROGRAM, "--rows", NULL };
    GError *err = NULL;
    char *text;
    int status;

    if (!g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_DEFAULT, NULL, NULL,
                      &text, NULL, &status, &err)) {
        g_error("%s: %s", argv[0], err->message);
    }
    g_assert_cmpint(status, ==, 0);
    return text;
}

const GArray *robust_rows(void)
{
    static GArray *rows;
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    unsigned i;

    if (rows) {
        return rows;
    }
    rows = g_array_new(false, false, sizeof(RobustRow));
    text = table_text();
    lines = g_strsplit(text, "\n", -1);
    for (i = 0; lines[i] && *lines[i]; i++) {
        RobustRow r;

        g_assert_cmpint(sscanf(lines[i], "%x %x %x %x %x %x %x %x %x",
                               &r.opcode, &r.kinds, &r.effects, &r.flags,
                               &r.min, &r.max, &r.record, &r.count_at,
                               &r.count_size), ==, 9);
        g_array_append_val(rows, r);
    }
    g_assert_cmpuint(rows->len, >, 0);
    return rows;
}

const RobustRow *robust_row(unsigned opcode)
{
    const GArray *rows = robust_rows();
    unsigned i;

    for (i = 0; i < rows->len; i++) {
        const RobustRow *row = &g_array_index(rows, RobustRow, i);

        if (row->opcode == opcode) {
            return row;
        }
    }
    return NULL;
}

static unsigned longest(const RobustRow *row, unsigned room)
{
    if (row->record) {
        return row->min + (room - row->min) / row->record * row->record;
    }
    return MIN(row->max, room);
}

unsigned robust_lengths(const RobustRow *row, unsigned room, unsigned len[5])
{
    unsigned max = longest(row, room);
    const int64_t wanted[] = {
        0, (int64_t)row->min - 1, row->min, max, (int64_t)max + 1,
    };
    unsigned i, n = 0;

    for (i = 0; i < ARRAY_SIZE(wanted); i++) {
        if (wanted[i] >= 0 && (!n || wanted[i] > len[n - 1])) {
            len[n++] = wanted[i];
        }
    }
    return n;
}

bool robust_fits(const RobustRow *row, unsigned room, unsigned len)
{
    return len >= row->min && len <= longest(row, room) &&
           (!row->record || (len - row->min) % row->record == 0);
}

void robust_fill(const RobustRow *row, RobustFill fill, GRand *rand,
                 uint8_t *in, unsigned len, unsigned more)
{
    unsigned i;

    memset(in, fill == FILL_ONES ? 0xff : 0, len);
    for (i = 0; fill == FILL_RANDOM && i < len; i++) {
        in[i] = g_rand_int(rand);
    }
    if (row && row->record && len >= row->min) {
        uint64_t count = (len - row->min) / row->record + more;

        stn_le_p(in + row->count_at, row->count_size, count);
    }
}
