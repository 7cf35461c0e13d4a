/* SPDX-License-Identifier: Apache-2.0 */
#include "entry.h"

#include "../../runtime/lib/cleanup.h"
#include "attributes.h"
#include "whiteout.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#define DEFAULT_ACL "system.posix_acl_default"

static const mode_t special_bits = S_ISUID | S_ISGID | S_ISVTX;

static bool needs_owner(const struct place *place, const struct tar_entry *entry) {
        return entry->uid != 0 || entry->gid != 0 || place->inherits;
}

/* Whether the mode given at creation is not yet what was asked for: chown(2) clears the special bits, access lists change the others. */
static bool needs_mode(const struct place *place, const struct tar_entry *entry) {
        return (entry->mode & special_bits) || place->inherits;
}

static int set_xattrs(struct tree *tree, int fd, const struct place *place, const struct tar_entry *entry, struct berth_error *err) {
        for (size_t i = 0; i < entry->n_xattrs; i++) {
                const struct pax_xattr *xattr = &entry->xattrs[i];
                if (!attribute_is_allowed(xattr->name)) {
                        tree->counts->skipped_xattrs++;
                        continue;
                }
                if (fsetxattr(fd, xattr->name, xattr->value, xattr->size, 0) == 0) {
                        tree->default_acl |= strcmp(xattr->name, DEFAULT_ACL) == 0;
                        continue;
                }
                /* A data root without them loses them, as with Docker; but a program without its capabilities would fail far from here. */
                if (errno == ENOTSUP && strcmp(xattr->name, "security.capability") != 0) {
                        tree->counts->skipped_xattrs++;
                        continue;
                }
                char step[128];
                (void) snprintf(step, sizeof step, "set the attribute %.90s of", xattr->name);
                return tree_error(err, errno, step, place->path);
        }
        return 0;
}

static int count_made(struct tree *tree, const struct place *place, uint64_t size, struct berth_error *err) {
        tree->counts->inodes++;
        tree->counts->disk_bytes += (size + 4095) / 4096 * 4096;
        struct stat st;
        if (tree->overlay || tree->base)
                return 0;
        if (fstatat(place->parent, place->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return tree_error(err, errno, "look at", place->path);
        return inode_set_add(&tree->made, st.st_ino, err);
}

/* `content`, which may be NULL, takes what is written. */
static int copy_content(struct source *source, struct sha256 *content, int fd, const struct place *place, uint64_t size, struct berth_error *err) {
        while (size > 0) {
                const uint8_t *data;
                size_t held;
                int r = source_some(source, size, &data, &held, err);
                if (r < 0)
                        return r;
                if (held == 0)
                        return berth_error_set(err, LAYER_ERROR, "the archive is cut off inside of '%.300s'", place->path);
                ssize_t n = write(fd, data, held);
                if (n < 0)
                        return tree_error(err, errno, "write", place->path);
                if (content)
                        source_take_content(source, (size_t) n, content);
                else
                        source_take(source, (size_t) n);
                size -= (uint64_t) n;
        }
        return 0;
}

/* A record's digest is of attributes too: of a file that has some, or may have inherited some, only its making is known. */
static int keep_digest(struct tree *tree, const struct place *place, int fd, bool has_attributes, struct sha256 *content, struct berth_error *err) {
        struct stat st;
        if (fstat(fd, &st) < 0)
                return tree_error(err, errno, "look at", place->path);
        if (has_attributes || place->inherits) {
                known_digests_forget(tree->known, st.st_ino);
                return 0;
        }
        uint8_t digest[32];
        sha256_final(content, digest);
        return known_digests_put(tree->known, &st, digest, err);
}

static int create_file(const struct place *place, mode_t mode) {
        struct open_how how = {
                .flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                .mode = mode & 0777,
                .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
        };
        return (int) syscall(SYS_openat2, place->parent, place->name, &how, sizeof how);
}

/* Makes room for what is no directory. */
static int replace(struct tree *tree, const struct place *place, struct berth_error *err) {
        struct stat st;
        if (tree->keep_kinds && fstatat(place->parent, place->name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
                return berth_error_set(err, LAYER_ERROR, "cannot overwrite directory \"%.300s\" with non-directory \"/%.300s\"", place->name,
                                       tree->base ? tree->base : "");
        return tree_remove(tree, place->parent, place->name, err);
}

static int make_file(struct tree *tree, struct source *source, const struct place *place, const struct tar_entry *entry, struct berth_error *err) {
        _cleanup_close_ int fd = create_file(place, entry->mode);
        if (fd < 0 && errno == EEXIST) {
                int r = replace(tree, place, err);
                if (r < 0)
                        return r;
                fd = create_file(place, entry->mode);
        }
        if (fd < 0)
                return tree_error(err, errno, "create", place->path);
        struct sha256 content;
        if (tree->known)
                content = tree->known->blank;
        int r = copy_content(source, tree->known ? &content : NULL, fd, place, entry->size, err);
        if (r < 0)
                return r;
        if (needs_owner(place, entry) && fchown(fd, entry->uid, entry->gid) < 0)
                return tree_error(err, errno, "set the owner of", place->path);
        if (needs_mode(place, entry) && fchmod(fd, entry->mode) < 0)
                return tree_error(err, errno, "set the mode of", place->path);
        r = set_xattrs(tree, fd, place, entry, err);
        if (r < 0)
                return r;
        if (futimens(fd, (struct timespec[]){entry->mtime, entry->mtime}) < 0)
                return tree_error(err, errno, "set the time of", place->path);
        r = tree->known ? keep_digest(tree, place, fd, entry->n_xattrs > 0, &content, err) : 0;
        if (r < 0)
                return r;
        return count_made(tree, place, entry->size, err);
}

/* 1: it was there already, 0: it is new. */
static int create_directory(struct tree *tree, const struct place *place, mode_t mode, struct berth_error *err) {
        if (mkdirat(place->parent, place->name, mode & 0777) == 0)
                return 0;
        if (errno != EEXIST)
                return tree_error(err, errno, "make directory", place->path);
        struct stat st;
        if (fstatat(place->parent, place->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return tree_error(err, errno, "look at", place->path);
        if (S_ISDIR(st.st_mode))
                return 1;
        if (tree->keep_kinds)
                return berth_error_set(err, LAYER_ERROR, "cannot overwrite non-directory \"%.300s\" with directory \"/%.300s\"", place->name,
                                       tree->base ? tree->base : "");
        int r = tree_remove(tree, place->parent, place->name, err);
        if (r < 0)
                return r;
        if (mkdirat(place->parent, place->name, mode & 0777) < 0)
                return tree_error(err, errno, "make directory", place->path);
        /* The layer took the lower directory away first: nothing of it may shine through. */
        return whiteout_is(tree, &st) ? whiteout_mark_opaque(tree, place->parent, place->name, err) : 0;
}

static int make_directory(struct tree *tree, const struct place *place, const struct tar_entry *entry, struct berth_error *err) {
        int existed = strcmp(place->name, ".") == 0 ? 1 : create_directory(tree, place, entry->mode, err);
        if (existed < 0)
                return existed;
        /* The open parent may be this directory, seen with its former mode. */
        tree->parent_stale |= existed;
        if ((existed || needs_owner(place, entry)) && fchownat(place->parent, place->name, entry->uid, entry->gid, AT_SYMLINK_NOFOLLOW) < 0)
                return tree_error(err, errno, "set the owner of", place->path);
        if ((existed || needs_mode(place, entry)) && fchmodat(place->parent, place->name, entry->mode, 0) < 0)
                return tree_error(err, errno, "set the mode of", place->path);
        if (entry->n_xattrs > 0) {
                _cleanup_close_ int fd = -1;
                int r = tree_open(place->parent, place->name, O_RDONLY | O_DIRECTORY, &fd, err);
                if (r == 0)
                        r = set_xattrs(tree, fd, place, entry, err);
                if (r < 0)
                        return r;
        }
        int r = tree_keep_dir_time(tree, place->path, &entry->mtime, err);
        return r < 0 || (existed && tree->overlay) ? r : count_made(tree, place, 4096, err);
}

static int make_hard_link(struct tree *tree, const struct place *place, const struct tar_entry *entry, struct berth_error *err) {
        struct place target;
        _cleanup_close_ int fd = -1;
        int r = tree_locate_target(tree, entry->link, &target, &fd, err);
        if (r < 0)
                return berth_error_prefix(err, "'%.100s'", place->path);
        if (strcmp(target.path, place->path) == 0)
                return berth_error_set(err, LAYER_ERROR, "'%.300s' is a hard link to itself", place->path);
        r = linkat(fd, target.name, place->parent, place->name, 0);
        if (r < 0 && errno == EEXIST) {
                r = replace(tree, place, err);
                if (r < 0)
                        return r;
                r = linkat(fd, target.name, place->parent, place->name, 0);
        }
        if (r < 0 && errno == ENOENT)
                return berth_error_set(err, LAYER_ERROR, "'%.200s' is a hard link to '%.200s', which is not in this layer", place->path, entry->link);
        return r < 0 ? tree_error(err, errno, "make hard link", place->path) : 0;
}

static int create_node(const struct place *place, const struct tar_entry *entry) {
        switch (entry->kind) {
        case TAR_SYMLINK:
                return symlinkat(entry->link, place->parent, place->name);
        case TAR_CHARACTER_DEVICE:
                return mknodat(place->parent, place->name, S_IFCHR | (entry->mode & 0777), makedev(entry->major, entry->minor));
        case TAR_BLOCK_DEVICE:
                return mknodat(place->parent, place->name, S_IFBLK | (entry->mode & 0777), makedev(entry->major, entry->minor));
        default:
                return mknodat(place->parent, place->name, S_IFIFO | (entry->mode & 0777), 0);
        }
}

/* Symlinks, devices and fifos: nothing to open. */
static int make_node(struct tree *tree, const struct place *place, const struct tar_entry *entry, struct berth_error *err) {
        int r = create_node(place, entry);
        if (r < 0 && errno == EEXIST) {
                r = replace(tree, place, err);
                if (r < 0)
                        return r;
                r = create_node(place, entry);
        }
        if (r < 0)
                return tree_error(err, errno, "make", place->path);
        if (needs_owner(place, entry) && fchownat(place->parent, place->name, entry->uid, entry->gid, AT_SYMLINK_NOFOLLOW) < 0)
                return tree_error(err, errno, "set the owner of", place->path);
        if (entry->kind != TAR_SYMLINK && needs_mode(place, entry) && fchmodat(place->parent, place->name, entry->mode, 0) < 0)
                return tree_error(err, errno, "set the mode of", place->path);
        /* The kernel has user.* attributes on files and directories only. */
        tree->counts->skipped_xattrs += entry->n_xattrs;
        if (utimensat(place->parent, place->name, (struct timespec[]){entry->mtime, entry->mtime}, AT_SYMLINK_NOFOLLOW) < 0)
                return tree_error(err, errno, "set the time of", place->path);
        return count_made(tree, place, 0, err);
}

int entry_apply(struct tree *tree, struct source *source, const struct tar_entry *entry, struct berth_error *err) {
        struct place place;
        int r = tree_locate(tree, entry->name, &place, err);
        if (r < 0)
                return r;
        /* The directory that is copied into is as it is. */
        if (tree->base && strcmp(place.path, tree->base) == 0 && entry->kind == TAR_DIRECTORY)
                return 0;
        if (!tree->base && whiteout_is_named(&place)) {
                r = whiteout_apply(tree, &place, err);
                return r < 0 ? r : source_skip(source, entry->size, err);
        }
        if (entry->kind == TAR_DIRECTORY)
                return make_directory(tree, &place, entry, err);
        if (strcmp(place.name, ".") == 0)
                return berth_error_set(err, LAYER_ERROR, "the root of the layer is not a directory");
        if (entry->kind == TAR_FILE)
                return make_file(tree, source, &place, entry, err);
        if (entry->kind == TAR_HARD_LINK)
                return make_hard_link(tree, &place, entry, err);
        return make_node(tree, &place, entry, err);
}
