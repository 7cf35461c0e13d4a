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
