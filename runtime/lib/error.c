/* SPDX-License-Identifier: Apache-2.0 */
#include "error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* What is too long is cut between characters, so that UTF-8 stays UTF-8. */
static void error_keep(struct berth_error *err, const char *text) {
        size_t end = strnlen(text, sizeof err->text);

        if (end == sizeof err->text)
                do
                        end--;
                while (end > 0 && ((unsigned char) text[end] & 0xC0) == 0x80);
        memcpy(err->text, text, end);
        err->text[end] = '\0';
}

int berth_error_set(struct berth_error *err, int code, const char *format, ...) {
        if (code <= 0)
                code = EIO;
        if (err) {
                char text[ERROR_TEXT_SIZE + 1] = "";
                va_list args;
                va_start(args, format);
                (void) vsnprintf(text, sizeof text, format, args);
                va_end(args);
                err->code = code;
                error_keep(err, text);
        }
        return -code;
}

int berth_error_prefix(struct berth_error *err, const char *format, ...) {
        if (!err)
                return -EIO;

        char text[2 * ERROR_TEXT_SIZE] = "";
        va_list args;
        va_start(args, format);
        (void) vsnprintf(text, ERROR_TEXT_SIZE, format, args);
        va_end(args);
        size_t used = strlen(text);
        (void) snprintf(text + used, sizeof text - used, ": %s", err->text);
        error_keep(err, text);
        return -err->code;
}
