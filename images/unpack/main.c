/* SPDX-License-Identifier: Apache-2.0 */
#include "assemble.h"
#include "compress.h"
#include "copy-out.h"
#include "digest.h"
#include "measure.h"
#include "pack.h"
#include "record.h"
#include "relabel.h"
#include "report.h"
#include "sweep.h"
#include "unpack.h"

#include <errno.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum mode {
        MODE_NONE,
        MODE_OVERLAY,
        MODE_PLAIN,
        MODE_INFLATE,
        MODE_REMOVE,
        MODE_USAGE,
        MODE_SYNC,
        MODE_SPREAD,
        MODE_RELABEL,
        MODE_PACK,
        MODE_EXPORT,
        MODE_CHANGES,
        MODE_RECORD,
        MODE_VERIFY,
        MODE_DIGEST,
        MODE_GZIP,
        MODE_ZSTD,
        MODE_LOOK,
        MODE_COPY_OUT,
        MODE_COPY_IN,
        MODE_ASSEMBLE,
};

struct arguments {
        enum mode mode;
        const char *operand; /* label or path */
        const char *name;
        bool keep_kinds;
        bool has_owner;
        uint32_t uid, gid;
        uint64_t n_lowers;
        bool whole_trees;
        bool without_mount_points;
        bool growing;
        bool recorded;
        bool prompt;
        bool users;
        struct limits limits;
};

static const char usage[] =
        "usage: berth-unpack --overlay|--plain [--limit-bytes N] [--limit-entries N] [--limit-ratio N] [--lowers N] [--recorded] [--growing]\n"
        "                    <layer 3<directory\n"
        "       berth-unpack --inflate [--limit-bytes N] [--limit-ratio N] <compressed 3<empty-directory 4>plain\n"
        "       berth-unpack --pack|--export|--changes [--whole-trees] [--without-mount-points] [--limit-bytes N] [--limit-entries N] [--lowers N]\n"
        "                    3<directory\n"
        "       berth-unpack --gzip|--zstd <plain 4>compressed\n"
        "       berth-unpack --remove|--usage|--sync|--spread 3<directory\n"
        "       berth-unpack --relabel LABEL 3<file-or-directory\n"
        "       berth-unpack --look PATH [--users] 3<root [4<user-namespace]\n"
        "       berth-unpack --copy-out PATH --name NAME [--users] [--limit-bytes N] [--limit-entries N] 3<root 4>archive [5<user-namespace]\n"
        "       berth-unpack --copy-in PATH [--keep-kinds] [--owner UID:GID] [--users] [--limit-bytes N] [--limit-entries N] [--limit-ratio N]\n"
        "                    <archive 3<root [4<user-namespace]\n"
        "       berth-unpack --assemble <description\n"
        "       berth-unpack --record 3<directory >record\n"
        "       berth-unpack --verify 3<directory 4<record\n"
        "       berth-unpack --digest [--prompt] 3<file\n";

static enum mode mode_of(const char *argument) {
        static const struct {
                const char *name;
                enum mode mode;
        } modes[] = {
                {"--overlay", MODE_OVERLAY}, {"--plain", MODE_PLAIN},     {"--inflate", MODE_INFLATE}, {"--remove", MODE_REMOVE},
                {"--usage", MODE_USAGE},     {"--sync", MODE_SYNC},       {"--spread", MODE_SPREAD},   {"--pack", MODE_PACK},
                {"--export", MODE_EXPORT},   {"--changes", MODE_CHANGES}, {"--relabel", MODE_RELABEL}, {"--record", MODE_RECORD},
                {"--verify", MODE_VERIFY},   {"--digest", MODE_DIGEST},   {"--gzip", MODE_GZIP},       {"--zstd", MODE_ZSTD},
                {"--look", MODE_LOOK},       {"--copy-out", MODE_COPY_OUT}, {"--copy-in", MODE_COPY_IN}, {"--assemble", MODE_ASSEMBLE},
        };
        for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++)
                if (strcmp(argument, modes[i].name) == 0)
                        return modes[i].mode;
        return MODE_NONE;
}

static bool has_operand(enum mode mode) {
        return mode == MODE_RELABEL || mode == MODE_LOOK || mode == MODE_COPY_OUT || mode == MODE_COPY_IN;
}

static bool packs(enum mode mode) {
        return mode == MODE_PACK || mode == MODE_EXPORT || mode == MODE_CHANGES;
}

/* Standard output is for the answer: what is written goes to one more descriptor, and a record comes from one. */
static bool has_one_more(enum mode mode) {
        return mode == MODE_INFLATE || mode == MODE_PACK || mode == MODE_EXPORT || mode == MODE_VERIFY || mode == MODE_GZIP || mode == MODE_ZSTD ||
               mode == MODE_COPY_OUT;
}

/* It comes last. */
static int users_of(const struct arguments *arguments) {
        return arguments->users ? UNPACK_FIRST_LOWER_FD + has_one_more(arguments->mode) : -1;
}

static bool *flag_of(struct arguments *arguments, const char *argument) {
        if (strcmp(argument, "--whole-trees") == 0)
                return &arguments->whole_trees;
        if (strcmp(argument, "--growing") == 0)
                return &arguments->growing;
        if (strcmp(argument, "--recorded") == 0)
                return &arguments->recorded;
        if (strcmp(argument, "--keep-kinds") == 0)
                return &arguments->keep_kinds;
        if (strcmp(argument, "--users") == 0)
                return &arguments->users;
        if (strcmp(argument, "--prompt") == 0)
                return &arguments->prompt;
        return strcmp(argument, "--without-mount-points") == 0 ? &arguments->without_mount_points : NULL;
}

static bool parse_number(const char *text, uint64_t *ret) {
        char *end;
        errno = 0;
        unsigned long long value = strtoull(text, &end, 10);
        if (errno != 0 || end == text || *end != '\0' || *text == '-')
                return false;
        *ret = value;
        return true;
}

/* "UID:GID" */
static bool parse_owner(const char *text, struct arguments *ret) {
        char after;
        ret->has_owner = sscanf(text, "%u:%u%c", &ret->uid, &ret->gid, &after) == 2;
        return ret->has_owner;
}

/* 1: it was one of these, and its value was good; 0: it is something else. */
static int parse_copying(const char *argument, const char *value, struct arguments *ret) {
        if (strcmp(argument, "--name") == 0 && value) {
                ret->name = value;
                return 1;
        }
        return strcmp(argument, "--owner") == 0 && value && parse_owner(value, ret);
}

static bool parse_arguments(int argc, char **argv, struct arguments *ret) {
        *ret = (struct arguments){.limits = {.bytes = 128ULL << 30, .entries = 5000000, .ratio = 200}};
        for (int i = 1; i < argc; i++) {
                enum mode mode = mode_of(argv[i]);
                if (mode != MODE_NONE && ret->mode == MODE_NONE) {
                        ret->mode = mode;
                        if (!has_operand(mode))
                                continue;
                        if (i + 1 == argc)
                                return false;
                        ret->operand = argv[++i];
                        continue;
                }
                bool *flag = flag_of(ret, argv[i]);
                if (flag) {
                        *flag = true;
                        continue;
                }
                if (parse_copying(argv[i], argv[i + 1], ret)) {
                        i++;
                        continue;
                }
                uint64_t *limit = strcmp(argv[i], "--limit-bytes") == 0     ? &ret->limits.bytes
                                  : strcmp(argv[i], "--limit-entries") == 0 ? &ret->limits.entries
                                  : strcmp(argv[i], "--limit-ratio") == 0   ? &ret->limits.ratio
                                  : strcmp(argv[i], "--lowers") == 0        ? &ret->n_lowers
                                                                            : NULL;
                if (!limit || i + 1 == argc || !parse_number(argv[++i], limit))
                        return false;
        }
        if ((ret->growing || ret->recorded) && ret->mode != MODE_OVERLAY && ret->mode != MODE_PLAIN)
                return false;
        if (ret->mode == MODE_COPY_OUT && !ret->name)
                return false;
        if (ret->prompt && ret->mode != MODE_DIGEST)
                return false;
        if (ret->users && ret->mode != MODE_LOOK && ret->mode != MODE_COPY_OUT && ret->mode != MODE_COPY_IN)
                return false;
        return ret->mode != MODE_NONE && ret->n_lowers <= (ret->mode == MODE_OVERLAY || packs(ret->mode) ? UNPACK_MAX_LOWERS : 0);
}

static int exit_code_of(int code) {
        switch (code) {
        case ENOSPC:
        case EDQUOT:
                return EXIT_NO_SPACE;
        case LAYER_ERROR:
        case EFBIG:
        case ENAMETOOLONG:
        case ENOENT:
        case ENOTDIR:
        case EEXIST:
        case ELOOP:
        case EMLINK:
        case EINVAL:
        case EPERM:
        case EILSEQ:
                return EXIT_LAYER;
        default:
                return EXIT_INTERNAL;
        }
}

/* Whether the machine refused it, and not the layer. */
static bool needs_reason(int code) {
        return code == EIO || code == EMFILE || code == ENFILE || code == ENOMEM || code == EAGAIN || code == ENOSPC || code == EDQUOT || code == EROFS;
}

/* Names come from the archive: nothing of them may steer a terminal or begin a line in a log. */
static int complain(const struct berth_error *err, int exit_code) {
        const char *reason = strerror(err->code);
        bool says = !needs_reason(err->code) || strstr(err->text, reason);
        char text[sizeof err->text + 80];
        size_t used = (size_t) snprintf(text, sizeof text - 1, "%s%s%s", err->text, says ? "" : ": ", says ? "" : reason);
        for (char *c = text; *c != '\0'; c++)
                if ((unsigned char) *c < 0x20 || *c == 0x7f)
                        *c = '?';
        text[used++] = '\n';
        return write(STDERR_FILENO, text, used) == (ssize_t) used ? exit_code : EXIT_INTERNAL;
}

static void format_digest(const uint8_t bytes[32], char ret[65]) {
        for (unsigned i = 0; i < 32; i++)
                (void) snprintf(ret + (size_t) 2 * i, 3, "%02x", bytes[i]);
}

/* The line that tells what was done. */
static int answer(const char *line, int size) {
        struct berth_error err;
        if (write(STDOUT_FILENO, line, (size_t) size) == size)
                return 0;
        (void) berth_error_set(&err, errno, "tell the result");
        return complain(&err, EXIT_INTERNAL);
}

static int answer_packed(const struct counts *counts, bool is_layer) {
        char digest[65], layer[90] = "", line[200];
        format_digest(counts->diff_id, digest);
        if (is_layer)
                (void) snprintf(layer, sizeof layer, "\"diffId\":\"sha256:%s\",", digest);
        int size = snprintf(line, sizeof line, "{%s\"size\":%llu,\"entries\":%llu}\n", layer, (unsigned long long) counts->size,
                            (unsigned long long) counts->entries);
        return answer(line, size);
}

static int answer_unpacked(const struct counts *counts) {
        char digest[65];
        format_digest(counts->diff_id, digest);
        char line[400];
        int size = snprintf(line, sizeof line,
                            "{\"diffId\":\"sha256:%s\",\"size\":%llu,\"entries\":%llu,\"inodes\":%llu,\"diskBytes\":%llu,\"skippedXattrs\":%llu}\n",
                            digest, (unsigned long long) counts->size, (unsigned long long) counts->entries, (unsigned long long) counts->inodes,
                            (unsigned long long) counts->disk_bytes, (unsigned long long) counts->skipped_xattrs);
        return answer(line, size);
}

static int answer_usage(const struct usage *counted) {
        char line[120];
        int size = snprintf(line, sizeof line, "{\"bytes\":%llu,\"inodes\":%llu,\"content\":%llu}\n", (unsigned long long) counted->bytes,
                            (unsigned long long) counted->inodes, (unsigned long long) counted->content);
        return answer(line, size);
}

static int sync_filesystem(void) {
        struct berth_error err;
        if (syncfs(UNPACK_TARGET_FD) == 0)
                return 0;
        (void) berth_error_set(&err, errno, "write the data root's filesystem out: %s", strerror(errno));
        return complain(&err, exit_code_of(err.code));
}

/*
 * Has ext4 place each subdirectory in a part of the disk of its own, as it does below the root (the flag T of chattr(1)): these trees have
 * nothing to do with each other. Without a journal it matters much: an inode freed in the last minutes is not used again, and every creation
 * near a deleted tree passes over all of its inodes (20,000 files beside 20,000 deleted ones: 9 s instead of 0.8). Others lay out differently.
 */
static int spread_children(void) {
        struct berth_error err;
        int flags;
        if (ioctl(UNPACK_TARGET_FD, (int) FS_IOC_GETFLAGS, &flags) == 0) {
                flags |= FS_TOPDIR_FL;
                if (ioctl(UNPACK_TARGET_FD, (int) FS_IOC_SETFLAGS, &flags) == 0)
                        return 0;
        }
        if (errno == ENOTTY || errno == EOPNOTSUPP || errno == EINVAL || errno == ENOSYS)
                return 0;
        (void) berth_error_set(&err, errno, "set the flags of the directory: %s", strerror(errno));
        return complain(&err, EXIT_INTERNAL);
}

static int unpack(const struct arguments *arguments) {
        const struct unpack_options options = {.overlay = arguments->mode == MODE_OVERLAY,
                                               .inflate_only = arguments->mode == MODE_INFLATE,
                                               .growing = arguments->growing,
                                               .recorded = arguments->recorded,
                                               .base = arguments->mode == MODE_COPY_IN ? arguments->operand : NULL,
                                               .users = users_of(arguments),
                                               .keep_kinds = arguments->keep_kinds,
                                               .has_owner = arguments->has_owner,
                                               .uid = arguments->uid,
                                               .gid = arguments->gid,
                                               .n_lowers = (unsigned) arguments->n_lowers,
                                               .limits = arguments->limits};
        struct berth_error err = {0};
        struct counts counts;
        bool confined;
        if (unpack_run(&options, &counts, &confined, &err) < 0)
                return complain(&err, confined ? exit_code_of(err.code) : EXIT_HOST);
        return answer_unpacked(&counts);
}

static int pack(const struct arguments *arguments) {
        const struct pack_options options = {.job = arguments->mode == MODE_PACK     ? PACK_LAYER
                                                    : arguments->mode == MODE_EXPORT ? PACK_EXPORT
                                                                                     : PACK_CHANGES,
                                             .overlay = !arguments->whole_trees,
                                             .without_mount_points = arguments->without_mount_points,
                                             .n_lowers = (unsigned) arguments->n_lowers,
                                             .limits = arguments->limits};
        struct berth_error err = {0};
        struct counts counts;
        bool confined;
        if (pack_run(&options, &counts, &confined, &err) < 0)
                return complain(&err, confined ? exit_code_of(err.code) : EXIT_HOST);
        return options.job == PACK_CHANGES ? 0 : answer_packed(&counts, options.job == PACK_LAYER);
}

/* What is asked for is named by a user: that it is not there is told apart from all else. */
static int copy_out(const struct arguments *arguments) {
        const struct copy_out_options options = {.path = arguments->operand, .name = arguments->name, .users = users_of(arguments), .limits = arguments->limits};
        struct berth_error err = {0};
        bool confined;
        if (copy_out_run(&options, &confined, &err) == 0)
                return 0;
        return complain(&err, !confined ? EXIT_HOST : err.code == ENOENT ? EXIT_MISSING : err.code == ENOTDIR ? EXIT_INTERNAL : exit_code_of(err.code));
}

static int compress(const struct block_codec *codec) {
        struct berth_error err = {0};
        struct compressed made;
        if (compress_run(STDIN_FILENO, UNPACK_OUTPUT_FD, codec, &made, &err) < 0)
                return complain(&err, exit_code_of(err.code));
        char digest[65], line[160];
        format_digest(made.digest, digest);
        int size = snprintf(line, sizeof line, "{\"digest\":\"sha256:%s\",\"size\":%llu}\n", digest, (unsigned long long) made.size);
        return answer(line, size);
}

int main(int argc, char **argv) {
        struct arguments arguments;
        struct berth_error err = {0};
        struct usage counted = {0};
        if (!parse_arguments(argc, argv, &arguments))
                return write(STDERR_FILENO, usage, sizeof usage - 1) < 0 ? EXIT_INTERNAL : EXIT_HOST;
        /* Whatever else the caller let us inherit is no business of hostile bytes. */
        const unsigned n_inherited =
                (unsigned) arguments.n_lowers + has_one_more(arguments.mode) + arguments.recorded + arguments.growing + arguments.users;
        if (syscall(SYS_close_range, UNPACK_FIRST_LOWER_FD + n_inherited, ~0U, 0) < 0) {
                (void) berth_error_set(&err, errno, "close inherited descriptors: %s", strerror(errno));
                return complain(&err, EXIT_HOST);
        }
        switch (arguments.mode) {
        case MODE_REMOVE:
                return sweep_run(UNPACK_TARGET_FD, &err) < 0 ? complain(&err, EXIT_INTERNAL) : 0;
        case MODE_USAGE:
                return measure_run(UNPACK_TARGET_FD, &counted, &err) < 0 ? complain(&err, EXIT_INTERNAL) : answer_usage(&counted);
        case MODE_SYNC:
                return sync_filesystem();
        case MODE_SPREAD:
                return spread_children();
        case MODE_GZIP:
        case MODE_ZSTD:
                return compress(arguments.mode == MODE_ZSTD ? &zstd_blocks : &gzip_blocks);
        case MODE_RELABEL:
                return relabel_run(UNPACK_TARGET_FD, arguments.operand, &err) < 0 ? complain(&err, EXIT_INTERNAL) : 0;
        case MODE_PACK:
        case MODE_EXPORT:
        case MODE_CHANGES:
                return pack(&arguments);
        case MODE_LOOK:
        case MODE_COPY_OUT:
                return copy_out(&arguments);
        case MODE_ASSEMBLE:
                return assemble_run(&err) < 0 ? complain(&err, EXIT_HOST) : 0;
        case MODE_RECORD:
                return record_write(UNPACK_TARGET_FD, &err) < 0 ? complain(&err, exit_code_of(err.code)) : 0;
        case MODE_VERIFY:
                return record_verify(UNPACK_TARGET_FD, &err) < 0 ? complain(&err, exit_code_of(err.code)) : 0;
        case MODE_DIGEST:
                return digest_print(UNPACK_TARGET_FD, arguments.prompt, &err) < 0 ? complain(&err, EXIT_INTERNAL) : 0;
        default:
                return unpack(&arguments);
        }
}
