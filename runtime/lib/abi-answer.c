/* SPDX-License-Identifier: Apache-2.0 */
#include "abi-answer.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

void answer_put(struct answer *answer, const char *format, ...) {
        size_t space = answer->used < answer->capacity ? answer->capacity - answer->used : 0;
        va_list args;
        va_start(args, format);
        int n = vsnprintf(space ? answer->out + answer->used : NULL, space, format, args);
        va_end(args);
        answer->used += n > 0 ? (size_t) n : 0;
}

void answer_text(struct answer *answer, const char *text) {
        answer_put(answer, "\"");
        for (const char *c = text; *c; c++)
                if (*c == '"' || *c == '\\')
                        answer_put(answer, "\\%c", *c);
                else
                        answer_put(answer, "%c", *c >= 0x20 && *c < 0x7f ? *c : '?');
        answer_put(answer, "\"");
}

int answer_end(const struct answer *answer, size_t *ret_size, struct berth_error *err) {
        *ret_size = answer->used;
        if (answer->used >= answer->capacity)
                return berth_error_set(err, ENOSPC, "the answer of %zu bytes does not fit into %zu", answer->used, answer->capacity);
        return 0;
}
