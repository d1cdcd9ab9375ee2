/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Data Object Exchange (PCIe r6.2 6.30, 7.9.24)
 *
 * A mailbox holds the bytes of one data object and no more: a request grows as
 * software writes it, up to the length that its own header gives; an answer is
 * as long as it is. Requests are answered before the write of the Go bit
 * returns, so an instance never is busy.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "hw/pci/msi.h"
#include "hw/pci/msix.h"
#include "hw/pci/pci_device.h"
#include "hw/pci/pcie.h"
#include "hw/pci/pcie_doe.h"
#include "migration/vmstate-checked.h"
#include "trace.h"

#define VERSION         1
#define DWORD           4
#define HEADER_DWORDS   (sizeof(DOEHeader) / DWORD)
#define ROOM_MAX        (PCI_DOE_DW_SIZE_MAX * DWORD)
/* Most requests fit in what a mailbox begins with */
#define FIRST_ROOM      16
/* Their indices are bytes, of which 0 is discovery */
#define PROTOCOLS_MAX   255

#define DISCOVERY_DWORDS    3
/* The vendor and type of a protocol that does not exist */
#define NO_PROTOCOL         0x00ffffff

static const char *doe_owner(const DOECap *doe)
{
    return doe->pdev->qdev.canonical_path ?: doe->pdev->name;
}

/* -- mailboxes ---------------------------------------------------------- */

static void doe_drop_request(DOECap *doe)
{
    g_clear_pointer(&doe->write_mbox, g_free);
    doe->write_mbox_len = 0;
    doe->write_mbox_room = 0;
    doe->overrun = false;
}

static void doe_drop_response(DOECap *doe)
{
    g_clear_pointer(&doe->read_mbox, g_free);
    doe->read_mbox_len = 0;
    doe->read_mbox_idx = 0;
}

void *pcie_doe_get_write_mbox_ptr(DOECap *doe)
{
    return doe->write_mbox;
}

uint32_t pcie_doe_get_obj_len(const void *obj)
{
    const DOEHeader *header = obj;
    uint32_t dwords;

    if (!header) {
        return 0;
    }
    dwords = le32_to_cpu(header->length) & PCI_DOE_DATA_OBJECT_HEADER_2_LENGTH;
    return dwords ?: PCI_DOE_DW_SIZE_MAX;
}

/*
 * Software may write forever, so a request that is longer than it says, which
 * can only be discarded, is forgotten at once. What is left is that it was.
 */
static void doe_take_dword(DOECap *doe, uint32_t value)
{
    uint32_t n = doe->write_mbox_len;

    if (doe->overrun) {
        return;
    }
    if (n >= HEADER_DWORDS && n >= pcie_doe_get_obj_len(doe->write_mbox)) {
        trace_pcie_doe_overrun(doe_owner(doe), n);
        doe_drop_request(doe);
        doe->overrun = true;
        return;
    }
    if (n >= doe->write_mbox_room) {
        doe->write_mbox_room = MIN(MAX(2 * n, FIRST_ROOM), PCI_DOE_DW_SIZE_MAX);
        doe->write_mbox = g_renew(uint32_t, doe->write_mbox,
                                  doe->write_mbox_room);
    }
    doe->write_mbox[n] = cpu_to_le32(value);
    doe->write_mbox_len++;
}

/* -- interrupts --------------------------------------------------------- */

static void doe_interrupt(DOECap *doe)
{
    if (!doe->has_irq || !doe->irq_on || doe->irq_status) {
        return;
    }
    doe->irq_status = true;
    if (msix_enabled(doe->pdev)) {
        msix_notify(doe->pdev, doe->vector);
    } else if (msi_enabled(doe->pdev)) {
        /* the guest may have allocated fewer messages than we have vectors */
        msi_notify(doe->pdev, MIN(doe->vector,
                                  msi_nr_vectors_allocated(doe->pdev) - 1));
    }
}

/* -- requests ----------------------------------------------------------- */

/* Which types are answered? Index 0 is this one, which is always there. */
static bool doe_discover(DOECap *doe)
{
    uint32_t protocol = NO_PROTOCOL;
    uint8_t index, next = 0;

    if (doe->write_mbox_len < DISCOVERY_DWORDS) {
        return false;
    }
    index = le32_to_cpu(doe->write_mbox[HEADER_DWORDS]) &
            PCI_DOE_DATA_OBJECT_DISC_REQ_3_INDEX;
    if (!index) {
        protocol = PCI_VENDOR_ID_PCI_SIG | PCI_SIG_DOE_DISCOVERY << 16;
    } else if (index <= doe->protocol_num) {
        const DOEProtocol *p = &doe->protocols[index - 1];

        protocol = p->vendor_id | p->data_obj_type << 16;
    }
    if (index < doe->protocol_num) {
        next = index + 1;
    }
    doe->read_mbox[0] = cpu_to_le32(PCI_VENDOR_ID_PCI_SIG |
                                    PCI_SIG_DOE_DISCOVERY << 16);
    doe->read_mbox[1] = cpu_to_le32(DISCOVERY_DWORDS);
    doe->read_mbox[2] = cpu_to_le32(protocol | (uint32_t)next << 24);
    doe->read_mbox_len = DISCOVERY_DWORDS;
    return true;
}

static const DOEProtocol discovery = {
    PCI_VENDOR_ID_PCI_SIG, PCI_SIG_DOE_DISCOVERY, doe_discover
};

static const DOEProtocol *doe_find_protocol(const DOECap *doe)
{
    /* the byte above the type is reserved */
    const DOEHeader *header = (const DOEHeader *)doe->write_mbox;
    uint16_t vendor = le16_to_cpu(header->vendor_id);
    const DOEProtocol *p = &discovery;

    for (unsigned i = 0; i <= doe->protocol_num; i++) {
        if (p->vendor_id == vendor &&
            p->data_obj_type == header->data_obj_type) {
            return p;
        }
        p = &doe->protocols[i];
    }
    return NULL;
}

/*
 * Nobody asks a protocol how long its answer may become. So it gets all the
 * room there is, in pages that do not exist before it writes to them, and keeps
 * as much as it used.
 */
static bool doe_answer(DOECap *doe, const DOEProtocol *p)
{
    uint32_t *room = qemu_anon_ram_alloc(ROOM_MAX, NULL, false, false);
    bool answered;

    if (!room) {
        return false;
    }
    doe->read_mbox = room;
    answered = p->respond(doe) && doe->read_mbox_len;
    assert(doe->read_mbox_len <= PCI_DOE_DW_SIZE_MAX);
    doe->read_mbox = answered ?
                     g_memdup2(room, doe->read_mbox_len * DWORD) : NULL;
    if (!answered) {
        doe->read_mbox_len = 0;
    }
    qemu_anon_ram_free(room, ROOM_MAX);
    return answered;
}

/* Return: why there is no answer, NULL if there is one */
static const char *doe_answer_request(DOECap *doe)
{
    const DOEProtocol *p;

    /*
     * The previous answer was not read to its end. The specification does not
     * say which of the two is lost; the one that software may be reading stays.
     */
    if (doe->read_mbox_len) {
        return "an answer waits to be read";
    }
    if (doe->overrun || doe->write_mbox_len < HEADER_DWORDS ||
        doe->write_mbox_len != pcie_doe_get_obj_len(doe->write_mbox)) {
        return "its length is not the one in its header";
    }
    p = doe_find_protocol(doe);
    if (!p) {
        return "unknown type";
    }
    trace_pcie_doe_request(doe_owner(doe), p->vendor_id, p->data_obj_type,
                           doe->write_mbox_len);
    return doe_answer(doe, p) ? NULL : "no answer to it";
}

/* What gets no answer is discarded silently (6.30.1) */
static void doe_go(DOECap *doe)
{
    const char *why;

    if (doe->error) {
        return;
    }
    why = doe_answer_request(doe);
    if (why) {
        trace_pcie_doe_discarded(doe_owner(doe), doe->write_mbox_len, why);
    }
    doe_drop_request(doe);
    if (!why) {
        trace_pcie_doe_answer(doe_owner(doe), doe->read_mbox_len);
        doe_interrupt(doe);
    }
}

static void doe_abort_all(DOECap *doe)
{
    trace_pcie_doe_abort(doe_owner(doe), doe->write_mbox_len,
                         doe->read_mbox_len);
    doe_drop_request(doe);
    doe_drop_response(doe);
    doe->error = false;
}

/* Software has the dword that the mailbox shows */
static void doe_next_dword(DOECap *doe)
{
    if (!doe->read_mbox_len) {
        if (!doe->error) {
            trace_pcie_doe_underrun(doe_owner(doe));
            doe->error = true;
            doe_interrupt(doe);
        }
    } else if (++doe->read_mbox_idx == doe->read_mbox_len) {
        doe_drop_response(doe);
    }
}

/* -- registers ---------------------------------------------------------- */

/* The register that @addr is in, as its offset in the capability, or 0 */
static unsigned doe_find_register(const DOECap *doe, uint32_t addr)
{
    uint32_t offset = addr - doe->offset;

    return addr >= doe->offset && offset < PCI_DOE_CAP_SIZEOF ?
           ROUND_DOWN(offset, DWORD) : 0;
}

static uint32_t doe_read_register(const DOECap *doe, unsigned reg)
{
    switch (reg) {
    case PCI_DOE_CAP:
        return doe->has_irq ? PCI_DOE_CAP_INT_SUP | doe->vector << 1 : 0;
    case PCI_DOE_CTRL:
        return doe->irq_on ? PCI_DOE_CTRL_INT_EN : 0;
    case PCI_DOE_STATUS:
        return (doe->irq_status ? PCI_DOE_STATUS_INT_STATUS : 0) |
               (doe->error ? PCI_DOE_STATUS_ERROR : 0) |
               (doe->read_mbox_len ? PCI_DOE_STATUS_DATA_OBJECT_READY : 0);
    case PCI_DOE_READ:
        return doe->read_mbox_len ?
               le32_to_cpu(doe->read_mbox[doe->read_mbox_idx]) : 0;
    default:
        return 0;
    }
}

bool pcie_doe_read_config(DOECap *doe, uint32_t addr, int size, uint32_t *buf)
{
    unsigned reg = doe_find_register(doe, addr);
    unsigned byte = addr % DWORD;

    if (!reg) {
        return false;
    }
    if (reg >= PCI_DOE_WRITE && size != DWORD) {
        *buf = 0;
        return true;
    }
    *buf = extract64(doe_read_register(doe, reg), byte * 8, size * 8);
    return true;
}

/* @written: mask of the bytes that the write reaches */
static void doe_write_control(DOECap *doe, uint32_t value, uint32_t written)
{
    if (written & PCI_DOE_CTRL_INT_EN) {
        doe->irq_on = value & PCI_DOE_CTRL_INT_EN;
    }
    if (value & PCI_DOE_CTRL_ABORT) {
        doe_abort_all(doe);
    } else if (value & PCI_DOE_CTRL_GO) {
        doe_go(doe);
    }
}

void pcie_doe_write_config(DOECap *doe, uint32_t addr, uint32_t val, int size)
{
    unsigned reg = doe_find_register(doe, addr);
    unsigned shift = addr % DWORD * 8;
    uint32_t written = MAKE_64BIT_MASK(shift, size * 8);
    uint32_t value = (uint64_t)val << shift & written;

    if (reg >= PCI_DOE_WRITE && written != UINT32_MAX) {
        return;
    }
    switch (reg) {
    case PCI_DOE_CTRL:
        doe_write_control(doe, value, written);
        break;
    case PCI_DOE_STATUS:
        if (value & PCI_DOE_STATUS_INT_STATUS) {
            doe->irq_status = false;
        }
        break;
    case PCI_DOE_WRITE:
        doe_take_dword(doe, value);
        break;
    case PCI_DOE_READ:
        doe_next_dword(doe);
        break;
    default:
        break;
    }
}

/* -- life --------------------------------------------------------------- */

void pcie_doe_init(PCIDevice *pdev, DOECap *doe, uint16_t offset,
                   const DOEProtocol *protocols, bool intr, uint16_t vec)
{
    pcie_add_capability(pdev, PCI_EXT_CAP_ID_DOE, VERSION, offset,
                        PCI_DOE_CAP_SIZEOF);
    *doe = (DOECap) {
        .pdev = pdev,
        .offset = offset,
        .protocols = protocols,
        .has_irq = intr && (msi_present(pdev) || msix_present(pdev)),
        .vector = vec,
    };
    while (protocols[doe->protocol_num].vendor_id) {
        doe->protocol_num++;
    }
    assert(doe->protocol_num <= PROTOCOLS_MAX);
}

void pcie_doe_fini(DOECap *doe)
{
    doe_drop_request(doe);
    doe_drop_response(doe);
}

void pcie_doe_reset(DOECap *doe)
{
    pcie_doe_fini(doe);
    doe->irq_on = false;
    doe->irq_status = false;
    doe->error = false;
}

/* -- migration ---------------------------------------------------------- */

static int doe_pre_load(void *opaque)
{
    pcie_doe_reset(opaque);
    return 0;
}

static int doe_post_load(void *opaque, int version_id)
{
    DOECap *doe = opaque;

    if ((doe->overrun && doe->write_mbox_len) ||
        (doe->read_mbox_idx && doe->read_mbox_idx >= doe->read_mbox_len)) {
        pcie_doe_reset(doe);
        return -EINVAL;
    }
    doe->write_mbox_room = doe->write_mbox_len;
    return 0;
}

/* Dwords of a mailbox, as bytes */
#define MAILBOX(field) \
    VMSTATE_COUNTED_INFO(field, field##_len, DOECap), \
    .size = DWORD, \
    .max = PCI_DOE_DW_SIZE_MAX

static const VMStateCounted doe_write_mbox = { MAILBOX(write_mbox) };
static const VMStateCounted doe_read_mbox = { MAILBOX(read_mbox) };

const VMStateDescription vmstate_pcie_doe = {
    .name = "pcie-doe",
    .version_id = 1,
    .minimum_version_id = 1,
    .pre_load = doe_pre_load,
    .post_load = doe_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_BOOL(irq_on, DOECap),
        VMSTATE_BOOL(irq_status, DOECap),
        VMSTATE_BOOL(error, DOECap),
        VMSTATE_BOOL(overrun, DOECap),
        VMSTATE_COUNTED(write_mbox, DOECap, doe_write_mbox),
        VMSTATE_COUNTED(read_mbox, DOECap, doe_read_mbox),
        VMSTATE_UINT32(read_mbox_idx, DOECap),
        VMSTATE_END_OF_LIST()
    },
};
