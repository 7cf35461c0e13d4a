/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

/* Whether every container has something mounted at this path ("etc/hosts"): what a file of its own layer is there, nobody sees. */
bool mount_point_is(const char *path, const struct stat *st);

/* Whether the directory may have been made for such a file alone. */
bool mount_point_holds(const char *path, const struct stat *st);
