/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A memory device: the models of its medium and of what manages it, as one
 * object (CXL r3.2 8.2.10.9, device status 8.2.8.5)
 *
 * Commands change the models, and what follows for the memory itself goes
 * through a table of functions to the owner.  Plain C: no QOM, no PCI; the
 * caller holds the BQL.
 */
#ifndef CXL_MEMDEV_H
#define CXL_MEMDEV_H

#include "qemu/units.h"

typedef struct CXLDump CXLDump;
typedef struct CXLDynCap CXLDynCap;
typedef struct CXLEventLogs CXLEventLogs;
typedef struct CXLFeatures CXLFeatures;
typedef struct CXLFirmware CXLFirmware;
typedef struct CXLHealth CXLHealth;
typedef struct CXLHistory CXLHistory;
typedef struct CXLMaintenance CXLMaintenance;
typedef struct CXLMediaState CXLMediaState;
typedef struct CXLPartition CXLPartition;
typedef struct CXLPoison CXLPoison;
typedef struct CXLQoS CXLQoS;
typedef struct CXLScrub CXLScrub;
typedef struct CXLSecurity CXLSecurity;
typedef struct CXLTimestamp CXLTimestamp;
struct CXLDCEvent;
struct CXLEventRecord;

/* Media status field of the memory device status register (8.2.8.5.1) */
typedef enum CXLMediaStatus {
    CXL_MEDIA_NOT_READY = 0,
    CXL_MEDIA_READY     = 1,
    CXL_MEDIA_ERROR     = 2,
    CXL_MEDIA_DISABLED  = 3,
} CXLMediaStatus;

/* Logical devices of a memory device */
#define CXL_MEMDEV_LDS 1
/* Device ID of a memory device's PCI function */
#define CXL_TYPE3_DEVICE_ID 0xd93

/*
 * Bytes that one step of long work may write while everybody waits: ten
 * milliseconds at 200 MB a second.  Where it is slowest, in a private mapping
 * of a file, which copies each page before it is overwritten, 260 MB a second
 * were measured on a machine with seven tasks for each of its processors.
 */
#define CXL_MEMDEV_SLICE (2 * MiB)

/**
 * struct CXLMemDevOps - what the owner does to the memory and to the host
 * @zero: overwrite the beginning of a range with zeroes.  @dpa, @len: bytes of
 *        static capacity or of one dynamic capacity region, whichever host
 *        holds them; @len is not 0.  @budget: bytes that may still be written,
 *        not 0; it sinks by what it took, which is less than was overwritten
 *        where pages can be dropped.  The host reaches the range meanwhile.
 *        Returns the bytes overwritten, 0 if the range is no capacity.
 * @wipe: a range as of @zero reads as zeroes from now on, for any host.  The
 *        memory itself is overwritten in slices after that, and where it is
 *        accessed, before that access.
 * @wipe_begin: ends an operation that has called @wipe, before any host can see
 *              its outcome
 * @wipe_all: both: static and dynamic capacity, and labels
 * @is_wiping: is there memory left to be overwritten?
 * @store_line: overwrite one line of the medium; @dpa is aligned to it, and the
 *              caller has checked that the host may.  Returns false, with
 *              nothing changed, if it is no capacity.
 * @lsa_read, @lsa_write: bytes inside the label storage area
 * @is_decoded: does a decoder lead to part of a static range?
 * @partition_moved: volatile and persistent capacity have other sizes now
 * @map_changed: accesses may be answered in another way than before
 * @interrupt: the host asked for message @number
 * @dump: fill the Component State Dump Log
 */
typedef struct CXLMemDevOps {
    uint64_t (*zero)(void *opaque, uint64_t dpa, uint64_t len,
                     uint64_t *budget);
    void (*wipe)(void *opaque, uint64_t dpa, uint64_t len);
    void (*wipe_begin)(void *opaque);
    void (*wipe_all)(void *opaque);
    bool (*is_wiping)(void *opaque);
    bool (*store_line)(void *opaque, uint64_t dpa, const uint8_t *line);
    void (*lsa_read)(void *opaque, uint64_t offset, void *buf, size_t n);
    void (*lsa_write)(void *opaque, uint64_t offset, const void *buf, size_t n);
    bool (*is_decoded)(void *opaque, uint64_t dpa, uint64_t len);
    void (*partition_moved)(void *opaque);
    void (*map_changed)(void *opaque);
    void (*interrupt)(void *opaque, unsigned number);
    void (*dump)(void *opaque);
} CXLMemDevOps;

/**
 * struct CXLMemDevConfig - what never changes
 * @volatile_size, @persistent_size: bytes of either kind, in this order from
 *                                   DPA 0
 * @partitionable: the host chooses how much of the second kind is volatile
 * @lsa_size: bytes of the label storage area, 0 without one
 * @medium_size: bytes from DPA 0 to the last that is backed by memory
 * @log_depth: records that each event log of errors holds
 * @dc_log_depth: records that the dynamic capacity event log holds
 */
typedef struct CXLMemDevConfig {
    uint64_t volatile_size;
    uint64_t persistent_size;
    bool partitionable;
    uint64_t lsa_size;
    uint64_t medium_size;
    uint32_t log_depth;
    uint32_t dc_log_depth;
} CXLMemDevConfig;

/**
 * struct CXLMemDev - the models
 * @events: the host's logs
 * @fm_events: the Fabric Manager's
 * @dc: the dynamic capacity behind static capacity, NULL if there is none; the
 *      owner's
 * @host_id: whose view of @dc the device's decoders give
 * @media_status: CXLMediaStatus; while it says disabled, loads yield random
 *                bytes, stores are ignored, and commands that need the media
 *                answer 07
 */
typedef struct CXLMemDev {
    const CXLMemDevOps *ops;
    void *opaque;
    CXLMemDevConfig config;
    CXLTimestamp *clock;
    CXLEventLogs *events;
    CXLEventLogs *fm_events;
    CXLPoison *poison;
    CXLMediaState *media;
    CXLFirmware *firmware;
    CXLHealth *health;
    CXLPartition *partition;
    CXLSecurity *security;
    CXLFeatures *features;
    CXLScrub *scrub;
    CXLMaintenance *maintenance;
    CXLQoS *qos;
    CXLHistory *history;
    CXLDump *dump;
    CXLDynCap *dc;
    uint16_t host_id;
    uint8_t media_status;
} CXLMemDev;

/**
 * cxl_memdev_new() - a device without capacity, whose models are all zeroes
 *
 * cxl_memdev_init() gives it a configuration, cxl_memdev_destroy() takes it
 * away; the models can be looked at until cxl_memdev_free().
 */
CXLMemDev *cxl_memdev_new(const CXLMemDevOps *ops, void *opaque);
void cxl_memdev_free(CXLMemDev *m);

/** cxl_memdev_init() - as at power-on */
void cxl_memdev_init(CXLMemDev *m, const CXLMemDevConfig *config);
void cxl_memdev_destroy(CXLMemDev *m);
/** cxl_memdev_forget() - as at power-on, whatever it holds: a load failed. */
void cxl_memdev_forget(CXLMemDev *m);
/**
 * cxl_memdev_reset() - conventional reset
 *
 * Contents of memory and labels, timestamp, poison, the logs of errors,
 * firmware slots, health and alert configuration, debug logs and passphrases
 * stay; the user's passphrase locks persistent memory.  Firmware and a
 * partition that wait for a reset come into force, and so do the saved values
 * of features; soft repairs are undone.
 */
void cxl_memdev_reset(CXLMemDev *m);

/* Static capacity in bytes: as it is partitioned now, and both together */
uint64_t cxl_memdev_volatile_size(const CXLMemDev *m);
uint64_t cxl_memdev_persistent_size(const CXLMemDev *m);
uint64_t cxl_memdev_static_size(const CXLMemDev *m);
/** cxl_memdev_end() - the address behind the last that a decoder can reach. */
uint64_t cxl_memdev_end(const CXLMemDev *m);

/**
 * cxl_memdev_accessible() - is all of a range capacity of @host?
 * @len: not 0
 * @write: may it be written, too?
 */
bool cxl_memdev_accessible(const CXLMemDev *m, uint16_t host, uint64_t dpa,
                           uint64_t len, bool write);
/**
 * cxl_memdev_translate() - where on the medium is what @host sees at @dpa?
 * @media: set to that address
 * Return: how many bytes follow each other there, 0 if @host has no capacity
 *         at @dpa
 */
uint64_t cxl_memdev_translate(const CXLMemDev *m, uint16_t host, uint64_t dpa,
                              uint64_t *media);

void cxl_memdev_set_media(CXLMemDev *m, CXLMediaStatus status);
static inline bool cxl_memdev_media_disabled(const CXLMemDev *m)
{
    return m->media_status == CXL_MEDIA_DISABLED;
}

/**
 * cxl_memdev_repartition() - do what is planned, unless there is a passphrase
 * The bytes that change their kind read as zeroes.
 */
void cxl_memdev_repartition(CXLMemDev *m);

/** cxl_memdev_dc_record() - the record of a dynamic capacity event. */
void cxl_memdev_dc_record(struct CXLEventRecord *r,
                          const struct CXLDCEvent *event);

/**
 * cxl_memdev_log_dc() - append the record of a dynamic capacity event
 * Return: false if the log of whom it is for was full
 */
bool cxl_memdev_log_dc(CXLMemDev *m, const struct CXLDCEvent *event);

/* vmstate_cxl_memdev - all models; dynamic capacity is the owner's */
extern const struct VMStateDescription vmstate_cxl_memdev;

#endif /* CXL_MEMDEV_H */
