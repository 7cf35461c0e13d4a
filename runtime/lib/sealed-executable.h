/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "error.h"

/*
 * A program that a container's first process comes from is in the container's reach as /proc/self/exe (CVE-2019-5736), so what runs is
 * something that nobody can write: a sealed copy in memory or, where memory must not be executed (vm.memfd_noexec), the file itself
 * through a read-only mount that stands nowhere.
 */
int sealed_executable_make(int from, int *ret_fd, struct berth_error *err);

/* Is this descriptor of a program such a one? */
bool sealed_executable_is(int fd);
