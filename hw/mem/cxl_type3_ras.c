/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CXL Type 3 memory device: RAS registers and the errors QMP puts into them
 * (CXL r3.2 8.2.4.17, 12.2.1)
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/qapi-commands-cxl.h"
#include "hw/pci/pcie_aer.h"
#include "migration/vmstate-checked.h"
#include "cxl_type3_internal.h"
#include "trace.h"

/* Words that a caller may give; those behind the header log have no place */
#define QMP_HEADER_WORDS 32

static uint32_t *ras_reg(CXLType3Dev *d, unsigned offset)
{
    return &d->cxl.crb.cache_mem_registers[offset / 4];
}

/* First error pointer and header log belong to the oldest error */
static void ras_show_first(CXLType3Dev *d)
{
    uint32_t *control = ras_reg(d, CXL_RAS_CONTROL);
    uint32_t *log = ras_reg(d, CXL_RAS_HEADER_LOG);

    *control &= ~CXL_RAS_FIRST_ERROR;
    if (d->nr_ras_errors) {
        *control |= d->ras_error[0].bit;
        memcpy(log, d->ras_error[0].header, sizeof(d->ras_error[0].header));
    } else {
        /* No error has this number */
        *control |= CXL_RAS_FIRST_ERROR;
    }
}

static uint32_t ras_bits_waiting(const CXLType3Dev *d)
{
    uint32_t bits = 0;
    unsigned i;

    for (i = 0; i < d->nr_ras_errors; i++) {
        bits |= 1u << d->ras_error[i].bit;
    }
    return bits;
}

/*
 * Writing just the bit of the first error takes that error off, so that the
 * next header shows.  Any other write takes off all errors it has bits for.
 */
static void ras_write_uncorrectable(CXLType3Dev *d, uint32_t value)
{
    unsigned i, kept = 0;

    if (!d->nr_ras_errors) {
        *ras_reg(d, CXL_RAS_UNC_STATUS) &= ~value;
        return;
    }
    if (value == 1u << d->ras_error[0].bit) {
        kept = d->nr_ras_errors - 1;
        memmove(&d->ras_error[0], &d->ras_error[1],
                kept * sizeof(d->ras_error[0]));
    } else {
        for (i = 0; i < d->nr_ras_errors; i++) {
            if (!(value & (1u << d->ras_error[i].bit))) {
                d->ras_error[kept++] = d->ras_error[i];
            }
        }
    }
    d->nr_ras_errors = kept;
    *ras_reg(d, CXL_RAS_UNC_STATUS) &= ~value;
    *ras_reg(d, CXL_RAS_UNC_STATUS) |= ras_bits_waiting(d);
    ras_show_first(d);
}

static bool cxl_type3_component_write(CXLComponentState *cxl, unsigned offset,
                                      uint32_t value)
{
    CXLType3Dev *d = container_of(cxl, CXLType3Dev, cxl);

    switch (offset) {
    case CXL_RAS_UNC_STATUS:
        ras_write_uncorrectable(d, value);
        return true;
    case CXL_RAS_COR_STATUS:
        *ras_reg(d, CXL_RAS_COR_STATUS) &= ~value;
        return true;
    default:
        return false;
    }
}

static void cxl_type3_decode_changed(CXLComponentState *cxl)
{
    cxl_type3_decode_forget(container_of(cxl, CXLType3Dev, cxl));
}

const CXLComponentOps cxl_type3_component_ops = {
    .write = cxl_type3_component_write,
    .decode_changed = cxl_type3_decode_changed,
};

void cxl_type3_ras_exit(CXLType3Dev *d)
{
    g_clear_pointer(&d->ras_error, g_free);
    d->nr_ras_errors = 0;
}

static void ras_send_aer(CXLType3Dev *d, bool correctable)
{
    PCIDevice *pci = PCI_DEVICE(d);
    PCIEAERErr err = {
        .status = correctable ? PCI_ERR_COR_INTERNAL : PCI_ERR_UNC_INTN,
        .source_id = pci_requester_id(pci),
        .flags = correctable ? PCIE_AER_ERR_IS_CORRECTABLE : 0,
    };

    pcie_aer_inject_error(pci, &err);
}

static int ras_uncorrectable_bit(CxlUncorErrorType type)
{
    static const uint8_t bit[CXL_UNCOR_ERROR_TYPE__MAX] = {
        [CXL_UNCOR_ERROR_TYPE_CACHE_DATA_PARITY] = 0,
        [CXL_UNCOR_ERROR_TYPE_CACHE_ADDRESS_PARITY] = 1,
        [CXL_UNCOR_ERROR_TYPE_CACHE_BE_PARITY] = 2,
        [CXL_UNCOR_ERROR_TYPE_CACHE_DATA_ECC] = 3,
        [CXL_UNCOR_ERROR_TYPE_MEM_DATA_PARITY] = 4,
        [CXL_UNCOR_ERROR_TYPE_MEM_ADDRESS_PARITY] = 5,
        [CXL_UNCOR_ERROR_TYPE_MEM_BE_PARITY] = 6,
        [CXL_UNCOR_ERROR_TYPE_MEM_DATA_ECC] = 7,
        [CXL_UNCOR_ERROR_TYPE_REINIT_THRESHOLD] = 8,
        [CXL_UNCOR_ERROR_TYPE_RSVD_ENCODING] = 9,
        [CXL_UNCOR_ERROR_TYPE_POISON_RECEIVED] = 10,
        [CXL_UNCOR_ERROR_TYPE_RECEIVER_OVERFLOW] = 11,
        [CXL_UNCOR_ERROR_TYPE_INTERNAL] = 14,
        [CXL_UNCOR_ERROR_TYPE_CXL_IDE_TX] = 15,
        [CXL_UNCOR_ERROR_TYPE_CXL_IDE_RX] = 16,
    };

    return type < CXL_UNCOR_ERROR_TYPE__MAX ? bit[type] : -1;
}

static int ras_correctable_bit(CxlCorErrorType type)
{
    static const uint8_t bit[CXL_COR_ERROR_TYPE__MAX] = {
        [CXL_COR_ERROR_TYPE_CACHE_DATA_ECC] = 0,
        [CXL_COR_ERROR_TYPE_MEM_DATA_ECC] = 1,
        [CXL_COR_ERROR_TYPE_CRC_THRESHOLD] = 2,
        [CXL_COR_ERROR_TYPE_RETRY_THRESHOLD] = 3,
        [CXL_COR_ERROR_TYPE_CACHE_POISON_RECEIVED] = 4,
        [CXL_COR_ERROR_TYPE_MEM_POISON_RECEIVED] = 5,
        [CXL_COR_ERROR_TYPE_PHYSICAL] = 6,
    };

    return type < CXL_COR_ERROR_TYPE__MAX ? bit[type] : -1;
}

static bool ras_record_from_qmp(const CXLUncorErrorRecord *in,
                                CXLType3RasError *out, Error **errp)
{
    int bit = ras_uncorrectable_bit(in->type);
    const uint32List *word;
    unsigned n = 0;

    *out = (CXLType3RasError) { .bit = bit };
    if (bit < 0) {
        error_setg(errp, "Unknown error code");
        return false;
    }
    for (word = in->header; word; word = word->next) {
        if (n == QMP_HEADER_WORDS) {
            error_setg(errp, "Header must be %d DWORD or less: 'header' of "
                       "'%s' has more", QMP_HEADER_WORDS,
                       CxlUncorErrorType_str(in->type));
            return false;
        }
        if (n < CXL_RAS_HEADER_LOG_DWORDS) {
            out->header[n] = word->value;
        }
        n++;
    }
    return true;
}

/* The errors that the guest's RAS mask hides are counted in @answer, no more */
static void ras_uncorrectable(CXLType3Dev *d,
                              const CXLUncorErrorRecordList *errors,
                              CxlInjectedErrors *answer, Error **errp)
{
    g_autoptr(GArray) fresh = g_array_new(false, false,
                                          sizeof(CXLType3RasError));
    const CXLUncorErrorRecordList *e;
    size_t n = QAPI_LIST_LENGTH(errors);

    if (!n || n > CXL_TYPE3_RAS_ERRORS_MAX) {
        error_setg(errp, "argument 'errors' has %zu errors: give 1 to %d", n,
                   CXL_TYPE3_RAS_ERRORS_MAX);
        return;
    }
    for (e = errors; e; e = e->next) {
        CXLType3RasError rec;

        if (!ras_record_from_qmp(e->value, &rec, errp)) {
            return;
        }
        if (*ras_reg(d, CXL_RAS_UNC_MASK) & (1u << rec.bit)) {
            answer->ras_masked++;
        } else {
            g_array_append_val(fresh, rec);
        }
    }
    if (fresh->len > CXL_TYPE3_RAS_ERRORS_MAX - d->nr_ras_errors) {
        error_setg(errp, "%u errors are waiting to be read, and %u more exceed "
                   "the limit of %d: let the guest read some", d->nr_ras_errors,
                   fresh->len, CXL_TYPE3_RAS_ERRORS_MAX);
        return;
    }
    trace_cxl_type3_ras(DEVICE(d)->id, "uncorrectable", fresh->len);
    if (!fresh->len) {
        return;
    }

    d->ras_error = g_renew(CXLType3RasError, d->ras_error,
                           d->nr_ras_errors + fresh->len);
    memcpy(&d->ras_error[d->nr_ras_errors], fresh->data,
           fresh->len * sizeof(d->ras_error[0]));
    d->nr_ras_errors += fresh->len;
    *ras_reg(d, CXL_RAS_UNC_STATUS) |= ras_bits_waiting(d);
    ras_show_first(d);
    ras_send_aer(d, false);
}

static void ras_correctable(CXLType3Dev *d, CxlCorErrorType type,
                            CxlInjectedErrors *answer, Error **errp)
{
    int bit = ras_correctable_bit(type);

    if (bit < 0) {
        error_setg(errp, "Invalid COR error");
        return;
    }
    if (*ras_reg(d, CXL_RAS_COR_MASK) & (1u << bit)) {
        trace_cxl_type3_ras(DEVICE(d)->id, "masked correctable", 1);
        answer->ras_masked = 1;
        return;
    }
    trace_cxl_type3_ras(DEVICE(d)->id, "correctable", 1);
    *ras_reg(d, CXL_RAS_COR_STATUS) |= 1u << bit;
    ras_send_aer(d, true);
}

/* Does the guest's mask of AER hide that there is something to look at? */
static bool ras_aer_masked(CXLType3Dev *d, bool correctable)
{
    PCIDevice *pci = PCI_DEVICE(d);
    const uint8_t *aer = pci->config + pci->exp.aer_cap;

    return correctable ?
        pci_get_long(aer + PCI_ERR_COR_MASK) & PCI_ERR_COR_INTERNAL :
        pci_get_long(aer + PCI_ERR_UNCOR_MASK) & PCI_ERR_UNC_INTN;
}

/* Takes @answer and @err; a mask that hides nothing is not spoken of */
static CxlInjectedErrors *ras_answer(CxlInjectedErrors *answer, Error *err,
                                     Error **errp)
{
    if (err) {
        error_propagate(errp, err);
        qapi_free_CxlInjectedErrors(answer);
        return NULL;
    }
    answer->has_ras_masked = answer->ras_masked;
    answer->has_aer_masked = answer->aer_masked;
    return answer;
}

CxlInjectedErrors *
qmp_cxl_inject_uncorrectable_errors(const char *path,
                                    CXLUncorErrorRecordList *errors,
                                    Error **errp)
{
    CXLType3Dev *d = cxl_type3_from_path(path, errp);
    CxlInjectedErrors *answer;
    Error *err = NULL;

    if (!d) {
        return NULL;
    }
    answer = g_new0(CxlInjectedErrors, 1);
    answer->aer_masked = ras_aer_masked(d, false);
    ras_uncorrectable(d, errors, answer, &err);
    return ras_answer(answer, err, errp);
}

CxlInjectedErrors *qmp_cxl_inject_correctable_error(const char *path,
                                                    CxlCorErrorType type,
                                                    Error **errp)
{
    CXLType3Dev *d = cxl_type3_from_path(path, errp);
    CxlInjectedErrors *answer;
    Error *err = NULL;

    if (!d) {
        return NULL;
    }
    answer = g_new0(CxlInjectedErrors, 1);
    answer->aer_masked = ras_aer_masked(d, true);
    ras_correctable(d, type, answer, &err);
    return ras_answer(answer, err, errp);
}

static const VMStateDescription vmstate_ras_error = {
    .name = "cxl-type3-ras-error",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT8(bit, CXLType3RasError),
        VMSTATE_UINT32_ARRAY(header, CXLType3RasError,
                             CXL_RAS_HEADER_LOG_DWORDS),
        VMSTATE_END_OF_LIST()
    },
};

static const VMStateCounted ras_errors = {
    VMSTATE_COUNTED_INFO(ras_error, nr_ras_errors, CXLType3Dev),
    .vmsd = &vmstate_ras_error,
    .size = sizeof(CXLType3RasError),
    .max = CXL_TYPE3_RAS_ERRORS_MAX,
};

static int ras_post_load(void *opaque, int version_id)
{
    CXLType3Dev *d = opaque;
    unsigned i;

    for (i = 0; i < d->nr_ras_errors; i++) {
        if (d->ras_error[i].bit > 31 ||
            !(CXL_RAS_UNC_BITS & (1u << d->ras_error[i].bit))) {
            cxl_type3_ras_exit(d);
            return -EINVAL;
        }
    }
    return 0;
}

const VMStateDescription vmstate_cxl_type3_ras = {
    .name = "cxl-type3-ras",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = ras_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_COUNTED(ras_error, CXLType3Dev, ras_errors),
        VMSTATE_END_OF_LIST()
    },
};
