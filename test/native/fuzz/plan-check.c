/* SPDX-License-Identifier: Apache-2.0 */
#include "plan-check.h"

#include <unistd.h>

#include "fuzz.h"
#include "plan-compile.h"

static volatile unsigned long plan_check_sum;

static void take(const void *bytes, size_t size) {
        for (size_t i = 0; i < size; i++)
                plan_check_sum += ((const uint8_t *) bytes)[i];
}

static void take_text(const char *text) {
        if (text)
                take(text, strlen(text));
}

static void take_list(const char *const *list) {
        for (; list && *list; list++)
                take_text(*list);
}

static void take_texts(const char *const *list, uint32_t n) {
        for (uint32_t i = 0; i < n; i++)
                take(list[i], strlen(list[i]));
}

static void take_process(const struct plan_process *process) {
        must(process->argv && process->argv[0], "a process has a program");
        must(process->cwd, "a process has a working directory");
        take_list(process->argv);
        take_list(process->envp);
        take(process->groups, process->n_groups * sizeof *process->groups);
        take(process->rlimits, process->n_rlimits * sizeof *process->rlimits);
        take(process->seccomp, process->n_seccomp * sizeof *process->seccomp);
        const char *const texts[] = {process->seccomp_listener, process->seccomp_metadata, process->affinity_initial, process->affinity_final,
                                     process->memory_nodes,     process->apparmor,         process->selinux};
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
                take_text(texts[i]);
}

static void take_mounts(const struct plan_container *container) {
        for (uint32_t i = 0; i < container->n_mounts; i++) {
                const struct plan_mount *mount = &container->mounts[i];
                must(mount->destination && mount->type && mount->source, "mount %u has its strings", i);
                take_text(mount->destination);
                take_text(mount->type);
                take_text(mount->source);
                take_texts(mount->options, mount->n_options);
                take(mount->id_maps, mount->n_id_maps * sizeof *mount->id_maps);
        }
}

static void take_limits(const struct cgroup_limits *limits) {
        take_text(limits->cpuset_cpus);
        take_text(limits->cpuset_mems);
        take(limits->device_rules, limits->n_device_rules * sizeof *limits->device_rules);
        take_texts(limits->unified, 2 * limits->n_unified);
        take(limits->blkio_devices, limits->n_blkio_devices * sizeof *limits->blkio_devices);
        for (uint32_t i = 0; i < limits->n_hugepages; i++)
                take_text(limits->hugepages[i].size);
        for (uint32_t i = 0; i < limits->n_rdma; i++)
                take_text(limits->rdma[i].device);
        for (uint32_t i = 0; i < limits->n_network_priorities; i++)
                take_text(limits->network_priorities[i].link);
}

static void take_pairs(const struct plan_pair *pairs, uint32_t n) {
        for (uint32_t i = 0; i < n; i++) {
                take_text(pairs[i].key);
                take_text(pairs[i].value);
        }
}

static void take_hooks(const struct plan_container *container) {
        for (uint32_t i = 0; i < container->n_hooks; i++) {
                const struct plan_hook *hook = &container->hooks[i];
                must(hook->path && hook->kind < PLAN_HOOK_KINDS && hook->argv, "hook %u is one", i);
                take_text(hook->path);
                take_list(hook->argv);
                take_list(hook->envp);
        }
}

static void take_container(const struct plan_container *container) {
        const char *const texts[] = {container->hostname, container->domainname, container->cgroup_path, container->state, container->mount_label};
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
                take_text(texts[i]);
        for (uint32_t i = 0; i < container->n_namespaces; i++)
                take_text(container->namespaces[i].path);
        take_mounts(container);
        for (uint32_t i = 0; i < container->n_devices; i++)
                take_text(container->devices[i].path);
        take_texts(container->masked_paths, container->n_masked_paths);
        take_texts(container->readonly_paths, container->n_readonly_paths);
        take_pairs(container->sysctls, container->n_sysctls);
        take_pairs(container->net_devices, container->n_net_devices);
        take(container->id_maps, container->n_id_maps * sizeof *container->id_maps);
        take(container->time_offsets, container->n_time_offsets * sizeof *container->time_offsets);
        take_hooks(container);
        take_limits(&container->limits);
}

static void take_keeper(const struct keeper_plan *keeper) {
        const char *const texts[] = {keeper->id,   keeper->directory, keeper->log_path, keeper->rootfs_path, keeper->upper,
                                     keeper->work, keeper->host_link, keeper->bridge,   keeper->link};
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
                take_text(texts[i]);
        take_texts(keeper->lower, keeper->n_lower);
        take(keeper->addresses, keeper->n_addresses * sizeof *keeper->addresses);
        take(keeper->routes, keeper->n_routes * sizeof *keeper->routes);
}

void plan_check_whole(const struct plan *plan) {
        take_process(&plan->process);
        if (plan->has_container)
                take_container(&plan->container);
        if (plan_keeper(plan))
                take_keeper(plan_keeper(plan));
}

bool plan_check_document(const char *config, size_t size, const char *keeper, size_t keeper_size) {
        static const struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, 0x7fff0000U);
        const struct plan_sources sources = {
                .config = config, .config_size = size, .keeper = keeper, .keeper_size = keeper_size, .filter = &allow, .filter_size = sizeof allow};
        struct berth_error err = {0};
        struct plan *plan = NULL;
        int fd = -1;

        int r = plan_compile(&sources, &fd, &err);
        if (r < 0) {
                must_explain(r, &err);
                must(fd == -1, "a refused plan leaves no descriptor");
                return false;
        }
        r = plan_open(fd, &plan, &err);
        must(r == 0, "our own plan opens: %s", err.text);
        must((plan_keeper(plan) != NULL) == (keeper != NULL), "the keeper is where it was given");
        plan_check_whole(plan);
        plan_close(plan);
        (void) close(fd);
        return true;
}
