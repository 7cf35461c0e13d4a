/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "error.h"

/*
 * Control groups on cgroup v1, v2 and hybrid hosts. Which hierarchy serves a controller is decided per controller from
 * /proc/self/mountinfo: controllers mounted as v1 are v1, all others come from the unified hierarchy if it lists them.
 */

#define CGROUP_HIERARCHIES 16
#define CGROUP_PATH_MAX 512
#define CGROUP_DEVICE_RULES 64

/* "Not asked for": the controller's file is left alone. */
#define CGROUP_UNSET INT64_MIN

struct cgroup_device_rule {
        bool allow;
        char type;            /* 'a', 'b' or 'c' */
        int64_t major, minor; /* -1: any */
        char access[4];       /* of "rwm" */
};

enum cgroup_blkio_kind {
        CGROUP_BLKIO_WEIGHT,
        CGROUP_BLKIO_LEAF_WEIGHT,
        CGROUP_BLKIO_READ_BPS,
        CGROUP_BLKIO_WRITE_BPS,
        CGROUP_BLKIO_READ_IOPS,
        CGROUP_BLKIO_WRITE_IOPS,
};

struct cgroup_blkio_device {
        uint32_t kind; /* enum cgroup_blkio_kind */
        uint32_t major, minor, reserved;
        uint64_t value; /* weight, bytes/s or operations/s */
};

struct cgroup_hugepage_limit {
        const char *size; /* "2MB", as in the names of the files */
        uint64_t bytes;
};

struct cgroup_rdma_limit {
        const char *device;
        uint32_t handles, objects; /* UINT32_MAX: left alone */
};

struct cgroup_network_priority {
        const char *link;
        uint32_t priority;
};

/* Units are those of the OCI runtime-spec (linux.resources): bytes, microseconds, v1 shares. */
struct cgroup_limits {
        int64_t memory_limit, memory_reservation, memory_swap; /* memory_swap = memory + swap, as in v1; -1 unlimited */
        int64_t memory_swappiness;
        int64_t memory_disable_oom_killer;
        int64_t cpu_shares, cpu_quota, cpu_period, cpu_burst, cpu_rt_runtime, cpu_rt_period, cpu_idle;
        const char *cpuset_cpus, *cpuset_mems; /* NULL: unset */
        int64_t pids_limit;                    /* <= 0 and not unset: max */
        int64_t blkio_weight;
        const struct cgroup_device_rule *device_rules; /* in order, as in the spec */
        uint32_t n_device_rules;
        const char *const *unified; /* pairs key, value; v2 files written as they are */
        uint32_t n_unified;         /* number of pairs */

        bool memory_check_before_update; /* a memory limit below what is in use is refused */
        int64_t blkio_leaf_weight, network_class;
        const struct cgroup_blkio_device *blkio_devices;
        uint32_t n_blkio_devices;
        const struct cgroup_hugepage_limit *hugepages;
        uint32_t n_hugepages;
        const struct cgroup_rdma_limit *rdma;
        uint32_t n_rdma;
        const struct cgroup_network_priority *network_priorities;
        uint32_t n_network_priorities;
};

/* clang-format off */
#define CGROUP_LIMITS_NONE ((struct cgroup_limits) { \
        .memory_limit = CGROUP_UNSET, \
        .memory_reservation = CGROUP_UNSET, \
        .memory_swap = CGROUP_UNSET, \
        .memory_swappiness = CGROUP_UNSET, \
        .memory_disable_oom_killer = CGROUP_UNSET, \
        .cpu_shares = CGROUP_UNSET, \
        .cpu_quota = CGROUP_UNSET, \
        .cpu_period = CGROUP_UNSET, \
        .cpu_burst = CGROUP_UNSET, \
        .cpu_rt_runtime = CGROUP_UNSET, \
        .cpu_rt_period = CGROUP_UNSET, \
        .cpu_idle = CGROUP_UNSET, \
        .pids_limit = CGROUP_UNSET, \
        .blkio_weight = CGROUP_UNSET, \
        .blkio_leaf_weight = CGROUP_UNSET, \
        .network_class = CGROUP_UNSET, \
})
/* clang-format on */

/* One made (or opened) group: the same relative path in every hierarchy. Plain data; no descriptor is kept. */
struct cgroup {
        char path[CGROUP_PATH_MAX];           /* "/berth/<id>" */
        uint32_t made;                        /* bit i: the directory in hierarchy i was made by us */
        uint16_t parents[CGROUP_HIERARCHIES]; /* length of the shortest part of the path that was made for it; 0: its parents were there */
        pid_t holder;                         /* > 0: keeps a new scope of systemd's from ending until cgroup_joined */
};

/* A path within a hierarchy: absolute, without empty, "." or ".." parts, and not the root itself. */
int cgroup_path_check(const char *path, struct berth_error *err);

/* The hierarchies of this host, read once per process from mountinfo. */
struct cgroup_hierarchy {
        char mount[CGROUP_PATH_MAX];
        char controllers[128]; /* "cpu,cpuacct", "name=systemd"; v2: the content of cgroup.controllers, comma separated */
        bool unified;
};
struct cgroup_layout {
        struct cgroup_hierarchy hierarchy[CGROUP_HIERARCHIES];
        uint32_t n;
        int unified_index; /* -1: none */
};
int cgroup_detect(struct cgroup_layout *ret, struct berth_error *err);

/* The hierarchy that serves `controller`, or NULL. */
const struct cgroup_hierarchy *cgroup_hierarchy_of(const struct cgroup_layout *layout, const char *controller);

/*
 * Makes `path` in every hierarchy (parents too; cpuset's copy-down; v2 subtree_control) and applies `limits` (NULL: none; to a group that has
 * processes already they are not applied: -EBUSY).
 * On failure nothing that this call made is left. EBUSY/ENOENT texts name controller and file. A path "slice:prefix:name" is a scope that
 * systemd makes; ret->path is where that is, and cgroup_joined must follow when a process of the caller's is in it.
 */
int cgroup_create(const struct cgroup_layout *layout, const char *path, const struct cgroup_limits *limits, struct cgroup *ret,
                  struct berth_error *err);
void cgroup_joined(struct cgroup *cgroup);
int cgroup_apply(const struct cgroup_layout *layout, const struct cgroup *cgroup, const struct cgroup_limits *limits, struct berth_error *err);

/*
 * Changes limits of a group with processes in it. What can be checked is checked before anything is written: that the host has each controller
 * and, if asked for, that the memory limit is not below what is in use. When the kernel refuses one later, the error tells which controllers
 * have their new limits already.
 */
int cgroup_update(const struct cgroup_layout *layout, const struct cgroup *cgroup, const struct cgroup_limits *limits, struct berth_error *err);

/*
 * Moves a process into the group in every v1 hierarchy (and in the unified one unless `skip_unified`, for CLONE_INTO_CGROUP).
 * pid 0: the calling process, which must have a single thread. That is the fast way, for a child to take before it leaves its
 * mount and cgroup namespace: a process that moves itself needs no lock, 0.3 ms for nine hierarchies, while moving another
 * (or anything through the unified hierarchy) waits for a grace period of the whole machine, 5 to 15 ms.
 */
int cgroup_attach(const struct cgroup_layout *layout, const struct cgroup *cgroup, pid_t pid, bool skip_unified, struct berth_error *err);

/*
 * Moves the calling process to where `pid` is in the unified hierarchy, which must be the group or below it: for a group that answered
 * EBUSY because it gave its controllers to groups below.
 */
int cgroup_attach_beside(const struct cgroup_layout *layout, const struct cgroup *cgroup, pid_t pid, struct berth_error *err);

/* An O_DIRECTORY descriptor of the unified directory for clone3's `cgroup` field; -ENOENT when there is no unified hierarchy. */
int cgroup_open_unified(const struct cgroup_layout *layout, const struct cgroup *cgroup, int *ret_fd, struct berth_error *err);

/* Freezer. freeze returns when every process is frozen (bounded wait on the kernel's own notification, then -ETIMEDOUT). */
int cgroup_freeze(const struct cgroup_layout *layout, const struct cgroup *cgroup, struct berth_error *err);
int cgroup_thaw(const struct cgroup_layout *layout, const struct cgroup *cgroup, struct berth_error *err);
/*
 * What was killed while it was frozen by v1 ends: it would stay until its group thaws. Groups below, which a container may have made and
 * frozen, thaw too. Does nothing where there is nothing of v1 to thaw.
 */
void cgroup_thaw_killed(const struct cgroup_layout *layout, const struct cgroup *cgroup);
/* What cgroup_freeze has asked for, be it done or not; false without a group or a freezer. */
bool cgroup_is_frozen(const struct cgroup_layout *layout, const struct cgroup *cgroup);

/* Sends `signal` to every process of the group and its children; SIGKILL uses cgroup.kill where the kernel has it. Thaws when killing. */
int cgroup_signal_all(const struct cgroup_layout *layout, const struct cgroup *cgroup, int signal, struct berth_error *err);

/* Of a group that is gone because its creation failed: the parents that were made for it, where nobody else is in them. */
void cgroup_remove_parents(const struct cgroup_layout *layout, const struct cgroup *cgroup);

/* Removes the directories (children first) in every hierarchy; retries while the kernel still says EBUSY for dying processes. */
int cgroup_remove(const struct cgroup_layout *layout, const struct cgroup *cgroup, struct berth_error *err);

/*
 * Out-of-memory watch. v1: an eventfd armed on memory.oom_control; v2: an inotify descriptor on memory.events. The descriptor
 * polls readable when something may have happened; cgroup_oom_kills then tells the truth (a counter since creation).
 */
int cgroup_oom_watch(const struct cgroup_layout *layout, const struct cgroup *cgroup, int *ret_fd, struct berth_error *err);
int cgroup_oom_kills(const struct cgroup_layout *layout, const struct cgroup *cgroup, uint64_t *ret, struct berth_error *err);
