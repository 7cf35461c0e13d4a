/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

/* Ownership by scope: a variable marked so is released when it leaves its scope, on every path. */

static inline void cleanup_close(int *fd) {
        if (*fd >= 0)
                (void) close(*fd);
}

static inline void cleanup_free(void *pointer) {
        free(*(void **) pointer);
}

static inline void cleanup_closedir(DIR **dir) {
        if (*dir)
                (void) closedir(*dir);
}

#define _cleanup_close_ __attribute__((cleanup(cleanup_close)))
#define _cleanup_free_ __attribute__((cleanup(cleanup_free)))
#define _cleanup_closedir_ __attribute__((cleanup(cleanup_closedir)))

/* Hands the descriptor over: *from becomes -1. */
static inline int take_fd(int *from) {
        int fd = *from;
        *from = -1;
        return fd;
}

/* Hands the descriptor to the caller of a function that succeeds: `return give_fd(ret_fd, &fd);` */
static inline int give_fd(int *ret_fd, int *from) {
        *ret_fd = take_fd(from);
        return 0;
}
