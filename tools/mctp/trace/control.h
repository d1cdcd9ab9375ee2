/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stands in for QEMU's header of this name: tools have no trace events, their
 * generated functions are empty.
 */
#ifndef TOOLS_TRACE_CONTROL_H
#define TOOLS_TRACE_CONTROL_H

typedef struct TraceEvent TraceEvent;

#endif /* TOOLS_TRACE_CONTROL_H */
