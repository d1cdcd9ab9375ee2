/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CXL Type 3 memory device: what transports may ask of it
 *
 * The structure is the device's own (hw/mem/cxl_type3*.c); everybody else goes
 * through the functions below.
 */
#ifndef CXL_TYPE3_H
#define CXL_TYPE3_H

#include "hw/cxl/cxl_cci.h"

/*
 * Largest payload of the device's out-of-band CCI: what a switch takes at its
 * endpoint as well.  101 extents fit, and a tunnel for the longest command of
 * the mailbox.  MCTP itself ends at %MCTP_MESSAGE_MAX; but a message of 4109
 * bytes is 65 packets, half a second on a slow bus, and clients give up after
 * two.
 */
#define CXL_TYPE3_FM_PAYLOAD_SIZE 4096
/*
 * Largest payload of a logical device's CCI: half, because a tunnel takes 16
 * bytes of the other's, and a power of two.
 */
#define CXL_TYPE3_LD_PAYLOAD_SIZE (CXL_TYPE3_FM_PAYLOAD_SIZE / 2)

#define TYPE_CXL_TYPE3 "cxl-type3"
typedef struct CXLType3Dev CXLType3Dev;

/** cxl_type3_fm_cci() - CCI for MCTP endpoints and tunnels (kind FM). */
CXLCCI *cxl_type3_fm_cci(CXLType3Dev *d);

#endif /* CXL_TYPE3_H */
