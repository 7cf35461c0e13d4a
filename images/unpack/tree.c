/* SPDX-License-Identifier: Apache-2.0 */
#include "tree.h"

#include "../../runtime/lib/cleanup.h"
#include "container-root.h"
#include "whiteout.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

int tree_error(struct berth_error *err, int code, const char *step, const char *name) {
        char reason[96];
        (void) snprintf(reason, sizeof reason, "%s", strerror(code));
        (void) berth_error_set(err, code, "%s '%.300s': %s", step, name, reason);
        return -code;
}

void tree_init(struct tree *tree, int root, int marker, bool overlay, struct counts *counts) {
        *tree = (struct tree){.root = root, .marker = marker, .overlay = overlay, .counts = counts, .parent = -1};
}

int tree_open_in_root(int root, const char *path, int *ret_fd) {
        /* Magic links cannot be met (there is no procfs), but cost nothing to forbid. */
        struct open_how how = {.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV};
        int fd = (int) syscall(SYS_openat2, root, *path ? path : ".", &how, sizeof how);
        if (fd < 0)
                return -errno;
        *ret_fd = fd;
        return 0;
}

int tree_open(int parent, const char *name, int flags, int *ret_fd, struct berth_error *err) {
        struct open_how how = {
                .flags = (unsigned) (flags | O_CLOEXEC | O_NOFOLLOW),
                .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
        };
        int fd = (int) syscall(SYS_openat2, parent, name, &how, sizeof how);
        if (fd < 0)
                return tree_error(err, errno, "open", name);
        *ret_fd = fd;
        return 0;
}

int tree_open_across(int parent, const char *name, int flags, int *ret_fd, struct berth_error *err) {
        struct open_how how = {
                .flags = (unsigned) (flags | O_CLOEXEC | O_NOFOLLOW),
                .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
        };
        int fd = (int) syscall(SYS_openat2, parent, name, &how, sizeof how);
        if (fd < 0)
                return tree_error(err, errno, "open", name);
        *ret_fd = fd;
        return 0;
}

int tree_open_directory(const struct tree *tree, const char *path, int *ret_fd) {
        if (!tree->base)
                return tree_open_in_root(tree->root, path, ret_fd);
        return container_root_open(tree->root, *path ? path : "/", O_RDONLY | O_DIRECTORY, ret_fd);
}

/* "/a//./b/" becomes "a/b"; the root becomes "". What is below a base gets it in front. */
static int clean_path(const struct tree *tree, const char *name, char ret[PATH_MAX], struct berth_error *err) {
        size_t used = tree->base ? strlen(tree->base) : 0;
        if (used > 0)
                memcpy(ret, tree->base, used);
        for (const char *at = name; *at;) {
                size_t length = strcspn(at, "/");
                const char *part = at;
                at += length;
                at += *at == '/';
                if (length == 0 || (length == 1 && part[0] == '.'))
                        continue;
                if (length == 2 && part[0] == '.' && part[1] == '.')
                        return berth_error_set(err, LAYER_ERROR, "'%.300s' points outside of the layer with '..'", name);
                if (length > NAME_MAX || used + length + 2 > PATH_MAX)
                        return berth_error_set(err, LAYER_ERROR, "the name '%.300s' is too long", name);
                if (used > 0)
                        ret[used++] = '/';
                memcpy(ret + used, part, length);
                used += length;
        }
        ret[used] = '\0';
        return 0;
}

static void split(const char *path, char ret_parent[PATH_MAX], char ret_name[NAME_MAX + 1]) {
        const char *slash = strrchr(path, '/');
        size_t length = slash ? (size_t) (slash - path) : 0;
        memcpy(ret_parent, path, length);
        ret_parent[length] = '\0';
        const char *name = slash ? slash + 1 : path;
        size_t name_length = strlen(name);
        memcpy(ret_name, name, name_length);
        ret_name[name_length] = '\0';
        if (name_length == 0)
                memcpy(ret_name, ".", 2);
}

static void forget_parent(struct tree *tree) {
        if (tree->parent >= 0)
                (void) close(tree->parent);
        tree->parent = -1;
        tree->parent_stale = false;
}

/*
 * What a parent that the archive does not list looks like in the layers below: without its mode and owner there, the new directory would
 * hide them (a /tmp of 1777 would become one of 0755). 1: found, 0: no layer has such a directory, or negative errno.
 */
static int find_below(const struct tree *tree, const char *path, struct stat *ret) {
        struct open_how how = {.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV};
        for (unsigned i = 0; i < tree->n_lowers; i++) {
                _cleanup_close_ int fd = (int) syscall(SYS_openat2, tree->first_lower + (int) i, path, &how, sizeof how);
                if (fd < 0 && errno == ENOENT)
                        continue;
                if (fd < 0)
                        return errno == ENOTDIR || errno == ELOOP || errno == EXDEV ? 0 : -errno;
                return fstat(fd, ret) < 0 ? -errno : S_ISDIR(ret->st_mode);
        }
        return 0;
}

static int make_like_below(struct tree *tree, int above, const char *name, const char *path, struct berth_error *err) {
        struct stat below;
        int r = find_below(tree, path, &below);
        if (r <= 0)
                return r < 0 ? tree_error(err, -r, "look in the layers below at", path) : 0;
        if (fchownat(above, name, below.st_uid, below.st_gid, AT_SYMLINK_NOFOLLOW) < 0 || fchmodat(above, name, below.st_mode & 07777, 0) < 0)
                return tree_error(err, errno, "set owner and mode of", path);
        return tree_keep_dir_time(tree, path, &below.st_mtim, err);
}

/* A parent that the archive does not list. One that a lower layer has keeps its files (overlay merges directories), so only a whiteout of
 * this layer makes it opaque. */
static int make_parent(struct tree *tree, int above, const char *name, const char *path, struct berth_error *err) {
        int r;
        if (mkdirat(above, name, 0755) == 0) {
                r = make_like_below(tree, above, name, path, err);
        } else if (errno == EEXIST) {
                struct stat st;
                if (fstatat(above, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                        return tree_error(err, errno, "look at", path);
                if (!whiteout_is(tree, &st))
                        return berth_error_set(err, LAYER_ERROR, "'%.300s' is used as a directory but is none", path);
                if (unlinkat(above, name, 0) < 0 || mkdirat(above, name, 0755) < 0)
                        return tree_error(err, errno, "make directory", path);
                r = whiteout_mark_opaque(tree, above, name, err);
        } else {
                return tree_error(err, errno, "make directory", path);
        }
        tree->counts->inodes++;
        tree->counts->disk_bytes += 4096;
        return r;
}

static int make_parents(struct tree *tree, const char *path, int *ret_fd, struct berth_error *err) {
        _cleanup_close_ int fd = -1;
        int r = tree_open_directory(tree, "", &fd);
        char so_far[PATH_MAX];
        for (size_t end = 0; r == 0 && path[end];) {
                size_t begin = end;
                end += strcspn(path + end, "/");
                char name[NAME_MAX + 1];
                memcpy(name, path + begin, end - begin);
                name[end - begin] = '\0';
                memcpy(so_far, path, end);
                so_far[end] = '\0';
                end += path[end] == '/';

                _cleanup_close_ int above = take_fd(&fd);
                r = tree_open_directory(tree, so_far, &fd);
                if (r == -ENOENT || r == -ENOTDIR) {
                        r = make_parent(tree, above, name, so_far, err);
                        if (r < 0)
                                return r;
                        r = tree_open_directory(tree, so_far, &fd);
                }
        }
        return r < 0 ? tree_error(err, -r, "open directory", path) : give_fd(ret_fd, &fd);
}

int tree_locate(struct tree *tree, const char *name, struct place *ret, struct berth_error *err) {
        char parent[PATH_MAX];
        int r = clean_path(tree, name, ret->path, err);
        if (r < 0)
                return r;
        split(ret->path, parent, ret->name);
        if (tree->parent < 0 || tree->parent_stale || strcmp(parent, tree->parent_path) != 0) {
                forget_parent(tree);
                r = tree_open_directory(tree, parent, &tree->parent);
                if (r == -ENOENT || r == -ENOTDIR)
                        r = make_parents(tree, parent, &tree->parent, err);
                else if (r < 0)
                        r = tree_error(err, -r, "open directory", parent);
                if (r < 0)
                        return r;
                struct stat st;
                if (fstat(tree->parent, &st) < 0)
                        return tree_error(err, errno, "look at", parent);
                tree->parent_mode = st.st_mode;
                memcpy(tree->parent_path, parent, strlen(parent) + 1);
        }
        ret->parent = tree->parent;
        ret->inherits = (tree->parent_mode & S_ISGID) || tree->default_acl;
        return 0;
}

int tree_locate_target(struct tree *tree, const char *name, struct place *ret, int *ret_fd, struct berth_error *err) {
        char parent[PATH_MAX];
        int r = clean_path(tree, name, ret->path, err);
        if (r < 0)
                return r;
        split(ret->path, parent, ret->name);
        r = tree_open_directory(tree, parent, ret_fd);
        if (r < 0)
                return berth_error_set(err, LAYER_ERROR, "the hard link target '%.300s' is not in this layer", name);
        ret->parent = *ret_fd;
        ret->inherits = false;
        return 0;
}
