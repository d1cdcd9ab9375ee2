/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CXL.io requests of a Fabric Manager to a function (CXL r3.2 7.6.7.3)
 *
 * They come from inside the switch: no window of a bridge forwards them and no
 * host is asked.  The function itself must have its memory space enabled.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "hw/pci/pci.h"
#include "io-request.h"
#include "exec/memop.h"

/* Widest access that a register is offered */
#define WIDEST 8

/*
 * Length of the access that begins at address @at: a power of two that divides
 * the address, of enabled bytes only; 0 if the first one is disabled
 */
static unsigned io_access_size(const CXLIOMemory *req, uint64_t at)
{
    const uint64_t first = req->addr / 4;
    const uint64_t last = (req->addr + req->len - 1) / 4;
    const uint64_t end = req->addr + req->len;
    unsigned size;

    for (size = 0; size < WIDEST && at + size < end; size++) {
        uint64_t dword = (at + size) / 4;
        uint8_t on = dword == first ? req->first_be :
                     dword == last ? req->last_be : 0xf;

        if (!(on >> (at + size) % 4 & 1)) {
            break;
        }
    }
    while (size & (size - 1) || (size && at % size)) {
        size--;
    }
    return size;
}

/* -- configuration -------------------------------------------------------- */

uint32_t cxl_io_config(PCIDevice *pci, uint32_t what, uint32_t data)
{
    const CXLIOMemory req = {
        .addr = CXL_IO_CONFIG_REGISTER(what) & ~3u,
        .len = 4,
        .first_be = CXL_IO_FIRST_BE(what),
    };
    uint32_t read = 0;
    unsigned i, size;

    for (i = 0; i < 4; i += MAX(size, 1)) {
        uint32_t at = req.addr + i;

        size = io_access_size(&req, at);
        if (!size || at + size > pci_config_size(pci)) {
            continue;
        }
        if (what & CXL_IO_WRITE) {
            pci->config_write(pci, at, extract32(data, i * 8, size * 8), size);
        } else {
            read = deposit32(read, i * 8, size * 8,
                             pci->config_read(pci, at, size));
        }
    }
    return read;
}

/* -- memory --------------------------------------------------------------- */

/*
 * The memory BAR that has all of the range, and where it begins there.  Asked
 * from the registers: what no host sees, as behind an unbound port, is mapped
 * nowhere, and answers all the same.
 */
static MemoryRegion *io_find_bar(PCIDevice *pci, const CXLIOMemory *req,
                                 hwaddr *offset)
{
    for (unsigned i = 0; i < PCI_NUM_REGIONS; i++) {
        const PCIIORegion *bar = &pci->io_regions[i];
        pcibus_t base;

        if (!bar->size || bar->type & PCI_BASE_ADDRESS_SPACE_IO) {
            continue;
        }
        base = pci_bar_address(pci, i, bar->type, bar->size);
        if (base != PCI_BAR_UNMAPPED && req->addr >= base &&
            req->len <= bar->size &&
            req->addr - base <= bar->size - req->len) {
            *offset = req->addr - base;
            return bar->memory;
        }
    }
    return NULL;
}

/* What answers at @offset of a BAR, which may be a container of blocks */
static MemoryRegion *io_block_at(MemoryRegion *mr, hwaddr *offset)
{
    MemoryRegion *sub, *next = mr;

    while (next) {
        mr = next;
        next = NULL;
        QTAILQ_FOREACH(sub, &mr->subregions, subregions_link) {
            if (sub->enabled && *offset >= sub->addr &&
                *offset - sub->addr < memory_region_size(sub)) {
                *offset -= sub->addr;
                next = sub;
                break;
            }
        }
    }
    return mr;
}

static bool io_access_one(MemoryRegion *mr, hwaddr at, unsigned size,
                          const uint8_t *from, uint8_t *to)
{
    const MemOp op = size_memop(size) | MO_LE;
    uint64_t value = 0;
    MemTxResult result;

    if (from) {
        result = memory_region_dispatch_write(mr, at, ldn_le_p(from, size), op,
                                              MEMTXATTRS_UNSPECIFIED);
    } else {
        result = memory_region_dispatch_read(mr, at, &value, op,
                                             MEMTXATTRS_UNSPECIFIED);
        if (result == MEMTX_OK) {
            stn_le_p(to, size, value);
        }
    }
    return result == MEMTX_OK;
}

/*
 * @from: data to write, or NULL; @to: room for data to read, or NULL.  With
 * neither nothing is accessed, only judged.
 */
static bool io_walk(MemoryRegion *bar, hwaddr offset, const CXLIOMemory *req,
                    bool write, const uint8_t *from, uint8_t *to)
{
    unsigned i, size;

    for (i = 0; i < req->len; i += MAX(size, 1)) {
        hwaddr at = offset + i;
        MemoryRegion *mr = io_block_at(bar, &at);

        size = io_access_size(req, req->addr + i);
        if (!size) {
            continue;
        }
        if (from || to) {
            if (!io_access_one(mr, at, size, from ? from + i : NULL,
                               to ? to + i : NULL)) {
                return false;
            }
        } else if (!memory_region_access_valid(mr, at, size, write,
                                               MEMTXATTRS_UNSPECIFIED)) {
            return false;
        }
    }
    return true;
}

static MemoryRegion *io_find_valid(PCIDevice *pci, const CXLIOMemory *req,
                                   bool write, hwaddr *offset)
{
    MemoryRegion *bar = io_find_bar(pci, req, offset);

    return bar && io_walk(bar, *offset, req, write, NULL, NULL) ? bar : NULL;
}

bool cxl_io_read(PCIDevice *pci, const CXLIOMemory *req, uint8_t *data)
{
    hwaddr offset;
    MemoryRegion *bar = io_find_valid(pci, req, false, &offset);

    memset(data, 0, req->len);
    return bar && io_walk(bar, offset, req, false, NULL, data);
}

bool cxl_io_write(PCIDevice *pci, const CXLIOMemory *req, const uint8_t *data)
{
    hwaddr offset;
    MemoryRegion *bar = io_find_valid(pci, req, true, &offset);

    return bar && io_walk(bar, offset, req, true, data, NULL);
}
