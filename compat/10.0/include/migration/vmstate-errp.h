/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loading and saving take an Error ** as their last argument, which these of
 * QEMU 10.0 do without: they report what is wrong.  Its own files call them so.
 */
#ifndef MIGRATION_VMSTATE_ERRP_H
#define MIGRATION_VMSTATE_ERRP_H

#define VMSTATE_ERRP_LESS(arg, ...) arg
#define vmstate_load_state(f, vmsd, opaque, ...)                            \
    (vmstate_load_state)(f, vmsd, opaque, VMSTATE_ERRP_LESS(__VA_ARGS__, 0))
#define vmstate_save_state(f, vmsd, opaque, ...)                            \
    (vmstate_save_state)(f, vmsd, opaque, VMSTATE_ERRP_LESS(__VA_ARGS__, 0))

#endif
