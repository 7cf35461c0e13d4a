/* SPDX-License-Identifier: Apache-2.0 */
#include "log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static void log_text(FILE *stream, const char *text) {
        for (; *text; text++) {
                if (*text == '"' || *text == '\\')
                        (void) fputc('\\', stream);
                if (*text == '\n')
                        (void) fputs("\\n", stream);
                else
                        (void) fputc(*text, stream);
        }
}

static void log_line(FILE *stream, bool json, const char *level, const char *text) {
        time_t seconds = time(NULL);
        char now[32] = "";
        struct tm tm;

        if (gmtime_r(&seconds, &tm))
                (void) strftime(now, sizeof now, "%Y-%m-%dT%H:%M:%SZ", &tm);
        if (json) {
                json_t *line = json_pack("{s:s, s:s+, s:s}", "level", level, "msg", text, "", "time", now);
                if (!line) /* not UTF-8 */
                        line = json_pack("{s:s, s:s, s:s}", "level", level, "msg", "the error names something that is not UTF-8", "time", now);
                if (line)
                        (void) json_dumpf(line, stream, JSON_COMPACT);
                json_decref(line);
        } else {
                (void) fprintf(stream, "time=\"%s\" level=%s msg=\"", now, level);
                log_text(stream, text);
                (void) fputc('"', stream);
        }
        (void) fputc('\n', stream);
}

#define LOG_TEXT_MAX (ERROR_TEXT_SIZE + 64)   /* and the errno's words */
#define LOG_LINE_MAX (6 * LOG_TEXT_MAX + 128) /* each byte as \u00XX, and the keys */

/* In one write, so that lines of several verbs at once do not mix. */
static void log_write(const struct command *command, const char *level, const char *text) {
        char line[LOG_LINE_MAX] = "";
        FILE *memory = fmemopen(line, sizeof line, "w");

        if (!memory)
                return;
        log_line(memory, command->log_json, level, text);
        (void) fclose(memory);
        FILE *file = command->log ? fopen(command->log, "ae") : NULL, *stream = command->log ? file : stderr;
        if (stream)
                (void) fwrite(line, 1, strnlen(line, sizeof line), stream);
        if (file)
                (void) fclose(file);
}

void log_debug(const struct command *command, int argc, char **argv) {
        char text[LOG_TEXT_MAX];
        size_t used = 0;

        for (int i = 0; command->debug && i < argc && used < sizeof text; i++)
                used += (size_t) snprintf(text + used, sizeof text - used, "%s%s", i > 0 ? " " : "", argv[i]);
        if (command->debug)
                log_write(command, "debug", text);
}

void log_warning(const struct command *command, const char *text) {
        log_write(command, "warning", text);
}

/* Errors about documents and requests are complete sentences; the errno's words would only blur them. */
static bool log_is_complete(const struct berth_error *err) {
        switch (err->code) {
        case EINVAL:
        case EFBIG:
        case E2BIG:
        case EBADMSG:
        case EPROTONOSUPPORT:
                return true;
        default:
                return strcasestr(err->text, strerror(err->code)) || strstr(err->text, "exec: \"");
        }
}

void log_end(const struct command *command, const struct berth_error *err, int status) {
        char text[LOG_TEXT_MAX];

        if (err->code != 0) {
                bool complete = log_is_complete(err);
                (void) snprintf(text, sizeof text, "%s%s%s", err->text, complete ? "" : ": ", complete ? "" : strerror(err->code));
                if (command->log)
                        log_write(command, "error", text);
                (void) fprintf(stderr, "berth-runtime: %s\n", text);
        }
        if (command->debug) {
                (void) snprintf(text, sizeof text, "exit status %d", status);
                log_write(command, "debug", text);
        }
}
