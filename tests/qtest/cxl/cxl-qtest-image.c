/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Snapshots of a machine, see cxl-qtest-image.h
 */
#include "qemu/osdep.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#include "cxl-qtest-image.h"

static void run_job(QTestState *qts)
{
    for (;;) {
        QDict *rsp = qtest_qmp(qts, "{'execute': 'query-jobs'}");
        QDict *job = qobject_to(QDict, qlist_peek(
                                    qdict_get_qlist(rsp, "return")));
        bool done = g_str_equal(qdict_get_str(job, "status"), "concluded");

        g_assert_false(qdict_haskey(job, "error"));
        qobject_unref(rsp);
        if (done) {
            break;
        }
        g_usleep(1000);
    }
    qtest_qmp_assert_success(qts, "{'execute': 'job-dismiss', "
                             "'arguments': {'id': 'job'}}");
}

char *image_add(QTestState *qts)
{
    char *path;
    int fd = g_file_open_tmp("cxl-image-XXXXXX", &path, NULL);

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    qtest_qmp_assert_success(qts, "{'execute': 'blockdev-add', 'arguments': "
                             "{'node-name': 'file', 'driver': 'file', "
                             "'filename': %s}}", path);
    qtest_qmp_assert_success(qts, "{'execute': 'blockdev-create', 'arguments': "
                             "{'job-id': 'job', 'options': {'driver': 'qcow2',"
                             " 'file': 'file', 'size': 1048576}}}");
    run_job(qts);
    qtest_qmp_assert_success(qts, "{'execute': 'blockdev-add', 'arguments': "
                             "{'node-name': 'image', 'driver': 'qcow2', "
                             "'file': 'file'}}");
    return path;
}

static void snapshot(QTestState *qts, const char *command)
{
    g_autofree char *said = qtest_hmp(qts, "%s here", command);

    g_assert_cmpstr(said, ==, "");
}

void image_save(QTestState *qts)
{
    snapshot(qts, "savevm");
}

void image_load(QTestState *qts)
{
    snapshot(qts, "loadvm");
}
