/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <limits.h>
#include <stddef.h>

#define NUMBER_LIST_MAX 8192 /* the first number that is too large; kernels are built for up to as many processors */
#define NUMBER_LIST_WORDS (NUMBER_LIST_MAX / (sizeof(unsigned long) * CHAR_BIT))

/* Processors or memory nodes: bit n of `mask` is number n. */
struct number_list {
        unsigned long mask[NUMBER_LIST_WORDS];
};

/* Reads "0-3,7" (cpuset(7), blanks allowed); -EINVAL for anything else, -ERANGE for numbers that no kernel has. */
int number_list_parse(const char *text, struct number_list *ret);

/* In the same form; -ENOBUFS when it needs more. */
int number_list_write(const struct number_list *list, char *text, size_t capacity);
