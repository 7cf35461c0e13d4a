/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>

#include "cgroup-stats.h"
#include "cgroup_fixture.h"
#include "systemd-scope.h"

static void test_names(void) {
        static const char *const good[][2] = {
                {"system.slice:berth:abc", "/system.slice/berth-abc.scope"},
                {":berth:abc", "/system.slice/berth-abc.scope"},
                {"machine-a-b.slice::x.y", "/machine.slice/machine-a.slice/machine-a-b.slice/x.y.scope"},
        };
        static const char *const bad[] = {"system:berth:abc", "-.slice:a:b", "a--b.slice:a:b", "a-.slice:a:b", "a/b.slice:a:b",
                                          "a.slice:a:b/c",    "a.slice:a:",  ".slice:a:b",     "a.slice:/:b",  "..slice:a:b/../c"};
        struct berth_error err = {0};
        char path[CGROUP_PATH_MAX];
        for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
                check(systemd_scope_named(good[i][0]) && systemd_scope_path(good[i][0], path, &err) == 0 && strcmp(path, good[i][1]) == 0, "%s is %s",
                      good[i][0], path);
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                check(systemd_scope_path(bad[i], path, &err) == -EINVAL, "%s is refused: %s", bad[i], err.text);
        check(!systemd_scope_named("/a:b:c") && !systemd_scope_named("a:b") && !systemd_scope_named("a:b:c:d"), "other paths are no scopes");
}

static int sleep_for_ever(void *data) {
        (void) data;
        for (;;)
                (void) pause();
        return 0;
}

/* What systemd itself says of the unit, by its command. */
static void expect_property(const char *unit, const char *name, const char *wanted) {
        char command[256], line[256] = "";
        (void) snprintf(command, sizeof(command), "SYSTEMD_IGNORE_CHROOT=1 systemctl show --property=%s %s 2>&1", name, unit);
        FILE *file = popen(command, "re");
        if (file && fgets(line, sizeof(line), file))
                line[strcspn(line, "\n")] = '\0';
        if (file)
                (void) pclose(file);
        const char *value = strchr(line, '=');
        check(value && strcmp(value + 1, wanted) == 0, "systemd says %s (wanted %s)", line, wanted);
}

static void test_life(struct test *test) {
        struct cgroup_limits limits = CGROUP_LIMITS_NONE;
        struct cgroup cgroup;
        limits.memory_limit = 64 << 20;
        limits.memory_swap = 96 << 20;
        limits.cpu_shares = 512;
        limits.cpu_quota = 50000;
        limits.cpu_period = 100000;
        limits.pids_limit = 32;
        limits.cpuset_cpus = "0";
        int r = cgroup_create(&test->layout, "machine-berth.slice:test:one", &limits, &cgroup, &test->err);
        check_call(r, &test->err, "systemd makes a scope");
        if (r < 0)
                return;
        const char *unit = "test-one.scope";
        check(strcmp(cgroup.path, "/machine.slice/machine-berth.slice/test-one.scope") == 0, "it is where its name says: %s", cgroup.path);
        pid_t pid = run_in(test, &cgroup, sleep_for_ever, NULL);
        cgroup_joined(&cgroup);
        pid_t pids[4];
        size_t n = 0;
        check(cgroup_processes(&test->layout, &cgroup, pids, 4, &n, &test->err) == 0 && n == 1 && pids[0] == pid, "our process alone is in it (%zu)",
              n);
        expect_property(unit, "ActiveState", "active");
        expect_property(unit, "Delegate", "yes");
        expect_property(unit, "Slice", "machine-berth.slice");
        expect_property(unit, "MemoryMax", "67108864");
        expect_property(unit, "MemorySwapMax", "33554432");
        expect_property(unit, "TasksMax", "32");
        expect_property(unit, "CPUWeight", "59");
        expect_property(unit, "CPUQuotaPerSecUSec", "500ms");
        expect_property(unit, "AllowedCPUs", "0");
        expect(test, &cgroup, "memory", "", "", "memory.max", "67108864");
        expect(test, &cgroup, "cpu", "", "", "cpu.max", "50000 100000");

        struct cgroup_limits more = CGROUP_LIMITS_NONE;
        more.memory_limit = 128 << 20;
        more.memory_swap = 128 << 20;
        more.pids_limit = -1;
        check_call(cgroup_update(&test->layout, &cgroup, &more, &test->err), &test->err, "its limits can be changed");
        expect_property(unit, "MemoryMax", "134217728");
        expect_property(unit, "TasksMax", "infinity");
        expect(test, &cgroup, "memory", "", "", "memory.max", "134217728");
        expect(test, &cgroup, "pids", "", "", "pids.max", "max");

        struct cgroup second;
        check(cgroup_create(&test->layout, "machine-berth.slice:test:one", NULL, &second, &test->err) == -EEXIST, "a second one is refused: %s",
              test->err.text);
        check_call(cgroup_signal_all(&test->layout, &cgroup, SIGKILL, &test->err), &test->err, "its processes are killed");
        (void) reap(pid);
        remove_group(test, &cgroup);
}

/* One after the other by the same name, as containers are restarted. */
static void test_again(struct test *test) {
        struct cgroup cgroup;
        for (int i = 0; i < 5; i++) {
                int r = cgroup_create(&test->layout, ":test:again", NULL, &cgroup, &test->err);
                check_call(r, &test->err, "a scope of the same name can follow");
                if (r < 0)
                        return;
                pid_t pid = run_in(test, &cgroup, sleep_for_ever, NULL);
                cgroup_joined(&cgroup);
                check_call(cgroup_signal_all(&test->layout, &cgroup, SIGKILL, &test->err), &test->err, "its process is killed");
                (void) reap(pid);
                remove_group(test, &cgroup);
        }
}

static void test_refusals(struct test *test) {
        struct cgroup_limits limits = CGROUP_LIMITS_NONE;
        struct cgroup cgroup;
        limits.cpuset_cpus = "4000";
        check(cgroup_create(&test->layout, ":test:refused", &limits, &cgroup, &test->err) < 0, "an impossible limit is refused: %s", test->err.text);
        check(present(test, "/system.slice/test-refused.scope") == 0, "nothing is left of it");
        limits.cpuset_cpus = "0-";
        check(cgroup_create(&test->layout, ":test:refused", &limits, &cgroup, &test->err) == -EINVAL, "a list that is none is refused: %s",
              test->err.text);
        check(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD, "no process of ours is left");
}

int main(void) {
        struct test test = {0};
        check_call(cgroup_detect(&test.layout, &test.err), &test.err, "the hierarchies of this host are found");
        test_names();
        if (test.layout.n == 1 && test.layout.unified_index == 0 && access("/run/systemd/private", F_OK) == 0) {
                (void) printf("# systemd\n");
                test_life(&test);
                test_again(&test);
                test_refusals(&test);
        } else {
                struct cgroup cgroup;
                check(cgroup_create(&test.layout, ":test:one", NULL, &cgroup, &test.err) < 0, "without systemd there is no scope: %s", test.err.text);
        }
        return check_end();
}
