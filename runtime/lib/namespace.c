/* SPDX-License-Identifier: Apache-2.0 */
#include "namespace.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "sys.h"

static const char *namespace_name(uint64_t flag) {
        switch (flag) {
        case CLONE_NEWPID:
                return "pid";
        case CLONE_NEWNET:
                return "network";
        case CLONE_NEWNS:
                return "mount";
        case CLONE_NEWIPC:
                return "ipc";
        case CLONE_NEWUTS:
                return "uts";
        case CLONE_NEWCGROUP:
                return "cgroup";
        case CLONE_NEWUSER:
                return "user";
        case CLONE_NEWTIME:
                return "time";
        default:
                return "unknown";
        }
}

static bool namespace_is_forbidden(const char *limit) {
        char path[48], text[16] = "";

        (void) snprintf(path, sizeof path, "/proc/sys/user/%s", limit);
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
        return fd >= 0 && read(fd, text, sizeof text - 1) > 0 && strcmp(text, "0\n") == 0;
}

int namespace_error(int code, uint64_t flags, const char *what, struct berth_error *err) {
        static const struct {
                uint64_t flag;
                const char *file;
        } limits[NAMESPACE_KINDS] = {
                {CLONE_NEWUSER, "max_user_namespaces"},     {CLONE_NEWPID, "max_pid_namespaces"},   {CLONE_NEWNET, "max_net_namespaces"},
                {CLONE_NEWNS, "max_mnt_namespaces"},        {CLONE_NEWIPC, "max_ipc_namespaces"},   {CLONE_NEWUTS, "max_uts_namespaces"},
                {CLONE_NEWCGROUP, "max_cgroup_namespaces"}, {CLONE_NEWTIME, "max_time_namespaces"},
        };

        if (code != ENOSPC)
                return berth_error_set(err, code, "%s", what);
        for (size_t i = 0; i < NAMESPACE_KINDS; i++)
                if (flags & limits[i].flag && namespace_is_forbidden(limits[i].file))
                        return berth_error_set(err, EPERM, "%s: this host allows none (/proc/sys/user/%s is 0)", what, limits[i].file);
        return berth_error_set(err, EAGAIN, "%s: a limit of this host is reached (/proc/sys/user/max_*_namespaces)", what);
}

static int namespace_open(const struct plan_namespace *namespace, struct namespace_set *set, struct berth_error *err) {
        if (namespace->flag == CLONE_NEWUSER) {
                set->user_path = namespace->path;
                return 0;
        }
        _cleanup_close_ int fd = open(namespace->path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return berth_error_set(err, errno, "open %s namespace '%s'", namespace_name(namespace->flag), namespace->path);
        if (namespace->flag == CLONE_NEWPID) {
                set->pid = take_fd(&fd);
                return 0;
        }
        if (set->n_join == NAMESPACE_KINDS)
                return berth_error_set(err, E2BIG, "too many namespaces");
        set->join_flags[set->n_join] = namespace->flag;
        set->join[set->n_join++] = take_fd(&fd);
        return 0;
}

int namespace_open_all(const struct plan_container *container, struct namespace_set *ret, struct berth_error *err) {
        struct namespace_set set = NAMESPACE_SET_NONE;
        int r = 0;

        for (uint32_t i = 0; r == 0 && i < container->n_namespaces; i++) {
                const struct plan_namespace *namespace = &container->namespaces[i];
                if (*namespace->path)
                        r = namespace_open(namespace, &set, err);
                else if (namespace->flag == CLONE_NEWCGROUP)
                        set.new_cgroup = true;
                else if (namespace->flag == CLONE_NEWNET)
                        set.new_network = true;
                else if (namespace->flag == CLONE_NEWTIME)
                        set.new_time = true;
                else
                        set.clone_flags |= namespace->flag;
        }
        set.user = set.user_path || (set.clone_flags & CLONE_NEWUSER);
        if (r == 0 && !(set.clone_flags & CLONE_NEWNS))
                r = berth_error_set(err, EINVAL, "a container needs a mount namespace of its own");
        if (r < 0) {
                namespace_close_all(&set);
                return r;
        }
        *ret = set;
        return 0;
}

void namespace_close_all(struct namespace_set *set) {
        for (uint32_t i = 0; i < set->n_join; i++)
                (void) close(set->join[i]);
        cleanup_close(&set->pid);
        *set = NAMESPACE_SET_NONE;
}

int namespace_join(const struct namespace_set *set, struct berth_error *err) {
        for (uint32_t i = 0; i < set->n_join; i++)
                if (setns(set->join[i], (int) set->join_flags[i]) < 0)
                        return berth_error_set(err, errno, "enter the %s namespace", namespace_name(set->join_flags[i]));
        return 0;
}

int namespace_make_time(const struct plan_container *container, struct berth_error *err) {
        if (unshare(CLONE_NEWTIME) < 0)
                return namespace_error(errno, CLONE_NEWTIME, "make a time namespace", err);
        if (container->n_time_offsets == 0)
                return 0;
        _cleanup_close_ int fd = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
        if (fd < 0)
                return berth_error_set(err, errno, "open the offsets of the time namespace");
        for (uint32_t i = 0; i < container->n_time_offsets; i++) {
                const struct plan_time_offset *offset = &container->time_offsets[i];
                char text[64];
                int n = snprintf(text, sizeof text, "%u %lld %u", offset->clock, (long long) offset->seconds, offset->nanoseconds);
                if (write(fd, text, (size_t) n) < 0)
                        return berth_error_set(err, errno, "set the offset of clock %u by %lld s", offset->clock, (long long) offset->seconds);
        }
        return 0;
}

int namespace_enter_pid(int fd, int *ret_own, struct berth_error *err) {
        _cleanup_close_ int own = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);

        if (own < 0)
                return berth_error_set(err, errno, "open our own pid namespace");
        if (setns(fd, CLONE_NEWPID) < 0)
                return berth_error_set(err, errno, "enter the container's pid namespace");
        return give_fd(ret_own, &own);
}

int namespace_leave_pid(int *own, struct berth_error *err) {
        int r = setns(*own, CLONE_NEWPID) < 0 ? berth_error_set(err, errno, "return to our own pid namespace") : 0;

        cleanup_close(own);
        *own = -1;
        return r;
}
