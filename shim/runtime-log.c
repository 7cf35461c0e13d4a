/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime-log.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct text {
        const char *at, *end;
};

static bool text_has(struct text line, const char *part) {
        return memmem(line.at, (size_t) (line.end - line.at), part, strlen(part)) != NULL;
}

/* 0xff where the digits are not hexadecimal or the character is not ASCII. */
static unsigned text_escaped(const char *digits, const char *end) {
        unsigned value = 0;
        if (end - digits < 4)
                return 0xff;
        for (unsigned i = 0; i < 4; i++) {
                unsigned digit = (unsigned char) digits[i];
                digit = digit >= '0' && digit <= '9' ? digit - '0' : (digit | 0x20) >= 'a' && (digit | 0x20) <= 'f' ? (digit | 0x20) - 'a' + 10 : 16;
                if (digit > 15)
                        return 0xff;
                value = value << 4 | digit;
        }
        return value < 0x80 ? value : 0xff;
}

static char text_unescape(struct text *from) {
        char kind = *from->at++;
        if (kind != 'u')
                return kind == 'n' || kind == 'r' || kind == 't' ? ' ' : kind;
        unsigned value = text_escaped(from->at, from->end);
        from->at = from->end - from->at < 4 ? from->end : from->at + 4;
        return value >= 0x20 && value != 0xff ? (char) value : '?';
}

static void text_copy(struct text from, char *ret, size_t capacity) {
        size_t used = 0;
        while (from.at < from.end && *from.at != '"' && used + 1 < capacity) {
                char byte = *from.at++;
                if (byte == '\\' && from.at < from.end)
                        byte = text_unescape(&from);
                ret[used++] = byte;
        }
        while (used > 0 && ret[used - 1] == ' ')
                used--;
        ret[used] = '\0';
}

void runtime_log_last_error(const char *log, size_t size, char *ret, size_t capacity) {
        const char *end = log + size;
        ret[0] = '\0';
        while (log < end) {
                const char *newline = memchr(log, '\n', (size_t) (end - log));
                struct text line = {.at = log, .end = newline ? newline : end};
                log = newline ? newline + 1 : end;
                if (!text_has(line, "\"level\":\"error\"") && !text_has(line, "\"level\":\"fatal\""))
                        continue;
                const char *message = memmem(line.at, (size_t) (line.end - line.at), "\"msg\":\"", 7);
                if (message)
                        text_copy((struct text){.at = message + 7, .end = line.end}, ret, capacity);
        }
}
