/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

#define SECCOMP_ARGUMENTS 6
#define SECCOMP_X32_BIT 0x40000000U /* numbers from here on are of the x32 ABI, a table of its own */

enum seccomp_operator {
        SECCOMP_NOT_EQUAL,
        SECCOMP_LESS,
        SECCOMP_LESS_EQUAL,
        SECCOMP_EQUAL,
        SECCOMP_GREATER_EQUAL,
        SECCOMP_GREATER,
        SECCOMP_MASKED_EQUAL, /* (argument & value) == two */
};

struct seccomp_condition {
        uint32_t argument;
        enum seccomp_operator op;
        uint64_t value, two;
};

/* What a call is answered when all conditions hold. */
struct seccomp_rule {
        uint32_t number, action;
        uint32_t n_conditions;
        const struct seccomp_condition *conditions;
};

/* The rules of one AUDIT_ARCH_*. x32's are x86_64's with high numbers. */
struct seccomp_table {
        uint32_t token;
        bool x32;         /* x86_64: such numbers are allowed at all */
        uint32_t highest; /* number that the profile knows, but for outlying ones; 0: none */
        struct seccomp_rule *rules;
        size_t n_rules, capacity;
};

/*
 * Writes the filter: numbers are found by halving, conditions compare all 64 bits (32 on a machine of 32). Of several rules for one call the
 * one without conditions answers, else the first whose conditions hold. A call newer than the whole profile answers ENOSYS, not an errno
 * by default: programs try the new call and fall back on ENOSYS only. Other machines' calls kill. Sorts the rules. -E2BIG: more than
 * BPF_MAXINSNS, -ENOBUFS: more than `capacity` bytes.
 */
int seccomp_filter_write(struct seccomp_table *tables, size_t n, uint32_t default_action, void *filter, size_t capacity, size_t *ret_size,
                         struct berth_error *err);
