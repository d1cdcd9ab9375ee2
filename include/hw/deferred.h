/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a device does to the outside, done after its operation is over
 *
 * What leaves a device runs foreign code: an interrupt line, a bus, a monitor
 * event, a request to another device.  It may come back, reset the device, or
 * unplug and free it, before the function that began it goes on.  A device
 * therefore notes here what is due, in the middle of an operation, and does it
 * from a bottom half, when nothing of the device is on the stack.  Interrupt
 * messages of CXL functions have a queue of their own, hw/cxl/pci/msi.h.
 */
#ifndef HW_DEFERRED_H
#define HW_DEFERRED_H

#include "qom/object.h"

/**
 * typedef DeviceDeferredFn - does what was due
 * @opaque: as given to device_deferred_init()
 *
 * Called in the main loop with the BQL held.  An action on the outside is the
 * last thing that it does, or it looks afterwards whether its device is still
 * realized; memory of the owner stays valid until it returns.
 */
typedef void DeviceDeferredFn(void *opaque);

/**
 * struct DeviceDeferred - one thing that a device has to do to the outside
 * @owner: has this inside it; a reference is held while it is due
 * @run: does it
 * @opaque: argument of @run
 * @due: it was raised
 * @scheduled: the bottom half will run
 * @loaded: waits for the machine to run after a load that made it due
 */
typedef struct DeviceDeferred {
    Object *owner;
    DeviceDeferredFn *run;
    void *opaque;
    bool due;
    bool scheduled;
    struct VMChangeStateEntry *loaded;
} DeviceDeferred;

/**
 * device_deferred_init() - prepare to defer what @owner does to the outside
 * @owner: the object that @d is a part of
 *
 * There is nothing to free; device_deferred_cancel() when @owner is unrealized.
 */
void device_deferred_init(DeviceDeferred *d, Object *owner,
                          DeviceDeferredFn *run, void *opaque);

/**
 * device_deferred_raise() - make it due
 *
 * What is due already is done once.  What is raised while it is being done
 * waits for the next iteration of the main loop, so that a device whose
 * interrupts make it raise interrupts leaves time for everybody else.
 */
void device_deferred_raise(DeviceDeferred *d);

/** device_deferred_cancel() - forget it, as a reset or an unplug does */
void device_deferred_cancel(DeviceDeferred *d);

/* What is due when state is saved is due where it is loaded */
extern const struct VMStateDescription vmstate_device_deferred;

#define VMSTATE_DEVICE_DEFERRED(_field, _state) \
    VMSTATE_STRUCT(_field, _state, 1, vmstate_device_deferred, DeviceDeferred)

#endif /* HW_DEFERRED_H */
