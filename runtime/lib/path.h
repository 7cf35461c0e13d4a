/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "error.h"

/*
 * The one way to name something inside a container's root filesystem, which is hostile: every component, "..", and symbolic
 * link is resolved by the kernel as if `root` were "/" (openat2(2), RESOLVE_IN_ROOT), and the answer is a descriptor. `path`
 * is absolute or relative to the root; both mean the same.
 */
int path_open_in_root(int root, const char *path, int flags, mode_t mode, int *ret_fd);

/* The same, but a symbolic link anywhere in the path is refused with -ELOOP. */
int path_open_in_root_nofollow(int root, const char *path, int flags, int *ret_fd);

/* The same, but whatever leads out of the directory, also for a moment, is refused with -EXDEV: absolute links, too many "..". */
int path_open_beneath(int directory, const char *path, int flags, int *ret_fd);

/* Opens (O_PATH) a directory, making it and its missing parents with 0755. Answers -ENOTDIR when a file stands in the way. */
int path_make_directory(int root, const char *path, int *ret_fd, struct berth_error *err);

/* Opens (O_PATH) something to mount on: a directory, or an empty file when `directory` is false, making what is missing. */
int path_make_target(int root, const char *path, bool directory, int *ret_fd, struct berth_error *err);

/* Makes the parent directory of `path` and opens it; *ret_name points at the last component, inside `path`. */
int path_make_parent(int root, const char *path, int *ret_fd, const char **ret_name, struct berth_error *err);
