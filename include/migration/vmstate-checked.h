/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * State fields for streams that nobody vouches for
 *
 * A load that fails half way leaves what it has read so far in place, and
 * nobody calls a post_load.  With these fields such a load leaves an empty
 * array, an untouched property, or a device that its owner has made empty.
 */
#ifndef MIGRATION_VMSTATE_CHECKED_H
#define MIGRATION_VMSTATE_CHECKED_H

#include "migration/vmstate.h"

/**
 * vmstate_checked_load() - load a structure, and report what is wrong
 *
 * For a field's get(), which can say no more than an error number.
 */
int vmstate_checked_load(QEMUFile *f, const VMStateDescription *vmsd,
                         void *pv);

/**
 * struct VMStateCounted - an array and the number of its elements
 * @info: filled by VMSTATE_COUNTED_INFO; a field of this kind points to it
 * @vmsd: of an element; NULL if elements are bytes that travel as they are
 * @size: of an element
 * @max: most elements; whoever adds one keeps it, and a stream that breaks it
 *   is refused
 * @count: offset of the number (uint32_t) behind the array, maybe negative
 * @in_place: the array is part of the structure; else it is a pointer, whose
 *   memory is replaced by what g_malloc() gives
 *
 * While a load runs, and after one that failed, the number is 0.
 */
typedef struct VMStateCounted {
    VMStateInfo info;
    const VMStateDescription *vmsd;
    size_t size;
    uint32_t max;
    ptrdiff_t count;
    bool in_place;
} VMStateCounted;

int vmstate_counted_get(QEMUFile *f, void *pv, size_t size,
                        const VMStateField *field);
int vmstate_counted_put(QEMUFile *f, void *pv, size_t size,
                        const VMStateField *field, JSONWriter *vmdesc);

#define VMSTATE_COUNTED_INFO(_array, _count, _state)                        \
    .info = {                                                               \
        .name = "counted array",                                            \
        .get = vmstate_counted_get,                                         \
        .put = vmstate_counted_put,                                         \
    },                                                                      \
    .count = (ptrdiff_t)vmstate_offset_value(_state, _count, uint32_t) -    \
             (ptrdiff_t)offsetof(_state, _array)

/** VMSTATE_COUNTED() - @_counted: a VMStateCounted made for @_array */
#define VMSTATE_COUNTED(_array, _state, _counted) {                         \
        .name = stringify(_array),                                          \
        .info = &(_counted).info,                                           \
        .size = sizeof_field(_state, _array),                               \
        .flags = VMS_SINGLE,                                                \
        .offset = offsetof(_state, _array),                                 \
    }

/**
 * VMSTATE_SAME() - a number or bool that both sides must have been given alike
 * @_property: what the user knows it as; said, with both values, when it
 *   differs
 *
 * Nothing is loaded.  Comes before what depends on it.
 */
#define VMSTATE_SAME(_field, _state, _property) {                           \
        .name = stringify(_field),                                          \
        .info = &vmstate_info_same,                                         \
        .size = sizeof_field(_state, _field),                               \
        .flags = VMS_SINGLE,                                                \
        .offset = offsetof(_state, _field),                                 \
        .err_hint = (_property),                                            \
    }

extern const VMStateInfo vmstate_info_same;

/**
 * struct VMStateText - the same for what is no number
 * @info: filled by VMSTATE_TEXT_INFO; a field of this kind points to it
 * @text: what this side was given, in words for the user; the caller frees it.
 *   NULL: there is none.  A stream that has none fits any.
 */
typedef struct VMStateText {
    VMStateInfo info;
    char *(*text)(void *opaque, const VMStateField *field);
} VMStateText;

int vmstate_text_get(QEMUFile *f, void *pv, size_t size,
                     const VMStateField *field);
int vmstate_text_put(QEMUFile *f, void *pv, size_t size,
                     const VMStateField *field, JSONWriter *vmdesc);

#define VMSTATE_TEXT_INFO                                                   \
    .info = {                                                               \
        .name = "property's text",                                          \
        .get = vmstate_text_get,                                            \
        .put = vmstate_text_put,                                            \
    }

/** VMSTATE_SAME_TEXT() - @_kind: a VMStateText; gets all of @_state */
#define VMSTATE_SAME_TEXT(_kind, _state, _property) {                       \
        .name = (_property),                                                \
        .info = &(_kind).info,                                              \
        .size = sizeof(_state),                                             \
        .flags = VMS_SINGLE,                                                \
        .err_hint = (_property),                                            \
    }

/**
 * struct VMStateGuard - state that is loaded as a whole or given up
 * @info: filled by VMSTATE_GUARD_INFO; a field of this kind points to it
 * @vmsd: the state
 * @give_up: a load of it failed somewhere: whatever the state says now, make
 *   it one that works and needs nothing of it
 */
typedef struct VMStateGuard {
    VMStateInfo info;
    const VMStateDescription *vmsd;
    void (*give_up)(void *opaque);
} VMStateGuard;

int vmstate_guard_get(QEMUFile *f, void *pv, size_t size,
                      const VMStateField *field);
int vmstate_guard_put(QEMUFile *f, void *pv, size_t size,
                      const VMStateField *field, JSONWriter *vmdesc);

#define VMSTATE_GUARD_INFO                                                  \
    .info = {                                                               \
        .name = "guarded state",                                            \
        .get = vmstate_guard_get,                                           \
        .put = vmstate_guard_put,                                           \
    }

/** VMSTATE_GUARDED() - all of @_state under a VMStateGuard */
#define VMSTATE_GUARDED(_guard, _state) {                                   \
        .name = "state",                                                    \
        .info = &(_guard).info,                                             \
        .size = sizeof(_state),                                             \
        .flags = VMS_SINGLE,                                                \
    }

/** VMSTATE_ALL() - a part of @_state's description that was made apart */
#define VMSTATE_ALL(_state, _vmsd) {                                        \
        .name = stringify(_vmsd),                                           \
        .vmsd = &(_vmsd),                                                   \
        .size = sizeof(_state),                                             \
        .flags = VMS_STRUCT,                                                \
    }

#endif /* MIGRATION_VMSTATE_CHECKED_H */
