/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/*
 * Debian builds its static libraries with _FORTIFY_SOURCE, whose checked calls musl does not have. The sizes that the callers
 * hand over are honoured here as glibc does: an overflow ends the program.
 */
int __snprintf_chk(char *text, size_t size, int flag, size_t room, const char *format, ...) __attribute__((format(printf, 5, 6)));
int __vsnprintf_chk(char *text, size_t size, int flag, size_t room, const char *format, va_list args) __attribute__((format(printf, 5, 0)));
int __fprintf_chk(FILE *stream, int flag, const char *format, ...) __attribute__((format(printf, 3, 4)));
char *__strncpy_chk(char *to, const char *from, size_t size, size_t room);
char *__strcpy_chk(char *to, const char *from, size_t room);
void *__memcpy_chk(void *to, const void *from, size_t size, size_t room);

int __vsnprintf_chk(char *text, size_t size, int flag, size_t room, const char *format, va_list args) {
        (void) flag;
        if (size > room)
                __builtin_trap();
        return vsnprintf(text, size, format, args);
}

int __snprintf_chk(char *text, size_t size, int flag, size_t room, const char *format, ...) {
        va_list args;

        (void) flag;
        if (size > room)
                __builtin_trap();
        va_start(args, format);
        int n = vsnprintf(text, size, format, args);
        va_end(args);
        return n;
}

int __fprintf_chk(FILE *stream, int flag, const char *format, ...) {
        va_list args;

        (void) flag;
        va_start(args, format);
        int n = vfprintf(stream, format, args);
        va_end(args);
        return n;
}

char *__strncpy_chk(char *to, const char *from, size_t size, size_t room) {
        if (size > room)
                __builtin_trap();
        return strncpy(to, from, size);
}

char *__strcpy_chk(char *to, const char *from, size_t room) {
        if (strlen(from) >= room)
                __builtin_trap();
        return strcpy(to, from);
}

void *__memcpy_chk(void *to, const void *from, size_t size, size_t room) {
        if (size > room)
                __builtin_trap();
        return memcpy(to, from, size);
}
