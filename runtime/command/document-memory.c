/* SPDX-License-Identifier: Apache-2.0 */
#include "document-memory.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#define PIECE_SIZE ((size_t) 128 << 10)
#define ALIGNMENT _Alignof(max_align_t)

static struct {
        unsigned char *at;
        size_t left;
} piece;

/* The kernel gives all pages of it at once, which is cheaper than a page fault for each. */
static void *piece_map(size_t size) {
        void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
        return memory == MAP_FAILED ? NULL : memory;
}

static void *document_take(size_t size) {
        if (size > PTRDIFF_MAX)
                return NULL;
        size = (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
        if (size > PIECE_SIZE / 4)
                return piece_map(size);
        if (size > piece.left) {
                unsigned char *memory = piece_map(PIECE_SIZE);
                if (!memory)
                        return NULL;
                piece.at = memory;
                piece.left = PIECE_SIZE;
        }
        void *taken = piece.at;
        piece.at += size;
        piece.left -= size;
        return taken;
}

static void document_give(void *memory) {
        (void) memory;
}

void document_memory_keep(void) {
        json_set_alloc_funcs(document_take, document_give);
}
