/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Saving and loading an MCTP endpoint in the middle of messages, and streams
 * that must not load. Reference: none, the format is QEMU's own.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "migration/vmstate.h"
#include "migration/qemu-file-types.h"
#include "../migration/qemu-file.h"
#include "../migration/savevm.h"
#include "io/channel-buffer.h"
#include "qemu/module.h"
#include "mctp-test-util.h"
#include "hw/mctp/mctp-internal.h"
#include "hw/cxl/mctp/message.h"
#include "hw/mctp/mctp_vmstate.h"

static Recorder *idle(uint32_t max_message)
{
    const MCTPEndpointConfig config = {
        .max_message = max_message,
        .unit = 64,
    };

    return recorder_new(&config);
}

static GByteArray *save(const VMStateDescription *vmsd, void *state)
{
    QIOChannelBuffer *ioc = qio_channel_buffer_new(4096);
    QEMUFile *f = qemu_file_new_output(QIO_CHANNEL(ioc));
    GByteArray *stream = g_byte_array_new();

    g_assert_cmpint(vmstate_save_state(f, vmsd, state, NULL, NULL), ==, 0);
    /* the loader looks one byte ahead, for subsections */
    qemu_put_byte(f, QEMU_VM_EOF);
    g_assert_cmpint(qemu_fflush(f), ==, 0);
    g_byte_array_append(stream, ioc->data, ioc->usage);
    qemu_fclose(f);
    object_unref(OBJECT(ioc));
    return stream;
}

static GByteArray *save_endpoint(Recorder *r)
{
    return save(&vmstate_mctp_endpoint, r->ep);
}

static bool load(const VMStateDescription *vmsd, void *state,
                 const uint8_t *stream, size_t len)
{
    QIOChannelBuffer *ioc = qio_channel_buffer_new(len + 1);
    QEMUFile *f;
    bool ok;

    memcpy(ioc->data, stream, len);
    ioc->usage = len;
    f = qemu_file_new_input(QIO_CHANNEL(ioc));
    ok = vmstate_load_state(f, vmsd, state, vmsd->version_id, NULL) == 0 &&
         !qemu_file_get_error(f);
    qemu_fclose(f);
    object_unref(OBJECT(ioc));
    return ok;
}

static bool load_endpoint(Recorder *r, const uint8_t *stream, size_t len)
{
    return load(&vmstate_mctp_endpoint, r->ep, stream, len);
}

/* EID 9, one message half received, one half sent, one request unanswered */
static Recorder *busy(void)
{
    g_autoptr(GByteArray) answer = span("08 11*63 22*64 33");
    Recorder *r = idle(4096);
    MCTPEndpoint *ep = r->ep;
    MCTPTxQueue *tx = mctp_endpoint_tx(ep);
    MCTPTxPacket pkt;

    feed_ok(ep, "01 00 08 c8 00 81 01 00 09", 0x10, 0);
    expect_tx(ep, 0, "01 08 09 c0 00 01 01 00 00 09 00");
    feed_ok(ep, "01 09 08 c9 | 08 aa", 0x10, 0);
    feed_ok(ep, "01 09 08 ca | 08 bb", 0x10, MS);
    feed_ok(ep, "01 09 08 8b | 08 cc*63", 0x10, MS);
    feed_ok(ep, "01 09 08 1b | dd*64", 0x10, MS);
    mctp_endpoint_reply(ep,
                        &g_array_index(r->msg, MCTPMessage, 0).request,
                        answer->data, answer->len, MS);
    expect_tx(ep, MS, "01 08 09 81 | 08 11*63");
    g_assert_true(mctp_txqueue_peek(tx, MS, &pkt));
    mctp_txqueue_refused(tx, pkt.id, MS);
    return r;
}

static void test_middle_of_messages(void)
{
    g_autoptr(Recorder) r = busy(), r2 = idle(4096);
    MCTPEndpoint *to = r2->ep;
    const MCTPRequest *pending = &g_array_index(r->msg, MCTPMessage,
                                                1).request;
    g_autoptr(GByteArray) answer = span("08 77");
    g_autoptr(GByteArray) stream = save_endpoint(r);

    /* what the destination had before must be gone */
    feed(to, "01 00 08 c8 00 81 01 00 1e", 0x10, 0);
    feed(to, "01 1e 08 8b | 08 99*63", 0x10, 0);

    g_assert_true(load_endpoint(r2, stream->data, stream->len));
    g_assert_cmpuint(to->eid, ==, 9);

    /* the pause goes on, then the packet that was refused */
    g_assert_cmpint(mctp_txqueue_next(mctp_endpoint_tx(to)), ==,
                    MS + MS / 2);
    expect_tx(to, MS, NULL);
    expect_tx(to, 2 * MS, "01 08 09 11 | 22*64");
    expect_tx(to, 2 * MS, "01 08 09 61 | 33");
    expect_tx(to, 2 * MS, NULL);

    feed_ok(to, "01 09 08 6b | ee", 0x10, 2 * MS);
    g_assert_cmpuint(r2->body->len, ==, 1);
    recorded_is(r2, 0, "08 cc*63 dd*64 ee");

    g_assert_cmpint(mctp_endpoint_reply(to, pending, answer->data,
                                        answer->len, 2 * MS), ==, 0);
    expect_tx(to, 2 * MS, "01 08 09 c2 | 08 77");
}

static void test_same_again(void)
{
    g_autoptr(Recorder) r = busy(), r2 = idle(4096);
    g_autoptr(GByteArray) a = save_endpoint(r), b = NULL;

    g_assert_true(load_endpoint(r2, a->data, a->len));
    b = save_endpoint(r2);
    g_assert_cmpmem(a->data, a->len, b->data, b->len);
}

/* An endpoint must go on working whatever a load left behind */
static void use(Recorder *r)
{
    MCTPEndpoint *ep = r->ep;
    MCTPTxQueue *tx = mctp_endpoint_tx(ep);
    MCTPTxPacket pkt;
    int64_t now = 0;
    unsigned steps = 0;

    feed(ep, "01 00 08 6b | ee", 0x10, 0);
    feed(ep, "01 00 08 c8 00 80 05", 0x10, 0);
    while (mctp_txqueue_next(tx) >= 0) {
        now = MAX(now, mctp_txqueue_next(tx));
        if (mctp_txqueue_peek(tx, now, &pkt)) {
            g_assert_cmpuint(pkt.len, >, MCTP_HEADER_BYTES);
            g_assert_cmpuint(pkt.len, <=, MCTP_PACKET_MAX);
            mctp_txqueue_sent(tx, pkt.id, now);
        }
        g_assert_cmpuint(++steps, <, 40000);
    }
}

/* Offsets in the stream of a busy endpoint; see mctp-vmstate.c */
#define AT_EID          0
#define PATH_BYTES      8
#define ASSEMBLY_BYTES(body)    (8 + PATH_BYTES + 4 + 4 + 1 + 4 + (body))
#define TX_BYTES(body)  (8 + 8 + 8 + 8 + PATH_BYTES + 4 + 4 + 1 + 4 + (body))
#define REQUEST_BYTES   (8 + 8 + PATH_BYTES)
#define AT_RX           (1 + MCTP_UUID_BYTES)
#define AT_LAST_ID      (AT_RX + ASSEMBLY_BYTES(128) + 31 * ASSEMBLY_BYTES(0))
#define AT_TX           (AT_LAST_ID + 8)
#define AT_LAST_SERIAL  (AT_TX + TX_BYTES(129) + 31 * TX_BYTES(0))
#define AT_PENDING      (AT_LAST_SERIAL + 8)
#define AT_OWN          (AT_PENDING + 32 * REQUEST_BYTES)
#define OWN_BYTES       (4 + 1 + 1)
#define STREAM_BYTES    (AT_OWN + 8 * OWN_BYTES + 1)

#define RX(field)       (AT_RX + (field))
#define TX(field)       (AT_TX + (field))
/* the second slot: what was in the first has been answered */
#define REQUEST(field)  (AT_PENDING + REQUEST_BYTES + (field))

static const struct {
    const char *name;
    unsigned at;
    unsigned size;
    uint64_t value;
} bad[] = {
    { "eid reserved", AT_EID, 1, 7 },
    { "eid broadcast", AT_EID, 1, 255 },
    { "stamp negative", RX(0), 8, UINT64_MAX },
    { "stamp huge", RX(0), 8, INT64_MAX },
    { "rx source reserved", RX(12), 1, 3 },
    { "rx destination reserved", RX(13), 1, 3 },
    { "rx tag", RX(14), 1, 8 },
    { "rx unit none", RX(16), 4, 0 },
    { "rx unit above total", RX(16), 4, 129 },
    { "rx total below body", RX(20), 4, 127 },
    { "rx total above body", RX(20), 4, 129 },
    { "rx sequence", RX(24), 1, 4 },
    { "rx body empty", RX(25), 4, 1 },
    { "rx body over the limit", RX(25), 4, MCTP_MESSAGE_MAX + 2 },
    { "rx body huge", RX(25), 4, UINT32_MAX },
    { "last id behind", AT_LAST_ID, 8, 0 },
    { "tx id none", TX(0), 8, 0 },
    { "tx deadline negative", TX(8), 8, INT64_MIN },
    { "tx deadline huge", TX(8), 8, INT64_MAX },
    { "tx not before negative", TX(16), 8, UINT64_MAX },
    { "tx backoff none", TX(24), 8, 0 },
    { "tx backoff huge", TX(24), 8, INT64_MAX },
    { "tx destination reserved", TX(36), 1, 255 },
    { "tx source broadcast", TX(37), 1, 255 },
    { "tx tag", TX(38), 1, 255 },
    { "tx tag owner", TX(39), 1, 1 },
    { "tx offset at end", TX(40), 4, 129 },
    { "tx offset beyond", TX(40), 4, UINT32_MAX },
    { "tx offset between packets", TX(40), 4, 63 },
    { "tx offset another packet", TX(40), 4, 128 },
    { "tx unit none", TX(44), 4, 0 },
    { "tx unit huge", TX(44), 4, 251 },
    { "tx sequence", TX(48), 1, 2 },
    { "tx body empty", TX(49), 4, 1 },
    { "tx body huge", TX(49), 4, 0x80000000 },
    { "last serial behind", AT_LAST_SERIAL, 8, 0 },
    { "request arrival", REQUEST(8), 8, UINT64_MAX },
    { "request tag", REQUEST(22), 1, 8 },
    { "request serial twice", AT_PENDING, 8, 3 },
    { "own request to a reserved EID", AT_OWN + 4, 1, 7 },
    { "own request to all", AT_OWN + 7 * OWN_BYTES + 4, 1, 255 },
};

static void test_bad_streams(void)
{
    g_autoptr(Recorder) r = busy();
    g_autoptr(GByteArray) good = save_endpoint(r);

    g_assert_cmpuint(good->len, ==, STREAM_BYTES);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        g_autofree uint8_t *stream = g_memdup2(good->data, good->len);
        g_autoptr(Recorder) to = idle(4096);

        g_test_message("%s", bad[i].name);
        switch (bad[i].size) {
        case 1:
            g_assert_cmphex(stream[bad[i].at], !=, bad[i].value);
            stream[bad[i].at] = bad[i].value;
            break;
        case 4:
            stl_be_p(stream + bad[i].at, bad[i].value);
            break;
        case 8:
            stq_be_p(stream + bad[i].at, bad[i].value);
            break;
        }
        g_assert_false(load_endpoint(to, stream, good->len));
        use(to);
    }
}

/* A partial message larger than this configuration keeps */
static void test_smaller_destination(void)
{
    g_autoptr(Recorder) r = busy();
    g_autoptr(Recorder) to = idle(100);
    g_autoptr(GByteArray) stream = save_endpoint(r);

    g_assert_false(load_endpoint(to, stream->data, stream->len));
    use(to);
}

static void test_cut_off_anywhere(void)
{
    g_autoptr(Recorder) r = busy();
    g_autoptr(GByteArray) good = save_endpoint(r);

    for (size_t len = 0; len < good->len; len++) {
        g_autoptr(Recorder) to = idle(4096);

        g_assert_false(load_endpoint(to, good->data, len));
        use(to);
    }
}

/* Loads or does not, but is fit for use afterwards */
static void test_damaged_anywhere(void)
{
    g_autoptr(Recorder) r = busy();
    g_autoptr(GByteArray) good = save_endpoint(r);
    unsigned loaded = 0, refused = 0;

    for (unsigned round = 0; round < 20000; round++) {
        g_autofree uint8_t *stream = g_memdup2(good->data, good->len);
        g_autoptr(Recorder) to = idle(4096);

        for (unsigned n = g_test_rand_int_range(1, 4); n; n--) {
            stream[g_test_rand_int_range(0, good->len)] = g_test_rand_int();
        }
        if (load_endpoint(to, stream, good->len)) {
            loaded++;
        } else {
            refused++;
        }
        use(to);
    }
    g_assert_cmpuint(loaded, >, 0);
    g_assert_cmpuint(refused, >, 0);
}

static void arrived(void *opaque)
{
}

/* Requests that wait to be run, and a stream that says so of something else */
static void test_waiting_requests(void)
{
    const MCTPEndpointConfig config = { .max_message = 4096, .unit = 64 };
    MCTPEndpoint *ep = mctp_endpoint_new(&config);
    MCTPCXLTarget from = { .arrived = arrived }, to = { .arrived = arrived };
    g_autoptr(GByteArray) stream = NULL;
    unsigned loaded = 0;

    g_assert_true(mctp_cxl_attach(ep, &from));
    feed(ep, "01 00 08 c8 08 00 01 00 01 04 01 00 00 00 00 00 00 11", 0x10, 0);
    feed(ep, "01 00 08 c9 07 00 02 00 00 56 00 00 00 00 00 00 00", 0x11, 0);
    g_assert_cmpuint(from.num_waiting, ==, 2);
    stream = save(&vmstate_mctp_cxl_waiting, &from);

    for (unsigned again = 0; again < 2; again++) {
        g_assert_true(load(&vmstate_mctp_cxl_waiting, &to, stream->data,
                           stream->len));
        g_assert_cmpuint(to.num_waiting, ==, 2);
        assert_span(to.waiting[0].body->data, to.waiting[0].body->len,
                    "08 00 01 00 01 04 01 00 00 00 00 00 00 11");
        g_assert_cmphex(to.waiting[1].request.path.link, ==, 0x11);
    }
    for (size_t at = 0; at < stream->len - 1; at++) {
        uint8_t good = stream->data[at];

        stream->data[at] ^= 0xff;
        if (load(&vmstate_mctp_cxl_waiting, &to, stream->data,
                 stream->len)) {
            loaded++;
            g_assert_cmpuint(to.num_waiting, ==, 2);
            g_assert_cmpuint(to.waiting[1].body->len, ==, 13);
        } else {
            g_assert_cmpuint(to.num_waiting, ==, 0);
        }
        stream->data[at] = good;
    }
    g_assert_cmpuint(loaded, >, 0);
    mctp_cxl_forget(&to);
    mctp_cxl_forget(&from);
    mctp_endpoint_free(ep);
}

static void test_serial_parser(void)
{
    g_autoptr(GByteArray) line =
        span("7e 01 08 01 09 08 c8 08 7d 5e 7d 5d 01 1b cd 7e");

    for (size_t cut = 0; cut < line->len; cut++) {
        MCTPSerialParser from = { 0 }, to = { 0 };
        MCTPSerialEvent e = MCTP_SERIAL_MORE;
        g_autoptr(GByteArray) stream = NULL;
        size_t i;

        for (i = 0; i < cut; i++) {
            e = mctp_serial_feed(&from, line->data[i]);
        }
        stream = save(&vmstate_mctp_serial_parser, &from);
        g_assert_true(load(&vmstate_mctp_serial_parser, &to, stream->data,
                           stream->len));
        for (; i < line->len; i++) {
            g_assert_cmpint(e, ==, MCTP_SERIAL_MORE);
            e = mctp_serial_feed(&to, line->data[i]);
        }
        g_assert_cmpint(e, ==, MCTP_SERIAL_PACKET);
        assert_span(to.packet, to.len, "01 09 08 c8 08 7e 7d 01");

        /* the last byte is the state, the first ones what is announced */
        stream->data[stream->len - 2] = 9;
        g_assert_false(load(&vmstate_mctp_serial_parser, &to, stream->data,
                            stream->len));
        stream->data[stream->len - 2] = 4;
        stream->data[0] = 8;
        stream->data[1] = 255;
        g_assert_false(load(&vmstate_mctp_serial_parser, &to, stream->data,
                            stream->len));
        mctp_serial_feed(&to, 0x55);
        g_assert_true(mctp_serial_valid(&to));
    }
}

int main(int argc, char **argv)
{
    /* what is refused is reported; that is not what this test looks at */
    if (!freopen("/dev/null", "w", stderr)) {
        return 1;
    }
    module_call_init(MODULE_INIT_QOM);
    g_test_init(&argc, &argv, NULL);
#define T(f) g_test_add_func("/mctp/migration/" #f, test_ ## f)
    T(middle_of_messages);
    T(same_again);
    T(bad_streams);
    T(smaller_destination);
    T(cut_off_anywhere);
    T(damaged_anywhere);
    T(waiting_requests);
    T(serial_parser);
    return g_test_run();
}
