/* SPDX-License-Identifier: Apache-2.0 */
#include "../../runtime/lib/cleanup.h"
#include "tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int tree_keep_dir_time(struct tree *tree, const char *path, const struct timespec *mtime, struct berth_error *err) {
        struct dir_times *times = &tree->dir_times;
        if (times->n == times->capacity) {
                size_t capacity = times->capacity ? times->capacity * 2 : 256;
                struct dir_time *items = reallocarray(times->items, capacity, sizeof *items);
                if (!items)
                        return berth_error_set(err, ENOMEM, "remember the times of directories");
                times->items = items, times->capacity = capacity;
        }
        struct dir_time item = {.mtime = *mtime, .path = strdup(path)};
        if (!item.path)
                return berth_error_set(err, ENOMEM, "remember the times of directories");
        memcpy(&times->items[times->n], &item, sizeof item);
        times->n++;
        return 0;
}

int tree_finish_dir_times(struct tree *tree, struct berth_error *err) {
        for (size_t i = 0; i < tree->dir_times.n; i++) {
                const struct dir_time *item = &tree->dir_times.items[i];
                _cleanup_close_ int fd = -1;
                int r = tree_open_directory(tree, item->path, &fd);
                /* A later entry may have put something else in its place. */
                if (r == -ENOENT || r == -ENOTDIR || r == -ELOOP)
                        continue;
                if (r < 0)
                        return tree_error(err, -r, "open directory", item->path);
                if (futimens(fd, (struct timespec[]){item->mtime, item->mtime}) < 0)
                        return tree_error(err, errno, "set the time of", item->path);
        }
        return 0;
}
