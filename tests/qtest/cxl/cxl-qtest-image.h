/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Snapshots of a machine into an image that it is given while it runs
 */
#ifndef TESTS_CXL_QTEST_IMAGE_H
#define TESTS_CXL_QTEST_IMAGE_H

#include "tests/qtest/libqtest.h"

/** image_add() - once per machine. Return: its file, to unlink and g_free() */
char *image_add(QTestState *qts);
/** image_save(), image_load() - there is one snapshot, the last one saved */
void image_save(QTestState *qts);
void image_load(QTestState *qts);

#endif
