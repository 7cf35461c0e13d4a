/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "names.h"

#include <stdbool.h>
#include <sys/stat.h>

enum { LAYERS_MAX = 501 };

/* Directories that together are one tree, the topmost first, seen without mounting them. */
struct layers {
        int roots[LAYERS_MAX];
        unsigned n;
        bool overlay; /* they hold overlayfs' whiteouts and opaque directories; else each is a tree of its own */
};

/* Numbers of the layers that have a directory of one path, the topmost first. */
struct levels {
        unsigned n;
        unsigned short *of;
};

/* The same directory in these layers, open. */
struct level_fds {
        unsigned n;
        int *fds;
        unsigned short *of;
};

/* What a name in a directory stands for. */
struct found {
        bool exists;
        unsigned at;          /* index of the open directory that has it */
        struct stat st;       /* of the topmost */
        struct levels levels; /* a directory's: the caller's to free */
};

bool layers_is_whiteout(const struct layers *layers, const struct stat *st);

/* All layers from `first` on, for the root. */
int layers_all(const struct layers *layers, unsigned first, struct levels *ret, struct berth_error *err);

/* Opens a directory of one layer by its path ("" is the root); no symlink is followed. 0 or a negative errno. */
int layers_open(const struct layers *layers, unsigned layer, const char *path, int *ret_fd);

/* Opens a directory in all these layers. One that has gone meanwhile, below a running container, is left out. */
int layers_open_all(const struct layers *layers, const struct levels *levels, const char *path, struct level_fds *ret, struct berth_error *err);
void layers_close(struct level_fds *fds);

/* Adds what is in all of them. */
int layers_list(const struct level_fds *fds, struct names *names, struct berth_error *err);

/*
 * Looks a name up. `among` and `n_among` say which layers have it (a group of names_sort); NULL: ask all of them.
 */
int layers_find(const struct layers *layers, const struct level_fds *fds, const char *name, const struct name *among, size_t n_among,
                struct found *ret, struct berth_error *err);

void levels_free(struct levels *levels);
#define _cleanup_levels_ __attribute__((cleanup(levels_free)))
#define _cleanup_level_fds_ __attribute__((cleanup(layers_close)))
