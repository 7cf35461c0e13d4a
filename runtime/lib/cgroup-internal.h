/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dirent.h>
#include <stddef.h>

#include "cgroup.h"

/* What the cgroup files share; nobody else includes this. */

#define CGROUP_FILE_MAX (2 * CGROUP_PATH_MAX)
#define CGROUP_DEPTH_MAX 32
/* How deep a container may nest groups before its processes are not found any more: one descriptor is held for each level. */
#define CGROUP_WALK_DEPTH_MAX 256

/* "<mount><path>" into `buffer`; -ENAMETOOLONG. */
int cgroup_directory(const struct cgroup_hierarchy *hierarchy, const char *path, char buffer[CGROUP_FILE_MAX], struct berth_error *err);
int cgroup_directory_open(const struct cgroup_hierarchy *hierarchy, const char *path, int *ret_fd, struct berth_error *err);

/* Raw access below an open directory: 0 or length, or a negative errno without a text. Reads end with NUL. */
int cgroup_file_write(int directory, const char *file, const char *value);
int cgroup_file_read(int directory, const char *file, char *buffer, size_t capacity);

/* The same with a text that names the file and the value. */
int cgroup_file_set(int directory, const char *file, const char *value, struct berth_error *err);
int cgroup_file_set_number(int directory, const char *file, int64_t value, struct berth_error *err);

int cgroup_file_failed(const char *file, const char *value, int code, struct berth_error *err);

/* Values that the kernel checks against each other. Those not asked for are left alone. */
struct cgroup_value {
        const char *file;
        char text[64];
        bool asked;
};
void cgroup_value_set(struct cgroup_value *value, const char *file, int64_t number);
int cgroup_settle(int directory, struct cgroup_value *values, size_t n, struct berth_error *err);

/* The value behind `key` in a flat keyed file ("oom_kill 3"); -ENOENT when the key is missing. */
int cgroup_file_key(int directory, const char *file, const char *key, uint64_t *ret);

/* The single number of a file; "max" is UINT64_MAX. */
int cgroup_file_number(int directory, const char *file, uint64_t *ret);

/* Is `controller` one of the comma separated ones? */
bool cgroup_controllers_have(const char *controllers, const char *controller);

/* One function of these per controller; `directory` is the group's in the hierarchy that serves it. */
int cgroup_v1_apply(int directory, const char *controller, const struct cgroup_limits *limits, struct berth_error *err);
int cgroup_v2_apply(int directory, const char *controller, const struct cgroup_limits *limits, struct berth_error *err);
int cgroup_v1_apply_block_io(int directory, const struct cgroup_limits *limits, struct berth_error *err);
int cgroup_v2_apply_block_io(int directory, const struct cgroup_limits *limits, struct berth_error *err);
int cgroup_apply_hugepages(int directory, bool unified, const struct cgroup_limits *limits, struct berth_error *err);
int cgroup_apply_rdma(int directory, const struct cgroup_limits *limits, struct berth_error *err);
int cgroup_v1_apply_priorities(int directory, const struct cgroup_limits *limits, struct berth_error *err);

/* The rules one after the other. _replace: of a group in use, which never loses a device in between that it had and keeps. */
int cgroup_v1_apply_devices(int directory, const struct cgroup_limits *limits, struct berth_error *err);
int cgroup_v1_replace_devices(int directory, const struct cgroup_limits *limits, struct berth_error *err);

/* The directories of all parents exist. v1 with cpuset: fills empty cpus and mems of every level below the root, `path` included. */
int cgroup_v1_inherit_cpuset(const struct cgroup_hierarchy *hierarchy, const char *path, struct berth_error *err);
/*
 * Groups below, which v1 lets have nothing that their parent lacks, lose what is not in `value`; one that would be left with nothing has
 * all of it.
 */
int cgroup_v1_set_cpuset(int directory, const char *file, const char *value, struct berth_error *err);
/* Lets every parent of `path` hand down all controllers it can; does nothing where the group has them already. */
int cgroup_v2_delegate(const struct cgroup_hierarchy *hierarchy, const char *path, struct berth_error *err);

/* CPU shares (2…262144) to cpu.weight (1…10000). */
int64_t cgroup_v2_weight(int64_t shares);

/* Makes the rules the only device program attached to the cgroup (BPF_PROG_TYPE_CGROUP_DEVICE). */
int device_program_attach(int cgroup, const struct cgroup_device_rule *rules, uint32_t n, struct berth_error *err);

/* Calls `each` for every process of the group itself; stops at the first negative answer. */
typedef int (*cgroup_process_fn)(pid_t pid, void *data);
int cgroup_members(int directory, cgroup_process_fn each, void *data);
/* The same for the group and all below it; -ELOOP where they nest deeper than anybody needs. */
int cgroup_walk_processes(int directory, cgroup_process_fn each, void *data);
/* The group in the hierarchy in which members are listed: the unified one, or any v1 one. */
int cgroup_members_open(const struct cgroup_layout *layout, const struct cgroup *cgroup, int *ret_fd, struct berth_error *err);

/* Lists a directory below an open one, and which entries are groups. */
int cgroup_list(int parent, const char *name, DIR **ret);
bool cgroup_is_child(const struct dirent *entry);

/* The sizes of huge pages that this host has, as the cgroup files spell them ("2MB"). */
struct cgroup_hugepage_size {
        char name[16];
};
uint32_t cgroup_hugepage_sizes(struct cgroup_hugepage_size *sizes, uint32_t capacity);

/* Milliseconds of CLOCK_MONOTONIC. */
int64_t cgroup_now(void);
