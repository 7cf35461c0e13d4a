/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "report.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

/* Where a walk is, "" at the root. */
struct tree_path {
        size_t size;
        char text[PATH_MAX];
};

/* Steps down; path->size of before, kept by the caller, leads back. */
static inline int tree_path_enter(struct tree_path *path, const char *name, struct berth_error *err) {
        int size = snprintf(path->text + path->size, sizeof path->text - path->size, "%s%s", path->size > 0 ? "/" : "", name);
        if (path->size + (size_t) size >= sizeof path->text - 1) {
                path->text[path->size] = '\0';
                return berth_error_set(err, LAYER_ERROR, "'%.300s' is nested too deeply: paths have at most %d bytes", path->text, PATH_MAX - 2);
        }
        path->size += (size_t) size;
        return 0;
}

static inline void tree_path_leave(struct tree_path *path, size_t size) {
        path->size = size;
        path->text[size] = '\0';
}
