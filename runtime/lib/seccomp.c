/* SPDX-License-Identifier: Apache-2.0 */
#include "seccomp.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

int seccomp_install(const struct plan_process *plan, struct berth_error *err) {
        struct sock_fprog program = {.len = (unsigned short) plan->n_seccomp, .filter = (struct sock_filter *) (uintptr_t) plan->seccomp};

        if (plan->n_seccomp == 0)
                return 0;
        if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, plan->seccomp_flags, &program) < 0)
                return berth_error_set(err, errno, "install a seccomp filter of %u instructions", plan->n_seccomp);
        return 0;
}
