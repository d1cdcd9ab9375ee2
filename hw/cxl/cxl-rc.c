/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of the CXL command return codes (CXL r3.2 Table 8-50)
 *
 * For traces and for messages to a human; nothing decides by them.
 */
#include "qemu/osdep.h"
#include "hw/cxl/cxl_rc.h"

const char *cxl_rc_name(unsigned rc)
{
    static const char *const names[CXL_RC_COUNT] = {
        [CXL_RC_SUCCESS] = "Success",
        [CXL_RC_BG_STARTED] = "Background Command Started",
        [CXL_RC_INVALID_INPUT] = "Invalid Input",
        [CXL_RC_UNSUPPORTED] = "Unsupported",
        [CXL_RC_INTERNAL_ERROR] = "Internal Error",
        [CXL_RC_RETRY_REQUIRED] = "Retry Required",
        [CXL_RC_BUSY] = "Busy",
        [CXL_RC_MEDIA_DISABLED] = "Media Disabled",
        [CXL_RC_FW_XFER_IN_PROGRESS] = "FW Transfer in Progress",
        [CXL_RC_FW_XFER_OUT_OF_ORDER] = "FW Transfer Out of Order",
        [CXL_RC_FW_AUTH_FAILED] = "FW Authentication Failed",
        [CXL_RC_FW_INVALID_SLOT] = "Invalid Slot",
        [CXL_RC_FW_ROLLED_BACK] = "Activation Failed, FW Rolled Back",
        [CXL_RC_FW_COLD_RESET_NEEDED] =
            "Activation Failed, Cold Reset Required",
        [CXL_RC_INVALID_HANDLE] = "Invalid Handle",
        [CXL_RC_INVALID_PHYS_ADDR] = "Invalid Physical Address",
        [CXL_RC_POISON_LIMIT] = "Inject Poison Limit Reached",
        [CXL_RC_MEDIA_FAILURE] = "Permanent Media Failure",
        [CXL_RC_ABORTED] = "Aborted",
        [CXL_RC_INVALID_SECURITY_STATE] = "Invalid Security State",
        [CXL_RC_BAD_PASSPHRASE] = "Incorrect Passphrase",
        [CXL_RC_UNSUPPORTED_CCI] = "Unsupported Mailbox or CCI",
        [CXL_RC_INVALID_PAYLOAD_LENGTH] = "Invalid Payload Length",
        [CXL_RC_INVALID_LOG] = "Invalid Log",
        [CXL_RC_INTERRUPTED] = "Interrupted",
        [CXL_RC_FEAT_VERSION] = "Unsupported Feature Version",
        [CXL_RC_FEAT_SELECTION] = "Unsupported Feature Selection Value",
        [CXL_RC_FEAT_XFER_IN_PROGRESS] = "Feature Transfer in Progress",
        [CXL_RC_FEAT_XFER_OUT_OF_ORDER] = "Feature Transfer Out of Order",
        [CXL_RC_RESOURCES_EXHAUSTED] = "Resources Exhausted",
        [CXL_RC_INVALID_EXTENT_LIST] = "Invalid Extent List",
        [CXL_RC_XFER_OUT_OF_ORDER] = "Transfer Out of Order",
        [CXL_RC_NO_BG_ABORT] = "Request Abort Not Supported",
    };

    return rc < ARRAY_SIZE(names) && names[rc] ? names[rc] : "unknown code";
}
