/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#define TIMESTAMP_MAX 36 /* with the terminating NUL */

/* Nanoseconds since 1970 (UTC). */
uint64_t timestamp_now(void);

/* RFC 3339 in UTC with the fraction that Go's RFC3339Nano writes: up to nine digits, no trailing zeros, none when it is 0. */
void timestamp_format(uint64_t nanoseconds, char ret[static TIMESTAMP_MAX]);
