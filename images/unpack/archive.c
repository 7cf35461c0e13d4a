/* SPDX-License-Identifier: Apache-2.0 */
#include "archive.h"

#include "report.h"
#include "tar-header.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CAPACITY = 1 << 20, RECORDS_CAPACITY = PAX_MAX_SIZE };

/* The largest numbers of the fields that ustar has for them. */
enum { MAX_ID = 07777777 };
static const uint64_t max_size = 077777777777;

int archive_init(struct archive *archive, int fd, uint64_t limit, struct berth_error *err) {
        *archive = (struct archive){.fd = fd, .limit = limit, .buffer = malloc(CAPACITY), .records = malloc(RECORDS_CAPACITY)};
        if (!archive->buffer || !archive->records)
                return berth_error_set(err, ENOMEM, "start the archive");
        sha256_init(&archive->hash);
        return 0;
}

static int flush(struct archive *archive, struct berth_error *err) {
        if (archive->hashed)
                sha256_update(&archive->hash, archive->buffer, archive->used);
        for (size_t at = 0; at < archive->used;) {
                ssize_t n = write(archive->fd, archive->buffer + at, archive->used - at);
                if (n < 0 && errno != EINTR)
                        return berth_error_set(err, errno, "write the archive: %s", strerror(errno));
                at += n < 0 ? 0 : (size_t) n;
        }
        archive->total += archive->used;
        archive->used = 0;
        return archive->total <= archive->limit
                       ? 0
                       : berth_error_set(err, LAYER_ERROR, "the files have more than %llu bytes", (unsigned long long) archive->limit);
}

int archive_room(struct archive *archive, uint8_t **ret_at, size_t *ret_size, struct berth_error *err) {
        int r = archive->used == CAPACITY ? flush(archive, err) : 0;
        *ret_at = archive->buffer + archive->used;
        *ret_size = CAPACITY - archive->used;
        return r;
}

void archive_filled(struct archive *archive, size_t size) {
        archive->used += size;
}

/* `from` may be NULL: zeros. */
static int put(struct archive *archive, const void *from, uint64_t size, struct berth_error *err) {
        const uint8_t *at = from;
        while (size > 0) {
                uint8_t *to;
                size_t room;
                int r = archive_room(archive, &to, &room, err);
                if (r < 0)
                        return r;
                if (room > size)
                        room = (size_t) size;
                if (at) {
                        memcpy(to, at, room);
                        at += room;
                } else {
                        memset(to, 0, room);
                }
                archive_filled(archive, room);
                size -= room;
        }
        return 0;
}

int archive_zeros(struct archive *archive, uint64_t size, struct berth_error *err) {
        return put(archive, NULL, size, err);
}

int archive_pad(struct archive *archive, uint64_t size, struct berth_error *err) {
        return archive_zeros(archive, (TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK, err);
}

int archive_finish(struct archive *archive, struct berth_error *err) {
        int r = archive_zeros(archive, 2 * TAR_BLOCK, err);
        return r < 0 ? r : flush(archive, err);
}

static size_t digits_of(size_t number) {
        size_t digits = 1;
        for (; number >= 10; number /= 10)
                digits++;
        return digits;
}

/* "length key=value\n", where the length counts its own digits too. */
static int add_record(struct archive *archive, const char *prefix, const char *key, const void *value, size_t size, struct berth_error *err) {
        size_t rest = 1 + strlen(prefix) + strlen(key) + 1 + size + 1;
        size_t length = rest + digits_of(rest);
        if (digits_of(length) != digits_of(rest))
                length++;
        /* One more than what is counted: the NUL of snprintf. */
        if (length >= RECORDS_CAPACITY - archive->n_records)
                return berth_error_set(err, LAYER_ERROR, "the name and attributes of an entry have more than %d bytes", PAX_MAX_SIZE);
        char *at = archive->records + archive->n_records;
        int head = snprintf(at, length, "%zu %s%s=", length, prefix, key);
        memcpy(at + head, value, size);
        at[length - 1] = '\n';
        archive->n_records += length;
        return 0;
}

static int add_text(struct archive *archive, const char *key, const char *text, struct berth_error *err) {
        return add_record(archive, "", key, text, strlen(text), err);
}

static int add_number(struct archive *archive, const char *key, uint64_t number, struct berth_error *err) {
        char text[24];
        (void) snprintf(text, sizeof text, "%llu", (unsigned long long) number);
        return add_text(archive, key, text, err);
}

static int add_time(struct archive *archive, const struct timespec *time, struct berth_error *err) {
        char text[40];
        int size = snprintf(text, sizeof text, "%lld.%09ld", (long long) time->tv_sec, time->tv_nsec);
        if (time->tv_nsec == 0)
                text[size - 10] = '\0';
        for (char *last = text + size - 1; time->tv_nsec != 0 && *last == '0'; last--)
                *last = '\0';
        return add_text(archive, "mtime", text, err);
}

/* Everything that the plain header has no room for. */
static int add_records(struct archive *archive, const struct tar_entry *entry, const char *name, struct berth_error *err) {
        int r = 0;
        archive->n_records = 0;
        if (strlen(name) > sizeof((struct tar_header *) NULL)->name)
                r = add_text(archive, "path", name, err);
        if (r == 0 && entry->link && strlen(entry->link) > sizeof((struct tar_header *) NULL)->link)
                r = add_text(archive, "linkpath", entry->link, err);
        if (r == 0 && entry->size > max_size)
                r = add_number(archive, "size", entry->size, err);
        if (r == 0 && entry->uid > MAX_ID)
                r = add_number(archive, "uid", entry->uid, err);
        if (r == 0 && entry->gid > MAX_ID)
                r = add_number(archive, "gid", entry->gid, err);
        if (r == 0 && entry->mtime.tv_sec >= 0 && (entry->mtime.tv_nsec != 0 || (uint64_t) entry->mtime.tv_sec > max_size))
                r = add_time(archive, &entry->mtime, err);
        for (size_t i = 0; r == 0 && i < entry->n_xattrs; i++)
                r = add_record(archive, "SCHILY.xattr.", entry->xattrs[i].name, entry->xattrs[i].value, entry->xattrs[i].size, err);
        return r;
}

/* What does not fit is in an extended header, and 0 here. */
static void set_octal(char *field, size_t size, uint64_t number) {
        char text[24];
        int digits = (int) size - 1;
        if (number >> (3 * digits) != 0)
                number = 0;
        (void) snprintf(text, sizeof text, "%0*llo", digits, (unsigned long long) number);
        memcpy(field, text, size);
}

static int put_header(struct archive *archive, struct tar_header *header, const char *name, struct berth_error *err) {
        memcpy(header->name, name, strnlen(name, sizeof header->name));
        memcpy(header->magic,
               "ustar\0"
               "00",
               sizeof header->magic);
        memset(header->checksum, ' ', sizeof header->checksum);
        unsigned sum = 0;
        for (size_t i = 0; i < sizeof *header; i++)
                sum += ((const uint8_t *) header)[i];
        (void) snprintf(header->checksum, sizeof header->checksum - 1, "%06o", sum & 0777777);
        return put(archive, header, sizeof *header, err);
}

/* Programs that know no pax see a file of this name. */
static int put_records(struct archive *archive, const char *path, struct berth_error *err) {
        struct tar_header header = {.type = 'x'};
        char name[sizeof header.name];
        const char *slash = strrchr(path, '/');
        (void) snprintf(name, sizeof name, "PaxHeaders.0/%s", slash ? slash + 1 : path);
        set_octal(header.mode, sizeof header.mode, 0644);
        set_octal(header.uid, sizeof header.uid, 0);
        set_octal(header.gid, sizeof header.gid, 0);
        set_octal(header.size, sizeof header.size, archive->n_records);
        set_octal(header.mtime, sizeof header.mtime, 0);
        int r = put_header(archive, &header, name, err);
        if (r == 0)
                r = put(archive, archive->records, archive->n_records, err);
        return r < 0 ? r : archive_pad(archive, archive->n_records, err);
}

int archive_entry(struct archive *archive, const struct tar_entry *entry, struct berth_error *err) {
        static const char types[] = {[TAR_FILE] = '0',         [TAR_HARD_LINK] = '1', [TAR_SYMLINK] = '2', [TAR_CHARACTER_DEVICE] = '3',
                                     [TAR_BLOCK_DEVICE] = '4', [TAR_DIRECTORY] = '5', [TAR_FIFO] = '6'};
        struct tar_header header = {.type = types[entry->kind]};
        char name[PATH_MAX + 1];
        if (snprintf(name, sizeof name, "%s%s", entry->name, entry->kind == TAR_DIRECTORY ? "/" : "") >= PATH_MAX)
                return berth_error_set(err, LAYER_ERROR, "the name '%.300s' is too long", entry->name);
        int r = add_records(archive, entry, name, err);
        if (r < 0)
                return berth_error_prefix(err, "'%.100s'", entry->name);
        if (archive->n_records > 0)
                r = put_records(archive, entry->name, err);
        set_octal(header.mode, sizeof header.mode, entry->mode & 07777);
        set_octal(header.uid, sizeof header.uid, entry->uid);
        set_octal(header.gid, sizeof header.gid, entry->gid);
        set_octal(header.size, sizeof header.size, entry->size);
        set_octal(header.mtime, sizeof header.mtime, entry->mtime.tv_sec < 0 ? 0 : (uint64_t) entry->mtime.tv_sec);
        if (entry->kind == TAR_CHARACTER_DEVICE || entry->kind == TAR_BLOCK_DEVICE) {
                set_octal(header.major, sizeof header.major, entry->major);
                set_octal(header.minor, sizeof header.minor, entry->minor);
        }
        if (entry->link)
                memcpy(header.link, entry->link, strnlen(entry->link, sizeof header.link));
        return r < 0 ? r : put_header(archive, &header, name, err);
}
