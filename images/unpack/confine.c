/* SPDX-License-Identifier: Apache-2.0 */
#include "confine.h"

#include "../../runtime/lib/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/mount.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MOUNT_ATTR_RDONLY
#error "linux/mount.h is too old"
#endif

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#else
#error "name the audit architecture of this machine"
#endif

enum { MAX_SYSCALLS = 64 };

/* A detached mount of the directory, with these attributes. Only mounts of one's own namespace can be cloned: call it before unshare. */
static int clone_mount(int directory, uint64_t attributes, int *ret_fd, struct berth_error *err) {
        _cleanup_close_ int tree = (int) syscall(SYS_open_tree, directory, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
        if (tree < 0)
                return berth_error_set(err, errno, "clone the mount of a directory: %s", strerror(errno));
        struct mount_attr attr = {.attr_set = attributes};
        if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attr, sizeof attr) < 0)
                return berth_error_set(err, errno, "restrict the mount of a directory: %s", strerror(errno));
        return give_fd(ret_fd, &tree);
}

static const uint64_t inert = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

int confine_to_subtree(int directory, struct berth_error *err) {
        _cleanup_close_ int tree = -1;
        int r = clone_mount(directory, inert | MOUNT_ATTR_RDONLY, &tree, err);
        if (r < 0)
                return r;
        return dup3(tree, directory, O_CLOEXEC) < 0 ? berth_error_set(err, errno, "keep the mount of a directory") : 0;
}

int confine_enter(int directory, struct berth_error *err) {
        _cleanup_close_ int tree = -1;
        int r = clone_mount(directory, inert, &tree, err);
        if (r < 0)
                return r;
        if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) < 0)
                return berth_error_set(err, errno, "enter empty namespaces: %s", strerror(errno));
        if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return berth_error_set(err, errno, "make the mounts private: %s", strerror(errno));
        if (syscall(SYS_move_mount, tree, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
                return berth_error_set(err, errno, "attach the target directory: %s", strerror(errno));

        /* New root and old root at the same place: what is then on top of `.` is the old one. */
        if (fchdir(tree) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
                return berth_error_set(err, errno, "make the target directory the root: %s", strerror(errno));
        if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
                return berth_error_set(err, errno, "leave the host's mounts: %s", strerror(errno));
        (void) close(directory);
        return 0;
}

int confine_enter_alone(int directory, int *ret_root, struct berth_error *err) {
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
                return berth_error_set(err, errno, "give up new privileges");
        int r = confine_enter(directory, err);
        if (r < 0)
                return r;
        _cleanup_close_ int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (root < 0)
                return berth_error_set(err, errno, "open the directory");
        return give_fd(ret_root, &root);
}

int confine_to_reading(int root, struct berth_error *err) {
        struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};
        return syscall(SYS_mount_setattr, root, "", AT_EMPTY_PATH, &attr, sizeof attr) < 0
                       ? berth_error_set(err, errno, "make the directory read-only: %s", strerror(errno))
                       : 0;
}

static int limit(int resource, uint64_t value, struct berth_error *err) {
        struct rlimit rlimit;
        if (getrlimit(resource, &rlimit) < 0)
                return berth_error_set(err, errno, "read resource limit %d", resource);
        /* Whoever started us may have less to give. */
        if (rlimit.rlim_max > value)
                rlimit.rlim_max = value;
        rlimit.rlim_cur = rlimit.rlim_max;
        if (setrlimit(resource, &rlimit) < 0)
                return berth_error_set(err, errno, "set resource limit %d to %llu", resource, (unsigned long long) value);
        return 0;
}

static int drop_capabilities(uint64_t keep, struct berth_error *err) {
        unsigned long capability = 0;
        for (; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++)
                if (!(keep >> capability & 1) && prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0)
                        return berth_error_set(err, errno, "drop capability %lu", capability);
        if (errno != EINVAL) /* for the number behind the last one */
                return berth_error_set(err, errno, "look for capability %lu", capability);

        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
        struct __user_cap_data_struct data[2] = {
                {.effective = (uint32_t) keep, .permitted = (uint32_t) keep},
                {.effective = (uint32_t) (keep >> 32), .permitted = (uint32_t) (keep >> 32)},
        };
        if (syscall(SYS_capset, &header, data) < 0)
                return berth_error_set(err, errno, "keep only the capabilities needed: %s", strerror(errno));
        return 0;
}

/* Jumps of BPF are 8 bits wide and forward; each check therefore returns on the spot. */
static int install_filter(const int *syscalls, size_t n, struct berth_error *err) {
        struct sock_filter filter[2 * MAX_SYSCALLS + 16];
        unsigned short used = 0;
        if (n > MAX_SYSCALLS)
                return berth_error_set(err, E2BIG, "more than %d system calls in the filter", MAX_SYSCALLS);

        const struct sock_filter kill = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
        const struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
        filter[used++] = (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
        filter[used++] = (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 1, 0);
        filter[used++] = kill;
        /* Numbers of the x32 ABI carry bit 30 and match nothing below. */
        filter[used++] = (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
        bool maps = false;
        for (size_t i = 0; i < n; i++) {
                if (syscalls[i] == SYS_mmap) {
                        maps = true;
                        continue;
                }
                filter[used++] = (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t) syscalls[i], 0, 1);
                filter[used++] = allow;
        }
        if (maps) {
                filter[used++] = (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 1, 0);
                filter[used++] = kill;
                filter[used++] = (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2]));
                filter[used++] = (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 1, 0);
                filter[used++] = allow;
        }
        filter[used++] = kill;

        const struct sock_fprog program = {.len = used, .filter = filter};
        if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
                return berth_error_set(err, errno, "install the system call filter: %s", strerror(errno));
        return 0;
}

int confine_drop(const struct confine_rights *rights, struct berth_error *err) {
        int r = drop_capabilities(rights->capabilities, err);
        if (r == 0)
                r = limit(RLIMIT_AS, rights->address_space, err);
        if (r == 0)
                r = limit(RLIMIT_FSIZE, rights->file_size, err);
        if (r == 0)
                r = limit(RLIMIT_CPU, rights->cpu_seconds, err);
        if (r == 0)
                r = limit(RLIMIT_NOFILE, rights->descriptors, err);
        if (r == 0)
                r = limit(RLIMIT_CORE, 0, err);
        return r < 0 ? r : install_filter(rights->syscalls, rights->n_syscalls, err);
}
