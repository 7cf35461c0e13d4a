/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "cgroup-internal.h"
#include "cleanup.h"

#define HUGEPAGES_DIRECTORY "/sys/kernel/mm/hugepages"

uint32_t cgroup_hugepage_sizes(struct cgroup_hugepage_size *sizes, uint32_t capacity) {
        _cleanup_closedir_ DIR *dir = NULL;
        uint32_t n = 0;
        if (cgroup_list(AT_FDCWD, HUGEPAGES_DIRECTORY, &dir) < 0)
                return 0;
        for (struct dirent *entry; n < capacity && (entry = readdir(dir));) {
                unsigned long long kib;
                if (sscanf(entry->d_name, "hugepages-%llukB", &kib) != 1)
                        continue;
                static const char *const units[] = {"KB", "MB", "GB"};
                size_t unit = 0;
                for (; unit + 1 < sizeof(units) / sizeof(units[0]) && kib >= 1024; kib /= 1024)
                        unit++;
                (void) snprintf(sizes[n].name, sizeof(sizes[n].name), "%llu%s", kib, units[unit]);
                n++;
        }
        return n;
}
