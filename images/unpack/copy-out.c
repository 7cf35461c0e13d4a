/* SPDX-License-Identifier: Apache-2.0 */
#include "copy-out.h"

#include "../../runtime/lib/cleanup.h"
#include "confine.h"
#include "container-root.h"
#include "names.h"
#include "pack-entry.h"
#include "tree-path.h"
#include "tree.h"
#include "unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* As deep as a path of PATH_MAX bytes reaches. */
enum { MAX_DEPTH = 2048 };

struct copy {
        struct packer packer;
        struct tree_path path; /* in the archive */
        unsigned depth;
        uint64_t limit_entries;
        struct berth_error *err;
};

static const int copy_calls[] = {SYS_read,       SYS_write,     SYS_close,      SYS_fstat, SYS_newfstatat, SYS_fstatfs, SYS_openat2, SYS_readlinkat,
                                 SYS_getdents64, SYS_flistxattr, SYS_fgetxattr, SYS_brk,   SYS_mmap,       SYS_munmap,  SYS_mremap,  SYS_madvise,
                                 SYS_exit_group};

static int confine(const struct copy_out_options *options, struct berth_error *err) {
        const struct confine_rights rights = {
                .capabilities = 1ULL << CAP_DAC_READ_SEARCH,
                .address_space = 1ULL << 30,
                .file_size = UINT64_MAX,
                .cpu_seconds = 3600 + options->limits.bytes / (20 << 20),
                .descriptors = MAX_DEPTH + 20,
                .syscalls = copy_calls,
                .n_syscalls = sizeof copy_calls / sizeof copy_calls[0],
        };
        return confine_drop(&rights, err);
}

static int tell(const struct container_place *place, struct berth_error *err) {
        char line[PATH_MAX + 128];
        int size = snprintf(line, sizeof line, "%u %lld %lld %ld %u\n%s", place->st.st_mode, (long long) place->st.st_size,
                            (long long) place->st.st_mtim.tv_sec, place->st.st_mtim.tv_nsec, place->resolved_mode, place->resolved);
        /* With the zero byte, which no path can have. */
        return write(STDOUT_FILENO, line, (size_t) size + 1) == size + 1 ? 0 : berth_error_set(err, errno, "tell what is there");
}

static int copy_entry(struct copy *copy, int parent, const char *name, const struct stat *st) {
        /* The archive puts a slash behind a directory: the root is "/". */
        const char *path = strcmp(copy->path.text, "/") == 0 ? "" : copy->path.text;
        const struct packed_place place = {.parent = parent, .name = name, .path = path, .st = st};
        if (copy->packer.entries >= copy->limit_entries)
                return berth_error_set(copy->err, LAYER_ERROR, "there are more than %llu files", (unsigned long long) copy->limit_entries);
        return pack_entry(&copy->packer, &place, copy->err);
}

static int copy_directory(struct copy *copy, int directory);

/* 1: it has gone, or shows the kernel's state. */
static int open_subdirectory(const struct copy *copy, int parent, const char *name, int *ret_fd) {
        _cleanup_close_ int fd = -1;
        int r = tree_open_across(parent, name, O_RDONLY | O_DIRECTORY, &fd, copy->err);
        if (r == -ENOENT || r == -ENOTDIR || r == -ELOOP)
                return 1;
        if (r < 0)
                return r;
        return container_root_is_kernel(fd) ? 1 : give_fd(ret_fd, &fd);
}

static int copy_name(struct copy *copy, int parent, const char *name) {
        struct stat st;
        if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : tree_error(copy->err, errno, "look at", name);
        if (!S_ISDIR(st.st_mode))
                return copy_entry(copy, parent, name, &st);
        _cleanup_close_ int fd = -1;
        int r = open_subdirectory(copy, parent, name, &fd);
        return r < 0 ? r : r > 0 ? 0 : copy_directory(copy, fd);
}

static int enter_name(struct copy *copy, const char *name) {
        if (strcmp(copy->path.text, "/") != 0)
                return tree_path_enter(&copy->path, name, copy->err);
        copy->path.size += (size_t) snprintf(copy->path.text + 1, NAME_MAX + 1, "%s", name);
        return 0;
}

/* The directory itself, in front of what is in it: programs that unpack set its time when they leave it. */
static int copy_directory(struct copy *copy, int directory) {
        _cleanup_names_ struct names names = {0};
        size_t above = copy->path.size;
        struct stat st;
        if (++copy->depth > MAX_DEPTH)
                return berth_error_set(copy->err, LAYER_ERROR, "directories are nested more than %d deep", MAX_DEPTH);
        if (fstat(directory, &st) < 0)
                return tree_error(copy->err, errno, "look at", copy->path.text);
        int r = copy_entry(copy, directory, ".", &st);
        if (r == 0)
                r = names_add(&names, directory, 0, copy->err);
        names_sort(&names);
        for (size_t i = 0; r == 0 && i < names.n; i++) {
                r = enter_name(copy, names.items[i].text);
                if (r == 0)
                        r = copy_name(copy, directory, names.items[i].text);
                tree_path_leave(&copy->path, above);
        }
        copy->depth--;
        return r;
}

/* The directory that holds what a path names, and its name there. */
static int open_parent(int root, const char *path, int *ret_fd, const char **ret_name) {
        char parent[PATH_MAX] = "/";
        const char *slash = strrchr(path, '/');
        *ret_name = slash ? slash + 1 : path;
        if (slash && slash != path)
                (void) snprintf(parent, sizeof parent, "%.*s", (int) (slash - path), path);
        return container_root_open(root, parent, O_RDONLY | O_DIRECTORY, ret_fd);
}

static int copy_place(struct copy *copy, int root, const char *path, const struct stat *st) {
        _cleanup_close_ int fd = -1;
        const char *name = NULL;
        bool is_directory = S_ISDIR(st->st_mode);
        int r = is_directory ? container_root_open(root, path, O_RDONLY | O_DIRECTORY, &fd) : open_parent(root, path, &fd, &name);
        if (r < 0)
                return tree_error(copy->err, -r, "open", path);
        return is_directory ? copy_directory(copy, fd) : copy_name(copy, fd, name);
}

static int copy_all(int root, const struct copy_out_options *options, const struct stat *st, struct berth_error *err) {
        _cleanup_free_ struct copy *copy = calloc(1, sizeof *copy);
        if (!copy)
                return berth_error_set(err, ENOMEM, "start copying");
        copy->limit_entries = options->limits.entries;
        copy->err = err;
        copy->path.size = (size_t) snprintf(copy->path.text, sizeof copy->path.text, "%s", options->name);
        if (copy->path.size >= sizeof copy->path.text)
                return berth_error_set(err, ENAMETOOLONG, "the name is too long");
        int r = archive_init(&copy->packer.archive, UNPACK_OUTPUT_FD, options->limits.bytes, err);
        if (r == 0)
                r = copy_place(copy, root, options->path, st);
        return r < 0 ? r : archive_finish(&copy->packer.archive, err);
}

int copy_out_run(const struct copy_out_options *options, bool *ret_confined, struct berth_error *err) {
        struct container_place place;
        *ret_confined = false;
        int r = container_root_become(options->users, err);
        if (r < 0)
                return r;
        if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
                return berth_error_set(err, errno, "set up signals");
        r = container_root_enter(UNPACK_TARGET_FD, err);
        if (r == 0)
                r = confine(options, err);
        if (r < 0)
                return r;
        *ret_confined = true;
        r = container_root_look(UNPACK_TARGET_FD, options->path, &place, err);
        if (r == 0)
                r = tell(&place, err);
        return r < 0 || !options->name ? r : copy_all(UNPACK_TARGET_FD, options, &place.st, err);
}
