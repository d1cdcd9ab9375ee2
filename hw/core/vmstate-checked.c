/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * State fields for streams that nobody vouches for, see vmstate-checked.h
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "migration/qemu-file-types.h"
#include "migration/vmstate-checked.h"

int vmstate_checked_load(QEMUFile *f, const VMStateDescription *vmsd, void *pv)
{
    Error *err = NULL;
    int ret = vmstate_load_state(f, vmsd, pv, vmsd->version_id, &err);

    if (err) {
        error_report_err(err);
    }
    return ret;
}

/* -- counted arrays ------------------------------------------------------ */

static uint32_t *counted_n(const VMStateCounted *c, void *pv)
{
    return (uint32_t *)((char *)pv + c->count);
}

static int counted_get_elements(QEMUFile *f, const VMStateCounted *c,
                                char *array, uint32_t n)
{
    uint32_t i;
    int ret = 0;

    if (!c->vmsd) {
        return qemu_get_buffer(f, (uint8_t *)array, n * c->size) ==
               n * c->size ? 0 : -EIO;
    }
    for (i = 0; i < n && !ret; i++) {
        ret = vmstate_checked_load(f, c->vmsd, array + i * c->size);
    }
    return ret;
}

int vmstate_counted_get(QEMUFile *f, void *pv, size_t size,
                        const VMStateField *field)
{
    const VMStateCounted *c = container_of(field->info, VMStateCounted, info);
    uint32_t n = qemu_get_be32(f);
    char *array = pv;
    int ret;

    *counted_n(c, pv) = 0;
    if (!c->in_place) {
        g_clear_pointer((void **)pv, g_free);
    }
    if (n > c->max) {
        error_report("%s: %u elements in the stream, at most %u", field->name,
                     n, c->max);
        return -EINVAL;
    }
    if (!c->in_place && n) {
        *(void **)pv = array = g_malloc0_n(n, c->size);
    }
    ret = counted_get_elements(f, c, array, n);
    if (ret) {
        if (!c->in_place) {
            g_clear_pointer((void **)pv, g_free);
        }
        return ret;
    }
    *counted_n(c, pv) = n;
    return 0;
}

int vmstate_counted_put(QEMUFile *f, void *pv, size_t size,
                        const VMStateField *field, JSONWriter *vmdesc)
{
    const VMStateCounted *c = container_of(field->info, VMStateCounted, info);
    uint32_t i, n = *counted_n(c, pv);
    char *array = c->in_place ? pv : *(void **)pv;
    int ret = 0;

    assert(n <= c->max);
    qemu_put_be32(f, n);
    if (!c->vmsd && n) {
        qemu_put_buffer(f, (uint8_t *)array, n * c->size);
    }
    for (i = 0; c->vmsd && i < n && !ret; i++) {
        ret = vmstate_save_state(f, c->vmsd, array + i * c->size, NULL,
                                 NULL);
    }
    return ret;
}

/* -- properties ---------------------------------------------------------- */

static uint64_t same_value(const void *pv, size_t size)
{
    switch (size) {
    case 1:
        return *(const uint8_t *)pv;
    case 2:
        return *(const uint16_t *)pv;
    case 4:
        return *(const uint32_t *)pv;
    case 8:
        return *(const uint64_t *)pv;
    }
    g_assert_not_reached();
}

static int same_get(QEMUFile *f, void *pv, size_t size,
                    const VMStateField *field)
{
    uint64_t there = qemu_get_be64(f), here = same_value(pv, size);

    if (there == here) {
        return 0;
    }
    error_report("property '%s' is 0x%" PRIx64 " here, but the state was saved "
                 "with 0x%" PRIx64, field->err_hint, here, there);
    return -EINVAL;
}

static int same_put(QEMUFile *f, void *pv, size_t size,
                    const VMStateField *field, JSONWriter *vmdesc)
{
    qemu_put_be64(f, same_value(pv, size));
    return 0;
}

const VMStateInfo vmstate_info_same = {
    .name = "property",
    .get = same_get,
    .put = same_put,
};

/* Of a text from a stream, what is read for the error */
#define SAME_SHOWN 255

int vmstate_text_get(QEMUFile *f, void *pv, size_t size,
                     const VMStateField *field)
{
    const VMStateText *kind = container_of(field->info, VMStateText, info);
    g_autofree char *text = kind->text(pv, field) ?: g_strdup("");
    g_autofree char *there = NULL;
    size_t here = strlen(text), len, n;

    if (!qemu_get_byte(f)) {
        return 0;
    }
    len = qemu_get_be32(f);
    n = MIN(len, MAX(here, SAME_SHOWN));
    there = g_malloc0(n + 1);
    if (qemu_get_buffer(f, (uint8_t *)there, n) == n && len == here &&
        !memcmp(there, text, here)) {
        return 0;
    }
    error_report("property '%s' is '%.255s' here, but the state was saved with "
                 "'%.255s'", field->err_hint, text, there);
    return -EINVAL;
}

int vmstate_text_put(QEMUFile *f, void *pv, size_t size,
                     const VMStateField *field, JSONWriter *vmdesc)
{
    const VMStateText *kind = container_of(field->info, VMStateText, info);
    g_autofree char *text = kind->text(pv, field);

    qemu_put_byte(f, text != NULL);
    if (text) {
        qemu_put_be32(f, strlen(text));
        qemu_put_buffer(f, (const uint8_t *)text, strlen(text));
    }
    return 0;
}

/* -- all or nothing ------------------------------------------------------ */

int vmstate_guard_get(QEMUFile *f, void *pv, size_t size,
                      const VMStateField *field)
{
    const VMStateGuard *g = container_of(field->info, VMStateGuard, info);
    int ret = vmstate_checked_load(f, g->vmsd, pv);

    if (ret) {
        g->give_up(pv);
    }
    return ret;
}

int vmstate_guard_put(QEMUFile *f, void *pv, size_t size,
                      const VMStateField *field, JSONWriter *vmdesc)
{
    const VMStateGuard *g = container_of(field->info, VMStateGuard, info);

    return vmstate_save_state(f, g->vmsd, pv, NULL, NULL);
}
