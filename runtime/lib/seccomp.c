/* SPDX-License-Identifier: Apache-2.0 */
#include "seccomp.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

int seccomp_install(const struct plan_process *plan, int *ret_listener, struct berth_error *err) {
        struct sock_fprog program = {.len = (unsigned short) plan->n_seccomp, .filter = (struct sock_filter *) (uintptr_t) plan->seccomp};
        unsigned flags = plan->seccomp_flags | (plan->seccomp_listener ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0);

        *ret_listener = -1;
        if (plan->n_seccomp == 0)
                return 0;
        long r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
        if (r < 0)
                return berth_error_set(err, errno, "install a seccomp filter of %u instructions with flags 0x%x", plan->n_seccomp, flags);
        if (plan->seccomp_listener)
                *ret_listener = (int) r;
        return 0;
}
