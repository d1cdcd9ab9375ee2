/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A peer at the other end of a line, and of an mctp-serial-cxl's.
 * Reference: DMTF DSP0236, DSP0253; CXL r3.2 7.6.3.
 */
#include "qemu/osdep.h"
#include <glib/gstdio.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "qemu/bswap.h"
#include "mctp-line.h"
#include "hw/mctp/mctp_txqueue.h"

/* No machine is so slow; only a fault makes a test wait that long */
#define STANDSTILL_MS 60000

static char *dir;
static char *paths[LINES_MAX];

const char *line_path(unsigned n)
{
    g_assert_cmpuint(n, <, LINES_MAX);
    if (!dir) {
        g_autoptr(GError) err = NULL;

        dir = g_dir_make_tmp("mctp-serial-XXXXXX", &err);
        g_assert_no_error(err);
    }
    if (!paths[n]) {
        paths[n] = g_strdup_printf("%s/%u", dir, n);
    }
    return paths[n];
}

void line_cleanup(void)
{
    for (unsigned n = 0; n < LINES_MAX; n++) {
        if (paths[n]) {
            g_unlink(paths[n]);
            g_clear_pointer(&paths[n], g_free);
        }
    }
    if (dir) {
        g_rmdir(dir);
        g_clear_pointer(&dir, g_free);
    }
}

char *line_args(unsigned n, const char *target)
{
    return g_strdup_printf(
        "-chardev socket,id=chr%u,path=%s,server=on,wait=off "
        "-device mctp-serial-cxl,id=link%u,chardev=chr%u,target=%s,eid=%u ",
        n, line_path(n), n, n, target, LINE_EID(n));
}

Line *line_open(unsigned n)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    Line *l = g_new0(Line, 1);

    l->kind = &line_serial;
    l->eid = LINE_EID(n);
    g_assert_cmpuint(strlen(line_path(n)), <, sizeof(addr.sun_path));
    strcpy(addr.sun_path, line_path(n));
    l->fd = socket(AF_UNIX, SOCK_STREAM, 0);
    g_assert_cmpint(l->fd, >=, 0);
    while (connect(l->fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
        g_assert_cmpint(errno, ==, EINTR);
    }
    g_assert_true(g_unix_set_fd_nonblocking(l->fd, true, NULL));
    return l;
}

void line_close(Line *l)
{
    if (l) {
        l->kind->close(l);
    }
}

static void serial_close(Line *l)
{
    close(l->fd);
    g_free(l);
}

static void wait_for(Line *l, short events)
{
    struct pollfd p = { .fd = l->fd, .events = events };
    int n;

    do {
        n = poll(&p, 1, STANDSTILL_MS);
    } while (n < 0 && errno == EINTR);
    g_assert_cmpint(n, ==, 1);
}

ssize_t line_try_write(Line *l, const void *data, size_t len)
{
    ssize_t n = send(l->fd, data, len, MSG_NOSIGNAL);

    return n >= 0 ? n : errno == EAGAIN || errno == EINTR ? 0 : -1;
}

void line_write(Line *l, const void *data, size_t len)
{
    const uint8_t *at = data;

    while (len) {
        ssize_t n = line_try_write(l, at, len);

        g_assert_cmpint(n, >=, 0);
        at += n;
        len -= n;
        if (len && n == 0) {
            wait_for(l, POLLOUT);
        }
    }
}

/* The next byte; the line must not be cut */
static uint8_t next_byte(Line *l)
{
    while (l->rx_pos == l->rx_len) {
        ssize_t n = recv(l->fd, l->rx, sizeof(l->rx), 0);

        g_assert_cmpint(n, !=, 0);
        if (n > 0) {
            l->rx_pos = 0;
            l->rx_len = n;
        } else {
            g_assert_true(errno == EAGAIN || errno == EINTR);
            wait_for(l, POLLIN);
        }
    }
    return l->rx[l->rx_pos++];
}

void line_bytes(Line *l, void *data, size_t len)
{
    uint8_t *at = data;

    while (len--) {
        *at++ = next_byte(l);
    }
}

static GByteArray *serial_packet(Line *l)
{
    MCTPSerialEvent event;
    GByteArray *packet;

    do {
        event = mctp_serial_feed(&l->parser, next_byte(l));
    } while (event == MCTP_SERIAL_MORE);
    g_assert_cmpint(event, ==, MCTP_SERIAL_PACKET);
    packet = g_byte_array_new();
    g_byte_array_append(packet, l->parser.packet, l->parser.len);
    return packet;
}

GByteArray *line_frame(const void *packet, size_t len)
{
    uint8_t frame[MCTP_SERIAL_FRAME_MAX(MCTP_SERIAL_TX_MAX)];
    size_t n = mctp_serial_encode(packet, len, frame);
    GByteArray *bytes = g_byte_array_new();

    g_assert_cmpuint(n, >, 0);
    return g_byte_array_append(bytes, frame, n);
}

static GByteArray *serial_frames(const GPtrArray *packets)
{
    GByteArray *bytes = g_byte_array_new();

    for (unsigned i = 0; i < packets->len; i++) {
        const GByteArray *packet = g_ptr_array_index(packets, i);
        g_autoptr(GByteArray) frame = line_frame(packet->data, packet->len);

        g_byte_array_append(bytes, frame->data, frame->len);
    }
    return bytes;
}

static void serial_send(Line *l, const GPtrArray *packets)
{
    g_autoptr(GByteArray) bytes = serial_frames(packets);

    line_write(l, bytes->data, bytes->len);
}

const LineKind line_serial = {
    .name = "serial",
    .machine = "",
    .args = line_args,
    .open = line_open,
    .close = serial_close,
    .send = serial_send,
    .packet = serial_packet,
};

/* -- any line ----------------------------------------------------------- */

GByteArray *line_packet(Line *l)
{
    GByteArray *packet = l->kind->packet(l);

    g_assert_nonnull(packet);
    return packet;
}

static GPtrArray *packet_array(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify)g_byte_array_unref);
}

static void add_packet(GPtrArray *packets, const void *packet, size_t len)
{
    g_ptr_array_add(packets, g_byte_array_append(g_byte_array_new(), packet,
                                                 len));
}

void line_send_packet(Line *l, const void *packet, size_t len)
{
    g_autoptr(GPtrArray) packets = packet_array();

    add_packet(packets, packet, len);
    l->kind->send(l, packets);
}

static GPtrArray *packets_of(const MCTPPath *path, const void *body,
                             size_t len)
{
    g_autofree MCTPTxQueue *tx = g_new0(MCTPTxQueue, 1);
    GPtrArray *packets = packet_array();
    MCTPStats stats = { 0 };
    MCTPTxPacket pkt;

    mctp_txqueue_init(tx, &stats);
    g_assert_cmpint(mctp_txqueue_push(tx, path, MCTP_UNIT_BASELINE, body,
                                      len, 0), ==, 0);
    while (mctp_txqueue_peek(tx, 0, &pkt)) {
        add_packet(packets, pkt.data, pkt.len);
        mctp_txqueue_sent(tx, pkt.id, 0);
    }
    return packets;
}

GPtrArray *line_packets(uint8_t dest, uint8_t src, uint8_t tag,
                        uint8_t cci_tag, uint16_t opcode, const void *in,
                        size_t len)
{
    const MCTPPath path = {
        .remote = dest, .local = src, .tag = tag, .to = true,
    };
    g_autofree uint8_t *body = g_malloc0(CCI_OVERHEAD + len);

    body[0] = opcode >= 0x5100 && opcode < 0x6000 ? 7 : 8;
    body[2] = cci_tag;
    stw_le_p(body + 4, opcode);
    stw_le_p(body + 6, len);
    /* as libcxlmi has it; of no meaning in a request */
    stw_le_p(body + 11, 0xabcd);
    if (len) {
        memcpy(body + CCI_OVERHEAD, in, len);
    }
    return packets_of(&path, body, CCI_OVERHEAD + len);
}

GByteArray *line_cci(uint8_t dest, uint8_t src, uint8_t tag, uint8_t cci_tag,
                     uint16_t opcode, const void *in, size_t len)
{
    g_autoptr(GPtrArray) packets = line_packets(dest, src, tag, cci_tag,
                                                opcode, in, len);

    return serial_frames(packets);
}

void line_request(Line *l, uint8_t src, uint8_t tag, uint8_t cci_tag,
                  uint16_t opcode, const void *in, size_t len)
{
    g_autoptr(GPtrArray) packets = line_packets(l->eid, src, tag, cci_tag,
                                                opcode, in, len);

    l->kind->send(l, packets);
}

static GByteArray *message_from(Line *l, GByteArray *packet,
                                MCTPHeader *first)
{
    GByteArray *body = g_byte_array_new();
    MCTPHeader hdr;

    for (unsigned count = 0; ; count++, packet = line_packet(l)) {
        g_assert_cmpint(mctp_header_decode(packet->data, packet->len, &hdr),
                        ==, MCTP_DROP_NONE);
        if (count == 0) {
            *first = hdr;
        }
        g_assert_cmpint(hdr.som, ==, count == 0);
        g_assert_cmpuint(hdr.seq, ==, (first->seq + count) & 3);
        g_assert_cmpuint(hdr.tag, ==, first->tag);
        g_assert_cmpuint(hdr.to, ==, first->to);
        g_assert_cmpuint(hdr.dest, ==, first->dest);
        g_byte_array_append(body, packet->data + MCTP_HEADER_BYTES,
                            packet->len - MCTP_HEADER_BYTES);
        g_byte_array_unref(packet);
        if (hdr.eom) {
            return body;
        }
    }
}

GByteArray *line_message(Line *l, MCTPHeader *first)
{
    return message_from(l, line_packet(l), first);
}

Answer line_answer(const GByteArray *body, uint8_t cci_tag, uint16_t opcode)
{
    Answer a = { .payload = g_byte_array_new() };

    g_assert_cmpuint(body->len, >=, CCI_OVERHEAD);
    g_assert_cmphex(body->data[0], ==,
                    opcode >= 0x5100 && opcode < 0x6000 ? 7 : 8);
    g_assert_cmphex(body->data[1], ==, 1);
    g_assert_cmphex(body->data[2], ==, cci_tag);
    g_assert_cmphex(body->data[3], ==, 0);
    g_assert_cmphex(lduw_le_p(body->data + 4), ==, opcode);
    g_assert_cmphex(body->data[8] & 0x7f, ==, 0);
    g_assert_cmpuint(lduw_le_p(body->data + 6), ==,
                     body->len - CCI_OVERHEAD);
    g_assert_cmphex(lduw_le_p(body->data + 11), ==, 0);
    a.background = body->data[8] & 0x80;
    a.ret_code = lduw_le_p(body->data + 9);
    g_byte_array_append(a.payload, body->data + CCI_OVERHEAD,
                        body->len - CCI_OVERHEAD);
    return a;
}

Answer line_next(Line *l, uint8_t cci_tag, uint16_t opcode)
{
    MCTPHeader hdr;
    g_autoptr(GByteArray) body = line_message(l, &hdr);

    g_assert_cmpuint(hdr.src, ==, l->eid);
    g_assert_false(hdr.to);
    return line_answer(body, cci_tag, opcode);
}

GPtrArray *line_halves(uint8_t eid)
{
    static const uint8_t in[100];

    return line_packets(eid, PEER_EID, 3, 0x55, 1, in, sizeof(in));
}

void line_half(Line *l, uint8_t eid, unsigned n)
{
    g_autoptr(GPtrArray) packets = line_halves(eid);
    const GByteArray *packet = g_ptr_array_index(packets, n);

    g_assert_cmpuint(packets->len, ==, 2);
    line_send_packet(l, packet->data, packet->len);
}

void line_whole(Line *l)
{
    answer_is(line_next(l, 0x55, 1), 0x16);
}

void line_has_forgotten(Line *l, uint8_t eid)
{
    line_half(l, eid, 1);
    line_half(l, LINE_EID(0), 1);
    line_quiet(l);
    line_half(l, LINE_EID(0), 0);
    line_half(l, LINE_EID(0), 1);
    line_whole(l);
}

Answer line_try_command(Line *l, uint16_t opcode, const void *in, size_t len)
{
    const uint8_t cci_tag = l->serial++;
    const uint8_t tag = cci_tag & 7;
    g_autoptr(GByteArray) body = NULL;
    GByteArray *packet;
    MCTPHeader hdr;

    line_request(l, PEER_EID, tag, cci_tag, opcode, in, len);
    packet = l->kind->packet(l);
    if (!packet) {
        return (Answer) { NO_ANSWER, .payload = g_byte_array_new() };
    }
    body = message_from(l, packet, &hdr);
    g_assert_cmpuint(hdr.dest, ==, PEER_EID);
    g_assert_cmpuint(hdr.src, ==, l->eid);
    g_assert_cmpuint(hdr.tag, ==, tag);
    g_assert_false(hdr.to);
    return line_answer(body, cci_tag, opcode);
}

Answer line_command(Line *l, uint16_t opcode, const void *in, size_t len)
{
    Answer a = line_try_command(l, opcode, in, len);

    g_assert_cmphex(a.ret_code, !=, NO_ANSWER);
    return a;
}

GByteArray *line_control(Line *l, uint8_t to, const void *body, size_t len)
{
    const uint8_t tag = l->serial++ & 7;
    uint8_t packet[64] = { 1, to, PEER_EID, 0xc8 | tag };
    GByteArray *answer;
    MCTPHeader hdr;

    g_assert_cmpuint(len, <=, sizeof(packet) - MCTP_HEADER_BYTES);
    memcpy(packet + MCTP_HEADER_BYTES, body, len);
    line_send_packet(l, packet, MCTP_HEADER_BYTES + len);
    answer = line_message(l, &hdr);
    g_assert_cmpuint(hdr.dest, ==, PEER_EID);
    g_assert_cmpuint(hdr.tag, ==, tag);
    g_assert_false(hdr.to);
    return answer;
}

void line_assign(Line *l, uint8_t eid)
{
    const uint8_t set[] = { 0x00, 0x81, 0x01, 0x00, eid };
    const uint8_t done[] = { 0x00, 0x01, 0x01, 0x00, 0x00, eid, 0x00 };
    g_autoptr(GByteArray) answer = line_control(l, 0, set, sizeof(set));

    g_assert_cmpmem(answer->data, answer->len, done, sizeof(done));
    l->eid = eid;
}

GByteArray *line_uuid(Line *l)
{
    const uint8_t get[] = { 0x00, 0x80, 0x03 };
    GByteArray *answer = line_control(l, 0, get, sizeof(get));

    g_assert_cmpuint(answer->len, ==, 4 + 16);
    g_assert_cmphex(answer->data[3], ==, 0);
    return answer;
}

/* A control request that no other is like: by its instance id */
static uint8_t ask_eid(Line *l)
{
    const uint8_t tag = l->serial++ & 7;
    const uint8_t packet[] = {
        1, 0, PEER_EID, 0xc8 | tag, 0, 0x80 | (l->serial & 0x1f), 2,
    };

    line_send_packet(l, packet, sizeof(packet));
    return l->serial & 0x1f;
}

static bool is_eid(Line *l, const GByteArray *body, uint8_t instance)
{
    const uint8_t want[] = { 0, instance, 2, 0, l->eid };

    return body->len == 7 && !memcmp(body->data, want, sizeof(want));
}

void line_quiet(Line *l)
{
    uint8_t instance = ask_eid(l);
    MCTPHeader hdr;
    g_autoptr(GByteArray) body = line_message(l, &hdr);

    g_assert_true(is_eid(l, body, instance));
}

void line_resync(Line *l)
{
    /* flags enough to end a frame in whatever part of it the endpoint is */
    static const uint8_t flags[] = { 0x7e, 0x7e, 0x7e, 0x7e };
    uint8_t instance;
    bool found = false;

    line_write(l, flags, sizeof(flags));
    instance = ask_eid(l);
    while (!found) {
        MCTPHeader hdr;
        g_autoptr(GByteArray) body = line_message(l, &hdr);

        found = is_eid(l, body, instance);
    }
}
