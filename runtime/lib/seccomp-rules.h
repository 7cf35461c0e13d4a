/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "seccomp-filter.h"

#define SECCOMP_ARCHITECTURES 32
#define SECCOMP_RULES_MAX 65536 /* of one architecture */

/* Rules by the names of calls, for several architectures: what seccomp_filter_write takes. Zeroed: empty. */
struct seccomp_rules {
        uint32_t architectures[SECCOMP_ARCHITECTURES]; /* as libseccomp, whose tables of names these are, calls them: x32 is one of its own */
        size_t n_architectures;
        struct seccomp_table tables[SECCOMP_ARCHITECTURES];
        size_t n_tables;
        struct seccomp_conditions *conditions;
};

/* -E2BIG: too many. Twice is once. */
int seccomp_rules_add_architecture(struct seccomp_rules *rules, uint32_t architecture);

/* A copy of at most SECCOMP_ARGUMENTS that lives as long as the rules; NULL: no memory. */
const struct seccomp_condition *seccomp_rules_keep(struct seccomp_rules *rules, const struct seccomp_condition *conditions, size_t n);

/*
 * One call, in every architecture that has it; the conditions are kept ones. `known`: it has no rule, but that the profile knows it counts.
 * -ENOMEM, -E2BIG.
 */
int seccomp_rules_add(struct seccomp_rules *rules, const char *name, bool known, uint32_t action, const struct seccomp_condition *conditions,
                      size_t n);

void seccomp_rules_free(struct seccomp_rules *rules);
