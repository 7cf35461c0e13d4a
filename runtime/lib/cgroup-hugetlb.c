/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
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

/* "hugetlb.2MB.rsvd.max": what is mapped counts beside what is reserved; older kernels have the first only. */
static int set_size(int directory, bool unified, const struct cgroup_hugepage_limit *limit, struct berth_error *err) {
        const char *what = unified ? "max" : "limit_in_bytes";
        char file[64], text[24];
        (void) snprintf(text, sizeof(text), "%" PRIu64, limit->bytes);
        (void) snprintf(file, sizeof(file), "hugetlb.%.15s.%s", limit->size, what);
        int r = cgroup_file_set(directory, file, text, err);
        if (r < 0)
                return r;
        (void) snprintf(file, sizeof(file), "hugetlb.%.15s.rsvd.%s", limit->size, what);
        r = cgroup_file_write(directory, file, text);
        return r == 0 || r == -ENOENT ? 0 : cgroup_file_failed(file, text, -r, err);
}

int cgroup_apply_hugepages(int directory, bool unified, const struct cgroup_limits *limits, struct berth_error *err) {
        struct cgroup_hugepage_size sizes[8];
        uint32_t n = cgroup_hugepage_sizes(sizes, 8);
        for (uint32_t i = 0; i < limits->n_hugepages; i++) {
                const struct cgroup_hugepage_limit *limit = &limits->hugepages[i];
                char known[160] = "";
                bool found = false;
                for (uint32_t at = 0; at < n; at++) {
                        found = found || strcmp(sizes[at].name, limit->size) == 0;
                        (void) snprintf(known + strlen(known), sizeof(known) - strlen(known), "%s%.15s", at ? ", " : "", sizes[at].name);
                }
                if (!found)
                        return berth_error_set(err, ENOENT, "this host has no huge pages of %s (it has: %s)", limit->size, n ? known : "none");
                int r = set_size(directory, unified, limit, err);
                if (r < 0)
                        return r;
        }
        return 0;
}
