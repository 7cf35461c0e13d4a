/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "../../runtime/lib/error.h"

#include <stddef.h>
#include <stdint.h>

/* Moves the process into empty namespaces whose only mount is the directory; its descriptor is closed, `/` is the directory. */
int confine_enter(int directory, struct berth_error *err);

/* The same for a process that works alone and dies with its parent; *ret_root is `/`, opened anew. */
int confine_enter_alone(int directory, int *ret_root, struct berth_error *err);

/* Makes the mount of `/` read-only, after confine_enter_alone. */
int confine_to_reading(int root, struct berth_error *err);

/*
 * Replaces a directory's descriptor, before confine_enter, by one of a detached read-only mount of it: `..` then ends there too.
 */
int confine_to_subtree(int directory, struct berth_error *err);

/* A seat's rights: these capabilities (bit masks as in capget(2)), these limits, these system calls. Anything else kills the process. */
struct confine_rights {
        uint64_t capabilities;
        uint64_t address_space;
        uint64_t file_size;
        uint64_t cpu_seconds;
        uint64_t descriptors;
        const int *syscalls; /* mmap among them may never map executable memory */
        size_t n_syscalls;
};

/* Takes the rights and nothing else, for good. */
int confine_drop(const struct confine_rights *rights, struct berth_error *err);
