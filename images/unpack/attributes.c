/* SPDX-License-Identifier: Apache-2.0 */
#include "attributes.h"

#include "report.h"
#include "tree.h"

#include <string.h>
#include <sys/xattr.h>

#define OVERLAY_PREFIX "trusted.overlay."

bool attribute_is_allowed(const char *name) {
        return strncmp(name, "user.", 5) == 0 || strcmp(name, "security.capability") == 0 || strcmp(name, "system.posix_acl_access") == 0 ||
               strcmp(name, "system.posix_acl_default") == 0;
}

static bool lies_elsewhere(const char *name) {
        return strcmp(name, OVERLAY_PREFIX "redirect") == 0 || strcmp(name, OVERLAY_PREFIX "metacopy") == 0;
}

static void insert(struct attributes *attributes, struct pax_xattr item) {
        size_t at = attributes->n++;
        for (; at > 0 && strcmp(attributes->items[at - 1].name, item.name) > 0; at--)
                attributes->items[at] = attributes->items[at - 1];
        attributes->items[at] = item;
}

static int read_one(struct attributes *attributes, int fd, const char *name, const char *path, struct berth_error *err) {
        size_t room = sizeof attributes->values - attributes->used;
        if (attributes->n == PAX_MAX_XATTRS)
                return berth_error_set(err, LAYER_ERROR, "'%.300s' has more than %d extended attributes", path, PAX_MAX_XATTRS);
        ssize_t size = fgetxattr(fd, name, attributes->values + attributes->used, room);
        if (size < 0 && errno == ERANGE)
                return berth_error_set(err, LAYER_ERROR, "the extended attributes of '%.300s' are too large", path);
        /* Taken away since it was listed. */
        if (size < 0)
                return errno == ENODATA ? 0 : tree_error(err, errno, "read the attributes of", path);
        insert(attributes, (struct pax_xattr){.name = name, .value = attributes->values + attributes->used, .size = (size_t) size});
        attributes->used += (size_t) size;
        return 0;
}

int attributes_read(struct attributes *attributes, int fd, const char *path, struct berth_error *err) {
        attributes->n = attributes->used = 0;
        ssize_t size = flistxattr(fd, attributes->names, sizeof attributes->names);
        if (size < 0)
                return errno == ENOTSUP ? 0 : tree_error(err, errno, "list the attributes of", path);
        for (const char *name = attributes->names; name < attributes->names + size; name += strlen(name) + 1) {
                if (lies_elsewhere(name))
                        return berth_error_set(err, LAYER_ERROR, "'%.300s' is not whole in its layer: overlayfs noted %s on it", path, name);
                /* A name with `=` in it has no form in an extended header. */
                int r = attribute_is_allowed(name) && !strchr(name, '=') ? read_one(attributes, fd, name, path, err) : 0;
                if (r < 0)
                        return r;
        }
        return 0;
}

bool attributes_equal(const struct attributes *one, const struct attributes *other) {
        if (one->n != other->n)
                return false;
        for (size_t i = 0; i < one->n; i++) {
                const struct pax_xattr *a = &one->items[i], *b = &other->items[i];
                if (strcmp(a->name, b->name) != 0 || a->size != b->size || memcmp(a->value, b->value, a->size) != 0)
                        return false;
        }
        return true;
}

int attributes_opaque(int fd) {
        char value[2];
        ssize_t size = fgetxattr(fd, OVERLAY_PREFIX "opaque", value, sizeof value);
        if (size < 0 && errno != ENODATA && errno != EOPNOTSUPP && errno != ERANGE)
                return -errno;
        return size == 1 && value[0] == 'y';
}

int attributes_pass_on(int directory) {
        ssize_t size = fgetxattr(directory, "system.posix_acl_default", NULL, 0);
        if (size < 0 && errno != ENODATA && errno != EOPNOTSUPP)
                return -errno;
        return size > 0;
}
