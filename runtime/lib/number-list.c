/* SPDX-License-Identifier: Apache-2.0 */
#include "number-list.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define NUMBER_LIST_BITS (sizeof(unsigned long) * CHAR_BIT)

static void number_list_skip_blanks(const char **at) {
        while (**at == ' ')
                (*at)++;
}

static int number_list_number(const char **at, unsigned *ret) {
        unsigned value = 0;

        number_list_skip_blanks(at);
        if (**at < '0' || **at > '9')
                return -EINVAL;
        for (; **at >= '0' && **at <= '9'; (*at)++) {
                value = value * 10 + (unsigned) (**at - '0');
                if (value >= NUMBER_LIST_MAX)
                        return -ERANGE;
        }
        number_list_skip_blanks(at);
        *ret = value;
        return 0;
}

int number_list_parse(const char *text, struct number_list *ret) {
        struct number_list list = {0};

        for (;;) {
                unsigned first = 0, last = 0;
                int r = number_list_number(&text, &first);
                last = first;
                if (r == 0 && *text == '-') {
                        text++;
                        r = number_list_number(&text, &last);
                }
                if (r < 0)
                        return r;
                if (last < first)
                        return -EINVAL;
                for (unsigned i = first; i <= last; i++)
                        list.mask[i / NUMBER_LIST_BITS] |= 1UL << (i % NUMBER_LIST_BITS);
                if (*text == '\0')
                        break;
                if (*text++ != ',')
                        return -EINVAL;
        }
        *ret = list;
        return 0;
}

static bool number_list_has(const struct number_list *list, unsigned number) {
        return number < NUMBER_LIST_MAX && list->mask[number / NUMBER_LIST_BITS] >> (number % NUMBER_LIST_BITS) & 1;
}

int number_list_write(const struct number_list *list, char *text, size_t capacity) {
        size_t used = 0;

        *text = '\0';
        for (unsigned first = 0, next; first < NUMBER_LIST_MAX; first = next + 1) {
                for (next = first; number_list_has(list, next); next++)
                        ;
                if (next == first)
                        continue;
                const char *comma = used > 0 ? "," : "";
                int n = next - first == 1 ? snprintf(text + used, capacity - used, "%s%u", comma, first)
                                          : snprintf(text + used, capacity - used, "%s%u-%u", comma, first, next - 1);
                if ((size_t) n >= capacity - used)
                        return -ENOBUFS;
                used += (size_t) n;
        }
        return 0;
}
