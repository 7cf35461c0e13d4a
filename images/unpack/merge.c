/* SPDX-License-Identifier: Apache-2.0 */
#include "merge.h"

#include "../../runtime/lib/cleanup.h"
#include "tree-path.h"
#include "tree.h"

struct merge {
        const struct layers *layers;
        struct packer *packer;
        uint64_t limit_entries;
        struct tree_path path;
        struct berth_error *err;
};

struct subdirectory {
        const char *name;
        struct levels levels;
};

struct subdirectories {
        struct subdirectory *items;
        size_t n;
};

static void subdirectories_free(struct subdirectories *subdirectories) {
        for (size_t i = 0; i < subdirectories->n; i++)
                levels_free(&subdirectories->items[i].levels);
        free(subdirectories->items);
}
#define _cleanup_subdirectories_ __attribute__((cleanup(subdirectories_free)))

static int pack_counted(struct merge *merge, const struct packed_place *place) {
        if (merge->packer->entries >= merge->limit_entries)
                return berth_error_set(merge->err, LAYER_ERROR, "the container has more than %llu files", (unsigned long long) merge->limit_entries);
        return pack_entry(merge->packer, place, merge->err);
}

static int pack_found(struct merge *merge, const struct level_fds *fds, const char *name, const struct found *found) {
        size_t above = merge->path.size;
        int r = tree_path_enter(&merge->path, name, merge->err);
        if (r == 0) {
                const struct packed_place place = {.parent = fds->fds[found->at], .name = name, .path = merge->path.text, .st = &found->st};
                r = pack_counted(merge, &place);
        }
        tree_path_leave(&merge->path, above);
        return r;
}

/* The directory itself, in front of what is in it: programs that unpack set its time when they leave it. */
static int pack_directory(struct merge *merge, const struct level_fds *fds) {
        struct stat st;
        if (merge->path.size == 0 || fds->n == 0)
                return 0;
        if (fstat(fds->fds[0], &st) < 0)
                return tree_error(merge->err, errno, "look at", merge->path.text);
        const struct packed_place place = {.parent = fds->fds[0], .name = ".", .path = merge->path.text, .st = &st};
        return pack_counted(merge, &place);
}

/* All of it but its subdirectories: no descriptor stays open while those are walked. */
static int pack_level(struct merge *merge, const struct levels *levels, struct names *names, struct subdirectories *ret) {
        _cleanup_level_fds_ struct level_fds fds = {0};
        int r = layers_open_all(merge->layers, levels, merge->path.text, &fds, merge->err);
        if (r == 0)
                r = pack_directory(merge, &fds);
        if (r == 0)
                r = layers_list(&fds, names, merge->err);
        if (r < 0)
                return r;
        names_sort(names);
        ret->items = calloc(names->n + 1, sizeof *ret->items);
        if (!ret->items)
                return berth_error_set(merge->err, ENOMEM, "remember the directories");
        for (size_t i = 0, same; r == 0 && i < names->n; i += same) {
                const char *name = names->items[i].text;
                struct found found;
                same = names_same(names, i);
                r = layers_find(merge->layers, &fds, name, &names->items[i], same, &found, merge->err);
                if (r == 0 && found.exists && found.levels.n == 0)
                        r = pack_found(merge, &fds, name, &found);
                if (r == 0 && found.levels.n > 0)
                        ret->items[ret->n++] = (struct subdirectory){.name = name, .levels = found.levels};
                else
                        levels_free(&found.levels);
        }
        return r;
}

static int pack_below(struct merge *merge, const struct levels *levels) {
        _cleanup_names_ struct names names = {0};
        _cleanup_subdirectories_ struct subdirectories subdirectories = {0};
        size_t above = merge->path.size;
        int r = pack_level(merge, levels, &names, &subdirectories);
        for (size_t i = 0; r == 0 && i < subdirectories.n; i++) {
                r = tree_path_enter(&merge->path, subdirectories.items[i].name, merge->err);
                if (r == 0)
                        r = pack_below(merge, &subdirectories.items[i].levels);
                tree_path_leave(&merge->path, above);
        }
        return r;
}

int merge_pack(const struct layers *layers, struct packer *packer, uint64_t limit_entries, struct berth_error *err) {
        _cleanup_levels_ struct levels all = {0};
        struct merge merge = {.layers = layers, .packer = packer, .limit_entries = limit_entries, .err = err};
        int r = layers_all(layers, 0, &all, err);
        return r < 0 ? r : pack_below(&merge, &all);
}
