/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MCTP control protocol: every command and completion code, and what a bus
 * owner sends when it finds an endpoint.
 * Reference: DMTF DSP0236 11, 12.
 */
#include "qemu/osdep.h"
#include "mctp-test-util.h"
#include "hw/mctp/mctp-internal.h"

static const uint8_t uuid[16] = {
    0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
    0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff,
};

typedef struct Exchange {
    const char *in;
    const char *out;    /* NULL: no answer */
    MCTPDrop why;       /* of the packet that has no answer */
} Exchange;

typedef struct ControlCase {
    const char *name;
    Exchange step[12];
    uint8_t eid;        /* at the end */
    uint8_t static_eid;
    bool no_uuid;
} ControlCase;

static const ControlCase cases[] = {
    { "as-mctpd-sets-up-an-endpoint",
      { { "01 00 08 c8 00 80 02", "01 08 00 c0 00 00 02 00 00 00 00" },
        { "01 00 08 c8 00 81 01 00 09", "01 08 09 c0 00 01 01 00 00 09 00" },
        { "01 09 08 c8 00 82 05", "01 08 09 c0 00 02 05 00 02 07 08" },
        { "01 09 08 c8 00 83 03",
          "01 08 09 c0 00 03 03 00 00 11 22 33 44 55 66 77"
          " 88 99 aa bb cc dd ee ff" } }, .eid = 9 },
    { "set-eid-limits",
      { { "01 00 08 c8 00 80 01 00 00", "01 08 00 c0 00 00 01 02" },
        { "01 00 08 c8 00 80 01 00 01", "01 08 00 c0 00 00 01 02" },
        { "01 00 08 c8 00 80 01 00 07", "01 08 00 c0 00 00 01 02" },
        { "01 00 08 c8 00 80 01 01 ff", "01 08 00 c0 00 00 01 02" },
        { "01 00 08 c8 00 80 01 00 08", "01 08 08 c0 00 00 01 00 00 08 00" },
        { "01 00 08 c8 00 80 01 01 fe", "01 08 fe c0 00 00 01 00 00 fe 00" } },
      .eid = 0xfe },
    { "set-eid-by-old-eid-answers-from-it",
      { { "01 09 08 c8 00 80 01 00 0a", "01 08 09 c0 00 00 01 00 00 0a 00" },
        { "01 09 08 c8 00 80 02", NULL, MCTP_DROP_DESTINATION },
        { "01 0a 08 c8 00 80 02", "01 08 0a c0 00 00 02 00 0a 03 00" } },
      .static_eid = 9, .eid = 10 },
    { "set-eid-reset-without-static",
      { { "01 00 08 c8 00 80 01 02 00", "01 08 00 c0 00 00 01 02" } } },
    { "set-eid-reset-to-static",
      { { "01 00 08 c8 00 80 02", "01 08 1d c0 00 00 02 00 1d 02 00" },
        { "01 00 08 c8 00 80 01 00 0a", "01 08 0a c0 00 00 01 00 00 0a 00" },
        { "01 00 08 c8 00 80 02", "01 08 0a c0 00 00 02 00 0a 03 00" },
        { "01 00 08 c8 00 80 01 02 00", "01 08 1d c0 00 00 01 00 00 1d 00" } },
      .static_eid = 0x1d, .eid = 0x1d },
    { "set-eid-discovered-flag",
      { { "01 00 08 c8 00 80 01 03 0a", "01 08 00 c0 00 00 01 02" } } },
    { "set-eid-operation-ignores-reserved-bits",
      { { "01 00 08 c8 00 80 01 fc 0a", "01 08 0a c0 00 00 01 00 00 0a 00" } },
      .eid = 10 },
    { "too-short",
      { { "01 00 08 c8 00", NULL, MCTP_DROP_CONTROL },
        { "01 00 08 c8 00 80", NULL, MCTP_DROP_CONTROL },
        { "01 00 08 c8 00 80 01", "01 08 00 c0 00 00 01 03" },
        { "01 00 08 c8 00 80 01 00", "01 08 00 c0 00 00 01 03" },
        { "01 00 08 c8 00 80 04", "01 08 00 c0 00 00 04 03" } } },
    { "longer-than-needed",
      { { "01 00 08 c8 00 80 01 00 0a ee ee",
          "01 08 0a c0 00 00 01 00 00 0a 00" },
        { "01 00 08 c8 00 80 05 ee*61", "01 08 0a c0 00 00 05 00 02 07 08" } },
      .eid = 10 },
    { "versions",
      { { "01 00 08 c8 00 80 04 ff",
          "01 08 00 c0 00 00 04 00 01 f1 f3 f1 00" },
        { "01 00 08 c8 00 80 04 00",
          "01 08 00 c0 00 00 04 00 01 f1 f3 f1 00" },
        { "01 00 08 c8 00 80 04 07",
          "01 08 00 c0 00 00 04 00 01 f1 f0 ff 00" },
        { "01 00 08 c8 00 80 04 08",
          "01 08 00 c0 00 00 04 00 01 f1 f0 ff 00" },
        { "01 00 08 c8 00 80 04 06", "01 08 00 c0 00 00 04 80" },
        { "01 00 08 c8 00 80 04 7e", "01 08 00 c0 00 00 04 80" } } },
    { "no-uuid",
      { { "01 00 08 c8 00 80 03", "01 08 00 c0 00 00 03 05" } },
      .no_uuid = true },
    { "no-vendor-sets",
      { { "01 00 08 c8 00 80 06 00", "01 08 00 c0 00 00 06 05" } } },
    { "unknown-commands",
      { { "01 00 08 c8 00 80 00", "01 08 00 c0 00 00 00 05" },
        { "01 00 08 c8 00 80 07 09", "01 08 00 c0 00 00 07 05" },
        { "01 00 08 c8 00 80 08 00 00 00", "01 08 00 c0 00 00 08 05" },
        { "01 00 08 c8 00 80 09", "01 08 00 c0 00 00 09 05" },
        { "01 00 08 c8 00 80 0a 00", "01 08 00 c0 00 00 0a 05" },
        { "01 00 08 c8 00 80 0b", "01 08 00 c0 00 00 0b 05" },
        { "01 00 08 c8 00 80 0c", "01 08 00 c0 00 00 0c 05" },
        { "01 00 08 c8 00 80 0d", "01 08 00 c0 00 00 0d 05" },
        { "01 00 08 c8 00 80 14", "01 08 00 c0 00 00 14 05" },
        { "01 00 08 c8 00 80 ff", "01 08 00 c0 00 00 ff 05" } } },
    { "instance-id-and-reserved-bit",
      { { "01 00 08 c8 00 9f 02", "01 08 00 c0 00 1f 02 00 00 00 00" },
        { "01 00 08 c8 00 aa 02", "01 08 00 c0 00 0a 02 00 00 00 00" } } },
    { "responses-and-datagrams",
      { { "01 00 08 c8 00 00 02 00", NULL, MCTP_DROP_CONTROL },
        { "01 00 08 c8 00 40 01 00 0a", NULL, MCTP_DROP_CONTROL },
        { "01 00 08 c0 00 00 02 00", NULL, MCTP_DROP_TAG },
        { "01 00 08 c8 00 c0 01 00 0a", NULL, MCTP_DROP_NONE },
        { "01 0a 08 c8 00 80 02", "01 08 0a c0 00 00 02 00 0a 00 00" } },
      .eid = 10 },
    { "broadcast",
      { { "01 ff 08 c8 00 80 02", "01 08 09 c0 00 00 02 00 09 02 00" } },
      .static_eid = 9, .eid = 9 },
    { "integrity-bit",
      { { "01 00 08 c8 80 80 02", NULL, MCTP_DROP_INTEGRITY } } },
};

static void test_case(gconstpointer data)
{
    const ControlCase *c = data;
    const MCTPEndpointConfig config = {
        .uuid = c->no_uuid ? NULL : uuid,
        .max_message = 4096,
        .unit = 64,
        .static_eid = c->static_eid,
    };
    g_autoptr(Recorder) r = recorder_new(&config);
    MCTPEndpoint *ep = r->ep;

    /* listed in ascending order, whatever the order of registration */
    mctp_endpoint_add_type(ep, 0x07, MCTP_VERSION_1_0, record, r);
    for (size_t i = 0; i < ARRAY_SIZE(c->step) && c->step[i].in; i++) {
        const Exchange *x = &c->step[i];

        g_assert_cmpint(feed(ep, x->in, 0x10, 0), ==, x->why);
        expect_tx(ep, 0, x->out);
        expect_tx(ep, 0, NULL);
    }
    g_assert_cmpuint(ep->eid, ==, c->eid ? c->eid :
                     c->static_eid);
    g_assert_cmpuint(r->body->len, ==, 0);
    mctp_endpoint_reset(ep);
    g_assert_cmpuint(ep->eid, ==, c->static_eid);
}

static void test_registration_limits(void)
{
    const MCTPEndpointConfig config = { .static_eid = 3 };
    MCTPEndpoint *ep = mctp_endpoint_new(&config);

    /* no EID that a configuration may not have */
    g_assert_cmpuint(ep->eid, ==, 0);
    g_assert_false(mctp_endpoint_add_type(ep, 0x00, 0, record, NULL));
    g_assert_false(mctp_endpoint_add_type(ep, 0x80, 0, record, NULL));
    for (unsigned i = 1; i <= MCTP_TYPES_MAX; i++) {
        g_assert_true(mctp_endpoint_add_type(ep, i, 0, record, NULL));
        g_assert_false(mctp_endpoint_add_type(ep, i, 0, record, NULL));
    }
    g_assert_false(mctp_endpoint_add_type(ep, 0x7e, 0, record, NULL));
    feed(ep, "01 00 08 c8 00 80 05", 0, 0);
    expect_tx(ep, 0, "01 08 00 c0 00 00 05 00 10 01 02 03 04 05 06 07 08"
                     " 09 0a 0b 0c 0d 0e 0f 10");
    mctp_endpoint_free(ep);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        g_autofree char *path = g_strdup_printf("/mctp/control/%s",
                                                cases[i].name);

        g_test_add_data_func(path, &cases[i], test_case);
    }
    g_test_add_func("/mctp/control/registration-limits",
                    test_registration_limits);
    return g_test_run();
}
