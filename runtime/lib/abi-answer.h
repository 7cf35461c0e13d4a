/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "error.h"

/* JSON, written into the caller's buffer. */
struct answer {
        char *out;
        size_t capacity, used;
};

void answer_put(struct answer *answer, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Names of the kernel may hold any byte; what is not printable ASCII is shown as '?'. */
void answer_text(struct answer *answer, const char *text);
/* The size is told also when the buffer was too small for it (-ENOSPC). */
int answer_end(const struct answer *answer, size_t *ret_size, struct berth_error *err);
