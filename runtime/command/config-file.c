/* SPDX-License-Identifier: Apache-2.0 */
#include "config-file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "json.h"

#define CONFIG_FIRST_SIZE 65536

static int config_open(int directory, const char *name, int *ret, struct berth_error *err) {
        if (strcmp(name, "-") == 0) {
                *ret = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
                return *ret < 0 ? berth_error_set(err, errno, "standard input") : 0;
        }
        /* Not blocking on a fifo that nobody writes: such a file is refused below. */
        _cleanup_close_ int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        struct stat st;
        if (fd < 0 || fstat(fd, &st) < 0)
                return berth_error_set(err, errno, "open '%s'", name);
        if (!S_ISREG(st.st_mode))
                return berth_error_set(err, EINVAL, "'%s' is not a file", name);
        return give_fd(ret, &fd);
}

static int config_read_all(int fd, const char *name, struct config_text *ret, struct berth_error *err) {
        size_t capacity = CONFIG_FIRST_SIZE, size = 0;
        _cleanup_free_ char *text = malloc(capacity);

        while (text) {
                ssize_t n = read(fd, text + size, capacity - size);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return berth_error_set(err, errno, "read '%s'", name);
                size += (size_t) n;
                if (n == 0)
                        break;
                if (size > JSON_SIZE_MAX)
                        return berth_error_set(err, EFBIG, "'%s' is larger than %u bytes", name, JSON_SIZE_MAX);
                if (size < capacity)
                        continue;
                char *larger = realloc(text, capacity *= 2);
                if (!larger)
                        return berth_error_set(err, ENOMEM, "memory for '%s'", name);
                text = larger;
        }
        if (!text)
                return berth_error_set(err, ENOMEM, "memory for '%s'", name);
        *ret = (struct config_text){.text = text, .size = size};
        text = NULL;
        return 0;
}

int config_file_read(int directory, const char *name, struct config_text *ret_text, json_t **ret, struct berth_error *err) {
        const char *slash = strrchr(name, '/');
        struct config_text whole = {0};
        _cleanup_close_ int fd = -1;

        int r = config_open(directory, name, &fd, err);
        if (r == 0)
                r = config_read_all(fd, name, &whole, err);
        _cleanup_free_ char *text = whole.text;
        if (r == 0)
                r = json_parse(text, whole.size, slash ? slash + 1 : name, ret, err);
        if (r == 0 && ret_text) {
                *ret_text = whole;
                text = NULL;
        }
        return r;
}
