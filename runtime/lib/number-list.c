/* SPDX-License-Identifier: Apache-2.0 */
#include "number-list.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

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
        const unsigned bits = sizeof(unsigned long) * CHAR_BIT;
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
                        list.mask[i / bits] |= 1UL << (i % bits);
                if (*text == '\0')
                        break;
                if (*text++ != ',')
                        return -EINVAL;
        }
        *ret = list;
        return 0;
}
