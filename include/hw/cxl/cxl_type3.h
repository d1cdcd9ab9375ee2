/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CXL Type 3 memory device: what command sets and the host window may ask of it
 *
 * The structure is the device's own (hw/mem/cxl_type3*.c); everybody else goes
 * through the functions below.
 */
#ifndef CXL_TYPE3_H
#define CXL_TYPE3_H

#include "exec/memattrs.h"
#include "hw/pci/pci.h"
#include "hw/cxl/cxl_cci.h"
#include "hw/cxl/cxl_dc.h"
#include "hw/cxl/cxl_events.h"

#define TYPE_CXL_TYPE3 "cxl-type3"
typedef struct CXLType3Dev CXLType3Dev;

/** cxl_cci_type3() - the memory device behind a CCI, or NULL. */
CXLType3Dev *cxl_cci_type3(const CXLCCI *cci);

/** cxl_type3_fm_cci() - CCI for MCTP endpoints and tunnels (kind FM). */
CXLCCI *cxl_type3_fm_cci(CXLType3Dev *d);

/** cxl_type3_dc() - dynamic capacity, NULL if the device has none. */
CXLDynCap *cxl_type3_dc(CXLType3Dev *d);

/* Static capacity in bytes */
uint64_t cxl_type3_volatile_size(const CXLType3Dev *d);
uint64_t cxl_type3_persistent_size(const CXLType3Dev *d);

/* Label storage area: size 0 without one; the range must lie inside */
uint64_t cxl_type3_lsa_size(const CXLType3Dev *d);
void cxl_type3_lsa_read(CXLType3Dev *d, uint64_t offset, void *buf, size_t n);
void cxl_type3_lsa_write(CXLType3Dev *d, uint64_t offset, const void *buf,
                         size_t n);

/** cxl_type3_events() - the host's event logs. */
CXLEventLogs *cxl_type3_events(CXLType3Dev *d);

/** cxl_type3_fm_on_mailbox() - are the FM sets offered on the PCI mailbox? */
bool cxl_type3_fm_on_mailbox(const CXLType3Dev *d);

/** cxl_type3_serial() - serial number, all ones if none was given. */
uint64_t cxl_type3_serial(const CXLType3Dev *d);

/* Host window accesses; @host_addr is an HPA that routing brought here */
MemTxResult cxl_type3_read(PCIDevice *d, hwaddr host_addr, uint64_t *data,
                           unsigned size, MemTxAttrs attrs);
MemTxResult cxl_type3_write(PCIDevice *d, hwaddr host_addr, uint64_t data,
                            unsigned size, MemTxAttrs attrs);

#endif /* CXL_TYPE3_H */
