/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/audit.h>
#include <seccomp.h>

#include "bpf-interpret.h"
#include "fuzz.h"
#include "seccomp-compile.h"
#include "seccomp-reference.h"

/* Few names, so that rules meet; some are old, some new, some of one machine only. */
static const char *const names[] = {"read",
                                    "write",
                                    "personality",
                                    "socket",
                                    "clone",
                                    "clone3",
                                    "socketcall",
                                    "ioctl",
                                    "mmap",
                                    "mmap2",
                                    "prctl",
                                    "ptrace",
                                    "open",
                                    "openat2",
                                    "futex",
                                    "ipc",
                                    "semop",
                                    "arch_prctl",
                                    "time",
                                    "no_such",
                                    "_llseek",
                                    "getrandom",
                                    "landlock_restrict_self",
                                    "bind"};
static const char *const actions[] = {"SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_TRAP",
                                      "SCMP_ACT_TRACE", "SCMP_ACT_LOG",   "SCMP_ACT_KILL",         "SCMP_ACT_KILL_THREAD"};
static const char *const operators[] = {"SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE",       "SCMP_CMP_EQ",
                                        "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ"};
static const char *const architectures[] = {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"};

#define COUNT(list) (sizeof(list) / sizeof *(list))

/* Small, at the edges of 32 bits, or anything; JSON of the profile holds integers up to 2^63. */
static uint64_t number_of(struct fuzz_input *input) {
        static const uint64_t edges[] = {0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x7fffffffffffffff, 0x7fffffff00000000};
        uint8_t kind = fuzz_u8(input);
        if (kind < 0x40)
                return kind & 3;
        return kind < 0xa0 ? edges[kind % COUNT(edges)] : fuzz_u64(input) >> 1;
}

static json_t *rule_of(struct fuzz_input *input) {
        uint8_t shape = fuzz_u8(input);
        json_t *rule = json_object(), *list = json_array(), *args = json_array();

        for (unsigned i = 0; i <= (shape & 3U); i++)
                (void) json_array_append_new(list, json_string(names[fuzz_u8(input) % COUNT(names)]));
        for (unsigned i = 0; i < (shape >> 2 & 3U); i++)
                (void) json_array_append_new(args, json_pack("{s:i, s:I, s:I, s:s}", "index", fuzz_u8(input) % 6, "value",
                                                             (json_int_t) number_of(input), "valueTwo", (json_int_t) number_of(input), "op",
                                                             operators[fuzz_u8(input) % COUNT(operators)]));
        (void) json_object_set_new(rule, "names", list);
        (void) json_object_set_new(rule, "args", args);
        (void) json_object_set_new(rule, "action", json_string(actions[(shape >> 4) % COUNT(actions)]));
        if (shape & 0x80)
                (void) json_object_set_new(rule, "errnoRet", json_integer(fuzz_u16(input) & 0xfff));
        return rule;
}

static json_t *profile_of(struct fuzz_input *input) {
        uint8_t shape = fuzz_u8(input);
        json_t *profile = json_object(), *rules = json_array(), *list = json_array();

        for (unsigned i = 0; i < (shape & 7U); i++)
                (void) json_array_append_new(rules, rule_of(input));
        for (size_t i = 0; i < COUNT(architectures); i++)
                if (i < 3 && shape & (0x20U << i))
                        (void) json_array_append_new(list, json_string(architectures[i]));
        (void) json_object_set_new(profile, "syscalls", rules);
        (void) json_object_set_new(profile, "architectures", list);
        (void) json_object_set_new(profile, "defaultAction", json_string(actions[(fuzz_u8(input)) % COUNT(actions)]));
        if (shape & 8)
                (void) json_object_set_new(profile, "defaultErrnoRet", json_integer(fuzz_u16(input) & 0xfff));
        return profile;
}

struct compiled {
        struct sock_filter program[BPF_MAXINSNS];
        size_t n;
        json_t *profile;
        int highest; /* of the architecture at hand */
};

static void compare(const struct compiled *compiled, const struct seccomp_data *call) {
        struct seccomp_reference expected = seccomp_reference(compiled->profile, compiled->highest, call);
        uint32_t action = bpf_interpret(compiled->program, compiled->n, call);
        bool same = expected.open || expected.action == action;

        if (!same)
                (void) json_dumpf(compiled->profile, stderr, JSON_COMPACT);
        must(same, "call %d of %#x answers %#x; the profile says %#x; args %llx %llx %llx %llx %llx %llx", call->nr, call->arch, action,
             expected.action, (unsigned long long) call->args[0], (unsigned long long) call->args[1], (unsigned long long) call->args[2],
             (unsigned long long) call->args[3], (unsigned long long) call->args[4], (unsigned long long) call->args[5]);
}

/* Beside the values that a rule names. */
static void fill(struct seccomp_data *call, json_t *rule, struct fuzz_input *input) {
        json_t *args = json_object_get(rule, "args");
        bool wide = call->arch & __AUDIT_ARCH_64BIT;

        for (size_t i = 0; i < 6; i++)
                call->args[i] = number_of(input) & (wide ? UINT64_MAX : UINT32_MAX);
        for (size_t i = 0; i < json_array_size(args); i++) {
                json_t *condition = json_array_get(args, i);
                const char *key = fuzz_u8(input) & 1 ? "valueTwo" : "value";
                uint64_t value = (uint64_t) json_integer_value(json_object_get(condition, key)) + fuzz_u8(input) % 3 - 1;
                json_int_t index = json_integer_value(json_object_get(condition, "index"));
                call->args[index >= 0 && index < 6 ? index : 0] = value & (wide ? UINT64_MAX : UINT32_MAX);
        }
}

static void compare_all(struct compiled *compiled, struct fuzz_input *input) {
        uint32_t tokens[40];
        size_t n_tokens = seccomp_reference_architectures(compiled->profile, tokens, 39);
        json_t *rules = json_object_get(compiled->profile, "syscalls");

        tokens[n_tokens++] = AUDIT_ARCH_SPARC64; /* one that no profile here names */
        for (size_t i = 0; i < n_tokens; i++) {
                struct seccomp_data call = {.arch = tokens[i]};
                compiled->highest = seccomp_reference_highest(compiled->profile, call.arch);
                for (int number = -2; number < 520; number += 1 + fuzz_u8(input) % 64) {
                        call.nr = number;
                        fill(&call, NULL, input);
                        compare(compiled, &call);
                }
                for (size_t j = 0; j < json_array_size(rules) && j < 64; j++) {
                        json_t *rule = json_array_get(rules, j), *list = json_object_get(rule, "names");
                        for (size_t k = 0; k < json_array_size(list) && k < 16; k++) {
                                bool x32 = call.arch == AUDIT_ARCH_X86_64 && fuzz_u8(input) & 1;
                                const char *name = json_string_value(json_array_get(list, k));
                                call.nr = seccomp_reference_number(x32 ? SCMP_ARCH_X32 : call.arch, name);
                                fill(&call, rule, input);
                                compare(compiled, &call);
                                fill(&call, rule, input);
                                compare(compiled, &call);
                        }
                }
        }
}

/* A profile as JSON, or made from the input; what it compiles to is held against the profile's own words. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static struct compiled compiled;
        struct fuzz_input input = {.at = data, .left = size};
        bool raw = size > 0 && data[0] == '{';
        json_t *made = raw ? NULL : profile_of(&input);
        char *text = raw ? NULL : json_dumps(made, JSON_COMPACT);
        struct berth_error err = {0};
        size_t bytes = 0;

        json_decref(made);
        int r = seccomp_compile(raw ? (const char *) data : text, raw ? size : strlen(text), compiled.program, sizeof compiled.program, &bytes, &err);
        if (r < 0) {
                must_explain(r, &err);
        } else {
                must(bytes % sizeof *compiled.program == 0, "%zu bytes", bytes);
                compiled.n = bytes / sizeof *compiled.program;
                compiled.profile = json_loadb(raw ? (const char *) data : text, raw ? size : strlen(text), 0, NULL);
                if (compiled.profile) /* numbers beyond 2^63: accepted, but not by this reading */
                        compare_all(&compiled, &input);
                json_decref(compiled.profile);
        }
        free(text);
        return 0;
}
