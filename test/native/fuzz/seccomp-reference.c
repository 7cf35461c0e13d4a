/* SPDX-License-Identifier: Apache-2.0 */
#include "seccomp-reference.h"

#include <ctype.h>
#include <errno.h>
#include <linux/audit.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "fuzz.h"

#define X32_BIT 0x40000000U
#define ARM_PRIVATE 0x000f0000 /* cacheflush, set_tls and others stand far behind all other calls */
#define ARCHITECTURES 40

int seccomp_reference_number(uint32_t architecture, const char *name) {
        return seccomp_syscall_resolve_name_arch(architecture, name);
}

size_t seccomp_reference_architectures(json_t *profile, uint32_t *ret, size_t capacity) {
        json_t *list = json_object_get(profile, "architectures");
        size_t n = 0;

        ret[n++] = seccomp_arch_native();
        for (size_t i = 0; i < json_array_size(list) && n < capacity; i++) {
                char lower[32] = "";
                const char *name = json_string_value(json_array_get(list, i)) + strlen("SCMP_ARCH_");
                for (size_t at = 0; name[at] && at + 1 < sizeof lower; at++)
                        lower[at] = (char) tolower((unsigned char) name[at]);
                uint32_t token = seccomp_arch_resolve_name(lower);
                bool known = token == 0;
                for (size_t j = 0; j < n; j++)
                        known |= ret[j] == token;
                /* The kernel calls x32 x86_64, with high numbers; nothing of the other byte order runs here. */
                if (!known && token != SCMP_ARCH_X32 && token & __AUDIT_ARCH_LE)
                        ret[n++] = token;
        }
        return n;
}

static uint32_t action_of(json_t *entry, const char *action_key, const char *errno_key) {
        json_t *number = json_object_get(entry, errno_key);
        uint32_t value = json_is_number(number) ? (uint32_t) json_number_value(number) : EPERM;
        const char *name = json_string_value(json_object_get(entry, action_key));
        const struct {
                const char *name;
                uint32_t action;
        } actions[] = {
                {"SCMP_ACT_ALLOW", SECCOMP_RET_ALLOW},
                {"SCMP_ACT_ERRNO", SECCOMP_RET_ERRNO | value},
                {"SCMP_ACT_KILL", SECCOMP_RET_KILL_THREAD},
                {"SCMP_ACT_KILL_THREAD", SECCOMP_RET_KILL_THREAD},
                {"SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS},
                {"SCMP_ACT_TRAP", SECCOMP_RET_TRAP},
                {"SCMP_ACT_TRACE", SECCOMP_RET_TRACE | value},
                {"SCMP_ACT_LOG", SECCOMP_RET_LOG},
                {"SCMP_ACT_NOTIFY", SECCOMP_RET_USER_NOTIF},
        };
        for (size_t i = 0; name && i < sizeof actions / sizeof *actions; i++)
                if (strcmp(actions[i].name, name) == 0)
                        return actions[i].action;
        must(false, "action '%s' was accepted", name ? name : "(none)");
        return 0;
}

static uint64_t value_of(json_t *condition, const char *key) {
        json_t *value = json_object_get(condition, key);
        if (json_is_integer(value))
                return (uint64_t) json_integer_value(value);
        return json_is_real(value) ? (uint64_t) json_real_value(value) : 0;
}

static bool condition_holds(json_t *condition, const struct seccomp_data *call, uint64_t mask) {
        json_t *index = json_object_get(condition, "index");
        const char *op = json_string_value(json_object_get(condition, "op")) + strlen("SCMP_CMP_");
        uint64_t value = value_of(condition, "value") & mask, two = value_of(condition, "valueTwo") & mask;
        uint64_t arg = call->args[json_is_number(index) ? (size_t) json_number_value(index) : 0] & mask;

        if (strcmp(op, "NE") == 0)
                return arg != value;
        if (strcmp(op, "LT") == 0)
                return arg < value;
        if (strcmp(op, "LE") == 0)
                return arg <= value;
        if (strcmp(op, "EQ") == 0)
                return arg == value;
        if (strcmp(op, "GE") == 0)
                return arg >= value;
        if (strcmp(op, "GT") == 0)
                return arg > value;
        must(strcmp(op, "MASKED_EQ") == 0, "operator '%s' was accepted", op);
        return (arg & value) == (two & value);
}

/* All conditions must hold; several on one argument are alternatives, and then all of them are. */
static bool conditions_hold(json_t *entry, const struct seccomp_data *call, uint64_t mask) {
        json_t *list = json_object_get(entry, "args");
        size_t held = 0, n = json_array_size(list);
        bool alternatives = false, seen[6] = {false};

        for (size_t i = 0; i < n; i++) {
                json_t *condition = json_array_get(list, i), *index = json_object_get(condition, "index");
                size_t at = json_is_number(index) ? (size_t) json_number_value(index) : 0;
                alternatives |= seen[at];
                seen[at] = true;
                held += condition_holds(condition, call, mask);
        }
        return alternatives ? held > 0 : held == n;
}

static bool has_x32(json_t *profile) {
        json_t *list = json_object_get(profile, "architectures");
        for (size_t i = 0; i < json_array_size(list); i++)
                if (strcasecmp(json_string_value(json_array_get(list, i)), "SCMP_ARCH_X32") == 0)
                        return true;
        return false;
}

int seccomp_reference_highest(json_t *profile, uint32_t architecture) {
        json_t *rules = json_object_get(profile, "syscalls");
        int highest = 0;
        for (size_t i = 0; i < json_array_size(rules); i++) {
                json_t *names = json_object_get(json_array_get(rules, i), "names");
                for (size_t j = 0; j < json_array_size(names); j++) {
                        int number = seccomp_reference_number(architecture, json_string_value(json_array_get(names, j)));
                        if (number > highest && number < ARM_PRIVATE)
                                highest = number;
                }
        }
        return highest;
}

/* On 32-bit x86 sockets and semaphores have numbers of their own, which libseccomp's tables lack, and are arguments of two calls too. */
static bool is_multiplexed(uint32_t architecture, int number) {
        return architecture == AUDIT_ARCH_I386 && (number == 102 || number == 117 || number == 337 || number == 345 ||
                                                   (number >= 359 && number <= 373) || (number >= 393 && number <= 402));
}

/* x32's numbers have names of their own. */
static int number_of(const struct seccomp_data *call, const char *name) {
        bool x32 = call->arch == AUDIT_ARCH_X86_64 && (uint32_t) call->nr >= X32_BIT;
        return seccomp_reference_number(x32 ? SCMP_ARCH_X32 : call->arch, name);
}

static bool names_call(json_t *entry, const struct seccomp_data *call) {
        json_t *names = json_object_get(entry, "names");
        for (size_t i = 0; call->nr >= 0 && i < json_array_size(names); i++)
                if (number_of(call, json_string_value(json_array_get(names, i))) == call->nr)
                        return true;
        return false;
}

static bool is_named(json_t *profile, const struct seccomp_data *call) {
        json_t *rules = json_object_get(profile, "syscalls");
        for (size_t i = 0; i < json_array_size(rules); i++)
                if (names_call(json_array_get(rules, i), call))
                        return true;
        return false;
}

/* A rule without conditions comes before all others; those stand in the profile's order. The default's own action is no rule. */
static uint32_t rules_answer(json_t *profile, const struct seccomp_data *call, uint32_t fallback) {
        bool wide = call->arch & __AUDIT_ARCH_64BIT && (uint32_t) call->nr < X32_BIT;
        json_t *rules = json_object_get(profile, "syscalls");
        bool found = false;
        uint32_t answer = fallback;

        for (size_t i = 0; i < json_array_size(rules); i++) {
                json_t *rule = json_array_get(rules, i);
                uint32_t action = action_of(rule, "action", "errnoRet");
                if (action == fallback || !names_call(rule, call))
                        continue;
                if (json_array_size(json_object_get(rule, "args")) == 0)
                        return action;
                if (!found && conditions_hold(rule, call, wide ? UINT64_MAX : UINT32_MAX))
                        answer = action;
                found |= answer != fallback;
        }
        return answer;
}

struct seccomp_reference seccomp_reference(json_t *profile, int highest, const struct seccomp_data *call) {
        uint32_t architectures[ARCHITECTURES], fallback = action_of(profile, "defaultAction", "defaultErrnoRet");
        size_t n = seccomp_reference_architectures(profile, architectures, ARCHITECTURES);
        uint32_t number = (uint32_t) call->nr;
        bool known = false;

        for (size_t i = 0; i < n; i++)
                known |= architectures[i] == call->arch;
        if (!known)
                return (struct seccomp_reference){.action = SECCOMP_RET_KILL_THREAD};
        if (is_multiplexed(call->arch, call->nr))
                return (struct seccomp_reference){.open = true};
        if (call->arch == AUDIT_ARCH_X86_64 && number >= X32_BIT && number != UINT32_MAX && !has_x32(profile))
                return (struct seccomp_reference){.action = SECCOMP_RET_KILL_THREAD};
        if ((fallback & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO && highest > 0 && number < X32_BIT && number > (uint32_t) highest &&
            !is_named(profile, call))
                return (struct seccomp_reference){.action = SECCOMP_RET_ERRNO | ENOSYS, .open = call->arch == AUDIT_ARCH_I386};
        return (struct seccomp_reference){.action = rules_answer(profile, call, fallback)};
}
