/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Identities of logs, as the bytes of requests (CXL r3.2 8.2.10.5)
 */
#ifndef TESTS_CXL_LOG_UUIDS_H
#define TESTS_CXL_LOG_UUIDS_H

#define CXL_LOG_UUID_BYTES 16

/* Command effects */
#define CXL_LOG_UUID_EFFECTS {                                      \
        0x0d, 0xa9, 0xc0, 0xb5, 0xbf, 0x41, 0x4b, 0x78,             \
        0x8f, 0x79, 0x96, 0xb1, 0x62, 0x3b, 0x3f, 0x17,             \
    }
/* Vendor debug: what the device did */
#define CXL_LOG_UUID_VENDOR {                                       \
        0x5e, 0x18, 0x19, 0xd9, 0x11, 0xa9, 0x40, 0x0c,             \
        0x81, 0x1f, 0xd6, 0x07, 0x19, 0x40, 0x3d, 0x86,             \
    }
/* Component state dump */
#define CXL_LOG_UUID_DUMP {                                         \
        0xb3, 0xfa, 0xb4, 0xcf, 0x01, 0xb6, 0x43, 0x32,             \
        0x94, 0x3e, 0x5e, 0x99, 0x62, 0xf2, 0x35, 0x67,             \
    }

#endif
