/* SPDX-License-Identifier: Apache-2.0 */
#include "memory.h"

#include <elf.h>
#include <link.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#define MEMORY_PAGE ((uintptr_t) 4096)
/* Deeper than anything here goes; below the mapped stack madvise(2) finds nothing, which is fine. */
#define MEMORY_STACK_DEPTH ((uintptr_t) 128 << 10)

static void memory_drop(uintptr_t start, uintptr_t end) {
        uintptr_t page = (uintptr_t) getauxval(AT_PAGESZ);
        page = page > 0 ? page : MEMORY_PAGE;
        start = (start + page - 1) & ~(page - 1);
        end &= ~(page - 1);
        if (start < end)
                (void) madvise((void *) start, end - start, MADV_DONTNEED);
}

void memory_give_back(void *start, size_t size) {
        memory_drop((uintptr_t) start, (uintptr_t) start + size);
}

static void memory_drop_program(void) {
        const ElfW(Phdr) *headers = (const ElfW(Phdr) *) getauxval(AT_PHDR);
        size_t n = getauxval(AT_PHNUM);
        for (size_t i = 0; headers && i < n; i++)
                if (headers[i].p_type == PT_LOAD && !(headers[i].p_flags & PF_W))
                        memory_drop(headers[i].p_vaddr, headers[i].p_vaddr + headers[i].p_memsz + MEMORY_PAGE - 1);
}

void memory_settle(void) {
        uintptr_t here = (uintptr_t) __builtin_frame_address(0);
        uintptr_t below = here - 2 * MEMORY_PAGE; /* our own frames, madvise's and a signal handler's */
        memory_drop(below - MEMORY_STACK_DEPTH, below);
        memory_drop_program();
}
