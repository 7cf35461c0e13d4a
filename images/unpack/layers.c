/* SPDX-License-Identifier: Apache-2.0 */
#include "layers.h"

#include "../../runtime/lib/cleanup.h"
#include "attributes.h"
#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>

bool layers_is_whiteout(const struct layers *layers, const struct stat *st) {
        return layers->overlay && S_ISCHR(st->st_mode) && st->st_rdev == 0;
}

int layers_all(const struct layers *layers, unsigned first, struct levels *ret, struct berth_error *err) {
        *ret = (struct levels){.of = calloc(layers->n, sizeof *ret->of)};
        if (!ret->of)
                return berth_error_set(err, ENOMEM, "number the layers");
        for (unsigned layer = first; layer < layers->n; layer++)
                ret->of[ret->n++] = (unsigned short) layer;
        return 0;
}

int layers_open(const struct layers *layers, unsigned layer, const char *path, int *ret_fd) {
        struct open_how how = {
                .flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
                .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
        };
        int fd = (int) syscall(SYS_openat2, layers->roots[layer], *path ? path : ".", &how, sizeof how);
        if (fd < 0)
                return -errno;
        *ret_fd = fd;
        return 0;
}

static bool has_gone(int r) {
        return r == -ENOENT || r == -ENOTDIR || r == -ELOOP;
}

int layers_open_all(const struct layers *layers, const struct levels *levels, const char *path, struct level_fds *ret, struct berth_error *err) {
        *ret = (struct level_fds){.fds = calloc(levels->n + 1, sizeof *ret->fds), .of = calloc(levels->n + 1, sizeof *ret->of)};
        if (!ret->fds || !ret->of)
                return berth_error_set(err, ENOMEM, "open a directory");
        for (unsigned i = 0; i < levels->n; i++) {
                int r = layers_open(layers, levels->of[i], path, &ret->fds[ret->n]);
                if (r < 0 && !has_gone(r))
                        return tree_error(err, -r, "open", path);
                if (r == 0)
                        ret->of[ret->n++] = levels->of[i];
        }
        return 0;
}

void layers_close(struct level_fds *fds) {
        for (unsigned i = 0; i < fds->n; i++)
                (void) close(fds->fds[i]);
        free(fds->fds);
        free(fds->of);
        *fds = (struct level_fds){0};
}

int layers_list(const struct level_fds *fds, struct names *names, struct berth_error *err) {
        for (unsigned i = 0; i < fds->n; i++) {
                int r = names_add(names, fds->fds[i], i, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* 1: the directory ends what is seen of the layers below it. What cannot be asked must not pass for one that shows them. */
static int is_opaque(const struct layers *layers, int parent, const char *name, struct berth_error *err) {
        _cleanup_close_ int fd = -1;
        if (!layers->overlay)
                return 1;
        int r = tree_open(parent, name, O_RDONLY | O_DIRECTORY, &fd, err);
        if (r < 0)
                return has_gone(r) ? 0 : r;
        r = attributes_opaque(fd);
        return r < 0 ? tree_error(err, -r, "read the attributes of", name) : r;
}

int layers_find(const struct layers *layers, const struct level_fds *fds, const char *name, const struct name *among, size_t n_among,
                struct found *ret, struct berth_error *err) {
        size_t n = among ? n_among : fds->n;
        *ret = (struct found){0};
        for (size_t i = 0; i < n; i++) {
                unsigned at = among ? among[i].layer : (unsigned) i;
                struct stat st;
                if (fstatat(fds->fds[at], name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
                        if (errno == ENOENT)
                                continue;
                        return tree_error(err, errno, "look at", name);
                }
                if (layers_is_whiteout(layers, &st))
                        break;
                if (!ret->exists) {
                        *ret = (struct found){.exists = true, .at = at, .st = st};
                        if (!S_ISDIR(st.st_mode))
                                break;
                        ret->levels.of = calloc(fds->n, sizeof *ret->levels.of);
                        if (!ret->levels.of)
                                return berth_error_set(err, ENOMEM, "number the layers");
                } else if (!S_ISDIR(st.st_mode)) {
                        break;
                }
                ret->levels.of[ret->levels.n++] = fds->of[at];
                int last = i + 1 < n ? is_opaque(layers, fds->fds[at], name, err) : 1;
                if (last < 0)
                        return last;
                if (last)
                        break;
        }
        return 0;
}

void levels_free(struct levels *levels) {
        free(levels->of);
        *levels = (struct levels){0};
}
