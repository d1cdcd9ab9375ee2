/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages between heads of a pool and cxl-poold: their bytes, and bytes that
 * are none
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "hw/cxl/cxl_pool_wire.h"

#define HEAD    0x0203

/* The only message in @out */
static CXLPoolMsg only(const GByteArray *out)
{
    CXLPoolMsg msg;

    g_assert_cmpint(cxl_pool_wire_next(out->data, out->len, &msg), ==,
                    out->len);
    return msg;
}

/* Bytes as a row of the table in docs/interop/cxl-pool.rst has them */
static void assert_bytes(const GByteArray *out, size_t at, const char *hex)
{
    g_autoptr(GString) got = g_string_new(NULL);

    g_assert_cmpuint(at + strlen(hex) / 2, <=, out->len);
    for (size_t i = 0; i < strlen(hex) / 2; i++) {
        g_string_append_printf(got, "%02x", out->data[at + i]);
    }
    g_assert_cmpstr(got->str, ==, hex);
}

static GByteArray *sampled(void (*sample)(GByteArray *out))
{
    GByteArray *out = g_byte_array_new();

    sample(out);
    return out;
}

static void sample_attach(GByteArray *out)
{
    CXLPoolAttach m = {
        .base = 0x1122, .heard = 0x33, .room = 0x44, .goes_on = true,
    };

    memset(m.instance.data, 0xab, sizeof(m.instance.data));
    for (unsigned i = 0; i < CXL_DC_MAX_REGIONS; i++) {
        m.dsmad[i] = 0x10 + i;
    }
    cxl_pool_put_attach(out, HEAD, &m);
}

static void sample_welcome(GByteArray *out)
{
    CXLPoolWelcome m = {
        .version = CXL_POOL_WIRE_VERSION,
        .size = 2 * CXL_DC_GRANULE,
        .serial = 0x0102030405060708,
        .config = {
            .nr_hosts = 4, .nr_regions = 2, .max_extents = 9, .max_tags = 8,
        },
    };

    for (unsigned i = 0; i < 2; i++) {
        m.config.region[i] = (CXLDCRegion) {
            .base = i * CXL_DC_GRANULE, .decode_len = CXL_DC_GRANULE,
            .len = CXL_DC_GRANULE, .block_size = 2 * MiB, .block_mask = 2 * MiB,
            .sharable = i, .read_only = i, .sanitize = !i,
        };
        m.place[i] = i * CXL_DC_GRANULE;
    }
    cxl_pool_put_welcome(out, &m);
}

static void sample_ranges(GByteArray *out)
{
    const CXLDCPiece piece[] = { { 1, 2, 3 }, { 4, 5, 6 } };

    cxl_pool_put_ranges(out, HEAD, CXL_POOL_MSG_OFF, 0x77, piece, 2);
}

static void sample_events(GByteArray *out)
{
    CXLEventRecord r[2] = { };

    r[0].b[0] = 0xaa;
    r[1].b[CXL_EVENT_RECORD_SIZE - 1] = 0xbb;
    cxl_pool_put_events(out, HEAD, 0x55, r, 2);
}

static void sample_request(GByteArray *out)
{
    const CXLPoolRequest m = {
        .id = 5, .opcode = 0x4802, .room = 0x1000,
        .payload = (const uint8_t *)"xyz", .len = 3,
    };

    cxl_pool_put_request(out, HEAD, &m);
}

static void sample_answer(GByteArray *out)
{
    const CXLPoolAnswer m = {
        .id = 5, .rc = 0x1e, .payload = (const uint8_t *)"ab", .len = 2,
    };

    cxl_pool_put_answer(out, HEAD, &m);
}

static void sample_tunnel(GByteArray *out)
{
    const CXLPoolRequest m = {
        .id = 6, .opcode = 0x4000, .room = 0x800,
        .payload = (const uint8_t *)"", .len = 0,
    };

    cxl_pool_put_tunnel(out, HEAD, &m);
}

static void sample_reply(GByteArray *out)
{
    const CXLPoolAnswer m = {
        .id = 6, .rc = 0x01, .background = true,
        .payload = (const uint8_t *)"abc", .len = 3,
    };

    cxl_pool_put_reply(out, HEAD, &m);
}

static void sample_credit(GByteArray *out)
{
    const CXLPoolCredit m = { .heard = 7, .room = 8 };

    cxl_pool_put_credit(out, HEAD, &m);
}

static void sample_hello(GByteArray *out)
{
    const CXLPoolHello m = { 1, 1 };

    cxl_pool_put_hello(out, &m);
}

static void sample_ended(GByteArray *out)
{
    cxl_pool_put_number(out, HEAD, CXL_POOL_MSG_ENDED, 0x99);
}

static void sample_info(GByteArray *out)
{
    const CXLHeadInfo m = {
        .volatile_size = 0x1122, .persistent_size = 0x3344,
        .link = { 1, 2, 3, 4, 5, 6, 7, 8, 9 },
    };

    cxl_pool_put_info(out, HEAD, &m);
}

static void sample_handover(GByteArray *out)
{
    QemuUUID uuid;

    memset(uuid.data, 0xcd, sizeof(uuid.data));
    cxl_pool_put_uuid(out, HEAD, CXL_POOL_MSG_HANDOVER, &uuid);
}

#define READER(what, type) \
    static bool read_ ## what(const CXLPoolMsg *msg) \
    { \
        type m; \
        return cxl_pool_get_ ## what(msg, &m); \
    }
READER(hello, CXLPoolHello)
READER(attach, CXLPoolAttach)
READER(request, CXLPoolRequest)
READER(number, uint64_t)
READER(credit, CXLPoolCredit)
READER(welcome, CXLPoolWelcome)
READER(answer, CXLPoolAnswer)
READER(ranges, CXLPoolRanges)
READER(events, CXLPoolEvents)
READER(info, CXLHeadInfo)
READER(uuid, QemuUUID)

/**
 * struct Kind - a message
 * @head: its header's bytes
 * @body: the first bytes of its body
 * @open: it may be longer: what follows is a payload, or of a later version
 */
typedef struct Kind {
    const char *name;
    void (*sample)(GByteArray *out);
    bool (*read)(const CXLPoolMsg *msg);
    const char *head;
    const char *body;
    size_t fixed;
    bool open;
} Kind;

static const Kind kinds[] = {
    { "hello", sample_hello, read_hello, "1000000001000000",
      "4358504c01000100", 8, true },
    { "attach", sample_attach, read_attach, "5000000002000302",
      "abababababababababababababababab" "2211000000000000" "10000000", 72 },
    { "request", sample_request, read_request, "1b00000004000302",
      "0500000000000000" "02480000" "00100000" "78797a", 16, true },
    { "ended", sample_ended, read_number, "1000000005000302",
      "9900000000000000", 8 },
    { "credit", sample_credit, read_credit, "1800000006000302",
      "0700000000000000" "08000000" "00000000", 16 },
    { "welcome", sample_welcome, read_welcome, "9800000081000000",
      "0300" "0400" "02" "000000" "0000002000000000" "0807060504030201"
      "09000000" "08000000" "0000000000000000" "0000001000000000", 144 },
    { "answer", sample_answer, read_answer, "1a00000084000302",
      "0500000000000000" "1e00" "000000000000" "6162", 16, true },
    { "off", sample_ranges, read_ranges, "4800000086000302",
      "7700000000000000" "02000000" "00000000" "0100000000000000"
      "0200000000000000" "0300000000000000" "0400000000000000", 64 },
    { "events", sample_events, read_events, "1801000087000302",
      "5500000000000000" "02000000" "00000000" "aa", 272 },
    { "info", sample_info, read_info, "2800000007000302",
      "2211000000000000" "4433000000000000" "010203040506070809"
      "00000000000000", 32 },
    { "tunnel", sample_tunnel, read_request, "180000008a000302",
      "0600000000000000" "00400000" "00080000", 16, true },
    { "reply", sample_reply, read_answer, "1b00000009000302",
      "0600000000000000" "0100" "0100" "00000000" "616263", 16, true },
    { "handover", sample_handover, read_uuid, "1800000008000302",
      "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd", 16 },
};

static void each_message_has_its_bytes(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
        g_autoptr(GByteArray) out = sampled(kinds[i].sample);
        CXLPoolMsg msg = only(out);

        g_test_message("%s", kinds[i].name);
        assert_bytes(out, 0, kinds[i].head);
        assert_bytes(out, CXL_POOL_WIRE_HEADER, kinds[i].body);
        g_assert_true(kinds[i].read(&msg));
    }
}

/* Exactly as long as the heap block that it is in, for who reads too far */
static bool reads(const Kind *k, const uint8_t *data, size_t len)
{
    g_autofree uint8_t *body = len ? g_memdup2(data, len) : NULL;
    CXLPoolMsg msg = { .head = HEAD, .body = body, .len = len };
    g_autoptr(GByteArray) out = sampled(k->sample);

    msg.type = out->data[4];
    return k->read(&msg);
}

static void a_body_of_another_length_is_none(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
        const Kind *k = &kinds[i];
        g_autoptr(GByteArray) out = sampled(k->sample);
        size_t len = out->len - CXL_POOL_WIRE_HEADER;
        const uint8_t more[8] = { };

        g_test_message("%s", k->name);
        for (size_t n = 0; n < len; n++) {
            g_assert_cmpint(reads(k, out->data + CXL_POOL_WIRE_HEADER, n), ==,
                            k->open && n >= k->fixed);
        }
        g_byte_array_append(out, more, sizeof(more));
        g_assert_cmpint(reads(k, out->data + CXL_POOL_WIRE_HEADER,
                              len + sizeof(more)), ==, k->open);
    }
}

/* Whatever the bytes are, the readers come to an end inside of them */
static void random_bytes_are_read_safely(void)
{
    uint32_t seed = 1;

    for (unsigned round = 0; round < 20000; round++) {
        const Kind *k = &kinds[round % ARRAY_SIZE(kinds)];
        g_autoptr(GByteArray) out = sampled(k->sample);

        for (unsigned i = 0; i < 4; i++) {
            seed = seed * 1664525 + 1013904223;
            out->data[(seed >> 8) % out->len] = seed >> 24;
        }
        reads(k, out->data + CXL_POOL_WIRE_HEADER,
              out->len - CXL_POOL_WIRE_HEADER);
    }
}

static void numbers_that_cannot_be_are_refused(void)
{
    static const struct {
        unsigned kind;
        size_t at;
        unsigned bytes;
        uint64_t value;
    } bad[] = {
        { 0, 0, 4, 0 }, { 0, 4, 2, 0 }, { 0, 4, 2, 2 }, { 1, 68, 4, 3 },
        { 2, 0, 8, 0 }, { 2, 12, 4, 2 * MiB },
        { 5, 0, 2, 1 }, { 5, 2, 2, 0 }, { 5, 2, 2, 257 }, { 5, 4, 1, 0 },
        { 5, 4, 1, 9 }, { 5, 8, 8, MiB }, { 5, 32 + 40, 8, UINT64_MAX },
        { 5, 32 + 48, 4, 0x40 },
        { 6, 8, 2, 0xffff },
        { 7, 8, 4, 0 }, { 7, 8, 4, 3 }, { 7, 8, 4, UINT32_MAX },
        { 7, 24, 8, 0 }, { 7, 24, 8, UINT64_MAX }, { 7, 32, 8, UINT64_MAX },
        { 8, 0, 8, 0 }, { 8, 0, 8, UINT64_MAX }, { 8, 8, 4, 0 },
        { 8, 8, 4, UINT32_MAX },
        { 10, 0, 8, 0 }, { 10, 12, 4, 2 * MiB }, { 11, 8, 2, 0xffff },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
        const Kind *k = &kinds[bad[i].kind];
        g_autoptr(GByteArray) out = sampled(k->sample);
        uint64_t le = cpu_to_le64(bad[i].value);

        g_test_message("%s at %zu", k->name, bad[i].at);
        memcpy(out->data + CXL_POOL_WIRE_HEADER + bad[i].at, &le, bad[i].bytes);
        g_assert_false(reads(k, out->data + CXL_POOL_WIRE_HEADER,
                             out->len - CXL_POOL_WIRE_HEADER));
    }
}

static void nobody_is_handed_over(void)
{
    const QemuUUID none = { };
    g_autoptr(GByteArray) out = g_byte_array_new();
    CXLPoolMsg msg;

    cxl_pool_put_uuid(out, HEAD, CXL_POOL_MSG_HANDED, &none);
    msg = only(out);
    g_assert_cmphex(msg.type, ==, CXL_POOL_MSG_HANDED);
    g_assert_false(read_uuid(&msg));
}

/* The last word of an ATTACH: flags, of which there is one */
static void who_attaches_may_have_to_go_on(void)
{
    for (unsigned flags = 0; flags < 2; flags++) {
        g_autoptr(GByteArray) out = sampled(sample_attach);
        CXLPoolMsg msg;
        CXLPoolAttach m;

        g_assert_cmphex(ldl_le_p(out->data + out->len - 4), ==, 1);
        stl_le_p(out->data + out->len - 4, flags);
        msg = only(out);
        g_assert_true(cxl_pool_get_attach(&msg, &m));
        g_assert_cmpuint(m.goes_on, ==, flags);
    }
}

static void a_stream_is_cut_into_messages(void)
{
    g_autoptr(GByteArray) out = sampled(sample_request);
    g_autoptr(GByteArray) second = sampled(sample_ended);
    size_t first = out->len;
    CXLPoolMsg msg;

    g_byte_array_append(out, second->data, second->len);
    for (size_t n = 0; n < first; n++) {
        g_assert_cmpint(cxl_pool_wire_next(out->data, n, &msg), ==, 0);
        g_assert_cmpuint(cxl_pool_wire_missing(out->data, n), ==,
                         n < CXL_POOL_WIRE_HEADER ? 0 : first - n);
    }
    g_assert_cmpint(cxl_pool_wire_next(out->data, out->len, &msg), ==, first);
    g_assert_cmphex(msg.type, ==, CXL_POOL_MSG_REQUEST);
    g_assert_cmphex(msg.head, ==, HEAD);
    g_assert_cmpint(cxl_pool_wire_next(out->data + first, out->len - first,
                                       &msg), ==, second->len);
    g_assert_cmphex(msg.type, ==, CXL_POOL_MSG_ENDED);
}

static void a_header_that_cannot_be_ends_the_stream(void)
{
    uint8_t header[CXL_POOL_WIRE_HEADER] = { 8, 0, 0, 0, 1, 0, 0, 0 };
    CXLPoolMsg msg;

    g_assert_cmpint(cxl_pool_wire_next(header, 8, &msg), ==, 8);
    header[5] = 1;
    g_assert_cmpint(cxl_pool_wire_next(header, 8, &msg), ==, -1);
    header[5] = 0;
    stl_le_p(header, 7);
    g_assert_cmpint(cxl_pool_wire_next(header, 8, &msg), ==, -1);
    stl_le_p(header, CXL_POOL_WIRE_MAX);
    g_assert_cmpint(cxl_pool_wire_next(header, 8, &msg), ==, 0);
    stl_le_p(header, CXL_POOL_WIRE_MAX + 1);
    g_assert_cmpint(cxl_pool_wire_next(header, 8, &msg), ==, -1);
    stl_le_p(header, UINT32_MAX);
    g_assert_cmpint(cxl_pool_wire_next(header, 8, &msg), ==, -1);
}

static void long_lists_are_several_messages(void)
{
    const unsigned n = 2 * CXL_POOL_WIRE_RANGES + 1;
    g_autofree CXLDCPiece *piece = g_new(CXLDCPiece, n);
    g_autoptr(GByteArray) out = g_byte_array_new();
    unsigned seen = 0, messages = 0;
    size_t pos = 0;

    for (unsigned i = 0; i < n; i++) {
        piece[i] = (CXLDCPiece) { i, 1, i };
    }
    cxl_pool_put_ranges(out, 0, CXL_POOL_MSG_ON, 0, piece, n);
    while (pos < out->len) {
        CXLPoolRanges m;
        CXLPoolMsg msg;

        pos += cxl_pool_wire_next(out->data + pos, out->len - pos, &msg);
        g_assert_true(cxl_pool_get_ranges(&msg, &m));
        for (unsigned i = 0; i < m.n; i++) {
            g_assert_cmpuint(cxl_pool_wire_range(&m, i).dpa, ==, seen++);
        }
        messages++;
    }
    g_assert_cmpuint(seen, ==, n);
    g_assert_cmpuint(messages, ==, 3);
}

static void a_sentence_is_printable_and_short(void)
{
    g_autofree char *text = g_strnfill(CXL_POOL_WIRE_TEXT + 9, 'x');
    g_autoptr(GByteArray) out = g_byte_array_new();
    g_autofree char *got = NULL;
    CXLPoolMsg msg;

    text[1] = '\n';
    text[2] = '\x1b';
    cxl_pool_put_text(out, HEAD, CXL_POOL_MSG_REFUSED, text);
    msg = only(out);
    g_assert_cmphex(msg.type, ==, CXL_POOL_MSG_REFUSED);
    g_assert_cmphex(msg.head, ==, HEAD);
    got = cxl_pool_get_text(&msg);
    g_assert_cmpuint(strlen(got), ==, CXL_POOL_WIRE_TEXT);
    g_assert_true(g_str_has_prefix(got, "x??x"));
}

#define ADD(name) g_test_add_func("/cxl/pool/wire/" #name, name)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(each_message_has_its_bytes);
    ADD(a_body_of_another_length_is_none);
    ADD(random_bytes_are_read_safely);
    ADD(numbers_that_cannot_be_are_refused);
    ADD(nobody_is_handed_over);
    ADD(who_attaches_may_have_to_go_on);
    ADD(a_stream_is_cut_into_messages);
    ADD(a_header_that_cannot_be_ends_the_stream);
    ADD(long_lists_are_several_messages);
    ADD(a_sentence_is_printable_and_short);
    return g_test_run();
}
