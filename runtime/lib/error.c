/* SPDX-License-Identifier: Apache-2.0 */
#include "error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int berth_error_set(struct berth_error *err, int code, const char *format, ...) {
        if (code <= 0)
                code = EIO;
        if (err) {
                va_list args;
                va_start(args, format);
                err->code = code;
                (void) vsnprintf(err->text, sizeof err->text, format, args);
                va_end(args);
        }
        return -code;
}

int berth_error_prefix(struct berth_error *err, const char *format, ...) {
        if (!err)
                return -EIO;

        char inner[sizeof err->text];
        memcpy(inner, err->text, sizeof inner);

        va_list args;
        va_start(args, format);
        int used = vsnprintf(err->text, sizeof err->text, format, args);
        va_end(args);
        if (used < 0)
                used = 0;
        if ((size_t) used + 2 < sizeof err->text) {
                size_t room = sizeof err->text - (size_t) used - 3, size = strnlen(inner, room);
                memcpy(err->text + used, ": ", 2);
                memcpy(err->text + used + 2, inner, size);
                err->text[(size_t) used + 2 + size] = '\0';
        }
        return -err->code;
}
