/* SPDX-License-Identifier: Apache-2.0 */
#include "names.h"

#include "directory.h"
#include "tree.h"

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int names_add_text(struct names *names, const char *text, unsigned layer, struct berth_error *err) {
        size_t size = strlen(text) + 1;
        if (names->n == names->capacity) {
                size_t capacity = names->capacity ? names->capacity * 2 : 64;
                struct name *items = reallocarray(names->items, capacity, sizeof *items);
                if (!items)
                        return berth_error_set(err, ENOMEM, "remember the names in a directory");
                names->items = items, names->capacity = capacity;
        }
        if (size > names->room - names->used) {
                /* Twice of this holds any path. */
                size_t room = names->room ? names->room * 2 : 4096;
                char *texts = realloc(names->texts, room);
                if (!texts)
                        return berth_error_set(err, ENOMEM, "remember the names in a directory");
                names->texts = texts, names->room = room;
        }
        memcpy(names->texts + names->used, text, size);
        /* The texts may move while more are added: their offsets stand in for them. */
        names->items[names->n++] = (struct name){.text = (const char *) (uintptr_t) names->used, .layer = layer};
        names->used += size;
        return 0;
}

int names_add(struct names *names, int fd, unsigned layer, struct berth_error *err) {
        struct directory directory;
        const struct kernel_dirent *item;
        int r;
        directory_begin(&directory, fd);
        while ((r = directory_next(&directory, &item)) > 0) {
                r = names_add_text(names, item->name, layer, err);
                if (r < 0)
                        return r;
                if (item->type == DT_REG)
                        names->items[names->n - 1].inode = item->inode;
        }
        /* Deleted while it was open: it is empty. */
        return r < 0 && r != -ENOENT ? tree_error(err, -r, "list", "a directory") : 0;
}

static int compare(const void *one, const void *other) {
        const struct name *a = one, *b = other;
        int order = strcmp(a->text, b->text);
        return order ? order : (a->layer > b->layer) - (a->layer < b->layer);
}

void names_sort(struct names *names) {
        for (size_t i = 0; i < names->n; i++)
                names->items[i].text = names->texts + (uintptr_t) names->items[i].text;
        if (names->n > 1)
                qsort(names->items, names->n, sizeof *names->items, compare);
}

size_t names_same(const struct names *names, size_t first) {
        size_t n = 1;
        while (first + n < names->n && strcmp(names->items[first + n].text, names->items[first].text) == 0)
                n++;
        return n;
}

void names_free(struct names *names) {
        free(names->items);
        free(names->texts);
        *names = (struct names){0};
}
