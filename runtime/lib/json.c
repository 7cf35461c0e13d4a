/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"

#define JSON_PATH_MAX 256
#define JSON_EXACT_MAX 9007199254740992.0 /* 2^53: below it a double holds every integer */
#define JSON_LARGE "2^63+"                /* the only member of what stands for an integer that jansson's cannot hold */

/* jansson recurses once for each level, so the depth is looked at first. */
static int json_check_depth(const char *text, size_t size, const char *name, struct berth_error *err) {
        bool quoted = false;
        unsigned depth = 0;

        for (size_t i = 0; i < size; i++) {
                char c = text[i];
                if (quoted) {
                        if (c == '\\')
                                i++;
                        else if (c == '"')
                                quoted = false;
                } else if (c == '"') {
                        quoted = true;
                } else if (c == '{' || c == '[') {
                        if (++depth > JSON_DEPTH_MAX)
                                return berth_error_set(err, EINVAL, "%s: nested more than %d levels deep", name, JSON_DEPTH_MAX);
                } else if ((c == '}' || c == ']') && depth > 0) {
                        depth--;
                }
        }
        return 0;
}

/* The text with {"2^63+": n} for every integer from 2^63 to 2^64 - 1. No member of a document has that name. */
static char *json_mark_large(const char *text, size_t size, size_t *ret_size) {
        char *marked = malloc(2 * size + 64), *out = marked; /* 28 bytes come in place of 19, 29 in place of 20 */
        bool quoted = false;

        for (size_t i = 0, n; marked && i < size; i += n) {
                char word[24] = "", *end;
                for (n = 0; !quoted && i + n < size && strchr("+-.0123456789Ee", text[i + n]) && text[i + n]; n++)
                        if (n < sizeof word - 1)
                                word[n] = text[i + n];
                errno = 0;
                uint64_t value = n >= 19 && n < sizeof word && word[0] >= '1' && word[0] <= '9' ? strtoull(word, &end, 10) : 0;
                if (value > INT64_MAX && errno == 0 && *end == '\0') {
                        out += sprintf(out, "{\"" JSON_LARGE "\":%llu}", (unsigned long long) (value - INT64_MAX - 1));
                        continue;
                }
                if (n == 0) {
                        n = quoted && text[i] == '\\' && i + 1 < size ? 2 : 1;
                        quoted ^= text[i] == '"';
                }
                out = (char *) memcpy(out, text + i, n) + n;
        }
        *ret_size = marked ? (size_t) (out - marked) : 0;
        return marked;
}

static json_t *json_load(const char *text, size_t size, json_error_t *problem) {
        json_t *document = json_loadb(text, size, JSON_REJECT_DUPLICATES, problem);

        /* "Unlimited" is often written as 2^64-1, more than jansson's integers hold. */
        if (document || json_error_code(problem) != json_error_numeric_overflow)
                return document;
        size_t marked_size;
        _cleanup_free_ char *marked = json_mark_large(text, size, &marked_size);
        document = marked ? json_loadb(marked, marked_size, JSON_REJECT_DUPLICATES, problem) : NULL;
        /* What is larger still is read as a real, so that its place is named. */
        return document ? document : json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, problem);
}

int json_parse(const char *text, size_t size, const char *name, json_t **ret, struct berth_error *err) {
        json_error_t problem;

        if (size > JSON_SIZE_MAX)
                return berth_error_set(err, EFBIG, "%s: larger than %u bytes", name, JSON_SIZE_MAX);
        int r = json_check_depth(text, size, name, err);
        if (r < 0)
                return r;
        json_t *document = json_load(text, size, &problem);
        if (!document)
                return berth_error_set(err, EINVAL, "%s: line %d, column %d: %s", name, problem.line, problem.column, problem.text);
        if (!json_is_object(document)) {
                json_decref(document);
                return berth_error_set(err, EINVAL, "%s: expected an object", name);
        }
        *ret = document;
        return 0;
}

static size_t json_path(const struct json_at *at, char *path, size_t capacity) {
        size_t used = at->up ? json_path(at->up, path, capacity) : 0;
        int n = 0;

        if (used + 1 >= capacity)
                return used;
        if (at->key)
                n = snprintf(path + used, capacity - used, "%s%s", used > 0 ? "." : "", at->key);
        else if (at->up)
                n = snprintf(path + used, capacity - used, "[%zu]", at->index);
        return n < 0 ? used : used + (size_t) n < capacity ? used + (size_t) n : capacity - 1;
}

int json_fail(const struct json_at *at, struct berth_error *err, const char *format, ...) {
        char path[JSON_PATH_MAX] = "", text[256];
        va_list args;

        (void) json_path(at, path, sizeof path);
        va_start(args, format);
        (void) vsnprintf(text, sizeof text, format, args);
        va_end(args);
        return berth_error_set(err, EINVAL, "%s%s%s", path, *path ? ": " : "", text);
}

bool json_member(const struct json_at *at, const char *key, struct json_at *ret) {
        json_t *value = json_object_get(at->value, key);

        *ret = (struct json_at){.up = at, .key = key, .value = value};
        return value && !json_is_null(value);
}

int json_required(const struct json_at *at, const char *key, struct json_at *ret, struct berth_error *err) {
        return json_member(at, key, ret) ? 0 : json_fail(ret, err, "is missing");
}

int json_check_object(const struct json_at *at, struct berth_error *err) {
        return json_is_object(at->value) && !json_object_get(at->value, JSON_LARGE) ? 0 : json_fail(at, err, "expected an object");
}

int json_list(const struct json_at *at, size_t *ret_n, struct berth_error *err) {
        if (!json_is_array(at->value))
                return json_fail(at, err, "expected a list");
        if (json_array_size(at->value) > JSON_ITEMS_MAX)
                return json_fail(at, err, "more than %d items", JSON_ITEMS_MAX);
        *ret_n = json_array_size(at->value);
        return 0;
}

struct json_at json_item(const struct json_at *list, size_t index) {
        return (struct json_at){.up = list, .index = index, .value = json_array_get(list->value, index)};
}

int json_text(const struct json_at *at, const char **ret, struct berth_error *err) {
        if (!json_is_string(at->value))
                return json_fail(at, err, "expected a string");
        *ret = json_string_value(at->value);
        return 0;
}

int json_truth(const struct json_at *at, bool *ret, struct berth_error *err) {
        if (!json_is_boolean(at->value))
                return json_fail(at, err, "expected true or false");
        *ret = json_is_true(at->value);
        return 0;
}

int json_number(const struct json_at *at, int64_t min, int64_t max, int64_t *ret, struct berth_error *err) {
        int64_t value;

        if (json_is_integer(at->value)) {
                value = json_integer_value(at->value);
        } else {
                double real = json_is_real(at->value) ? json_real_value(at->value) : JSON_EXACT_MAX;
                if (real <= -JSON_EXACT_MAX || real >= JSON_EXACT_MAX || (double) (int64_t) real < real || (double) (int64_t) real > real)
                        return json_fail(at, err, "expected an integer");
                value = (int64_t) real;
        }
        if (value < min || value > max)
                return json_fail(at, err, "%lld is not between %lld and %lld", (long long) value, (long long) min, (long long) max);
        *ret = value;
        return 0;
}

bool json_large(const struct json_at *at, uint64_t *ret) {
        const json_t *rest = json_object_get(at->value, JSON_LARGE);

        if (!json_is_integer(rest) || json_integer_value(rest) < 0)
                return false;
        *ret = (uint64_t) json_integer_value(rest) + INT64_MAX + 1;
        return true;
}

int json_word(const struct json_at *at, const struct json_word *words, const char *what, uint32_t *ret, struct berth_error *err) {
        const char *name = NULL;

        int r = json_text(at, &name, err);
        if (r < 0)
                return r;
        for (; words->name; words++)
                if (strcmp(words->name, name) == 0) {
                        *ret = words->value;
                        return 0;
                }
        return json_fail(at, err, "unknown %s '%s'", what, name);
}

const char *json_word_at(const struct json_word *words, size_t index) {
        while (index > 0 && words->name) {
                words++;
                index--;
        }
        return words->name;
}

int json_text_member(const struct json_at *at, const char *key, const char **ret, struct berth_error *err) {
        struct json_at member;
        return json_member(at, key, &member) ? json_text(&member, ret, err) : 0;
}

int json_truth_member(const struct json_at *at, const char *key, bool *ret, struct berth_error *err) {
        struct json_at member;
        return json_member(at, key, &member) ? json_truth(&member, ret, err) : 0;
}

int json_number_member(const struct json_at *at, const char *key, int64_t min, int64_t max, int64_t *ret, struct berth_error *err) {
        struct json_at member;
        return json_member(at, key, &member) ? json_number(&member, min, max, ret, err) : 0;
}

int json_list_member(const struct json_at *at, const char *key, struct json_at *ret, size_t *ret_n, struct berth_error *err) {
        *ret_n = 0;
        return json_member(at, key, ret) ? json_list(ret, ret_n, err) : 0;
}

int json_flags_member(const struct json_at *at, const char *key, const struct json_word *words, uint32_t *ret, struct berth_error *err) {
        struct json_at list;
        size_t n;

        int r = json_list_member(at, key, &list, &n, err);
        for (size_t i = 0; r == 0 && i < n; i++) {
                struct json_at item = json_item(&list, i);
                uint32_t flag = 0;
                r = json_word(&item, words, "flag", &flag, err);
                *ret |= flag;
        }
        return r;
}

char *json_write(const json_t *value, size_t flags) {
        size_t size = json_dumpb(value, NULL, 0, flags);
        char *text = size > 0 ? malloc(size + 1) : NULL;

        if (text)
                text[json_dumpb(value, text, size, flags)] = '\0';
        return text;
}
