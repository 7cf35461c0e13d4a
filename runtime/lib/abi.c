/* SPDX-License-Identifier: Apache-2.0 */
#include "../include/berth.h"

#include <stdio.h>

#include "plan-compile.h"
#include "seccomp-compile.h"

/* What jansson's json_loadf compares a stream with (see the Makefile); documents are only ever parsed from memory here. */
extern FILE *const abi_no_stdin;
FILE *const abi_no_stdin = NULL;

uint32_t berth_abi(void) {
        return BERTH_ABI;
}

int berth_plan_compile(const char *config, size_t config_size, const char *keeper, size_t keeper_size, const void *filter, size_t filter_size,
                       int *ret_fd, struct berth_error *err) {
        const struct plan_sources sources = {
                .config = config,
                .config_size = config_size,
                .keeper = keeper,
                .keeper_size = keeper_size,
                .filter = filter,
                .filter_size = filter_size,
        };
        return plan_compile(&sources, ret_fd, err);
}

int berth_seccomp_compile(const char *profile, size_t size, void *filter, size_t capacity, size_t *ret_size, struct berth_error *err) {
        return seccomp_compile(profile, size, filter, capacity, ret_size, err);
}
