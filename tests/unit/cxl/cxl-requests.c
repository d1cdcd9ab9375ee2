/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Layouts of requests that tests send (CXL r3.2 7.6.7, 8.2.10)
 */
#include "qemu/osdep.h"
#include "cxl-requests.h"

/*
 * In the order in which they stand: the name of a field, and its size in bytes.
 * "-" is reserved and 0, or of no use to a test.
 */
static const struct {
    uint16_t opcode;
    const char *fields;
} layouts[] = {
    { 0x0100, "log:1" },
    { 0x0101, "log:1 flags:1 handles:1 -:3" },
    { 0x0103, "info:1 warning:1 failure:1 fatal:1 dcd:1" },
    { 0x0201, "action:1 slot:1 -:2 offset:4 -:120" },
    { 0x0202, "action:1 slot:1" },
    { 0x0301, "time:8" },
    { 0x0500, "count:4 start:2 -:2" },
    { 0x4101, "volatile:8 flags:1" },
    { 0x4102, "offset:4 length:4" },
    { 0x4103, "offset:4 -:4" },
    { 0x4202, "valid:1 enable:1 life:1 -:1 over:2 under:2 volatile:2 "
              "persistent:2" },
    { 0x4204, "state:1" },
    { 0x4300, "dpa:8 lines:8" },
    { 0x4301, "dpa:8" },
    { 0x4302, "dpa:8 data:64" },
    { 0x4303, "dpa:8 lines:8" },
    { 0x4304, "dpa:8 lines:8 flags:1" },
    { 0x4402, "class:1 subclass:1 -:2 ranges:4" },
    { 0x4501, "type:1 -:31 current:32 new:32" },
    { 0x4502, "type:1 -:31 current:32" },
    { 0x4503, "current:32" },
    { 0x4505, "type:1 -:31 current:32" },
    { 0x4701, "control:1 moderate:1 severe:1 interval:1" },
    { 0x4800, "count:1 start:1" },
    { 0x4801, "count:4 start:4" },
    { 0x4802, "extents:4 more:1 -:3" },
    { 0x4803, "extents:4 more:1 -:3" },
    { 0x5101, "ports:1 port:1" },
    { 0x5102, "port:1 operation:1" },
    { 0x5103, "port:1 register:2 write:1 data:4" },
    { 0x5200, "vcs:1 start:1 limit:1 vppbs:1" },
    { 0x5201, "vcs:1 vppb:1 port:1 -:1 ld:2" },
    { 0x5202, "vcs:1 vppb:1 option:1" },
    { 0x5203, "vcs:1 vppb:1 -:2 error:4 header:32" },
    { 0x5300, "port:1 type:1 size:2" },
    { 0x5301, "port:1 register:2 write:1 ld:2 -:2 data:4" },
    { 0x5302, "port:1 -:1 first:1 last:1 ld:2 length:2 address:8" },
    { 0x5601, "host:2 count:1 start:1" },
    { 0x5602, "region:1 -:3 block:8 sanitize:1 -:3" },
    { 0x5603, "host:2 -:2 count:4 start:4" },
    { 0x5604, "host:2 policy:1 region:1 length:8 tag:16 extents:4" },
    { 0x5605, "host:2 policy:1 -:1 length:8 tag:16 extents:4" },
    { 0x5606, "tag:16" },
    { 0x5607, "tag:16" },
    { 0x5608, "start:4 count:4" },
};

static const char *fields_of(uint16_t opcode)
{
    size_t i;

    for (i = 0; i < ARRAY_SIZE(layouts); i++) {
        if (layouts[i].opcode == opcode) {
            return layouts[i].fields;
        }
    }
    g_error("no layout of command %04xh", opcode);
}

static void put_field(uint8_t *buf, size_t size, uint64_t value)
{
    size_t i;

    for (i = 0; i < size; i++) {
        buf[i] = size > sizeof(value) ? value : value >> 8 * i;
    }
}

size_t cxl_request_pack(uint8_t *buf, size_t size, uint16_t opcode,
                        const uint64_t *values, size_t n)
{
    g_auto(GStrv) fields = g_strsplit(fields_of(opcode), " ", 0);
    size_t at = 0, used = 0;
    char **field;

    for (field = fields; *field; field++) {
        size_t width = g_ascii_strtoull(strchr(*field, ':') + 1, NULL, 10);
        bool reserved = **field == '-';

        g_assert_cmpuint(at + width, <=, size);
        g_assert_true(reserved || used < n);
        put_field(buf + at, width, reserved ? 0 : values[used]);
        used += !reserved;
        at += width;
    }
    g_assert_cmpuint(used, ==, n);
    return at;
}
