/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Return codes and effects of commands, which models know as well
 * (CXL r3.2 Tables 8-50 and 8-87)
 */
#ifndef CXL_RC_H
#define CXL_RC_H

typedef enum CXLRetCode {
    CXL_RC_SUCCESS                  = 0x00,
    CXL_RC_BG_STARTED               = 0x01,
    CXL_RC_INVALID_INPUT            = 0x02,
    CXL_RC_UNSUPPORTED              = 0x03,
    CXL_RC_INTERNAL_ERROR           = 0x04,
    CXL_RC_RETRY_REQUIRED           = 0x05,
    CXL_RC_BUSY                     = 0x06,
    CXL_RC_MEDIA_DISABLED           = 0x07,
    CXL_RC_FW_XFER_IN_PROGRESS      = 0x08,
    CXL_RC_FW_XFER_OUT_OF_ORDER     = 0x09,
    CXL_RC_FW_AUTH_FAILED           = 0x0a,
    CXL_RC_FW_INVALID_SLOT          = 0x0b,
    CXL_RC_FW_ROLLED_BACK           = 0x0c,
    CXL_RC_FW_COLD_RESET_NEEDED     = 0x0d,
    CXL_RC_INVALID_HANDLE           = 0x0e,
    CXL_RC_INVALID_PHYS_ADDR        = 0x0f,
    CXL_RC_POISON_LIMIT             = 0x10,
    CXL_RC_MEDIA_FAILURE            = 0x11,
    CXL_RC_ABORTED                  = 0x12,
    CXL_RC_INVALID_SECURITY_STATE   = 0x13,
    CXL_RC_BAD_PASSPHRASE           = 0x14,
    CXL_RC_UNSUPPORTED_CCI          = 0x15,
    CXL_RC_INVALID_PAYLOAD_LENGTH   = 0x16,
    CXL_RC_INVALID_LOG              = 0x17,
    CXL_RC_INTERRUPTED              = 0x18,
    CXL_RC_FEAT_VERSION             = 0x19,
    CXL_RC_FEAT_SELECTION           = 0x1a,
    CXL_RC_FEAT_XFER_IN_PROGRESS    = 0x1b,
    CXL_RC_FEAT_XFER_OUT_OF_ORDER   = 0x1c,
    CXL_RC_RESOURCES_EXHAUSTED      = 0x1d,
    CXL_RC_INVALID_EXTENT_LIST      = 0x1e,
    CXL_RC_XFER_OUT_OF_ORDER        = 0x1f,
    CXL_RC_NO_BG_ABORT              = 0x20,
    CXL_RC_COUNT
} CXLRetCode;

/** cxl_rc_name() - the specification's name of a return code; never NULL. */
const char *cxl_rc_name(unsigned rc);

/* What a trace calls number @i, which a guest may have chosen */
#define CXL_NAME(names, i) \
    ((i) < ARRAY_SIZE(names) && (names)[i] ? (names)[i] : "unknown")

/* Command Effects Log bits */
#define CXL_EFF_CONFIG_COLD_RESET   (1u << 0)
#define CXL_EFF_CONFIG_IMMEDIATE    (1u << 1)
#define CXL_EFF_DATA_IMMEDIATE      (1u << 2)
#define CXL_EFF_POLICY_IMMEDIATE    (1u << 3)
#define CXL_EFF_LOG_IMMEDIATE       (1u << 4)
#define CXL_EFF_SECURITY            (1u << 5)
#define CXL_EFF_BACKGROUND          (1u << 6)
#define CXL_EFF_SECONDARY_MBOX      (1u << 7)
#define CXL_EFF_ABORTABLE           (1u << 8)
#define CXL_EFF_RESET_BITS_VALID    (1u << 9)
#define CXL_EFF_CONFIG_CONV_RESET   (1u << 10)
#define CXL_EFF_CONFIG_CXL_RESET    (1u << 11)

#endif /* CXL_RC_H */
