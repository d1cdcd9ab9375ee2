/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults on purpose, as tests arm them
 */
#ifndef TESTS_CXL_QTEST_FAULT_H
#define TESTS_CXL_QTEST_FAULT_H

#include "cxl-qtest.h"

/**
 * fault_arm() - arm a fault of @kind on @path
 * @arguments: as JSON, "" or "'value': 3"
 * Return: its id
 */
uint32_t fault_arm(QTestState *qts, const char *path, const char *kind,
                   const char *arguments);
/** fault_refused() - the same, which must fail with an error like @want */
void fault_refused(QTestState *qts, const char *path, const char *kind,
                   const char *arguments, const char *want);
/** fault_clear() - all of @path */
void fault_clear(QTestState *qts, const char *path);
/** fault_hits() - how often fault @id of @path acted; -1: it is not armed */
int fault_hits(QTestState *qts, const char *path, uint32_t id);
/** fault_family_is_tested() - @is_tested knows each kind of @family */
void fault_family_is_tested(QTestState *qts, const char *family,
                            bool (*is_tested)(const char *kind));
/** fault_is_in() - is @kind one of @names, which spaces separate? */
bool fault_is_in(const char *names, const char *kind);

#endif
