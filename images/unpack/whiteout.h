/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "tree.h"

/* Names that mark what a layer deletes. @see image-spec v1.1 layer.md#whiteouts */
#define WHITEOUT_PREFIX ".wh."
#define WHITEOUT_OPAQUE ".wh..wh..opq"

/* Whether the entry is a mark (`.wh.name`, `.wh..wh..opq`) instead of a file. @see image-spec v1.1 layer.md#whiteouts */
bool whiteout_is_named(const struct place *place);

/* Does what the mark says: overlay gets its own form of it (character device 0:0, opaque directory), a plain tree loses what it names. */
int whiteout_apply(struct tree *tree, const struct place *place, struct berth_error *err);

/* Whether the inode is a whiteout as overlay has it. */
bool whiteout_is(const struct tree *tree, const struct stat *st);

/* Has the supervisor hide what lower layers have in this directory. Nothing to do in a plain tree. */
int whiteout_mark_opaque(struct tree *tree, int parent, const char *name, struct berth_error *err);
