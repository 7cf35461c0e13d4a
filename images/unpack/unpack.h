/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "report.h"

#include <stdbool.h>

enum { UNPACK_TARGET_FD = 3, UNPACK_FIRST_LOWER_FD = 4, UNPACK_OUTPUT_FD = 4, UNPACK_MAX_LOWERS = 500 };

struct unpack_options {
        bool overlay;
        bool inflate_only; /* the bytes go to the file on descriptor 4, unread; nothing is made in the directory */
        bool growing;      /* the blob is still being written: a byte on the last descriptor tells of more, its end of the end */
        const char *base;  /* not a layer: into this directory (a clean path without a slash in front) of the container whose root it is; or NULL */
        int users;         /* the user namespace of that container, -1: the caller's */
        bool recorded;     /* a record of the tree goes to the descriptor behind the layers below */
        bool keep_kinds;   /* as in struct tree */
        bool has_owner;    /* everything is to belong to this one */
        uint32_t uid, gid;
        unsigned n_lowers; /* directories of the layers below, the topmost first, from descriptor 4 on */
        struct limits limits;
};

/*
 * Unpacks the layer on descriptor 0 into the directory on descriptor 3. Three processes share the work, each with the least it needs:
 * the inflater has no capability and two pipes; the writer has the tree and six capabilities; the supervisor, which is the caller, sees
 * no byte of the layer, marks directories and speaks for all. *ret_confined tells whether an error came before the layer was looked at.
 */
int unpack_run(const struct unpack_options *options, struct counts *ret_counts, bool *ret_confined, struct berth_error *err);
