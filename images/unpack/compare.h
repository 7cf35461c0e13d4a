/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "layers.h"
#include "report.h"

enum change_kind { CHANGE_MODIFIED, CHANGE_ADDED, CHANGE_DELETED };

/* One path that the topmost layer changes. */
struct change {
        enum change_kind kind;
        const char *path;
        struct stat st;   /* as it is; of a deleted one all zero */
        bool hides_below; /* a directory that takes nothing over from the one below */
};

struct comparison {
        const struct layers *layers; /* the first one is compared with what the others make together */
        /*
         * What counts. True: everything that a layer must bring to make this tree. False: what Docker calls a change, which leaves out the
         * times of directories, and files that were only opened for writing.
         */
        bool for_layer;
        /* Leaves out the empty files and directories that stand in a container for what is mounted there. */
        bool without_mount_points;
        uint64_t limit_entries;
        /* Told of each change, a directory before what is in it. `directory` is open at the parent of the path, in the first layer. */
        int (*tell)(void *to, const struct change *change, int directory, struct berth_error *err);
        void *to;
};

int compare_run(const struct comparison *comparison, struct berth_error *err);
