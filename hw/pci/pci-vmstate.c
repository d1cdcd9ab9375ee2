/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * State of a PCI function from a stream, see pci_vmstate.h
 */
#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "hw/pci/pci_vmstate.h"

/* Bits of irq_state */
static uint8_t pci_function_lines(const PCIDevice *dev)
{
    uint8_t pin = dev->config[PCI_INTERRUPT_PIN];

    return pin ? 1 << (pin - 1) : 0;
}

static int pci_function_get(QEMUFile *f, void *pv, size_t size,
                            const VMStateField *field)
{
    const VMStateDescription *vmsd = &vmstate_pci_device;
    PCIDevice *dev = pv;
    int ret;

    /* what the pin is follows from what the function is, not from the stream */
    dev->cmask[PCI_INTERRUPT_PIN] = 0xff;
    ret = vmstate_checked_load(f, vmsd, dev);
    /* kept where it is loaded, and the most that another load may have */
    dev->version_id = vmsd->version_id;
    if (!ret && (dev->irq_state & ~pci_function_lines(dev))) {
        error_report("%s: interrupt lines 0x%x in the stream, has 0x%x",
                     dev->name, dev->irq_state, pci_function_lines(dev));
        ret = -EINVAL;
    }
    if (ret) {
        dev->irq_state = 0;
    }
    return ret;
}

static int pci_function_put(QEMUFile *f, void *pv, size_t size,
                            const VMStateField *field, JSONWriter *vmdesc)
{
    return vmstate_save_state(f, &vmstate_pci_device, pv, vmdesc, NULL);
}

const VMStateInfo vmstate_info_pci_function = {
    .name = "PCI function",
    .get = pci_function_get,
    .put = pci_function_put,
};

/* Where the function is that @pv points to: the same for every numbering */
static char *pci_same_path(void *pv, const VMStateField *field)
{
    DeviceState *dev = *(DeviceState **)pv;

    /* no command line leaves out what was unplugged on the other side */
    return dev && dev->realized ? qdev_get_dev_path(dev) : NULL;
}

const VMStateText vmstate_pci_same = {
    VMSTATE_TEXT_INFO,
    .text = pci_same_path,
};
