/* SPDX-License-Identifier: Apache-2.0 */
#include "known-digests.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST_FILES = 1 << 20 };

void known_digests_init(struct known_digests *known) {
        *known = (struct known_digests){0};
        sha256_init(&known->blank);
}

/* The inode's slot, or the free one where it belongs. */
static struct known_inode *slot_of(const struct known_digests *known, ino_t inode) {
        size_t at = (size_t) (inode * 0x9e3779b97f4a7c15ULL >> 20) & (known->capacity - 1);
        while (known->slots[at].inode != 0 && known->slots[at].inode != inode)
                at = (at + 1) & (known->capacity - 1);
        return &known->slots[at];
}

static int grow(struct known_digests *known, struct berth_error *err) {
        struct known_digests larger = {.blank = known->blank, .capacity = known->capacity ? known->capacity * 2 : 1024, .used = known->used};
        larger.slots = calloc(larger.capacity, sizeof *larger.slots);
        if (!larger.slots)
                return berth_error_set(err, ENOMEM, "remember the digests of %zu files", known->used);
        for (size_t i = 0; i < known->capacity; i++)
                if (known->slots[i].inode != 0)
                        *slot_of(&larger, known->slots[i].inode) = known->slots[i];
        free(known->slots);
        *known = larger;
        return 0;
}

static struct known_inode *find(const struct known_digests *known, ino_t inode) {
        struct known_inode *slot = known->capacity > 0 ? slot_of(known, inode) : NULL;
        return slot && slot->inode == inode ? slot : NULL;
}

int known_digests_put(struct known_digests *known, const struct stat *st, const uint8_t digest[32], struct berth_error *err) {
        struct known_inode *slot = find(known, st->st_ino);
        if (!slot) {
                if (S_ISREG(st->st_mode) && known->used >= MOST_FILES)
                        return 0;
                int r = known->used * 2 >= known->capacity ? grow(known, err) : 0;
                if (r < 0)
                        return r;
                slot = slot_of(known, st->st_ino);
                known->used++;
        }
        *slot = (struct known_inode){.inode = st->st_ino, .mode = st->st_mode, .uid = st->st_uid, .gid = st->st_gid, .size = (uint64_t) st->st_size};
        if (digest)
                memcpy(slot->digest, digest, sizeof slot->digest);
        return 0;
}

void known_digests_forget(struct known_digests *known, ino_t inode) {
        struct known_inode *slot = find(known, inode);
        if (slot)
                slot->mode = 0;
}

const struct known_inode *known_digests_find(const struct known_digests *known, ino_t inode, mode_t kind) {
        const struct known_inode *slot = find(known, inode);
        return slot && (slot->mode & S_IFMT) == kind ? slot : NULL;
}
