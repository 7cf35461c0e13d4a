/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <linux/filter.h>
#include <sys/resource.h>

#include "plan.h"

/* What a plan looks like once decoded; only the library reads these. */

#define PLAN_UNSET UINT32_MAX

enum plan_capability_set {
        PLAN_BOUNDING,
        PLAN_EFFECTIVE,
        PLAN_INHERITABLE,
        PLAN_PERMITTED,
        PLAN_AMBIENT,
        PLAN_CAPABILITY_SETS,
};

#define PLAN_ID_MAP_LINES_MAX 340 /* of one map: UID_GID_MAP_MAX_EXTENTS of the kernel */

/* One line of a uid_map or gid_map (user_namespaces(7)). */
struct plan_id_map {
        uint32_t group; /* 0: users, 1: groups */
        uint32_t inside, outside, size;
};

struct plan_time_offset {
        uint32_t clock; /* CLOCK_MONOTONIC or CLOCK_BOOTTIME */
        uint32_t nanoseconds;
        int64_t seconds;
};

/* In the order of a life (runtime-spec config.md#posix-platform-hooks). */
enum plan_hook_kind {
        PLAN_HOOK_PRESTART,
        PLAN_HOOK_CREATE_RUNTIME,
        PLAN_HOOK_CREATE_CONTAINER,
        PLAN_HOOK_START_CONTAINER,
        PLAN_HOOK_POSTSTART,
        PLAN_HOOK_POSTSTOP,
        PLAN_HOOK_KINDS,
};

struct plan_hook {
        enum plan_hook_kind kind;
        uint32_t timeout;        /* s; 0: none */
        const char *path;        /* absolute */
        const char *const *argv; /* NULL-terminated, at least one */
        const char *const *envp; /* NULL-terminated */
};

/* As sched_setattr(2) takes it. */
struct plan_scheduler {
        uint32_t policy;
        int32_t nice;
        uint32_t priority, reserved;
        uint64_t flags, runtime, deadline, period; /* ns */
};

struct plan_rlimit {
        uint32_t resource;
        uint64_t soft, hard; /* RLIM_INFINITY: unlimited */
};

struct plan_process {
        bool terminal;
        uint16_t rows, columns;
        const char *cwd;
        const char *const *argv;  /* NULL-terminated, at least one */
        const char *const *envp;  /* NULL-terminated */
        uint32_t uid, gid, umask; /* umask: PLAN_UNSET or 0..0777 */
        const uint32_t *groups;
        uint32_t n_groups;
        uint64_t capabilities[PLAN_CAPABILITY_SETS];
        const struct plan_rlimit *rlimits;
        uint32_t n_rlimits;
        bool no_new_privileges;
        bool has_oom_score;
        int32_t oom_score;
        const struct sock_filter *seccomp;
        uint32_t n_seccomp; /* instructions */
        uint32_t seccomp_flags;
        const char *seccomp_listener, *seccomp_metadata; /* NULL: the filter notifies nobody */
        bool has_scheduler, has_io_priority, has_personality;
        struct plan_scheduler scheduler;
        uint32_t io_priority;
        uint64_t personality;
        const char *affinity_initial, *affinity_final; /* NULL: left alone */
        uint32_t memory_policy, memory_policy_flags;   /* memory_nodes NULL: left alone */
        const char *memory_nodes;
        const char *apparmor, *selinux; /* NULL: left alone */
        bool no_new_keyring;
        uint32_t n_preserved; /* descriptors from 3 on */
};

enum plan_mount_flags {
        PLAN_MOUNT_BIND = 1,
        PLAN_MOUNT_BIND_RECURSIVE = 2,
        PLAN_MOUNT_COPY_UP = 4,            /* a tmpfs that begins with what it covers */
        PLAN_MOUNT_ID_MAPPED = 8,          /* by id_maps, or by the container's when there are none */
        PLAN_MOUNT_ID_MAPPED_SUBTREE = 16, /* and all below it */
        PLAN_MOUNT_REMOUNT = 32,           /* changes what is mounted on the destination already: with BIND the mount, else its file system too */
        PLAN_MOUNT_INODE_VERSION = 64,     /* MS_I_VERSION */
};

struct plan_mount {
        const char *destination, *type, *source; /* source: "" when there is none */
        const char *subpath;                     /* beneath the source of a bind; NULL: the source itself */
        const char *namespace;                   /* path of the mount namespace that the source of a bind is in; NULL: the caller's */
        uint64_t flags;
        uint64_t attr_set, attr_clear;                     /* MOUNT_ATTR_* of the mount itself */
        uint64_t recursive_attr_set, recursive_attr_clear; /* and of all below it */
        uint64_t propagation;                              /* MS_*, with MS_REC; 0: private */
        const char *const *options;                        /* of the file system */
        uint32_t n_options;
        const struct plan_id_map *id_maps;
        uint32_t n_id_maps;
        int fd; /* while the root is built: the opened source, later the mount; -1 */
};

struct plan_device {
        const char *path;
        uint32_t mode; /* with S_IFCHR, S_IFBLK or S_IFIFO */
        uint32_t uid, gid, major, minor;
};

struct plan_namespace {
        uint64_t flag;    /* CLONE_NEW* */
        const char *path; /* "": a new one */
};

struct plan_pair {
        const char *key, *value;
};

#define PLAN_NET_DEVICES_MAX 64

struct plan_container {
        const char *hostname, *domainname; /* NULL: left alone */
        bool root_readonly;
        uint64_t root_propagation; /* MS_*; 0: private */
        const struct plan_namespace *namespaces;
        uint32_t n_namespaces;
        struct plan_mount *mounts;
        uint32_t n_mounts;
        const struct plan_device *devices;
        uint32_t n_devices;
        const char *const *masked_paths;
        uint32_t n_masked_paths;
        const char *const *readonly_paths;
        uint32_t n_readonly_paths;
        const struct plan_pair *sysctls; /* key with slashes: net/ipv4/ip_forward */
        uint32_t n_sysctls;
        const char *cgroup_path; /* NULL: none */
        struct cgroup_limits limits;
        const struct plan_id_map *id_maps; /* of a new user namespace */
        uint32_t n_id_maps;
        const struct plan_time_offset *time_offsets;
        uint32_t n_time_offsets;
        const struct plan_hook *hooks;
        uint32_t n_hooks;
        const char *state; /* NULL: neither hooks nor listeners */
        const struct plan_pair *net_devices;
        uint32_t n_net_devices;
        const char *mount_label; /* NULL: none */
        bool no_pivot;
};

struct plan {
        const uint8_t *image;
        size_t image_size;
        uint8_t *arena;
        size_t arena_size, arena_used;
        bool has_container, has_keeper;
        struct plan_process process;
        struct plan_container container;
        struct keeper_plan keeper;
};

/* Numbers of PLAN_LIMIT; each is one field of struct cgroup_limits. */
enum plan_limit {
        PLAN_LIMIT_MEMORY = 1,
        PLAN_LIMIT_MEMORY_RESERVATION,
        PLAN_LIMIT_MEMORY_SWAP,
        PLAN_LIMIT_MEMORY_SWAPPINESS,
        PLAN_LIMIT_MEMORY_DISABLE_OOM_KILLER,
        PLAN_LIMIT_CPU_SHARES,
        PLAN_LIMIT_CPU_QUOTA,
        PLAN_LIMIT_CPU_PERIOD,
        PLAN_LIMIT_CPU_BURST,
        PLAN_LIMIT_CPU_RT_RUNTIME,
        PLAN_LIMIT_CPU_RT_PERIOD,
        PLAN_LIMIT_CPU_IDLE,
        PLAN_LIMIT_PIDS,
        PLAN_LIMIT_BLKIO_WEIGHT,
        PLAN_LIMIT_BLKIO_LEAF_WEIGHT,
        PLAN_LIMIT_NETWORK_CLASS,
        PLAN_LIMIT_MEMORY_CHECK_BEFORE_UPDATE,
};

/* The namespace of that kind, or NULL: shared with the host. */
const struct plan_namespace *plan_namespace_of(const struct plan_container *container, uint64_t flag);
