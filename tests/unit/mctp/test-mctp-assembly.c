/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MCTP assembly: these packets in, these messages or nothing out.
 * Reference: DMTF DSP0236 8.1, 8.3, 8.4.
 *
 * Last header byte: 80 SOM, 40 EOM, 30 sequence, 08 TO, 07 tag. The endpoint
 * has EID 9, keeps 256 bytes of a message, and takes types 08 and 7e.
 */
#include "qemu/osdep.h"
#include "mctp-test-util.h"
#include "hw/mctp/mctp-internal.h"
#include "hw/mctp/mctp_assembler.h"

typedef struct PacketIn {
    const char *bytes;
    MCTPDrop why;
    int at_ms;
    uint32_t link;
} PacketIn;

typedef struct AssemblyCase {
    const char *name;
    PacketIn in[10];
    const char *out[4];
    uint32_t total;         /* of the first message, if it was cut off */
    struct {
        MCTPDrop why;
        unsigned count;
    } lost[2];              /* assemblies lost on the way */
} AssemblyCase;

static const AssemblyCase cases[] = {
    { "single-packet", { { "01 09 08 c8 | 08 11 22" } }, { "08 11 22" } },
    { "reserved-header-bits", { { "f1 09 08 c8 | 08 11" } }, { "08 11" } },
    { "destination-null", { { "01 00 08 c8 | 08 11" } }, { "08 11" } },
    { "source-null", { { "01 00 00 c8 | 08 11" } }, { "08 11" } },
    { "any-first-sequence-wraps",
      { { "01 09 08 b9 | 08 5a*63" }, { "01 09 08 09 | 01*64" },
        { "01 09 08 19 | 02*64" }, { "01 09 08 69 | 03" } },
      { "08 5a*63 01*64 02*64 03" } },
    { "last-packet-full",
      { { "01 09 08 88 | 08 5a*63" }, { "01 09 08 58 | 01*64" } },
      { "08 5a*63 01*64" } },
    { "units-of-250",
      { { "01 09 08 88 | 08 5a*249" }, { "01 09 08 58 | 01*6" } },
      { "08 5a*249 01*6" } },
    { "unit-below-baseline",
      { { "01 09 08 88 | 08 5a" }, { "01 09 08 58 | 01" } }, { "08 5a 01" } },
    { "empty", { { "", MCTP_DROP_SHORT }, { "01 09 08", MCTP_DROP_SHORT } } },
    { "header-only", { { "01 09 08 c8", MCTP_DROP_SHORT } } },
    { "version", { { "00 09 08 c8 | 08", MCTP_DROP_VERSION },
        { "02 09 08 c8 | 08", MCTP_DROP_VERSION } } },
    { "source-reserved", { { "01 09 01 c8 | 08", MCTP_DROP_SOURCE },
        { "01 09 07 c8 | 08", MCTP_DROP_SOURCE },
        { "01 09 ff c8 | 08", MCTP_DROP_SOURCE } } },
    { "destination-other", { { "01 0a 08 c8 | 08", MCTP_DROP_DESTINATION },
        { "01 07 08 c8 | 08", MCTP_DROP_DESTINATION } } },
    { "broadcast-not-control", { { "01 ff 08 c8 | 08", MCTP_DROP_DESTINATION },
        { "01 ff 08 88 | 00", MCTP_DROP_DESTINATION } } },
    { "reply-to-nobody", { { "01 09 08 c0 | 08 11", MCTP_DROP_TAG } } },
    { "type-unknown", { { "01 09 08 c8 | 01 11", MCTP_DROP_TYPE },
        { "01 09 08 c8 | 7d 11", MCTP_DROP_TYPE } } },
    { "integrity-bit", { { "01 09 08 c8 | 88 11", MCTP_DROP_INTEGRITY } } },
    { "control-in-two-packets",
      { { "01 09 08 88 | 00 80*63", MCTP_DROP_CONTROL },
        { "01 09 08 58 | 00", MCTP_DROP_NO_START } } },
    { "middle-without-start", { { "01 09 08 08 | 5a*64", MCTP_DROP_NO_START },
        { "01 09 08 58 | 5a", MCTP_DROP_NO_START } } },
    { "end-without-start-then-good",
      { { "01 09 08 48 | 08", MCTP_DROP_NO_START }, { "01 09 08 c8 | 08 01" } },
      { "08 01" } },
    { "lost-middle", { { "01 09 08 88 | 08 5a*63" },
        { "01 09 08 28 | 5a*64", MCTP_DROP_SEQUENCE },
        { "01 09 08 78 | 5a", MCTP_DROP_NO_START } } },
    { "duplicated-middle",
      { { "01 09 08 88 | 08 5a*63" }, { "01 09 08 18 | 5a*64" },
        { "01 09 08 18 | 5a*64", MCTP_DROP_SEQUENCE },
        { "01 09 08 68 | 5a", MCTP_DROP_NO_START } } },
    { "duplicated-end", { { "01 09 08 88 | 08 5a*63" }, { "01 09 08 58 | 01" },
        { "01 09 08 58 | 01", MCTP_DROP_NO_START } }, { "08 5a*63 01" } },
    { "swapped", { { "01 09 08 88 | 08 5a*63" },
        { "01 09 08 28 | 02*64", MCTP_DROP_SEQUENCE },
        { "01 09 08 18 | 01*64", MCTP_DROP_NO_START },
        { "01 09 08 78 | 03", MCTP_DROP_NO_START } } },
    { "restarted",
      { { "01 09 08 88 | 08 5a*63" }, { "01 09 08 88 | 08 a5*63" },
        { "01 09 08 58 | 01" } }, { "08 a5*63 01" },
      .lost = { { MCTP_DROP_RESTARTED, 1 } } },
    { "never-ended-then-single",
      { { "01 09 08 88 | 08 5a*63" }, { "01 09 08 c8 | 08 02" } },
      { "08 02" }, .lost = { { MCTP_DROP_RESTARTED, 1 } } },
    { "middle-shorter", { { "01 09 08 88 | 08 5a*63" },
        { "01 09 08 18 | 5a*63", MCTP_DROP_UNIT },
        { "01 09 08 68 | 5a", MCTP_DROP_NO_START } } },
    { "middle-longer", { { "01 09 08 88 | 08 5a*63" },
        { "01 09 08 18 | 5a*65", MCTP_DROP_UNIT } } },
    { "end-longer", { { "01 09 08 88 | 08 5a*63" },
        { "01 09 08 58 | 5a*65", MCTP_DROP_UNIT },
        { "01 09 08 58 | 5a", MCTP_DROP_NO_START } } },
    { "interleaved-tags",
      { { "01 09 08 88 | 08 5a*63" }, { "01 09 08 89 | 08 a5*63" },
        { "01 09 08 59 | 02" }, { "01 09 08 58 | 01" } },
      { "08 a5*63 02", "08 5a*63 01" } },
    { "interleaved-sources",
      { { "01 09 08 88 | 08 5a*63" }, { "01 09 0b 88 | 08 a5*63" },
        { "01 09 08 58 | 01" }, { "01 09 0b 58 | 02" } },
      { "08 5a*63 01", "08 a5*63 02" } },
    { "interleaved-destinations",
      { { "01 09 08 88 | 08 5a*63" }, { "01 00 08 88 | 08 a5*63" },
        { "01 09 08 58 | 01" }, { "01 00 08 58 | 02" } },
      { "08 5a*63 01", "08 a5*63 02" } },
    { "interleaved-links", { { "01 00 00 88 | 08 5a*63", 0, 0, 0x10 },
        { "01 00 00 88 | 08 a5*63", 0, 0, 0x11 },
        { "01 00 00 58 | 01", 0, 0, 0x10 },
        { "01 00 00 58 | 02", 0, 0, 0x11 } },
      { "08 5a*63 01", "08 a5*63 02" } },
    { "interleaved-types",
      { { "01 09 08 88 | 08 5a*63" }, { "01 09 08 ca | 7e 01" },
        { "01 09 08 58 | 01" } }, { "7e 01", "08 5a*63 01" } },
    { "slow-but-in-time", { { "01 09 08 88 | 08 5a*63", 0, 0 },
        { "01 09 08 18 | 5a*64", 0, 6000 }, { "01 09 08 68 | 01", 0, 12000 } },
      { "08 5a*63 5a*64 01" } },
    { "expired", { { "01 09 08 88 | 08 5a*63", 0, 0 },
        { "01 09 08 58 | 01", MCTP_DROP_NO_START, 6001 } },
      .lost = { { MCTP_DROP_EXPIRED, 1 } } },
    { "as-long-as-allowed",
      { { "01 09 08 88 | 08 5a*127" }, { "01 09 08 58 | 01*128" } },
      { "08 5a*127 01*128" } },
    { "over-long-by-one",
      { { "01 09 08 88 | 08 5a*127" }, { "01 09 08 18 | 01*128" },
        { "01 09 08 68 | 02" } }, { "08 5a*127 01*128" }, .total = 257 },
    { "over-long-keeps-going",
      { { "01 09 08 88 | 08 5a*199" }, { "01 09 08 18 | 01*200" },
        { "01 09 08 28 | 02*200" }, { "01 09 08 38 | 03*200" },
        { "01 09 08 48 | 04" }, { "01 09 08 c8 | 08" } },
      { "08 5a*199 01*56", "08" }, .total = 801 },
};

static Recorder *taker_new(uint32_t max_message)
{
    const MCTPEndpointConfig config = {
        .max_message = max_message,
        .unit = MCTP_UNIT_BASELINE,
        .static_eid = 9,
    };
    Recorder *r = recorder_new(&config);

    g_assert_true(mctp_endpoint_add_type(r->ep, 0x7e, MCTP_VERSION_1_0,
                                         record, r));
    return r;
}

static void test_case(gconstpointer data)
{
    const AssemblyCase *c = data;
    g_autoptr(Recorder) r = taker_new(256);
    MCTPEndpoint *ep = r->ep;
    const MCTPStats *stats = &ep->stats;
    uint64_t drops[MCTP_DROP__COUNT] = { 0 };
    unsigned in = 0, out = 0;

    for (; in < ARRAY_SIZE(c->in) && c->in[in].bytes; in++) {
        const PacketIn *p = &c->in[in];
        MCTPDrop why = feed(ep, p->bytes, p->link, p->at_ms * MS);

        g_assert_cmpint(why, ==, p->why);
        if (why) {
            drops[why]++;
        }
    }
    for (; out < ARRAY_SIZE(c->out) && c->out[out]; out++) {
        const GByteArray *body = g_ptr_array_index(r->body, out);

        recorded_is(r, out, c->out[out]);
        g_assert_cmpuint(g_array_index(r->msg, MCTPMessage, out).total, ==,
                         out == 0 && c->total ? c->total : body->len);
    }
    g_assert_cmpuint(r->body->len, ==, out);

    for (unsigned i = 0; i < ARRAY_SIZE(c->lost); i++) {
        drops[c->lost[i].why] += c->lost[i].count;
    }
    for (unsigned i = 0; i < MCTP_DROP__COUNT; i++) {
        g_assert_cmpuint(stats->drop[i], ==, drops[i]);
    }
    g_assert_cmpuint(stats->rx_packets, ==, in);
    g_assert_cmpuint(stats->rx_messages, ==, out);
}

/* Every unit from the baseline to what an SMBus block write carries */
static void test_all_units(void)
{
    for (unsigned unit = MCTP_UNIT_BASELINE; unit <= MCTP_UNIT_MAX; unit++) {
        g_autoptr(Recorder) r = taker_new(4096);
        MCTPEndpoint *ep = r->ep;
        g_autofree char *first = g_strdup_printf("01 09 08 88 | 08 11*%u",
                                                 unit - 1);
        g_autofree char *middle = g_strdup_printf("01 09 08 18 | 22*%u",
                                                  unit);
        g_autofree char *whole = g_strdup_printf("08 11*%u 22*%u 33",
                                                 unit - 1, unit);

        feed_ok(ep, first, 0, 0);
        feed_ok(ep, middle, 0, 0);
        g_assert_cmpuint(r->body->len, ==, 0);
        feed_ok(ep, "01 09 08 68 | 33", 0, 0);
        g_assert_cmpuint(r->body->len, ==, 1);
        recorded_is(r, 0, whole);
    }
}

/* All eight tags of one requester at once, packet by packet */
static void test_eight_tags(void)
{
    g_autoptr(Recorder) r = taker_new(4096);
    MCTPEndpoint *ep = r->ep;

    for (unsigned step = 0; step < 4; step++) {
        for (unsigned tag = 0; tag < 8; tag++) {
            g_autofree char *packet = g_strdup_printf(
                "01 09 08 %02x | %02x*%u",
                (step == 0 ? 0x80 : 0) | (step == 3 ? 0x40 : 0) | step << 4 |
                0x08 | tag, step == 0 ? 0x08 : tag, step == 3 ? 10 : 64);

            feed_ok(ep, packet, 0, 0);
        }
    }
    g_assert_cmpuint(r->body->len, ==, 8);
    for (unsigned tag = 0; tag < 8; tag++) {
        g_autofree char *want = g_strdup_printf("08*64 %02x*138", tag);

        recorded_is(r, tag, want);
    }
}

/* Starting messages without end costs the oldest of them, not memory */
static void test_flood_evicts_stalest(void)
{
    g_autoptr(Recorder) r = taker_new(4096);
    MCTPEndpoint *ep = r->ep;
    const MCTPStats *stats = &ep->stats;
    unsigned extra = 10;

    for (unsigned i = 0; i < MCTP_ASSEMBLY_SLOTS + extra; i++) {
        g_autofree char *packet = g_strdup_printf("01 09 %02x 88 | 08*64",
                                                  20 + i);

        feed_ok(ep, packet, 0, i);
    }
    g_assert_cmpuint(stats->drop[MCTP_DROP_EVICTED], ==, extra);
    for (unsigned i = 0; i < MCTP_ASSEMBLY_SLOTS + extra; i++) {
        g_autofree char *packet = g_strdup_printf("01 09 %02x 58 | 01",
                                                  20 + i);

        g_assert_cmpint(feed(ep, packet, 0, 1000), ==,
                        i < extra ? MCTP_DROP_NO_START : MCTP_DROP_NONE);
    }
    g_assert_cmpuint(r->body->len, ==, MCTP_ASSEMBLY_SLOTS);
}

static void test_reset_forgets(void)
{
    g_autoptr(Recorder) r = taker_new(4096);
    MCTPEndpoint *ep = r->ep;

    feed_ok(ep, "01 09 08 88 | 08*64", 0, 0);
    mctp_endpoint_reset(ep);
    g_assert_cmpint(feed(ep, "01 09 08 58 | 01", 0, 0), ==,
                    MCTP_DROP_NO_START);
    g_assert_cmpuint(r->body->len, ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        g_autofree char *path = g_strdup_printf("/mctp/assembly/%s",
                                                cases[i].name);

        g_test_add_data_func(path, &cases[i], test_case);
    }
    g_test_add_func("/mctp/assembly/all-units", test_all_units);
    g_test_add_func("/mctp/assembly/eight-tags", test_eight_tags);
    g_test_add_func("/mctp/assembly/flood-evicts-stalest",
                    test_flood_evicts_stalest);
    g_test_add_func("/mctp/assembly/reset-forgets", test_reset_forgets);
    return g_test_run();
}
