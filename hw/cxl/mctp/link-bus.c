/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bus of MCTP links to the outside, and the hidden device that carries
 * it. Reference: none, this is QEMU's own.
 *
 * A device without bus can neither be hot plugged nor is it reset with the
 * machine. So the first CXL component that is realized brings a bus along;
 * a machine without any does not change.
 */
#include "qemu/osdep.h"
#include "hw/hotplug.h"
#include "hw/cxl/mctp_link_bus.h"
#include "hw/sysbus.h"
#include "qapi/error.h"
#include "qemu/module.h"

#define TYPE_MCTP_LINKS "mctp-links"

static char *link_path(DeviceState *dev)
{
    /* without an id the order of creation tells links apart */
    return g_strdup(dev->id);
}

static void mctp_link_bus_class_init(ObjectClass *klass, void *data)
{
    BUS_CLASS(klass)->get_dev_path = link_path;
}

static void mctp_links_realize(DeviceState *dev, Error **errp)
{
    BusState *bus = qbus_new(TYPE_MCTP_LINK_BUS, dev, TYPE_MCTP_LINKS ".0");

    qbus_set_hotplug_handler(bus, OBJECT(dev));
}

static void mctp_links_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->realize = mctp_links_realize;
    dc->desc = "Carrier of MCTP links to the outside";
    /* its first component may be hot plugged, then so is this */
    dc->hotpluggable = true;
    dc->user_creatable = false;
    HOTPLUG_HANDLER_CLASS(klass)->unplug = qdev_simple_device_unplug_cb;
}

void mctp_link_bus_create(void)
{
    /* Each component asks: a search through all objects takes too long */
    static bool created;

    if (!created) {
        created = true;
        sysbus_realize_and_unref(SYS_BUS_DEVICE(qdev_new(TYPE_MCTP_LINKS)),
                                 &error_abort);
    }
}

static const TypeInfo mctp_link_types[] = {
    {
        .name = TYPE_MCTP_LINK_BUS,
        .parent = TYPE_BUS,
        .class_init = mctp_link_bus_class_init,
    },
    {
        .name = TYPE_MCTP_LINKS,
        .parent = TYPE_SYS_BUS_DEVICE,
        .class_init = mctp_links_class_init,
        .interfaces = (InterfaceInfo[]) {
            { TYPE_HOTPLUG_HANDLER },
            { }
        },
    },
};

static void mctp_link_register(void)
{
    type_register_static_array(mctp_link_types, ARRAY_SIZE(mctp_link_types));
}

type_init(mctp_link_register)
