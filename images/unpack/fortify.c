/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>

/*
 * Debian's libz.a and libzstd.a are compiled against glibc with _FORTIFY_SOURCE and call its checking functions, which musl
 * does not have. The size of the destination is checked here as far as the caller gave it.
 */

int __vsnprintf_chk(char *to, size_t size, int flag, size_t known, const char *format, va_list args);
int __snprintf_chk(char *to, size_t size, int flag, size_t known, const char *format, ...);
int __fprintf_chk(FILE *file, int flag, const char *format, ...);

#pragma GCC diagnostic ignored "-Wformat-nonliteral"

int __vsnprintf_chk(char *to, size_t size, int flag, size_t known, const char *format, va_list args) {
        (void) flag;
        if (size > known)
                __builtin_trap();
        return vsnprintf(to, size, format, args);
}

int __snprintf_chk(char *to, size_t size, int flag, size_t known, const char *format, ...) {
        va_list args;
        va_start(args, format);
        int written = __vsnprintf_chk(to, size, flag, known, format, args);
        va_end(args);
        return written;
}

int __fprintf_chk(FILE *file, int flag, const char *format, ...) {
        (void) flag;
        va_list args;
        va_start(args, format);
        int written = vfprintf(file, format, args);
        va_end(args);
        return written;
}
