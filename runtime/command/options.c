/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reader {
        const struct syntax *syntax;
        int argc, at;
        char **argv;
        struct berth_error *err;
};

static int options_fail(const struct reader *reader, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int options_fail(const struct reader *reader, const char *format, ...) {
        char text[256];
        va_list args;

        va_start(args, format);
        (void) vsnprintf(text, sizeof text, format, args);
        va_end(args);
        const char *verb = reader->syntax->verb;
        return berth_error_set(reader->err, EINVAL, "%s%s%s", verb ? verb : "", verb ? ": " : "", text);
}

static const struct option *options_find(const struct syntax *syntax, const char *name, size_t size) {
        for (size_t i = 0; i < syntax->n; i++)
                if (strncmp(syntax->options[i].name, name, size) == 0 && syntax->options[i].name[size] == '\0')
                        return &syntax->options[i];
        return NULL;
}

static const struct option *options_find_letter(const struct syntax *syntax, char letter) {
        for (size_t i = 0; i < syntax->n; i++)
                if (syntax->options[i].letter == letter)
                        return &syntax->options[i];
        return NULL;
}

static int options_append(const struct reader *reader, struct option_list *list, const char *value) {
        if (!list->items) /* there cannot be more of them than words */
                list->items = calloc((size_t) reader->argc, sizeof *list->items);
        if (!list->items)
                return berth_error_set(reader->err, ENOMEM, "memory for options");
        list->items[list->n++] = value;
        return 0;
}

static int options_truth(const char *value, bool *ret) {
        static const char *const words[] = {"true", "1", "t", "T", "TRUE", "True", "false", "0", "f", "F", "FALSE", "False"};

        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
                if (strcmp(words[i], value) == 0) {
                        *ret = i < sizeof words / sizeof *words / 2;
                        return 0;
                }
        return -EINVAL;
}

static int options_store(const struct reader *reader, const struct option *option, const char *value) {
        char *end;

        switch (option->kind) {
        case OPTION_FLAG:
                if (options_truth(value, option->value) < 0)
                        return options_fail(reader, "'%s' is neither true nor false", value);
                return 0;
        case OPTION_TEXT:
                *(const char **) option->value = value;
                return 0;
        case OPTION_NUMBER:
                errno = 0;
                *(int64_t *) option->value = strtoll(value, &end, 10);
                if (errno != 0 || end == value || *end)
                        return options_fail(reader, "'%s' is not a number", value);
                return 0;
        case OPTION_LIST:
                return options_append(reader, option->value, value);
        }
        return -EINVAL;
}

/* Its value is behind the equals sign, or the next word. */
static int options_long(struct reader *reader, const struct option *option, const char *equals) {
        const char *value = equals ? equals + 1 : NULL;

        if (option->kind == OPTION_FLAG)
                return options_store(reader, option, value ? value : "true");
        if (!value && reader->at + 1 < reader->argc)
                value = reader->argv[++reader->at];
        return value ? options_store(reader, option, value) : options_fail(reader, "option '--%s' needs a value", option->name);
}

static int options_letters(struct reader *reader, const char *word) {
        for (const char *at = word + 1; *at; at++) {
                const struct option *option = options_find_letter(reader->syntax, *at);
                if (!option)
                        return options_fail(reader, "unknown option '%s'", word);
                if (at[1] == '=')
                        return options_long(reader, option, at + 1);
                if (option->kind != OPTION_FLAG)
                        return at[1] ? options_store(reader, option, at + 1) : options_long(reader, option, NULL);
                (void) options_store(reader, option, "true");
        }
        return 0;
}

static void options_help(const struct syntax *syntax) {
        (void) printf("Usage: berth-runtime %s%s[OPTION]... %s\n", syntax->verb ? syntax->verb : "", syntax->verb ? " " : "", syntax->arguments);
        for (size_t i = 0; i < syntax->n; i++) {
                const struct option *option = &syntax->options[i];
                char left[64];
                (void) snprintf(left, sizeof left, "%c%c%c --%s%s%s", option->letter ? '-' : ' ', option->letter ? option->letter : ' ',
                                option->letter ? ',' : ' ', option->name, option->metavar ? " " : "", option->metavar ? option->metavar : "");
                (void) printf("%s  %-34s %s\n", i == 0 ? "\n" : "", left, option->help);
        }
}

static int options_one(struct reader *reader) {
        const char *word = reader->argv[reader->at];
        const char *name = word[1] == '-' ? word + 2 : word + 1;
        const char *equals = strchr(name, '=');
        const struct option *option = options_find(reader->syntax, name, equals ? (size_t) (equals - name) : strlen(name));

        if (strcmp(word, "--help") == 0 || strcmp(word, "-help") == 0 || (strcmp(word, "-h") == 0 && !options_find_letter(reader->syntax, 'h'))) {
                options_help(reader->syntax);
                return 1;
        }
        if (option)
                return options_long(reader, option, equals);
        return word[1] == '-' ? options_fail(reader, "unknown option '%s'", word) : options_letters(reader, word);
}

int options_parse(const struct syntax *syntax, int argc, char **argv, struct arguments *ret, struct berth_error *err) {
        struct reader reader = {.syntax = syntax, .argc = argc, .at = 1, .argv = argv, .err = err};
        bool ended = false;
        int n = 0;

        for (; reader.at < argc; reader.at++) {
                char *word = argv[reader.at];
                if (!ended && strcmp(word, "--") == 0) {
                        ended = true;
                } else if (ended || word[0] != '-' || word[1] == '\0') {
                        argv[n++] = word;
                        ended = ended || syntax->in_order;
                } else {
                        int r = options_one(&reader);
                        if (r != 0)
                                return r;
                }
        }
        argv[n] = NULL;
        *ret = (struct arguments){.n = n, .words = argv};
        if (n >= syntax->min && (syntax->max < 0 || n <= syntax->max))
                return 0;
        return berth_error_set(err, EINVAL, "%s: %s arguments; usage: berth-runtime %s [OPTION]... %s", syntax->verb,
                               n < syntax->min ? "too few" : "too many", syntax->verb, syntax->arguments);
}

void option_list_free(struct option_list *list) {
        free(list->items);
        *list = (struct option_list){0};
}
