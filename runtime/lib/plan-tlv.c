/* SPDX-License-Identifier: Apache-2.0 */
#include "plan-tlv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static size_t tlv_padded(size_t size) {
        return (size + 7) & ~(size_t) 7;
}

int tlv_next(struct tlv_reader *reader, struct tlv_record *ret) {
        size_t left = (size_t) (reader->end - reader->at);
        struct tlv_header header;

        if (left == 0)
                return 0;
        if (left < sizeof header)
                return -EBADMSG;
        memcpy(&header, reader->at, sizeof header);
        left -= sizeof header;
        if (header.size > left || tlv_padded(header.size) > left)
                return -EBADMSG;

        *ret = (struct tlv_record){.tag = header.tag, .flags = header.flags, .size = header.size, .data = reader->at + sizeof header};
        reader->at += sizeof header + tlv_padded(header.size);
        return 1;
}

struct tlv_reader tlv_group(const struct tlv_record *record) {
        return (struct tlv_reader){.at = record->data, .end = record->data + record->size};
}

const char *tlv_string_at(const struct tlv_record *record, uint32_t *offset) {
        if (*offset >= record->size)
                return NULL;
        const char *text = (const char *) record->data + *offset;
        const char *end = memchr(text, '\0', record->size - *offset);
        if (!end)
                return NULL;
        *offset += (uint32_t) (end - text) + 1;
        return text;
}

const char *tlv_string(const struct tlv_record *record) {
        uint32_t offset = 0;
        const char *text = tlv_string_at(record, &offset);
        return offset == record->size ? text : NULL;
}

bool tlv_copy(const struct tlv_record *record, void *to, size_t size) {
        if (record->size < size)
                return false;
        memcpy(to, record->data, size);
        return true;
}

static uint8_t *tlv_reserve(struct tlv_writer *writer, size_t size) {
        if (writer->error)
                return NULL;
        if (size > writer->limit - writer->size) {
                writer->error = -E2BIG;
                return NULL;
        }
        if (writer->size + size > writer->capacity) {
                size_t capacity = writer->capacity ? writer->capacity : 16384;
                while (capacity < writer->size + size)
                        capacity *= 2;
                uint8_t *data = realloc(writer->data, capacity);
                if (!data) {
                        writer->error = -ENOMEM;
                        return NULL;
                }
                writer->data = data;
                writer->capacity = capacity;
        }
        uint8_t *at = writer->data + writer->size;
        memset(at, 0, size);
        writer->size += size;
        return at;
}

void tlv_put_pair(struct tlv_writer *writer, uint16_t tag, const void *data, size_t size, const char *text) {
        size_t text_size = text ? strlen(text) + 1 : 0;
        if (text_size > writer->limit || size > writer->limit) {
                writer->error = -E2BIG;
                return;
        }
        struct tlv_header header = {.tag = tag, .size = (uint32_t) (size + text_size)};
        uint8_t *at = tlv_reserve(writer, sizeof header + tlv_padded(size + text_size));

        if (!at)
                return;
        memcpy(at, &header, sizeof header);
        if (size > 0)
                memcpy(at + sizeof header, data, size);
        if (text_size > 0)
                memcpy(at + sizeof header + size, text, text_size);
}

void tlv_put(struct tlv_writer *writer, uint16_t tag, const void *data, size_t size) {
        tlv_put_pair(writer, tag, data, size, NULL);
}

void tlv_put_string(struct tlv_writer *writer, uint16_t tag, const char *text) {
        tlv_put_pair(writer, tag, NULL, 0, text);
}

size_t tlv_begin(struct tlv_writer *writer, uint16_t tag) {
        size_t mark = writer->size;
        tlv_put(writer, tag, NULL, 0);
        return mark;
}

void tlv_end(struct tlv_writer *writer, size_t mark) {
        struct tlv_header header;

        if (writer->error)
                return;
        memcpy(&header, writer->data + mark, sizeof header);
        header.size = (uint32_t) (writer->size - mark - sizeof header);
        memcpy(writer->data + mark, &header, sizeof header);
}
