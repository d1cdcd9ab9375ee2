/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recording owner of a dynamic capacity model, for tests.
 */
#include "qemu/osdep.h"
#include "io/channel-buffer.h"
#include "migration/qemu-file-types.h"
#include "migration/vmstate.h"
#include "../migration/qemu-file.h"
#include "dc-recorder.h"

DCRecorder *dc_recorder_new(void)
{
    DCRecorder *rec = g_new0(DCRecorder, 1);

    memset(rec->room, 0xff, sizeof(rec->room));
    rec->events = g_array_new(FALSE, FALSE, sizeof(CXLDCEvent));
    rec->access = g_array_new(FALSE, FALSE, sizeof(DCAccessCall));
    rec->wiped = g_array_new(FALSE, FALSE, sizeof(CXLDCRange));
    rec->reports = g_array_new(FALSE, FALSE, sizeof(DCReported));
    rec->order = g_string_new(NULL);
    return rec;
}

void dc_recorder_free(DCRecorder *rec)
{
    g_array_free(rec->events, TRUE);
    g_array_free(rec->access, TRUE);
    g_array_free(rec->wiped, TRUE);
    g_array_free(rec->reports, TRUE);
    g_string_free(rec->order, TRUE);
    g_free(rec);
}

void dc_recorder_clear(DCRecorder *rec)
{
    g_array_set_size(rec->events, 0);
    g_array_set_size(rec->access, 0);
    g_array_set_size(rec->wiped, 0);
    g_array_set_size(rec->reports, 0);
    g_string_truncate(rec->order, 0);
}

static void rec_order(DCRecorder *rec, char call)
{
    if (!rec->order->len || rec->order->str[rec->order->len - 1] != call) {
        g_string_append_c(rec->order, call);
    }
}

static uint32_t rec_log_space(void *opaque, uint16_t host)
{
    DCRecorder *rec = opaque;

    return rec->room[host];
}

static void rec_log(void *opaque, const CXLDCEvent *event)
{
    DCRecorder *rec = opaque;

    rec_order(rec, 'l');
    g_array_append_vals(rec->events, event, 1);
}

static bool rec_reserve(void *opaque, uint16_t host, const CXLDCRange *range,
                        const uint64_t *media, size_t n)
{
    DCRecorder *rec = opaque;

    g_assert_cmpuint(n, >, 0);
    rec->media = media[0];
    return !rec->refuses;
}

static void rec_access(void *opaque, uint16_t host, const CXLDCRange *range,
                       bool on)
{
    DCRecorder *rec = opaque;
    DCAccessCall call = { host, *range, on };

    rec_order(rec, on ? 'n' : 'o');
    rec->unsettled = true;
    g_array_append_val(rec->access, call);
}

static void rec_sanitize(void *opaque, const CXLDCRange *range)
{
    DCRecorder *rec = opaque;

    rec_order(rec, 'w');
    g_array_append_vals(rec->wiped, range, 1);
}

static void rec_commit(void *opaque)
{
    DCRecorder *rec = opaque;

    rec_order(rec, 's');
    rec->unsettled = false;
}

static void rec_report(void *opaque, uint16_t host, CXLDCOutcome what,
                       CXLDCReason why, const CXLDCExtent *extents, size_t n)
{
    DCRecorder *rec = opaque;
    DCReported report = { host, what, why, n };

    g_assert_cmpuint(n, >, 0);
    rec_order(rec, 'r');
    g_array_append_val(rec->reports, report);
}

const CXLDCOps dc_recorder_ops = {
    .log_space = rec_log_space,
    .log = rec_log,
    .reserve = rec_reserve,
    .access = rec_access,
    .sanitize = rec_sanitize,
    .commit = rec_commit,
    .report = rec_report,
};

const CXLDCOps dc_recorder_ops_no_sanitize = {
    .log_space = rec_log_space,
    .log = rec_log,
    .access = rec_access,
    .commit = rec_commit,
    .report = rec_report,
};

GByteArray *dc_save(CXLDynCap *dc)
{
    QIOChannelBuffer *ioc = qio_channel_buffer_new(4096);
    GByteArray *bytes = g_byte_array_new();
    QEMUFile *f = qemu_file_new_output(QIO_CHANNEL(ioc));

    g_assert_cmpint(vmstate_save_state(f, &vmstate_cxl_dc, dc, NULL, NULL),
                    ==, 0);
    g_assert_cmpint(qemu_fflush(f), ==, 0);
    g_byte_array_append(bytes, ioc->data, ioc->usage);
    qemu_fclose(f);
    object_unref(OBJECT(ioc));
    return bytes;
}

int dc_load_bytes(CXLDynCap *dc, const uint8_t *bytes, size_t n)
{
    QIOChannelBuffer *ioc = qio_channel_buffer_new(n + 1);
    QEMUFile *f;
    int ret;

    memcpy(ioc->data, bytes, n);
    ioc->usage = n;
    f = qemu_file_new_input(QIO_CHANNEL(ioc));
    ret = vmstate_load_state(f, &vmstate_cxl_dc, dc, 1, NULL);
    qemu_fclose(f);
    object_unref(OBJECT(ioc));
    return ret;
}
