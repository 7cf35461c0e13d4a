/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <jansson.h>
#include <stddef.h>

#include "error.h"

/* linux.seccomp (runtime-spec form) to struct sock_filter[]; -ENOBUFS when the result needs more than `capacity` bytes. */
int seccomp_compile(const char *profile, size_t size, void *filter, size_t capacity, size_t *ret_size, struct berth_error *err);
/* The same from a part of a document that has been read. */
int seccomp_compile_value(json_t *profile, void *filter, size_t capacity, size_t *ret_size, struct berth_error *err);

/* For `features`, each one after the other and NULL at the end. */
const char *seccomp_action_at(size_t index);
const char *seccomp_operator_at(size_t index);
const char *seccomp_architecture_at(size_t index);
