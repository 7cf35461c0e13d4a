/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "error.h"

#define JSON_SIZE_MAX (4U << 20)
#define JSON_DEPTH_MAX 64
#define JSON_ITEMS_MAX 65536

/*
 * Strict reading: size, depth and duplicate keys are limited, and every complaint names its place: "process.args[0]: expected a
 * string". A place knows the places above it, which outlive it on the stack.
 */
struct json_at {
        const struct json_at *up;
        const char *key; /* of a member; NULL: item `index` of a list, or the document */
        size_t index;
        json_t *value;
};

/* Parses a whole document that must be an object; the caller json_decref()s *ret. `name` is what errors call it. */
int json_parse(const char *text, size_t size, const char *name, json_t **ret, struct berth_error *err);

/* "<path>: <complaint>", -EINVAL. */
int json_fail(const struct json_at *at, struct berth_error *err, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Is there such a member (null counts as none)? at->value may be of any type; only objects have members. */
bool json_member(const struct json_at *at, const char *key, struct json_at *ret);
/* The same, where being absent is an error. */
int json_required(const struct json_at *at, const char *key, struct json_at *ret, struct berth_error *err);

int json_check_object(const struct json_at *at, struct berth_error *err);
int json_list(const struct json_at *at, size_t *ret_n, struct berth_error *err);
struct json_at json_item(const struct json_at *list, size_t index);
int json_text(const struct json_at *at, const char **ret, struct berth_error *err);
int json_truth(const struct json_at *at, bool *ret, struct berth_error *err);
/* An integer that no int64_t holds, but a uint64_t does. */
bool json_large(const struct json_at *at, uint64_t *ret);
int json_number(const struct json_at *at, int64_t min, int64_t max, int64_t *ret, struct berth_error *err);

/* Texts that stand for a number; the last one has no name. */
struct json_word {
        const char *name;
        uint32_t value;
};
/* `what` is what errors call one that is none of them. */
int json_word(const struct json_at *at, const struct json_word *words, const char *what, uint32_t *ret, struct berth_error *err);
/* NULL behind the last. */
const char *json_word_at(const struct json_word *words, size_t index);

/* An optional member in one call: the output is untouched when the member is absent. */
int json_text_member(const struct json_at *at, const char *key, const char **ret, struct berth_error *err);
int json_truth_member(const struct json_at *at, const char *key, bool *ret, struct berth_error *err);
int json_number_member(const struct json_at *at, const char *key, int64_t min, int64_t max, int64_t *ret, struct berth_error *err);
/* A list of that name; *ret_n is 0 when it is absent. */
int json_list_member(const struct json_at *at, const char *key, struct json_at *ret, size_t *ret_n, struct berth_error *err);

/* The values of all words in such a list, or'ed into *ret. */
int json_flags_member(const struct json_at *at, const char *key, const struct json_word *words, uint32_t *ret, struct berth_error *err);

/* The text, to be freed; NULL without memory. json_dumps() leaves keys out when memory ends while it writes. */
char *json_write(const json_t *value, size_t flags);
