/* SPDX-License-Identifier: Apache-2.0 */
#include "listing.h"

#include "../../runtime/lib/cleanup.h"
#include "names.h"
#include "sha256.h"
#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#define OPAQUE "trusted.overlay.opaque"

enum { READ_BUFFER = 256 << 10, LIST_LIMIT = 64 << 10, VALUE_LIMIT = 64 << 10, LINKS_KEPT = 256 };

struct known_link {
        ino_t inode;
        uint8_t digest[32];
};

struct walk {
        listing_visit *visit;
        void *user;
        struct berth_error *err;
        const struct known_digests *known;
        bool names_inodes;   /* the names in a directory come with the inodes that stat tells */
        struct sha256 blank; /* asking the processor what it can is slow in virtual machines: once is enough */
        uint8_t *buffer;
        struct known_link links[LINKS_KEPT]; /* files with many names are read once, mostly */
        char path[PATH_MAX + NAME_MAX + 2];
        size_t path_size;
};

static int hash_content(struct walk *walk, int fd, uint8_t ret_digest[32]) {
        struct sha256 hash = walk->blank;
        for (;;) {
                ssize_t size = read(fd, walk->buffer, READ_BUFFER);
                if (size < 0 && errno == EINTR)
                        continue;
                if (size < 0)
                        return -errno;
                if (size == 0)
                        break;
                sha256_update(&hash, walk->buffer, (size_t) size);
        }
        sha256_final(&hash, ret_digest);
        return 0;
}

/* What a layer can set, and what makes a directory opaque; others belong to the host. */
static bool attribute_counts(const char *name) {
        return strncmp(name, "user.", 5) == 0 || strcmp(name, "security.capability") == 0 || strncmp(name, "system.posix_acl_", 17) == 0 ||
               strcmp(name, OPAQUE) == 0;
}

static void add_attribute(const struct walk *walk, const char *name, const uint8_t *value, size_t size, uint8_t digest[32]) {
        struct sha256 hash = walk->blank;
        sha256_update(&hash, (const uint8_t *) name, strlen(name) + 1);
        sha256_update(&hash, value, size);
        uint8_t one[32];
        sha256_final(&hash, one);
        /* The kernel lists attributes in no order of its own: adding up does not mind. */
        for (size_t i = 0; i < sizeof one; i++)
                digest[i] ^= one[i];
}

static int hash_attribute(struct walk *walk, int fd, const char *name, uint8_t digest[32]) {
        ssize_t size = fgetxattr(fd, name, walk->buffer, VALUE_LIMIT);
        if (size < 0)
                return -errno;
        add_attribute(walk, name, walk->buffer, (size_t) size, digest);
        return 0;
}

static int hash_attributes(struct walk *walk, int fd, uint8_t digest[32]) {
        char *names = (char *) walk->buffer + VALUE_LIMIT;
        ssize_t size = flistxattr(fd, names, LIST_LIMIT);
        if (size < 0)
                return errno == ENOTSUP ? 0 : -errno;
        for (const char *name = names; name < names + size; name += strlen(name) + 1) {
                int r = attribute_counts(name) ? hash_attribute(walk, fd, name, digest) : 0;
                if (r < 0)
                        return r;
        }
        return 0;
}

static int hash_link(struct walk *walk, int parent, const char *name, uint8_t ret_digest[32]) {
        ssize_t size = readlinkat(parent, name, (char *) walk->buffer, PATH_MAX);
        if (size < 0)
                return -errno;
        struct sha256 hash = walk->blank;
        sha256_update(&hash, walk->buffer, (size_t) size);
        sha256_final(&hash, ret_digest);
        return 0;
}

static int hash_file(struct walk *walk, int parent, const char *name, const struct stat *st, uint8_t ret_digest[32]) {
        const struct known_inode *known = walk->known ? known_digests_find(walk->known, st->st_ino, S_IFREG) : NULL;
        if (known) {
                memcpy(ret_digest, known->digest, sizeof known->digest);
                return 0;
        }
        struct known_link *link = st->st_nlink > 1 ? &walk->links[st->st_ino % LINKS_KEPT] : NULL;
        if (link && link->inode == st->st_ino) {
                memcpy(ret_digest, link->digest, sizeof link->digest);
                return 0;
        }
        struct berth_error ignored;
        _cleanup_close_ int fd = -1;
        int r = tree_open(parent, name, O_RDONLY | O_NONBLOCK | O_NOATIME, &fd, &ignored);
        if (r == 0)
                r = hash_content(walk, fd, ret_digest);
        if (r == 0)
                r = hash_attributes(walk, fd, ret_digest);
        if (r == 0 && link) {
                link->inode = st->st_ino;
                memcpy(link->digest, ret_digest, sizeof link->digest);
        }
        return r;
}

static int list_below(struct walk *walk, int fd);

static int list_directory(struct walk *walk, int fd, const struct stat *st) {
        struct listed entry = {.path = walk->path, .mode = st->st_mode, .uid = st->st_uid, .gid = st->st_gid};
        entry.unreadable = -hash_attributes(walk, fd, entry.digest);
        /* Who knows of it is not allowed to see it. */
        if (walk->known && known_digests_find(walk->known, st->st_ino, S_IFDIR))
                add_attribute(walk, OPAQUE, (const uint8_t *) "y", 1, entry.digest);
        int r = walk->visit(walk->user, &entry, walk->err);
        return r < 0 ? r : list_below(walk, fd);
}

static int list_known(struct walk *walk, const struct known_inode *known) {
        struct listed entry = {.path = walk->path, .mode = known->mode, .uid = known->uid, .gid = known->gid, .size = known->size};
        memcpy(entry.digest, known->digest, sizeof entry.digest);
        return walk->visit(walk->user, &entry, walk->err);
}

static int list_one(struct walk *walk, int parent, const char *name) {
        struct stat st;
        if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return tree_error(walk->err, errno, "look at", walk->path);
        if (S_ISDIR(st.st_mode)) {
                _cleanup_close_ int fd = -1;
                int r = tree_open(parent, name, O_RDONLY | O_DIRECTORY | O_NOATIME, &fd, walk->err);
                return r < 0 ? r : list_directory(walk, fd, &st);
        }
        struct listed entry = {
                .path = walk->path,
                .mode = st.st_mode,
                .uid = st.st_uid,
                .gid = st.st_gid,
                .size = (uint64_t) st.st_size,
                .device = S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode) ? st.st_rdev : 0,
        };
        if (S_ISREG(st.st_mode))
                entry.unreadable = -hash_file(walk, parent, name, &st, entry.digest);
        else if (S_ISLNK(st.st_mode))
                entry.unreadable = -hash_link(walk, parent, name, entry.digest);
        return walk->visit(walk->user, &entry, walk->err);
}

static int list_below(struct walk *walk, int fd) {
        _cleanup_names_ struct names names = {0};
        int r = names_add(&names, fd, 0, walk->err);
        if (r < 0)
                return r;
        names_sort(&names);
        size_t before = walk->path_size;
        for (size_t i = 0; i < names.n && r == 0; i++) {
                size_t size = strlen(names.items[i].text), at = before + (before > 0);
                if (at + size >= sizeof walk->path)
                        return tree_error(walk->err, ENAMETOOLONG, "look at", walk->path);
                if (before > 0)
                        walk->path[before] = '/';
                memcpy(walk->path + at, names.items[i].text, size + 1);
                walk->path_size = at + size;
                const struct known_inode *known = walk->names_inodes ? known_digests_find(walk->known, names.items[i].inode, S_IFREG) : NULL;
                r = known ? list_known(walk, known) : list_one(walk, fd, names.items[i].text);
        }
        walk->path[before] = '\0';
        walk->path_size = before;
        return r;
}

/* Some others (overlayfs, FUSE) tell other numbers in directories. */
static bool names_inodes(int fd) {
        struct statfs fs;
        if (fstatfs(fd, &fs) < 0)
                return false;
        switch ((unsigned long) fs.f_type) {
        case EXT4_SUPER_MAGIC:
        case XFS_SUPER_MAGIC:
        case BTRFS_SUPER_MAGIC:
        case TMPFS_MAGIC:
                return true;
        default:
                return false;
        }
}

int listing_walk(int root, const struct known_digests *known, listing_visit *visit, void *user, struct berth_error *err) {
        _cleanup_free_ uint8_t *buffer = malloc(READ_BUFFER);
        _cleanup_free_ struct walk *walk = calloc(1, sizeof *walk);
        struct stat st;
        if (!buffer || !walk)
                return berth_error_set(err, ENOMEM, "list a directory");
        if (fstat(root, &st) < 0)
                return tree_error(err, errno, "look at", ".");
        walk->visit = visit, walk->user = user, walk->err = err, walk->buffer = buffer, walk->known = known;
        walk->names_inodes = known && names_inodes(root);
        sha256_init(&walk->blank);
        return list_directory(walk, root, &st);
}
