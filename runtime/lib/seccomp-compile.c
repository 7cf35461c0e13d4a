/* SPDX-License-Identifier: Apache-2.0 */
#include "seccomp-compile.h"

#include <errno.h>
#include <linux/audit.h>
#include <seccomp.h>
#include <string.h>

#include "json.h"
#include "seccomp-rules.h"

#define SECCOMP_ERRNO_MAX 4095 /* the kernel's MAX_ERRNO */

static void cleanup_profile(json_t **value) {
        json_decref(*value);
}

struct seccomp_build {
        uint32_t default_action;
        struct seccomp_rules rules;
};

static void cleanup_build(struct seccomp_build *build) {
        seccomp_rules_free(&build->rules);
}

/* Those with a number of their own (an errno, a tracer's message) have it in the lower half. */
static const struct json_word seccomp_actions[] = {
        {"SCMP_ACT_ALLOW", SCMP_ACT_ALLOW},
        {"SCMP_ACT_ERRNO", SCMP_ACT_ERRNO(0)},
        {"SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD},
        {"SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS},
        {"SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD},
        {"SCMP_ACT_LOG", SCMP_ACT_LOG},
        {"SCMP_ACT_NOTIFY", SCMP_ACT_NOTIFY},
        {"SCMP_ACT_TRACE", SCMP_ACT_TRACE(0)},
        {"SCMP_ACT_TRAP", SCMP_ACT_TRAP},
        {NULL, 0},
};

static const struct json_word seccomp_operators[] = {
        {"SCMP_CMP_NE", SECCOMP_NOT_EQUAL},           {"SCMP_CMP_LT", SECCOMP_LESS},
        {"SCMP_CMP_LE", SECCOMP_LESS_EQUAL},          {"SCMP_CMP_EQ", SECCOMP_EQUAL},
        {"SCMP_CMP_GE", SECCOMP_GREATER_EQUAL},       {"SCMP_CMP_GT", SECCOMP_GREATER},
        {"SCMP_CMP_MASKED_EQ", SECCOMP_MASKED_EQUAL}, {NULL, 0},
};

/* All that the runtime-spec names. The library knows those that this machine can run, among others. */
static const char *const seccomp_architecture_names[] = {
        "SCMP_ARCH_X86",         "SCMP_ARCH_X86_64", "SCMP_ARCH_X32",    "SCMP_ARCH_ARM",       "SCMP_ARCH_AARCH64", "SCMP_ARCH_LOONGARCH64",
        "SCMP_ARCH_M68K",        "SCMP_ARCH_MIPS",   "SCMP_ARCH_MIPS64", "SCMP_ARCH_MIPS64N32", "SCMP_ARCH_MIPSEL",  "SCMP_ARCH_MIPSEL64",
        "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PPC",    "SCMP_ARCH_PPC64",  "SCMP_ARCH_PPC64LE",   "SCMP_ARCH_S390",    "SCMP_ARCH_S390X",
        "SCMP_ARCH_SH",          "SCMP_ARCH_SHEB",   "SCMP_ARCH_PARISC", "SCMP_ARCH_PARISC64",  "SCMP_ARCH_RISCV64", NULL,
};

const char *seccomp_action_at(size_t index) {
        return json_word_at(seccomp_actions, index);
}

const char *seccomp_operator_at(size_t index) {
        return json_word_at(seccomp_operators, index);
}

const char *seccomp_architecture_at(size_t index) {
        return index < sizeof seccomp_architecture_names / sizeof *seccomp_architecture_names ? seccomp_architecture_names[index] : NULL;
}

/* The action under `key`, with the number under `number_key` where it takes one. */
static int seccomp_action(const struct json_at *up, const char *key, const char *number_key, uint32_t *ret, struct berth_error *err) {
        int64_t number = EPERM;
        struct json_at at;
        uint32_t action = 0;

        int r = json_required(up, key, &at, err);
        if (r == 0)
                r = json_word(&at, seccomp_actions, "action", &action, err);
        if (r == 0)
                r = json_number_member(up, number_key, 0, action == SCMP_ACT_TRACE(0) ? UINT16_MAX : SECCOMP_ERRNO_MAX, &number, err);
        if (r == 0)
                *ret = action == SCMP_ACT_ERRNO(0) || action == SCMP_ACT_TRACE(0) ? action | (uint32_t) number : action;
        return r;
}

/* What is below zero is the same number without a sign. */
static int seccomp_value(const struct json_at *arg, const char *key, uint64_t *ret, struct berth_error *err) {
        struct json_at at;
        int64_t value = 0;

        if (!json_member(arg, key, &at))
                return 0;
        if (json_large(&at, ret))
                return 0;
        int r = json_number(&at, INT64_MIN, INT64_MAX, &value, err);
        if (r == 0)
                *ret = (uint64_t) value;
        return r;
}

static int seccomp_arguments(const struct json_at *entry, struct seccomp_condition *args, size_t *ret_n, bool *ret_alternatives,
                             struct berth_error *err) {
        unsigned seen[SECCOMP_ARGUMENTS] = {0};
        struct json_at list;
        size_t n;

        *ret_alternatives = false;
        int r = json_list_member(entry, "args", &list, &n, err);
        if (r == 0 && n > SECCOMP_ARGUMENTS)
                return json_fail(&list, err, "more than %d conditions", SECCOMP_ARGUMENTS);
        for (size_t i = 0; r == 0 && i < n; i++) {
                struct json_at item = json_item(&list, i), op;
                int64_t index = 0;
                args[i] = (struct seccomp_condition){0};
                r = json_check_object(&item, err);
                if (r == 0)
                        r = json_number_member(&item, "index", 0, SECCOMP_ARGUMENTS - 1, &index, err);
                if (r == 0)
                        r = seccomp_value(&item, "value", &args[i].value, err);
                if (r == 0)
                        r = seccomp_value(&item, "valueTwo", &args[i].two, err);
                if (r == 0)
                        r = json_required(&item, "op", &op, err);
                uint32_t comparison = 0;
                if (r == 0)
                        r = json_word(&op, seccomp_operators, "operator", &comparison, err);
                if (r < 0)
                        return r;
                args[i].op = (enum seccomp_operator) comparison;
                args[i].argument = (uint32_t) index;
                if (seen[index]++ > 0)
                        *ret_alternatives = true;
        }
        *ret_n = n;
        return r;
}

static int seccomp_add(struct seccomp_build *build, const struct json_at *at, const char *name, uint32_t action,
                       const struct seccomp_condition *conditions, size_t n, struct berth_error *err) {
        /* What is the default anyhow needs no rule. */
        int r = seccomp_rules_add(&build->rules, name, action == build->default_action, action, conditions, n);
        if (r == -E2BIG)
                return json_fail(at, err, "more than %d rules", SECCOMP_RULES_MAX);
        return r < 0 ? berth_error_set(err, -r, "memory for a seccomp filter") : 0;
}

static int seccomp_entry(struct seccomp_build *build, const struct json_at *entry, struct berth_error *err) {
        struct seccomp_condition args[SECCOMP_ARGUMENTS];
        const struct seccomp_condition *kept = NULL;
        struct json_at list;
        bool alternatives = false;
        uint32_t action = 0;
        size_t n_names = 0, n_args = 0;

        int r = json_check_object(entry, err);
        if (r == 0)
                r = seccomp_action(entry, "action", "errnoRet", &action, err);
        if (r == 0)
                r = seccomp_arguments(entry, args, &n_args, &alternatives, err);
        if (r == 0)
                r = json_required(entry, "names", &list, err);
        if (r == 0)
                r = json_list(&list, &n_names, err);
        if (r == 0 && n_args > 0) {
                kept = seccomp_rules_keep(&build->rules, args, n_args);
                if (!kept)
                        return berth_error_set(err, ENOMEM, "memory for a seccomp filter");
        }
        for (size_t i = 0; r == 0 && i < n_names; i++) {
                struct json_at item = json_item(&list, i);
                const char *name = NULL;
                r = json_text(&item, &name, err);
                if (r < 0)
                        return r;
                if (action == SCMP_ACT_NOTIFY && (strcmp(name, "write") == 0 || strcmp(name, "sendmsg") == 0))
                        return json_fail(&item, err, "'%s' cannot be notified: the listener itself comes to the agent by it", name);
                /* Several conditions on one argument are alternatives. */
                for (size_t j = 0; alternatives && r == 0 && j < n_args; j++)
                        r = seccomp_add(build, &item, name, action, &kept[j], 1, err);
                if (!alternatives)
                        r = seccomp_add(build, &item, name, action, kept, n_args, err);
        }
        return r;
}

static int seccomp_architectures(struct seccomp_build *build, const struct json_at *profile, struct berth_error *err) {
        struct json_at list;
        size_t n;

        (void) seccomp_rules_add_architecture(&build->rules, seccomp_arch_native());
        int r = json_list_member(profile, "architectures", &list, &n, err);
        for (size_t i = 0; r == 0 && i < n; i++) {
                struct json_at item = json_item(&list, i);
                const char *name = NULL;
                char lower[32];
                r = json_text(&item, &name, err);
                if (r < 0)
                        return r;
                size_t at = 0, size = strlen(name);
                while (seccomp_architecture_names[at] && strcmp(seccomp_architecture_names[at], name) != 0)
                        at++;
                if (!seccomp_architecture_names[at])
                        return json_fail(&item, err, "unknown architecture '%s'", name);
                for (size_t j = 10; j <= size; j++)
                        lower[j - 10] = (char) (name[j] >= 'A' && name[j] <= 'Z' ? name[j] - 'A' + 'a' : name[j]);
                uint32_t token = seccomp_arch_resolve_name(lower);
                /* A filter kills what comes from an architecture it does not know, and nothing of one that the library does not know, or whose bytes
                 * are in the other order, runs on this machine. */
                if (token != 0 && token & __AUDIT_ARCH_LE && seccomp_rules_add_architecture(&build->rules, token) < 0)
                        return json_fail(&list, err, "more than %d architectures", SECCOMP_ARCHITECTURES);
        }
        return r;
}

static int seccomp_rules(struct seccomp_build *build, const struct json_at *profile, struct berth_error *err) {
        struct json_at at, list;
        size_t n;

        int r = seccomp_action(profile, "defaultAction", "defaultErrnoRet", &build->default_action, err);
        if (r < 0)
                return r;
        (void) json_member(profile, "defaultAction", &at);
        if (build->default_action == SCMP_ACT_NOTIFY)
                return json_fail(&at, err, "SCMP_ACT_NOTIFY cannot be the default: the listener itself comes to the agent by system calls");
        r = seccomp_architectures(build, profile, err);
        if (r == 0)
                r = json_list_member(profile, "syscalls", &list, &n, err);
        for (size_t i = 0; r == 0 && i < n; i++) {
                struct json_at item = json_item(&list, i);
                r = seccomp_entry(build, &item, err);
        }
        return r;
}

int seccomp_compile_value(json_t *profile, void *filter, size_t capacity, size_t *ret_size, struct berth_error *err) {
        __attribute__((cleanup(cleanup_build))) struct seccomp_build build = {0};
        struct json_at at = {.key = "seccomp", .value = profile};

        int r = seccomp_rules(&build, &at, err);
        return r < 0 ? r : seccomp_filter_write(build.rules.tables, build.rules.n_tables, build.default_action, filter, capacity, ret_size, err);
}

int seccomp_compile(const char *profile, size_t size, void *filter, size_t capacity, size_t *ret_size, struct berth_error *err) {
        __attribute__((cleanup(cleanup_profile))) json_t *document = NULL;

        int r = json_parse(profile, size, "linux.seccomp", &document, err);
        return r < 0 ? r : seccomp_compile_value(document, filter, capacity, ret_size, err);
}
