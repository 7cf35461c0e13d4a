/* SPDX-License-Identifier: Apache-2.0 */
/* Packs, exports and compares the directories that are its arguments, the topmost first, and reads the archives back. Run with sanitizers. */
#include "change-list.h"
#include "merge.h"
#include "pack-entry.h"
#include "tar.h"
#include "whiteout.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct berth_error err;

static void check(int r) {
        if (r >= 0)
                return;
        (void) fprintf(stderr, "%s\n", err.text[0] ? err.text : "an error without a sentence");
        exit(1);
}

static uint64_t read_back(int fd) {
        struct source source;
        struct tar_reader *reader = calloc(1, sizeof *reader);
        uint64_t entries = 0;
        if (!reader || lseek(fd, 0, SEEK_SET) != 0)
                exit(2);
        check(source_init(&source, fd, &err));
        reader->source = &source;
        for (;; entries++) {
                const struct tar_entry *entry;
                check(tar_next(reader, &entry, &err));
                if (!entry)
                        break;
                check(source_skip(&source, entry->size, &err));
                check(tar_skip_padding(reader, &err));
        }
        tar_forget(reader);
        free(reader);
        free(source.buffer);
        return entries;
}

static void forget(struct packer *packer) {
        for (size_t i = 0; i < packer->links.capacity; i++)
                free(packer->links.slots[i].path);
        free(packer->links.slots);
        free(packer->archive.buffer);
        free(packer->archive.records);
        free(packer);
}

static int pack_change(void *to, const struct change *change, int directory, struct berth_error *error) {
        const char *slash = strrchr(change->path, '/'), *name = slash ? slash + 1 : change->path;
        char parent[PATH_MAX] = "";
        memcpy(parent, change->path, slash ? (size_t) (slash - change->path) : 0);
        if (change->kind == CHANGE_DELETED)
                return pack_whiteout(to, parent, name, error);
        const struct packed_place place = {.parent = directory, .name = name, .path = change->path, .st = &change->st};
        int r = pack_entry(to, &place, error);
        return r < 0 || !change->hides_below ? r : pack_whiteout(to, change->path, NULL, error);
}

static uint64_t archive(const struct layers *layers, bool whole) {
        struct packer *packer = calloc(1, sizeof *packer);
        int fd = memfd_create("archive", MFD_CLOEXEC);
        const struct comparison comparison = {.layers = layers, .for_layer = true, .limit_entries = 100000, .tell = pack_change, .to = packer};
        if (!packer || fd < 0)
                exit(2);
        check(archive_init(&packer->archive, fd, 1 << 30, &err));
        check(whole ? merge_pack(layers, packer, 100000, &err) : compare_run(&comparison, &err));
        check(archive_finish(&packer->archive, &err));
        uint64_t entries = read_back(fd);
        if (entries != packer->entries)
                exit(3);
        (void) close(fd);
        forget(packer);
        return entries;
}

int main(int argc, char **argv) {
        struct layers layers = {.n = (unsigned) argc - 1, .overlay = true};
        struct change_list list = {0};
        for (int i = 1; i < argc; i++)
                layers.roots[i - 1] = open(argv[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        const struct comparison comparison = {
                .layers = &layers, .without_mount_points = true, .limit_entries = 100000, .tell = change_list_add, .to = &list};
        check(compare_run(&comparison, &err));
        uint64_t changes = list.paths.n;
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        check(change_list_write(&list, null, &err));
        names_free(&list.paths);
        (void) printf("%llu changed, %llu in the layer, %llu in all\n", (unsigned long long) changes, (unsigned long long) archive(&layers, false),
                      (unsigned long long) archive(&layers, true));
        return 0;
}
