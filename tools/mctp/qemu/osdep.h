/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stands in for QEMU's header of this name where the MCTP library is built
 * for a tool: over glib and the C library, without the rest of QEMU.
 */
#ifndef TOOLS_QEMU_OSDEP_H
#define TOOLS_QEMU_OSDEP_H

#include <assert.h>
#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "qemu/compiler.h"

#define ARRAY_SIZE(array) G_N_ELEMENTS(array)

#endif /* TOOLS_QEMU_OSDEP_H */
