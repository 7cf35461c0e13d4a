/* SPDX-License-Identifier: Apache-2.0 */
#include "plan.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "plan-internal.h"
#include "plan-tlv.h"

#define PLAN_SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW)
#define PLAN_FILTER_MAX 4096 /* BPF_MAXINSNS */

/*
 * No decoded element is larger than this many bytes for each byte of its record (a record is at least its eight-byte header; the
 * largest element is struct plan_mount). The arena is address space that is touched only as far as it is used.
 */
#define PLAN_ARENA_FACTOR 20

static int plan_damaged(struct berth_error *err, const char *what) {
        return berth_error_set(err, EBADMSG, "plan is damaged: %s", what);
}

static void *plan_allocate(struct plan *plan, size_t count, size_t size) {
        size_t bytes = (count * size + 15) & ~(size_t) 15;
        if (bytes > plan->arena_size - plan->arena_used)
                return NULL;
        void *at = plan->arena + plan->arena_used;
        plan->arena_used += bytes;
        return at;
}

static uint32_t plan_count(struct tlv_reader reader, uint16_t tag) {
        struct tlv_record record;
        uint32_t n = 0;
        while (tlv_next(&reader, &record) > 0)
                n += record.tag == tag;
        return n;
}

/* All strings of one tag as a NULL-terminated array. */
static int plan_strings(struct plan *plan, struct tlv_reader reader, uint16_t tag, const char *const **ret, uint32_t *ret_n, struct berth_error *err) {
        uint32_t n = plan_count(reader, tag), i = 0;
        const char **array = plan_allocate(plan, (size_t) n + 1, sizeof *array);
        struct tlv_record record;

        if (!array)
                return plan_damaged(err, "too many records");
        while (tlv_next(&reader, &record) > 0) {
                if (record.tag != tag)
                        continue;
                array[i] = tlv_string(&record);
                if (!array[i++])
                        return plan_damaged(err, "a string");
        }
        *ret = array;
        if (ret_n)
                *ret_n = n;
        return 0;
}

static int plan_string(const struct tlv_record *record, const char **ret, struct berth_error *err) {
        const char *text = tlv_string(record);
        if (!text)
                return plan_damaged(err, "a string");
        *ret = text;
        return 0;
}

static int plan_unknown(const struct tlv_record *record, const char *group, struct berth_error *err) {
        if (record->flags & TLV_OPTIONAL)
                return 0;
        return berth_error_set(err, EPROTONOSUPPORT, "plan has an unknown record %u in its %s part", record->tag, group);
}

static int plan_decode_seccomp(const struct tlv_record *record, struct plan_process *process, struct berth_error *err) {
        if (record->size == 0 || record->size % sizeof(struct sock_filter) != 0 || record->size / sizeof(struct sock_filter) > PLAN_FILTER_MAX)
                return plan_damaged(err, "the seccomp filter");
        process->seccomp = (const struct sock_filter *) (const void *) record->data;
        process->n_seccomp = (uint32_t) (record->size / sizeof(struct sock_filter));
        return 0;
}

static int plan_decode_process(struct plan *plan, struct tlv_reader reader, struct berth_error *err) {
        struct plan_process *process = &plan->process;
        uint32_t n_arguments, n_rlimits = plan_count(reader, PLAN_RLIMIT);
        struct tlv_record record;
        uint32_t user[2];
        uint16_t size[2];

        process->umask = PLAN_UNSET;
        process->cwd = "/";
        int r = plan_strings(plan, reader, PLAN_ARGUMENT, &process->argv, &n_arguments, err);
        if (r == 0)
                r = plan_strings(plan, reader, PLAN_ENVIRONMENT, &process->envp, NULL, err);
        if (r < 0)
                return r;
        if (n_arguments == 0)
                return plan_damaged(err, "no arguments");

        struct plan_rlimit *rlimits = plan_allocate(plan, n_rlimits, sizeof *rlimits);
        if (!rlimits)
                return plan_damaged(err, "too many records");
        process->rlimits = rlimits;

        while (tlv_next(&reader, &record) > 0) {
                bool ok = true;
                r = 0;
                switch (record.tag) {
                case PLAN_ARGUMENT:
                case PLAN_ENVIRONMENT:
                        break;
                case PLAN_TERMINAL:
                        ok = tlv_copy(&record, size, sizeof size);
                        process->terminal = true;
                        process->rows = ok ? size[0] : 0;
                        process->columns = ok ? size[1] : 0;
                        break;
                case PLAN_CWD:
                        r = plan_string(&record, &process->cwd, err);
                        break;
                case PLAN_USER:
                        ok = tlv_copy(&record, user, sizeof user);
                        process->uid = ok ? user[0] : 0;
                        process->gid = ok ? user[1] : 0;
                        break;
                case PLAN_UMASK:
                        ok = tlv_copy(&record, &process->umask, sizeof process->umask);
                        break;
                case PLAN_GROUPS:
                        process->groups = (const uint32_t *) (const void *) record.data;
                        process->n_groups = (uint32_t) (record.size / sizeof(uint32_t));
                        break;
                case PLAN_CAPABILITIES:
                        ok = tlv_copy(&record, process->capabilities, sizeof process->capabilities);
                        break;
                case PLAN_RLIMIT:
                        ok = record.size == sizeof *rlimits && tlv_copy(&record, &rlimits[process->n_rlimits], sizeof *rlimits);
                        process->n_rlimits++;
                        break;
                case PLAN_NO_NEW_PRIVILEGES:
                        process->no_new_privileges = true;
                        break;
                case PLAN_OOM_SCORE:
                        process->has_oom_score = true;
                        ok = tlv_copy(&record, &process->oom_score, sizeof process->oom_score);
                        break;
                case PLAN_SECCOMP:
                        r = plan_decode_seccomp(&record, process, err);
                        break;
                case PLAN_SECCOMP_FLAGS:
                        ok = tlv_copy(&record, &process->seccomp_flags, sizeof process->seccomp_flags);
                        break;
                default:
                        r = plan_unknown(&record, "process", err);
                }
                if (r < 0)
                        return r;
                if (!ok)
                        return plan_damaged(err, "a record of the process");
        }
        return 0;
}

static int plan_decode_mount(struct plan *plan, struct tlv_reader reader, struct plan_mount *mount, struct berth_error *err) {
        struct tlv_record record;
        uint64_t attrs[5];

        *mount = (struct plan_mount){.type = "", .source = "", .fd = -1};
        int r = plan_strings(plan, reader, PLAN_MOUNT_OPTION, &mount->options, &mount->n_options, err);
        if (r < 0)
                return r;
        while (tlv_next(&reader, &record) > 0) {
                bool ok = true;
                switch (record.tag) {
                case PLAN_MOUNT_OPTION:
                        break;
                case PLAN_MOUNT_DESTINATION:
                        r = plan_string(&record, &mount->destination, err);
                        break;
                case PLAN_MOUNT_TYPE:
                        r = plan_string(&record, &mount->type, err);
                        break;
                case PLAN_MOUNT_SOURCE:
                        r = plan_string(&record, &mount->source, err);
                        break;
                case PLAN_MOUNT_FLAGS:
                        ok = tlv_copy(&record, &mount->flags, sizeof mount->flags);
                        break;
                case PLAN_MOUNT_ATTRS:
                        ok = tlv_copy(&record, attrs, sizeof attrs);
                        if (!ok)
                                break;
                        mount->attr_set = attrs[0];
                        mount->attr_clear = attrs[1];
                        mount->recursive_attr_set = attrs[2];
                        mount->recursive_attr_clear = attrs[3];
                        mount->propagation = attrs[4];
                        break;
                default:
                        r = plan_unknown(&record, "mount", err);
                }
                if (r < 0)
                        return r;
                if (!ok)
                        return plan_damaged(err, "a record of a mount");
        }
        return mount->destination ? 0 : plan_damaged(err, "a mount without a destination");
}

static int plan_decode_limit(const struct tlv_record *record, struct cgroup_limits *limits, struct berth_error *err) {
        struct {
                uint32_t which, reserved;
                int64_t value;
        } limit;

        if (!tlv_copy(record, &limit, sizeof limit))
                return plan_damaged(err, "a limit");
        switch (limit.which) {
        case PLAN_LIMIT_MEMORY:
                limits->memory_limit = limit.value;
                return 0;
        case PLAN_LIMIT_MEMORY_RESERVATION:
                limits->memory_reservation = limit.value;
                return 0;
        case PLAN_LIMIT_MEMORY_SWAP:
                limits->memory_swap = limit.value;
                return 0;
        case PLAN_LIMIT_MEMORY_SWAPPINESS:
                limits->memory_swappiness = limit.value;
                return 0;
        case PLAN_LIMIT_MEMORY_DISABLE_OOM_KILLER:
                limits->memory_disable_oom_killer = limit.value;
                return 0;
        case PLAN_LIMIT_CPU_SHARES:
                limits->cpu_shares = limit.value;
                return 0;
        case PLAN_LIMIT_CPU_QUOTA:
                limits->cpu_quota = limit.value;
                return 0;
        case PLAN_LIMIT_CPU_PERIOD:
                limits->cpu_period = limit.value;
                return 0;
        case PLAN_LIMIT_CPU_BURST:
                limits->cpu_burst = limit.value;
                return 0;
        case PLAN_LIMIT_CPU_RT_RUNTIME:
                limits->cpu_rt_runtime = limit.value;
                return 0;
        case PLAN_LIMIT_CPU_RT_PERIOD:
                limits->cpu_rt_period = limit.value;
                return 0;
        case PLAN_LIMIT_CPU_IDLE:
                limits->cpu_idle = limit.value;
                return 0;
        case PLAN_LIMIT_PIDS:
                limits->pids_limit = limit.value;
                return 0;
        case PLAN_LIMIT_BLKIO_WEIGHT:
                limits->blkio_weight = limit.value;
                return 0;
        default:
                return plan_unknown(record, "limit", err);
        }
}

static void plan_unset_limits(struct cgroup_limits *limits) {
        *limits = (struct cgroup_limits){
                .memory_limit = CGROUP_UNSET,
                .memory_reservation = CGROUP_UNSET,
                .memory_swap = CGROUP_UNSET,
                .memory_swappiness = CGROUP_UNSET,
                .memory_disable_oom_killer = CGROUP_UNSET,
                .cpu_shares = CGROUP_UNSET,
                .cpu_quota = CGROUP_UNSET,
                .cpu_period = CGROUP_UNSET,
                .cpu_burst = CGROUP_UNSET,
                .cpu_rt_runtime = CGROUP_UNSET,
                .cpu_rt_period = CGROUP_UNSET,
                .cpu_idle = CGROUP_UNSET,
                .pids_limit = CGROUP_UNSET,
                .blkio_weight = CGROUP_UNSET,
        };
}

/* The repeated records that are more than a string; each array is filled in the order of the image. */
struct plan_arrays {
        struct plan_namespace *namespaces;
        struct plan_device *devices;
        struct plan_pair *sysctls;
        struct cgroup_device_rule *rules;
        const char **unified;
};

static int plan_container_arrays(struct plan *plan, struct tlv_reader reader, struct plan_arrays *arrays, struct berth_error *err) {
        struct plan_container *container = &plan->container;

        arrays->namespaces = plan_allocate(plan, plan_count(reader, PLAN_NAMESPACE), sizeof *arrays->namespaces);
        arrays->devices = plan_allocate(plan, plan_count(reader, PLAN_DEVICE), sizeof *arrays->devices);
        arrays->sysctls = plan_allocate(plan, plan_count(reader, PLAN_SYSCTL), sizeof *arrays->sysctls);
        arrays->rules = plan_allocate(plan, plan_count(reader, PLAN_DEVICE_RULE), sizeof *arrays->rules);
        arrays->unified = plan_allocate(plan, (size_t) plan_count(reader, PLAN_UNIFIED) * 2, sizeof *arrays->unified);
        container->mounts = plan_allocate(plan, plan_count(reader, PLAN_MOUNT), sizeof *container->mounts);
        if (!arrays->namespaces || !arrays->devices || !arrays->sysctls || !arrays->rules || !arrays->unified || !container->mounts)
                return plan_damaged(err, "too many records");
        container->namespaces = arrays->namespaces;
        container->devices = arrays->devices;
        container->sysctls = arrays->sysctls;
        container->limits.device_rules = arrays->rules;
        container->limits.unified = arrays->unified;

        int r = plan_strings(plan, reader, PLAN_MASKED_PATH, &container->masked_paths, &container->n_masked_paths, err);
        if (r == 0)
                r = plan_strings(plan, reader, PLAN_READONLY_PATH, &container->readonly_paths, &container->n_readonly_paths, err);
        return r;
}

static bool plan_decode_pair(const struct tlv_record *record, const char **ret_key, const char **ret_value) {
        uint32_t offset = 0;
        *ret_key = tlv_string_at(record, &offset);
        *ret_value = *ret_key ? tlv_string_at(record, &offset) : NULL;
        return *ret_value && offset == record->size;
}

static bool plan_decode_namespace(const struct tlv_record *record, struct plan_namespace *ret) {
        uint32_t offset = sizeof ret->flag;
        if (!tlv_copy(record, &ret->flag, sizeof ret->flag))
                return false;
        ret->path = tlv_string_at(record, &offset);
        return ret->path != NULL;
}

static bool plan_decode_device(const struct tlv_record *record, struct plan_device *ret) {
        uint32_t numbers[5], offset = sizeof numbers;
        if (!tlv_copy(record, numbers, sizeof numbers))
                return false;
        *ret = (struct plan_device){.mode = numbers[0], .uid = numbers[1], .gid = numbers[2], .major = numbers[3], .minor = numbers[4]};
        ret->path = tlv_string_at(record, &offset);
        return ret->path != NULL;
}

static int plan_decode_container(struct plan *plan, struct tlv_reader reader, struct berth_error *err) {
        struct plan_container *container = &plan->container;
        struct cgroup_limits *limits = &container->limits;
        struct plan_arrays arrays;
        struct tlv_record record;

        plan_unset_limits(limits);
        int r = plan_container_arrays(plan, reader, &arrays, err);
        while (r == 0 && tlv_next(&reader, &record) > 0) {
                bool ok = true;
                switch (record.tag) {
                case PLAN_MASKED_PATH:
                case PLAN_READONLY_PATH:
                        break;
                case PLAN_HOSTNAME:
                        r = plan_string(&record, &container->hostname, err);
                        break;
                case PLAN_DOMAINNAME:
                        r = plan_string(&record, &container->domainname, err);
                        break;
                case PLAN_ROOT_READONLY:
                        container->root_readonly = true;
                        break;
                case PLAN_ROOT_PROPAGATION:
                        ok = tlv_copy(&record, &container->root_propagation, sizeof container->root_propagation);
                        break;
                case PLAN_NAMESPACE:
                        ok = plan_decode_namespace(&record, &arrays.namespaces[container->n_namespaces++]);
                        break;
                case PLAN_MOUNT:
                        r = plan_decode_mount(plan, tlv_group(&record), &container->mounts[container->n_mounts++], err);
                        break;
                case PLAN_DEVICE:
                        ok = plan_decode_device(&record, &arrays.devices[container->n_devices++]);
                        break;
                case PLAN_SYSCTL: {
                        struct plan_pair *pair = &arrays.sysctls[container->n_sysctls++];
                        ok = plan_decode_pair(&record, &pair->key, &pair->value);
                        break;
                }
                case PLAN_CGROUP_PATH:
                        r = plan_string(&record, &container->cgroup_path, err);
                        break;
                case PLAN_LIMIT:
                        r = plan_decode_limit(&record, limits, err);
                        break;
                case PLAN_CPUSET_CPUS:
                        r = plan_string(&record, &limits->cpuset_cpus, err);
                        break;
                case PLAN_CPUSET_MEMS:
                        r = plan_string(&record, &limits->cpuset_mems, err);
                        break;
                case PLAN_DEVICE_RULE:
                        ok = tlv_copy(&record, &arrays.rules[limits->n_device_rules++], sizeof *arrays.rules);
                        break;
                case PLAN_UNIFIED: {
                        const char **pair = &arrays.unified[2 * (size_t) limits->n_unified++];
                        ok = plan_decode_pair(&record, &pair[0], &pair[1]);
                        break;
                }
                default:
                        r = plan_unknown(&record, "container", err);
                }
                if (!ok)
                        return plan_damaged(err, "a record of the container");
        }
        return r;
}

static int plan_decode_log(const struct tlv_record *record, struct keeper_plan *keeper, struct berth_error *err) {
        struct {
                uint32_t driver, max_files;
                uint64_t max_bytes;
        } log;
        uint32_t offset = sizeof log;

        if (!tlv_copy(record, &log, sizeof log) || log.driver > PLAN_LOG_JSON_FILE)
                return plan_damaged(err, "the log");
        keeper->log = (enum plan_log) log.driver;
        keeper->log_max_files = log.max_files;
        keeper->log_max_bytes = log.max_bytes;
        keeper->log_path = tlv_string_at(record, &offset);
        return keeper->log_path ? 0 : plan_damaged(err, "the log");
}

static int plan_decode_link(const struct tlv_record *record, struct keeper_plan *keeper, struct berth_error *err) {
        struct {
                uint32_t mtu;
                uint8_t mac[6], reserved[2];
        } link;
        uint32_t offset = sizeof link;

        if (!tlv_copy(record, &link, sizeof link))
                return plan_damaged(err, "the link");
        keeper->mtu = link.mtu;
        memcpy(keeper->mac, link.mac, sizeof keeper->mac);
        keeper->host_link = tlv_string_at(record, &offset);
        keeper->bridge = tlv_string_at(record, &offset);
        keeper->link = tlv_string_at(record, &offset);
        return keeper->link ? 0 : plan_damaged(err, "the link");
}

static int plan_decode_keeper(struct plan *plan, struct tlv_reader reader, struct berth_error *err) {
        struct keeper_plan *keeper = &plan->keeper;
        struct netlink_address *addresses = plan_allocate(plan, plan_count(reader, PLAN_ADDRESS), sizeof *addresses);
        struct netlink_route *routes = plan_allocate(plan, plan_count(reader, PLAN_ROUTE), sizeof *routes);
        struct tlv_record record;
        uint32_t numbers[2], offset;

        if (!addresses || !routes)
                return plan_damaged(err, "too many records");
        keeper->addresses = addresses;
        keeper->routes = routes;
        keeper->log_max_files = 1;

        int r = plan_strings(plan, reader, PLAN_LOWER, &keeper->lower, &keeper->n_lower, err);
        while (r == 0 && tlv_next(&reader, &record) > 0) {
                bool ok = true;
                switch (record.tag) {
                case PLAN_LOWER:
                        break;
                case PLAN_ID:
                        r = plan_string(&record, &keeper->id, err);
                        break;
                case PLAN_DIRECTORY:
                        r = plan_string(&record, &keeper->directory, err);
                        break;
                case PLAN_STDIN:
                        ok = tlv_copy(&record, numbers, sizeof numbers);
                        keeper->open_stdin = ok && numbers[0] != 0;
                        keeper->stdin_once = ok && numbers[1] != 0;
                        break;
                case PLAN_LOG:
                        r = plan_decode_log(&record, keeper, err);
                        break;
                case PLAN_ROOTFS:
                        offset = sizeof numbers;
                        ok = tlv_copy(&record, numbers, sizeof numbers) && numbers[0] <= PLAN_ROOTFS_OVERLAY;
                        keeper->rootfs = ok ? (enum plan_rootfs) numbers[0] : PLAN_ROOTFS_DIRECTORY;
                        keeper->rootfs_path = ok ? tlv_string_at(&record, &offset) : NULL;
                        ok = keeper->rootfs_path != NULL;
                        break;
                case PLAN_UPPER:
                        r = plan_string(&record, &keeper->upper, err);
                        break;
                case PLAN_WORK:
                        r = plan_string(&record, &keeper->work, err);
                        break;
                case PLAN_NETWORK:
                        ok = tlv_copy(&record, numbers, sizeof numbers[0]) && numbers[0] <= PLAN_NETWORK_VETH;
                        keeper->network = ok ? (enum plan_network) numbers[0] : PLAN_NETWORK_HOST;
                        break;
                case PLAN_NETWORK_LINK:
                        r = plan_decode_link(&record, keeper, err);
                        break;
                case PLAN_ADDRESS:
                        ok = tlv_copy(&record, &addresses[keeper->n_addresses++], sizeof *addresses);
                        break;
                case PLAN_ROUTE:
                        ok = tlv_copy(&record, &routes[keeper->n_routes++], sizeof *routes);
                        break;
                default:
                        r = plan_unknown(&record, "keeper", err);
                }
                if (!ok)
                        return plan_damaged(err, "a record of the keeper");
        }
        if (r < 0)
                return r;
        if (!keeper->id || !keeper->directory || !keeper->rootfs_path || (keeper->network == PLAN_NETWORK_VETH && !keeper->link))
                return plan_damaged(err, "the keeper part is incomplete");
        return 0;
}

/* A damaged record anywhere must be seen before the decoders, which stop silently at one. */
static int plan_check_records(struct tlv_reader reader, unsigned depth) {
        struct tlv_record record;
        int r;

        while ((r = tlv_next(&reader, &record)) > 0) {
                bool group = depth == 0 || record.tag == PLAN_MOUNT;
                if (group && depth < 2)
                        r = plan_check_records(tlv_group(&record), depth + 1);
                if (r < 0)
                        return r;
        }
        return r;
}

static int plan_decode(struct plan *plan, struct berth_error *err) {
        struct plan_header header;
        struct tlv_record record;
        bool has_process = false;

        if (plan->image_size < sizeof header)
                return plan_damaged(err, "too short");
        memcpy(&header, plan->image, sizeof header);
        if (header.magic != PLAN_MAGIC || header.size != plan->image_size)
                return plan_damaged(err, "not a plan");
        if (header.version < PLAN_VERSION_MIN || header.version > PLAN_VERSION_MAX)
                return berth_error_set(err, EPROTONOSUPPORT, "plan has version %u; known are %d to %d", header.version, PLAN_VERSION_MIN,
                                       PLAN_VERSION_MAX);

        struct tlv_reader reader = {.at = plan->image + sizeof header, .end = plan->image + plan->image_size};
        if (plan_check_records(reader, 0) < 0)
                return plan_damaged(err, "a record's size");

        int r = 0;
        while (r == 0 && tlv_next(&reader, &record) > 0) {
                switch (record.tag) {
                case PLAN_PROCESS:
                        if (has_process)
                                return plan_damaged(err, "two processes");
                        has_process = true;
                        r = plan_decode_process(plan, tlv_group(&record), err);
                        break;
                case PLAN_CONTAINER:
                        if (plan->has_container)
                                return plan_damaged(err, "two containers");
                        plan->has_container = true;
                        r = plan_decode_container(plan, tlv_group(&record), err);
                        break;
                case PLAN_KEEPER:
                        if (plan->has_keeper)
                                return plan_damaged(err, "two keepers");
                        plan->has_keeper = true;
                        r = plan_decode_keeper(plan, tlv_group(&record), err);
                        break;
                default:
                        r = plan_unknown(&record, "top", err);
                }
        }
        if (r < 0)
                return r;
        return has_process ? 0 : plan_damaged(err, "no process");
}

int plan_open(int memfd, struct plan **ret, struct berth_error *err) {
        struct stat st;
        int seals = fcntl(memfd, F_GET_SEALS);

        if (seals < 0 || (seals & PLAN_SEALS) != PLAN_SEALS)
                return berth_error_set(err, EINVAL, "plan is not in a sealed memfd");
        if (fstat(memfd, &st) < 0)
                return berth_error_set(err, errno, "stat the plan");
        if (st.st_size <= 0 || st.st_size > PLAN_SIZE_MAX)
                return berth_error_set(err, EFBIG, "plan has %lld bytes; allowed are 1 to %u", (long long) st.st_size, PLAN_SIZE_MAX);

        size_t image_size = (size_t) st.st_size;
        size_t arena_size = sizeof(struct plan) + image_size * PLAN_ARENA_FACTOR + 4096;
        void *image = mmap(NULL, image_size, PROT_READ, MAP_PRIVATE, memfd, 0);
        if (image == MAP_FAILED)
                return berth_error_set(err, errno, "map the plan");
        void *memory = mmap(NULL, arena_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory == MAP_FAILED) {
                int code = errno;
                (void) munmap(image, image_size);
                return berth_error_set(err, code, "map memory for the plan");
        }

        struct plan *plan = memory;
        *plan = (struct plan){.image = image, .image_size = image_size, .arena = memory, .arena_size = arena_size};
        plan->arena_used = (sizeof *plan + 15) & ~(size_t) 15;

        int r = plan_decode(plan, err);
        if (r < 0) {
                plan_close(plan);
                return r;
        }
        *ret = plan;
        return 0;
}

void plan_close(struct plan *plan) {
        if (!plan)
                return;
        (void) munmap((void *) (uintptr_t) plan->image, plan->image_size);
        (void) munmap(plan->arena, plan->arena_size);
}

const struct keeper_plan *plan_keeper(const struct plan *plan) {
        return plan->has_keeper ? &plan->keeper : NULL;
}

const struct cgroup_limits *plan_cgroup_limits(const struct plan *plan) {
        return &plan->container.limits;
}

const char *plan_cgroup_path(const struct plan *plan) {
        return plan->container.cgroup_path;
}

bool plan_terminal(const struct plan *plan) {
        return plan->process.terminal;
}

void plan_console_size(const struct plan *plan, uint16_t *ret_rows, uint16_t *ret_columns) {
        *ret_rows = plan->process.rows;
        *ret_columns = plan->process.columns;
}

const struct plan_namespace *plan_namespace_of(const struct plan_container *container, uint64_t flag) {
        for (uint32_t i = 0; i < container->n_namespaces; i++)
                if (container->namespaces[i].flag == flag)
                        return &container->namespaces[i];
        return NULL;
}
