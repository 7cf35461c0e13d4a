/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "cgroup_fixture.h"

static void test_limits(struct test *test) {
        struct cgroup_limits limits = CGROUP_LIMITS_NONE;
        limits.memory_limit = 64 << 20;
        limits.memory_swap = 96 << 20;
        limits.memory_reservation = 32 << 20;
        limits.cpu_shares = 512;
        limits.cpu_quota = 50000;
        limits.cpu_period = 100000;
        limits.pids_limit = 32;
        limits.cpuset_cpus = "0";
        limits.cpuset_mems = "0";
        struct cgroup cgroup;
        if (!create(test, "limits", &limits, &cgroup))
                return;
        check(present(test, cgroup.path) == test->layout.n, "every hierarchy has the directory");
        expect(test, &cgroup, "memory", "memory.limit_in_bytes", "67108864", "memory.max", "67108864");
        expect(test, &cgroup, "memory", "memory.memsw.limit_in_bytes", "100663296", "memory.swap.max", "33554432");
        expect(test, &cgroup, "memory", "memory.soft_limit_in_bytes", "33554432", "memory.low", "33554432");
        expect(test, &cgroup, "cpu", "cpu.shares", "512", "cpu.weight", "59");
        expect(test, &cgroup, "cpu", "cpu.cfs_quota_us", "50000", "cpu.max", "50000 100000");
        expect(test, &cgroup, "pids", "pids.max", "32", "pids.max", "32");
        expect(test, &cgroup, "cpuset", "cpuset.cpus", "0", "cpuset.cpus", "0");

        struct cgroup_limits more = CGROUP_LIMITS_NONE;
        more.memory_limit = 128 << 20;
        more.memory_swap = 128 << 20;
        check_call(cgroup_apply(&test->layout, &cgroup, &more, &test->err), &test->err,
                   "memory can be raised above the old limit of memory and swap");
        expect(test, &cgroup, "memory", "memory.limit_in_bytes", "134217728", "memory.max", "134217728");
        check_call(cgroup_apply(&test->layout, &cgroup, &limits, &test->err), &test->err, "and lowered again");
        expect(test, &cgroup, "memory", "memory.memsw.limit_in_bytes", "100663296", "memory.swap.max", "33554432");

        struct cgroup_limits quota = CGROUP_LIMITS_NONE;
        quota.cpu_quota = -1;
        quota.pids_limit = 0;
        check_call(cgroup_apply(&test->layout, &cgroup, &quota, &test->err), &test->err, "a quota and a process limit can be lifted");
        expect(test, &cgroup, "cpu", "cpu.cfs_quota_us", "-1", "cpu.max", "max 100000");
        expect(test, &cgroup, "cpu", "cpu.cfs_period_us", "100000", "cpu.max", "max 100000");
        expect(test, &cgroup, "pids", "pids.max", "max", "pids.max", "max");
        remove_group(test, &cgroup);
}

/* Groups below, which a container may have made, are no reason to refuse: v2 narrows them by itself, v1 is helped. */
static void test_cpuset_above_others(struct test *test) {
        struct cgroup_limits limits = CGROUP_LIMITS_NONE;
        struct cgroup cgroup, below, pinned;
        limits.cpuset_cpus = "0-1";
        if (sysconf(_SC_NPROCESSORS_ONLN) < 2 || !create(test, "shrinks", &limits, &cgroup) || !create(test, "shrinks/a/b", &limits, &below))
                return;
        limits.cpuset_cpus = "1";
        if (!create(test, "shrinks/pinned", &limits, &pinned))
                return;
        limits.cpuset_cpus = "0";
        check_call(cgroup_update(&test->layout, &cgroup, &limits, &test->err), &test->err, "a group gets fewer processors than those below have");
        expect(test, &cgroup, "cpuset", "cpuset.cpus", "0", "cpuset.cpus", "0");
        expect(test, &below, "cpuset", "cpuset.cpus", "0", "cpuset.cpus.effective", "0");
        expect(test, &pinned, "cpuset", "cpuset.cpus", "0", "cpuset.cpus.effective", "0");
        remove_group(test, &cgroup);
}

static void test_refusals(struct test *test) {
        struct cgroup cgroup;
        char path[CGROUP_PATH_MAX];
        static const char *const wrong[] = {"", "/", "relative", "/a/../b", "/a//b", "/a/", "/./a"};
        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
                check(cgroup_create(&test->layout, wrong[i], NULL, &cgroup, &test->err) == -EINVAL, "the path '%s' is refused", wrong[i]);

        struct cgroup_limits limits = CGROUP_LIMITS_NONE;
        limits.pids_limit = 5;
        limits.cpuset_cpus = "4000";
        path_of(test, "refused", path);
        int r = cgroup_create(&test->layout, path, &limits, &cgroup, &test->err);
        check(r < 0 && strstr(test->err.text, "cpuset.cpus"), "an impossible limit is told with its file: %s", test->err.text);
        check(present(test, path) == 0, "nothing is left of a group that could not be made");

        path_of(test, "new/parents/refused", path);
        check(cgroup_create(&test->layout, path, &limits, &cgroup, &test->err) < 0, "below new parents it is refused too");
        path_of(test, "new", path);
        check(present(test, path) == 0, "and nothing is left of them");
        struct cgroup there;
        if (create(test, "there", NULL, &there)) {
                path_of(test, "there/new/refused", path);
                check(cgroup_create(&test->layout, path, &limits, &cgroup, &test->err) < 0, "and below one that was there");
                path_of(test, "there/new", path);
                check(present(test, path) == 0 && present(test, there.path) == test->layout.n, "which stays");
                remove_group(test, &there);
        }
        path_of(test, "refused", path);

        const struct cgroup_hierarchy *io = cgroup_hierarchy_of(&test->layout, "blkio");
        limits = CGROUP_LIMITS_NONE;
        limits.blkio_weight = 500;
        r = cgroup_create(&test->layout, path, &limits, &cgroup, &test->err);
        if (r == 0)
                remove_group(test, &cgroup);
        else
                check(strstr(test->err.text, io ? "blkio.weight" : "io") != NULL, "a weight that the kernel cannot give is told with its file: %s",
                      test->err.text);
        check(present(test, path) == 0, "nothing is left of it");

        limits = CGROUP_LIMITS_NONE;
        const char *const unified[] = {"no.such.file", "1"};
        limits.unified = unified;
        limits.n_unified = 1;
        r = cgroup_create(&test->layout, path, &limits, &cgroup, &test->err);
        check(r == -ENOENT && present(test, path) == 0, "an unknown unified file is refused: %s", test->err.text);
        const char *const escape[] = {"../memory.max", "1"};
        limits.unified = escape;
        r = cgroup_create(&test->layout, path, &limits, &cgroup, &test->err);
        check(r == (test->layout.unified_index < 0 ? -ENOENT : -EINVAL), "a unified file cannot name a path: %s", test->err.text);
}

static int try_devices(void *data) {
        (void) data;
        int null = open("/dev/null", O_RDWR | O_CLOEXEC), zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
        if (null < 0)
                return 1;
        if (zero >= 0 || errno != EPERM)
                return 2;
        /* "r" was given and then "w" taken from what never had it: reading remains. */
        if (open("/dev/urandom", O_RDONLY | O_CLOEXEC) < 0)
                return 3;
        return open("/dev/urandom", O_RDWR | O_CLOEXEC) >= 0 ? 4 : 0;
}

static void test_devices(struct test *test) {
        const struct cgroup_device_rule rules[] = {
                {.allow = false, .type = 'a', .major = -1, .minor = -1, .access = "rwm"},
                {.allow = true, .type = 'c', .major = 1, .minor = 3, .access = "rwm"},
                {.allow = true, .type = 'c', .major = 1, .minor = 9, .access = "rw"},
                {.allow = false, .type = 'c', .major = 1, .minor = 9, .access = "w"},
        };
        struct cgroup_limits limits = CGROUP_LIMITS_NONE;
        limits.device_rules = rules;
        limits.n_device_rules = sizeof(rules) / sizeof(rules[0]);
        struct cgroup cgroup;
        if (!create(test, "devices", &limits, &cgroup))
                return;
        int status = reap(run_in(test, &cgroup, try_devices, NULL));
        check(WIFEXITED(status) && WEXITSTATUS(status) == 0, "device rules are obeyed, the last one that speaks of an access decides (status %d)",
              WEXITSTATUS(status));
        check_call(cgroup_apply(&test->layout, &cgroup, &limits, &test->err), &test->err, "device rules can be applied again");
        status = reap(run_in(test, &cgroup, try_devices, NULL));
        check(WIFEXITED(status) && WEXITSTATUS(status) == 0, "and are obeyed still (status %d)", WEXITSTATUS(status));
        remove_group(test, &cgroup);
}

static void test_weights(void) {
        static const int64_t table[][2] = {{0, 1}, {1, 1}, {2, 1}, {512, 59}, {1024, 100}, {2048, 174}, {262144, 10000}, {999999, 10000}};
        for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
                check(cgroup_v2_weight(table[i][0]) == table[i][1], "%lld shares are the weight %lld (got %lld)", (long long) table[i][0],
                      (long long) table[i][1], (long long) cgroup_v2_weight(table[i][0]));
}

/* From every pair of sizes to every other: whatever was set before, the new ones go in. */
static void test_memory_orders(struct test *test) {
        static const int64_t sizes[][2] = {{-1, -1}, {32 << 20, 32 << 20}, {32 << 20, 128 << 20}, {128 << 20, 128 << 20}, {64 << 20, -1}};
        const size_t n = sizeof(sizes) / sizeof(sizes[0]);
        struct cgroup_limits limits = CGROUP_LIMITS_NONE;
        struct cgroup cgroup;
        char v1[32], v2[32];
        if (!create(test, "sizes", NULL, &cgroup))
                return;
        for (size_t i = 0; i < n * n; i++)
                for (size_t step = 0; step < 2; step++) {
                        const int64_t *size = sizes[step ? i % n : i / n];
                        limits.memory_limit = size[0];
                        limits.memory_swap = size[1];
                        check_call(cgroup_update(&test->layout, &cgroup, &limits, &test->err), &test->err, "sizes can be changed");
                        (void) snprintf(v1, sizeof(v1), "%lld", size[1] < 0 ? 9223372036854771712 : (long long) size[1]);
                        (void) snprintf(v2, sizeof(v2), size[1] < 0 ? "max" : "%lld", (long long) (size[1] - size[0]));
                        expect(test, &cgroup, "memory", "memory.memsw.limit_in_bytes", v1, "memory.swap.max", v2);
                }
        limits = CGROUP_LIMITS_NONE;
        limits.memory_limit = 64 << 20;
        limits.memory_swap = 64 << 20;
        check_call(cgroup_update(&test->layout, &cgroup, &limits, &test->err), &test->err, "sizes are set");
        limits.memory_limit = CGROUP_UNSET;
        limits.memory_swap = 32 << 20;
        check(cgroup_update(&test->layout, &cgroup, &limits, &test->err) == -EINVAL && strstr(test->err.text, "smaller than the memory limit"),
              "memory and swap cannot be less than memory: %s", test->err.text);
        limits.memory_swap = 96 << 20;
        check_call(cgroup_update(&test->layout, &cgroup, &limits, &test->err), &test->err, "swap alone can be raised");
        expect(test, &cgroup, "memory", "memory.memsw.limit_in_bytes", "100663296", "memory.swap.max", "33554432");
        remove_group(test, &cgroup);
}

static void test_cpu_orders(struct test *test) {
        static const int64_t states[][3] = {{50000, 100000, 40000}, {5000, 10000, 0}, {-1, 100000, 0}, {20000, 20000, 20000}, {2000, 100000, 2000}};
        const size_t n = sizeof(states) / sizeof(states[0]);
        struct cgroup_limits limits = CGROUP_LIMITS_NONE, half = CGROUP_LIMITS_NONE;
        struct cgroup parent, cgroup;
        char v1[32], v2[64];
        half.cpu_quota = 100000;
        half.cpu_period = 100000;
        if (!create(test, "half", &half, &parent) || !create(test, "half/cpu", NULL, &cgroup))
                return;
        for (size_t i = 0; i < n * n; i++)
                for (size_t step = 0; step < 2; step++) {
                        const int64_t *state = states[step ? i % n : i / n];
                        limits.cpu_quota = state[0];
                        limits.cpu_period = state[1];
                        limits.cpu_burst = state[2];
                        check_call(cgroup_update(&test->layout, &cgroup, &limits, &test->err), &test->err, "quota, period and burst can be changed");
                        (void) snprintf(v1, sizeof(v1), "%lld", (long long) state[0]);
                        (void) snprintf(v2, sizeof(v2), state[0] < 0 ? "max %lld" : "%2$lld %1$lld", (long long) state[1], (long long) state[0]);
                        expect(test, &cgroup, "cpu", "cpu.cfs_quota_us", v1, "cpu.max", v2);
                        (void) snprintf(v1, sizeof(v1), "%lld", (long long) state[2]);
                        expect(test, &cgroup, "cpu", "cpu.cfs_burst_us", v1, "cpu.max.burst", v1);
                }
        limits = CGROUP_LIMITS_NONE;
        limits.cpu_idle = 1;
        check_call(cgroup_update(&test->layout, &cgroup, &limits, &test->err), &test->err, "a group can become idle");
        expect(test, &cgroup, "cpu", "cpu.idle", "1", "cpu.idle", "1");
        limits.cpu_idle = 0;
        limits.cpu_shares = 2048;
        check_call(cgroup_update(&test->layout, &cgroup, &limits, &test->err), &test->err, "and get a weight again");
        expect(test, &cgroup, "cpu", "cpu.shares", "2048", "cpu.weight", "174");
        remove_group(test, &parent);
}

/* The first whole block device of this machine. */
static bool find_disk(uint32_t *ret_major, uint32_t *ret_minor) {
        FILE *file = fopen("/proc/partitions", "re");
        char line[256];
        bool found = false;
        while (file && !found && fgets(line, sizeof(line), file))
                found = sscanf(line, " %u %u ", ret_major, ret_minor) == 2;
        if (file)
                (void) fclose(file);
        return found;
}

static void test_block_io(struct test *test) {
        struct cgroup_blkio_device devices[] = {
                {.kind = CGROUP_BLKIO_READ_BPS, .value = 1 << 20},
                {.kind = CGROUP_BLKIO_WRITE_BPS, .value = 2 << 20},
                {.kind = CGROUP_BLKIO_READ_IOPS, .value = 100},
                {.kind = CGROUP_BLKIO_WRITE_IOPS, .value = 200},
        };
        struct cgroup_limits limits = CGROUP_LIMITS_NONE;
        struct cgroup cgroup;
        char text[96], path[CGROUP_PATH_MAX];
        uint32_t major = 4095, minor = 0;
        limits.blkio_devices = devices;
        limits.n_blkio_devices = 4;
        bool disk = find_disk(&major, &minor);
        for (size_t i = 0; i < 4; i++) {
                devices[i].major = major;
                devices[i].minor = minor;
        }
        path_of(test, "throttle", path);
        if (!disk) {
                check(cgroup_create(&test->layout, path, &limits, &cgroup, &test->err) < 0 && strstr(test->err.text, "4095:0 rbps=1048576"),
                      "a limit for a device that is not there is refused: %s", test->err.text);
                check(present(test, path) == 0, "nothing is left of it");
                return;
        }
        if (!create(test, "throttle", &limits, &cgroup))
                return;
        (void) snprintf(text, sizeof(text), "%u:%u 1048576", major, minor);
        char unified[96];
        (void) snprintf(unified, sizeof(unified), "%u:%u rbps=1048576 wbps=2097152 riops=100 wiops=200", major, minor);
        const char *controller = cgroup_hierarchy_of(&test->layout, "blkio") ? "blkio" : "io";
        expect(test, &cgroup, controller, "blkio.throttle.read_bps_device", text, "io.max", unified);
        (void) snprintf(text, sizeof(text), "%u:%u 200", major, minor);
        expect(test, &cgroup, controller, "blkio.throttle.write_iops_device", text, "io.max", unified);
        for (size_t i = 0; i < 4; i++)
                devices[i].value = 0;
        check_call(cgroup_update(&test->layout, &cgroup, &limits, &test->err), &test->err, "throttles can be lifted");
        expect(test, &cgroup, controller, "blkio.throttle.read_bps_device", "", "io.max", "");
        devices[0].kind = CGROUP_BLKIO_LEAF_WEIGHT;
        devices[0].value = 300;
        check(cgroup_update(&test->layout, &cgroup, &limits, &test->err) < 0 && strstr(test->err.text, "300"), "leaf weights are refused: %s",
              test->err.text);
        remove_group(test, &cgroup);
}

static void test_hugepages(struct test *test) {
        const struct cgroup_hugepage_limit pages[] = {{.size = "2MB", .bytes = 4 << 20}}, odd[] = {{.size = "3MB", .bytes = 6 << 20}};
        struct cgroup_limits limits = CGROUP_LIMITS_NONE;
        struct cgroup cgroup;
        char path[CGROUP_PATH_MAX];
        limits.hugepages = pages;
        limits.n_hugepages = 1;
        path_of(test, "pages", path);
        int r = cgroup_create(&test->layout, path, &limits, &cgroup, &test->err);
        if (!cgroup_hierarchy_of(&test->layout, "hugetlb")) {
                check(r == -ENOENT && strstr(test->err.text, "hugetlb"), "huge pages need their controller: %s", test->err.text);
                return;
        }
        check_call(r, &test->err, "huge pages can be limited");
        expect(test, &cgroup, "hugetlb", "hugetlb.2MB.limit_in_bytes", "4194304", "hugetlb.2MB.max", "4194304");
        expect(test, &cgroup, "hugetlb", "hugetlb.2MB.rsvd.limit_in_bytes", "4194304", "hugetlb.2MB.rsvd.max", "4194304");
        limits.hugepages = odd;
        check(cgroup_update(&test->layout, &cgroup, &limits, &test->err) == -ENOENT && strstr(test->err.text, "3MB") && strstr(test->err.text, "2MB"),
              "sizes that the host has not are refused: %s", test->err.text);
        remove_group(test, &cgroup);
}

static void test_what_is_not_offered(struct test *test) {
        const struct cgroup_rdma_limit rdma[] = {{.device = "mlx5_0", .handles = 2, .objects = UINT32_MAX}};
        struct cgroup_limits class = CGROUP_LIMITS_NONE, devices = CGROUP_LIMITS_NONE;
        struct cgroup cgroup;
        char path[CGROUP_PATH_MAX];
        class.network_class = 7;
        class.pids_limit = 3;
        devices.rdma = rdma;
        devices.n_rdma = 1;
        if (!create(test, "offered", NULL, &cgroup))
                return;
        check(cgroup_update(&test->layout, &cgroup, &class, &test->err) == -ENOENT && strstr(test->err.text, "'net_cls', which exists in v1 only"),
              "a class of packets is refused: %s", test->err.text);
        expect(test, &cgroup, "pids", "pids.max", "max", "pids.max", "max");
        int r = cgroup_update(&test->layout, &cgroup, &devices, &test->err);
        check(r < 0 && strstr(test->err.text, cgroup_hierarchy_of(&test->layout, "rdma") ? "mlx5_0 hca_handle=2" : "'rdma'"),
              "a device that is not there cannot be limited: %s", test->err.text);
        path_of(test, "offered", path);
        remove_group(test, &cgroup);
}

/* What controllers that no machine of ours has would be told. */
static void test_formats(void) {
        const struct cgroup_rdma_limit rdma[] = {{.device = "mlx5_0", .handles = 2, .objects = 2000}};
        const struct cgroup_network_priority priorities[] = {{.link = "eth0", .priority = 5}};
        static const char *const files[] = {"rdma.max", "net_prio.ifpriomap", "net_cls.classid"};
        static const char *const wanted[] = {"mlx5_0 hca_handle=2 hca_object=2000", "eth0 5", "1048577"};
        struct cgroup_limits limits = CGROUP_LIMITS_NONE;
        struct berth_error err = {0};
        char name[] = "/tmp/berth-formats-XXXXXX", text[128];
        limits.rdma = rdma;
        limits.network_priorities = priorities;
        limits.n_rdma = limits.n_network_priorities = 1;
        limits.network_class = 1048577;
        check(mkdtemp(name) != NULL, "a directory is made");
        _cleanup_close_ int directory = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        for (size_t i = 0; i < 3; i++)
                (void) close(openat(directory, files[i], O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
        check_call(cgroup_v1_apply(directory, "rdma", &limits, &err), &err, "limits of RDMA devices are written");
        check_call(cgroup_v1_apply(directory, "net_prio", &limits, &err), &err, "priorities of links are written");
        check_call(cgroup_v1_apply(directory, "net_cls", &limits, &err), &err, "the class of packets is written");
        for (size_t i = 0; i < 3; i++) {
                check(cgroup_file_read(directory, files[i], text, sizeof(text)) > 0 && strcmp(text, wanted[i]) == 0, "%s got '%s'", files[i], text);
                (void) unlinkat(directory, files[i], 0);
        }
        (void) rmdir(name);
}

struct prober {
        _Atomic int rounds, refused;
};

static int probe_null(void *data) {
        struct prober *prober = data;
        for (;;) {
                int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
                if (fd < 0)
                        atomic_fetch_add(&prober->refused, 1);
                else
                        (void) close(fd);
                atomic_fetch_add(&prober->rounds, 1);
        }
        return 0;
}

static int try_random(void *data) {
        const bool *allowed = data;
        return (open("/dev/random", O_RDONLY | O_CLOEXEC) >= 0) == *allowed ? 0 : 1;
}

/* Rules of a group in use are replaced without a moment in which a device that stays is refused. */
static void test_replaced_devices(struct test *test) {
        const struct cgroup_device_rule narrow[] = {
                {.allow = false, .type = 'a', .major = -1, .minor = -1, .access = "rwm"},
                {.allow = true, .type = 'c', .major = 1, .minor = 3, .access = "rw"},
        };
        const struct cgroup_device_rule wide[] = {narrow[0],
                                                  {.allow = true, .type = 'c', .major = 1, .minor = 3, .access = "rwm"},
                                                  {.allow = true, .type = 'c', .major = 1, .minor = 8, .access = "r"}};
        struct cgroup_limits less = CGROUP_LIMITS_NONE, more = CGROUP_LIMITS_NONE;
        struct cgroup cgroup;
        less.device_rules = narrow;
        less.n_device_rules = 2;
        more.device_rules = wide;
        more.n_device_rules = 3;
        struct prober *prober = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (prober == MAP_FAILED || !create(test, "replaced", &less, &cgroup))
                return;
        pid_t pid = run_in(test, &cgroup, probe_null, prober);
        for (int i = 0; i < 50; i++) {
                int seen = atomic_load(&prober->rounds);
                bool allowed = i % 2 == 0;
                if (cgroup_update(&test->layout, &cgroup, allowed ? &more : &less, &test->err) < 0)
                        break;
                int status = reap(run_in(test, &cgroup, try_random, &allowed));
                check(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the new rules are in force (round %d)", i);
                while (atomic_load(&prober->rounds) == seen)
                        (void) poll(NULL, 0, 1);
        }
        check(atomic_load(&prober->refused) == 0, "what stays allowed is never refused (%d of %d)", atomic_load(&prober->refused),
              atomic_load(&prober->rounds));
        check_call(cgroup_signal_all(&test->layout, &cgroup, SIGKILL, &test->err), &test->err, "the prober is killed");
        (void) reap(pid);
        (void) munmap(prober, 4096);
        remove_group(test, &cgroup);
}

static void test_everything(struct test *test) {
        for (uint32_t i = 0; i < test->layout.n; i++)
                (void) printf("# %s %s: %s\n", test->layout.hierarchy[i].unified ? "v2" : "v1", test->layout.hierarchy[i].mount,
                              test->layout.hierarchy[i].controllers);
        test_limits(test);
        test_memory_orders(test);
        test_cpu_orders(test);
        test_cpuset_above_others(test);
        test_refusals(test);
        test_block_io(test);
        test_hugepages(test);
        test_what_is_not_offered(test);
        test_devices(test);
        test_replaced_devices(test);
        struct cgroup parent = {.made = 0};
        (void) snprintf(parent.path, sizeof(parent.path), "%s", test->parent);
        check_call(cgroup_remove(&test->layout, &parent, &test->err), &test->err, "the parent is removed");
}

int main(void) {
        struct test test = {0};
        (void) snprintf(test.parent, sizeof(test.parent), "/berth-limits-%d", (int) getpid());
        check_call(cgroup_detect(&test.layout, &test.err), &test.err, "the hierarchies of this host are found");
        test_weights();
        test_formats();
        test_everything(&test);
        if (drop_unified(&test.layout))
                test_everything(&test);
        return check_end();
}
