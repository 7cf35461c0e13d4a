/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * The ABI of libberth.so, for one caller: runtime/library.ts. Plain integers, pointers and lengths; no callbacks, no threads;
 * 0 or a negative errno, with a sentence in *err. Descriptors are O_CLOEXEC from birth.
 *
 * BERTH_FAST: under a millisecond, no disk, no kernel lock that others hold; called synchronously on the event loop.
 * BERTH_WAIT: may wait; called through koffi's asynchronous calls, two at most at a time.
 */
#define BERTH_ABI 1
#define BERTH_FAST __attribute__((visibility("default")))
#define BERTH_WAIT __attribute__((visibility("default")))

struct berth_error;

BERTH_FAST uint32_t berth_abi(void);

/* ---- plans ---- */

/*
 * Compiles an OCI config.json and the keeper document (both UTF-8 JSON; keeper as in plan.h, camelCase keys; NULL for an
 * exec's plan, whose `config` is a process object as in runtime-spec config.md#process) and a compiled seccomp filter (may be
 * NULL) into a sealed memfd. Errors name the JSON path.
 */
BERTH_FAST int berth_plan_compile(const char *config, size_t config_size, const char *keeper, size_t keeper_size, const void *filter,
                                  size_t filter_size, int *ret_fd, struct berth_error *err);

/* Compiles linux.seccomp (runtime-spec form, JSON) to BPF; half a millisecond, and always the same: the caller keeps it. *ret_size is the size
 * written. */
BERTH_WAIT int berth_seccomp_compile(const char *profile, size_t size, void *filter, size_t capacity, size_t *ret_size, struct berth_error *err);

/* ---- shims ---- */

/* Copies an executable into a sealed memfd (MFD_EXEC), or opens it O_PATH where memfds may not execute. */
BERTH_WAIT int berth_executable_open(const char *path, int *ret_fd, struct berth_error *err);

/*
 * posix_spawn of the executable in a session of its own: descriptor 3 is `control`, all others are closed, stdio is /dev/null (stderr: `log_fd`
 * unless -1). The child is ours to reap with berth_reap.
 */
BERTH_FAST int berth_shim_spawn(int executable, int control, int log_fd, const char *const *argv, int *ret_pid, struct berth_error *err);
BERTH_FAST int berth_reap(int pid, int *ret_status, struct berth_error *err); /* 1: reaped, 0: still there; waitpid(2) status */

BERTH_FAST int berth_socketpair(int ret[2], struct berth_error *err);                          /* SOCK_STREAM, non-blocking, close-on-exec */
BERTH_FAST int berth_connect(const char *path, int *ret_fd, struct berth_error *err);          /* paths past 107 bytes too */
BERTH_FAST int berth_connect_datagram(const char *path, int *ret_fd, struct berth_error *err); /* SOCK_DGRAM */
BERTH_FAST int berth_peer_pid(int sock, int *ret_pid, int *ret_uid, struct berth_error *err);
/* One frame with up to 8 descriptors; -EAGAIN when the peer does not read. */
BERTH_FAST int berth_send(int sock, const void *frame, size_t size, const int *fds, size_t n_fds, struct berth_error *err);
BERTH_FAST int berth_close(int fd);
/* A copy of a descriptor of another process (pidfd_getfd(2)). */
BERTH_FAST int berth_fetch_fd(int pid, uint64_t start_time, int remote_fd, int *ret_fd, struct berth_error *err);

/* 1: somebody holds the POSIX record lock on the file (*ret_pid), 0: nobody. */
BERTH_FAST int berth_lock_test(const char *path, int *ret_pid, struct berth_error *err);
/* Takes flock(LOCK_EX|LOCK_NB) on the file (made 0600) and keeps it until the descriptor is closed; -EWOULDBLOCK: another has it. */
BERTH_FAST int berth_lock_take(const char *path, int *ret_fd, struct berth_error *err);

/* Signals a process of which only pid and start time (field 22 of /proc/PID/stat) are known, never a reused pid; -ESRCH. */
BERTH_FAST int berth_signal(int pid, uint64_t start_time, int signal, struct berth_error *err);

/* ---- this process ---- */
/* Gives memory back that was freed but kept by malloc; milliseconds. 1: something was given back. */
BERTH_WAIT int berth_memory_trim(struct berth_error *err);

/* ---- layers ---- */
/* 1: the directory (by any descriptor, O_PATH too) is opaque to overlayfs: it hides its namesakes in the layers below. 0: it is not. */
BERTH_FAST int berth_overlay_opaque(int directory, struct berth_error *err);

/* ---- project quotas (kernel 5.14: quotactl_fd(2)) ---- */
/* 1: the filesystem of the directory holds projects to their limits. 0: it does not, or is not asked so. */
BERTH_WAIT int berth_quota_enforced(const char *directory, struct berth_error *err);
/*
 * Puts an empty directory, and all that will be made in it, into a project of its own that may take this much disk. The number of the project is
 * the next free one from 2^30 + `wanted` on. On failure the directory is in the project that it was in.
 */
BERTH_WAIT int berth_quota_limit(const char *directory, uint32_t wanted, uint64_t bytes, struct berth_error *err);
/* Allows so much beyond that limit; 0 ends it. 1: done, 0: there is no limit. */
BERTH_WAIT int berth_quota_widen(const char *directory, uint64_t bytes, struct berth_error *err);
/* Lifts the limit that berth_quota_limit has set, before the directory is removed. 1: lifted, 0: there is none, or no directory. */
BERTH_WAIT int berth_quota_lift(const char *directory, struct berth_error *err);

/* ---- labels ---- */
/* Gives a file this SELinux label; a link itself. 1: it has it, 0: its filesystem gives no labels. */
BERTH_WAIT int berth_label_set(const char *path, const char *label, struct berth_error *err);

/* ---- host mounts (of the daemon's own namespace) ---- */
/* mount(2), with the second call that a read-only bind needs; nothing stays mounted when it fails. */
BERTH_WAIT int berth_mount_at(const char *source, const char *target, const char *type, uint64_t flags, const char *data, struct berth_error *err);
BERTH_WAIT int berth_unmount(const char *target, struct berth_error *err); /* lazily (MNT_DETACH) */

/* ---- cgroups ---- */
BERTH_WAIT int berth_cgroup_kill(const char *path, struct berth_error *err);   /* SIGKILL to all below; success when there is none */
BERTH_WAIT int berth_cgroup_remove(const char *path, struct berth_error *err); /* every hierarchy; success when there is none */
/* Changes limits while the group is in use. `resources` is a linux.resources object (JSON); -ENOENT when there is no such group. */
BERTH_WAIT int berth_cgroup_update(const char *path, const char *resources, size_t size, struct berth_error *err);
/*
 * Counters of a group (runtime/cgroup.ts: CgroupStats); what the host does not tell is left out. Times in ns, sizes in bytes.
 * -ENOENT when there is no such group; -ENOSPC when `capacity` is too small.
 */
BERTH_FAST int berth_cgroup_stats(const char *path, char *json, size_t capacity, size_t *ret_size, struct berth_error *err);
/* Processes of the group and below it, ascending; *ret_n is how many there are, also when `capacity` is less. */
BERTH_FAST int berth_cgroup_processes(const char *path, int *pids, size_t capacity, size_t *ret_n, struct berth_error *err);
/* JSON: {"version":1|2,"controllers":{"memory":1,"cpu":1,…},"hierarchies":[{"mount":"…","controllers":["cpu"],"unified":false}]} */
BERTH_FAST int berth_cgroup_layout(char *json, size_t capacity, size_t *ret_size, struct berth_error *err);

/* ---- host network (of the daemon's own namespace) ---- */
/* Index of the bridge. */
BERTH_WAIT int berth_bridge_ensure(const char *name, const char *const *addresses, size_t n_addresses, uint32_t mtu, struct berth_error *err);
/* 1: the link of that index has this name and is up, 0: not so. Waits for no lock of the network's. */
BERTH_FAST int berth_link_is_up(uint32_t index, const char *name, struct berth_error *err);
BERTH_WAIT int berth_link_delete(const char *name, struct berth_error *err); /* success when there is none */
/* JSON array of {"name","index","kind","master","mtu","up","addresses":["10.0.0.1/16"]} */
BERTH_FAST int berth_links(char *json, size_t capacity, size_t *ret_size, struct berth_error *err);
/* JSON array of {"to":"0.0.0.0/0","via":"…","link":"eth0"} of the main table */
BERTH_FAST int berth_routes(char *json, size_t capacity, size_t *ret_size, struct berth_error *err);

/* ---- the host's firewall: a table of ours in the family inet of nf_tables, each call one transaction ---- */

/* Addresses in network order, ports in the host's; packed alike by firewall.ts. */
#define BERTH_FIREWALL_INTERNAL 1    /* nothing goes out of it or into it */
#define BERTH_FIREWALL_MASQUERADED 2 /* its subnet, on the way out */
struct berth_firewall_bridge {
        char name[16];
        uint8_t network[4], prefix, flags, pad[2];
};
struct berth_firewall_port {
        uint8_t protocol, one_address, keep_own, pad; /* one_address: of the host's, not all; keep_own: the element of `own` is another's too */
        uint16_t host_port, port;
        uint8_t host_address[4], address[4];
};
/* Who writes through it owns the table, where the kernel has that: nobody else flushes it, and it stays when the socket is closed. */
BERTH_FAST int berth_firewall_open(int *ret_sock, struct berth_error *err);
/* The whole table, whatever stood there. 1: it is owned, 0: the kernel has no owned tables that stay, and anybody may flush it. */
BERTH_WAIT int berth_firewall_write(int sock, const char *table, const struct berth_firewall_bridge *bridges, size_t n_bridges,
                                    const struct berth_firewall_port *ports, size_t n_ports, int drop_others, struct berth_error *err);
/* Elements of a table that stands; -ENOENT when one that is taken away is not there, and nothing is taken away then. */
BERTH_WAIT int berth_firewall_change(int sock, const char *table, const struct berth_firewall_bridge *bridges, size_t n_bridges,
                                     const struct berth_firewall_port *ports, size_t n_ports, int add, struct berth_error *err);
/* Flows that go by these ports as they were; whoever goes on sending makes new ones by the rules as they are. */
BERTH_WAIT int berth_conntrack_forget(const struct berth_firewall_port *ports, size_t n_ports, struct berth_error *err);
BERTH_WAIT int berth_firewall_remove(int sock, const char *table, struct berth_error *err); /* success when there is none */
/* 1: there is such a table, 0: there is none. */
BERTH_FAST int berth_firewall_table(const char *name, struct berth_error *err);
/* JSON array of {"family","table","name"}: chains of anybody's that drop forwarded IPv4 traffic by default */
BERTH_FAST int berth_firewall_dropping(char *json, size_t capacity, size_t *ret_size, struct berth_error *err);
