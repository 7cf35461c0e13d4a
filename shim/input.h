/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "task.h"

/* Takes over the write end of the pipe, or a copy of the terminal's master. */
void input_begin(struct task *task, int fd);
/* Bytes taken, 0: no room, input_wait() first; -EPIPE: nobody will read it any more. */
ssize_t input_write(struct task *task, const uint8_t *bytes, size_t size);
/* Goes on with the clients' pending bytes as soon as there is room. */
void input_wait(struct task *task);
/* Closes once all pending bytes are through. A terminal has no end of file of this kind: nothing happens, as with Docker. */
void input_finish(struct task *task);
void input_close(struct task *task);
