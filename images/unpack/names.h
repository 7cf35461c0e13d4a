/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "../../runtime/lib/error.h"

#include <stddef.h>
#include <sys/types.h>

struct name {
        const char *text;
        unsigned layer;
        ino_t inode; /* of a regular file, as its directory has it; else 0 */
};

/* What is in one directory of several layers, in memory of its own; starts out all zero. */
struct names {
        struct name *items;
        size_t n;
        size_t capacity;
        char *texts;
        size_t used;
        size_t room;
};

/* Adds one name, or path. Texts are good after names_sort only. */
int names_add_text(struct names *names, const char *text, unsigned layer, struct berth_error *err);

/* Adds what is in the directory; `layer` is a number of the caller's choice. */
int names_add(struct names *names, int directory, unsigned layer, struct berth_error *err);

/* By name, then by layer. */
void names_sort(struct names *names);

/* How many items from `first` on have the same name. */
size_t names_same(const struct names *names, size_t first);

void names_free(struct names *names);
#define _cleanup_names_ __attribute__((cleanup(names_free)))
