/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What commands are called and what their return codes mean, for a user who
 * does not have the specification at hand (CXL r3.2 7.6.7.6, 8.2.10)
 */
#include <stddef.h>

#include "fm-cmds.h"
#include "fm-explain.h"

static const struct {
    uint16_t opcode;
    const char *name;
} names[] = {
#include "fm-command-names.h"
};

/* Opcode 0 stands for every command that has no row of its own for the code */
static const struct {
    uint16_t opcode;
    uint8_t rc;
    const char *meaning;
} meanings[] = {
    { 0x0100, CXL_RC_INVALID_INPUT, "this interface has no such event log" },
    { 0x0101, CXL_RC_INVALID_INPUT, "this interface has no such event log" },
    { 0x0101, CXL_RC_INVALID_HANDLE, "another program has cleared records of "
      "this log meanwhile" },
    { 0x0401, CXL_RC_INVALID_INPUT, "the log is shorter than what was asked "
      "for" },
    { 0x0401, CXL_RC_INVALID_LOG, "the component has no such log; "
      "'cxl-fm log' lists those it has" },
    { 0x5601, CXL_RC_INVALID_INPUT, "there is no such host; 'cxl-fm info' "
      "shows how many there are" },
    { 0x5602, CXL_RC_INVALID_INPUT, "there is no such region, or it cannot "
      "have blocks of this size; see 'cxl-fm info'" },
    { 0x5602, CXL_RC_UNSUPPORTED, "capacity of the region is offered or in "
      "use, or its sanitize setting is fixed" },
    { 0x5603, CXL_RC_INVALID_INPUT, "there is no such host; 'cxl-fm info' "
      "shows how many there are" },
    { 0x5604, CXL_RC_INVALID_INPUT, "the device does not take these "
      "arguments" },
    { 0x5604, CXL_RC_RETRY, "the host's event log has no room for this offer; "
      "let the host read its log, then try again" },
    { 0x5604, CXL_RC_RESOURCES, "not enough capacity is free in the region, "
      "no single free range is large enough, or the device cannot keep track "
      "of more extents or tags; see 'cxl-fm regions'" },
    { 0x5604, CXL_RC_EXTENT_LIST, "an extent is not on block borders, lies "
      "outside the regions, overlaps another, or is offered or in use; see "
      "'cxl-fm extents'" },
    { 0x5605, CXL_RC_INVALID_INPUT, "there is no such host, it has nothing "
      "with this tag, the size is no multiple of the region's blocks or only "
      "a part of shared capacity, or the device cannot sanitize" },
    { 0x5605, CXL_RC_RETRY, "the host's event log has no room for this "
      "request; let the host read its log, then try again" },
    { 0x5605, CXL_RC_INVALID_PA, "the host does not have all of these extents; "
      "an offer that it has not answered is only withdrawn with "
      "--forced" },
    { 0x5605, CXL_RC_RESOURCES, "the host has less than this, or the device "
      "cannot keep track of more extents" },
    { 0x5605, CXL_RC_EXTENT_LIST, "an extent is not on block borders, crosses "
      "regions, or overlaps another" },
    { 0x5606, CXL_RC_INVALID_INPUT, "no shared capacity has this tag; see "
      "'cxl-fm tags'" },
    { 0x5607, CXL_RC_INVALID_INPUT, "no shared capacity has this tag; see "
      "'cxl-fm tags'" },
    { 0x5608, CXL_RC_INVALID_INPUT, "there are fewer tags; they have changed "
      "meanwhile" },
    { 0, CXL_RC_INVALID_INPUT, "a value in the request is out of range" },
    { 0, CXL_RC_UNSUPPORTED, "the component does not have this command; "
      "'cxl-fm commands' lists those it has here" },
    { 0, CXL_RC_INTERNAL, "internal error in the component" },
    { 0, CXL_RC_RETRY, "the component is not ready, try again" },
    { 0, CXL_RC_BUSY, "another background operation is running" },
    { 0, CXL_RC_MEDIA_DISABLED, "the component's media is disabled: a sanitize "
      "is running, or has failed" },
    { 0, CXL_RC_SECURITY_STATE, "the component is locked" },
    { 0, CXL_RC_UNSUPPORTED_CCI, "the component has this command, but not at "
      "this interface" },
    { 0, CXL_RC_PAYLOAD_LENGTH, "the request has a wrong length" },
};

const char *fm_command_name(uint16_t opcode)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (names[i].opcode == opcode) {
            return names[i].name;
        }
    }
    return NULL;
}

const char *fm_explain(uint16_t opcode, uint16_t rc)
{
    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
        if (meanings[i].rc == rc &&
            (meanings[i].opcode == opcode || !meanings[i].opcode)) {
            return meanings[i].meaning;
        }
    }
    return NULL;
}
