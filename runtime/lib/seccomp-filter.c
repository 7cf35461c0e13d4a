/* SPDX-License-Identifier: Apache-2.0 */
#include "seccomp-filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"

#define SECCOMP_JUMP_MAX 255 /* of a conditional jump */

struct seccomp_program {
        struct sock_filter code[BPF_MAXINSNS];
        size_t n;
        bool full;
};

/* From `first` up to the next span's: one answer, or the rules of one call. */
struct seccomp_span {
        uint32_t first, action;
        const struct seccomp_rule *rules; /* NULL: always `action` */
        size_t n_rules;
};

struct seccomp_map {
        struct seccomp_span *spans;
        size_t n;
};

static void seccomp_emit(struct seccomp_program *program, uint16_t code, uint32_t k, size_t if_true, size_t if_false) {
        if (program->n == BPF_MAXINSNS) {
                program->full = true;
                return;
        }
        program->code[program->n++] = (struct sock_filter){.code = code, .jt = (uint8_t) if_true, .jf = (uint8_t) if_false, .k = k};
}

static void seccomp_load(struct seccomp_program *program, size_t offset) {
        seccomp_emit(program, BPF_LD | BPF_W | BPF_ABS, (uint32_t) offset, 0, 0);
}

static void seccomp_return(struct seccomp_program *program, uint32_t action) {
        seccomp_emit(program, BPF_RET | BPF_K, action, 0, 0);
}

/* ---- conditions ---- */

/* Where a comparison goes on: to the next instruction, over the rest of the condition, or over the rest of the rule. */
#define SECCOMP_HOLDS 254
#define SECCOMP_FAILS 255

static void seccomp_compare(struct seccomp_program *program, uint16_t comparison, uint32_t k, size_t if_true, size_t if_false) {
        seccomp_emit(program, (uint16_t) (BPF_JMP | BPF_K | comparison), k, if_true, if_false);
}

static void seccomp_high_word(struct seccomp_program *program, const struct seccomp_condition *condition) {
        uint32_t value = (uint32_t) (condition->value >> 32), two = (uint32_t) (condition->two >> 32);

        seccomp_load(program, offsetof(struct seccomp_data, args) + condition->argument * sizeof(uint64_t) + sizeof(uint32_t));
        switch (condition->op) {
        case SECCOMP_NOT_EQUAL:
                seccomp_compare(program, BPF_JEQ, value, 0, SECCOMP_HOLDS);
                break;
        case SECCOMP_EQUAL:
                seccomp_compare(program, BPF_JEQ, value, 0, SECCOMP_FAILS);
                break;
        case SECCOMP_GREATER:
        case SECCOMP_GREATER_EQUAL:
                seccomp_compare(program, BPF_JGT, value, SECCOMP_HOLDS, 0);
                seccomp_compare(program, BPF_JEQ, value, 0, SECCOMP_FAILS);
                break;
        case SECCOMP_LESS:
        case SECCOMP_LESS_EQUAL:
                seccomp_compare(program, BPF_JGT, value, SECCOMP_FAILS, 0);
                seccomp_compare(program, BPF_JEQ, value, 0, SECCOMP_HOLDS);
                break;
        case SECCOMP_MASKED_EQUAL:
                seccomp_emit(program, BPF_ALU | BPF_AND | BPF_K, value, 0, 0);
                seccomp_compare(program, BPF_JEQ, two & value, 0, SECCOMP_FAILS);
                break;
        }
}

static void seccomp_low_word(struct seccomp_program *program, const struct seccomp_condition *condition) {
        uint32_t value = (uint32_t) condition->value, two = (uint32_t) condition->two;

        seccomp_load(program, offsetof(struct seccomp_data, args) + condition->argument * sizeof(uint64_t));
        switch (condition->op) {
        case SECCOMP_NOT_EQUAL:
                seccomp_compare(program, BPF_JEQ, value, SECCOMP_FAILS, 0);
                break;
        case SECCOMP_EQUAL:
                seccomp_compare(program, BPF_JEQ, value, 0, SECCOMP_FAILS);
                break;
        case SECCOMP_GREATER:
                seccomp_compare(program, BPF_JGT, value, 0, SECCOMP_FAILS);
                break;
        case SECCOMP_GREATER_EQUAL:
                seccomp_compare(program, BPF_JGE, value, 0, SECCOMP_FAILS);
                break;
        case SECCOMP_LESS:
                seccomp_compare(program, BPF_JGE, value, SECCOMP_FAILS, 0);
                break;
        case SECCOMP_LESS_EQUAL:
                seccomp_compare(program, BPF_JGT, value, SECCOMP_FAILS, 0);
                break;
        case SECCOMP_MASKED_EQUAL:
                seccomp_emit(program, BPF_ALU | BPF_AND | BPF_K, value, 0, 0);
                seccomp_compare(program, BPF_JEQ, two & value, 0, SECCOMP_FAILS);
                break;
        }
}

/* Turns the words for a place into the distance to it. */
static void seccomp_resolve(struct seccomp_program *program, size_t start, uint8_t word, size_t target) {
        for (size_t at = start; at < program->n; at++) {
                struct sock_filter *i = &program->code[at];
                if (BPF_CLASS(i->code) != BPF_JMP)
                        continue;
                if (i->jt == word)
                        i->jt = (uint8_t) (target - at - 1);
                if (i->jf == word)
                        i->jf = (uint8_t) (target - at - 1);
        }
}

static void seccomp_write_rule(struct seccomp_program *program, const struct seccomp_rule *rule, bool wide) {
        size_t start = program->n;

        for (uint32_t i = 0; i < rule->n_conditions; i++) {
                size_t condition = program->n;
                if (wide)
                        seccomp_high_word(program, &rule->conditions[i]);
                seccomp_low_word(program, &rule->conditions[i]);
                seccomp_resolve(program, condition, SECCOMP_HOLDS, program->n);
        }
        seccomp_return(program, rule->action);
        seccomp_resolve(program, start, SECCOMP_FAILS, program->n);
}

/* ---- numbers ---- */

static void seccomp_write_span(struct seccomp_program *program, const struct seccomp_span *span, bool wide) {
        for (size_t i = 0; i < span->n_rules; i++)
                seccomp_write_rule(program, &span->rules[i], wide && span->rules[i].number < SECCOMP_X32_BIT);
        seccomp_return(program, span->action);
}

/* The number is in the accumulator: from the middle's on in the second half, else in the first. */
static void seccomp_write_spans(struct seccomp_program *program, const struct seccomp_span *spans, size_t n, bool wide) {
        if (n == 1 || program->full) {
                seccomp_write_span(program, spans, wide);
                return;
        }
        size_t half = n / 2, jump = program->n;
        seccomp_compare(program, BPF_JGE, spans[half].first, 0, 0);
        seccomp_write_spans(program, spans, half, wide);
        size_t distance = program->n - jump - 1;
        if (distance <= SECCOMP_JUMP_MAX) {
                program->code[jump].jt = (uint8_t) distance;
        } else if (program->n < BPF_MAXINSNS) {
                memmove(&program->code[jump + 2], &program->code[jump + 1], distance * sizeof *program->code);
                program->code[jump].jf = 1;
                program->code[jump + 1] = (struct sock_filter){.code = BPF_JMP | BPF_JA, .k = (uint32_t) distance};
                program->n++;
        } else {
                program->full = true;
        }
        seccomp_write_spans(program, spans + half, n - half, wide);
}

static void seccomp_map_add(struct seccomp_map *map, struct seccomp_span span) {
        struct seccomp_span *last = map->n > 0 ? &map->spans[map->n - 1] : NULL;

        if (last && last->first == span.first)
                *last = span;
        else if (last && !last->rules && !span.rules && last->action == span.action)
                return;
        else
                map->spans[map->n++] = span;
}

/* Numbers without a rule, from `first` on. */
static void seccomp_map_gap(struct seccomp_map *map, const struct seccomp_table *table, uint32_t default_action, uint64_t first, uint64_t end) {
        bool unknown = table->highest > 0 && (default_action & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO;
        bool strange = table->token == AUDIT_ARCH_X86_64 && !table->x32;
        const struct {
                uint64_t first, end;
                uint32_t action;
        } parts[] = {
                {0, unknown ? (uint64_t) table->highest + 1 : SECCOMP_X32_BIT, default_action},
                {unknown ? (uint64_t) table->highest + 1 : SECCOMP_X32_BIT, SECCOMP_X32_BIT, SECCOMP_RET_ERRNO | ENOSYS},
                {SECCOMP_X32_BIT, UINT32_MAX, strange ? SECCOMP_RET_KILL_THREAD : default_action},
                {UINT32_MAX, (uint64_t) UINT32_MAX + 1, default_action}, /* -1: a tracer's way to skip a call */
        };

        for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
                uint64_t from = first > parts[i].first ? first : parts[i].first, to = end < parts[i].end ? end : parts[i].end;
                if (from < to)
                        seccomp_map_add(map, (struct seccomp_span){.first = (uint32_t) from, .action = parts[i].action});
        }
}

/* By number, those of one number in their order: runs are merged to longer ones, from one array into the other. */
static void seccomp_sort(struct seccomp_rule *rules, struct seccomp_rule *other, size_t n) {
        struct seccomp_rule *from = rules, *to = other;

        for (size_t run = 1; run < n; run *= 2) {
                for (size_t start = 0; start < n; start += 2 * run) {
                        size_t left = start, middle = start + run < n ? start + run : n, right = middle,
                               end = start + 2 * run < n ? start + 2 * run : n;
                        for (size_t at = start; at < end; at++)
                                to[at] = left < middle && (right == end || from[left].number <= from[right].number) ? from[left++] : from[right++];
                }
                struct seccomp_rule *sorted = to;
                to = from;
                from = sorted;
        }
        if (from != rules)
                memcpy(rules, from, n * sizeof *rules);
}

static struct seccomp_span seccomp_span_of(const struct seccomp_rule *rules, size_t n, uint32_t default_action) {
        for (size_t i = 0; i < n; i++)
                if (rules[i].n_conditions == 0)
                        return (struct seccomp_span){.first = rules->number, .action = rules[i].action};
        return (struct seccomp_span){.first = rules->number, .action = default_action, .rules = rules, .n_rules = n};
}

static int seccomp_write_table(struct seccomp_program *program, struct seccomp_table *table, uint32_t default_action) {
        /* A span for each call and the gap behind it, and the parts of gaps. */
        _cleanup_free_ struct seccomp_span *spans = malloc((2 * table->n_rules + 8) * sizeof *spans);
        _cleanup_free_ struct seccomp_rule *other = malloc((table->n_rules + 1) * sizeof *other);
        struct seccomp_map map = {.spans = spans};
        uint64_t next = 0;

        if (!spans || !other)
                return -ENOMEM;
        seccomp_sort(table->rules, other, table->n_rules);
        for (size_t i = 0, n; i < table->n_rules; i += n) {
                const struct seccomp_rule *rules = &table->rules[i];
                for (n = 1; i + n < table->n_rules && rules[n].number == rules->number; n++)
                        ;
                seccomp_map_gap(&map, table, default_action, next, rules->number);
                seccomp_map_add(&map, seccomp_span_of(rules, n, default_action));
                next = (uint64_t) rules->number + 1;
        }
        seccomp_map_gap(&map, table, default_action, next, (uint64_t) UINT32_MAX + 1);

        size_t start = program->n;
        seccomp_compare(program, BPF_JEQ, table->token, 1, 0);
        seccomp_emit(program, BPF_JMP | BPF_JA, 0, 0, 0);
        seccomp_load(program, offsetof(struct seccomp_data, nr));
        seccomp_write_spans(program, map.spans, map.n, table->token & __AUDIT_ARCH_64BIT);
        if (!program->full)
                program->code[start + 1].k = (uint32_t) (program->n - start - 2);
        return 0;
}

int seccomp_filter_write(struct seccomp_table *tables, size_t n, uint32_t default_action, void *filter, size_t capacity, size_t *ret_size,
                         struct berth_error *err) {
        _cleanup_free_ struct seccomp_program *program = calloc(1, sizeof *program);

        if (!program)
                return berth_error_set(err, ENOMEM, "memory for a seccomp filter");
        seccomp_load(program, offsetof(struct seccomp_data, arch));
        for (size_t i = 0; i < n; i++)
                if (seccomp_write_table(program, &tables[i], default_action) < 0)
                        return berth_error_set(err, ENOMEM, "memory for a seccomp filter");
        seccomp_return(program, SECCOMP_RET_KILL_THREAD);
        size_t size = program->n * sizeof *program->code;
        if (program->full)
                return berth_error_set(err, E2BIG, "the seccomp profile needs more than %d instructions", BPF_MAXINSNS);
        if (size > capacity)
                return berth_error_set(err, ENOBUFS, "the seccomp filter needs %zu bytes", size);
        memcpy(filter, program->code, size);
        *ret_size = size;
        return 0;
}
