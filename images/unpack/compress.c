/* SPDX-License-Identifier: Apache-2.0 */
#include "compress.h"

#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

/* At least two, also on one processor: a block's dictionary is in the memory of the worker before it. */
enum { MIN_WORKERS = 2, MAX_WORKERS = 8, EDGE_SIZE = 32 };

/* What a worker is told and what it answers, over its pipes; the bytes themselves are in memory that both see. */
struct task {
        size_t size;
        size_t dictionary;
};

struct result {
        size_t size; /* 0: it failed */
        uint32_t crc;
};

struct worker {
        pid_t pid;
        int tasks;
        int results;
        bool busy;
        size_t size;    /* of the block that it has */
        uint8_t *block; /* BLOCK_DICTIONARY_SIZE bytes before it are the dictionary's */
        uint8_t *out;
};

struct compression {
        const struct block_codec *codec;
        int from;
        int to;
        unsigned n_workers;
        struct worker workers[MAX_WORKERS];
        uint32_t crc;
        uint64_t total;
        struct sha256 hash;
        uint64_t written;
        struct berth_error *err;
};

static volatile sig_atomic_t stopped;

static void stop(int signal_number) {
        (void) signal_number;
        stopped = 1;
}

/* 0: the end was reached before `size` bytes; *ret_read are there. */
static int read_up_to(int fd, void *data, size_t size, size_t *ret_read) {
        *ret_read = 0;
        while (*ret_read < size) {
                ssize_t n = read(fd, (uint8_t *) data + *ret_read, size - *ret_read);
                if (n < 0 && errno == EINTR && !stopped)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        return 0;
                *ret_read += (size_t) n;
        }
        return 1;
}

static int write_all(int fd, const void *data, size_t size) {
        for (const uint8_t *at = data; size > 0;) {
                ssize_t n = write(fd, at, size);
                if (n < 0 && errno == EINTR && !stopped)
                        continue;
                if (n < 0)
                        return -errno;
                at += n, size -= (size_t) n;
        }
        return 0;
}

static const int worker_calls[] = {SYS_read, SYS_write, SYS_brk, SYS_mmap, SYS_munmap, SYS_mremap, SYS_madvise, SYS_exit_group, SYS_rt_sigreturn};

static int confine_worker(uint64_t cpu_seconds, struct berth_error *err) {
        const struct confine_rights rights = {
                .address_space = 256 << 20,
                .cpu_seconds = cpu_seconds,
                .syscalls = worker_calls,
                .n_syscalls = sizeof worker_calls / sizeof worker_calls[0],
        };
        return confine_drop(&rights, err);
}

/* Ends when there are no more tasks. */
static bool serve(const struct worker *worker, const struct block_codec *codec) {
        void *state = codec->open();
        if (!state)
                return false;
        const size_t room = codec->bound(codec->block_size);
        struct task task;
        size_t read_bytes;
        while (read_up_to(worker->tasks, &task, sizeof task, &read_bytes) == 1) {
                struct result result = {
                        .size = codec->compress(state, worker->block, task.size, task.dictionary, worker->out, room),
                        .crc = (uint32_t) crc32(0, worker->block, (uInt) task.size),
                };
                if (write_all(worker->results, &result, sizeof result) < 0)
                        return false;
        }
        return true;
}

static void *share(size_t size) {
        void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        return memory == MAP_FAILED ? NULL : memory;
}

static int start_worker(struct compression *run, struct worker *worker, uint64_t cpu_seconds) {
        int tasks[2], results[2];
        uint8_t *block = share(BLOCK_DICTIONARY_SIZE + run->codec->block_size);
        worker->out = share(run->codec->bound(run->codec->block_size));
        if (!block || !worker->out || pipe2(tasks, O_CLOEXEC) < 0 || pipe2(results, O_CLOEXEC) < 0)
                return berth_error_set(run->err, errno, "share memory and pipes with a compressor");
        worker->block = block + BLOCK_DICTIONARY_SIZE;
        const pid_t parent = getpid();
        worker->pid = fork();
        if (worker->pid < 0)
                return berth_error_set(run->err, errno, "start a compressor");
        if (worker->pid > 0) {
                (void) close(tasks[0]);
                (void) close(results[1]);
                worker->tasks = tasks[1], worker->results = results[0];
                return 0;
        }
        /* Its own two pipes are all that it keeps. */
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent || dup2(tasks[0], 0) < 0 || dup2(results[1], 1) < 0 ||
            syscall(SYS_close_range, 2, ~0U, 0) < 0)
                _exit(1);
        struct berth_error err;
        worker->tasks = 0, worker->results = 1;
        _exit(confine_worker(cpu_seconds, &err) == 0 && serve(worker, run->codec) ? 0 : 1);
}

static int deliver(struct compression *run, const uint8_t *bytes, size_t size) {
        sha256_update(&run->hash, bytes, size);
        run->written += size;
        int r = write_all(run->to, bytes, size);
        return r < 0 ? berth_error_set(run->err, -r, "write the compressed bytes: %s", strerror(-r)) : 0;
}

/* Writes what a worker has made of its block. */
static int collect(struct compression *run, struct worker *worker) {
        struct result result;
        size_t read_bytes;
        worker->busy = false;
        if (read_up_to(worker->results, &result, sizeof result, &read_bytes) != 1)
                return berth_error_set(run->err, EPROTO, stopped ? "compressing was stopped" : "a compressor ended and said nothing");
        if (result.size == 0 || result.size > run->codec->bound(worker->size))
                return berth_error_set(run->err, EPROTO, "a compressor failed");
        run->crc = (uint32_t) crc32_combine(run->crc, result.crc, (z_off_t) worker->size);
        run->total += worker->size;
        return deliver(run, worker->out, result.size);
}

static int hand_out(struct compression *run, struct worker *worker, const struct worker *before) {
        struct task task = {.size = worker->size};
        if (before) {
                task.dictionary = before->size < BLOCK_DICTIONARY_SIZE ? before->size : BLOCK_DICTIONARY_SIZE;
                memmove(worker->block - task.dictionary, before->block + before->size - task.dictionary, task.dictionary);
        }
        worker->busy = true;
        return write_all(worker->tasks, &task, sizeof task) < 0 ? berth_error_set(run->err, EPROTO, "a compressor has ended") : 0;
}

/* Block after block goes to the next worker; whose turn it is again is waited for first, which keeps the order. */
static int compress_blocks(struct compression *run) {
        const struct worker *before = NULL;
        unsigned turn = 0;
        for (bool ended = false; !ended; turn = (turn + 1) % run->n_workers) {
                struct worker *worker = &run->workers[turn];
                int r = worker->busy ? collect(run, worker) : 0;
                if (r < 0)
                        return r;
                size_t size;
                r = read_up_to(run->from, worker->block, run->codec->block_size, &size);
                if (r < 0)
                        return berth_error_set(run->err, -r, "read the layer: %s", strerror(-r));
                ended = r == 0;
                if (size == 0 && (before || !run->codec->needs_block))
                        break;
                worker->size = size;
                r = hand_out(run, worker, before);
                if (r < 0)
                        return r;
                before = worker;
        }
        for (unsigned i = 0; i < run->n_workers; i++) {
                struct worker *worker = &run->workers[(turn + i) % run->n_workers];
                int r = worker->busy ? collect(run, worker) : 0;
                if (r < 0)
                        return r;
        }
        return 0;
}

static int compress_stream(struct compression *run) {
        uint8_t edge[EDGE_SIZE];
        run->crc = (uint32_t) crc32(0, NULL, 0);
        sha256_init(&run->hash);
        int r = deliver(run, edge, run->codec->begin(edge));
        if (r == 0)
                r = compress_blocks(run);
        return r < 0 ? r : deliver(run, edge, run->codec->end(edge, run->crc, run->total));
}

static unsigned count_workers(void) {
        cpu_set_t set;
        int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : MIN_WORKERS;
        return n < MIN_WORKERS ? MIN_WORKERS : n > MAX_WORKERS ? MAX_WORKERS : (unsigned) n;
}

/* A processor second for each MiB: ten times what the slowest bytes take. */
static uint64_t allowed_cpu_seconds(int from) {
        struct stat st;
        return fstat(from, &st) == 0 && S_ISREG(st.st_mode) ? 60 + ((uint64_t) st.st_size >> 20) : 3600;
}

static int prepare(struct berth_error *err) {
        const struct sigaction action = {.sa_handler = stop}; /* without SA_RESTART: waits end */
        if (sigaction(SIGTERM, &action, NULL) < 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR || prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 ||
            prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
                return berth_error_set(err, errno, "set up signals and give up new privileges");
        return 0;
}

static int start(struct compression *run, uint64_t cpu_seconds) {
        for (unsigned i = 0; i < run->n_workers; i++) {
                int r = start_worker(run, &run->workers[i], cpu_seconds);
                if (r < 0)
                        return r;
        }
        static const int calls[] = {SYS_read,  SYS_write, SYS_brk,   SYS_mmap,    SYS_munmap,     SYS_mremap,
                                    SYS_close, SYS_kill,  SYS_wait4, SYS_madvise, SYS_exit_group, SYS_rt_sigreturn};
        const struct confine_rights rights = {
                .address_space = 256 << 20,
                .file_size = ~0ULL,
                .cpu_seconds = cpu_seconds,
                .syscalls = calls,
                .n_syscalls = sizeof calls / sizeof calls[0],
        };
        return confine_drop(&rights, run->err);
}

static void end_workers(const struct compression *run) {
        for (unsigned i = 0; i < run->n_workers; i++)
                if (run->workers[i].pid > 0)
                        (void) kill(run->workers[i].pid, SIGKILL);
        for (unsigned i = 0; i < run->n_workers; i++)
                while (run->workers[i].pid > 0 && waitpid(run->workers[i].pid, NULL, 0) < 0 && errno == EINTR)
                        continue;
}

int compress_run(int from, int to, const struct block_codec *codec, struct compressed *ret, struct berth_error *err) {
        struct compression run = {.codec = codec, .from = from, .to = to, .n_workers = count_workers(), .err = err};
        int r = prepare(err);
        if (r == 0)
                r = start(&run, allowed_cpu_seconds(from));
        if (r == 0)
                r = compress_stream(&run);
        end_workers(&run);
        if (r == 0) {
                ret->size = run.written;
                sha256_final(&run.hash, ret->digest);
        }
        return r;
}
