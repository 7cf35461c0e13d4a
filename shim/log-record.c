/* SPDX-License-Identifier: Apache-2.0 */
#include "log-record.h"

#include <string.h>

static char *log_record_put(char *at, const char *text) {
        size_t size = strlen(text);
        memcpy(at, text, size);
        return at + size;
}

static bool log_record_is_plain(uint8_t byte) {
        return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\' && byte != '<' && byte != '>' && byte != '&';
}

/* Bytes of the UTF-8 sequence at the front, 0 when it is not one (overlong, surrogate, beyond U+10FFFF, cut off). */
static size_t log_record_sequence(const uint8_t *bytes, size_t size) {
        uint8_t first = bytes[0];
        size_t length = first >= 0xF0 && first <= 0xF4 ? 4 : first >= 0xE0 && first < 0xF0 ? 3 : first >= 0xC2 && first < 0xE0 ? 2 : 0;
        if (length == 0 || length > size)
                return 0;
        for (size_t i = 1; i < length; i++)
                if ((bytes[i] & 0xC0) != 0x80)
                        return 0;
        uint8_t second = bytes[1];
        if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) || (first == 0xF0 && second < 0x90) ||
            (first == 0xF4 && second > 0x8F))
                return 0;
        return length;
}

static char *log_record_escape(char *at, uint8_t byte) {
        static const char hex[] = "0123456789abcdef";
        *at++ = '\\';
        switch (byte) {
        case '"':
        case '\\':
                *at++ = (char) byte;
                return at;
        case '\n':
                *at++ = 'n';
                return at;
        case '\r':
                *at++ = 'r';
                return at;
        default: /* the tab too: Docker has no short form for it */
                at = log_record_put(at, "u00");
                *at++ = hex[byte >> 4];
                *at++ = hex[byte & 15];
                return at;
        }
}

static char *log_record_quote(char *at, const uint8_t *line, size_t size) {
        for (size_t i = 0; i < size;) {
                size_t start = i;
                while (i < size && log_record_is_plain(line[i]))
                        i++;
                memcpy(at, line + start, i - start);
                at += i - start;
                if (i == size)
                        break;
                if (line[i] < 0x80) {
                        at = log_record_escape(at, line[i++]);
                        continue;
                }
                size_t length = log_record_sequence(line + i, size - i);
                if (length == 0) {
                        at = log_record_put(at, "\\ufffd");
                        i++;
                        continue;
                }
                /* JavaScript ends lines at U+2028 and U+2029. */
                if (length == 3 && line[i] == 0xE2 && line[i + 1] == 0x80 && (line[i + 2] == 0xA8 || line[i + 2] == 0xA9)) {
                        at = log_record_put(at, line[i + 2] == 0xA8 ? "\\u2028" : "\\u2029");
                } else {
                        memcpy(at, line + i, length);
                        at += length;
                }
                i += length;
        }
        return at;
}

char *log_record_write(char *at, const uint8_t *line, size_t size, bool newline, const char *stream, const char *time) {
        at = log_record_put(at, "{\"log\":\"");
        at = log_record_quote(at, line, size);
        if (newline)
                at = log_record_put(at, "\\n");
        at = log_record_put(at, "\",\"stream\":\"");
        at = log_record_put(at, stream);
        at = log_record_put(at, "\",\"time\":\"");
        at = log_record_put(at, time);
        return log_record_put(at, "\"}\n");
}

char *log_record_write_cri(char *at, const uint8_t *line, size_t size, bool newline, const char *stream, const char *time) {
        at = log_record_put(at, time);
        *at++ = ' ';
        at = log_record_put(at, stream);
        at = log_record_put(at, newline ? " F " : " P ");
        if (size > 0)
                memcpy(at, line, size);
        at += size;
        *at++ = '\n';
        return at;
}

size_t log_record_size_cri(size_t size, const char *stream, const char *time) {
        return strlen(time) + strlen(stream) + size + 5;
}
