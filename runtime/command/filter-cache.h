/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "command.h"

/*
 * seccomp_compile, which takes half a millisecond, with a memory: a few files in <root>/seccomp:filters, a name that no container can
 * have. A file is used only when it holds exactly what is asked for, byte for byte, and nobody else could have written it. What is
 * wrong with the memory costs time and is no error.
 */
int filter_cache_compile(const struct command *command, const char *profile, size_t size, void *filter, size_t capacity, size_t *ret_size,
                         struct berth_error *err);
