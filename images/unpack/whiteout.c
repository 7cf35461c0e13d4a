/* SPDX-License-Identifier: Apache-2.0 */
#include "whiteout.h"

#include "../../runtime/lib/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

bool whiteout_is_named(const struct place *place) {
        return strncmp(place->name, WHITEOUT_PREFIX, strlen(WHITEOUT_PREFIX)) == 0;
}

bool whiteout_is(const struct tree *tree, const struct stat *st) {
        return tree->overlay && S_ISCHR(st->st_mode) && st->st_rdev == 0;
}

/* Nor may whoever writes the record see the mark. */
static int remember_opaque(struct tree *tree, int directory, struct berth_error *err) {
        struct stat st;
        if (!tree->known)
                return 0;
        if (fstat(directory, &st) < 0)
                return tree_error(err, errno, "look at", "an opaque directory");
        return known_digests_put(tree->known, &st, NULL, err);
}

/* Only CAP_SYS_ADMIN may write trusted.* attributes, and the process that reads the archive does not have it: it hands over the directory. */
int whiteout_mark_opaque(struct tree *tree, int parent, const char *name, struct berth_error *err) {
        if (!tree->overlay)
                return 0;
        _cleanup_close_ int fd = -1;
        int r = tree_open(parent, name, O_RDONLY | O_DIRECTORY, &fd, err);
        if (r < 0)
                return r;

        char byte = 'o';
        union {
                struct cmsghdr align;
                char bytes[CMSG_SPACE(sizeof(int))];
        } control = {0};
        struct iovec part = {.iov_base = &byte, .iov_len = 1};
        struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
        struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(rights), &fd, sizeof fd);
        if (sendmsg(tree->marker, &message, MSG_NOSIGNAL) != 1)
                return tree_error(err, errno, "mark opaque", name);
        /* One at a time: descriptors under way are counted against all of root's. */
        int answer;
        if (read(tree->marker, &answer, sizeof answer) != sizeof answer)
                return tree_error(err, EPIPE, "mark opaque", name);
        return answer == 0 ? remember_opaque(tree, fd, err) : tree_error(err, answer, "mark opaque", name);
}

static int mark_directory(struct tree *tree, const struct place *place, struct berth_error *err) {
        if (tree->overlay)
                return whiteout_mark_opaque(tree, place->parent, ".", err);
        _cleanup_close_ int fd = -1;
        int r = tree_open(place->parent, ".", O_RDONLY | O_DIRECTORY, &fd, err);
        if (r < 0)
                return r;
        r = tree_remove_foreign(tree, fd, err);
        return r < 0 ? r : 0;
}

/* The layer may also bring a file of that name, before or after: the mark is about what lower layers have. */
static int hide(struct tree *tree, const struct place *place, const char *name, struct berth_error *err) {
        if (tree->overlay && mknodat(place->parent, name, S_IFCHR | 0, makedev(0, 0)) == 0) {
                tree->counts->inodes++;
                return 0;
        }
        if (tree->overlay && errno != EEXIST)
                return tree_error(err, errno, "make a whiteout for", place->path);

        struct stat st;
        if (fstatat(place->parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : tree_error(err, errno, "look at", place->path);
        if (tree->overlay)
                return S_ISDIR(st.st_mode) ? whiteout_mark_opaque(tree, place->parent, name, err) : 0;
        if (!S_ISDIR(st.st_mode))
                return inode_set_has(&tree->made, st.st_ino) ? 0 : tree_remove(tree, place->parent, name, err);

        _cleanup_close_ int fd = -1;
        int r = tree_open(place->parent, name, O_RDONLY | O_DIRECTORY, &fd, err);
        if (r == 0)
                r = tree_remove_foreign(tree, fd, err);
        if (r != 0 || inode_set_has(&tree->made, st.st_ino))
                return r < 0 ? r : 0;
        return tree_remove(tree, place->parent, name, err);
}

int whiteout_apply(struct tree *tree, const struct place *place, struct berth_error *err) {
        if (strcmp(place->name, WHITEOUT_OPAQUE) == 0)
                return mark_directory(tree, place, err);
        const char *name = place->name + strlen(WHITEOUT_PREFIX);
        /* What is left of aufs: its own records (.wh..wh.plnk, .wh..wh.aufs), which mean nothing to anybody else. */
        if (strncmp(name, WHITEOUT_PREFIX, strlen(WHITEOUT_PREFIX)) == 0)
                return 0;
        if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
                return berth_error_set(err, LAYER_ERROR, "the whiteout '%.300s' names no file", place->path);
        return hide(tree, place, name, err);
}
