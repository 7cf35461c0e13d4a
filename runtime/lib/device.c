/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "cgroup-internal.h"
#include "cleanup.h"

/* The most instructions that one rule takes, plus those around the rules. */
#define RULE_INSTRUCTIONS 8
#define FRAME_INSTRUCTIONS 8
#define ATTACHED_MAX 64

struct program {
        struct bpf_insn code[CGROUP_DEVICE_RULES * RULE_INSTRUCTIONS + FRAME_INSTRUCTIONS];
        uint32_t n;
};

static void emit(struct program *program, uint8_t code, uint8_t dst, uint8_t src, int16_t offset, int32_t imm) {
        struct bpf_insn *insn = &program->code[program->n++];
        *insn = (struct bpf_insn){.code = code, .dst_reg = dst & 0xfU, .src_reg = src & 0xfU, .off = offset, .imm = imm};
}

static void emit_return(struct program *program, int32_t value) {
        emit(program, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, value);
        emit(program, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static int32_t access_bits(const char access[4]) {
        int32_t bits = 0;
        for (int i = 0; i < 4 && access[i]; i++)
                bits |= access[i] == 'm' ? BPF_DEVCG_ACC_MKNOD : access[i] == 'r' ? BPF_DEVCG_ACC_READ : access[i] == 'w' ? BPF_DEVCG_ACC_WRITE : 0;
        return bits;
}

/* Registers: 2 the access bits still undecided, 3 the type, 4 the major, 5 the minor number. */
static int emit_rule(struct program *program, const struct cgroup_device_rule *rule) {
        int32_t bits = access_bits(rule->access);
        if (rule->major > INT32_MAX || rule->minor > INT32_MAX)
                return -ERANGE;
        uint32_t skips[3], n_skips = 0;
        if (rule->type != 'a') {
                skips[n_skips++] = program->n;
                emit(program, BPF_JMP | BPF_JNE | BPF_K, BPF_REG_3, 0, 0, rule->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
        }
        if (rule->major >= 0) {
                skips[n_skips++] = program->n;
                emit(program, BPF_JMP | BPF_JNE | BPF_K, BPF_REG_4, 0, 0, (int32_t) rule->major);
        }
        if (rule->minor >= 0) {
                skips[n_skips++] = program->n;
                emit(program, BPF_JMP | BPF_JNE | BPF_K, BPF_REG_5, 0, 0, (int32_t) rule->minor);
        }
        if (rule->allow) {
                emit(program, BPF_ALU64 | BPF_AND | BPF_K, BPF_REG_2, 0, 0, ~bits);
                emit(program, BPF_JMP | BPF_JNE | BPF_K, BPF_REG_2, 0, 2, 0);
                emit_return(program, 1);
        } else {
                emit(program, BPF_JMP | BPF_JSET | BPF_K, BPF_REG_2, 0, 1, bits);
                emit(program, BPF_JMP | BPF_JA, 0, 0, 2, 0);
                emit_return(program, 0);
        }
        for (uint32_t i = 0; i < n_skips; i++)
                program->code[skips[i]].off = (int16_t) (program->n - skips[i] - 1);
        return 0;
}

/*
 * v1 changes a list with each rule, so there the last rule that speaks of an access decides. The program therefore asks the
 * rules from the last to the first, and denies what none speaks of.
 */
static int build(struct program *program, const struct cgroup_device_rule *rules, uint32_t n) {
        emit(program, BPF_LDX | BPF_MEM | BPF_W, BPF_REG_3, BPF_REG_1, offsetof(struct bpf_cgroup_dev_ctx, access_type), 0);
        emit(program, BPF_LDX | BPF_MEM | BPF_W, BPF_REG_4, BPF_REG_1, offsetof(struct bpf_cgroup_dev_ctx, major), 0);
        emit(program, BPF_LDX | BPF_MEM | BPF_W, BPF_REG_5, BPF_REG_1, offsetof(struct bpf_cgroup_dev_ctx, minor), 0);
        emit(program, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_2, BPF_REG_3, 0, 0);
        emit(program, BPF_ALU64 | BPF_RSH | BPF_K, BPF_REG_2, 0, 0, 16);
        emit(program, BPF_ALU64 | BPF_AND | BPF_K, BPF_REG_3, 0, 0, 0xffff);
        for (uint32_t i = n; i-- > 0;) {
                int r = emit_rule(program, &rules[i]);
                if (r < 0)
                        return r;
        }
        emit_return(program, 0);
        return 0;
}

static int bpf(int command, union bpf_attr *attr) {
        long r = syscall(SYS_bpf, command, attr, sizeof(*attr));
        return r < 0 ? -errno : (int) r;
}

static int load(const struct program *program, int *ret_fd) {
        static const char license[] = "Apache-2.0";
        union bpf_attr attr;
        memset(&attr, 0, sizeof(attr));
        attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
        attr.insns = (uint64_t) (uintptr_t) program->code;
        attr.insn_cnt = program->n;
        attr.license = (uint64_t) (uintptr_t) license;
        int fd = bpf(BPF_PROG_LOAD, &attr); /* close-on-exec from birth, says the kernel */
        if (fd < 0)
                return fd;
        *ret_fd = fd;
        return 0;
}

static int attached(int cgroup, uint32_t ids[ATTACHED_MAX], uint32_t *ret_n) {
        union bpf_attr attr;
        memset(&attr, 0, sizeof(attr));
        attr.query.target_fd = (uint32_t) cgroup;
        attr.query.attach_type = BPF_CGROUP_DEVICE;
        attr.query.prog_ids = (uint64_t) (uintptr_t) ids;
        attr.query.prog_cnt = ATTACHED_MAX;
        int r = bpf(BPF_PROG_QUERY, &attr);
        if (r < 0)
                return r;
        *ret_n = attr.query.prog_cnt;
        return 0;
}

static int detach(int cgroup, uint32_t id) {
        union bpf_attr attr;
        memset(&attr, 0, sizeof(attr));
        attr.prog_id = id;
        _cleanup_close_ int fd = bpf(BPF_PROG_GET_FD_BY_ID, &attr);
        if (fd < 0)
                return fd;
        memset(&attr, 0, sizeof(attr));
        attr.target_fd = (uint32_t) cgroup;
        attr.attach_bpf_fd = (uint32_t) fd;
        attr.attach_type = BPF_CGROUP_DEVICE;
        return bpf(BPF_PROG_DETACH, &attr);
}

int device_program_attach(int cgroup, const struct cgroup_device_rule *rules, uint32_t n, struct berth_error *err) {
        if (n > CGROUP_DEVICE_RULES)
                return berth_error_set(err, E2BIG, "%u device rules are more than %d", n, CGROUP_DEVICE_RULES);
        _cleanup_free_ struct program *program = calloc(1, sizeof(*program));
        if (!program)
                return berth_error_set(err, ENOMEM, "build the device program");
        int r = build(program, rules, n);
        if (r < 0)
                return berth_error_set(err, -r, "build the device program: a device number is too large");
        _cleanup_close_ int fd = -1;
        r = load(program, &fd);
        if (r < 0)
                return berth_error_set(err, -r, "load the device program (BPF_PROG_TYPE_CGROUP_DEVICE)");

        uint32_t old[ATTACHED_MAX], n_old = 0;
        r = attached(cgroup, old, &n_old);
        if (r < 0)
                return berth_error_set(err, -r, "list the device programs of the cgroup");
        union bpf_attr attr;
        memset(&attr, 0, sizeof(attr));
        attr.target_fd = (uint32_t) cgroup;
        attr.attach_bpf_fd = (uint32_t) fd;
        attr.attach_type = BPF_CGROUP_DEVICE;
        attr.attach_flags = BPF_F_ALLOW_MULTI;
        r = bpf(BPF_PROG_ATTACH, &attr);
        if (r < 0)
                return berth_error_set(err, -r, "attach the device program to the cgroup");
        /* All attached programs must agree, so the old ones go last: never a moment without rules. */
        for (uint32_t i = 0; i < n_old; i++) {
                r = detach(cgroup, old[i]);
                if (r < 0 && r != -ENOENT)
                        return berth_error_set(err, -r, "detach an earlier device program from the cgroup");
        }
        return 0;
}
