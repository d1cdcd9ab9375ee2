/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CXL commands over MCTP: header, type and set pairing, lengths, answers.
 * Reference: CXL r3.2 7.6.3; DMTF DSP0234, DSP0281.
 */
#include "qemu/osdep.h"
#include "mctp-test-util.h"
#include "hw/mctp/mctp-internal.h"
#include "hw/cxl/mctp/message.h"

#define PAYLOAD_MAX 256

/* A component whose every command does what the test said before */
typedef struct Component {
    MCTPCXLTarget target;
    MCTPEndpoint *ep;
    CXLRetCode ret_code;
    bool background;
    bool in_reset;
    bool unplugs;
    bool later;
    unsigned arrivals;
    unsigned runs;
    uint16_t opcode;
} Component;

static MCTPCXLRan run(void *opaque, uint16_t opcode, const void *in,
                      size_t in_len, void *out, size_t out_size,
                      MCTPCXLAnswer *answer)
{
    Component *c = opaque;

    if (c->unplugs) {
        g_clear_pointer(&c->ep, mctp_endpoint_free);
        mctp_cxl_forget(&c->target);
        return MCTP_CXL_GONE;
    }
    if (c->in_reset) {
        return MCTP_CXL_SILENT;
    }
    c->runs++;
    c->opcode = opcode;
    if (c->later) {
        return MCTP_CXL_LATER;
    }
    g_assert_cmpuint(out_size, ==, PAYLOAD_MAX);
    answer->ret_code = c->ret_code;
    answer->background = c->background;
    if (c->ret_code == CXL_RC_SUCCESS) {
        /* the payload back, last byte first */
        for (size_t i = 0; i < in_len; i++) {
            ((uint8_t *)out)[i] = ((const uint8_t *)in)[in_len - 1 - i];
        }
        answer->len = in_len;
    }
    return MCTP_CXL_ANSWERED;
}

static void arrived(void *opaque)
{
    Component *c = opaque;

    c->arrivals++;
}

static Component *component_new(void)
{
    const MCTPEndpointConfig config = {
        .max_message = mctp_cxl_message_max(PAYLOAD_MAX),
        .unit = 64,
        .static_eid = 9,
    };
    Component *c = g_new0(Component, 1);

    c->ep = mctp_endpoint_new(&config);
    c->target = (MCTPCXLTarget) {
        .run = run,
        .arrived = arrived,
        .opaque = c,
        .payload_max = PAYLOAD_MAX,
    };
    g_assert_true(mctp_cxl_attach(c->ep, &c->target));
    g_assert_false(mctp_cxl_attach(c->ep, &c->target));
    return c;
}

static void component_free(Component *c)
{
    mctp_cxl_forget(&c->target);
    mctp_endpoint_free(c->ep);
    g_free(c);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Component, component_free)

/* A message arrives in packets of 64 */
static void arrive(Component *c, const char *text, uint8_t tag)
{
    g_autoptr(GByteArray) body = span(text);
    unsigned seq = 0;

    for (size_t at = 0; at < body->len; at += 64, seq++) {
        size_t part = MIN(64, body->len - at);
        uint8_t packet[68] = {
            0x01, 0x09, 0x08, 0x08 | tag | (seq & 3) << 4 | (at ? 0 : 0x80) |
            (at + part == body->len ? 0x40 : 0),
        };

        memcpy(packet + 4, body->data + at, part);
        mctp_endpoint_receive(c->ep, packet, 4 + part, 0x10, 0);
    }
}

/* All that is to be sent, put together, or NULL */
static GByteArray *leave(Component *c)
{
    GByteArray *answer = NULL;
    MCTPTxPacket pkt;

    while (mctp_txqueue_peek(mctp_endpoint_tx(c->ep), 0, &pkt)) {
        if (!answer) {
            answer = g_byte_array_new();
        }
        g_byte_array_append(answer, pkt.data + 4, pkt.len - 4);
        mctp_txqueue_sent(mctp_endpoint_tx(c->ep), pkt.id, 0);
    }
    return answer;
}

static GByteArray *exchange(Component *c, const char *text)
{
    arrive(c, text, 2);
    g_assert_true(mctp_cxl_run(c->ep, &c->target, 0));
    return leave(c);
}

static const struct {
    const char *name;
    const char *in;
    const char *out;        /* NULL: dropped */
    unsigned runs;
    CXLRetCode ret_code;
    bool background;
    bool in_reset;
} cases[] = {
    { "identify", "08 00 01 00 01 00 00 00 00 00 00 cd ab",
      "08 01 01 00 01 00 00 00 00 00 00 00 00", 1 },
    { "payload", "08 00 7f 00 02 01 03 00 00 00 00 00 00 11 22 33",
      "08 01 7f 00 02 01 03 00 00 00 00 00 00 33 22 11", 1 },
    { "fm-api", "07 00 02 00 04 56 01 00 00 00 00 00 00 aa",
      "07 01 02 00 04 56 01 00 00 00 00 00 00 aa", 1 },
    { "reserved-category-bits", "08 f0 02 ff 01 00 00 00 00 ff ff ff ff",
      "08 01 02 00 01 00 00 00 00 00 00 00 00", 1 },
    { "reserved-length-bits", "08 00 02 00 01 00 01 00 f0 00 00 00 00 aa",
      "08 01 02 00 01 00 01 00 00 00 00 00 00 aa", 1 },
    { "error-has-no-payload", "08 00 02 00 01 00 01 00 00 00 00 00 00 aa",
      "08 01 02 00 01 00 00 00 00 02 00 00 00", 1, CXL_RC_INVALID_INPUT },
    { "background-started", "08 00 02 00 00 44 00 00 00 00 00 00 00",
      "08 01 02 00 00 44 00 00 80 01 00 00 00", 1, CXL_RC_BG_STARTED, true },
    { "background-goes-on", "08 00 02 00 02 00 01 00 00 00 00 00 00 55",
      "08 01 02 00 02 00 01 00 80 00 00 00 00 55", 1, CXL_RC_SUCCESS, true },
    { "payload-as-long-as-allowed",
      "08 00 02 00 01 04 00 01 00 00 00 00 00 5a*256",
      "08 01 02 00 01 04 00 01 00 00 00 00 00 5a*256", 1 },
    { "payload-too-long-by-one",
      "08 00 02 00 01 04 01 01 00 00 00 00 00 5a*257",
      "08 01 02 00 01 04 00 00 00 16 00 00 00", 0 },
    { "message-over-long",
      "07 00 02 00 04 56 d0 07 00 00 00 00 00 5a*2000",
      "07 01 02 00 04 56 00 00 00 16 00 00 00", 0 },
    { "length-field-short", "08 00 02 00 01 00 00 00 00 00 00 00 00 11",
      "08 01 02 00 01 00 00 00 00 16 00 00 00", 0 },
    { "length-field-long", "08 00 02 00 01 00 ff ff 0f 00 00 00 00 11",
      "08 01 02 00 01 00 00 00 00 16 00 00 00", 0 },
    { "fm-api-opcode-as-cci", "08 00 02 00 00 56 00 00 00 00 00 00 00",
      "08 01 02 00 00 56 00 00 00 03 00 00 00", 0 },
    { "cci-opcode-as-fm-api", "07 00 02 00 01 00 00 00 00 00 00 00 00",
      "07 01 02 00 01 00 00 00 00 03 00 00 00", 0 },
    { "response-dropped", "08 01 02 00 01 00 00 00 00 00 00 00 00", NULL, 0 },
    { "category-unknown", "08 0f 02 00 01 00 00 00 00 00 00 00 00", NULL, 0 },
    { "header-cut-off", "08 00 02 00 01 00 00 00 00 00 00 00", NULL, 0 },
    { "type-byte-only", "08", NULL, 0 },
    { "in-reset", "08 00 02 00 01 00 00 00 00 00 00 00 00", NULL, 0,
      CXL_RC_SUCCESS, false, true },
};

static void test_cases(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        g_autoptr(Component) c = component_new();
        g_autoptr(GByteArray) answer = NULL;

        g_test_message("%s", cases[i].name);
        c->ret_code = cases[i].ret_code;
        c->background = cases[i].background;
        c->in_reset = cases[i].in_reset;
        answer = exchange(c, cases[i].in);
        g_assert_cmpuint(c->runs, ==, cases[i].runs);
        if (cases[i].out) {
            g_assert_nonnull(answer);
            assert_span(answer->data, answer->len, cases[i].out);
        } else {
            MCTPDrop why = cases[i].in_reset ? MCTP_DROP_REFUSED
                                             : MCTP_DROP_MALFORMED;

            g_assert_null(answer);
            g_assert_cmpuint(c->ep->stats.drop[why], ==, 1);
        }
    }
}

/* Each command set runs over one of the two types and only that */
static void test_every_set_has_one_type(void)
{
    g_autoptr(Component) c = component_new();

    for (unsigned set = 0; set <= 0xff; set++) {
        bool fm = set >= 0x51 && set <= 0x5f;

        for (unsigned type = 7; type <= 8; type++) {
            bool right = (type == 7) == fm;
            g_autofree char *in = g_strdup_printf(
                "%02x 00 05 00 00 %02x 00 00 00 00 00 00 00", type, set);
            g_autofree char *out = g_strdup_printf(
                "%02x 01 05 00 00 %02x 00 00 00 %s 00 00 00", type, set,
                right ? "00" : "03");
            g_autoptr(GByteArray) answer = NULL;

            c->runs = 0;
            answer = exchange(c, in);
            g_assert_nonnull(answer);
            assert_span(answer->data, answer->len, out);
            g_assert_cmpuint(c->runs, ==, right);
            if (right) {
                g_assert_cmphex(c->opcode, ==, set << 8);
            }
        }
    }
}

/* Nothing runs inside a receive; then each in its turn */
static void test_requests_wait(void)
{
    g_autoptr(Component) c = component_new();
    g_autoptr(GByteArray) answers = NULL;

    arrive(c, "08 00 01 00 01 04 01 00 00 00 00 00 00 11", 1);
    arrive(c, "08 00 02 00 02 04 01 00 00 00 00 00 00 22", 2);
    g_assert_cmpuint(c->arrivals, ==, 2);
    g_assert_cmpuint(c->runs, ==, 0);
    g_assert_null(leave(c));
    g_assert_true(mctp_cxl_run(c->ep, &c->target, 0));
    g_assert_cmpuint(c->runs, ==, 2);
    g_assert_cmphex(c->opcode, ==, 0x0402);
    answers = leave(c);
    assert_span(answers->data, answers->len,
                "08 01 01 00 01 04 01 00 00 00 00 00 00 11"
                " 08 01 02 00 02 04 01 00 00 00 00 00 00 22");
    g_assert_true(mctp_cxl_run(c->ep, &c->target, 0));
    g_assert_cmpuint(c->runs, ==, 2);
}

/* A control request waits behind a command, and only then */
static void test_answers_keep_the_order(void)
{
    g_autoptr(Component) c = component_new();

    feed(c->ep, "01 09 08 c8 00 81 02", 0x10, 0);
    expect_tx(c->ep, 0, "01 08 09 c0 00 01 02 00 09 02 00");
    arrive(c, "08 00 01 00 01 04 01 00 00 00 00 00 00 11", 1);
    feed(c->ep, "01 09 08 c8 00 82 02", 0x10, 0);
    expect_tx(c->ep, 0, NULL);
    g_assert_true(mctp_cxl_run(c->ep, &c->target, 0));
    expect_tx(c->ep, 0, "01 08 09 c1 08 01 01 00 01 04 01 00 00 00 00 00 00"
                        " 11");
    expect_tx(c->ep, 0, "01 08 09 c0 00 02 02 00 09 02 00");
}

static void test_more_than_can_wait(void)
{
    g_autoptr(Component) c = component_new();

    /* a tag that is used again is a request all the same */
    for (unsigned i = 0; i <= MCTP_CXL_WAITING_MAX; i++) {
        arrive(c, "08 00 01 00 01 04 00 00 00 00 00 00 00", i & 7);
    }
    g_assert_cmpuint(c->ep->stats.drop[MCTP_DROP_QUEUE_FULL], ==, 1);
    g_assert_true(mctp_cxl_run(c->ep, &c->target, 0));
    g_assert_cmpuint(c->runs, ==, MCTP_CXL_WAITING_MAX);
    arrive(c, "08 00 01 00 01 04 00 00 00 00 00 00 00", 0);
    mctp_cxl_forget(&c->target);
    g_assert_true(mctp_cxl_run(c->ep, &c->target, 0));
    g_assert_cmpuint(c->runs, ==, MCTP_CXL_WAITING_MAX);
}

static void test_an_answer_that_comes_later(void)
{
    g_autoptr(Component) c = component_new();

    c->later = true;
    arrive(c, "08 00 01 00 01 04 00 00 00 00 00 00 00", 1);
    arrive(c, "08 00 02 00 02 04 01 00 00 00 00 00 00 11", 2);
    g_assert_true(mctp_cxl_run(c->ep, &c->target, 0));
    g_assert_true(mctp_cxl_run(c->ep, &c->target, 0));
    g_assert_cmpuint(c->runs, ==, 1);
    /* Get Endpoint ID waits, too */
    feed(c->ep, "01 09 08 c8 00 82 02", 0x10, 0);
    expect_tx(c->ep, 0, NULL);
    mctp_cxl_answer(c->ep, &c->target, CXL_RC_SUCCESS, "ab", 2, true, 0);
    expect_tx(c->ep, 0, "01 08 09 c1 08 01 01 00 01 04 02 00 80 00 00 00 00"
                        " 61 62");
    c->later = false;
    g_assert_true(mctp_cxl_run(c->ep, &c->target, 0));
    g_assert_cmpuint(c->runs, ==, 2);
    expect_tx(c->ep, 0, "01 08 09 c2 08 01 02 00 02 04 01 00 00 00 00 00 00"
                        " 11");
    expect_tx(c->ep, 0, "01 08 09 c0 00 02 02 00 09 02 00");
}

static void test_one_that_will_be_answered_is_forgotten(void)
{
    g_autoptr(Component) c = component_new();

    c->later = true;
    arrive(c, "08 00 01 00 01 04 00 00 00 00 00 00 00", 0);
    g_assert_true(mctp_cxl_run(c->ep, &c->target, 0));
    mctp_cxl_forget(&c->target);
    c->later = false;
    arrive(c, "08 00 02 00 02 04 00 00 00 00 00 00 00", 1);
    g_assert_true(mctp_cxl_run(c->ep, &c->target, 0));
    expect_tx(c->ep, 0, "01 08 09 c1 08 01 02 00 02 04 00 00 00 00 00 00 00");
}

/* The first command frees the endpoint, with another one waiting */
static void test_command_that_unplugs_its_endpoint(void)
{
    g_autoptr(Component) c = component_new();

    c->unplugs = true;
    arrive(c, "08 00 01 00 01 04 00 00 00 00 00 00 00", 0);
    arrive(c, "08 00 01 00 01 04 00 00 00 00 00 00 00", 1);
    g_assert_false(mctp_cxl_run(c->ep, &c->target, 0));
    g_assert_null(c->ep);
}

/* An inner message of a tunnel has the same header, without a type byte */
static void test_header(void)
{
    g_autoptr(GByteArray) bytes =
        span("01 5a 00 02 56 45 23 8f 1e 00 cd ab");
    CXLCCIMsg msg;
    uint8_t out[CXL_CCI_MSG_HEADER];

    for (size_t len = 0; len < CXL_CCI_MSG_HEADER; len++) {
        g_assert_false(cxl_cci_msg_decode(bytes->data, len, &msg));
    }
    g_assert_true(cxl_cci_msg_decode(bytes->data, bytes->len, &msg));
    g_assert_cmpuint(msg.category, ==, CXL_CCI_MSG_RESPONSE);
    g_assert_cmphex(msg.tag, ==, 0x5a);
    g_assert_cmphex(msg.opcode, ==, 0x5602);
    g_assert_cmphex(msg.length, ==, 0xf2345);
    g_assert_true(msg.background);
    g_assert_cmphex(msg.ret_code, ==, CXL_RC_INVALID_EXTENT_LIST);
    g_assert_cmphex(msg.vendor_status, ==, 0xabcd);
    cxl_cci_msg_encode(&msg, out);
    g_assert_cmpmem(out, sizeof(out), bytes->data, bytes->len);
}

static void test_message_max(void)
{
    g_assert_cmpuint(mctp_cxl_message_max(4096), >=, 13 + 4096 + 16);
    g_assert_cmpuint(mctp_cxl_message_max(UINT32_MAX), ==, MCTP_MESSAGE_MAX);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) g_test_add_func("/mctp/cxl/" #f, test_ ## f)
    T(cases);
    T(every_set_has_one_type);
    T(requests_wait);
    T(answers_keep_the_order);
    T(more_than_can_wait);
    T(an_answer_that_comes_later);
    T(one_that_will_be_answered_is_forgotten);
    T(command_that_unplugs_its_endpoint);
    T(header);
    T(message_max);
    return g_test_run();
}
