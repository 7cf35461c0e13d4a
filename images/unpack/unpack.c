/* SPDX-License-Identifier: Apache-2.0 */
#include "unpack.h"
#include "../../runtime/lib/cleanup.h"

#include "attributes.h"
#include "confine.h"
#include "container-root.h"
#include "entry.h"
#include "inflate.h"
#include "listing.h"
#include "record.h"
#include "supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { BLOB_FD = 0, PIPE_SIZE = 1 << 20 };

struct seats {
        int parent; /* pid of the supervisor */
        int pipe[2];
        int socket[2];
};

/* The supervisor is gone for good when its child is: nobody would read the result. */
static void die_with(int parent) {
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
                _exit(EXIT_INTERNAL);
}

/* Descriptors from the fourth on that the caller let us have, save that of the growth: the layers below and the record, or the output. */
static unsigned n_inherited(const struct unpack_options *options) {
        return options->inflate_only ? 1 : options->n_lowers + options->recorded;
}

static int record_fd(const struct unpack_options *options) {
        return (int) (UNPACK_FIRST_LOWER_FD + options->n_lowers);
}

static int growth_fd(const struct unpack_options *options) {
        return options->growing ? (int) (UNPACK_FIRST_LOWER_FD + n_inherited(options)) : -1;
}

static int close_inherited(const struct unpack_options *options, struct berth_error *err) {
        unsigned n = n_inherited(options);
        if (n > 0 && syscall(SYS_close_range, UNPACK_FIRST_LOWER_FD, UNPACK_FIRST_LOWER_FD + n - 1, 0) < 0)
                return berth_error_set(err, errno, "close inherited descriptors: %s", strerror(errno));
        return 0;
}

static const int inflater_calls[] = {SYS_read, SYS_write, SYS_brk, SYS_mmap, SYS_munmap, SYS_mremap, SYS_madvise, SYS_exit_group};

static int run_inflater(const struct seats *seats, const struct unpack_options *options, struct berth_error *err) {
        die_with(seats->parent);
        (void) close(seats->pipe[0]);
        (void) close(seats->socket[0]);
        (void) close(seats->socket[1]);
        int r = close_inherited(options, err);
        if (r < 0)
                return r;
        const struct confine_rights rights = {
                .address_space = 256 << 20,
                .cpu_seconds = 60 + options->limits.bytes / (20 << 20),
                .syscalls = inflater_calls,
                .n_syscalls = sizeof inflater_calls / sizeof inflater_calls[0],
        };
        r = confine_drop(&rights, err);
        const struct inflate_input input = {.blob = BLOB_FD, .growth = growth_fd(options)};
        return r < 0 ? r : inflate_run(&input, seats->pipe[1], &options->limits, err);
}

static const int writer_calls[] = {
        SYS_read,      SYS_write,      SYS_close,     SYS_fstat,      SYS_newfstatat, SYS_openat2, SYS_mkdirat,  SYS_mknodat,
        SYS_symlinkat, SYS_linkat,     SYS_unlinkat,  SYS_fchmod,     SYS_fchmodat,   SYS_fchown,  SYS_fchownat, SYS_utimensat,
        SYS_fsetxattr, SYS_getdents64, SYS_sendmsg,   SYS_fstatfs,    SYS_brk,        SYS_mmap,    SYS_munmap,   SYS_mremap,
        SYS_madvise,   SYS_exit_group, SYS_fgetxattr, SYS_flistxattr, SYS_readlinkat,
};

static int write_entry(struct tree *tree, struct source *source, struct tar_entry entry, const struct unpack_options *options,
                       struct berth_error *err) {
        if (options->has_owner)
                entry.uid = options->uid, entry.gid = options->gid;
        return entry_apply(tree, source, &entry, err);
}

static int write_tree(struct tar_reader *reader, struct tree *tree, const struct unpack_options *options, struct berth_error *err) {
        const struct limits *limits = &options->limits;
        for (;;) {
                const struct tar_entry *entry;
                int r = tar_next(reader, &entry, err);
                if (r < 0)
                        return r;
                if (!entry)
                        break;
                if (++tree->counts->entries > limits->entries)
                        return berth_error_set(err, LAYER_ERROR, "the layer has more than %llu entries", (unsigned long long) limits->entries);
                r = write_entry(tree, reader->source, *entry, options, err);
                if (r == 0)
                        r = tar_skip_padding(reader, err);
                if (r < 0)
                        return r;
        }
        int r = tree_finish_dir_times(tree, err);
        return r < 0 ? r : source_drain(reader->source, err);
}

static int run_writer(const struct seats *seats, const struct unpack_options *options, struct counts *counts, struct berth_error *err) {
        die_with(seats->parent);
        (void) close(seats->pipe[1]);
        (void) close(seats->socket[0]);
        int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (root < 0)
                return berth_error_set(err, errno, "open the target directory");
        struct source source;
        int r = source_init(&source, seats->pipe[0], err);
        if (r < 0)
                return r;
        const struct confine_rights rights = {
                .capabilities = 1ULL << CAP_CHOWN | 1ULL << CAP_DAC_OVERRIDE | 1ULL << CAP_FOWNER | 1ULL << CAP_FSETID | 1ULL << CAP_MKNOD |
                                1ULL << CAP_SETFCAP,
                .address_space = 1ULL << 30,
                .file_size = options->limits.bytes,
                .cpu_seconds = 60 + options->limits.bytes / (20 << 20),
                .descriptors = LISTING_MOST_LEVELS + 20,
                .syscalls = writer_calls,
                .n_syscalls = sizeof writer_calls / sizeof writer_calls[0],
        };
        r = confine_drop(&rights, err);
        if (r < 0)
                return r;

        _cleanup_free_ struct tree *tree = malloc(sizeof *tree);
        _cleanup_free_ struct tar_reader *reader = calloc(1, sizeof *reader);
        if (!tree || !reader)
                return berth_error_set(err, ENOMEM, "start unpacking");
        tree_init(tree, root, seats->socket[1], options->overlay, counts);
        tree->first_lower = UNPACK_FIRST_LOWER_FD;
        tree->n_lowers = options->n_lowers;
        tree->base = options->base;
        /* What is in a container may have access lists that pass on. */
        int passes_on = options->base ? 1 : attributes_pass_on(root);
        if (passes_on < 0)
                return berth_error_set(err, -passes_on, "read the access list of the target directory: %s", strerror(-passes_on));
        tree->default_acl = passes_on;
        tree->keep_kinds = options->keep_kinds;
        struct known_digests known;
        if (options->recorded) {
                known_digests_init(&known);
                tree->known = &known;
        }
        reader->source = &source;
        r = write_tree(reader, tree, options, err);
        if (r == 0 && options->recorded)
                r = record_write_known(root, &known, record_fd(options), err);
        if (r < 0)
                return r;
        counts->size = source.total;
        source_digest(&source, counts->diff_id);
        return 0;
}

static int write_all(int fd, const uint8_t *data, size_t size, struct berth_error *err) {
        while (size > 0) {
                ssize_t n = write(fd, data, size);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return berth_error_set(err, errno, "write the decompressed bytes: %s", strerror(errno));
                data += n, size -= (size_t) n;
        }
        return 0;
}

static int copy_all(struct source *source, struct berth_error *err) {
        for (;;) {
                const uint8_t *data;
                size_t n;
                int r = source_some(source, SOURCE_CAPACITY, &data, &n, err);
                if (r < 0 || n == 0)
                        return r;
                r = write_all(UNPACK_OUTPUT_FD, data, n, err);
                if (r < 0)
                        return r;
                source_take(source, n);
        }
}

/* In the writer's seat: keeps the bytes and hashes them, which whoever decompressed them cannot be trusted with. */
static int run_copier(const struct seats *seats, const struct unpack_options *options, struct counts *counts, struct berth_error *err) {
        die_with(seats->parent);
        (void) close(seats->pipe[1]);
        (void) close(seats->socket[0]);
        struct source source;
        int r = source_init(&source, seats->pipe[0], err);
        if (r < 0)
                return r;
        const struct confine_rights rights = {
                .address_space = 256 << 20,
                .file_size = options->limits.bytes,
                .cpu_seconds = 60 + options->limits.bytes / (20 << 20),
                .syscalls = inflater_calls,
                .n_syscalls = sizeof inflater_calls / sizeof inflater_calls[0],
        };
        r = confine_drop(&rights, err);
        if (r == 0)
                r = copy_all(&source, err);
        if (r < 0)
                return r;
        counts->size = source.total;
        source_digest(&source, counts->diff_id);
        return 0;
}

static const int supervisor_calls[] = {SYS_read,   SYS_write,     SYS_close, SYS_ppoll, SYS_recvmsg,
                                       SYS_sendto, SYS_fsetxattr, SYS_kill,  SYS_wait4, SYS_exit_group};

static int confine_supervisor(const struct unpack_options *options, struct berth_error *err) {
        const struct confine_rights rights = {
                .capabilities = options->overlay ? 1ULL << CAP_SYS_ADMIN : 0,
                .address_space = 64 << 20,
                .file_size = 1 << 20, /* the answer, where standard output is a file */
                .cpu_seconds = 60 + options->limits.bytes / (20 << 20),
                .descriptors = 16,
                .syscalls = supervisor_calls,
                .n_syscalls = sizeof supervisor_calls / sizeof supervisor_calls[0],
        };
        return confine_drop(&rights, err);
}

static int prepare(const struct unpack_options *options, int *ret_signals, struct seats *ret_seats, struct berth_error *err) {
        /* The daemon's death or SIGTERM ends us in order: the children are taken down and reaped first. */
        sigset_t stop;
        int r = container_root_become(options->base ? options->users : -1, err);
        if (r < 0)
                return r;
        (void) sigemptyset(&stop);
        (void) sigaddset(&stop, SIGTERM);
        if (sigprocmask(SIG_BLOCK, &stop, NULL) < 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR || prctl(PR_SET_PDEATHSIG, SIGTERM) < 0)
                return berth_error_set(err, errno, "set up signals");
        *ret_signals = signalfd(-1, &stop, SFD_CLOEXEC);
        if (*ret_signals < 0)
                return berth_error_set(err, errno, "set up signals");
        (void) umask(0);
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
                return berth_error_set(err, errno, "give up new privileges");
        for (unsigned i = 0; r == 0 && i < options->n_lowers; i++)
                r = confine_to_subtree((int) (UNPACK_FIRST_LOWER_FD + i), err);
        if (r == 0)
                r = options->base ? container_root_enter(UNPACK_TARGET_FD, err) : confine_enter(UNPACK_TARGET_FD, err);
        if (r == 0 && options->base)
                (void) close(UNPACK_TARGET_FD);
        if (r < 0)
                return r;

        ret_seats->parent = getpid();
        if (pipe2(ret_seats->pipe, O_CLOEXEC) < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_seats->socket) < 0)
                return berth_error_set(err, errno, "make pipes");
        /* Fewer switches between the two; the default works too where the user's pipes are used up. */
        (void) fcntl(ret_seats->pipe[0], F_SETPIPE_SZ, PIPE_SIZE);
        return 0;
}

/* Only the supervisor speaks to the caller. */
static void leave_to_supervisor(const struct family *family) {
        (void) close(STDOUT_FILENO);
        (void) close(STDERR_FILENO);
        (void) close(family->signals);
}

/* Starts the children and closes what only they need. */
static int start(const struct seats *seats, const struct unpack_options *options, struct shared *shared, struct family *family,
                 struct berth_error *err) {
        family->inflater = fork();
        if (family->inflater == 0) {
                leave_to_supervisor(family);
                _exit(run_inflater(seats, options, &shared->inflate) < 0 ? EXIT_INTERNAL : 0);
        }
        family->writer = family->inflater < 0 ? -1 : fork();
        if (family->writer == 0) {
                leave_to_supervisor(family);
                (void) close(BLOB_FD);
                (void) close(growth_fd(options));
                int r = (options->inflate_only ? run_copier : run_writer)(seats, options, &shared->counts, &shared->write);
                _exit(r < 0 ? EXIT_INTERNAL : 0);
        }
        int code = errno;
        (void) close(seats->pipe[0]);
        (void) close(seats->pipe[1]);
        (void) close(seats->socket[1]);
        (void) close(BLOB_FD);
        (void) close(growth_fd(options));
        family->marker = seats->socket[0];
        int r = close_inherited(options, err);
        if (r < 0)
                return r;
        return family->writer < 0 ? berth_error_set(err, code, "start the unpacking processes") : 0;
}

int unpack_run(const struct unpack_options *options, struct counts *ret_counts, bool *ret_confined, struct berth_error *err) {
        struct shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        struct seats seats = {0};
        struct family family = {.inflater = -1, .writer = -1};
        *ret_confined = false;
        if (shared == MAP_FAILED)
                return berth_error_set(err, errno, "share memory");
        int r = prepare(options, &family.signals, &seats, err);
        if (r == 0)
                r = start(&seats, options, shared, &family, err);
        if (r == 0)
                r = confine_supervisor(options, err);
        if (r < 0) {
                supervise_end(&family);
                return r;
        }
        *ret_confined = true;
        r = supervise_run(&family, shared, err);
        if (r == 0)
                *ret_counts = shared->counts;
        return r;
}
