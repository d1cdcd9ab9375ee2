/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenario "i2c": the I2C controller as master and as target under an
 * unmodified kernel
 *
 * The runner puts an EEPROM at 0x50 and QEMU's i2c-echo at 0x30 on the bus.
 * i2c-echo answers a write of three bytes with a write of the last two to the
 * address in the first.  That is too short for MCTP, so the counter of length
 * errors tells how many packets the driver was given: none may be lost and
 * none may come twice.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/i2c-dev.h>
#include <linux/i2c.h>
#include <linux/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dmesg.h"
#include "mctp-link.h"
#include "scenario.h"
#include "sysfs.h"
#include "tap.h"

#define EEPROM      0x50
#define ECHO        0x30
#define NOBODY      0x2f
#define ADAPTERS    16
#define ROUNDS      5
#define PACKETS     400
/* The controller keeps 16 packets for a guest that does not take them */
#define BATCH       8
#define BATCH_MS    10000
#define LATE_US     100000
/* The driver would suspend the controller after one second */
#define IDLE_S      3

static int adapter = -1, bus = -1;

static bool open_bus(void)
{
    char name[64], path[32];

    for (int i = 0; i < ADAPTERS && adapter < 0; i++) {
        if (sys_read(name, sizeof(name), "/sys/class/i2c-dev/i2c-%d/name",
                     i) >= 0 && strstr(name, "DesignWare")) {
            adapter = i;
        }
    }
    snprintf(path, sizeof(path), "/dev/i2c-%d", adapter);
    bus = open(path, O_RDWR | O_CLOEXEC);
    return tap_check(adapter >= 0 && bus >= 0, "there is an adapter");
}

static int transfer(struct i2c_msg *msgs, unsigned count)
{
    struct i2c_rdwr_ioctl_data data = { .msgs = msgs, .nmsgs = count };

    return ioctl(bus, I2C_RDWR, &data) == (int)count ? 0 : -errno;
}

static int send_bytes(uint8_t to, uint8_t *bytes, unsigned len)
{
    struct i2c_msg msg = { .addr = to, .len = len, .buf = bytes };

    return transfer(&msg, 1);
}

static void as_master(void)
{
    uint8_t out[1 + 256], in[256], from = 0;
    struct i2c_msg read[] = {
        { .addr = EEPROM, .len = 1, .buf = &from },
        { .addr = EEPROM, .flags = I2C_M_RD, .len = sizeof(in), .buf = in },
    };

    out[0] = 0;
    for (unsigned i = 1; i < sizeof(out); i++) {
        out[i] = i * 5;
    }
    tap_rc(send_bytes(EEPROM, out, sizeof(out)), 0, "the EEPROM is written");
    tap_rc(transfer(read, 2), 0, "the EEPROM is read");
    tap_check(!memcmp(in, out + 1, sizeof(in)), "it holds what was written");
    tap_rc(send_bytes(NOBODY, out, 2), -EREMOTEIO, "nobody answers for 2f");
}

/* Packets that the MCTP driver was given, none without a network device */
static uint64_t received(void)
{
    uint64_t count = 0;

    sys_read_u64(&count, "/sys/class/net/mctpi2c%d/statistics/"
                 "rx_length_errors", adapter);
    return count;
}

static int link_up(void)
{
    struct ifreq ifr = { .ifr_flags = IFF_UP };
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int ret;

    snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "mctpi2c%d", adapter);
    ret = ioctl(fd, SIOCSIFFLAGS, &ifr) ? -errno : 0;
    close(fd);
    return ret;
}

static int echo_once(void)
{
    uint8_t bytes[] = { MCTP_OWN_I2C, 0x0f, 0x01 };

    return send_bytes(ECHO, bytes, sizeof(bytes));
}

/* Has as many packets sent; true if exactly these came */
static bool echo(unsigned packets)
{
    uint64_t start = received();
    unsigned sent = 0;

    while (sent < packets) {
        int ret = echo_once();

        if (ret) {
            tap_note("write %u: %s", sent, strerror(-ret));
            return false;
        }
        sent++;
        for (int ms = 0; ms < BATCH_MS && (sent % BATCH == 0 ||
                                           sent == packets); ms++) {
            if (received() - start >= sent) {
                break;
            }
            usleep(1000);
        }
    }
    /* Time for those that come twice */
    usleep(LATE_US);
    if (received() - start != packets) {
        tap_note("%u sent, %u received", packets,
                 (unsigned)(received() - start));
    }
    return received() - start == packets;
}

static bool add_target(void)
{
    tap_rc(sys_write("mctp-i2c-interface 0x1010",
                     "/sys/bus/i2c/devices/i2c-%d/new_device", adapter), 0,
           "the adapter becomes a target");
    return tap_check(sys_exists("/sys/class/net/mctpi2c%d", adapter),
                     "it is a network device") &&
           tap_rc(link_up(), 0, "the link comes up");
}

static void as_target(void)
{
    if (!add_target()) {
        return;
    }
    tap_check(echo(PACKETS), "%d packets, none lost, none twice", PACKETS);
    sleep(IDLE_S);
    tap_check(echo(1), "one more after idle time");
    for (int i = 0; i < ROUNDS; i++) {
        tap_rc(sys_write("0x1010",
                         "/sys/bus/i2c/devices/i2c-%d/delete_device",
                         adapter), 0, "the target goes");
        tap_rc(echo_once(), 0, "a packet for nobody");
        usleep(LATE_US);
        if (!add_target()) {
            return;
        }
        tap_check(!received(), "the packet did not wait");
        tap_check(echo(BATCH), "%d packets for the new target", BATCH);
    }
}

void scenario_i2c(void)
{
    if (open_bus()) {
        as_master();
        as_target();
        as_master();
    }
    tap_check(!dmesg_complaints(), "no warning in dmesg");
}
