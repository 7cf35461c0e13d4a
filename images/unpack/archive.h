/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "../../runtime/lib/error.h"
#include "attributes.h"
#include "sha256.h"
#include "tar.h"

/* An archive being written: ustar headers, and extended ones (pax) where an entry needs them. The same entries give the same bytes. */
struct archive {
        int fd;
        uint64_t limit; /* bytes of the whole archive */
        uint64_t total;
        bool hashed;
        struct sha256 hash;
        uint8_t *buffer;
        size_t used;
        char *records; /* of the extended header that is being made */
        size_t n_records;
};

int archive_init(struct archive *archive, int fd, uint64_t limit, struct berth_error *err);

/*
 * Writes the headers of an entry. Of a directory's name the slash at the end is added here; times before 1970 become 1970, as they do when a
 * layer is unpacked. The caller then writes entry->size bytes of content and calls archive_pad.
 */
int archive_entry(struct archive *archive, const struct tar_entry *entry, struct berth_error *err);

/* Room for content in the archive's own buffer, at least one byte; archive_filled takes what was put there. */
int archive_room(struct archive *archive, uint8_t **ret_at, size_t *ret_size, struct berth_error *err);
void archive_filled(struct archive *archive, size_t size);

/* Zeros: in place of content that is not there. */
int archive_zeros(struct archive *archive, uint64_t size, struct berth_error *err);

/* Fills up the last block of an entry's content. */
int archive_pad(struct archive *archive, uint64_t size, struct berth_error *err);

/* Ends the archive: two blocks of zeros. */
int archive_finish(struct archive *archive, struct berth_error *err);
