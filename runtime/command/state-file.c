/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cleanup.h"
#include "command.h"
#include "fd.h"
#include "json.h"
#include "process-identity.h"

#define STATE_NAME "state.json"
#define STATE_STARTER "start.sock"
#define STATE_SIZE_MAX 16384

static int state_check_id(const char *id, struct berth_error *err) {
        size_t size = strlen(id);
        static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-.";

        if (size == 0 || size >= sizeof((struct state *) NULL)->id || strspn(id, allowed) != size || strcmp(id, ".") == 0 || strcmp(id, "..") == 0)
                return berth_error_set(err, EINVAL, "'%.64s' is not an id of a container (letters, digits and _+-. only)", id);
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

static int state_open(const struct command *command, const char *id, int *ret_directory, struct berth_error *err) {
        char path[PATH_MAX];
        int r = state_path(command, id, &path, err);

        if (r < 0)
                return r;
        _cleanup_close_ int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (directory < 0 && errno == ENOENT)
                return berth_error_set(err, ENOENT, "container '%s' does not exist", id);
        if (directory < 0)
                return berth_error_set(err, errno, "open '%s'", path);
        return give_fd(ret_directory, &directory);
}

int state_make(const struct command *command, const char *id, int *ret_directory, struct berth_error *err) {
        char path[PATH_MAX];
        int r = state_path(command, id, &path, err);

        if (r < 0)
                return r;
        if (mkdir(command->root, 0700) < 0 && errno != EEXIST)
                return berth_error_set(err, errno, "make '%s'", command->root);
        if (mkdir(path, 0700) < 0)
                return berth_error_set(err, errno, errno == EEXIST ? "container '%s' exists already" : "make the state directory of container '%s'",
                                       id);
        return state_open(command, id, ret_directory, err);
}

int state_write(int directory, const struct state *state, struct berth_error *err) {
        json_t *document = json_pack("{s:s, s:s, s:s, s:s, s:i, s:I}", "id", state->id, "bundle", state->bundle, "cgroup", state->cgroup, "created",
                                     state->created, "pid", (int) state->pid, "startTime", (json_int_t) state->start_time);
        _cleanup_free_ char *text = document ? json_dumps(document, JSON_COMPACT) : NULL;

        json_decref(document);
        if (!text)
                return berth_error_set(err, ENOMEM, "memory for the state of container '%s'", state->id);
        _cleanup_close_ int fd = openat(directory, STATE_NAME ".new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
                return berth_error_set(err, errno, "make the state of container '%s'", state->id);
        int r = fd_write_all(fd, text, strlen(text));
        if (r < 0)
                return berth_error_set(err, -r, "write the state of container '%s'", state->id);
        if (renameat(directory, STATE_NAME ".new", directory, STATE_NAME) < 0)
                return berth_error_set(err, errno, "put the state of container '%s' in place", state->id);
        return 0;
}

static int state_parse(const json_t *document, struct state *ret, struct berth_error *err) {
        const char *id, *bundle, *cgroup, *created;
        json_int_t start_time;
        int pid;

        if (json_unpack((json_t *) (uintptr_t) document, "{s:s, s:s, s:s, s:s, s:i, s:I}", "id", &id, "bundle", &bundle, "cgroup", &cgroup, "created",
                        &created, "pid", &pid, "startTime", &start_time) < 0)
                return berth_error_set(err, EBADMSG, "the state of a container is damaged");
        (void) snprintf(ret->id, sizeof ret->id, "%s", id);
        (void) snprintf(ret->bundle, sizeof ret->bundle, "%s", bundle);
        (void) snprintf(ret->cgroup, sizeof ret->cgroup, "%s", cgroup);
        (void) snprintf(ret->created, sizeof ret->created, "%s", created);
        ret->pid = pid;
        ret->start_time = (uint64_t) start_time;
        return 0;
}

int state_read(const struct command *command, const char *id, struct state *ret, struct berth_error *err) {
        _cleanup_close_ int directory = -1, fd = -1;
        char text[STATE_SIZE_MAX];
        json_t *document;

        int r = state_open(command, id, &directory, err);
        if (r < 0)
                return r;
        fd = openat(directory, STATE_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
                return berth_error_set(err, errno, "open the state of container '%s'", id);
        ssize_t n = read(fd, text, sizeof text);
        if (n < 0)
                return berth_error_set(err, errno, "read the state of container '%s'", id);
        r = json_parse(text, (size_t) n, STATE_NAME, &document, err);
        if (r < 0)
                return r;
        r = state_parse(document, ret, err);
        ret->waiting = faccessat(directory, STATE_STARTER, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
        json_decref(document);
        return r;
}

int state_remove(const struct command *command, const char *id, struct berth_error *err) {
        _cleanup_close_ int directory = -1;
        char path[PATH_MAX];
        int r = state_open(command, id, &directory, err);

        if (r < 0)
                return r;
        (void) unlinkat(directory, STATE_NAME ".new", 0);
        (void) unlinkat(directory, STATE_STARTER, 0);
        if (unlinkat(directory, STATE_NAME, 0) < 0 && errno != ENOENT)
                return berth_error_set(err, errno, "remove the state of container '%s'", id);
        (void) snprintf(path, sizeof path, "%s/%s", command->root, id);
        return rmdir(path) < 0 ? berth_error_set(err, errno, "remove '%s'", path) : 0;
}

/* Directories have long names and addresses are short, so the way is through the open directory. */
static void state_address(int directory, struct sockaddr_un *ret) {
        *ret = (struct sockaddr_un){.sun_family = AF_UNIX};
        (void) snprintf(ret->sun_path, sizeof ret->sun_path, "/proc/self/fd/%d/" STATE_STARTER, directory);
}

int state_listen(int directory, int *ret_sock, struct berth_error *err) {
        struct sockaddr_un address;
        _cleanup_close_ int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

        state_address(directory, &address);
        if (sock < 0 || bind(sock, (struct sockaddr *) &address, sizeof address) < 0 || listen(sock, 1) < 0)
                return berth_error_set(err, errno, "make the socket that starts the container");
        return give_fd(ret_sock, &sock);
}

int state_connect(const struct command *command, const char *id, int *ret_sock, struct berth_error *err) {
        _cleanup_close_ int directory = -1;
        struct sockaddr_un address;

        int r = state_open(command, id, &directory, err);
        if (r < 0)
                return r;
        _cleanup_close_ int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        state_address(directory, &address);
        if (sock < 0 || connect(sock, (struct sockaddr *) &address, sizeof address) < 0)
                return berth_error_set(err, errno, "reach the waiting process of container '%s'", id);
        return give_fd(ret_sock, &sock);
}

int state_started(const struct command *command, const char *id, struct berth_error *err) {
        _cleanup_close_ int directory = -1;
        int r = state_open(command, id, &directory, err);

        if (r == 0 && unlinkat(directory, STATE_STARTER, 0) < 0 && errno != ENOENT)
                return berth_error_set(err, errno, "mark container '%s' as running", id);
        return r;
}

bool state_running(const struct state *state) {
        _cleanup_close_ int pidfd = -1;
        return state->pid > 0 && process_open_exact(state->pid, state->start_time, &pidfd, NULL) == 0;
}

json_t *state_json(const struct state *state) {
        bool running = state_running(state);
        const char *status = !running ? "stopped" : state->waiting ? "created" : "running";

        return json_pack("{s:s, s:s, s:s, s:i, s:s, s:s}", "ociVersion", COMMAND_OCI_VERSION, "id", state->id, "status", status, "pid",
                         running ? (int) state->pid : 0, "bundle", state->bundle, "created", state->created);
}
