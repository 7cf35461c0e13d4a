/* SPDX-License-Identifier: Apache-2.0 */
#include "probe.h"

#include <errno.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#else
#error "name the audit architecture of this machine"
#endif

enum { NOBODY = 65534 };

static const int allowed[] = {
        SYS_socket, SYS_connect,       SYS_getsockopt,    SYS_sendto, SYS_recvfrom,        SYS_ppoll,
        SYS_close,  SYS_clock_gettime, SYS_rt_sigreturn, SYS_write,  SYS_restart_syscall, SYS_exit_group,
};

static int become_nobody(struct berth_error *err) {
        for (unsigned long capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++)
                if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0)
                        return berth_error_set(err, errno, "drop capability %lu", capability);
        if (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0)
                return berth_error_set(err, errno, "become nobody: %s", strerror(errno));
        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
        struct __user_cap_data_struct none[2] = {{0}, {0}};
        if (syscall(SYS_capset, &header, none) < 0)
                return berth_error_set(err, errno, "drop all capabilities: %s", strerror(errno));
        return 0;
}

static int limit(int resource, rlim_t value, struct berth_error *err) {
        const struct rlimit rlimit = {value, value};
        return setrlimit(resource, &rlimit) < 0 ? berth_error_set(err, errno, "set resource limit %d", resource) : 0;
}

static int install_filter(struct berth_error *err) {
        enum { N = sizeof allowed / sizeof *allowed };
        struct sock_filter filter[2 * N + 5];
        unsigned short used = 0;
        const struct sock_filter kill = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
        filter[used++] = (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
        filter[used++] = (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 1, 0);
        filter[used++] = kill;
        /* Numbers of the x32 ABI carry bit 30 and match nothing below. */
        filter[used++] = (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
        for (size_t i = 0; i < N; i++) {
                filter[used++] = (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t) allowed[i], 0, 1);
                filter[used++] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
        }
        filter[used++] = kill;
        const struct sock_fprog program = {.len = used, .filter = filter};
        if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
                return berth_error_set(err, errno, "install the system call filter: %s", strerror(errno));
        return 0;
}

int probe_confine(struct berth_error *err) {
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return berth_error_set(err, errno, "give up new privileges");
        int r = become_nobody(err);
        /* After the change of user, which clears it. */
        if (r == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
                r = berth_error_set(err, errno, "end with the parent");
        if (r == 0)
                r = limit(RLIMIT_CORE, 0, err);
        if (r == 0)
                r = limit(RLIMIT_FSIZE, 0, err);
        if (r == 0)
                r = limit(RLIMIT_CPU, 2, err);
        if (r == 0)
                r = limit(RLIMIT_NOFILE, 8, err);
        return r < 0 ? r : install_filter(err);
}
