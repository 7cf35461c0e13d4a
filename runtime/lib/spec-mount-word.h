/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Which part of a mount a word of its options is about. */
enum spec_mount_kind {
        SPEC_MOUNT_ATTRIBUTE,   /* MOUNT_ATTR_* of the mount */
        SPEC_MOUNT_RECURSIVE,   /* and of all below it */
        SPEC_MOUNT_PROPAGATION, /* set: MS_* */
        SPEC_MOUNT_FLAG,        /* set: enum plan_mount_flags */
        SPEC_MOUNT_SUPER,       /* of the file system, as fsconfig(2) knows it */
        SPEC_MOUNT_NOTHING,     /* what a mount by fsopen(2) does anyway */
};

struct spec_mount_word {
        const char *word;
        enum spec_mount_kind kind;
        uint64_t set, clear;
};

/* NULL: a word of the file system itself. */
const struct spec_mount_word *spec_mount_word_find(const char *word);
