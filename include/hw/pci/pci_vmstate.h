/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * State of a PCI function from a stream that nobody vouches for
 *
 * The PCI core loads some of it unseen.
 */
#ifndef HW_PCI_PCI_VMSTATE_H
#define HW_PCI_PCI_VMSTATE_H

#include "migration/vmstate-checked.h"
#include "hw/pci/pci_device.h"

extern const VMStateInfo vmstate_info_pci_function;
extern const VMStateText vmstate_pci_same;

/**
 * VMSTATE_PCI_FUNCTION() - the same bytes as VMSTATE_PCI_DEVICE()
 *
 * A stream is refused in which the function has another interrupt pin, or
 * asserts a line of a pin that it has not.  After a load that failed it
 * asserts none, and the next load is not refused for that one's version.
 */
#define VMSTATE_PCI_FUNCTION(_field, _state) {                              \
        .name = stringify(_field),                                          \
        .info = &vmstate_info_pci_function,                                 \
        .size = sizeof(PCIDevice),                                          \
        .flags = VMS_SINGLE,                                                \
        .offset = vmstate_offset_value(_state, _field, PCIDevice),          \
    }

/**
 * VMSTATE_PCI_SAME() - the function that a property names, the same on both
 *   sides
 * @_field: pointer to it or NULL; one that has been unplugged counts as none,
 *   and what is saved then is loaded whatever is there
 * @_property: what the user knows it as
 *
 * Nothing is loaded.  Comes before state that only means something with that
 * function.
 */
#define VMSTATE_PCI_SAME(_field, _state, _property) {                       \
        .name = stringify(_field),                                          \
        .info = &vmstate_pci_same.info,                                     \
        .size = sizeof_field(_state, _field),                               \
        .flags = VMS_SINGLE,                                                \
        .offset = offsetof(_state, _field),                                 \
        .err_hint = (_property),                                            \
    }

#endif
