/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

/* What berth_plan_compile does (berth.h); also used by the command. The descriptor is a sealed memfd that plan_open takes. */
struct plan_sources {
        const char *config;
        size_t config_size;
        const char *keeper; /* NULL: `config` is a process object, with the container's `linux` in it if it has one, and the plan an exec's */
        size_t keeper_size;
        const void *filter; /* struct sock_filter[]; NULL: none */
        size_t filter_size;
        uint32_t preserved_fds; /* descriptors from 3 on that go to the program; the caller's own must all be close-on-exec */
        bool no_new_keyring, no_pivot;
};

int plan_compile(const struct plan_sources *sources, int *ret_fd, struct berth_error *err);

/* The same for documents that were read already: of the sources only the filter counts. `keeper` NULL: an exec's plan. */
int plan_compile_documents(const struct plan_sources *sources, const json_t *config, const json_t *keeper, int *ret_fd, struct berth_error *err);
