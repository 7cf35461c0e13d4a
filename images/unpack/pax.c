/* SPDX-License-Identifier: Apache-2.0 */
#include "pax.h"

#include "report.h"

#include <limits.h>
#include <string.h>

#define XATTR_PREFIX "SCHILY.xattr."

static int bad(struct berth_error *err, const char *key) {
        return berth_error_set(err, LAYER_ERROR, "an extended header has a bad value for '%.100s'", key);
}

static int decimal(const char *text, uint64_t *ret) {
        uint64_t value = 0;
        if (*text == '\0')
                return -LAYER_ERROR;
        for (; *text; text++)
                if (*text < '0' || *text > '9' || __builtin_mul_overflow(value, 10U, &value) ||
                    __builtin_add_overflow(value, (uint64_t) (*text - '0'), &value))
                        return -LAYER_ERROR;
        *ret = value;
        return 0;
}

/* "[-]seconds[.fraction]"; digits below a nanosecond are cut off. */
static int timestamp(char *text, struct pax *pax) {
        bool negative = *text == '-';
        text += negative;
        char *fraction = strchr(text, '.');
        if (fraction)
                *fraction++ = '\0';
        uint64_t seconds;
        if (decimal(text, &seconds) < 0 || seconds > INT64_MAX)
                return -LAYER_ERROR;
        uint32_t nanoseconds = 0;
        for (unsigned digits = 0; digits < 9; digits++) {
                unsigned digit = 0;
                if (fraction && *fraction) {
                        if (*fraction < '0' || *fraction > '9')
                                return -LAYER_ERROR;
                        digit = (unsigned) (*fraction++ - '0');
                }
                nanoseconds = nanoseconds * 10 + digit;
        }
        pax->has_mtime = true;
        pax->mtime = negative ? -(int64_t) seconds : (int64_t) seconds;
        pax->mtime_nsec = negative ? 0 : nanoseconds;
        return 0;
}

static int text_value(const char *key, const char *value, size_t size, const char **ret, struct berth_error *err) {
        if (strlen(value) != size || size == 0 || size >= PATH_MAX)
                return bad(err, key);
        *ret = value;
        return 0;
}

static int add_xattr(struct pax *pax, const char *name, const char *value, size_t size, struct berth_error *err) {
        if (*name == '\0' || strlen(name) > 255 || size > PAX_MAX_XATTR_SIZE)
                return berth_error_set(err, LAYER_ERROR, "the extended attribute '%.100s' is too large", name);
        for (size_t i = 0; i < pax->n_xattrs; i++)
                if (strcmp(pax->xattrs[i].name, name) == 0)
                        return berth_error_set(err, LAYER_ERROR, "the extended attribute '%.100s' is given twice", name);
        if (pax->n_xattrs == PAX_MAX_XATTRS)
                return berth_error_set(err, LAYER_ERROR, "an entry has more than %d extended attributes", PAX_MAX_XATTRS);
        pax->xattrs[pax->n_xattrs++] = (struct pax_xattr){.name = name, .value = value, .size = size};
        return 0;
}

static int apply(struct pax *pax, const char *key, char *value, size_t size, struct berth_error *err) {
        if (strncmp(key, XATTR_PREFIX, strlen(XATTR_PREFIX)) == 0)
                return add_xattr(pax, key + strlen(XATTR_PREFIX), value, size, err);
        if (strcmp(key, "path") == 0)
                return text_value(key, value, size, &pax->path, err);
        if (strcmp(key, "linkpath") == 0)
                return text_value(key, value, size, &pax->link, err);
        if (strncmp(key, "GNU.sparse.", strlen("GNU.sparse.")) == 0)
                return berth_error_set(err, LAYER_ERROR, "sparse files are not supported; write the archive without them");
        if (strcmp(key, "size") == 0) {
                pax->has_size = true;
                return decimal(value, &pax->size) < 0 ? bad(err, key) : 0;
        }
        if (strcmp(key, "uid") == 0) {
                pax->has_uid = true;
                return decimal(value, &pax->uid) < 0 ? bad(err, key) : 0;
        }
        if (strcmp(key, "gid") == 0) {
                pax->has_gid = true;
                return decimal(value, &pax->gid) < 0 ? bad(err, key) : 0;
        }
        if (strcmp(key, "mtime") == 0)
                return timestamp(value, pax) < 0 ? bad(err, key) : 0;
        /* Names of owners, access times, comments and what vendors add: numbers and contents rule. */
        return 0;
}

/* A record is "length key=value\n", its length counting all of that. Values may hold any byte, so the newline becomes the end mark. */
int pax_parse(char *data, size_t size, struct pax *pax, struct berth_error *err) {
        while (size > 0 && *data != '\0') {
                size_t length = 0, digits = 0;
                while (digits < size && digits < 8 && data[digits] >= '0' && data[digits] <= '9')
                        length = length * 10 + (size_t) (data[digits++] - '0');
                if (digits == 0 || digits + 3 > length || length > size || data[digits] != ' ' || data[length - 1] != '\n')
                        return berth_error_set(err, LAYER_ERROR, "an extended header has a record of a bad length");
                char *key = data + digits + 1;
                char *equals = memchr(key, '=', length - digits - 2);
                if (!equals || equals == key || memchr(key, '\0', (size_t) (equals - key)))
                        return berth_error_set(err, LAYER_ERROR, "an extended header has a record without a key");
                *equals = '\0';
                data[length - 1] = '\0';
                size_t value_size = (size_t) (data + length - 1 - (equals + 1));
                /* An empty value takes back what a global header said; those we do not apply. */
                if (value_size > 0 || strncmp(key, XATTR_PREFIX, strlen(XATTR_PREFIX)) == 0) {
                        int r = apply(pax, key, equals + 1, value_size, err);
                        if (r < 0)
                                return r;
                }
                data += length, size -= length;
        }
        return 0;
}
