/* SPDX-License-Identifier: Apache-2.0 */
#include "plan-decode.h"

#define PLAN_FILTER_MAX 4096 /* BPF_MAXINSNS */

static int plan_decode_seccomp(const struct tlv_record *record, struct plan_process *process, struct berth_error *err) {
        if (record->size == 0 || record->size % sizeof(struct sock_filter) != 0 || record->size / sizeof(struct sock_filter) > PLAN_FILTER_MAX)
                return plan_damaged(err, "the seccomp filter");
        process->seccomp = (const struct sock_filter *) (const void *) record->data;
        process->n_seccomp = (uint32_t) (record->size / sizeof(struct sock_filter));
        return 0;
}

static bool plan_decode_memory_policy(const struct tlv_record *record, struct plan_process *process) {
        uint32_t numbers[2], offset = sizeof numbers;
        if (!tlv_copy(record, numbers, sizeof numbers))
                return false;
        process->memory_policy = numbers[0];
        process->memory_policy_flags = numbers[1];
        process->memory_nodes = tlv_string_at(record, &offset);
        return process->memory_nodes != NULL;
}

static bool plan_decode_affinity(const struct tlv_record *record, struct plan_process *process) {
        const char *initial, *final;
        if (!plan_pair(record, &initial, &final))
                return false;
        process->affinity_initial = *initial ? initial : NULL;
        process->affinity_final = *final ? final : NULL;
        return true;
}

static bool plan_decode_schedule(const struct tlv_record *record, struct plan_process *process) {
        switch (record->tag) {
        case PLAN_SCHEDULER:
                process->has_scheduler = true;
                return tlv_copy(record, &process->scheduler, sizeof process->scheduler);
        case PLAN_IO_PRIORITY:
                process->has_io_priority = true;
                return tlv_copy(record, &process->io_priority, sizeof process->io_priority);
        case PLAN_CPU_AFFINITY:
                return plan_decode_affinity(record, process);
        case PLAN_MEMORY_POLICY:
                return plan_decode_memory_policy(record, process);
        default:
                process->has_personality = true;
                return tlv_copy(record, &process->personality, sizeof process->personality);
        }
}

int plan_decode_process(struct plan *plan, struct tlv_reader reader, struct berth_error *err) {
        struct plan_process *process = &plan->process;
        uint32_t n_arguments, n_rlimits = plan_count(reader, PLAN_RLIMIT);
        struct tlv_record record;
        uint32_t user[2];
        uint16_t size[2];

        process->umask = PLAN_UNSET;
        process->cwd = "/";
        int r = plan_strings(plan, reader, PLAN_ARGUMENT, &process->argv, &n_arguments, err);
        if (r == 0)
                r = plan_strings(plan, reader, PLAN_ENVIRONMENT, &process->envp, NULL, err);
        if (r < 0)
                return r;
        if (n_arguments == 0)
                return plan_damaged(err, "no arguments");

        struct plan_rlimit *rlimits = plan_allocate(plan, n_rlimits, sizeof *rlimits);
        if (!rlimits)
                return plan_damaged(err, "too many records");
        process->rlimits = rlimits;

        while (tlv_next(&reader, &record) > 0) {
                bool ok = true;
                r = 0;
                switch (record.tag) {
                case PLAN_ARGUMENT:
                case PLAN_ENVIRONMENT:
                        break;
                case PLAN_TERMINAL:
                        ok = tlv_copy(&record, size, sizeof size);
                        process->terminal = true;
                        process->rows = ok ? size[0] : 0;
                        process->columns = ok ? size[1] : 0;
                        break;
                case PLAN_CWD:
                        r = plan_string(&record, &process->cwd, err);
                        break;
                case PLAN_USER:
                        ok = tlv_copy(&record, user, sizeof user);
                        process->uid = ok ? user[0] : 0;
                        process->gid = ok ? user[1] : 0;
                        break;
                case PLAN_UMASK:
                        ok = tlv_copy(&record, &process->umask, sizeof process->umask);
                        break;
                case PLAN_GROUPS:
                        process->groups = (const uint32_t *) (const void *) record.data;
                        process->n_groups = (uint32_t) (record.size / sizeof(uint32_t));
                        break;
                case PLAN_CAPABILITIES:
                        ok = tlv_copy(&record, process->capabilities, sizeof process->capabilities);
                        break;
                case PLAN_RLIMIT:
                        ok = record.size == sizeof *rlimits && tlv_copy(&record, &rlimits[process->n_rlimits], sizeof *rlimits);
                        process->n_rlimits++;
                        break;
                case PLAN_NO_NEW_PRIVILEGES:
                        process->no_new_privileges = true;
                        break;
                case PLAN_OOM_SCORE:
                        process->has_oom_score = true;
                        ok = tlv_copy(&record, &process->oom_score, sizeof process->oom_score);
                        break;
                case PLAN_SECCOMP:
                        r = plan_decode_seccomp(&record, process, err);
                        break;
                case PLAN_SECCOMP_FLAGS:
                        ok = tlv_copy(&record, &process->seccomp_flags, sizeof process->seccomp_flags);
                        break;
                case PLAN_SECCOMP_LISTENER:
                        ok = plan_pair(&record, &process->seccomp_listener, &process->seccomp_metadata);
                        break;
                case PLAN_APPARMOR_PROFILE:
                        r = plan_string(&record, &process->apparmor, err);
                        break;
                case PLAN_SELINUX_LABEL:
                        r = plan_string(&record, &process->selinux, err);
                        break;
                case PLAN_NO_NEW_KEYRING:
                        process->no_new_keyring = true;
                        break;
                case PLAN_PRESERVED_FDS:
                        ok = tlv_copy(&record, &process->n_preserved, sizeof process->n_preserved) && process->n_preserved <= PLAN_PRESERVED_MAX;
                        break;
                case PLAN_SCHEDULER:
                case PLAN_IO_PRIORITY:
                case PLAN_CPU_AFFINITY:
                case PLAN_MEMORY_POLICY:
                case PLAN_PERSONALITY:
                        ok = plan_decode_schedule(&record, process);
                        break;
                default:
                        r = plan_unknown(&record, "process", err);
                }
                if (r < 0)
                        return r;
                if (!ok)
                        return plan_damaged(err, "a record of the process");
        }
        return 0;
}
