/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "inode-set.h"
#include "known-digests.h"
#include "report.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <time.h>

struct dir_time {
        struct timespec mtime;
        char *path;
};

struct dir_times {
        struct dir_time *items;
        size_t n;
        size_t capacity;
};

/* The filesystem being made: everything in it is named by a directory descriptor and one name. */
struct tree {
        int root;
        int marker; /* socket of the supervisor, which marks directories opaque; -1: none */
        bool overlay;
        const char *base;  /* clean path below which everything is made in a container's root; NULL: a layer's tree */
        bool keep_kinds;   /* neither a directory is replaced by something else, nor the other way round */
        unsigned n_lowers; /* layers below, on descriptors from first_lower on, the topmost first */
        int first_lower;
        struct counts *counts;
        struct inode_set made;       /* by this layer; only the plain format asks for them */
        struct known_digests *known; /* of what is made, for its record; NULL: none is kept */
        struct dir_times dir_times;
        /* Archives list a directory's files together: the last parent stays open. */
        int parent;
        bool parent_stale; /* its path may name another directory by now; the descriptor is still good */
        mode_t parent_mode;
        bool default_acl; /* one was set in this layer: modes of new files are then not what was asked for */
        char parent_path[PATH_MAX];
};

/* A place in the tree. `parent` belongs to the tree and is good until the next tree_locate. */
struct place {
        int parent;
        bool inherits;           /* the parent passes on group or access list to what is made in it */
        char name[NAME_MAX + 1]; /* "." for the root */
        char path[PATH_MAX];     /* clean, without a slash in front */
};

void tree_init(struct tree *tree, int root, int marker, bool overlay, struct counts *counts);

/*
 * Finds where an entry belongs, and makes missing parents (like those of the layer below, else 0755 and root's). Names are relative to the root
 * whatever they begin with; one with
 * `..` in it is refused. Symlinks among the parents are followed inside the root, as Docker does in its chroot.
 */
int tree_locate(struct tree *tree, const char *name, struct place *ret, struct berth_error *err);

/* As tree_locate, for the target of a hard link: nothing is made, and the descriptor is the caller's. */
int tree_locate_target(struct tree *tree, const char *name, struct place *ret, int *ret_fd, struct berth_error *err);

/* Opens a directory below `root`; symlinks on the way stay inside it. 0 or a negative errno. */
int tree_open_in_root(int root, const char *path, int *ret_fd);

/* The same in the tree's own root, of which in a container volumes are part. */
int tree_open_directory(const struct tree *tree, const char *path, int *ret_fd);

/* Opens a directory or a file that is there, never through a symlink. */
int tree_open(int parent, const char *name, int flags, int *ret_fd, struct berth_error *err);

/* The same, also where something is mounted. */
int tree_open_across(int parent, const char *name, int flags, int *ret_fd, struct berth_error *err);

/* Removes what is at the place, with all below it. */
int tree_remove(struct tree *tree, int parent, const char *name, struct berth_error *err);

/* Removes what the parents' layers put below the directory and keeps what this one did. 1: something is left, 0: it is empty. */
int tree_remove_foreign(struct tree *tree, int directory, struct berth_error *err);

/* Remembers a directory's time; it is set when nothing is put into it any more, at the end. */
int tree_keep_dir_time(struct tree *tree, const char *path, const struct timespec *mtime, struct berth_error *err);
int tree_finish_dir_times(struct tree *tree, struct berth_error *err);

/* Error of a system call on an entry: names it, and says whose fault it is. */
int tree_error(struct berth_error *err, int code, const char *step, const char *name);
