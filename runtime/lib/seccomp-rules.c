/* SPDX-License-Identifier: Apache-2.0 */
#include "seccomp-rules.h"

#include <errno.h>
#include <linux/audit.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>

#define SECCOMP_OUTLYING 0x0f0000 /* ARM's private calls, x32's: how new one is, its number does not tell */

struct seccomp_conditions {
        struct seccomp_conditions *next;
        struct seccomp_condition items[SECCOMP_ARGUMENTS];
};

void seccomp_rules_free(struct seccomp_rules *rules) {
        for (size_t i = 0; i < rules->n_tables; i++)
                free(rules->tables[i].rules);
        while (rules->conditions) {
                struct seccomp_conditions *next = rules->conditions->next;
                free(rules->conditions);
                rules->conditions = next;
        }
}

static int seccomp_add_number(struct seccomp_table *table, uint32_t number, uint32_t action, const struct seccomp_condition *conditions, size_t n) {
        if (table->n_rules == SECCOMP_RULES_MAX)
                return -E2BIG;
        if (table->n_rules == table->capacity) {
                size_t capacity = table->capacity > 0 ? 2 * table->capacity : 512;
                struct seccomp_rule *grown = reallocarray(table->rules, capacity, sizeof *grown);
                if (!grown)
                        return -ENOMEM;
                table->rules = grown;
                table->capacity = capacity;
        }
        table->rules[table->n_rules++] =
                (struct seccomp_rule){.number = number, .action = action, .conditions = conditions, .n_conditions = (uint32_t) n};
        return 0;
}

/* What 32-bit x86 has twice: as a call of its own, and as an argument of socketcall(2). libseccomp knows the second only. */
static int seccomp_i386_number(const char *name) {
        static const struct {
                const char *name;
                int number;
        } calls[] = {
                {"recvmmsg", 337}, {"sendmmsg", 345}, {"socket", 359},     {"socketpair", 360}, {"bind", 361},        {"connect", 362},
                {"listen", 363},   {"accept4", 364},  {"getsockopt", 365}, {"setsockopt", 366}, {"getsockname", 367}, {"getpeername", 368},
                {"sendto", 369},   {"sendmsg", 370},  {"recvfrom", 371},   {"recvmsg", 372},    {"shutdown", 373},    {"semget", 393},
                {"semctl", 394},   {"shmget", 395},   {"shmctl", 396},     {"shmat", 397},      {"shmdt", 398},       {"msgget", 399},
                {"msgsnd", 400},   {"msgrcv", 401},   {"msgctl", 402},
        };

        for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
                if (strcmp(calls[i].name, name) == 0)
                        return calls[i].number;
        return -1;
}

/* libseccomp's stand-ins for what socketcall(2) and ipc(2) carry: -100 and -200 less the number that is their first argument. */
static bool seccomp_i386_carrier(int stand_in, uint32_t *ret_number, struct seccomp_condition *ret_condition) {
        bool ipc = stand_in <= -200;

        if (stand_in > -100 || stand_in <= -300)
                return false;
        *ret_number = ipc ? 117 : 102;
        *ret_condition = (struct seccomp_condition){.op = SECCOMP_EQUAL, .value = (uint64_t) (-stand_in - (ipc ? 200 : 100))};
        return true;
}

const struct seccomp_condition *seccomp_rules_keep(struct seccomp_rules *rules, const struct seccomp_condition *conditions, size_t n) {
        struct seccomp_conditions *kept = calloc(1, sizeof *kept);

        if (!kept)
                return NULL;
        memcpy(kept->items, conditions, n * sizeof *conditions);
        kept->next = rules->conditions;
        rules->conditions = kept;
        return kept->items;
}

static struct seccomp_table *seccomp_table_of(struct seccomp_rules *rules, uint32_t architecture) {
        uint32_t token = architecture == SCMP_ARCH_X32 ? AUDIT_ARCH_X86_64 : architecture;

        for (size_t i = 0; i < rules->n_tables; i++)
                if (rules->tables[i].token == token)
                        return &rules->tables[i];
        rules->tables[rules->n_tables].token = token;
        return &rules->tables[rules->n_tables++];
}

/* 32-bit x86's calls that others carry. */
static int seccomp_add_carried(struct seccomp_rules *rules, struct seccomp_table *table, int stand_in, uint32_t action) {
        struct seccomp_condition carried;
        uint32_t carrier;

        if (!seccomp_i386_carrier(stand_in, &carrier, &carried))
                return 0;
        const struct seccomp_condition *kept = seccomp_rules_keep(rules, &carried, 1);
        return kept ? seccomp_add_number(table, carrier, action, kept, 1) : -ENOMEM;
}

int seccomp_rules_add(struct seccomp_rules *rules, const char *name, bool known, uint32_t action, const struct seccomp_condition *conditions,
                      size_t n) {
        int r = 0;

        for (size_t i = 0; r == 0 && i < rules->n_architectures; i++) {
                struct seccomp_table *table = seccomp_table_of(rules, rules->architectures[i]);
                int number = seccomp_syscall_resolve_name_arch(rules->architectures[i], name);
                bool i386 = table->token == AUDIT_ARCH_I386;
                /* Its other arguments are in memory, where a filter cannot look: a rule with conditions is not for the carrier. */
                if (i386 && !known && n == 0)
                        r = seccomp_add_carried(rules, table, number, action);
                if (i386 && number < 0)
                        number = seccomp_i386_number(name);
                if (number < 0)
                        continue;
                if (number < SECCOMP_OUTLYING && (uint32_t) number > table->highest)
                        table->highest = (uint32_t) number;
                if (r == 0 && !known)
                        r = seccomp_add_number(table, (uint32_t) number, action, conditions, n);
        }
        return r;
}

int seccomp_rules_add_architecture(struct seccomp_rules *rules, uint32_t architecture) {
        for (size_t i = 0; i < rules->n_architectures; i++)
                if (rules->architectures[i] == architecture)
                        return 0;
        if (rules->n_architectures == SECCOMP_ARCHITECTURES)
                return -E2BIG;
        rules->architectures[rules->n_architectures++] = architecture;
        struct seccomp_table *table = seccomp_table_of(rules, architecture);
        table->x32 |= architecture == SCMP_ARCH_X32;
        return 0;
}
