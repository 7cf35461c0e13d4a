/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "report.h"

#include <stdbool.h>

enum pack_job {
        PACK_LAYER,   /* what the first directory changes, as the archive of a layer */
        PACK_EXPORT,  /* the tree that all make together, as an archive */
        PACK_CHANGES, /* a line for each path that the first directory changes */
};

struct pack_options {
        enum pack_job job;
        bool overlay;
        bool without_mount_points;
        unsigned n_lowers; /* as unpack_options has them; the archive goes to the descriptor behind them */
        struct limits limits;
};

/*
 * Reads the directories, confined to them, and writes; *ret_counts tells size, entries and, of a layer, its diff_id. *ret_confined as with
 * unpack_run. The trees may be in use, and a container may have shaped them.
 */
int pack_run(const struct pack_options *options, struct counts *ret_counts, bool *ret_confined, struct berth_error *err);
