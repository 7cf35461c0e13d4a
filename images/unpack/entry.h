/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "tar.h"
#include "tree.h"

/*
 * Makes one entry in the tree: the last one of a name wins, directories merge. Content is read from the source as far as the entry has any;
 * times of directories are kept for the end.
 */
int entry_apply(struct tree *tree, struct source *source, const struct tar_entry *entry, struct berth_error *err);
