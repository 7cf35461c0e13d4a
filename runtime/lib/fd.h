/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "error.h"

#define FD_PASS_MAX 8

/* Sends the bytes and descriptors in one sendmsg(2); answers the number of bytes taken, or a negative errno. */
ssize_t fd_send(int sock, const void *data, size_t size, const int *fds, size_t n_fds, int flags);

/* Receives bytes and at most one descriptor (*ret_fd, -1 without one; ret_fd may be NULL); 0 is the end of the stream. */
ssize_t fd_receive(int sock, void *data, size_t size, int *ret_fd, int flags);

/* write(2) until all is written. */
int fd_write_all(int fd, const void *data, size_t size);
