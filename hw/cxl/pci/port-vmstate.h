/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Migration of CXL ports and host bridges, private to hw/cxl.
 */
#ifndef HW_CXL_PORT_VMSTATE_H
#define HW_CXL_PORT_VMSTATE_H

#include "hw/cxl/cxl_component.h"

/**
 * cxl_port_register_vmstate - have a port or host bridge migrated
 * @obj: device being realized; nothing happens if its own type sees to it
 * @cxl: its component
 */
void cxl_port_register_vmstate(Object *obj, CXLComponentState *cxl);

#endif /* HW_CXL_PORT_VMSTATE_H */
