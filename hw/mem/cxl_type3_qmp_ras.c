/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Protocol errors that QMP puts into the RAS registers of devices and ports,
 * and what the guest hides of them (CXL r3.2 8.2.4.17, 12.2.1)
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/qapi-commands-cxl.h"
#include "hw/cxl/cxl_ras.h"
#include "hw/pci/pci_bridge.h"
#include "hw/pci/pci_bus.h"
#include "hw/pci/pcie_aer.h"
#include "hw/pci/pcie_port.h"
#include "cxl_type3_internal.h"
#include "trace.h"

/* Words that a caller may give; those behind the header log have no place */
#define QMP_HEADER_WORDS 32

static uint32_t ras_reg(const CXLComponentState *cxl, unsigned offset)
{
    return cxl->crb.cache_mem_registers[offset / 4];
}

/* A port, or what cxl_type3_from_path() finds */
static CXLComponentState *ras_from_path(const char *path, Error **errp)
{
    Object *obj = path && *path ?
                  object_resolve_path_type(path, TYPE_PCIE_PORT, NULL) : NULL;
    CXLComponentState *cxl = obj && DEVICE(obj)->realized ?
                             cxl_component_of(obj) : NULL;
    CXLType3Dev *d;

    if (cxl && cxl_ras_present(cxl)) {
        return cxl;
    }
    d = cxl_type3_from_path(path, errp);
    return d ? &d->cxl : NULL;
}

/* -- the way of the message to the root port ------------------------------- */

/* An unbound device has no host, though its port still knows it */
static bool ras_has_host(const PCIDevice *pci)
{
    return pci_get_bus(pci)->devices[pci->devfn] == pci;
}

static void ras_send_aer(PCIDevice *pci, bool correctable)
{
    PCIEAERErr err = {
        .status = correctable ? PCI_ERR_COR_INTERNAL : PCI_ERR_UNC_INTN,
        .source_id = pci_requester_id(pci),
        .flags = correctable ? PCIE_AER_ERR_IS_CORRECTABLE : 0,
    };

    if (ras_has_host(pci)) {
        pcie_aer_inject_error(pci, &err);
    }
}

/* Does the guest's mask of AER hide that there is something to look at? */
static bool ras_aer_masked(PCIDevice *pci, bool correctable)
{
    const uint8_t *aer = pci->config + pci->exp.aer_cap;

    return correctable ?
        pci_get_long(aer + PCI_ERR_COR_MASK) & PCI_ERR_COR_INTERNAL :
        pci_get_long(aer + PCI_ERR_UNCOR_MASK) & PCI_ERR_UNC_INTN;
}

/* Bit of the message: of Device Control, and of a root port's Error Command */
static uint32_t ras_message(PCIDevice *pci, bool correctable)
{
    const uint8_t *aer = pci->config + pci->exp.aer_cap;

    return correctable ? PCI_ERR_ROOT_CMD_COR_EN :
           pci_get_long(aer + PCI_ERR_UNCOR_SEVER) & PCI_ERR_UNC_INTN ?
           PCI_ERR_ROOT_CMD_FATAL_EN : PCI_ERR_ROOT_CMD_NONFATAL_EN;
}

static void ras_stop(CxlInjectedErrors *answer, CxlErrorStopList ***tail,
                     PCIDevice *at, CxlErrorStopReason by)
{
    CxlErrorStop *stop = g_new0(CxlErrorStop, 1);

    stop->path = object_get_canonical_path(OBJECT(at));
    stop->by = by;
    QAPI_LIST_APPEND(*tail, stop);
    answer->has_stops = true;
}

/* What pcie_aer_inject_error() would come upon, all of it */
static void ras_find_stops(PCIDevice *pci, bool correctable,
                           CxlInjectedErrors *answer)
{
    CxlErrorStopList **tail = &answer->stops;
    uint32_t message = ras_message(pci, correctable);
    PCIDevice *at;

    if (!ras_has_host(pci)) {
        ras_stop(answer, &tail, pci, CXL_ERROR_STOP_REASON_UNBOUND);
        return;
    }
    for (at = pci; at && pci_is_express(at);
         at = pci_bridge_get_device(pci_get_bus(at))) {
        const uint8_t *exp = at->config + at->exp.exp_cap;

        if (IS_PCI_BRIDGE(at) &&
            !(pci_get_word(at->config + PCI_BRIDGE_CONTROL) &
              PCI_BRIDGE_CTL_SERR)) {
            ras_stop(answer, &tail, at, CXL_ERROR_STOP_REASON_BRIDGE_CONTROL);
        }
        if (!(pci_get_word(exp + PCI_EXP_DEVCTL) & message)) {
            ras_stop(answer, &tail, at, CXL_ERROR_STOP_REASON_DEVICE_CONTROL);
        }
        if (pcie_cap_get_type(at) == PCI_EXP_TYPE_ROOT_PORT) {
            if (!(pci_get_long(at->config + at->exp.aer_cap +
                               PCI_ERR_ROOT_COMMAND) & message)) {
                ras_stop(answer, &tail, at,
                         CXL_ERROR_STOP_REASON_ROOT_ERROR_COMMAND);
            }
            return;
        }
    }
}

/* -- errors ---------------------------------------------------------------- */

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
                                CXLRASError *out, Error **errp)
{
    int bit = ras_uncorrectable_bit(in->type);
    const uint32List *word;
    unsigned n = 0;

    *out = (CXLRASError) { .bit = bit };
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
static bool ras_uncorrectable(CXLComponentState *cxl,
                              const CXLUncorErrorRecordList *errors,
                              CxlInjectedErrors *answer, Error **errp)
{
    g_autoptr(GArray) fresh = g_array_new(false, false, sizeof(CXLRASError));
    const CXLUncorErrorRecordList *e;
    uint32_t waiting = cxl_ras_waiting(cxl);
    size_t n = QAPI_LIST_LENGTH(errors);

    if (!n || n > CXL_RAS_ERRORS_MAX) {
        error_setg(errp, "argument 'errors' has %zu errors: give 1 to %d", n,
                   CXL_RAS_ERRORS_MAX);
        return false;
    }
    for (e = errors; e; e = e->next) {
        CXLRASError rec;

        if (!ras_record_from_qmp(e->value, &rec, errp)) {
            return false;
        }
        if (ras_reg(cxl, CXL_RAS_UNC_MASK) & (1u << rec.bit)) {
            answer->ras_masked++;
        } else {
            g_array_append_val(fresh, rec);
        }
    }
    if (fresh->len > CXL_RAS_ERRORS_MAX - waiting) {
        error_setg(errp, "%u errors are waiting to be read, and %u more exceed "
                   "the limit of %d: let the guest read some", waiting,
                   fresh->len, CXL_RAS_ERRORS_MAX);
        return false;
    }
    trace_cxl_type3_ras(DEVICE(cxl->pdev)->id, "uncorrectable", fresh->len);
    if (fresh->len) {
        cxl_ras_add(cxl, (const CXLRASError *)fresh->data, fresh->len);
        ras_send_aer(cxl->pdev, false);
    }
    return true;
}

static bool ras_correctable(CXLComponentState *cxl, CxlCorErrorType type,
                            CxlInjectedErrors *answer, Error **errp)
{
    int bit = ras_correctable_bit(type);

    if (bit < 0) {
        error_setg(errp, "Invalid COR error");
        return false;
    }
    if (ras_reg(cxl, CXL_RAS_COR_MASK) & (1u << bit)) {
        trace_cxl_type3_ras(DEVICE(cxl->pdev)->id, "masked correctable", 1);
        answer->ras_masked = 1;
        return true;
    }
    trace_cxl_type3_ras(DEVICE(cxl->pdev)->id, "correctable", 1);
    cxl->crb.cache_mem_registers[CXL_RAS_COR_STATUS / 4] |= 1u << bit;
    ras_send_aer(cxl->pdev, true);
    return true;
}

/* What hides something before the error is there; the guest may be quick */
static CxlInjectedErrors *ras_answer_new(CXLComponentState *cxl,
                                         bool correctable)
{
    CxlInjectedErrors *answer = g_new0(CxlInjectedErrors, 1);

    answer->aer_masked = ras_aer_masked(cxl->pdev, correctable);
    ras_find_stops(cxl->pdev, correctable, answer);
    return answer;
}

/* Takes @answer; a mask that hides nothing is not spoken of */
static CxlInjectedErrors *ras_answer(CxlInjectedErrors *answer, bool ok)
{
    if (!ok) {
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
    CXLComponentState *cxl = ras_from_path(path, errp);
    CxlInjectedErrors *answer;

    if (!cxl) {
        return NULL;
    }
    answer = ras_answer_new(cxl, false);
    return ras_answer(answer, ras_uncorrectable(cxl, errors, answer, errp));
}

CxlInjectedErrors *qmp_cxl_inject_correctable_error(const char *path,
                                                    CxlCorErrorType type,
                                                    Error **errp)
{
    CXLComponentState *cxl = ras_from_path(path, errp);
    CxlInjectedErrors *answer;

    if (!cxl) {
        return NULL;
    }
    answer = ras_answer_new(cxl, true);
    return ras_answer(answer, ras_correctable(cxl, type, answer, errp));
}
