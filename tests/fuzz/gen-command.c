/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands: which, how long, and what is in those of a host
 * (CXL r3.2 8.2.10). What is unknown is random.
 */
#include "qemu/osdep.h"
#include "tests/qtest/cxl/cxl-log-uuids.h"
#include "tests/qtest/cxl/robust-rows.h"
#include "gen-command.h"

/* Where memory begins that a host may have, or not */
static const uint64_t places[] = {
    0, FUZZ_STATIC / 2, FUZZ_STATIC, FUZZ_STATIC + FUZZ_REGION,
    FUZZ_STATIC + 2 * FUZZ_REGION,
};

#define UUID_BYTES 16

static const uint8_t log_uuids[][UUID_BYTES] = {
    CXL_LOG_UUID_EFFECTS, CXL_LOG_UUID_VENDOR, CXL_LOG_UUID_DUMP,
};

static const uint8_t feature_uuids[][UUID_BYTES] = {
    { 0x96, 0xda, 0xd7, 0xd6, 0xfd, 0xe8, 0x48, 0x2b,
      0xa7, 0x33, 0x75, 0x77, 0x4e, 0x06, 0xdb, 0x8a },
    { 0xe5, 0xb1, 0x3f, 0x22, 0x23, 0x28, 0x4a, 0x14,
      0xb8, 0xba, 0xb9, 0x69, 0x1e, 0x89, 0x33, 0x86 },
    { 0x89, 0x2b, 0xa4, 0x75, 0xfa, 0xd8, 0x47, 0x4e,
      0x9d, 0x3e, 0x69, 0x2c, 0x91, 0x75, 0x68, 0xbb },
    { 0x80, 0xea, 0x45, 0x21, 0x78, 0x6f, 0x41, 0x27,
      0xaf, 0xb1, 0xec, 0x74, 0x59, 0xfb, 0x0e, 0x24 },
    { 0x96, 0xc3, 0x33, 0x86, 0x91, 0xdd, 0x44, 0xc7,
      0x9e, 0xcb, 0xfd, 0xaf, 0x65, 0x03, 0xba, 0xc4 },
    { 0x45, 0x0e, 0xbf, 0x67, 0xb1, 0x35, 0x4f, 0x97,
      0xa4, 0x98, 0xc2, 0xd5, 0x7f, 0x27, 0x9b, 0xed },
    { 0x78, 0xb7, 0x96, 0x36, 0x90, 0xac, 0x4b, 0x64,
      0xa4, 0xef, 0xfa, 0xac, 0x5d, 0x18, 0xa8, 0x63 },
    { 0x34, 0xdb, 0xaf, 0xf5, 0x05, 0x52, 0x42, 0x81,
      0x8f, 0x76, 0xda, 0x0b, 0x5e, 0x7a, 0x76, 0xa7 },
};

/* Those that change most: they come as often as all others together */
static const uint16_t device_often[] = {
    0x0101, 0x0103, 0x4101, 0x4301, 0x4302, 0x4304, 0x4400, 0x4402, 0x4801,
    0x4802, 0x4802, 0x4803, 0x4803, 0x5602, 0x5604, 0x5604, 0x5604, 0x5605,
    0x5605, 0x5606, 0x5607, 0x0502, 0x0600, 0x0201,
};
static const uint16_t switch_often[] = {
    0x5102, 0x5102, 0x5103, 0x5201, 0x5202, 0x5203, 0x5301, 0x5302, 0x0101,
};

void command_put(FuzzCommand *c, unsigned at, unsigned size, uint64_t value)
{
    for (unsigned i = 0; i < size && at + i < sizeof(c->data); i++) {
        c->data[at + i] = value >> 8 * i;
    }
}

uint64_t fuzz_dpa(Fuzz *f, const FuzzFn *fn)
{
    uint64_t at = FUZZ_PICK(f, places), odd = fuzz_odd(f);
    unsigned block = fuzz_below(f, 8), line = fuzz_below(f, 64);

    switch (fuzz_below(f, 8)) {
    case 0:
        return odd;
    case 1:
        return at - 64;
    case 2:
        return at + odd % FUZZ_REGION / 64 * 64;
    case 3:
        return at + block * FUZZ_BLOCK - 64;
    default:
        return at + block * FUZZ_BLOCK + line * 64;
    }
}

void fuzz_extent(Fuzz *f, const FuzzFn *fn, uint64_t *dpa, uint64_t *len)
{
    unsigned odd = fuzz_below(f, 40), region = fuzz_below(f, FUZZ_REGIONS);

    *dpa = FUZZ_STATIC + region * FUZZ_REGION;
    *dpa += fuzz_below(f, 24) * FUZZ_BLOCK;
    *len = (1 + fuzz_below(f, 4)) * FUZZ_BLOCK;
    if (odd == 0) {
        *dpa = fuzz_odd(f);
    } else if (odd == 1) {
        *len = fuzz_odd(f);
    } else if (odd == 2) {
        *len = FUZZ_REGION;
    }
}

static void put_tag(Fuzz *f, FuzzCommand *c, unsigned at)
{
    memset(c->data + at, fuzz_below(f, 6), UUID_BYTES);
}

static void put_line(Fuzz *f, const FuzzFn *fn, FuzzCommand *c, unsigned at)
{
    command_put(c, at, 8, fuzz_dpa(f, fn) & ~63ull);
    command_put(c, at + 8, 8, fuzz_one_in(f, 3) ? fuzz_odd(f) :
                fuzz_below(f, 1 << 20));
}

static void put_passphrase(Fuzz *f, FuzzCommand *c, unsigned at)
{
    memset(c->data + at, 0, 32);
    c->data[at] = fuzz_one_in(f, 4);
}

/* 4802h, 4803h: ranges; 4402h: the same with another head */
static void put_ranges(Fuzz *f, const FuzzFn *fn, FuzzCommand *c,
                       unsigned head, unsigned record)
{
    unsigned n = fuzz_below(f, 10) ? fuzz_below(f, 4) : fuzz_below(f, 80);

    n = MIN(n, (2048 - head) / record);
    for (unsigned i = 0; i < n; i++) {
        uint64_t dpa, len;

        fuzz_extent(f, fn, &dpa, &len);
        command_put(c, head + i * record, 8, dpa);
        command_put(c, head + i * record + 8, 8, len);
    }
    command_put(c, head == 8 && record == 16 ? 4 : 0, 4, n);
    c->len = head + n * record;
}

static void put_media_operation(Fuzz *f, const FuzzFn *fn, FuzzCommand *c)
{
    put_ranges(f, fn, c, 8, 16);
    c->data[0] = fuzz_below(f, 3);
    c->data[1] = fuzz_below(f, 2);
    command_put(c, 2, 2, 0);
    if (fuzz_one_in(f, 2)) {
        command_put(c, 8, 8, fuzz_dpa(f, fn));
        command_put(c, 16, 8, fuzz_one_in(f, 2) ? 64 : FUZZ_BLOCK);
    }
}

static void put_maintenance(Fuzz *f, const FuzzFn *fn, FuzzCommand *c)
{
    c->data[0] = 1 + fuzz_below(f, 2);
    c->data[1] = fuzz_below(f, 4);
    c->data[2] = fuzz_below(f, 4);
    if (c->data[0] == 1) {
        command_put(c, 3, 8, fuzz_dpa(f, fn) & ~63ull);
        command_put(c, 11, 3, fuzz_odd(f));
        c->len = 14;
    } else {
        c->len = 2 + 13;
        for (unsigned i = 3; i < c->len; i++) {
            c->data[i] = fuzz_below(f, 3);
        }
    }
}

static void put_set_feature(Fuzz *f, FuzzCommand *c)
{
    memcpy(c->data, FUZZ_PICK(f, feature_uuids), UUID_BYTES);
    command_put(c, 16, 4, fuzz_below(f, 15));
    command_put(c, 20, 2, fuzz_one_in(f, 4) ? fuzz_odd(f) : 0);
    command_put(c, 22, 1, 1);
    memset(c->data + 23, 0, 9);
    c->len = 32 + fuzz_below(f, 20);
}

void fuzz_host_payload(Fuzz *f, const FuzzFn *fn, FuzzCommand *c)
{
    unsigned n;

    switch (c->opcode) {
    case 0x0100:
        c->data[0] = fuzz_below(f, 6);
        break;
    case 0x0101:
        n = fuzz_below(f, 8);
        c->data[0] = fuzz_below(f, 6);
        c->data[1] = fuzz_below(f, 2);
        c->data[2] = c->data[1] ? 0 : n;
        for (unsigned i = 0; i < n; i++) {
            command_put(c, 6 + 2 * i, 2, 1 + i + fuzz_below(f, 4));
        }
        c->len = 6 + 2 * c->data[2];
        break;
    case 0x0103:
        memset(c->data, fuzz_one_in(f, 3) ? 0 : 1, 5);
        break;
    case 0x0105:
        command_put(c, 0, 2, fuzz_random(f) & 0x1f);
        break;
    case 0x0201:
        c->data[0] = fuzz_below(f, 5);
        c->data[1] = fuzz_below(f, 4);
        command_put(c, 4, 4, fuzz_below(f, 3));
        c->len = 128 + fuzz_below(f, 3) * 128;
        break;
    case 0x0202:
        c->data[0] = fuzz_below(f, 3);
        c->data[1] = fuzz_below(f, 4);
        break;
    case 0x0401 ... 0x0404:
        memcpy(c->data, FUZZ_PICK(f, log_uuids), UUID_BYTES);
        command_put(c, 16, 4, fuzz_one_in(f, 2) ? 0 : fuzz_odd(f));
        command_put(c, 20, 4, fuzz_one_in(f, 3) ? fuzz_odd(f) :
                    fuzz_below(f, 2048));
        break;
    case 0x0500:
        command_put(c, 0, 4, fuzz_one_in(f, 2) ? 2048 : fuzz_odd(f));
        command_put(c, 4, 2, fuzz_below(f, 10));
        break;
    case 0x0501:
        memcpy(c->data, FUZZ_PICK(f, feature_uuids), UUID_BYTES);
        command_put(c, 16, 2, fuzz_below(f, 3) ? 0 : fuzz_odd(f));
        command_put(c, 18, 2, fuzz_below(f, 100));
        c->data[20] = fuzz_below(f, 4);
        break;
    case 0x0502:
        put_set_feature(f, c);
        break;
    case 0x0600:
        put_maintenance(f, fn, c);
        break;
    case 0x4101:
        command_put(c, 0, 8, fuzz_below(f, 3));
        c->data[8] = fuzz_below(f, 2);
        break;
    case 0x4102: case 0x4103:
        command_put(c, 0, 4, fuzz_one_in(f, 3) ? 0x10000 - fuzz_below(f, 99) :
                    fuzz_below(f, 0x10000));
        command_put(c, 4, 4, c->opcode == 0x4102 ? fuzz_below(f, 4096) : 0);
        break;
    case 0x4202:
        c->data[0] = c->data[1] = fuzz_random(f);
        c->data[2] = fuzz_below(f, 110);
        break;
    case 0x4204:
        c->data[0] = fuzz_below(f, 3);
        break;
    case 0x4300: case 0x4303:
        put_line(f, fn, c, 0);
        break;
    case 0x4301: case 0x4302:
        command_put(c, 0, 8, fuzz_dpa(f, fn) & ~63ull);
        break;
    case 0x4304:
        c->data[0] = fuzz_below(f, 2);
        put_line(f, fn, c, 1);
        break;
    case 0x4402:
        put_media_operation(f, fn, c);
        break;
    case 0x4501: case 0x4502: case 0x4505:
        memset(c->data, 0, 32);
        c->data[0] = fuzz_below(f, 2);
        put_passphrase(f, c, 32);
        put_passphrase(f, c, 64);
        break;
    case 0x4503:
        put_passphrase(f, c, 0);
        break;
    case 0x4801:
        command_put(c, 0, 4, fuzz_one_in(f, 3) ? fuzz_odd(f) : 80);
        command_put(c, 4, 4, fuzz_one_in(f, 3) ? fuzz_below(f, 9) : 0);
        break;
    case 0x4802: case 0x4803:
        put_ranges(f, fn, c, 8, 24);
        c->data[4] = fuzz_one_in(f, 8);
        break;
    case 0x5604: case 0x5605:
        put_tag(f, c, 12);
        /* fall through */
    default:
        fuzz_fm_payload(f, fn, c);
    }
}

static unsigned command_length(Fuzz *f, const RobustRow *row)
{
    unsigned any = fuzz_below(f, 16), records = fuzz_below(f, 4);
    unsigned odd = fuzz_odd(f) & 0x7ff;

    if (!row || any == 0) {
        return odd;
    }
    if (row->record) {
        return row->min + records * row->record;
    }
    return row->max == ROW_NO_MAX ? row->min + (odd & 0x7f) :
           any == 1 ? row->max : row->min;
}

static uint16_t command_opcode(Fuzz *f, const FuzzFn *fn)
{
    const GArray *rows = robust_rows();
    unsigned how = fuzz_below(f, 32), n = fuzz_below(f, rows->len);
    uint16_t any = fuzz_random(f);
    unsigned kinds = fn->kind == FUZZ_MEMORY ?
                     KIND_MAILBOX | KIND_FM | KIND_LD : KIND_SWITCH;

    kinds |= f->m.has_pool ? KIND_MHD : 0;

    if (how == 0) {
        return any;
    }
    if (how < 18) {
        return fn->kind == FUZZ_MEMORY ?
               device_often[any % ARRAY_SIZE(device_often)] :
               switch_often[any % ARRAY_SIZE(switch_often)];
    }
    for (unsigned i = 0; i < rows->len; i++) {
        const RobustRow *row = &g_array_index(rows, RobustRow,
                                              (n + i) % rows->len);

        if (row->kinds & kinds) {
            return row->opcode;
        }
    }
    return any;
}

void fuzz_command(Fuzz *f, const FuzzFn *fn, FuzzCommand *c)
{
    const RobustRow *row;
    unsigned right;

    c->opcode = command_opcode(f, fn);
    row = robust_row(c->opcode);
    right = c->len = MIN(command_length(f, row), 2048);
    fuzz_bytes(f, c->data, MAX(c->len, 256));
    if (row && fuzz_below(f, 8)) {
        if (row->record) {
            command_put(c, row->count_at, row->count_size,
                        (c->len - row->min) / row->record);
        }
        fuzz_host_payload(f, fn, c);
        if (c->len != right && fuzz_one_in(f, 20)) {
            c->len = right;
        }
    }
}
