/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QEMU 10.0 has this header in another folder */
#include "exec/memory.h"
