/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "../../runtime/lib/error.h"
#include "pax.h"

#include <stdbool.h>

/* What one file or directory has of the extended attributes that a layer may hold, sorted by name. */
struct attributes {
        size_t n;
        size_t used;
        struct pax_xattr items[PAX_MAX_XATTRS];
        char names[64 << 10]; /* XATTR_LIST_MAX of the kernel */
        char values[PAX_MAX_SIZE];
};

/* Whether a layer may bring this attribute: trusted.* rules overlay itself, other security.* the host's security modules. */
bool attribute_is_allowed(const char *name);

/*
 * Reads those of an open file or directory. What overlayfs keeps elsewhere (renamed directories, files whose content stayed below) has no form
 * in a layer: -LAYER_ERROR names `path`, as it does for more than an extended header can hold.
 */
int attributes_read(struct attributes *attributes, int fd, const char *path, struct berth_error *err);

bool attributes_equal(const struct attributes *one, const struct attributes *other);

/* 1: the directory hides what the layers below have under its name; 0: it does not; or negative errno. */
int attributes_opaque(int fd);

/* 1: what is made in the directory inherits an access list; 0: it does not; or negative errno. */
int attributes_pass_on(int directory);
