/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interrupt messages of CXL functions, sent after the operation is over
 */
#include "qemu/osdep.h"
#include "qemu/main-loop.h"
#include "msi.h"
#include "hw/pci/msi.h"
#include "hw/pci/pci_bridge.h"
#include "migration/vmstate-checked.h"
#include "system/reset.h"
#include "system/runstate.h"
#include "trace/trace-hw_cxl.h"

/*
 * A message that waits already is not queued again, so this is enough for a
 * function with as many vectors.
 */
#define MESSAGES_MAX    32

/**
 * struct CXLMSIQueue - messages of one function
 * @send: what the PCI core sends them with
 * @count: how many of @message wait; none is there twice
 * @next: in the list of those with messages, if there are any
 */
typedef struct CXLMSIQueue {
    PCIDevice *dev;
    MSITriggerFunc *send;
    uint32_t count;
    MSIMessage message[MESSAGES_MAX];
    QTAILQ_ENTRY(CXLMSIQueue) next;
} CXLMSIQueue;

/* PCIDevice -> CXLMSIQueue; NULL while the machine has no CXL function */
static GHashTable *msi_queues;
static QEMUBH *msi_bh;
static QTAILQ_HEAD(, CXLMSIQueue) msi_due = QTAILQ_HEAD_INITIALIZER(msi_due);

/* -- sending -------------------------------------------------------------- */

/* A message may unplug its function, and @q goes with it */
static void msi_queue_send(CXLMSIQueue *q)
{
    PCIDevice *dev = PCI_DEVICE(object_ref(OBJECT(q->dev)));
    MSITriggerFunc *send = q->send;
    uint32_t count = q->count;
    g_autofree MSIMessage *message = g_memdup2(q->message,
                                               count * sizeof(*message));

    QTAILQ_REMOVE(&msi_due, q, next);
    q->count = 0;
    for (uint32_t i = 0; i < count && DEVICE(dev)->realized; i++) {
        send(dev, message[i]);
    }
    object_unref(OBJECT(dev));
}

/*
 * What is raised meanwhile waits for the next iteration of the main loop, so
 * that functions whose messages raise messages leave time for others.
 */
static void msi_send_due(void *opaque)
{
    CXLMSIQueue *q;
    unsigned due = 0;

    /* a stopped machine's memory and interrupt controllers stay as they are */
    if (!runstate_is_running()) {
        return;
    }
    QTAILQ_FOREACH(q, &msi_due, next) {
        due++;
    }
    while (due-- && (q = QTAILQ_FIRST(&msi_due))) {
        msi_queue_send(q);
    }
}

static void msi_run_state_changed(void *opaque, bool running, RunState state)
{
    if (running && !QTAILQ_EMPTY(&msi_due)) {
        qemu_bh_schedule(msi_bh);
    }
}

/* -- queueing ------------------------------------------------------------- */

static CXLMSIQueue *msi_queue_of(const PCIDevice *dev)
{
    return msi_queues ? g_hash_table_lookup(msi_queues, dev) : NULL;
}

static void msi_queue_drop(CXLMSIQueue *q)
{
    if (QTAILQ_IN_USE(q, next)) {
        QTAILQ_REMOVE(&msi_due, q, next);
    }
    q->count = 0;
}

static void msi_queue_message(PCIDevice *dev, MSIMessage message)
{
    CXLMSIQueue *q = msi_queue_of(dev);

    for (uint32_t i = 0; i < q->count; i++) {
        if (q->message[i].address == message.address &&
            q->message[i].data == message.data) {
            return;
        }
    }
    if (q->count == MESSAGES_MAX) {
        trace_cxl_msi_lost(DEVICE(dev)->id ?: "", message.address);
        return;
    }
    q->message[q->count++] = message;
    if (!QTAILQ_IN_USE(q, next)) {
        QTAILQ_INSERT_TAIL(&msi_due, q, next);
    }
    qemu_bh_schedule(msi_bh);
}

void cxl_msi_drop(PCIDevice *dev)
{
    CXLMSIQueue *q = msi_queue_of(dev);

    if (q) {
        msi_queue_drop(q);
    }
}

static void msi_machine_reset(void *opaque)
{
    CXLMSIQueue *q;

    while ((q = QTAILQ_FIRST(&msi_due))) {
        msi_queue_drop(q);
    }
}

/* -- migration ------------------------------------------------------------ */

static bool msi_queue_needed(void *opaque)
{
    CXLMSIQueue *q = opaque;

    return q->count;
}

static int msi_queue_pre_load(void *opaque)
{
    msi_queue_drop(opaque);
    return 0;
}

/* Sent once the machine runs, when all of its state is there */
static int msi_queue_post_load(void *opaque, int version_id)
{
    CXLMSIQueue *q = opaque;

    if (q->count) {
        QTAILQ_INSERT_TAIL(&msi_due, q, next);
    }
    return 0;
}

static const VMStateDescription vmstate_msi_message = {
    .name = "cxl-msi-message",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(address, MSIMessage),
        VMSTATE_UINT32(data, MSIMessage),
        VMSTATE_END_OF_LIST()
    },
};

static const VMStateCounted msi_messages = {
    VMSTATE_COUNTED_INFO(message, count, CXLMSIQueue),
    .vmsd = &vmstate_msi_message,
    .size = sizeof(MSIMessage),
    .max = MESSAGES_MAX,
    .in_place = true,
};

static const VMStateDescription vmstate_msi_queue = {
    .name = "cxl-msi",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = msi_queue_needed,
    .pre_load = msi_queue_pre_load,
    .post_load = msi_queue_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_COUNTED(message, CXLMSIQueue, msi_messages),
        VMSTATE_END_OF_LIST()
    },
};

/* -- functions come and go ------------------------------------------------ */

static void msi_queue_new(PCIDevice *dev)
{
    CXLMSIQueue *q;

    if (msi_queue_of(dev)) {
        return;
    }
    q = g_new0(CXLMSIQueue, 1);
    q->dev = dev;
    q->send = dev->msi_trigger;
    dev->msi_trigger = msi_queue_message;
    g_hash_table_insert(msi_queues, dev, q);
    vmstate_register_any(VMSTATE_IF(dev), &vmstate_msi_queue, q);
}

/* Ports above send messages for it: hot-plug and errors */
static void msi_device_came(DeviceListener *listener, DeviceState *dev)
{
    PCIDevice *pci;

    if (!object_dynamic_cast(OBJECT(dev), INTERFACE_CXL_DEVICE)) {
        return;
    }
    for (pci = PCI_DEVICE(dev); pci;
         pci = pci_bridge_get_device(pci_get_bus(pci))) {
        msi_queue_new(pci);
    }
}

static void msi_device_went(DeviceListener *listener, DeviceState *dev)
{
    CXLMSIQueue *q = msi_queue_of((PCIDevice *)dev);

    if (q) {
        msi_queue_drop(q);
        vmstate_unregister(VMSTATE_IF(dev), &vmstate_msi_queue, q);
        g_hash_table_remove(msi_queues, dev);
    }
}

static DeviceListener msi_listener = {
    .realize = msi_device_came,
    .unrealize = msi_device_went,
};

void cxl_msi_init(void)
{
    if (msi_queues) {
        return;
    }
    msi_queues = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    msi_bh = qemu_bh_new(msi_send_due, NULL);
    qemu_add_vm_change_state_handler(msi_run_state_changed, NULL);
    qemu_register_reset(msi_machine_reset, NULL);
    device_listener_register(&msi_listener);
}
