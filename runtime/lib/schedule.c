/* SPDX-License-Identifier: Apache-2.0 */
#include "schedule.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "number-list.h"

#define SCHEDULE_IOPRIO_PROCESS 1

/* struct sched_attr of linux/sched/types.h, which clashes with the libc's sched.h. */
struct schedule_attributes {
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime, deadline, period;
        uint32_t clamp_min, clamp_max;
};

static int schedule_affinity(pid_t pid, const char *cpus, struct berth_error *err) {
        struct number_list list;

        int r = number_list_parse(cpus, &list);
        if (r < 0)
                return berth_error_set(err, -r, "read the list of processors '%s'", cpus);
        if (syscall(SYS_sched_setaffinity, pid, sizeof list.mask, list.mask) < 0)
                return berth_error_set(err, errno, "let the process run on the processors '%s'", cpus);
        return 0;
}

int schedule_begin(const struct plan_process *plan, struct berth_error *err) {
        return plan->affinity_initial ? schedule_affinity(0, plan->affinity_initial, err) : 0;
}

int schedule_memory(const struct plan_process *plan, struct berth_error *err) {
        struct number_list nodes = {0};

        if (!plan->memory_nodes)
                return 0;
        int r = *plan->memory_nodes ? number_list_parse(plan->memory_nodes, &nodes) : 0;
        if (r < 0)
                return berth_error_set(err, -r, "read the list of memory nodes '%s'", plan->memory_nodes);
        /* The kernel takes no mask at all where a policy has none, and one bit less than it is told. */
        unsigned long bits = *plan->memory_nodes ? NUMBER_LIST_MAX + 1 : 0;
        if (syscall(SYS_set_mempolicy, plan->memory_policy | plan->memory_policy_flags, bits ? nodes.mask : NULL, bits) < 0)
                return berth_error_set(err, errno, "set memory policy %u with nodes '%s'", plan->memory_policy, plan->memory_nodes);
        return 0;
}

int schedule_apply(pid_t pid, const struct plan_process *plan, struct berth_error *err) {
        if (plan->has_scheduler) {
                const struct plan_scheduler *wanted = &plan->scheduler;
                const struct schedule_attributes attributes = {
                        .size = sizeof attributes,
                        .policy = wanted->policy,
                        .flags = wanted->flags,
                        .nice = wanted->nice,
                        .priority = wanted->priority,
                        .runtime = wanted->runtime,
                        .deadline = wanted->deadline,
                        .period = wanted->period,
                };
                if (syscall(SYS_sched_setattr, pid, &attributes, 0) < 0)
                        return berth_error_set(err, errno, "set scheduling policy %u with nice %d and priority %u", wanted->policy, wanted->nice,
                                               wanted->priority);
        }
        if (plan->has_io_priority && syscall(SYS_ioprio_set, SCHEDULE_IOPRIO_PROCESS, pid, plan->io_priority) < 0)
                return berth_error_set(err, errno, "set I/O priority class %u, level %u", plan->io_priority >> 13, plan->io_priority & 0x1fff);
        return plan->affinity_final ? schedule_affinity(pid, plan->affinity_final, err) : 0;
}
