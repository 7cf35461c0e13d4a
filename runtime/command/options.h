/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

/*
 * Options in every form that callers of OCI runtimes write them: `--name value`, `--name=value`, `-name value` (Go's way), `-n value`,
 * `-n=value`, `-nvalue`, `-abc` for flags that stand together, `--flag=false`. `--` ends them.
 */
enum option_kind { OPTION_FLAG, OPTION_TEXT, OPTION_NUMBER, OPTION_LIST };

struct option_list {
        const char **items;
        size_t n;
};

struct option {
        const char *name;
        char letter; /* '\0': none */
        enum option_kind kind;
        void *value;         /* bool, const char *, int64_t or struct option_list; untouched when the option is not given */
        const char *help;    /* what it does, in a few words */
        const char *metavar; /* NULL for a flag */
};

struct syntax {
        const char *verb;      /* NULL: the options before the verb */
        const char *arguments; /* "ID [SIGNAL]" */
        const struct option *options;
        size_t n;
        bool in_order; /* what follows the first argument are arguments too, whatever they look like */
        int min, max;  /* how many arguments; max < 0: any number */
};

struct arguments {
        int n;
        char **words; /* NULL-terminated; in argv, which is rearranged */
};

/*
 * argv[0] is the verb. 0: go on; 1: help was asked for and printed; -EINVAL: a sentence that names the word. Items of a list belong to the
 * caller, also after an error: option_list_free.
 */
int options_parse(const struct syntax *syntax, int argc, char **argv, struct arguments *ret, struct berth_error *err);
void option_list_free(struct option_list *list);
#define _cleanup_option_list_ __attribute__((cleanup(option_list_free)))
