/* SPDX-License-Identifier: Apache-2.0 */
#include "state-directory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cleanup.h"
#include "config-file.h"
#include "fd.h"
#include "json.h"

#define STATE_STARTER "start.sock"
#define STATE_ID_MAX 255 /* NAME_MAX */

static int state_check_id(const char *id, struct berth_error *err) {
        size_t size = strlen(id);
        static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-.";

        if (size == 0 || size > STATE_ID_MAX || strspn(id, allowed) != size || strcmp(id, ".") == 0 || strcmp(id, "..") == 0)
                return berth_error_set(err, EINVAL, "invalid container ID format: '%.64s' (letters, digits and _+-. only)", id);
        return 0;
}

static int state_path(const struct command *command, const char *id, char (*ret_path)[PATH_MAX], struct berth_error *err) {
        int r = state_check_id(id, err);

        if (r < 0)
                return r;
        if (snprintf(*ret_path, sizeof *ret_path, "%s/%s", command->root, id) >= (int) sizeof *ret_path)
                return berth_error_set(err, ENAMETOOLONG, "state directory of container '%s'", id);
        return 0;
}

int state_directory_open(const struct command *command, const char *id, int *ret, struct berth_error *err) {
        char path[PATH_MAX];
        int r = state_path(command, id, &path, err);

        if (r < 0)
                return r;
        _cleanup_close_ int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (directory < 0 && errno == ENOENT) {
                /* A complete sentence, to which the errno's words would add nothing. */
                (void) berth_error_set(err, EINVAL, "container does not exist: '%s'", id);
                return -ENOENT;
        }
        if (directory < 0)
                return berth_error_set(err, errno, "open '%s'", path);
        return give_fd(ret, &directory);
}

/* Whoever removed the directory while we waited for the lock has left us one that stands nowhere. */
int state_directory_open_locked(const struct command *command, const char *id, int *ret, struct berth_error *err) {
        for (;;) {
                _cleanup_close_ int directory = -1;
                struct stat st;

                int r = state_directory_open(command, id, &directory, err);
                if (r < 0)
                        return r;
                if (flock(directory, LOCK_EX) < 0) {
                        if (errno == EINTR)
                                continue;
                        return berth_error_set(err, errno, "lock the state of container '%s'", id);
                }
                if (fstat(directory, &st) < 0)
                        return berth_error_set(err, errno, "stat the state directory of container '%s'", id);
                if (st.st_nlink > 0)
                        return give_fd(ret, &directory);
        }
}

void state_directory_unlock(int directory) {
        (void) flock(directory, LOCK_UN);
}

static int state_make_root(const char *root, struct berth_error *err) {
        char path[PATH_MAX];
        size_t size = strlen(root);

        if (mkdir(root, 0700) == 0 || errno == EEXIST)
                return 0;
        if (errno != ENOENT || size >= sizeof path)
                return berth_error_set(err, errno, "make the root directory '%s'", root);
        memcpy(path, root, size + 1);
        for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
                *slash = '\0';
                if (mkdir(path, 0711) < 0 && errno != EEXIST)
                        return berth_error_set(err, errno, "make the root directory '%s'", path);
                *slash = '/';
        }
        return mkdir(root, 0700) < 0 && errno != EEXIST ? berth_error_set(err, errno, "make the root directory '%s'", root) : 0;
}

int state_directory_make(const struct command *command, const char *id, int *ret, struct berth_error *err) {
        char path[PATH_MAX];
        int r = state_path(command, id, &path, err);

        if (r < 0)
                return r;
        int code = mkdir(path, 0700) < 0 ? errno : 0;
        if (code == ENOENT) {
                r = state_make_root(command->root, err);
                if (r < 0)
                        return r;
                code = mkdir(path, 0700) < 0 ? errno : 0;
        }
        if (code == EEXIST) {
                (void) berth_error_set(err, EINVAL, "container with given ID already exists: '%s'", id);
                return -EEXIST;
        }
        if (code != 0)
                return berth_error_set(err, code, "make the state directory of container '%s'", id);
        r = state_directory_open_locked(command, id, ret, err);
        if (r < 0)
                (void) rmdir(path); /* ours, and empty; one that somebody has removed and made again is not */
        return r;
}

static const char *const state_files[] = {"state.json", "config.json", STATE_STARTER, "state.json.new", "config.json.new"};

int state_directory_remove(const struct command *command, const char *id, int directory, struct berth_error *err) {
        char path[PATH_MAX];
        struct stat st;
        int r = state_path(command, id, &path, err);

        if (r < 0)
                return r;
        (void) flock(directory, LOCK_EX);
        if (fstat(directory, &st) == 0 && st.st_nlink == 0)
                return 0; /* somebody was faster, and another container may stand in its place */
        for (size_t i = 0; i < sizeof state_files / sizeof *state_files; i++)
                if (unlinkat(directory, state_files[i], 0) < 0 && errno != ENOENT)
                        return berth_error_set(err, errno, "remove '%s' of container '%s'", state_files[i], id);
        return rmdir(path) < 0 && errno != ENOENT ? berth_error_set(err, errno, "remove '%s'", path) : 0;
}

int state_directory_write(int directory, const char *name, const char *text, size_t size, struct berth_error *err) {
        char beside[64];

        (void) snprintf(beside, sizeof beside, "%s.new", name);
        _cleanup_close_ int fd = openat(directory, beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
                return berth_error_set(err, errno, "make '%s' of the container's state", beside);
        int r = fd_write_all(fd, text, size);
        if (r == 0 && renameat(directory, beside, directory, name) < 0)
                r = -errno;
        if (r < 0) {
                (void) unlinkat(directory, beside, 0);
                return berth_error_set(err, -r, "write '%s' of the container's state", name);
        }
        return 0;
}

int state_directory_read(int directory, const char *name, json_t **ret, struct berth_error *err) {
        return config_file_read(directory, name, NULL, ret, err);
}

/* Directories have long names and addresses are short, so the way is through the open directory. */
static void state_address(int directory, struct sockaddr_un *ret) {
        *ret = (struct sockaddr_un){.sun_family = AF_UNIX};
        (void) snprintf(ret->sun_path, sizeof ret->sun_path, "/proc/self/fd/%d/" STATE_STARTER, directory);
}

int state_directory_listen(int directory, int *ret_sock, struct berth_error *err) {
        struct sockaddr_un address;
        _cleanup_close_ int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

        state_address(directory, &address);
        if (sock < 0 || bind(sock, (struct sockaddr *) &address, sizeof address) < 0 || listen(sock, 1) < 0)
                return berth_error_set(err, errno, "make the socket that starts the container");
        return give_fd(ret_sock, &sock);
}

int state_directory_connect(int directory, const char *id, int *ret_sock, struct berth_error *err) {
        struct sockaddr_un address;
        _cleanup_close_ int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

        state_address(directory, &address);
        if (sock < 0 || connect(sock, (struct sockaddr *) &address, sizeof address) < 0)
                return berth_error_set(err, errno, "reach the waiting process of container '%s'", id);
        return give_fd(ret_sock, &sock);
}

int state_directory_started(int directory, struct berth_error *err) {
        if (unlinkat(directory, STATE_STARTER, 0) < 0 && errno != ENOENT)
                return berth_error_set(err, errno, "mark the container as running");
        return 0;
}

bool state_directory_waits(int directory) {
        return faccessat(directory, STATE_STARTER, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}
