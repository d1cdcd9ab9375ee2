/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Device state as bytes in memory, for tests that save, spoil and load it
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "io/channel-buffer.h"
#include "migration/qemu-file-types.h"
#include "system/runstate.h"
#include "../../../migration/qemu-file.h"
#include "state-bytes.h"

/* In place of QEMU's run states: there is no machine */
struct VMChangeStateEntry {
    VMChangeStateHandler *call;
    void *opaque;
};

static GList *waiting;

VMChangeStateEntry *qemu_add_vm_change_state_handler(VMChangeStateHandler *cb,
                                                     void *opaque)
{
    VMChangeStateEntry *e = g_new(VMChangeStateEntry, 1);

    *e = (VMChangeStateEntry) { cb, opaque };
    waiting = g_list_append(waiting, e);
    return e;
}

void qemu_del_vm_change_state_handler(VMChangeStateEntry *e)
{
    waiting = g_list_remove(waiting, e);
    g_free(e);
}

void state_machine_runs(void)
{
    GList *it, *next;

    for (it = waiting; it; it = next) {
        VMChangeStateEntry *e = it->data;

        next = it->next;
        e->call(e->opaque, true, RUN_STATE_RUNNING);
    }
}

GByteArray *state_save(const VMStateDescription *vmsd, void *opaque)
{
    QIOChannelBuffer *channel = qio_channel_buffer_new(1024);
    QEMUFile *f = qemu_file_new_output(QIO_CHANNEL(channel));
    GByteArray *bytes = g_byte_array_new();

    g_assert_cmpint(vmstate_save_state(f, vmsd, opaque, NULL, NULL), ==, 0);
    /* loading looks one byte ahead for a subsection */
    qemu_put_byte(f, 0);
    g_assert_cmpint(qemu_fflush(f), ==, 0);
    g_byte_array_append(bytes, channel->data, channel->usage);
    qemu_fclose(f);
    object_unref(OBJECT(channel));
    return bytes;
}

int state_load(const VMStateDescription *vmsd, void *opaque,
               const void *data, size_t len)
{
    QIOChannelBuffer *channel = qio_channel_buffer_new(len + 1);
    QEMUFile *f;
    int ret;

    memcpy(channel->data, data, len);
    channel->usage = len;
    f = qemu_file_new_input(QIO_CHANNEL(channel));
    ret = vmstate_load_state(f, vmsd, opaque, vmsd->version_id, NULL);
    if (!ret) {
        ret = qemu_file_get_error(f);
    }
    qemu_fclose(f);
    object_unref(OBJECT(channel));
    return ret;
}

bool state_is_refused(const VMStateDescription *vmsd, void *opaque,
                      const void *data, size_t len)
{
    /* every refusal is reported; thousands of them are not worth reading */
    int keep = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY);
    int ret;

    g_assert(keep >= 0 && null >= 0);
    dup2(null, STDERR_FILENO);
    ret = state_load(vmsd, opaque, data, len);
    dup2(keep, STDERR_FILENO);
    close(null);
    close(keep);
    return ret != 0;
}
