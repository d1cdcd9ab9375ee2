/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bring MCTP over I2C or USB up and give endpoints their IDs, for guests
 * without mctpd (DSP0236)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fm-args.h"
#include "mctp-link.h"

#define USAGE   2
#define USB     "usb"

static int usage(void)
{
    printf("usage: mctp-up I2C-ADDRESS|" USB "N...\n"
           "  " USB "0 is interface mctpusb0; our own endpoint ID becomes %u, "
           "the others get %u and up\n",
           MCTP_OWN_EID, MCTP_FIRST_EID);
    return USAGE;
}

/* True if @arg is the number of a USB interface, else an I2C address */
static bool parse(const char *arg, uint64_t *value, bool *usb)
{
    *usb = !strncmp(arg, USB, strlen(USB));
    if (*usb) {
        return fm_arg_u64(arg + strlen(USB), value) && *value < 100;
    }
    return fm_arg_u64(arg, value) && *value >= 4 && *value <= 0x7f;
}

int main(int argc, char **argv)
{
    struct mctp_peer peer = { .eid = MCTP_FIRST_EID };
    struct mctp_link i2c = { .index = 0 };
    uint64_t value;
    bool usb;

    if (argc < 2) {
        return usage();
    }
    for (int i = 1; i < argc; i++) {
        if (!parse(argv[i], &value, &usb)) {
            return usage();
        }
    }
    for (int i = 1; i < argc; i++, peer.eid++) {
        struct mctp_link own, *link = &i2c;

        parse(argv[i], &value, &usb);
        if (usb) {
            link = &own;
        }
        if (usb || !i2c.index) {
            if (usb ? mctp_link_usb(link, value) : mctp_link_up(link)) {
                return 1;
            }
            printf("%s is up, endpoint ID %u\n", link->name, MCTP_OWN_EID);
        }
        peer.i2c = usb ? 0 : value;
        if (mctp_link_peer(link, &peer)) {
            return 1;
        }
        printf("%s is mctp:%u,%u\n", argv[i], MCTP_NET, peer.eid);
    }
    return 0;
}
