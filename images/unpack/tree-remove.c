/* SPDX-License-Identifier: Apache-2.0 */
#include "../../runtime/lib/cleanup.h"
#include "directory.h"
#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Each level holds a descriptor; their limit ends what is deeper than any real layer with an error. */

static int remove_below(struct tree *tree, int fd, bool keep_made, struct berth_error *err);

/* 1: it stays, 0: it is gone. */
static int remove_one(struct tree *tree, int parent, const char *name, bool keep_made, struct berth_error *err) {
        struct stat st;
        if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return tree_error(err, errno, "look at", name);
        bool stays = keep_made && inode_set_has(&tree->made, st.st_ino);
        if (S_ISDIR(st.st_mode)) {
                _cleanup_close_ int fd = -1;
                int r = tree_open(parent, name, O_RDONLY | O_DIRECTORY, &fd, err);
                if (r == 0)
                        r = remove_below(tree, fd, keep_made, err);
                if (r < 0)
                        return r;
                stays = stays || r > 0;
        }
        if (!stays && unlinkat(parent, name, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0) < 0)
                return tree_error(err, errno, "remove", name);
        if (!stays && tree->known)
                known_digests_forget(tree->known, st.st_ino);
        return stays;
}

static int remove_below(struct tree *tree, int fd, bool keep_made, struct berth_error *err) {
        struct directory directory;
        const struct kernel_dirent *item;
        int left = 0, r;
        directory_begin(&directory, fd);
        while ((r = directory_next(&directory, &item)) > 0) {
                r = remove_one(tree, fd, item->name, keep_made, err);
                if (r < 0)
                        return r;
                left |= r;
        }
        return r < 0 ? tree_error(err, -r, "list", "a directory") : left;
}

int tree_remove(struct tree *tree, int parent, const char *name, struct berth_error *err) {
        if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
                return 0;
        if (errno != EISDIR)
                return tree_error(err, errno, "remove", name);
        int r = remove_one(tree, parent, name, false, err);
        /* The open parent may be below what is gone. It may also be `parent` itself, so only its name is forgotten. */
        tree->parent_stale = true;
        return r < 0 ? r : 0;
}

int tree_remove_foreign(struct tree *tree, int directory, struct berth_error *err) {
        int r = remove_below(tree, directory, true, err);
        tree->parent_stale = true;
        return r;
}
