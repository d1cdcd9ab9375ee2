/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CXL Type 3 memory device: what command sets may ask of it
 *
 * The structure is the device's own (hw/mem/cxl_type3*.c); everybody else goes
 * through the functions below.
 */
#ifndef CXL_TYPE3_H
#define CXL_TYPE3_H

#include "qemu/units.h"
#include "hw/pci/pci.h"
#include "hw/cxl/cxl_cci.h"
#include "hw/cxl/cxl_dc.h"
#include "hw/cxl/cxl_debug_log.h"
#include "hw/cxl/cxl_events.h"
#include "hw/cxl/cxl_features.h"
#include "hw/cxl/cxl_firmware.h"
#include "hw/cxl/cxl_health.h"
#include "hw/cxl/cxl_mailbox.h"
#include "hw/cxl/cxl_maintenance.h"
#include "hw/cxl/cxl_media.h"
#include "hw/cxl/cxl_partition.h"
#include "hw/cxl/cxl_poison.h"
#include "hw/cxl/cxl_qos.h"
#include "hw/cxl/cxl_security.h"

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

/* Logical devices that it has */
#define CXL_TYPE3_LDS CXL_QOS_LDS

#define TYPE_CXL_TYPE3 "cxl-type3"
typedef struct CXLType3Dev CXLType3Dev;

/** cxl_cci_type3() - the memory device behind a CCI, or NULL. */
CXLType3Dev *cxl_cci_type3(const CXLCCI *cci);

/** cxl_type3_fm_cci() - CCI for MCTP endpoints and tunnels (kind FM). */
CXLCCI *cxl_type3_fm_cci(CXLType3Dev *d);

/** cxl_type3_ld_cci() - CCI of logical device @ld, NULL if there is none. */
CXLCCI *cxl_type3_ld_cci(CXLType3Dev *d, uint16_t ld);

/** cxl_type3_pci() - the function that the host sees. */
PCIDevice *cxl_type3_pci(CXLType3Dev *d);

/** cxl_type3_dc() - dynamic capacity, NULL if the device has none. */
CXLDynCap *cxl_type3_dc(CXLType3Dev *d);

/* Static capacity in bytes, as it is partitioned now */
uint64_t cxl_type3_volatile_size(const CXLType3Dev *d);
uint64_t cxl_type3_persistent_size(const CXLType3Dev *d);

/** cxl_type3_partition() - capacity of either kind; it is part of the above. */
CXLPartition *cxl_type3_partition(CXLType3Dev *d);
/**
 * cxl_type3_repartition() - do what is planned, unless there is a passphrase
 * The bytes that change their kind read as zeroes.
 */
void cxl_type3_repartition(CXLType3Dev *d);
/** cxl_type3_is_decoded() - does a decoder lead to part of a static range? */
bool cxl_type3_is_decoded(CXLType3Dev *d, uint64_t dpa, uint64_t len);

/* Label storage area: size 0 without one; the range must lie inside */
uint64_t cxl_type3_lsa_size(const CXLType3Dev *d);
void cxl_type3_lsa_read(CXLType3Dev *d, uint64_t offset, void *buf, size_t n);
void cxl_type3_lsa_write(CXLType3Dev *d, uint64_t offset, const void *buf,
                         size_t n);

/** cxl_type3_events() - the host's event logs. */
CXLEventLogs *cxl_type3_events(CXLType3Dev *d);

/** cxl_type3_fm_events() - the Fabric Manager's event logs. */
CXLEventLogs *cxl_type3_fm_events(CXLType3Dev *d);

/** cxl_type3_poison() - what is known to be bad; addresses are DPAs. */
CXLPoison *cxl_type3_poison(CXLType3Dev *d);

/** cxl_type3_media_state() - scan and poison list in progress. */
CXLMediaState *cxl_type3_media_state(CXLType3Dev *d);

/**
 * cxl_type3_store_line() - overwrite one line of the medium
 * @dpa: aligned to %CXL_POISON_LINE, checked by the caller for who may
 * @line: that many bytes
 *
 * Return: false, with nothing changed, if it is no capacity.
 */
bool cxl_type3_store_line(CXLType3Dev *d, uint64_t dpa, const uint8_t *line);

/** cxl_type3_firmware() - slots and what is in them. */
CXLFirmware *cxl_type3_firmware(CXLType3Dev *d);

/** cxl_type3_features() - what can be set by UUID, and its values. */
CXLFeatures *cxl_type3_features(CXLType3Dev *d);

/** cxl_type3_maintenance() - what needs repair, and spares. */
CXLMaintenance *cxl_type3_maintenance(CXLType3Dev *d);

/** cxl_type3_health() - readings, alerts and shutdown state. */
CXLHealth *cxl_type3_health(CXLType3Dev *d);

/** cxl_type3_security() - passphrases and what they lock away. */
CXLSecurity *cxl_type3_security(CXLType3Dev *d);

/** cxl_type3_history() - commands of the last time, through whatever CCI. */
CXLHistory *cxl_type3_history(CXLType3Dev *d);

/** cxl_type3_dump() - the picture that cxl_type3_populate_dump() took. */
CXLDump *cxl_type3_dump(CXLType3Dev *d);
void cxl_type3_populate_dump(CXLType3Dev *d);

/** cxl_type3_qos() - QoS telemetry settings. */
CXLQoS *cxl_type3_qos(CXLType3Dev *d);

/**
 * cxl_type3_set_media() - media status register
 *
 * While it says disabled, loads yield random bytes, stores vanish, and commands
 * that need the media answer 07.
 */
void cxl_type3_set_media(CXLType3Dev *d, CXLMediaStatus status);

/*
 * Bytes that one step of long work may write while everybody waits: ten
 * milliseconds at 200 MB a second.  Where it is slowest, in a private mapping
 * of a file, which copies each page before it is overwritten, 260 MB a second
 * were measured on a machine with seven tasks for each of its processors.
 */
#define CXL_TYPE3_SLICE (2 * MiB)

/**
 * cxl_type3_zero() - overwrite the beginning of a range with zeroes
 * @dpa, @len: bytes of static capacity or of one dynamic capacity region,
 *   whoever holds them; @len is not 0
 * @budget: bytes that may still be written, not 0; it sinks by what it took,
 *   which is less than was overwritten where pages can be dropped
 *
 * The range is reached as before meanwhile.
 *
 * Return: bytes overwritten, 0 if the range is no capacity.
 */
uint64_t cxl_type3_zero(CXLType3Dev *d, uint64_t dpa, uint64_t len,
                        uint64_t *budget);

/**
 * cxl_type3_wipe() - capacity reads as zeroes from now on, for whoever gets it
 * @dpa, @len: bytes of static capacity or of one dynamic capacity region
 *
 * The memory itself is overwritten in slices after that, and where somebody
 * touches it, before that access.  cxl_type3_wipe_begin() ends an operation
 * that wipes, before anybody can ask; cxl_type3_wiping() until all is done.
 */
void cxl_type3_wipe(CXLType3Dev *d, uint64_t dpa, uint64_t len);
void cxl_type3_wipe_begin(CXLType3Dev *d);
/** cxl_type3_wipe_all() - both: static and dynamic capacity, and labels. */
void cxl_type3_wipe_all(CXLType3Dev *d);
bool cxl_type3_wiping(const CXLType3Dev *d);

/** cxl_type3_fm_on_mailbox() - are the FM sets offered on the PCI mailbox? */
bool cxl_type3_fm_on_mailbox(const CXLType3Dev *d);

#endif /* CXL_TYPE3_H */
