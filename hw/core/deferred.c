/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a device does to the outside, done after its operation is over
 */
#include "qemu/osdep.h"
#include "block/aio.h"
#include "qemu/main-loop.h"
#include "hw/deferred.h"
#include "migration/vmstate.h"
#include "system/runstate.h"

static void deferred_bh(void *opaque)
{
    DeviceDeferred *d = opaque;
    Object *owner = d->owner;

    d->scheduled = false;
    /* a reset or an unplug may have come first */
    if (d->due) {
        d->due = false;
        d->run(d->opaque);
    }
    object_unref(owner);
}

static void deferred_schedule(DeviceDeferred *d)
{
    if (!d->scheduled) {
        d->scheduled = true;
        object_ref(d->owner);
        aio_bh_schedule_oneshot(qemu_get_aio_context(), deferred_bh, d);
    }
}

void device_deferred_init(DeviceDeferred *d, Object *owner,
                          DeviceDeferredFn *run, void *opaque)
{
    d->owner = owner;
    d->run = run;
    d->opaque = opaque;
    d->due = false;
}

void device_deferred_raise(DeviceDeferred *d)
{
    d->due = true;
    deferred_schedule(d);
}

void device_deferred_cancel(DeviceDeferred *d)
{
    d->due = false;
}

/*
 * The main loop goes on in the middle of a load: what is done waits for the
 * state of all the others.
 */
static void deferred_run_state_changed(void *opaque, bool running,
                                       RunState state)
{
    DeviceDeferred *d = opaque;

    if (running) {
        g_clear_pointer(&d->loaded, qemu_del_vm_change_state_handler);
        if (d->due) {
            deferred_schedule(d);
        }
        object_unref(d->owner);
    }
}

static int deferred_post_load(void *opaque, int version_id)
{
    DeviceDeferred *d = opaque;

    if (d->due && !d->loaded) {
        object_ref(d->owner);
        d->loaded = qemu_add_vm_change_state_handler(deferred_run_state_changed,
                                                     d);
    }
    return 0;
}

const VMStateDescription vmstate_device_deferred = {
    .name = "device-deferred",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = deferred_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_BOOL(due, DeviceDeferred),
        VMSTATE_END_OF_LIST()
    },
};
