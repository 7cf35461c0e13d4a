/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>

/*
 * musl's memcpy for x86-64 begins a repeated string instruction however little there is to copy, which costs tens of cycles; jansson reads
 * and writes documents byte by byte through it. The linker sends calls of memcpy here (--wrap).
 */
void *__wrap_memcpy(void *restrict to, const void *restrict from, size_t n);

#define COPY_ENDS(type)                                                                                                                              \
        do {                                                                                                                                         \
                type first, last;                                                                                                                    \
                __builtin_memcpy(&first, source, sizeof first);                                                                                      \
                __builtin_memcpy(&last, source + n - sizeof last, sizeof last);                                                                      \
                __builtin_memcpy(target, &first, sizeof first);                                                                                      \
                __builtin_memcpy(target + n - sizeof last, &last, sizeof last);                                                                      \
        } while (0)

void *__wrap_memcpy(void *restrict to, const void *restrict from, size_t n) {
        unsigned char *target = to;
        const unsigned char *source = from;

        if (n > 32)
                __asm__ volatile("rep movsb" : "+D"(target), "+S"(source), "+c"(n) : : "memory");
        else if (n >= 16)
                COPY_ENDS(unsigned __int128);
        else if (n >= 8)
                COPY_ENDS(uint64_t);
        else if (n >= 4)
                COPY_ENDS(uint32_t);
        else if (n >= 2)
                COPY_ENDS(uint16_t);
        else if (n == 1)
                *target = *source;
        return to;
}
