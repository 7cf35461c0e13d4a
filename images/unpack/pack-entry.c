/* SPDX-License-Identifier: Apache-2.0 */
#include "pack-entry.h"

#include "../../runtime/lib/cleanup.h"
#include "report.h"
#include "tree.h"
#include "whiteout.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

static size_t slot_of(const struct link_paths *links, ino_t inode) {
        size_t at = (size_t) (inode * 0x9e3779b97f4a7c15ULL >> 20) & (links->capacity - 1);
        while (links->slots[at].inode != 0 && links->slots[at].inode != inode)
                at = (at + 1) & (links->capacity - 1);
        return at;
}

static int grow(struct link_paths *links, struct berth_error *err) {
        struct link_paths larger = {.capacity = links->capacity ? links->capacity * 2 : 1024, .used = links->used};
        larger.slots = calloc(larger.capacity, sizeof *larger.slots);
        if (!larger.slots)
                return berth_error_set(err, ENOMEM, "remember %zu hard links", links->used);
        for (size_t i = 0; i < links->capacity; i++)
                if (links->slots[i].inode != 0)
                        larger.slots[slot_of(&larger, links->slots[i].inode)] = links->slots[i];
        free(links->slots);
        *links = larger;
        return 0;
}

static int find_link(struct link_paths *links, ino_t inode, struct link_path **ret, struct berth_error *err) {
        int r = links->used * 2 >= links->capacity ? grow(links, err) : 0;
        if (r < 0)
                return r;
        *ret = &links->slots[slot_of(links, inode)];
        if ((*ret)->inode == 0)
                links->used++;
        (*ret)->inode = inode;
        return 0;
}

static struct tar_entry describe(const char *path, const struct stat *st, enum tar_kind kind) {
        return (struct tar_entry){.kind = kind,
                                  .name = path,
                                  .mode = st->st_mode & 07777,
                                  .uid = st->st_uid,
                                  .gid = st->st_gid,
                                  .mtime = st->st_mtim,
                                  .major = major(st->st_rdev),
                                  .minor = minor(st->st_rdev)};
}

static int put(struct packer *packer, const struct tar_entry *entry, struct berth_error *err) {
        packer->entries++;
        return archive_entry(&packer->archive, entry, err);
}

/* The header has told the size: what is no longer there is zeros, what has come is left out. */
static int copy_content(struct packer *packer, int fd, const char *path, uint64_t size, struct berth_error *err) {
        for (uint64_t left = size; left > 0;) {
                uint8_t *at;
                size_t room;
                int r = archive_room(&packer->archive, &at, &room, err);
                if (r < 0)
                        return r;
                ssize_t n = read(fd, at, room < left ? room : (size_t) left);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return tree_error(err, errno, "read", path);
                if (n == 0) {
                        r = archive_zeros(&packer->archive, left, err);
                        if (r < 0)
                                return r;
                        break;
                }
                archive_filled(&packer->archive, (size_t) n);
                left -= (uint64_t) n;
        }
        return archive_pad(&packer->archive, size, err);
}

/* 1: it has gone, or is something else by now. */
static int open_again(const struct packed_place *place, int flags, int *ret_fd, struct stat *ret_st, struct berth_error *err) {
        _cleanup_close_ int fd = -1;
        int r = tree_open_across(place->parent, place->name, flags, &fd, err);
        if (r == -ENOENT || r == -ENOTDIR || r == -ELOOP || r == -ENXIO)
                return 1;
        if (r < 0)
                return r;
        if (fstat(fd, ret_st) < 0)
                return tree_error(err, errno, "look at", place->path);
        return (ret_st->st_mode & S_IFMT) != (place->st->st_mode & S_IFMT) ? 1 : give_fd(ret_fd, &fd);
}

static int pack_open(struct packer *packer, const struct packed_place *place, enum tar_kind kind, struct berth_error *err) {
        _cleanup_close_ int fd = -1;
        struct stat st;
        int r = open_again(place, kind == TAR_DIRECTORY ? O_RDONLY | O_DIRECTORY : O_RDONLY | O_NONBLOCK, &fd, &st, err);
        if (r == 0)
                r = attributes_read(&packer->attributes, fd, place->path, err);
        if (r != 0)
                return r < 0 ? r : 0;
        struct tar_entry entry = describe(place->path, &st, kind);
        entry.size = kind == TAR_FILE ? (uint64_t) st.st_size : 0;
        entry.xattrs = packer->attributes.items;
        entry.n_xattrs = packer->attributes.n;
        /* Before a byte of it is read: a sparse file may claim any size. */
        if (entry.size > packer->archive.limit)
                return berth_error_set(err, LAYER_ERROR, "'%.300s' has more than %llu bytes", place->path,
                                       (unsigned long long) packer->archive.limit);
        r = put(packer, &entry, err);
        return r < 0 || kind == TAR_DIRECTORY ? r : copy_content(packer, fd, place->path, entry.size, err);
}

static int pack_symlink(struct packer *packer, const struct packed_place *place, struct berth_error *err) {
        char target[PATH_MAX];
        ssize_t size = readlinkat(place->parent, place->name, target, sizeof target);
        if (size < 0)
                return errno == ENOENT || errno == EINVAL ? 0 : tree_error(err, errno, "read the symlink", place->path);
        if (size == sizeof target)
                return berth_error_set(err, LAYER_ERROR, "the target of the symlink '%.300s' is too long", place->path);
        target[size] = '\0';
        struct tar_entry entry = describe(place->path, place->st, TAR_SYMLINK);
        entry.link = target;
        return put(packer, &entry, err);
}

static int pack_node(struct packer *packer, const struct packed_place *place, enum tar_kind kind, struct berth_error *err) {
        struct tar_entry entry = describe(place->path, place->st, kind);
        return put(packer, &entry, err);
}

static int pack_first(struct packer *packer, const struct packed_place *place, struct berth_error *err) {
        switch (place->st->st_mode & S_IFMT) {
        case S_IFDIR:
                return pack_open(packer, place, TAR_DIRECTORY, err);
        case S_IFREG:
                return pack_open(packer, place, TAR_FILE, err);
        case S_IFLNK:
                return pack_symlink(packer, place, err);
        case S_IFCHR:
                return pack_node(packer, place, TAR_CHARACTER_DEVICE, err);
        case S_IFBLK:
                return pack_node(packer, place, TAR_BLOCK_DEVICE, err);
        case S_IFIFO:
                return pack_node(packer, place, TAR_FIFO, err);
        default:
                return 0;
        }
}

static int pack_linked(struct packer *packer, const struct packed_place *place, struct berth_error *err) {
        struct link_path *link;
        int r = find_link(&packer->links, place->st->st_ino, &link, err);
        if (r == 0 && link->path) {
                struct tar_entry entry = describe(place->path, place->st, TAR_HARD_LINK);
                entry.link = link->path;
                return put(packer, &entry, err);
        }
        uint64_t before = packer->entries;
        if (r == 0)
                r = pack_first(packer, place, err);
        /* What has gone cannot be linked to. */
        if (r < 0 || packer->entries == before)
                return r;
        link->path = strdup(place->path);
        return link->path ? 0 : berth_error_set(err, ENOMEM, "remember %zu hard links", packer->links.used);
}

int pack_entry(struct packer *packer, const struct packed_place *place, struct berth_error *err) {
        bool linked = !S_ISDIR(place->st->st_mode) && place->st->st_nlink > 1;
        return linked ? pack_linked(packer, place, err) : pack_first(packer, place, err);
}

int pack_whiteout(struct packer *packer, const char *path, const char *name, struct berth_error *err) {
        char mark[PATH_MAX];
        int size = snprintf(mark, sizeof mark, "%s%s%s%s", path, *path ? "/" : "", name ? WHITEOUT_PREFIX : WHITEOUT_OPAQUE, name ? name : "");
        if (size >= (int) sizeof mark || (name && strlen(name) > NAME_MAX - strlen(WHITEOUT_PREFIX)))
                return berth_error_set(err, LAYER_ERROR, "the name of the deleted '%.300s' is too long to be noted in a layer", name ? name : path);
        struct tar_entry entry = {.kind = TAR_FILE, .name = mark, .mode = 0600};
        return put(packer, &entry, err);
}
