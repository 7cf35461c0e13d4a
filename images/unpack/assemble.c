/* SPDX-License-Identifier: Apache-2.0 */
#include "assemble.h"

#include "../../runtime/lib/cleanup.h"
#include "../../runtime/lib/overlay.h"
#include "../../runtime/lib/path.h"
#include "../../runtime/lib/sys.h"
#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>

enum { MAX_LAYERS = 501, MAX_BINDS = 4096, MAX_DOCUMENT = 4 << 20 };

struct bind {
        const char *source, *below, *target;
        bool read_only;
};

struct assembly {
        const char *root, *upper, *work, *label;
        const char *lower[MAX_LAYERS];
        uint32_t n_lower;
        struct bind binds[MAX_BINDS];
        size_t n_binds;
        bool complete;
        char document[MAX_DOCUMENT];
};

/* "word=value" → the value; NULL when it is another word. */
static const char *value_of(const char *record, const char *word) {
        size_t length = strlen(word);
        return strncmp(record, word, length) == 0 && record[length] == '=' ? record + length + 1 : NULL;
}

static int take_record(struct assembly *assembly, const char *record, struct berth_error *err) {
        const struct {
                const char *word;
                const char **to;
        } once[] = {{"root", &assembly->root}, {"upper", &assembly->upper}, {"work", &assembly->work}, {"label", &assembly->label}};
        struct bind *last = assembly->n_binds > 0 ? &assembly->binds[assembly->n_binds - 1] : NULL;
        const char *value;
        for (size_t i = 0; i < sizeof once / sizeof once[0]; i++)
                if ((value = value_of(record, once[i].word))) {
                        *once[i].to = value;
                        return 0;
                }
        if ((value = value_of(record, "lower")) && assembly->n_lower < MAX_LAYERS)
                assembly->lower[assembly->n_lower++] = value;
        else if ((value = value_of(record, "source")) && assembly->n_binds < MAX_BINDS)
                assembly->binds[assembly->n_binds++] = (struct bind){.source = value};
        else if ((value = value_of(record, "below")) && last)
                last->below = value;
        else if ((value = value_of(record, "target")) && last)
                last->target = value;
        else if ((value = value_of(record, "access")) && last)
                last->read_only = strcmp(value, "ro") == 0;
        else if (value_of(record, "go"))
                assembly->complete = true;
        else
                return berth_error_set(err, EINVAL, "a container's root is described by no such record: '%.100s'", record);
        return 0;
}

static int read_assembly(struct assembly *assembly, struct berth_error *err) {
        size_t used = 0, taken = 0;
        while (!assembly->complete) {
                ssize_t n = used < MAX_DOCUMENT ? read(STDIN_FILENO, assembly->document + used, MAX_DOCUMENT - used) : 0;
                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return berth_error_set(err, EINVAL, "the description of a container's root is cut off or too long");
                used += (size_t) n;
                for (char *end; !assembly->complete && (end = memchr(assembly->document + taken, '\0', used - taken));) {
                        int r = take_record(assembly, assembly->document + taken, err);
                        if (r < 0)
                                return r;
                        taken = (size_t) (end - assembly->document) + 1;
                }
        }
        return assembly->root ? 0 : berth_error_set(err, EINVAL, "a container's root has no directory");
}

/* Attached, since others are to be mounted on it. */
static int mount_root(const struct assembly *assembly, int *ret_fd, struct berth_error *err) {
        _cleanup_close_ int mount = -1;
        bool attached = false;
        int r = 0;
        if (assembly->n_lower > 0) {
                const struct keeper_plan keeper = {.rootfs_path = assembly->root,
                                                   .lower = assembly->lower,
                                                   .n_lower = assembly->n_lower,
                                                   .upper = assembly->upper,
                                                   .work = assembly->work};
                r = overlay_mount(&keeper, assembly->label && *assembly->label ? assembly->label : NULL, &mount, &attached, err);
        } else {
                mount = sys_open_tree(AT_FDCWD, assembly->root, OPEN_TREE_CLONE);
                r = mount < 0 ? berth_error_set(err, errno, "open '%s'", assembly->root) : 0;
        }
        if (r < 0)
                return r;
        if (!attached && sys_move_mount(mount, "", AT_FDCWD, assembly->root, MOVE_MOUNT_F_EMPTY_PATH) < 0)
                return berth_error_set(err, errno, "attach the root filesystem");
        _cleanup_close_ int root = open(assembly->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (root < 0)
                return berth_error_set(err, errno, "open the root filesystem");
        return give_fd(ret_fd, &root);
}

static int open_source(const struct bind *bind) {
        _cleanup_close_ int source = open(bind->source, O_PATH | O_CLOEXEC);
        if (source < 0 || !bind->below || !*bind->below)
                return take_fd(&source);
        return sys_openat2(source, bind->below, O_PATH, 0, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);
}

static int mount_bind(int root, const struct bind *bind, struct berth_error *err) {
        struct stat st;
        _cleanup_close_ int target = -1;
        if (!bind->target)
                return berth_error_set(err, EINVAL, "'%s' has no place in the container", bind->source);
        _cleanup_close_ int source = open_source(bind);
        _cleanup_close_ int tree = source < 0 ? -1 : sys_open_tree(source, "", OPEN_TREE_CLONE | AT_RECURSIVE | AT_EMPTY_PATH);
        if (tree < 0 || fstat(tree, &st) < 0)
                return berth_error_set(err, errno, "what is mounted at '%s' of the container, '%s': %s", bind->target, bind->source, strerror(errno));
        const struct mount_attr attr = {.attr_set = bind->read_only ? MOUNT_ATTR_RDONLY : 0, .propagation = MS_PRIVATE};
        if (sys_mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr) < 0)
                return berth_error_set(err, errno, "keep '%s' to this copy", bind->source);
        int r = path_make_target(root, bind->target, S_ISDIR(st.st_mode), &target, err);
        if (r < 0)
                return r;
        return sys_move_mount(tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0
                       ? berth_error_set(err, errno, "mount '%s' at '%s' of the container", bind->source, bind->target)
                       : 0;
}

static int mount_all(const struct assembly *assembly, struct berth_error *err) {
        _cleanup_close_ int root = -1;
        int r = mount_root(assembly, &root, err);
        for (size_t i = 0; r == 0 && i < assembly->n_binds; i++)
                r = mount_bind(root, &assembly->binds[i], err);
        if (r < 0)
                return r;
        return fchdir(root) < 0 || chroot(".") < 0 ? berth_error_set(err, errno, "make the container's root the root") : 0;
}

static const int waiting_calls[] = {SYS_read, SYS_write, SYS_close, SYS_exit_group};

static int give_up_rights(struct berth_error *err) {
        const struct confine_rights rights = {
                .address_space = 64 << 20,
                .file_size = 1 << 20, /* the line, where standard output is a file */
                .cpu_seconds = 60,
                .descriptors = 16,
                .syscalls = waiting_calls,
                .n_syscalls = sizeof waiting_calls / sizeof waiting_calls[0],
        };
        return confine_drop(&rights, err);
}

int assemble_run(struct berth_error *err) {
        _cleanup_free_ struct assembly *assembly = calloc(1, sizeof *assembly);
        char ignored[64];
        if (!assembly)
                return berth_error_set(err, ENOMEM, "read the description of a container's root");
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
                return berth_error_set(err, errno, "give up new privileges");
        (void) umask(0);
        int r = read_assembly(assembly, err);
        if (r < 0)
                return r;
        if (unshare(CLONE_NEWNS) < 0 || sys_mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
                return berth_error_set(err, errno, "enter a mount namespace: %s", strerror(errno));
        r = mount_all(assembly, err);
        if (r == 0)
                r = give_up_rights(err);
        if (r < 0)
                return r;
        if (write(STDOUT_FILENO, "\n", 1) != 1)
                return berth_error_set(err, errno, "say that the root is there");
        while (read(STDIN_FILENO, ignored, sizeof ignored) > 0)
                continue;
        return 0;
}
