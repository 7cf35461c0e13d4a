/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdio.h>
#include <stdlib.h>

/* Ends the test with the place and the condition that does not hold. */
#define check(condition)                                                                                                                             \
        do {                                                                                                                                         \
                if (!(condition)) {                                                                                                                  \
                        (void) fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                                               \
                        exit(1);                                                                                                                     \
                }                                                                                                                                    \
        } while (0)
