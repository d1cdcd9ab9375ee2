/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MCTP from outside, by serial lines, and from the guest, by the I2C
 * controller; and that controller's registers
 * (DMTF DSP0236, DSP0237, DSP0253; CXL r3.2 7.6.3)
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include <sys/socket.h>
#include <sys/un.h>
#include "hw/mctp/mctp_i2c_frame.h"
#include "hw/mctp/mctp_packet.h"
#include "hw/mctp/mctp_serial_frame.h"
#include "tests/qtest/i2c/dw-i2c-util.h"
#include "fuzz.h"

#define MESSAGE_HEAD 13
#define PACKET 64
/* Longer than the controller waits before it gives a packet to the guest */
#define SETTLED_NS 600000

typedef struct Message {
    size_t len;
    uint8_t data[MESSAGE_HEAD + FUZZ_PAYLOAD];
} Message;

static void command_message(Fuzz *f, const FuzzFn *fn, Message *m,
                            uint16_t *opcode)
{
    bool odd = fuzz_one_in(f, 20);
    uint8_t type = fuzz_odd(f), tag = fuzz_random(f);
    FuzzCommand c;

    fuzz_command(f, fn, &c);
    *opcode = c.opcode;
    memset(m->data, 0, MESSAGE_HEAD);
    m->data[0] = c.opcode >= 0x5100 && c.opcode < 0x6000 ? 7 : 8;
    if (odd) {
        m->data[0] = type;
    }
    m->data[2] = tag;
    stw_le_p(m->data + 4, c.opcode);
    stl_le_p(m->data + 6, c.len);
    memcpy(m->data + MESSAGE_HEAD, c.data, c.len);
    m->len = MESSAGE_HEAD + c.len;
}

static void control_message(Fuzz *f, Message *m, uint16_t *opcode)
{
    m->data[0] = 0;
    m->data[1] = 0x80 | fuzz_below(f, 32);
    m->data[2] = fuzz_below(f, 10);
    m->data[3] = fuzz_below(f, 4);
    m->data[4] = fuzz_below(f, 4) ? FUZZ_EID_FIRST : fuzz_odd(f);
    m->len = 3 + fuzz_below(f, 4);
    *opcode = m->data[2];
}

/* Packets of a message, each given to @frame, some lost, twice or damaged */
static void packets(Fuzz *f, const Message *m, uint8_t dest, bool noisy,
                    void (*frame)(void *, const uint8_t *, size_t),
                    void *opaque)
{
    uint8_t packet[4 + PACKET], seq = fuzz_below(f, 4);
    uint8_t tag = fuzz_below(f, 8);

    for (size_t at = 0; at < m->len; at += PACKET, seq++) {
        size_t n = MIN(PACKET, m->len - at);
        unsigned what = noisy ? fuzz_below(f, 8) : 7;
        unsigned where = fuzz_below(f, 4 + n), with = fuzz_below(f, 256);

        packet[0] = 1;
        packet[1] = dest;
        packet[2] = FUZZ_EID_OWN;
        packet[3] = (at == 0) << 7 | (at + n == m->len) << 6 |
                    (seq & 3) << 4 | 8 | tag;
        memcpy(packet + 4, m->data + at, n);
        if (what == 0) {
            continue;
        }
        if (what == 1) {
            packet[where] = with;
        }
        for (unsigned k = 0; k < (what == 2 ? 2 : 1); k++) {
            frame(opaque, packet, 4 + n);
        }
    }
}

/* -- serial lines -- */

static void serial_frame(void *opaque, const uint8_t *packet, size_t len)
{
    uint8_t frame[MCTP_SERIAL_FRAME_MAX(MCTP_SERIAL_TX_MAX)];
    size_t n = mctp_serial_encode(packet, len, frame);

    g_byte_array_append(opaque, frame, n);
}

void fuzz_serial_close(Fuzz *f)
{
    for (unsigned n = 0; n < FUZZ_SERIALS; n++) {
        if (f->serial[n] >= 0) {
            close(f->serial[n]);
            f->serial[n] = -1;
        }
    }
}

static void serial_open(Fuzz *f, unsigned n)
{
    g_autofree char *path = fuzz_serial_path(f, f->did.launches, n);
    struct sockaddr_un addr = { .sun_family = AF_UNIX };

    g_assert(strlen(path) < sizeof(addr.sun_path));
    strcpy(addr.sun_path, path);
    f->serial[n] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert(f->serial[n] >= 0);
    if (connect(f->serial[n], (struct sockaddr *)&addr, sizeof(addr)) < 0) {
        close(f->serial[n]);
        f->serial[n] = -1;
        return;
    }
    g_unix_set_fd_nonblocking(f->serial[n], true, NULL);
}

/*
 * What QEMU does with the bytes stands in no order to the qtest socket but
 * this one: it has seen both sockets ready when it answers the last of these
 */
static void serial_settle(Fuzz *f)
{
    for (unsigned i = 0; i < 3; i++) {
        link_ask(f->link, "inl 0xcf8");
    }
}

static void serial_send(Fuzz *f, unsigned n, const GByteArray *bytes)
{
    uint8_t drain[4096];
    size_t at = 0;
    ssize_t got;

    if (f->serial[n] < 0) {
        serial_open(f, n);
        link_flush(f->link);
    }
    /* a full line, because QEMU takes no more, drops the rest */
    while (f->serial[n] >= 0 && at < bytes->len) {
        got = send(f->serial[n], bytes->data + at, bytes->len - at,
                   MSG_NOSIGNAL);
        if (got <= 0) {
            break;
        }
        at += got;
    }
    serial_settle(f);
    while (f->serial[n] >= 0) {
        got = recv(f->serial[n], drain, sizeof(drain), 0);
        if (got == 0) {
            close(f->serial[n]);
            f->serial[n] = -1;
        }
        if (got <= 0) {
            break;
        }
    }
}

void fuzz_gen_serial(Fuzz *f)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    unsigned n = fuzz_below(f, f->m.nr_targets), how = fuzz_below(f, 64);
    bool noisy = fuzz_one_in(f, 10), strange = fuzz_one_in(f, 20);
    uint8_t other = fuzz_random(f), noise[64];
    g_autofree Message *m = g_new(Message, 1);
    uint8_t eid = strange ? other : FUZZ_EID_FIRST + n;
    uint16_t opcode = 0;

    serial_frame(bytes, (const uint8_t *)"\x01\0\0\0\0", 5);
    if (how == 0) {
        fuzz_bytes(f, noise, sizeof(noise));
        g_byte_array_append(bytes, noise, sizeof(noise));
    } else if (how < 4) {
        control_message(f, m, &opcode);
        packets(f, m, eid, noisy, serial_frame, bytes);
    } else {
        command_message(f, &f->m.fn[f->m.targets[n]], m, &opcode);
        packets(f, m, eid, noisy, serial_frame, bytes);
    }
    if (how == 1) {
        g_byte_array_set_size(bytes, bytes->len / 2);
    }
    if (fuzz_op(f, FUZZ_SERIAL, "line %u to %u: %04xh, %u bytes%s%s", n, eid,
                opcode, bytes->len, noisy ? ", noise" : "",
                how == 2 ? ", cut" : "")) {
        link_flush(f->link);
        if (how == 2 && f->serial[n] >= 0) {
            close(f->serial[n]);
            f->serial[n] = -1;
        }
        serial_send(f, n, bytes);
    }
}

/* -- the I2C controller -- */

static uint64_t controller(Fuzz *f)
{
    return f->m.fn[f->m.nr_fns - 1].bar[0];
}

static void i2c_write(Fuzz *f, unsigned reg, uint32_t value)
{
    link_post(f->link, "writel 0x%" PRIx64 " 0x%x", controller(f) + reg,
              value);
}

static void i2c_read(Fuzz *f, unsigned reg)
{
    link_post(f->link, "readl 0x%" PRIx64, controller(f) + reg);
}

static void i2c_target_mode(Fuzz *f)
{
    i2c_write(f, R_ENABLE, 0);
    i2c_write(f, R_TX_TL, 0);
    i2c_write(f, R_RX_TL, 0);
    i2c_write(f, R_CON, CON_LINUX_TARGET);
    i2c_write(f, R_SAR, FUZZ_I2C_OWN);
    i2c_write(f, R_INTR_MASK, MASK_LINUX_TARGET);
    i2c_write(f, R_ENABLE, 1);
}

/* Takes what the endpoints send */
static void i2c_drain(Fuzz *f, unsigned bytes)
{
    link_post(f->link, "clock_step %u", SETTLED_NS);
    i2c_read(f, R_INTR_STAT);
    for (unsigned i = 0; i < bytes; i++) {
        i2c_read(f, R_DATA_CMD);
    }
    i2c_read(f, R_CLR_STOP_DET);
    i2c_read(f, R_CLR_INTR);
}

typedef struct I2CFrames {
    Fuzz *f;
    uint8_t address;
} I2CFrames;

static void i2c_frame(void *opaque, const uint8_t *packet, size_t len)
{
    I2CFrames *to = opaque;
    uint8_t frame[MCTP_I2C_FRAME_MAX];
    size_t n = mctp_i2c_encode(to->address, FUZZ_I2C_OWN, packet, len, frame);

    i2c_write(to->f, R_ENABLE, 0);
    i2c_write(to->f, R_CON, CON_LINUX_MASTER);
    i2c_write(to->f, R_TAR, to->address);
    i2c_write(to->f, R_INTR_MASK, 0);
    i2c_write(to->f, R_ENABLE, 1);
    for (size_t i = 1; i < n; i++) {
        i2c_write(to->f, R_DATA_CMD, frame[i] | (i == n - 1 ? CMD_STOP : 0));
    }
}

static void no_frame(void *opaque, const uint8_t *packet, size_t len)
{
}

void fuzz_gen_i2c_packet(Fuzz *f)
{
    unsigned n = fuzz_below(f, f->m.nr_targets), how = fuzz_below(f, 8);
    unsigned take = fuzz_below(f, 4) * 40;
    bool noisy = fuzz_one_in(f, 10), listen = fuzz_below(f, 4);
    g_autofree Message *m = g_new(Message, 1);
    I2CFrames to = { f, FUZZ_I2C_FIRST + n };
    uint64_t before;
    uint16_t opcode;
    bool send;

    if (how == 0) {
        control_message(f, m, &opcode);
    } else {
        command_message(f, &f->m.fn[f->m.targets[n]], m, &opcode);
        m->len = MIN(m->len, 4 * PACKET);
    }
    /* the same random numbers, whether or not it is done */
    before = f->op;
    send = fuzz_op(f, FUZZ_I2C, "endpoint %u: %04xh, %zu bytes, %u taken%s",
                   n, opcode, m->len, take, noisy ? ", noise" : "");
    g_assert(f->op == before + 1);
    packets(f, m, FUZZ_EID_FIRST + n, noisy, send ? i2c_frame : no_frame, &to);
    if (send) {
        if (listen) {
            i2c_target_mode(f);
        }
        i2c_drain(f, take);
    }
}

void fuzz_gen_i2c_register(Fuzz *f)
{
    static const uint8_t registers[] = {
        R_CON, R_TAR, R_SAR, R_DATA_CMD, R_DATA_CMD, R_DATA_CMD, R_INTR_STAT,
        R_INTR_MASK, R_RAW_INTR_STAT, R_RX_TL, R_TX_TL, R_CLR_INTR, R_ENABLE,
        R_ENABLE, R_STATUS, R_TXFLR, R_RXFLR, R_TX_ABRT_SOURCE,
        R_ENABLE_STATUS, R_CLR_STOP_DET,
    };
    static const uint32_t values[] = {
        0, 1, 2, 3, CON_LINUX_MASTER, CON_LINUX_TARGET, CMD_READ, CMD_STOP,
        CMD_READ | CMD_STOP, CMD_RESTART, FUZZ_I2C_FIRST, FUZZ_I2C_OWN,
        MASK_LINUX_MASTER, MASK_LINUX_TARGET,
    };
    unsigned reg = FUZZ_PICK(f, registers);
    bool write = fuzz_one_in(f, 2), odd = fuzz_one_in(f, 3);
    uint32_t value = FUZZ_PICK(f, values), any = fuzz_odd(f);

    value = odd ? any : value;
    if (fuzz_op(f, FUZZ_I2C, "%s %02x %x", write ? "write" : "read", reg,
                value)) {
        if (write) {
            i2c_write(f, reg, value);
        } else {
            i2c_read(f, reg);
        }
    }
}
