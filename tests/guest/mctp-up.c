/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bring MCTP over I2C up and give endpoints their IDs, for guests without
 * mctpd (DSP0236)
 */
#include <stdio.h>
#include <stdlib.h>

#include "fm-args.h"
#include "mctp-link.h"

#define USAGE 2

static int usage(void)
{
    printf("usage: mctp-up I2C-ADDRESS...\n"
           "  our own endpoint ID becomes %u, the others get %u and up\n",
           MCTP_OWN_EID, MCTP_FIRST_EID);
    return USAGE;
}

int main(int argc, char **argv)
{
    struct mctp_peer peer = { .eid = MCTP_FIRST_EID };
    struct mctp_link link;

    if (argc < 2) {
        return usage();
    }
    for (int i = 1; i < argc; i++) {
        uint64_t address;

        if (!fm_arg_u64(argv[i], &address) || address < 4 || address > 0x7f) {
            return usage();
        }
    }
    if (mctp_link_up(&link)) {
        return 1;
    }
    printf("%s is up, endpoint ID %u\n", link.name, MCTP_OWN_EID);
    for (int i = 1; i < argc; i++, peer.eid++) {
        uint64_t address = 0;

        fm_arg_u64(argv[i], &address);
        peer.i2c = address;
        if (mctp_link_peer(&link, &peer)) {
            return 1;
        }
        printf("0x%02x is mctp:%u,%u\n", peer.i2c, MCTP_NET, peer.eid);
    }
    return 0;
}
