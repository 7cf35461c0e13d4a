/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "cgroup-internal.h"
#include "cleanup.h"
#include "number-list.h"

#define CPUSET_TEXT_MAX 4096

/* Keeps of `list` what `wanted` has too, or takes all of that where nothing would be left. False: nothing has to change. */
static bool cpuset_narrow(struct number_list *list, const struct number_list *wanted) {
        unsigned long outside = 0, left = 0;

        for (size_t i = 0; i < NUMBER_LIST_WORDS; i++) {
                outside |= list->mask[i] & ~wanted->mask[i];
                left |= list->mask[i] &= wanted->mask[i];
        }
        if (left == 0)
                *list = *wanted;
        return outside != 0;
}

/* One directory that is to have nothing beyond `wanted`. */
static int cpuset_fit(int directory, const char *file, const struct number_list *wanted) {
        char text[CPUSET_TEXT_MAX];
        struct number_list list;

        int r = cgroup_file_read(directory, file, text, sizeof text);
        if (r < 0)
                return r;
        text[strcspn(text, "\n")] = '\0';
        if (*text == '\0')
                return 0;
        r = number_list_parse(text, &list);
        if (r < 0 || !cpuset_narrow(&list, wanted))
                return r;
        r = number_list_write(&list, text, sizeof text);
        return r < 0 ? r : cgroup_file_write(directory, file, text);
}

/* The deepest first: a group must have all that its children have. */
static int cpuset_fit_below(int parent, const char *name, const char *file, const struct number_list *wanted, unsigned depth) {
        _cleanup_closedir_ DIR *dir = NULL;
        const struct dirent *entry;

        int r = cgroup_list(parent, name, &dir);
        if (!dir)
                return r == -ENOENT || r == -ENODEV ? 0 : r;
        while (r == 0 && (entry = readdir(dir)))
                if (cgroup_is_child(entry))
                        r = depth == CGROUP_WALK_DEPTH_MAX ? -ELOOP : cpuset_fit_below(dirfd(dir), entry->d_name, file, wanted, depth + 1);
        return r == 0 && depth > 1 ? cpuset_fit(dirfd(dir), file, wanted) : r;
}

int cgroup_v1_set_cpuset(int directory, const char *file, const char *value, struct berth_error *err) {
        struct number_list wanted;

        int r = cgroup_file_write(directory, file, value);
        if (r == -EBUSY && number_list_parse(value, &wanted) == 0) {
                r = cpuset_fit_below(directory, ".", file, &wanted, 1);
                if (r == 0)
                        r = cgroup_file_write(directory, file, value);
        }
        return r < 0 ? cgroup_file_failed(file, value, -r, err) : 0;
}
