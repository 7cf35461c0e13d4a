/* SPDX-License-Identifier: Apache-2.0 */
#include "compare.h"

#include "../../runtime/lib/cleanup.h"
#include "attributes.h"
#include "differ.h"
#include "mount-point.h"
#include "tree-path.h"
#include "tree.h"

#include <fcntl.h>

struct compare {
        const struct comparison *of;
        struct tree_path path;
        uint64_t entries;
        struct differ differ;
        struct berth_error *err;
};

/* A directory of the first layer on the way to where the walk is. It is told of when something below it is, or when it differs itself. */
struct step {
        struct step *above; /* NULL at the root, of which is never told */
        const char *name;
        size_t parent_size; /* of the path */
        struct stat st;
        struct levels below; /* where the directory was before; none: it is new, or was no directory */
        bool is_new;
        bool is_opaque;
        bool is_told;
        bool has_mount_point;
};

struct steps {
        struct step *items;
        size_t n;
};

static void steps_free(struct steps *steps) {
        for (size_t i = 0; i < steps->n; i++)
                levels_free(&steps->items[i].below);
        free(steps->items);
}
#define _cleanup_steps_ __attribute__((cleanup(steps_free)))

static int tell(struct compare *compare, const struct change *change, int directory) {
        return compare->of->tell(compare->of->to, change, directory, compare->err);
}

/* Tells of the directories that lead here. */
static int tell_step(struct compare *compare, struct step *step) {
        if (step->is_told || !step->above)
                return 0;
        int r = tell_step(compare, step->above);
        if (r < 0)
                return r;
        step->is_told = true;

        struct tree_path path = {.size = step->parent_size};
        memcpy(path.text, compare->path.text, path.size);
        path.text[path.size] = '\0';
        _cleanup_close_ int parent = -1;
        r = layers_open(compare->of->layers, 0, path.text, &parent);
        if (r < 0)
                return r == -ENOENT || r == -ENOTDIR || r == -ELOOP ? 0 : tree_error(compare->err, -r, "open", path.text);
        r = tree_path_enter(&path, step->name, compare->err);
        if (r < 0)
                return r;
        const struct change change = {.kind = step->is_new ? CHANGE_ADDED : CHANGE_MODIFIED,
                                      .path = path.text,
                                      .st = step->st,
                                      .hides_below = step->is_opaque && step->below.n > 0};
        return tell(compare, &change, parent);
}

static int tell_name(struct compare *compare, struct step *step, int directory, const char *name, enum change_kind kind, const struct stat *st) {
        size_t above = compare->path.size;
        int r = tell_step(compare, step);
        if (r == 0)
                r = tree_path_enter(&compare->path, name, compare->err);
        if (r == 0) {
                struct change change = {.kind = kind, .path = compare->path.text};
                if (st)
                        change.st = *st;
                r = tell(compare, &change, directory);
        }
        tree_path_leave(&compare->path, above);
        return r;
}

/* One name in a directory: what it is, and what it was. */
struct pair {
        const char *name;
        int directory; /* of the first layer */
        bool is;       /* in the first layer, and no whiteout */
        struct stat st;
        const struct level_fds *old_fds;
        struct found old;
};

static bool is_mount_point(struct compare *compare, const struct pair *pair) {
        size_t above = compare->path.size;
        struct berth_error ignored;
        bool is = compare->of->without_mount_points && !pair->old.exists && tree_path_enter(&compare->path, pair->name, &ignored) == 0 &&
                  mount_point_is(compare->path.text, &pair->st);
        tree_path_leave(&compare->path, above);
        if (!is || !S_ISDIR(pair->st.st_mode))
                return is;
        _cleanup_names_ struct names names = {0};
        _cleanup_close_ int fd = -1;
        return tree_open(pair->directory, pair->name, O_RDONLY | O_DIRECTORY, &fd, &ignored) == 0 && names_add(&names, fd, 0, &ignored) == 0 &&
               names.n == 0;
}

static int compare_pair(struct compare *compare, struct step *step, struct pair *pair, struct steps *steps) {
        if (!pair->is)
                return pair->old.exists ? tell_name(compare, step, pair->directory, pair->name, CHANGE_DELETED, NULL) : 0;
        if (is_mount_point(compare, pair)) {
                step->has_mount_point = true;
                return 0;
        }
        if (S_ISDIR(pair->st.st_mode)) {
                struct step *next = &steps->items[steps->n++];
                *next = (struct step){
                        .above = step, .name = pair->name, .parent_size = compare->path.size, .st = pair->st, .below = pair->old.levels};
                next->is_new = !pair->old.exists;
                pair->old.levels = (struct levels){0};
                return 0;
        }
        enum change_kind kind = pair->old.exists ? CHANGE_MODIFIED : CHANGE_ADDED;
        bool keeps = compare->of->for_layer && compare->of->layers->overlay;
        if (kind == CHANGE_MODIFIED && !keeps) {
                const struct differ_side now = {pair->directory, &pair->st}, before = {pair->old_fds->fds[pair->old.at], &pair->old.st};
                if (!differ_files(pair->name, &now, &before))
                        return 0;
        }
        return tell_name(compare, step, pair->directory, pair->name, kind, &pair->st);
}

static int compare_names(struct compare *compare, struct step *step, int directory, const struct level_fds *old_fds, struct names *names,
                         struct steps *ret) {
        int r = 0;
        ret->items = calloc(names->n + 1, sizeof *ret->items);
        if (!ret->items)
                return berth_error_set(compare->err, ENOMEM, "remember the directories");
        for (size_t i = 0; r == 0 && i < names->n; i += names_same(names, i)) {
                struct pair pair = {.name = names->items[i].text, .directory = directory, .old_fds = old_fds};
                if (++compare->entries > compare->of->limit_entries)
                        return berth_error_set(compare->err, LAYER_ERROR, "the layer has more than %llu entries",
                                               (unsigned long long) compare->of->limit_entries);
                pair.is = fstatat(directory, pair.name, &pair.st, AT_SYMLINK_NOFOLLOW) == 0;
                if (!pair.is && errno != ENOENT)
                        return tree_error(compare->err, errno, "look at", pair.name);
                pair.is = pair.is && !layers_is_whiteout(compare->of->layers, &pair.st);
                r = layers_find(compare->of->layers, old_fds, pair.name, NULL, 0, &pair.old, compare->err);
                if (r == 0)
                        r = compare_pair(compare, step, &pair, ret);
                levels_free(&pair.old.levels);
        }
        return r;
}

/* Whether a layer without the directory would make another tree. */
static int step_differs(struct compare *compare, const struct step *step, int directory, const struct level_fds *old_fds) {
        if (step->is_new)
                return !(step->has_mount_point && mount_point_holds(compare->path.text, &step->st));
        if (old_fds->n == 0)
                return 1;
        struct stat old;
        if (fstat(old_fds->fds[0], &old) < 0)
                return tree_error(compare->err, errno, "look at", compare->path.text);
        if (differ_owner_or_mode(&step->st, &old))
                return 1;
        if (!compare->of->for_layer)
                return 0;
        bool later = step->st.st_mtim.tv_sec != old.st_mtim.tv_sec || step->st.st_mtim.tv_nsec != old.st_mtim.tv_nsec;
        if (step->is_opaque || (later && !step->has_mount_point))
                return 1;
        return differ_attributes(&compare->differ, directory, old_fds->fds[0], compare->path.text, compare->err);
}

/* The directory itself and all in it but what is below its subdirectories. */
static int compare_level(struct compare *compare, struct step *step, struct names *names, struct steps *ret) {
        _cleanup_level_fds_ struct level_fds old_fds = {0};
        _cleanup_close_ int fd = -1;
        const struct layers *layers = compare->of->layers;
        int r = layers_open(layers, 0, compare->path.text, &fd);
        if (r < 0)
                return r == -ENOENT || r == -ENOTDIR || r == -ELOOP ? 0 : tree_error(compare->err, -r, "open", compare->path.text);
        bool is_below_opaque = step->above && step->above->is_opaque;
        int opaque = layers->overlay && step->below.n > 0 ? (is_below_opaque ? 1 : attributes_opaque(fd)) : 0;
        if (opaque < 0)
                return tree_error(compare->err, -opaque, "read the attributes of", compare->path.text);
        step->is_opaque = opaque;
        r = names_add(names, fd, 0, compare->err);
        /* In a layer one mark says that nothing is taken over, and all that is in the directory is new. */
        if (r == 0 && !(step->is_opaque && compare->of->for_layer))
                r = layers_open_all(layers, &step->below, compare->path.text, &old_fds, compare->err);
        /* Elsewhere overlayfs notes each file that is deleted. */
        if (r == 0 && (step->is_opaque || !layers->overlay))
                r = layers_list(&old_fds, names, compare->err);
        if (r < 0)
                return r;
        names_sort(names);
        r = compare_names(compare, step, fd, &old_fds, names, ret);
        if (r == 0 && !step->is_told && step->above) {
                r = step_differs(compare, step, fd, &old_fds);
                r = r > 0 ? tell_step(compare, step) : r;
        }
        return r;
}

static int compare_below(struct compare *compare, struct step *step) {
        _cleanup_names_ struct names names = {0};
        _cleanup_steps_ struct steps steps = {0};
        size_t above = compare->path.size;
        int r = compare_level(compare, step, &names, &steps);
        for (size_t i = 0; r == 0 && i < steps.n; i++) {
                r = tree_path_enter(&compare->path, steps.items[i].name, compare->err);
                if (r == 0)
                        r = compare_below(compare, &steps.items[i]);
                tree_path_leave(&compare->path, above);
        }
        return r;
}

int compare_run(const struct comparison *comparison, struct berth_error *err) {
        struct compare compare = {.of = comparison, .err = err};
        struct step root = {.is_told = true};
        int r = differ_init(&compare.differ, err);
        if (r == 0)
                r = layers_all(comparison->layers, 1, &root.below, err);
        if (r == 0)
                r = compare_below(&compare, &root);
        levels_free(&root.below);
        differ_free(&compare.differ);
        return r;
}
