/* SPDX-License-Identifier: Apache-2.0 */
#include "bpf-interpret.h"

#include "fuzz.h"

static uint32_t load(const struct seccomp_data *data, uint32_t offset) {
        uint32_t word;
        must(offset % sizeof word == 0 && offset <= sizeof *data - sizeof word, "load at %u", offset);
        memcpy(&word, (const uint8_t *) data + offset, sizeof word);
        return word;
}

static uint32_t operate(uint16_t operation, uint32_t a, uint32_t k) {
        switch (operation) {
        case BPF_AND:
                return a & k;
        case BPF_OR:
                return a | k;
        case BPF_XOR:
                return a ^ k;
        case BPF_ADD:
                return a + k;
        case BPF_SUB:
                return a - k;
        default:
                must(false, "operation %#x", operation);
                return 0;
        }
}

static bool holds(uint16_t comparison, uint32_t a, uint32_t k) {
        switch (comparison) {
        case BPF_JEQ:
                return a == k;
        case BPF_JGT:
                return a > k;
        case BPF_JGE:
                return a >= k;
        case BPF_JSET:
                return (a & k) != 0;
        default:
                must(false, "comparison %#x", comparison);
                return false;
        }
}

uint32_t bpf_interpret(const struct sock_filter *program, size_t n, const struct seccomp_data *data) {
        uint32_t a = 0, x = 0, memory[BPF_MEMWORDS] = {0};

        must(n > 0 && n <= BPF_MAXINSNS, "%zu instructions", n);
        for (size_t at = 0; at < n; at++) { /* jumps lead forward only, so this ends */
                const struct sock_filter *i = &program[at];
                switch (BPF_CLASS(i->code)) {
                case BPF_LD:
                        must(BPF_MODE(i->code) == BPF_ABS || BPF_MODE(i->code) == BPF_MEM || BPF_MODE(i->code) == BPF_IMM, "load %#x", i->code);
                        must(BPF_MODE(i->code) != BPF_MEM || i->k < BPF_MEMWORDS, "cell %u", i->k);
                        a = BPF_MODE(i->code) == BPF_ABS ? load(data, i->k) : BPF_MODE(i->code) == BPF_MEM ? memory[i->k] : i->k;
                        break;
                case BPF_ST:
                        must(i->k < BPF_MEMWORDS, "cell %u", i->k);
                        memory[i->k] = a;
                        break;
                case BPF_ALU:
                        a = operate(BPF_OP(i->code), a, BPF_SRC(i->code) == BPF_X ? x : i->k);
                        break;
                case BPF_MISC:
                        if (BPF_MISCOP(i->code) == BPF_TAX)
                                x = a;
                        else
                                a = x;
                        break;
                case BPF_JMP:
                        if (BPF_OP(i->code) == BPF_JA)
                                at += i->k;
                        else
                                at += holds(BPF_OP(i->code), a, BPF_SRC(i->code) == BPF_X ? x : i->k) ? i->jt : i->jf;
                        break;
                case BPF_RET:
                        return BPF_RVAL(i->code) == BPF_A ? a : i->k;
                default:
                        must(false, "instruction %#x", i->code);
                }
        }
        must(false, "the program runs past its end");
        return 0;
}
