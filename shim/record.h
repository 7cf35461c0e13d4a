/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "error.h"

/* The files by which a daemon finds the shim again and learns how its container ended (formats: protocol.h). */
struct record {
        int directory; /* O_PATH; -1: not open */
        int lock;      /* a POSIX record lock is held on it as long as we live; a child's copy of the descriptor would not keep it */
};

struct record_exit {
        int code, signal;
        bool oom_killed;
        pid_t pid;
        uint64_t started_at, finished_at; /* ns since 1970 */
};

/* Opens the directory, takes the lock (-EBUSY: another shim has it) and removes what an earlier shim left. */
int record_open(struct record *record, const char *directory, struct berth_error *err);
int record_write_shim(const struct record *record, const char *id, struct berth_error *err);
int record_write_exit(const struct record *record, const struct record_exit *exit, struct berth_error *err);
/* Removes shim.sock and shim.json. */
void record_remove_shim(const struct record *record);
/* Removes the lock file too and lets everything go: there is no container after all. */
void record_undo(struct record *record);
