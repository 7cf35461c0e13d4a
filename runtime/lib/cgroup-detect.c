/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "cgroup-internal.h"
#include "cleanup.h"

#define LINE_MAX_SIZE (8U << 10)

struct mount_line {
        char *root, *point, *type, *options;
};

/* mountinfo writes space, tab, newline and backslash as three octal digits. */
static void unescape(char *text) {
        char *to = text;
        for (const char *from = text; *from;) {
                if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' && from[2] <= '7' && from[3] >= '0' && from[3] <= '7') {
                        *to++ = (char) (((from[1] - '0') << 6) | ((from[2] - '0') << 3) | (from[3] - '0'));
                        from += 4;
                } else
                        *to++ = *from++;
        }
        *to = '\0';
}

/* "36 35 98:0 /root /point options optional… - type source super-options" */
static bool split_line(char *line, struct mount_line *ret) {
        char *rest = line, *field;
        int n = 0;
        *ret = (struct mount_line){0};
        while ((field = strsep(&rest, " "))) {
                n++;
                if (n == 4)
                        ret->root = field;
                else if (n == 5)
                        ret->point = field;
                else if (n > 6 && strcmp(field, "-") == 0)
                        break;
        }
        if (!field)
                return false;
        ret->type = strsep(&rest, " ");
        (void) strsep(&rest, " ");
        ret->options = rest;
        if (!ret->options || !ret->point)
                return false;
        ret->options[strcspn(ret->options, "\n")] = '\0';
        unescape(ret->point);
        unescape(ret->root);
        return true;
}

static bool is_mount_option(const char *word) {
        static const char *const plain[] = {"rw", "ro", "xattr", "noprefix", "clone_children", "none", "all", "cpuset_v2_mode", "favordynmods"};
        for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
                if (strcmp(word, plain[i]) == 0)
                        return true;
        return strncmp(word, "release_agent=", 14) == 0;
}

static int append_controller(struct cgroup_hierarchy *hierarchy, const char *word) {
        size_t used = strlen(hierarchy->controllers), space = sizeof(hierarchy->controllers) - used;
        int length = snprintf(hierarchy->controllers + used, space, "%s%s", used ? "," : "", word);
        return length < 0 || (size_t) length >= space ? -E2BIG : 0;
}

static int read_unified_controllers(struct cgroup_hierarchy *hierarchy, struct berth_error *err) {
        _cleanup_close_ int fd = open(hierarchy->mount, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return berth_error_set(err, errno, "open the unified cgroup hierarchy %s", hierarchy->mount);
        char text[512];
        int r = cgroup_file_read(fd, "cgroup.controllers", text, sizeof(text));
        if (r < 0)
                return berth_error_set(err, -r, "read %s/cgroup.controllers", hierarchy->mount);
        char *rest = text, *word;
        while ((word = strsep(&rest, " \n")))
                if (*word && append_controller(hierarchy, word) < 0)
                        return berth_error_set(err, E2BIG, "the unified cgroup hierarchy lists too many controllers");
        return 0;
}

/* The same hierarchy may be mounted several times (bind mounts); the first whole one serves. */
static bool known(const struct cgroup_layout *layout, const struct cgroup_hierarchy *candidate) {
        for (uint32_t i = 0; i < layout->n; i++)
                if (layout->hierarchy[i].unified == candidate->unified &&
                    (candidate->unified || strcmp(layout->hierarchy[i].controllers, candidate->controllers) == 0))
                        return true;
        return false;
}

static int take_mount(struct cgroup_layout *layout, const struct mount_line *mount, struct berth_error *err) {
        struct cgroup_hierarchy hierarchy = {.unified = strcmp(mount->type, "cgroup2") == 0};
        if (!hierarchy.unified && strcmp(mount->type, "cgroup") != 0)
                return 0;
        if (strlen(mount->point) >= sizeof(hierarchy.mount))
                return berth_error_set(err, ENAMETOOLONG, "the cgroup mount point %.64s… is too long", mount->point);
        strcpy(hierarchy.mount, mount->point);

        if (!hierarchy.unified) {
                char *rest = mount->options, *word;
                while ((word = strsep(&rest, ",")))
                        if (*word && !is_mount_option(word) && append_controller(&hierarchy, word) < 0)
                                return berth_error_set(err, E2BIG, "the cgroup mount %s has too many controllers", hierarchy.mount);
        }
        /* A mount of a part ("/some/group" bound elsewhere) is not the hierarchy; in a cgroup namespace the root is "/". */
        if (strncmp(mount->root, "/..", 3) == 0 || known(layout, &hierarchy))
                return 0;
        if (layout->n == CGROUP_HIERARCHIES)
                return berth_error_set(err, E2BIG, "more than %d cgroup hierarchies are mounted", CGROUP_HIERARCHIES);
        if (hierarchy.unified) {
                int r = read_unified_controllers(&hierarchy, err);
                if (r < 0)
                        return r;
                layout->unified_index = (int) layout->n;
        }
        layout->hierarchy[layout->n++] = hierarchy;
        return 0;
}

int cgroup_detect(struct cgroup_layout *ret, struct berth_error *err) {
        /* stdio, because a mountinfo line has no length that could be relied upon. */
        FILE *file = fopen("/proc/self/mountinfo", "re");
        if (!file)
                return berth_error_set(err, errno, "open /proc/self/mountinfo");
        struct cgroup_layout layout = {.unified_index = -1};
        char *line = NULL;
        size_t capacity = 0;
        ssize_t length;
        int r = 0;
        while (r == 0 && (length = getline(&line, &capacity, file)) > 0) {
                struct mount_line mount;
                if (!strstr(line, " - cgroup") || (size_t) length > LINE_MAX_SIZE || !split_line(line, &mount))
                        continue;
                r = take_mount(&layout, &mount, err);
        }
        /* Half a table would make half a container, and leave the other half behind. */
        if (r == 0 && ferror(file))
                r = berth_error_set(err, errno, "read /proc/self/mountinfo");
        free(line);
        (void) fclose(file);
        if (r < 0)
                return r;
        if (layout.n == 0)
                return berth_error_set(err, ENOENT, "no cgroup hierarchy is mounted (expected below /sys/fs/cgroup)");
        *ret = layout;
        return 0;
}

bool cgroup_controllers_have(const char *controllers, const char *controller) {
        size_t length = strlen(controller);
        for (const char *word = controllers; word; word = strchr(word, ',')) {
                word += *word == ',';
                if (strncmp(word, controller, length) == 0 && (word[length] == ',' || word[length] == '\0'))
                        return true;
        }
        return false;
}

const struct cgroup_hierarchy *cgroup_hierarchy_of(const struct cgroup_layout *layout, const char *controller) {
        const struct cgroup_hierarchy *unified = NULL;
        for (uint32_t i = 0; i < layout->n; i++) {
                if (!cgroup_controllers_have(layout->hierarchy[i].controllers, controller))
                        continue;
                if (!layout->hierarchy[i].unified)
                        return &layout->hierarchy[i];
                unified = &layout->hierarchy[i];
        }
        return unified;
}
