/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The program of the image berth/hello: says what a container looks like from inside. It only reads /proc, /sys and its own
 * credentials, and needs no library, shell or file of its image.
 */

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <net/if.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

/* Reads at most size - 1 bytes of a file as a string without its last newline; false when it cannot be read. */
static bool read_text(const char *path, char *text, size_t size) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return false;
        size_t used = 0;
        while (used < size - 1) {
                ssize_t n = read(fd, text + used, size - 1 - used);
                if (n <= 0)
                        break;
                used += (size_t) n;
        }
        (void) close(fd);
        text[used] = '\0';
        if (used > 0 && text[used - 1] == '\n')
                text[used - 1] = '\0';
        return used > 0;
}

static bool first_text(const char *const *paths, char *text, size_t size) {
        for (; *paths; paths++)
                if (read_text(*paths, text, size))
                        return true;
        return false;
}

static void print_bytes(const char *label, const char *text) {
        char *end;
        errno = 0;
        uint64_t bytes = strtoull(text, &end, 10);
        /* v1 says "no limit" with the largest multiple of a page. */
        if (end == text || errno || bytes > (UINT64_C(1) << 60)) {
                printf("  %-12s no limit\n", label);
                return;
        }
        printf("  %-12s %" PRIu64 " MiB\n", label, bytes >> 20);
}

static void print_cpu(void) {
        char quota[64], period[64];
        if (read_text("/sys/fs/cgroup/cpu.max", quota, sizeof quota)) {
                char *space = strchr(quota, ' ');
                if (space) {
                        *space = '\0';
                        (void) snprintf(period, sizeof period, "%s", space + 1);
                }
        } else if (!read_text("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", quota, sizeof quota) ||
                   !read_text("/sys/fs/cgroup/cpu/cpu.cfs_period_us", period, sizeof period))
                return;

        double share = strtod(quota, NULL) / strtod(period, NULL);
        long processors = sysconf(_SC_NPROCESSORS_ONLN);
        if (isdigit((unsigned char) quota[0]))
                printf("  %-12s %.2f of %ld\n", "processors", share, processors);
        else
                printf("  %-12s %ld, no limit\n", "processors", processors);
}

static void print_limits(void) {
        static const char *const memory[] = { "/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes", NULL };
        static const char *const pids[] = { "/sys/fs/cgroup/pids.max", "/sys/fs/cgroup/pids/pids.max", NULL };
        char text[64];

        if (first_text(memory, text, sizeof text))
                print_bytes("memory", text);
        print_cpu();
        if (first_text(pids, text, sizeof text))
                printf("  %-12s %s\n", "processes", isdigit((unsigned char) text[0]) ? text : "no limit");

        struct rlimit files;
        if (getrlimit(RLIMIT_NOFILE, &files) == 0)
                printf("  %-12s %" PRIu64 "\n", "open files", (uint64_t) files.rlim_cur);
}

/* The file system of "/" and how many mounts stand around it. */
static void print_mounts(void) {
        FILE *table = fopen("/proc/self/mountinfo", "re");
        if (!table)
                return;
        char line[8192], root[64] = "unknown";
        unsigned count = 0;
        while (fgets(line, sizeof line, table)) {
                char point[4096], type[64];
                const char *separator = strstr(line, " - ");
                count++;
                if (separator && sscanf(line, "%*d %*d %*s %*s %4095s", point) == 1 && strcmp(point, "/") == 0 && sscanf(separator, " - %63s", type) == 1)
                        (void) snprintf(root, sizeof root, "%s", type);
        }
        (void) fclose(table);
        printf("  %-12s %s, %u mounts in all\n", "root", root, count);
}

static void print_network(void) {
        struct ifaddrs *list;
        if (getifaddrs(&list) < 0)
                return;
        printf("  %-12s", "network");
        bool any = false;
        for (const struct ifaddrs *one = list; one; one = one->ifa_next) {
                if (!one->ifa_addr || one->ifa_addr->sa_family != AF_INET || (one->ifa_flags & IFF_LOOPBACK))
                        continue;
                char text[INET_ADDRSTRLEN];
                const struct sockaddr_in *address = (const void *) one->ifa_addr;
                if (inet_ntop(AF_INET, &address->sin_addr, text, sizeof text)) {
                        printf(" %s %s", one->ifa_name, text);
                        any = true;
                }
        }
        freeifaddrs(list);
        puts(any ? "" : " loopback only");
}

static void print_security(void) {
        char status[8192];
        if (!read_text("/proc/self/status", status, sizeof status))
                return;
        const char *effective = strstr(status, "\nCapEff:");
        const char *filter = strstr(status, "\nSeccomp:");
        uint64_t capabilities = effective ? strtoull(effective + strlen("\nCapEff:"), NULL, 16) : 0;
        printf("  %-12s %d capabilities, system call filter %s\n", "rights", __builtin_popcountll(capabilities),
               filter && strtol(filter + strlen("\nSeccomp:"), NULL, 10) == 2 ? "on" : "off");
}

int main(void) {
        struct utsname host;
        if (uname(&host) < 0)
                return 1;

        printf("\nHello from Berth!\n\n"
               "This ran in a container of its own. From inside it looks like this:\n\n");
        printf("  %-12s %d, as user %u, group %u\n", "process", (int) getpid(), getuid(), getgid());
        printf("  %-12s %s\n", "hostname", host.nodename);
        printf("  %-12s %s %s on %s\n", "kernel", host.sysname, host.release, host.machine);
        print_mounts();
        print_network();
        print_limits();
        print_security();
        puts("");
        return fflush(stdout) == 0 ? 0 : 1;
}
