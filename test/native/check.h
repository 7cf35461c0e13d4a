/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"

/*
 * What a C test needs: each check is a line "ok - sentence" or "not ok - sentence (…)" on stdout; the program ends with 1 when one
 * was not. The counter is static in the one file that includes this.
 */
static int check_failures;

#define check(condition, ...) check_report((condition), #condition, __FILE__, __LINE__, __VA_ARGS__)

__attribute__((format(printf, 5, 6))) static inline void check_report(bool passed, const char *condition, const char *file, int line,
                                                                      const char *format, ...) {
        va_list args;
        va_start(args, format);
        (void) printf("%sok - ", passed ? "" : "not ");
        (void) vprintf(format, args);
        va_end(args);
        if (passed)
                (void) printf("\n");
        else
                (void) printf(" (%s at %s:%d)\n", condition, file, line);
        (void) fflush(stdout);
        check_failures += !passed;
}

/* A call of the library that must succeed; its error text is shown when it does not. */
#define check_call(call, err, sentence)                                                                                                              \
        do {                                                                                                                                         \
                int check_result = (call);                                                                                                           \
                check(check_result >= 0, "%s%s%s", sentence, check_result < 0 ? ": " : "", check_result < 0 ? (err)->text : "");                     \
        } while (0)

static inline int check_end(void) {
        (void) printf("%s: %d failed\n", check_failures ? "FAILED" : "passed", check_failures);
        return check_failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
