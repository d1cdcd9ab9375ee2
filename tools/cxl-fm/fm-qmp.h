/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A client of QEMU's monitor (QMP): one command at a time
 */
#ifndef FM_QMP_H
#define FM_QMP_H

#include <json-glib/json-glib.h>

struct fm_qmp;

#define FM_QMP_ERROR fm_qmp_error_quark()
GQuark fm_qmp_error_quark(void);

enum fm_qmp_error {
    FM_QMP_LINK,                /* no monitor there, or it does not answer */
    FM_QMP_REFUSED,             /* the monitor answered an error */
};

/**
 * fm_qmp_open() - connect, and leave capabilities negotiation
 * @url: unix:PATH or tcp:HOST:PORT
 * @timeout: seconds that the monitor may take for an answer
 * Return: NULL with @error, of FM_QMP_ERROR
 */
struct fm_qmp *fm_qmp_open(const char *url, double timeout, GError **error);

/**
 * fm_qmp_run() - run @command
 * @arguments: object; it is taken
 * Return: what the command returns, or NULL with @error, of FM_QMP_ERROR
 */
JsonNode *fm_qmp_run(struct fm_qmp *q, const char *command,
                     JsonObject *arguments, GError **error);

/** fm_qmp_close() - @q may be NULL */
void fm_qmp_close(struct fm_qmp *q);

#endif /* FM_QMP_H */
