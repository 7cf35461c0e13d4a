/* SPDX-License-Identifier: Apache-2.0 */
#include "change-list.h"

#include <string.h>
#include <unistd.h>

int change_list_add(void *to, const struct change *change, int directory, struct berth_error *err) {
        (void) directory;
        return names_add_text(&((struct change_list *) to)->paths, change->path, change->kind, err);
}

static int write_all(int fd, const char *from, size_t size, struct berth_error *err) {
        while (size > 0) {
                ssize_t n = write(fd, from, size);
                if (n < 0 && errno != EINTR)
                        return berth_error_set(err, errno, "write the changes: %s", strerror(errno));
                from += n < 0 ? 0 : n;
                size -= n < 0 ? 0 : (size_t) n;
        }
        return 0;
}

int change_list_write(struct change_list *list, int fd, struct berth_error *err) {
        static const char letters[] = {[CHANGE_MODIFIED] = 'C', [CHANGE_ADDED] = 'A', [CHANGE_DELETED] = 'D'};
        char buffer[64 << 10];
        size_t used = 0;
        int r = 0;
        names_sort(&list->paths);
        for (size_t i = 0; r == 0 && i < list->paths.n; i++) {
                const struct name *path = &list->paths.items[i];
                size_t size = strlen(path->text) + 1;
                if (used + 2 + size > sizeof buffer) {
                        r = write_all(fd, buffer, used, err);
                        used = 0;
                }
                buffer[used++] = letters[path->layer];
                buffer[used++] = '/';
                memcpy(buffer + used, path->text, size);
                used += size;
        }
        return r < 0 ? r : write_all(fd, buffer, used, err);
}
