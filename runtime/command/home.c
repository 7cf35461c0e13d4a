/* SPDX-License-Identifier: Apache-2.0 */
#include "home.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "path.h"

#define HOME_FILE_MAX (1 << 20)
#define HOME_MAX 4096

bool home_is_missing(const json_t *process) {
        const json_t *env = json_object_get(process, "env"), *entry;
        size_t index;

        /* What is of a wrong type is refused with its place later. */
        if (!json_is_object(process) || (env && !json_is_array(env)))
                return false;
        json_array_foreach(env, index, entry) {
                const char *text = json_string_value(entry);
                if (text && strncmp(text, "HOME=", 5) == 0)
                        return false;
        }
        return true;
}

/* name:password:uid:gid:comment:home:shell */
static bool home_of_line(char *line, long long uid, char *ret) {
        const char *fields[6] = {NULL};
        char *end;

        for (size_t i = 0; i < sizeof fields / sizeof *fields && line; i++)
                fields[i] = strsep(&line, ":");
        if (!fields[5] || *fields[5] != '/' || *fields[2] < '0' || *fields[2] > '9')
                return false;
        if (strtoll(fields[2], &end, 10) != uid || *end)
                return false;
        return snprintf(ret, HOME_MAX, "%s", fields[5]) < HOME_MAX;
}

/* What was looked at is what is opened: a device in its place could act on being opened. */
static int home_open_passwd(int root, struct stat *ret_st) {
        _cleanup_close_ int place = -1;
        char path[32];

        if (path_open_in_root(root, "/etc/passwd", O_PATH, 0, &place) < 0 || fstat(place, ret_st) < 0 || !S_ISREG(ret_st->st_mode))
                return -1;
        (void) snprintf(path, sizeof path, "/proc/self/fd/%d", place);
        return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* not behind a lease that the container holds */
}

static bool home_find(int root, long long uid, char *ret) {
        struct stat st;
        _cleanup_close_ int fd = home_open_passwd(root, &st);

        if (fd < 0 || st.st_size <= 0 || st.st_size > HOME_FILE_MAX)
                return false;
        _cleanup_free_ char *text = malloc((size_t) st.st_size + 1);
        ssize_t n = text ? read(fd, text, (size_t) st.st_size) : -1;
        if (n < 0)
                return false;
        text[n] = '\0';
        for (char *rest = text, *line; (line = strsep(&rest, "\n"));)
                if (home_of_line(line, uid, ret))
                        return true;
        return false;
}

int home_add(json_t *process, int root, struct berth_error *err) {
        const json_t *uid = json_object_get(json_object_get(process, "user"), "uid");
        char home[HOME_MAX] = "/", entry[HOME_MAX + 8];
        json_t *env = json_object_get(process, "env");

        if (!home_is_missing(process))
                return 0;
        if (!home_find(root, (long long) json_integer_value(uid), home))
                (void) strcpy(home, "/");
        (void) snprintf(entry, sizeof entry, "HOME=%s", home);
        json_t *value = json_string(entry);
        if (!value) /* not UTF-8 */
                value = json_string("HOME=/");
        json_t *copy = env ? json_copy(env) : json_array();
        if (json_array_append_new(copy, value) < 0 || json_object_set_new(process, "env", copy) < 0)
                return berth_error_set(err, ENOMEM, "memory for the environment");
        return 0;
}
