/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Data Object Exchange: two mailboxes in configuration space by which software
 * sends a function requests of up to 1 MiB and reads the answers (PCIe r6.2
 * 6.30 for the protocol, 7.9.24 for the registers)
 *
 * Stands in for the base's file of this name, with the names that other devices
 * of the base use: NVMe controllers and CXL switch ports.
 */
#ifndef HW_PCI_PCIE_DOE_H
#define HW_PCI_PCIE_DOE_H

/* Not for this file: files of the base get these from it */
#include "hw/register.h"
#include "qemu/range.h"

/* Types of data objects that the PCI-SIG defined */
enum {
    PCI_SIG_DOE_DISCOVERY = 0,
    PCI_SIG_DOE_CMA = 1,
    PCI_SIG_DOE_SECURED_CMA = 2,
};

/* The longest data object, in dwords: its length field has 18 bits, 0 is it */
#define PCI_DOE_DW_SIZE_MAX         (1 << 18)

typedef struct DOECap DOECap;

/**
 * struct DOEHeader - how each data object begins; little endian
 * @length: in dwords, this header included; the upper 14 bits are reserved
 */
typedef struct QEMU_PACKED DOEHeader {
    uint16_t vendor_id;
    uint8_t data_obj_type;
    uint8_t reserved;
    uint32_t length;
} DOEHeader;

/**
 * struct DOEProtocol - a type of request that a function answers
 * @respond: called when a request is complete, whose length is the one in its
 *   header. Writes the answer to DOECap.read_mbox, where there is room for
 *   PCI_DOE_DW_SIZE_MAX dwords of zeroes, adds its dwords to read_mbox_len, and
 *   returns true; false if there is none, then the request is discarded.
 *
 * An array of them ends with a row of zeroes.
 */
typedef struct DOEProtocol {
    uint16_t vendor_id;
    uint8_t data_obj_type;
    bool (*respond)(DOECap *doe);
} DOEProtocol;

/**
 * struct DOECap - state of one instance
 * @pdev: the function it belongs to
 * @offset: of its capability in configuration space
 * @protocols: what it answers, but for discovery
 * @protocol_num: number of @protocols
 * @vector: interrupt message number
 * @has_irq: it can interrupt
 * @irq_on: software wants interrupts
 * @irq_status: there was one
 * @error: software read an answer where there was none; ends with an abort
 * @write_mbox: what there is of a request, in bytes as they come; owned
 * @write_mbox_len: dwords of it
 * @write_mbox_room: dwords that @write_mbox could hold
 * @overrun: a request was longer than its header says; it is gone
 * @read_mbox: the answer, in bytes as they go; owned
 * @read_mbox_len: dwords of it, 0 if there is no answer to read
 * @read_mbox_idx: dwords that were read
 * @spdm_socket: the base's, for devices whose requests another process answers
 */
struct DOECap {
    PCIDevice *pdev;
    uint16_t offset;
    const DOEProtocol *protocols;
    unsigned protocol_num;
    uint16_t vector;
    bool has_irq;

    bool irq_on;
    bool irq_status;
    bool error;
    bool overrun;
    uint32_t *write_mbox;
    uint32_t write_mbox_len;
    uint32_t write_mbox_room;
    uint32_t *read_mbox;
    uint32_t read_mbox_len;
    uint32_t read_mbox_idx;

    int spdm_socket;
};

/**
 * pcie_doe_init - add the capability
 * @pdev: function, whose MSI or MSI-X exists if it has any
 * @doe: filled
 * @offset: in configuration space
 * @protocols: see struct DOEProtocol; must live as long as @doe
 * @intr: interrupt if MSI or MSI-X exists
 * @vec: with this message number
 *
 * The mailboxes take no memory while there is nothing in them.
 */
void pcie_doe_init(PCIDevice *pdev, DOECap *doe, uint16_t offset,
                   const DOEProtocol *protocols, bool intr, uint16_t vec);

/** pcie_doe_fini - free what is in the mailboxes, not @doe. */
void pcie_doe_fini(DOECap *doe);

/** pcie_doe_reset - a conventional reset: nothing is under way any more. */
void pcie_doe_reset(DOECap *doe);

/**
 * pcie_doe_read_config - a read of configuration space
 * @addr: first byte
 * @size: 1 to 4; bytes behind the register of @addr read as zero
 * @buf: the value
 *
 * Return: false if @addr is none of the instance's registers.
 */
bool pcie_doe_read_config(DOECap *doe, uint32_t addr, int size, uint32_t *buf);

/**
 * pcie_doe_write_config - a write to configuration space
 *
 * Mailboxes are accessed by aligned dwords only; other accesses to them, and
 * bytes outside the register of @addr, have no effect.
 */
void pcie_doe_write_config(DOECap *doe, uint32_t addr, uint32_t val, int size);

/** pcie_doe_get_write_mbox_ptr - the request, for DOEProtocol.respond. */
void *pcie_doe_get_write_mbox_ptr(DOECap *doe);

/**
 * pcie_doe_get_obj_len - length of a data object as its header tells
 * @obj: starts with struct DOEHeader; NULL has no length
 *
 * Return: dwords, at most PCI_DOE_DW_SIZE_MAX.
 */
uint32_t pcie_doe_get_obj_len(const void *obj);

/** vmstate_pcie_doe - a DOECap with what is in its mailboxes. */
extern const struct VMStateDescription vmstate_pcie_doe;

#endif /* HW_PCI_PCIE_DOE_H */
