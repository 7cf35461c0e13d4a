/* SPDX-License-Identifier: Apache-2.0 */
#include "tree.h"

#include <errno.h>
#include <stdlib.h>

static int slot_of(const struct inode_set *set, ino_t inode, size_t *ret) {
        size_t at = (size_t) (inode * 0x9e3779b97f4a7c15ULL) & (set->capacity - 1);
        while (set->slots[at] != 0 && set->slots[at] != inode)
                at = (at + 1) & (set->capacity - 1);
        *ret = at;
        return set->slots[at] == inode;
}

int tree_remember(struct tree *tree, ino_t inode, struct berth_error *err) {
        struct inode_set *set = &tree->made;
        if (set->used * 2 >= set->capacity) {
                struct inode_set larger = {.capacity = set->capacity ? set->capacity * 2 : 1024, .used = set->used};
                larger.slots = calloc(larger.capacity, sizeof *larger.slots);
                if (!larger.slots)
                        return berth_error_set(err, ENOMEM, "remember what was unpacked");
                for (size_t i = 0, at; i < set->capacity; i++)
                        if (set->slots[i] != 0 && !slot_of(&larger, set->slots[i], &at))
                                larger.slots[at] = set->slots[i];
                free(set->slots);
                *set = larger;
        }
        size_t at;
        if (!slot_of(set, inode, &at)) {
                set->slots[at] = inode;
                set->used++;
        }
        return 0;
}

bool tree_has_made(const struct tree *tree, ino_t inode) {
        size_t at;
        return tree->made.capacity > 0 && slot_of(&tree->made, inode, &at);
}
