/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <time.h>

#include "cgroup-stats.h"
#include "cgroup_fixture.h"
#include "sys.h"

#define NESTING 100

static int fork_until_refused(void *data) {
        (void) data;
        for (int i = 0; i < 10; i++) {
                pid_t pid = fork();
                if (pid == 0) {
                        (void) pause();
                        _exit(0);
                }
                if (pid < 0)
                        return errno == EAGAIN ? i : 99;
        }
        return 98;
}

static void test_pids(struct test *test) {
        struct cgroup_limits limits = CGROUP_LIMITS_NONE;
        limits.pids_limit = 4;
        struct cgroup cgroup;
        if (!create(test, "pids", &limits, &cgroup))
                return;
        int status = reap(run_in(test, &cgroup, fork_until_refused, NULL));
        check(WIFEXITED(status) && WEXITSTATUS(status) == 3, "a fourth child is refused when four processes are allowed (%d)", WEXITSTATUS(status));
        check_call(cgroup_signal_all(&test->layout, &cgroup, SIGKILL, &test->err), &test->err, "the orphans are killed");
        remove_group(test, &cgroup);
}

static int eat_memory(void *data) {
        (void) data;
        for (int i = 0; i < 64; i++) {
                char *block = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                if (block == MAP_FAILED)
                        return 1;
                memset(block, 1, 1 << 20);
        }
        return 0;
}

static void test_oom(struct test *test) {
        struct cgroup_limits limits = CGROUP_LIMITS_NONE;
        limits.memory_limit = 16 << 20;
        limits.memory_swap = 16 << 20;
        struct cgroup cgroup;
        if (!create(test, "oom", &limits, &cgroup))
                return;
        _cleanup_close_ int watch = -1;
        uint64_t kills = 99;
        check_call(cgroup_oom_watch(&test->layout, &cgroup, &watch, &test->err), &test->err, "lack of memory can be watched");
        check(cgroup_oom_kills(&test->layout, &cgroup, &kills, &test->err) == 0 && kills == 0, "nobody was killed yet");
        int status = reap(run_in(test, &cgroup, eat_memory, NULL));
        check(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "a process that takes more than its limit is killed");
        struct pollfd poller = {.fd = watch, .events = POLLIN};
        check(poll(&poller, 1, 5000) == 1, "the watch becomes readable");
        check(cgroup_oom_kills(&test->layout, &cgroup, &kills, &test->err) == 0 && kills == 1, "one kill is counted (%llu)",
              (unsigned long long) kills);
        remove_group(test, &cgroup);
}

static int count_for_ever(void *data) {
        _Atomic uint64_t *counter = data;
        struct timespec pause_time = {.tv_nsec = 100000};
        for (;;) {
                atomic_fetch_add(counter, 1);
                (void) nanosleep(&pause_time, NULL);
        }
        return 0;
}

static bool advances(_Atomic uint64_t *counter, int ms) {
        uint64_t before = atomic_load(counter);
        for (int64_t end = cgroup_now() + ms; cgroup_now() < end; (void) poll(NULL, 0, 1))
                if (atomic_load(counter) > before + 1)
                        return true;
        return false;
}

static void test_freeze(struct test *test) {
        struct cgroup cgroup;
        _Atomic uint64_t *counter = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        check(counter != MAP_FAILED, "a shared page is mapped");
        if (!create(test, "freeze", NULL, &cgroup))
                return;
        pid_t pid = run_in(test, &cgroup, count_for_ever, (void *) counter);
        check(advances(counter, 5000), "the process runs");
        check_call(cgroup_freeze(&test->layout, &cgroup, &test->err), &test->err, "a group can be frozen");
        check(!advances(counter, 50), "a frozen process does nothing");
        check_call(cgroup_thaw(&test->layout, &cgroup, &test->err), &test->err, "and thawed");
        check(advances(counter, 5000), "a thawed process goes on");
        check_call(cgroup_freeze(&test->layout, &cgroup, &test->err), &test->err, "it can be frozen again");
        check_call(cgroup_signal_all(&test->layout, &cgroup, SIGKILL, &test->err), &test->err, "a frozen group can be killed");
        int status = reap(pid);
        check(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "its process is dead");
        remove_group(test, &cgroup);
        (void) munmap((void *) counter, 4096);
}

static int sleep_for_ever(void *data) {
        (void) data;
        for (;;)
                (void) pause();
        return 0;
}

static bool ends(pid_t pid) {
        _cleanup_close_ int fd = sys_pidfd_open(pid);
        struct pollfd ended = {.fd = fd, .events = POLLIN};
        return fd >= 0 && poll(&ended, 1, 5000) == 1;
}

/* Of v1: there what is killed stays until it thaws, and a container may freeze groups of its own. */
static void test_freeze_below(struct test *test) {
        const struct cgroup_hierarchy *freezer = cgroup_hierarchy_of(&test->layout, "freezer");
        struct cgroup cgroup, child;
        _cleanup_close_ int below = -1;
        if (!freezer || freezer->unified || !create(test, "frozen", NULL, &cgroup) || !create(test, "frozen/below/deep", NULL, &child))
                return;
        check_call(cgroup_directory_open(freezer, child.path, &below, &test->err), &test->err, "the inner group is there");
        pid_t pid = run_in(test, &child, sleep_for_ever, NULL);
        check_call(cgroup_file_set(below, "freezer.state", "FROZEN", &test->err), &test->err, "it freezes by itself");
        check_call(cgroup_signal_all(&test->layout, &cgroup, SIGKILL, &test->err), &test->err, "the tree is killed");
        check(ends(pid), "what is frozen below ends");
        (void) cgroup_file_write(below, "freezer.state", "THAWED");
        (void) reap(pid);

        pid = run_in(test, &child, sleep_for_ever, NULL);
        check_call(cgroup_file_set(below, "freezer.state", "FROZEN", &test->err), &test->err, "it freezes again");
        (void) kill(pid, SIGKILL);
        cgroup_thaw_killed(&test->layout, &cgroup);
        check(ends(pid), "who was killed alone ends too");
        (void) cgroup_file_write(below, "freezer.state", "THAWED");
        (void) reap(pid);
        remove_group(test, &cgroup);
}

static void test_signals(struct test *test) {
        struct cgroup cgroup, child;
        if (!create(test, "signals", NULL, &cgroup) || !create(test, "signals/below/deep", NULL, &child))
                return;
        pid_t below = run_in(test, &child, sleep_for_ever, NULL), other = run_in(test, &child, sleep_for_ever, NULL);
        check_call(cgroup_signal_all(&test->layout, &cgroup, SIGTERM, &test->err), &test->err, "a signal reaches the groups below");
        int first = reap(below), second = reap(other);
        check(WIFSIGNALED(first) && WTERMSIG(first) == SIGTERM && WIFSIGNALED(second) && WTERMSIG(second) == SIGTERM, "every process got it");
        below = run_in(test, &child, sleep_for_ever, NULL);
        check(cgroup_attach(&test->layout, &child, below, false, &test->err) == 0, "a process can be moved from outside");
        check_call(cgroup_signal_all(&test->layout, &cgroup, SIGKILL, &test->err), &test->err, "the tree is killed");
        remove_group(test, &cgroup);
        (void) reap(below);
        check(cgroup_remove(&test->layout, &cgroup, &test->err) == 0, "removing what is gone succeeds");
}

static void test_busy(struct test *test) {
        struct cgroup cgroup;
        if (!create(test, "busy", NULL, &cgroup))
                return;
        pid_t pid = run_in(test, &cgroup, sleep_for_ever, NULL);
        check(cgroup_attach(&test->layout, &cgroup, pid, false, &test->err) == 0, "a process is in the group");
        int64_t begin = cgroup_now();
        check(cgroup_remove(&test->layout, &cgroup, &test->err) == -EBUSY, "a group with a living process is not removed: %s", test->err.text);
        check(cgroup_now() - begin < 10000, "and that is known in bounded time");
        (void) kill(pid, SIGKILL);
        remove_group(test, &cgroup);
        (void) reap(pid);
}

/* Makes a group below the open one in every hierarchy's directory. */
static bool make_chain(int directory, unsigned depth) {
        int at = dup(directory);
        for (unsigned i = 0; i < depth && at >= 0; i++) {
                int next = mkdirat(at, "n", 0755) == 0 ? openat(at, "n", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
                (void) close(at);
                at = next;
        }
        if (at >= 0)
                (void) close(at);
        return at >= 0;
}

static void test_nesting(struct test *test) {
        struct cgroup cgroup;
        if (!create(test, "nesting", NULL, &cgroup))
                return;
        for (uint32_t i = 0; i < test->layout.n; i++) {
                _cleanup_close_ int fd = -1;
                char name[16];
                unsigned n = 0;
                check_call(cgroup_directory_open(&test->layout.hierarchy[i], cgroup.path, &fd, &test->err), &test->err, "its directory is open");
                while (n < 200 && snprintf(name, sizeof(name), "w%u", n) > 0 && mkdirat(fd, name, 0755) == 0)
                        n++;
                check(n == 200 && make_chain(fd, NESTING), "many groups are beside and below each other in %s", test->layout.hierarchy[i].mount);
        }
        remove_group(test, &cgroup);
}

/* Makes groups below its own for as long as it lives, each round a new one with others in it. */
static int make_groups(void *data) {
        _cleanup_close_ int fd = open(data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        for (;;) {
                (void) make_chain(fd, 1 + (unsigned) rand() % 5);
                (void) unlinkat(fd, "n", AT_REMOVEDIR);
        }
        return 0;
}

static void test_making_while_removing(struct test *test) {
        struct cgroup cgroup;
        if (!create(test, "making", NULL, &cgroup))
                return;
        uint32_t index = test->layout.unified_index >= 0 ? (uint32_t) test->layout.unified_index : 0;
        char directory[CGROUP_FILE_MAX];
        check_call(cgroup_directory(&test->layout.hierarchy[index], cgroup.path, directory, &test->err), &test->err, "its directory has a name");
        pid_t pid = fork();
        if (pid < 0)
                abort();
        if (pid == 0)
                _exit(make_groups(directory));
        int r = cgroup_remove(&test->layout, &cgroup, &test->err);
        check(r == 0 || r == -EBUSY, "removing ends while somebody makes groups (%d)", r);
        (void) kill(pid, SIGKILL);
        (void) reap(pid);
        remove_group(test, &cgroup);
}

static void test_processes(struct test *test) {
        struct cgroup cgroup, child;
        pid_t pids[4] = {0}, one[1] = {0};
        size_t n = 0;
        if (!create(test, "listed", NULL, &cgroup) || !create(test, "listed/a/b", NULL, &child))
                return;
        pid_t first = run_in(test, &child, sleep_for_ever, NULL), second = run_in(test, &child, sleep_for_ever, NULL);
        check_call(cgroup_processes(&test->layout, &cgroup, pids, 4, &n, &test->err), &test->err, "the processes are listed");
        check(n == 2 && pids[0] == (first < second ? first : second) && pids[1] == (first < second ? second : first), "both are, in order");
        check(cgroup_processes(&test->layout, &cgroup, one, 1, &n, &test->err) == 0 && n == 2, "too little room tells how many there are");
        check_call(cgroup_signal_all(&test->layout, &cgroup, SIGKILL, &test->err), &test->err, "they are killed");
        (void) reap(first);
        (void) reap(second);
        remove_group(test, &cgroup);
        check(cgroup_processes(&test->layout, &cgroup, pids, 4, &n, &test->err) == -ENOENT, "a group that is gone has none: %s", test->err.text);
}

static void test_stats(struct test *test) {
        struct cgroup_limits limits = CGROUP_LIMITS_NONE;
        limits.memory_limit = 16 << 20;
        limits.memory_swap = 16 << 20;
        limits.pids_limit = 7;
        limits.cpu_quota = 10000;
        struct cgroup cgroup;
        static struct cgroup_stats stats;
        if (!create(test, "stats", &limits, &cgroup))
                return;
        (void) reap(run_in(test, &cgroup, eat_memory, NULL));
        check_call(cgroup_stats_read(&test->layout, &cgroup, &stats, &test->err), &test->err, "counters can be read");
        check(stats.memory.limit == 16 << 20 && stats.memory.swap_limit == 16 << 20, "limits are told, that of swap with the memory in it");
        check(stats.memory.oom_kills == 1 && stats.memory.failures != UINT64_MAX, "the kill is counted");
        check(stats.memory.usage < 16 << 20 && stats.memory.max_usage > 15 << 20, "what was used, and what at most (%llu)",
              (unsigned long long) stats.memory.max_usage);
        check(strstr(stats.memory.stat, "pgfault ") != NULL, "the kernel's own counters are there");
        check(stats.pids.current == 0 && stats.pids.limit == 7, "processes are counted");
        check(stats.cpu.total > 0 && stats.cpu.total != UINT64_MAX && stats.cpu.periods != UINT64_MAX, "processor time and periods too");
        check(stats.cpu.user != UINT64_MAX && stats.cpu.system != UINT64_MAX, "by who spent it");
        check(stats.n_block < CGROUP_STATS_BLOCK_DEVICES, "block devices are told");
        remove_group(test, &cgroup);
        check(cgroup_stats_read(&test->layout, &cgroup, &stats, &test->err) == -ENOENT, "a group that is gone has none: %s", test->err.text);
}

static void test_oom_of_a_removed_group(struct test *test) {
        struct cgroup cgroup;
        _cleanup_close_ int watch = -1;
        uint64_t kills = 99;
        if (!create(test, "no-oom", NULL, &cgroup))
                return;
        check_call(cgroup_oom_watch(&test->layout, &cgroup, &watch, &test->err), &test->err, "lack of memory can be watched");
        remove_group(test, &cgroup);
        if (!cgroup_hierarchy_of(&test->layout, "memory")->unified) {
                struct pollfd poller = {.fd = watch, .events = POLLIN};
                check(poll(&poller, 1, 5000) == 1, "the end of a v1 group makes the watch readable");
        }
        check(cgroup_oom_kills(&test->layout, &cgroup, &kills, &test->err) == -ENOENT && kills == 99, "which is not taken for a kill");
}

static void test_everything(struct test *test) {
        for (uint32_t i = 0; i < test->layout.n; i++)
                (void) printf("# %s %s: %s\n", test->layout.hierarchy[i].unified ? "v2" : "v1", test->layout.hierarchy[i].mount,
                              test->layout.hierarchy[i].controllers);
        test_pids(test);
        test_oom(test);
        test_freeze(test);
        test_freeze_below(test);
        test_signals(test);
        test_busy(test);
        test_nesting(test);
        test_making_while_removing(test);
        test_processes(test);
        test_stats(test);
        test_oom_of_a_removed_group(test);
        struct cgroup parent = {.made = 0};
        (void) snprintf(parent.path, sizeof(parent.path), "%s", test->parent);
        check_call(cgroup_remove(&test->layout, &parent, &test->err), &test->err, "the parent is removed");
}

int main(void) {
        struct test test = {0};
        (void) snprintf(test.parent, sizeof(test.parent), "/berth-test-%d", (int) getpid());
        check_call(cgroup_detect(&test.layout, &test.err), &test.err, "the hierarchies of this host are found");
        test_everything(&test);
        if (drop_unified(&test.layout))
                test_everything(&test);
        return check_end();
}
