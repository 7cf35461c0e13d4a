/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

/*
 * The message of the last error in a runtime's log (--log-format json): "" when there is none. Only what it needs of JSON is read;
 * `ret` is cut at its capacity.
 */
void runtime_log_last_error(const char *log, size_t size, char *ret, size_t capacity);
