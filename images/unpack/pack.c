/* SPDX-License-Identifier: Apache-2.0 */
#include "pack.h"

#include "../../runtime/lib/cleanup.h"
#include "change-list.h"
#include "compare.h"
#include "confine.h"
#include "merge.h"
#include "unpack.h"
#include "whiteout.h"

#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const int pack_calls[] = {SYS_read,       SYS_write,     SYS_close, SYS_fstat, SYS_newfstatat, SYS_openat2, SYS_readlinkat, SYS_getdents64,
                                 SYS_flistxattr, SYS_fgetxattr, SYS_brk,   SYS_mmap,  SYS_munmap,     SYS_mremap,  SYS_madvise,    SYS_exit_group};

/*
 * trusted.overlay.opaque is shown to CAP_SYS_ADMIN only. No call of the filter does anything else with it: the mounts are read-only, and there
 * is none that mounts, sets an attribute, or opens outside of them.
 */
static int confine(const struct pack_options *options, struct berth_error *err) {
        const struct confine_rights rights = {
                .capabilities = 1ULL << CAP_DAC_READ_SEARCH | (options->overlay ? 1ULL << CAP_SYS_ADMIN : 0),
                .address_space = 1ULL << 30,
                .file_size = options->limits.bytes < UINT64_MAX >> 1 ? options->limits.bytes + (4U << 20) : UINT64_MAX,
                .cpu_seconds = 3600 + options->limits.bytes / (20 << 20),
                .descriptors = 1024,
                .syscalls = pack_calls,
                .n_syscalls = sizeof pack_calls / sizeof pack_calls[0],
        };
        return confine_drop(&rights, err);
}

static int enter(const struct pack_options *options, struct layers *ret, struct berth_error *err) {
        *ret = (struct layers){.n = options->n_lowers + 1, .overlay = options->overlay};
        if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
                return berth_error_set(err, errno, "set up signals");
        int r = 0;
        for (unsigned i = 0; r == 0 && i < options->n_lowers; i++) {
                ret->roots[i + 1] = (int) (UNPACK_FIRST_LOWER_FD + i);
                r = confine_to_subtree(ret->roots[i + 1], err);
        }
        if (r == 0)
                r = confine_enter_alone(UNPACK_TARGET_FD, &ret->roots[0], err);
        if (r == 0)
                r = confine_to_reading(ret->roots[0], err);
        return r < 0 ? r : confine(options, err);
}

static const char *base_of(const char *path) {
        const char *slash = strrchr(path, '/');
        return slash ? slash + 1 : path;
}

static int pack_deleted(struct packer *packer, const char *path, const char *name, struct berth_error *err) {
        char parent[PATH_MAX];
        size_t size = (size_t) (name - path);
        memcpy(parent, path, size);
        parent[size > 0 ? size - 1 : 0] = '\0';
        return pack_whiteout(packer, parent, name, err);
}

static int pack_change(void *to, const struct change *change, int directory, struct berth_error *err) {
        struct packer *packer = to;
        const char *name = base_of(change->path);
        if (change->kind == CHANGE_DELETED)
                return pack_deleted(packer, change->path, name, err);
        if (strncmp(name, WHITEOUT_PREFIX, strlen(WHITEOUT_PREFIX)) == 0)
                return berth_error_set(err, LAYER_ERROR, "'%.300s' has no place in a layer, where names with '%s' in front delete files: rename it",
                                       change->path, WHITEOUT_PREFIX);
        const struct packed_place place = {.parent = directory, .name = name, .path = change->path, .st = &change->st};
        int r = pack_entry(packer, &place, err);
        return r < 0 || !change->hides_below ? r : pack_whiteout(packer, change->path, NULL, err);
}

static int pack_changes(const struct layers *layers, const struct pack_options *options, struct packer *packer, struct berth_error *err) {
        const struct comparison comparison = {.layers = layers,
                                              .for_layer = true,
                                              .without_mount_points = options->without_mount_points,
                                              .limit_entries = options->limits.entries,
                                              .tell = pack_change,
                                              .to = packer};
        packer->archive.hashed = true;
        return compare_run(&comparison, err);
}

static int write_archive(const struct layers *layers, const struct pack_options *options, struct counts *ret, struct berth_error *err) {
        _cleanup_free_ struct packer *packer = calloc(1, sizeof *packer);
        if (!packer)
                return berth_error_set(err, ENOMEM, "start packing");
        int r = archive_init(&packer->archive, (int) (UNPACK_FIRST_LOWER_FD + options->n_lowers), options->limits.bytes, err);
        if (r == 0)
                r = options->job == PACK_LAYER ? pack_changes(layers, options, packer, err)
                                               : merge_pack(layers, packer, options->limits.entries, err);
        if (r == 0)
                r = archive_finish(&packer->archive, err);
        if (r < 0)
                return r;
        *ret = (struct counts){.size = packer->archive.total, .entries = packer->entries};
        sha256_final(&packer->archive.hash, ret->diff_id);
        return 0;
}

static int list_changes(const struct layers *layers, const struct pack_options *options, struct counts *ret, struct berth_error *err) {
        struct change_list list = {0};
        const struct comparison comparison = {.layers = layers,
                                              .without_mount_points = options->without_mount_points,
                                              .limit_entries = options->limits.entries,
                                              .tell = change_list_add,
                                              .to = &list};
        int r = compare_run(&comparison, err);
        *ret = (struct counts){.entries = list.paths.n};
        return r < 0 ? r : change_list_write(&list, STDOUT_FILENO, err);
}

int pack_run(const struct pack_options *options, struct counts *ret_counts, bool *ret_confined, struct berth_error *err) {
        struct layers layers;
        int r = enter(options, &layers, err);
        *ret_confined = r == 0;
        if (r < 0)
                return r;
        return options->job == PACK_CHANGES ? list_changes(&layers, options, ret_counts, err) : write_archive(&layers, options, ret_counts, err);
}
