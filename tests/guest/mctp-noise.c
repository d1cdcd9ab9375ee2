/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Somebody on the I2C bus who sends broken MCTP packets: wrong checks, lengths
 * and sequences, halves and doubles, and bytes that mean nothing
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/i2c-dev.h>
#include <linux/i2c.h>

#include "mctp-link.h"
#include "mctp-noise.h"

#define MCTP_COMMAND    0x0f
/* Command, count, source, header: what stands before a packet's payload */
#define FRONT           7
/* Baseline payload */
#define PAYLOAD_MAX     64
/* An ID that nobody has: answers to it lead nowhere */
#define STRANGER        77
/* One packet in so many of an impostor claims to be ours */
#define IMPOSTOR_ONE_IN 16
/* Longest pause between packets */
#define PAUSE_US        2000

#define SOM             0x80
#define EOM             0x40
#define SEQUENCE(n)     ((n) << 4)
#define OWNER           0x08

/* Shared with the child: packets sent */
static unsigned *sent;

struct noise {
    int bus;
    uint8_t i2c, eid;
    bool impostor;
    uint64_t state;
};

/* xorshift64; the state is never 0 */
static unsigned pick(struct noise *n, unsigned below)
{
    n->state ^= n->state << 13;
    n->state ^= n->state >> 7;
    n->state ^= n->state << 17;
    return (n->state >> 32) % below;
}

static uint8_t pec(uint8_t address, const uint8_t *bytes, size_t n)
{
    uint8_t crc = 0;

    for (size_t i = 0; i <= n; i++) {
        crc ^= i ? bytes[i - 1] : address << 1;
        for (unsigned bit = 0; bit < 8; bit++) {
            crc = crc & 0x80 ? crc << 1 ^ 0x07 : crc << 1;
        }
    }
    return crc;
}

static void send(struct noise *n, uint8_t *bytes, unsigned len)
{
    struct i2c_msg msg = { .addr = n->i2c, .len = len, .buf = bytes };
    struct i2c_rdwr_ioctl_data data = { .msgs = &msg, .nmsgs = 1 };

    /* A lost arbitration is the bus's business, the packet is noise anyway */
    if (ioctl(n->bus, I2C_RDWR, &data) == 1) {
        (*sent)++;
    }
}

/* A packet as it should be: @flags of its fourth header byte, CCI Identify */
static unsigned packet(struct noise *n, uint8_t *out, uint8_t flags)
{
    static const uint8_t identify[] = { 8, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0 };
    bool ours = n->impostor && !pick(n, IMPOSTOR_ONE_IN);
    unsigned len = FRONT;

    out[0] = MCTP_COMMAND;
    out[2] = MCTP_OWN_I2C << 1 | 1;
    out[3] = 1;
    out[4] = n->eid;
    out[5] = ours ? MCTP_OWN_EID : STRANGER;
    out[6] = flags | OWNER | pick(n, 8);
    memcpy(out + FRONT, identify, sizeof(identify));
    len += sizeof(identify);
    if (!(flags & EOM)) {
        /* Packets before the last are full */
        memset(out + len, 0x5a, FRONT + PAYLOAD_MAX - len);
        len = FRONT + PAYLOAD_MAX;
    }
    out[1] = len - 2;
    out[len] = pec(n->i2c, out, len);
    return len + 1;
}

static void send_one(struct noise *n)
{
    uint8_t out[FRONT + PAYLOAD_MAX + 1];
    unsigned len;

    switch (pick(n, 9)) {
    case 0:
        len = packet(n, out, SOM | EOM);
        out[len - 1] ^= 1 + pick(n, 255);
        break;
    case 1:
        len = packet(n, out, SOM | EOM);
        out[1] += 1 + pick(n, 200);
        break;
    case 2:
        len = 1 + pick(n, packet(n, out, SOM | EOM));
        break;
    case 3:
        len = packet(n, out, SEQUENCE(pick(n, 4)) | (pick(n, 2) ? EOM : 0));
        break;
    case 4:
        len = packet(n, out, SOM | SEQUENCE(pick(n, 4)));
        break;
    case 5:
        len = packet(n, out, SOM | EOM);
        send(n, out, len);
        break;
    case 6:
        len = packet(n, out, SOM | EOM);
        out[3] = pick(n, 16);
        out[4] = pick(n, 256);
        out[len - 1] = pec(n->i2c, out, len - 1);
        break;
    case 7:
        len = packet(n, out, SOM | EOM);
        out[FRONT] = pick(n, 256);
        out[len - 1] = pec(n->i2c, out, len - 1);
        break;
    default:
        len = 1 + pick(n, sizeof(out));
        for (unsigned i = 0; i < len; i++) {
            out[i] = pick(n, 256);
        }
        break;
    }
    send(n, out, len);
}

static void make_noise(struct noise *n)
{
    for (;;) {
        struct timespec nap = { .tv_nsec = pick(n, PAUSE_US) * 1000l };

        send_one(n);
        nanosleep(&nap, NULL);
    }
}

pid_t mctp_noise_start(int adapter, uint8_t i2c, uint8_t eid, uint64_t seed,
                       bool impostor)
{
    struct noise n = {
        .i2c = i2c, .eid = eid, .impostor = impostor, .state = seed | 1,
    };
    char path[32];
    pid_t pid;

    sent = mmap(NULL, sizeof(*sent), PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    snprintf(path, sizeof(path), "/dev/i2c-%d", adapter);
    n.bus = open(path, O_RDWR | O_CLOEXEC);
    if (sent == MAP_FAILED || n.bus < 0) {
        return -1;
    }
    pid = fork();
    if (!pid) {
        make_noise(&n);
    }
    close(n.bus);
    return pid;
}

unsigned mctp_noise_stop(pid_t pid)
{
    int status = 0;

    kill(pid, SIGTERM);
    if (waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status) ||
        WTERMSIG(status) != SIGTERM) {
        return 0;
    }
    return *sent;
}
