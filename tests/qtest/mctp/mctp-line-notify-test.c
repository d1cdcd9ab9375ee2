/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Event Notification: who set the policy is told, on serial lines, on USB and
 * on I2C, of a log that got records and of an operation that ended.
 * Reference: CXL r3.2 8.2.10.2.6 to 8.2.10.2.8; DMTF DSP0236 8.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "mctp-line.h"
#include "mctp-usb-line.h"
#include "hw/mctp/mctp_i2c_frame.h"

#define EP_DEVICE 0x22
#define I2C_EID 20

#define GET_POLICY 0x0104
#define SET_POLICY 0x0105
#define NOTICE 0x0106
#define DC_LOG 0x10
#define BACKGROUND 0x8000
#define EXTENT (2 * MiB)
#define DC_BASE (256 * MiB)

/* More than a frame needs on I2C */
#define I2C_NS 20000000LL

/* What the transfer of a whole package takes */
#define FIRMWARE_NS 10000000000LL

static const LineKind *kind;
static uint64_t next_dpa;

/* Lines 0 and 1 and an I2C endpoint of one memory device, and its mailbox */
static char *machine_args(void)
{
    g_autofree char *a = kind->args(0, "mem0");
    g_autofree char *b = kind->args(1, "mem0");
    g_autofree char *c = kind->args(2, "us0");

    return g_strconcat(MCTP_MACHINE
        "-device cxl-switch-mailbox-cci,id=sw0,bus=pcie.0,addr=06.0,"
        "target=us0 "
        "-object memory-backend-ram,id=vmem,size=256M "
        "-object memory-backend-ram,id=dcmem,size=512M "
        "-device cxl-type3,id=mem0,bus=pcie.0,addr=07.0,volatile-memdev=vmem,"
        "volatile-dc-memdev=dcmem,num-dc-regions=2,sn=0x99 "
        "-device i2c_mctp_cxl,bus=dw.0,address=0x22,target=mem0,eid=20 ",
        kind->machine, a, b, c, NULL);
}

static void start(DwI2c *t, Mailbox *host)
{
    g_autofree char *args = machine_args();

    dw_start_args(t, args);
    mctp_listen(t);
    *host = mailbox_open(t, QPCI_DEVFN(7, 0), 2);
    if (kind->start) {
        kind->start(t->qts, t->pci);
    }
    next_dpa = DC_BASE;
}

static void stop(DwI2c *t, Mailbox *host)
{
    mailbox_close(host);
    if (kind->stop) {
        kind->stop();
    }
    dw_stop(t);
}

static void set_policy(Line *l, uint16_t policy, uint16_t rc)
{
    uint8_t in[2];

    stw_le_p(in, policy);
    answer_is(line_command(l, SET_POLICY, in, sizeof(in)), rc);
}

static void expect_policy(Line *l, uint16_t policy)
{
    Answer a = line_command(l, GET_POLICY, NULL, 0);

    g_assert_cmphex(a.ret_code, ==, 0);
    g_assert_cmpuint(a.payload->len, ==, 2);
    g_assert_cmphex(lduw_le_p(a.payload->data), ==, policy);
    answer_clear(&a);
}

/* An extent more is offered and accepted: a record for the FM */
static void fill_log(Line *l, Mailbox *host)
{
    uint8_t add[2 + 1 + 1 + 8 + 16 + 4] = { 0 };
    uint8_t accept[8 + 0x18] = { 1 };

    stq_le_p(add + 4, EXTENT);
    answer_is(line_command(l, 0x5604, add, sizeof(add)), 0);
    stq_le_p(accept + 8, next_dpa);
    stq_le_p(accept + 16, EXTENT);
    answer_is(mailbox_command(host, 0x4802, accept, sizeof(accept)), 0);
    next_dpa += EXTENT;
}

/* Read the log and clear what was read, as an FM does */
static void empty_log(Line *l)
{
    const uint8_t log = 4;
    uint8_t clear[6 + 2] = { 4, 0, 1 };

    for (;;) {
        Answer a = line_command(l, 0x0100, &log, 1);
        unsigned n;

        g_assert_cmphex(a.ret_code, ==, 0);
        n = lduw_le_p(a.payload->data + 0x14);
        if (n) {
            memcpy(clear + 6, a.payload->data + 0x20 + 0x14, 2);
        }
        answer_clear(&a);
        if (n == 0) {
            break;
        }
        answer_is(line_command(l, 0x0101, clear, sizeof(clear)), 0);
    }
}

typedef struct Notice {
    uint8_t tag;
    uint8_t cci_tag;
} Notice;

static Notice check_notice(const MCTPHeader *hdr, const uint8_t *body,
                           size_t len, uint8_t from, uint8_t to,
                           uint16_t conditions)
{
    const uint8_t want[] = {
        8, 0, body[2], 0, 0x06, 0x01, 2, 0, 0, 0, 0, 0, 0,
        conditions & 0xff, conditions >> 8,
    };

    g_assert_true(hdr->to);
    g_assert_cmphex(hdr->src, ==, from);
    g_assert_cmphex(hdr->dest, ==, to);
    g_assert_cmpmem(body, len, want, sizeof(want));
    return (Notice) { hdr->tag, body[2] };
}

static Notice expect_notice(Line *l, uint8_t eid, uint16_t conditions)
{
    MCTPHeader hdr;
    g_autoptr(GByteArray) body = line_message(l, &hdr);

    return check_notice(&hdr, body->data, body->len, l->eid, eid, conditions);
}

static void answer_packet(uint8_t *packet, uint8_t from, uint8_t to, Notice n)
{
    const uint8_t bytes[] = {
        1, to, from, 0xc0 | n.tag, 8, 1, n.cci_tag, 0, 0x06, 0x01, 0, 0, 0, 0,
        0, 0, 0,
    };

    memcpy(packet, bytes, sizeof(bytes));
}

#define ANSWER_LEN 17

/* The machine's time goes on only after it has seen the answer */
static void acknowledge(Line *l, uint8_t eid, Notice n)
{
    uint8_t packet[ANSWER_LEN];

    answer_packet(packet, eid, l->eid, n);
    line_send_packet(l, packet, sizeof(packet));
    line_quiet(l);
}

/* Time for any number of tries, and nothing comes */
static void expect_silence(DwI2c *t, Line *l)
{
    for (int i = 0; i < 4; i++) {
        qtest_clock_step(t->qts, ANSWER_NS + 1);
        line_quiet(l);
    }
}

/* A machine, and an FM on line 0 that asks to be told of @conditions */
static Line *start_told(DwI2c *t, Mailbox *host, uint16_t conditions)
{
    Line *l;

    start(t, host);
    l = kind->open(0);
    if (conditions) {
        set_policy(l, conditions, 0);
    }
    return l;
}

/* The same, told of the first record in the log */
static Line *start_noticed(DwI2c *t, Mailbox *host, Notice *n)
{
    Line *l = start_told(t, host, DC_LOG);

    fill_log(l, host);
    *n = expect_notice(l, PEER_EID, DC_LOG);
    return l;
}

static void test_policy(void)
{
    g_autoptr(Line) l = NULL;
    g_autoptr(Line) sw = NULL;
    Mailbox host, mailbox;
    DwI2c t;

    l = start_told(&t, &host, 0);
    sw = kind->open(2);
    expect_policy(l, 0);
    set_policy(l, 0x801f, 0);
    expect_policy(l, 0x801f);
    for (int bit = 5; bit < 15; bit++) {
        set_policy(l, 1 << bit, 2);
    }
    expect_policy(l, 0x801f);
    answer_is(line_command(l, SET_POLICY, "", 1), 0x16);
    answer_is(line_command(l, GET_POLICY, "", 1), 0x16);
    set_policy(l, 0, 0);
    expect_policy(l, 0);
    /* a component that is told something acknowledges it */
    answer_is(line_command(l, NOTICE, "\x10", 2), 0);
    answer_is(line_command(l, NOTICE, "\x20", 2), 2);
    answer_is(line_command(l, NOTICE, "\x10", 1), 0x16);

    set_policy(sw, BACKGROUND, 0);
    expect_policy(sw, BACKGROUND);
    set_policy(sw, 0x20, 2);
    /* a mailbox has no way to send anything */
    mailbox = mailbox_open(&t, QPCI_DEVFN(6, 0), 0);
    answer_is(mailbox_command(&mailbox, GET_POLICY, NULL, 0), 0x15);
    answer_is(mailbox_command(&mailbox, SET_POLICY, "\0", 2), 0x15);
    mailbox_close(&mailbox);
    line_quiet(l);
    stop(&t, &host);
}

static void test_log(void)
{
    g_autoptr(Line) l = NULL;
    Mailbox host;
    Notice n;
    DwI2c t;

    l = start_told(&t, &host, 0);
    empty_log(l);
    /* not asked for */
    fill_log(l, &host);
    expect_silence(&t, l);
    /* not from empty */
    set_policy(l, DC_LOG, 0);
    fill_log(l, &host);
    expect_silence(&t, l);
    empty_log(l);
    for (int i = 0; i < 10; i++) {
        fill_log(l, &host);
        n = expect_notice(l, PEER_EID, DC_LOG);
        acknowledge(l, PEER_EID, n);
        fill_log(l, &host);
        line_quiet(l);
        empty_log(l);
    }
    expect_silence(&t, l);
    stop(&t, &host);
}

/* Told three times, then the FM is taken to be away; then it is back */
static void test_no_answer(void)
{
    g_autoptr(Line) l = NULL;
    Mailbox host;
    Notice n;
    DwI2c t;

    l = start_noticed(&t, &host, &n);
    for (int i = 0; i < 2; i++) {
        Notice again;

        line_quiet(l);
        qtest_clock_step(t.qts, ANSWER_NS + 1);
        again = expect_notice(l, PEER_EID, DC_LOG);
        g_assert_cmphex(again.cci_tag, ==, n.cci_tag);
    }
    expect_silence(&t, l);
    empty_log(l);
    fill_log(l, &host);
    n = expect_notice(l, PEER_EID, DC_LOG);
    acknowledge(l, PEER_EID, n);
    expect_silence(&t, l);
    stop(&t, &host);
}

/* Answers that are none do not end the wait */
static void test_wrong_answers(void)
{
    g_autoptr(Line) l = NULL;
    Mailbox host;
    Notice n;
    DwI2c t;

    l = start_noticed(&t, &host, &n);
    acknowledge(l, PEER_EID, (Notice) { n.tag ^ 1, n.cci_tag });
    acknowledge(l, 77, n);
    line_quiet(l);
    qtest_clock_step(t.qts, ANSWER_NS + 1);
    n = expect_notice(l, PEER_EID, DC_LOG);
    /* this one takes the place of the answer and is thrown away */
    acknowledge(l, PEER_EID, (Notice) { n.tag, n.cci_tag + 1 });
    acknowledge(l, PEER_EID, n);
    line_quiet(l);
    qtest_clock_step(t.qts, ANSWER_NS + 1);
    n = expect_notice(l, PEER_EID, DC_LOG);
    acknowledge(l, PEER_EID, n);
    acknowledge(l, PEER_EID, n);
    expect_silence(&t, l);
    stop(&t, &host);
}

/* Each line has a policy, and each policy the EID that set it */
static void test_who_is_told(void)
{
    const uint8_t policy[] = { DC_LOG, 0 };
    g_autoptr(GByteArray) body = NULL;
    g_autoptr(Line) one = NULL;
    g_autoptr(Line) two = NULL;
    MCTPHeader hdr;
    Mailbox host;
    DwI2c t;

    one = start_told(&t, &host, 0);
    two = kind->open(1);
    set_policy(two, DC_LOG, 0);
    expect_policy(one, 0);
    fill_log(one, &host);
    acknowledge(two, PEER_EID, expect_notice(two, PEER_EID, DC_LOG));
    line_quiet(one);

    set_policy(one, DC_LOG, 0);
    empty_log(one);
    fill_log(one, &host);
    acknowledge(one, PEER_EID, expect_notice(one, PEER_EID, DC_LOG));
    acknowledge(two, PEER_EID, expect_notice(two, PEER_EID, DC_LOG));

    /* somebody else behind line two takes over */
    line_request(two, 0x42, 1, 1, SET_POLICY, policy, 2);
    body = line_message(two, &hdr);
    g_assert_cmphex(hdr.dest, ==, 0x42);
    set_policy(one, 0, 0);
    empty_log(one);
    fill_log(one, &host);
    acknowledge(two, 0x42, expect_notice(two, 0x42, DC_LOG));
    expect_silence(&t, one);
    line_quiet(two);
    stop(&t, &host);
}

/* A cut line loses the notice, not the news: it comes again on the new one */
static void test_reconnect(void)
{
    Line *l;
    Mailbox host;
    Notice n;
    DwI2c t;

    l = start_noticed(&t, &host, &n);
    line_close(l);
    l = kind->open(0);
    line_quiet(l);
    qtest_clock_step(t.qts, ANSWER_NS + 1);
    acknowledge(l, PEER_EID, expect_notice(l, PEER_EID, DC_LOG));
    expect_silence(&t, l);
    line_close(l);
    stop(&t, &host);
}

static void test_reset(void)
{
    g_autoptr(Line) l = NULL;
    Mailbox host;
    Notice n;
    DwI2c t;

    l = start_noticed(&t, &host, &n);
    qtest_system_reset(t.qts);
    if (kind->start) {
        /* the guest begins anew */
        dw_map(&t);
        kind->start(t.qts, t.pci);
        line_close(l);
        l = kind->open(0);
    }
    expect_silence(&t, l);
    expect_policy(l, 0);
    stop(&t, &host);
}

/*
 * A notice under way goes along to a machine with a peer on the same line.
 * Time starts there from zero, as it did here, where little of it has passed.
 */
static void test_migrate(void)
{
    g_autofree char *args = machine_args();
    g_autofree char *incoming = g_strconcat(args, "-incoming defer", NULL);
    g_autofree char *uri = g_strdup_printf("unix:%s", line_path(3));
    g_autoptr(Line) from = NULL;
    g_autoptr(Line) to = NULL;
    QTestState *dst;
    Mailbox host;
    Notice n;
    DwI2c t;

    from = start_noticed(&t, &host, &n);
    mailbox_close(&host);

    /* its socket takes the place of the old one's, which stays connected */
    dst = qtest_init(incoming);
    to = kind->open(0);
    for (int i = 0; i < 100; i++) {
        qtest_readb(dst, 0);
    }
    qtest_qmp_assert_success(dst, "{'execute': 'migrate-incoming',"
                             " 'arguments': {'uri': %s}}", uri);
    qtest_qmp_assert_success(t.qts, "{'execute': 'migrate',"
                             " 'arguments': {'uri': %s}}", uri);
    qtest_qmp_eventwait(t.qts, "STOP");
    qtest_qmp_eventwait(dst, "RESUME");
    expect_policy(to, DC_LOG);
    qtest_clock_step(dst, ANSWER_NS + ANSWER_NS / 2);
    acknowledge(to, PEER_EID, expect_notice(to, PEER_EID, DC_LOG));
    for (int i = 0; i < 4; i++) {
        qtest_clock_step(dst, ANSWER_NS + 1);
        line_quiet(to);
    }
    dw_stop(&t);
    qtest_quit(dst);
}

/* A firmware transfer takes its time in the background */
static void test_background(void)
{
    uint8_t transfer[0x80 + 128] = { 0, 2 };
    g_autoptr(Line) l = NULL;
    Mailbox host;
    DwI2c t;

    l = start_told(&t, &host, BACKGROUND);
    answer_is(line_command(l, 0x0201, transfer, sizeof(transfer)), 1);
    line_quiet(l);
    /* ten seconds; a step too far would make the notice itself too old */
    qtest_clock_step(t.qts, FIRMWARE_NS - 1);
    line_quiet(l);
    qtest_clock_step(t.qts, 1);
    acknowledge(l, PEER_EID, expect_notice(l, PEER_EID, BACKGROUND));
    expect_silence(&t, l);
    stop(&t, &host);
}

/* The same on I2C: to the bus address that the request came from */
static void test_i2c(void)
{
    const uint8_t policy[] = { DC_LOG, 0 };
    uint8_t packet[ANSWER_LEN];
    g_autoptr(Line) l = NULL;
    Mailbox host;
    DwI2c t;

    l = start_told(&t, &host, 0);
    answer_is(mctp_command(&t, EP_DEVICE, I2C_EID, SET_POLICY, policy, 2), 0);
    fill_log(l, &host);
    for (int i = 0; i < 2; i++) {
        g_autoptr(GByteArray) frame = mctp_receive_frame(&t, I2C_NS);
        MCTPI2CFrame f;
        MCTPHeader hdr;
        Notice n;

        g_assert_nonnull(frame);
        g_assert_cmpint(mctp_i2c_decode(frame->data, frame->len, &f), ==,
                        MCTP_I2C_OK);
        g_assert_cmphex(f.source, ==, EP_DEVICE);
        g_assert_cmpint(mctp_header_decode(f.packet, f.len, &hdr), ==, 0);
        n = check_notice(&hdr, f.packet + MCTP_HEADER_BYTES,
                         f.len - MCTP_HEADER_BYTES, I2C_EID, GUEST_EID,
                         DC_LOG);
        answer_packet(packet, GUEST_EID, I2C_EID, n);
        if (i == 0) {
            /* no answer, so it comes again */
            qtest_clock_step(t.qts, ANSWER_NS - I2C_NS);
        }
    }
    mctp_send_packet(&t, EP_DEVICE, packet, sizeof(packet));
    for (int i = 0; i < 3; i++) {
        qtest_clock_step(t.qts, ANSWER_NS - I2C_NS);
        g_assert_null(mctp_receive_frame(&t, 2 * I2C_NS));
    }
    line_quiet(l);
    stop(&t, &host);
}

static const struct {
    const char *name;
    void (*run)(void);
    /* lines of other kinds end with the machine */
    bool serial;
} tests[] = {
    { "policy", test_policy },
    { "log", test_log },
    { "no-answer", test_no_answer },
    { "wrong-answers", test_wrong_answers },
    { "who-is-told", test_who_is_told },
    { "reconnect", test_reconnect, true },
    { "reset", test_reset },
    { "migrate", test_migrate, true },
    { "background", test_background },
    { "i2c", test_i2c },
};

static const LineKind *const kinds[] = { &line_serial, &line_usb };

static void run(gconstpointer data)
{
    unsigned n = GPOINTER_TO_UINT(data);

    kind = kinds[n / ARRAY_SIZE(tests)];
    tests[n % ARRAY_SIZE(tests)].run();
}

int main(int argc, char **argv)
{
    int ret;

    g_test_init(&argc, &argv, NULL);
    for (unsigned n = 0; n < ARRAY_SIZE(kinds) * ARRAY_SIZE(tests); n++) {
        const LineKind *of = kinds[n / ARRAY_SIZE(tests)];
        unsigned i = n % ARRAY_SIZE(tests);
        g_autofree char *path = g_strdup_printf("/mctp-notify/%s/%s",
                                                of->name, tests[i].name);

        if (of == &line_serial || !tests[i].serial) {
            qtest_add_data_func(path, GUINT_TO_POINTER(n), run);
        }
    }
    ret = g_test_run();
    line_cleanup();
    return ret;
}
