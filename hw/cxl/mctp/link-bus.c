/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where MCTP links live that are on no bus of the machine: ends of a line to
 * the world outside, which no guest sees. The bus gives them what QEMU ties
 * to a bus: hot plug, reset with the machine, a name in a migration stream.
 *
 * There is one, "mctp-links.0", with a hidden device that carries it. A machine
 * gets it with its first CXL component, which a link can have as its target;
 * a machine without any does not change.
 *
 * Reference: none, this is QEMU's own.
 */
#include "qemu/osdep.h"
#include "hw/cxl/cxl_component.h"
#include "hw/hotplug.h"
#include "hw/sysbus.h"
#include "component.h"
#include "qapi/error.h"
#include "qemu/module.h"

#define TYPE_MCTP_LINKS "mctp-links"

/*
 * Every link has one: savevm gives the state of a link with a path a second
 * name, which is that of the first link without. A number is no id.
 */
static char *mctp_link_path(DeviceState *dev)
{
    const BusChild *kid;

    if (dev->id) {
        return g_strdup(dev->id);
    }
    QTAILQ_FOREACH(kid, &dev->parent_bus->children, sibling) {
        if (kid->child == dev) {
            break;
        }
    }
    return g_strdup_printf("%d", kid->index);
}

static void mctp_link_bus_class_init(ObjectClass *klass, const void *data)
{
    BUS_CLASS(klass)->get_dev_path = mctp_link_path;
}

static void mctp_links_realize(DeviceState *dev, Error **errp)
{
    BusState *bus = qbus_new(TYPE_MCTP_LINK_BUS, dev, TYPE_MCTP_LINKS ".0");

    qbus_set_hotplug_handler(bus, OBJECT(dev));
}

static void mctp_links_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->realize = mctp_links_realize;
    dc->desc = "Carrier of MCTP links to the outside";
    /* its first component may be hot plugged, then so is this */
    dc->hotpluggable = true;
    dc->user_creatable = false;
    HOTPLUG_HANDLER_CLASS(klass)->unplug = qdev_simple_device_unplug_cb;
}

static void mctp_links_create(Notifier *n, void *component)
{
    notifier_remove(n);
    sysbus_realize_and_unref(SYS_BUS_DEVICE(qdev_new(TYPE_MCTP_LINKS)),
                             &error_abort);
}

static Notifier first_component = { .notify = mctp_links_create };

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
        .interfaces = (const InterfaceInfo[]) {
            { TYPE_HOTPLUG_HANDLER },
            { }
        },
    },
};

static void mctp_link_register(void)
{
    type_register_static_array(mctp_link_types, ARRAY_SIZE(mctp_link_types));
    cxl_component_add_notifier(&first_component);
}

type_init(mctp_link_register)
