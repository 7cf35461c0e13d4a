/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <jansson.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct seccomp_reference {
        uint32_t action;
        bool open; /* nothing is to be compared */
};

/* The highest number of that architecture in the profile, which tells what calls the profile is too old to know; 0: none. */
int seccomp_reference_highest(json_t *profile, uint32_t architecture);
/* Reads the profile (runtime-spec config-linux.md#seccomp) for each call anew, with no thought of speed. It is one that was accepted. */
struct seccomp_reference seccomp_reference(json_t *profile, int highest, const struct seccomp_data *call);

/* A call's number by name on that architecture; negative: it has none. */
int seccomp_reference_number(uint32_t architecture, const char *name);
/* AUDIT_ARCH_* of the profile and this machine's own, which comes first. */
size_t seccomp_reference_architectures(json_t *profile, uint32_t *ret, size_t capacity);
