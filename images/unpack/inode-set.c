/* SPDX-License-Identifier: Apache-2.0 */
#include "inode-set.h"

#include <errno.h>
#include <stdlib.h>

static bool find(const struct inode_set *set, ino_t inode, size_t *ret_slot) {
        size_t at = (size_t) (inode * 0x9e3779b97f4a7c15ULL >> 20) & (set->capacity - 1);
        while (set->slots[at] != 0 && set->slots[at] != inode)
                at = (at + 1) & (set->capacity - 1);
        *ret_slot = at;
        return set->slots[at] == inode;
}

static int grow(struct inode_set *set, struct berth_error *err) {
        struct inode_set larger = {.capacity = set->capacity ? set->capacity * 2 : 1024, .used = set->used};
        larger.slots = calloc(larger.capacity, sizeof *larger.slots);
        if (!larger.slots)
                return berth_error_set(err, ENOMEM, "remember %zu files", set->used);
        size_t slot;
        for (size_t i = 0; i < set->capacity; i++)
                if (set->slots[i] != 0 && !find(&larger, set->slots[i], &slot))
                        larger.slots[slot] = set->slots[i];
        free(set->slots);
        *set = larger;
        return 0;
}

int inode_set_add(struct inode_set *set, ino_t inode, struct berth_error *err) {
        int r = set->used * 2 >= set->capacity ? grow(set, err) : 0;
        size_t slot;
        if (r < 0 || find(set, inode, &slot))
                return r;
        set->slots[slot] = inode;
        set->used++;
        return 0;
}

bool inode_set_has(const struct inode_set *set, ino_t inode) {
        size_t slot;
        return set->capacity > 0 && find(set, inode, &slot);
}
