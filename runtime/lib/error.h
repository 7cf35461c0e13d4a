/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

#define ERROR_TEXT_SIZE 508 /* with its end */

/*
 * What went wrong, in a form that crosses the ABI, a pipe and a protocol frame unchanged.
 * `code` is a positive errno. `text` names the step and the object, without the errno's own words.
 */
struct berth_error {
        int code;
        char text[ERROR_TEXT_SIZE];
};

/* Sets *err (which may be NULL) and returns -code, so that callers write `return berth_error_set(err, errno, …)`. */
int berth_error_set(struct berth_error *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Puts "context: " in front of the text that is there already; returns -err->code (or -EIO without err). */
int berth_error_prefix(struct berth_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
