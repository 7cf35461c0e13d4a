/* SPDX-License-Identifier: Apache-2.0 */
#include "tar.h"

#include "report.h"
#include "tar-header.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Octal digits amid spaces and NULs, or GNU's big-endian two's complement number, marked by the highest bit. */
static int number(const char *field, size_t size, int64_t *ret) {
        const uint8_t *bytes = (const uint8_t *) field;
        if (bytes[0] & 0x80) {
                bool negative = bytes[0] & 0x40;
                int64_t value = negative ? -1 : 0;
                for (size_t i = 0; i < size; i++) {
                        uint8_t byte = i == 0 ? (uint8_t) ((bytes[0] & 0x7f) | (negative ? 0x80 : 0)) : bytes[i];
                        if (value > INT64_MAX >> 8 || value < INT64_MIN >> 8)
                                return -LAYER_ERROR;
                        value = value * 256 + byte;
                }
                *ret = value;
                return 0;
        }
        size_t at = 0;
        while (at < size && field[at] == ' ')
                at++;
        int64_t value = 0;
        for (; at < size && field[at] >= '0' && field[at] <= '7'; at++)
                value = value * 8 + (field[at] - '0'); /* at most 12 digits: 36 bits */
        for (; at < size; at++)
                if (field[at] != ' ' && field[at] != '\0')
                        return -LAYER_ERROR;
        *ret = value;
        return 0;
}

static bool checksum_matches(const struct tar_header *header) {
        int64_t stated;
        if (number(header->checksum, sizeof header->checksum, &stated) < 0)
                return false;
        int64_t unsigned_sum = 0, signed_sum = 0; /* some old programs summed signed characters */
        const uint8_t *bytes = (const uint8_t *) header;
        for (size_t i = 0; i < TAR_BLOCK; i++) {
                bool own = i >= offsetof(struct tar_header, checksum) && i < offsetof(struct tar_header, type);
                unsigned_sum += own ? ' ' : bytes[i];
                signed_sum += own ? ' ' : (int8_t) bytes[i];
        }
        return stated == unsigned_sum || stated == signed_sum;
}

static bool is_zero(const uint8_t *block) {
        for (size_t i = 0; i < TAR_BLOCK; i++)
                if (block[i] != 0)
                        return false;
        return true;
}

/* 1: *header is filled, 0: the end of the archive. */
static int next_header(struct source *source, struct tar_header *header, struct berth_error *err) {
        for (unsigned zeros = 0;;) {
                const uint8_t *block;
                size_t size;
                int r = source_peek(source, TAR_BLOCK, &block, &size, err);
                if (r < 0 || size == 0)
                        return r;
                if (size < TAR_BLOCK)
                        return berth_error_set(err, LAYER_ERROR, "the archive is cut off after %llu bytes", (unsigned long long) source->total);
                if (!is_zero(block)) {
                        if (zeros > 0)
                                return berth_error_set(err, LAYER_ERROR, "the archive has a hole of zeros");
                        memcpy(header, block, TAR_BLOCK);
                        source_take(source, TAR_BLOCK);
                        break;
                }
                source_take(source, TAR_BLOCK);
                if (++zeros == 2)
                        return 0;
        }
        if (!checksum_matches(header))
                return berth_error_set(err, LAYER_ERROR, "this is no tar archive, or a damaged one: the checksum of a header is wrong");
        return 1;
}

static uint64_t padding_of(uint64_t size) {
        return (TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK;
}

/* Reads the content of a header that describes the next entry, with a NUL behind it. */
static int read_meta(struct source *source, int64_t size, int64_t most, char **to, struct berth_error *err) {
        if (size < 0 || size > most)
                return berth_error_set(err, LAYER_ERROR, "an extended header is larger than %lld bytes", (long long) most);
        free(*to);
        *to = malloc((size_t) size + 1);
        if (!*to)
                return berth_error_set(err, ENOMEM, "read an extended header");
        (*to)[size] = '\0';
        int r = source_read(source, *to, (size_t) size, err);
        return r < 0 ? r : source_skip(source, padding_of((uint64_t) size), err);
}

/* A global header speaks of the archive (git writes its commit); Docker ignores it in layers too. */
static int skip_global(struct source *source, int64_t size, struct berth_error *err) {
        if (size < 0 || size > PAX_MAX_SIZE)
                return berth_error_set(err, LAYER_ERROR, "a global header is larger than %d bytes", PAX_MAX_SIZE);
        return source_skip(source, (uint64_t) size + padding_of((uint64_t) size), err);
}

static int kind_of(const struct tar_header *header, const char *name, enum tar_kind *ret, struct berth_error *err) {
        switch (header->type) {
        case '\0':
                *ret = name[0] != '\0' && name[strlen(name) - 1] == '/' ? TAR_DIRECTORY : TAR_FILE; /* v7 had no type for directories */
                return 0;
        case '0':
        case '7':
                *ret = TAR_FILE;
                return 0;
        case '1':
                *ret = TAR_HARD_LINK;
                return 0;
        case '2':
                *ret = TAR_SYMLINK;
                return 0;
        case '3':
                *ret = TAR_CHARACTER_DEVICE;
                return 0;
        case '4':
                *ret = TAR_BLOCK_DEVICE;
                return 0;
        case '5':
                *ret = TAR_DIRECTORY;
                return 0;
        case '6':
                *ret = TAR_FIFO;
                return 0;
        case 'S':
                return berth_error_set(err, LAYER_ERROR, "'%.200s': sparse files are not supported; write the archive without them", name);
        default:
                return berth_error_set(err, LAYER_ERROR, "'%.200s' is of the unknown type 0x%02x", name, (unsigned char) header->type);
        }
}

static int id_of(const struct tar_reader *reader, const char *field, size_t size, bool has, uint64_t extended, uint32_t *ret,
                 struct berth_error *err) {
        int64_t value;
        if (has)
                value = extended > UINT32_MAX ? -1 : (int64_t) extended;
        else if (number(field, size, &value) < 0)
                value = -1;
        /* The highest one means "leave it" to chown(2). */
        if (value < 0 || value >= UINT32_MAX)
                return berth_error_set(err, LAYER_ERROR, "'%.200s' has a bad owner", reader->entry.name);
        *ret = (uint32_t) value;
        return 0;
}

static void set_names(struct tar_reader *reader, const struct tar_header *header) {
        size_t prefix = memcmp(header->magic, "ustar\0", 6) == 0 ? strnlen(header->prefix, sizeof header->prefix) : 0;
        size_t name = strnlen(header->name, sizeof header->name);
        memcpy(reader->name, header->prefix, prefix);
        if (prefix > 0)
                reader->name[prefix++] = '/';
        memcpy(reader->name + prefix, header->name, name);
        reader->name[prefix + name] = '\0';
        size_t link = strnlen(header->link, sizeof header->link);
        memcpy(reader->link, header->link, link);
        reader->link[link] = '\0';

        reader->entry.name = reader->pax.path ? reader->pax.path : reader->long_name ? reader->long_name : reader->name;
        reader->entry.link = reader->pax.link ? reader->pax.link : reader->long_link ? reader->long_link : reader->link;
}

static int set_numbers(struct tar_reader *reader, const struct tar_header *header, struct berth_error *err) {
        struct tar_entry *entry = &reader->entry;
        const struct pax *pax = &reader->pax;
        int64_t mode, size, mtime, major = 0, minor = 0;
        if (number(header->mode, sizeof header->mode, &mode) < 0 || number(header->size, sizeof header->size, &size) < 0 ||
            number(header->mtime, sizeof header->mtime, &mtime) < 0)
                return berth_error_set(err, LAYER_ERROR, "the header of '%.200s' has a bad number", entry->name);
        if (entry->kind == TAR_CHARACTER_DEVICE || entry->kind == TAR_BLOCK_DEVICE)
                if (number(header->major, sizeof header->major, &major) < 0 || number(header->minor, sizeof header->minor, &minor) < 0 || major < 0 ||
                    minor < 0 || major > 0xfff || minor > 0xfffff)
                        return berth_error_set(err, LAYER_ERROR, "'%.200s' has a bad device number", entry->name);
        if (pax->has_size)
                size = pax->size > INT64_MAX ? -1 : (int64_t) pax->size;
        if (size < 0)
                return berth_error_set(err, LAYER_ERROR, "'%.200s' has a bad size", entry->name);
        int r = id_of(reader, header->uid, sizeof header->uid, pax->has_uid, pax->uid, &entry->uid, err);
        if (r == 0)
                r = id_of(reader, header->gid, sizeof header->gid, pax->has_gid, pax->gid, &entry->gid, err);

        entry->mode = (mode_t) (mode & 07777);
        entry->major = (unsigned) major, entry->minor = (unsigned) minor;
        /* Other kinds have no content, whatever their header says; tar programs and Go's archive/tar agree on that. */
        entry->size = entry->kind == TAR_FILE ? (uint64_t) size : 0;
        entry->mtime = (struct timespec){.tv_sec = pax->has_mtime ? pax->mtime : mtime, .tv_nsec = pax->mtime_nsec};
        /* Docker takes times before 1970 as 1970. */
        if (entry->mtime.tv_sec < 0)
                entry->mtime = (struct timespec){0};
        return r;
}

void tar_forget(struct tar_reader *reader) {
        free(reader->pax_data);
        free(reader->long_name);
        free(reader->long_link);
        reader->pax_data = reader->long_name = reader->long_link = NULL;
        /* The array of attributes is large and only used as far as it is filled. */
        memset(&reader->pax, 0, offsetof(struct pax, xattrs));
}

int tar_next(struct tar_reader *reader, const struct tar_entry **ret_entry, struct berth_error *err) {
        tar_forget(reader);
        for (;;) {
                struct tar_header header;
                int64_t size;
                int r = next_header(reader->source, &header, err);
                if (r < 0)
                        return r;
                if (r == 0) {
                        *ret_entry = NULL;
                        return 0;
                }
                if (!strchr("xgLK", header.type) || header.type == '\0') {
                        set_names(reader, &header);
                        r = kind_of(&header, reader->entry.name, &reader->entry.kind, err);
                        if (r == 0)
                                r = set_numbers(reader, &header, err);
                        reader->entry.xattrs = reader->pax.xattrs, reader->entry.n_xattrs = reader->pax.n_xattrs;
                        *ret_entry = &reader->entry;
                        return r;
                }
                if (number(header.size, sizeof header.size, &size) < 0)
                        return berth_error_set(err, LAYER_ERROR, "an extended header has a bad size");
                if (header.type == 'L')
                        r = read_meta(reader->source, size, PATH_MAX, &reader->long_name, err);
                else if (header.type == 'K')
                        r = read_meta(reader->source, size, PATH_MAX, &reader->long_link, err);
                else if (header.type == 'g')
                        r = skip_global(reader->source, size, err);
                else if (reader->pax_data)
                        r = berth_error_set(err, LAYER_ERROR, "an entry has two extended headers");
                else
                        r = read_meta(reader->source, size, PAX_MAX_SIZE, &reader->pax_data, err);
                if (r == 0 && header.type == 'x')
                        r = pax_parse(reader->pax_data, (size_t) size, &reader->pax, err);
                if (r < 0)
                        return r;
        }
}

int tar_skip_padding(struct tar_reader *reader, struct berth_error *err) {
        return source_skip(reader->source, padding_of(reader->entry.size), err);
}
