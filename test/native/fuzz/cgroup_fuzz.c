/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cgroup-internal.h"
#include "fuzz.h"

static const uint8_t *table;
static size_t table_size;
static bool asked;

FILE *__real_fopen(const char *path, const char *mode);

/* The table of mounts of a host that the input makes up; the fuzzer has files of its own. */
FILE *__wrap_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode) {
        if (strcmp(path, "/proc/self/mountinfo") != 0)
                return __real_fopen(path, mode);
        asked = true;
        int fd = memfd_create("mountinfo", MFD_CLOEXEC);
        must(fd >= 0 && write(fd, table, table_size) == (ssize_t) table_size && lseek(fd, 0, SEEK_SET) == 0, "a memfd");
        return fdopen(fd, "r");
}

static void check_hierarchy(const struct cgroup_hierarchy *hierarchy) {
        must(memchr(hierarchy->mount, '\0', sizeof hierarchy->mount), "the mount point ends");
        must(memchr(hierarchy->controllers, '\0', sizeof hierarchy->controllers), "the controllers end");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static struct cgroup_layout layout;
        struct berth_error err = {0};

        table = data;
        table_size = size;
        asked = false;
        int r = cgroup_detect(&layout, &err);
        must(asked, "the table is read");
        if (r < 0) {
                must_explain(r, &err);
                return 0;
        }
        must(layout.n > 0 && layout.n <= CGROUP_HIERARCHIES && layout.unified_index < (int) layout.n, "%u hierarchies", layout.n);
        for (uint32_t i = 0; i < layout.n; i++) {
                check_hierarchy(&layout.hierarchy[i]);
                must(layout.hierarchy[i].unified == (layout.unified_index == (int) i), "one is the unified one");
        }
        const struct cgroup_hierarchy *memory = cgroup_hierarchy_of(&layout, "memory");
        must(!memory || cgroup_controllers_have(memory->controllers, "memory"), "the hierarchy of a controller has it");
        return 0;
}
