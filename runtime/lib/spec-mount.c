/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "plan-internal.h"
#include "spec-mount-word.h"
#include "spec.h"
#include "sys.h"

/* One mount of the document while its options are read. */
struct spec_mount {
        const struct json_at *at;
        struct tlv_writer *writer;
        struct plan_mount plan;
        const char *own; /* the first word that only a new file system takes; NULL: none */
};

static int spec_mount_word(struct spec_mount *mount, const struct json_at *at, const char *word, struct berth_error *err) {
        const struct spec_mount_word *known = spec_mount_word_find(word);
        struct plan_mount *plan = &mount->plan;

        /* The last word wins. */
        switch (known ? known->kind : SPEC_MOUNT_SUPER) {
        case SPEC_MOUNT_ATTRIBUTE:
                plan->attr_set = (plan->attr_set & ~known->clear) | known->set;
                plan->attr_clear = (plan->attr_clear & ~known->set) | known->clear;
                break;
        case SPEC_MOUNT_RECURSIVE:
                plan->recursive_attr_set = (plan->recursive_attr_set & ~known->clear) | known->set;
                plan->recursive_attr_clear = (plan->recursive_attr_clear & ~known->set) | known->clear;
                break;
        case SPEC_MOUNT_PROPAGATION:
                plan->propagation = known->set;
                break;
        case SPEC_MOUNT_FLAG:
                plan->flags = (plan->flags & ~known->clear) | known->set;
                break;
        case SPEC_MOUNT_SUPER:
                if (*word == '\0' || *word == '=')
                        return json_fail(at, err, "an option without a name");
                tlv_put_string(mount->writer, PLAN_MOUNT_OPTION, word);
                /* Words that say what every file system does when nothing is said are no demand. */
                if (!known || (strcmp(word, "async") != 0 && strcmp(word, "nomand") != 0 && strcmp(word, "nolazytime") != 0))
                        mount->own = mount->own ? mount->own : json_string_value(at->value);
                break;
        case SPEC_MOUNT_NOTHING:
                break;
        }
        return 0;
}

/* A string may hold several options, as mount(8) takes them after -o: commas separate, but not between quotes, which are dropped. */
static int spec_mount_option(struct spec_mount *mount, const struct json_at *at, struct berth_error *err) {
        const char *text = NULL;
        int r = json_text(at, &text, err);

        if (r < 0)
                return r;
        if (!strpbrk(text, ",\""))
                return *text ? spec_mount_word(mount, at, text, err) : 0;

        _cleanup_free_ char *word = malloc(strlen(text) + 1);
        if (!word)
                return berth_error_set(err, ENOMEM, "memory for the options of a mount");
        bool quoted = false;
        size_t used = 0;
        for (const char *from = text;; from++) {
                if (*from == '"') {
                        quoted = !quoted;
                } else if (*from == '\0' || (*from == ',' && !quoted)) {
                        word[used] = '\0';
                        r = used > 0 ? spec_mount_word(mount, at, word, err) : 0;
                        used = 0;
                        if (r < 0 || *from == '\0')
                                break;
                } else {
                        if (*from == '\\' && from[1] != '\0' && !quoted)
                                word[used++] = *from++;
                        word[used++] = *from;
                }
        }
        return r == 0 && quoted ? json_fail(at, err, "a quote is not closed") : r;
}

/* Attributes of atime exclude each other, and the kernel wants the whole group cleared before one is set. */
static void spec_mount_attributes(const struct plan_mount *mount, struct tlv_writer *writer) {
        uint64_t attributes[5] = {mount->attr_set, mount->attr_clear, mount->recursive_attr_set, mount->recursive_attr_clear, mount->propagation};

        for (int i = 0; i < 4; i += 2)
                if ((attributes[i] | attributes[i + 1]) & MOUNT_ATTR__ATIME)
                        attributes[i + 1] |= MOUNT_ATTR__ATIME;
        tlv_put(writer, PLAN_MOUNT_ATTRS, attributes, sizeof attributes);
}

/* What the options ask for must be possible for this kind of mount. */
static int spec_mount_check(const struct spec_mount *mount, const char *type, const char *source, struct berth_error *err) {
        uint64_t flags = mount->plan.flags;
        bool bind = flags & PLAN_MOUNT_BIND;

        if (*type == '\0' && !(flags & (PLAN_MOUNT_BIND | PLAN_MOUNT_REMOUNT)))
                return json_fail(mount->at, err, "has neither a type nor the option bind");
        if (bind && !(flags & PLAN_MOUNT_REMOUNT) && *source == '\0')
                return json_fail(mount->at, err, "a bind without a source");
        if (bind && mount->own)
                return json_fail(mount->at, err, "option '%s' is for a new file system, and a bind shows one that is mounted already", mount->own);
        if (bind && flags & PLAN_MOUNT_INODE_VERSION)
                return json_fail(mount->at, err, "option 'iversion' is for a new file system, and a bind shows one that is mounted already");
        if (flags & PLAN_MOUNT_ID_MAPPED && (!bind || flags & PLAN_MOUNT_REMOUNT))
                return json_fail(mount->at, err, "only binds can be id-mapped");
        if (flags & PLAN_MOUNT_COPY_UP && (strcmp(type, "tmpfs") != 0 || flags & (PLAN_MOUNT_BIND | PLAN_MOUNT_REMOUNT)))
                return json_fail(mount->at, err, "option 'tmpcopyup' is for a tmpfs");
        return 0;
}

static int spec_mount_id_maps(struct spec_mount *mount, struct berth_error *err) {
        size_t n = 0;
        int r = spec_write_id_maps(mount->at, "uidMappings", "gidMappings", PLAN_MOUNT_ID_MAP, &n, mount->writer, err);

        if (r == 0 && n > 0)
                mount->plan.flags |= PLAN_MOUNT_ID_MAPPED;
        return r;
}

/* Paths are relative to the container's root (destination) and to the bundle (source of a bind) when they are not absolute. */
static int spec_mount_path(uint16_t tag, const char *base, const char *path, struct tlv_writer *writer, struct berth_error *err) {
        size_t size = strlen(base) + strlen(path) + 2;

        if (path[0] == '/') {
                tlv_put_string(writer, tag, path);
                return 0;
        }
        _cleanup_free_ char *whole = malloc(size);
        if (!whole)
                return berth_error_set(err, ENOMEM, "memory for the path of a mount");
        (void) stpcpy(stpcpy(stpcpy(whole, base), "/"), path);
        tlv_put_string(writer, tag, whole);
        return 0;
}

/* Our own words for where the source of a bind is found. */
static int spec_mount_whence(const struct spec_mount *mount, const char *subpath, const char *namespace, struct berth_error *err) {
        bool bind = mount->plan.flags & PLAN_MOUNT_BIND && !(mount->plan.flags & PLAN_MOUNT_REMOUNT);

        if (*subpath && !bind)
                return json_fail(mount->at, err, "only binds have a subpath");
        if (*namespace && (!bind || *subpath))
                return json_fail(mount->at, err, "only binds, of a whole source, have one of another mount namespace");
        if (*subpath)
                tlv_put_string(mount->writer, PLAN_MOUNT_SUBPATH, subpath);
        if (*namespace)
                tlv_put_string(mount->writer, PLAN_MOUNT_NAMESPACE, namespace);
        return 0;
}

static int spec_mount(const struct json_at *at, const char *bundle, struct tlv_writer *writer, struct berth_error *err) {
        struct spec_mount mount = {.at = at, .writer = writer};
        const char *destination = NULL, *type = "", *source = "", *subpath = "", *namespace = "";
        struct json_at member, list;
        size_t n = 0;

        int r = json_check_object(at, err);
        if (r == 0)
                r = json_required(at, "destination", &member, err);
        if (r == 0)
                r = json_text(&member, &destination, err);
        if (r == 0 && *destination == '\0')
                r = json_fail(&member, err, "is empty");
        if (r == 0)
                r = json_text_member(at, "type", &type, err);
        if (r == 0)
                r = json_text_member(at, "source", &source, err);
        if (r == 0)
                r = json_text_member(at, "berthSubpath", &subpath, err);
        if (r == 0)
                r = json_text_member(at, "berthNamespace", &namespace, err);
        if (r == 0)
                r = json_list_member(at, "options", &list, &n, err);
        if (r < 0)
                return r;

        size_t mark = tlv_begin(writer, PLAN_MOUNT);
        for (size_t i = 0; r == 0 && i < n; i++) {
                struct json_at item = json_item(&list, i);
                r = spec_mount_option(&mount, &item, err);
        }
        if (r == 0)
                r = spec_mount_id_maps(&mount, err);
        if (strcmp(type, "bind") == 0)
                mount.plan.flags |= PLAN_MOUNT_BIND;
        /* What the host mounted read-only stays so: "rw" is what callers write for every bind that they do not restrict. */
        if (mount.plan.flags & PLAN_MOUNT_BIND && !(mount.plan.flags & PLAN_MOUNT_REMOUNT))
                mount.plan.attr_clear &= ~(uint64_t) MOUNT_ATTR_RDONLY;
        if (r == 0)
                r = spec_mount_check(&mount, type, source, err);
        if (r == 0)
                r = spec_mount_whence(&mount, subpath, namespace, err);
        if (r == 0)
                r = spec_mount_path(PLAN_MOUNT_DESTINATION, "", destination, writer, err);
        if (r == 0 && mount.plan.flags & PLAN_MOUNT_BIND && !(mount.plan.flags & PLAN_MOUNT_REMOUNT))
                r = spec_mount_path(PLAN_MOUNT_SOURCE, bundle, source, writer, err);
        else if (r == 0)
                tlv_put_string(writer, PLAN_MOUNT_SOURCE, source);
        if (r < 0)
                return r;
        tlv_put_string(writer, PLAN_MOUNT_TYPE, type);
        tlv_put(writer, PLAN_MOUNT_FLAGS, &mount.plan.flags, sizeof mount.plan.flags);
        spec_mount_attributes(&mount.plan, writer);
        tlv_end(writer, mark);
        return 0;
}

int spec_write_mounts(const struct json_at *config, const struct json_at *keeper, struct tlv_writer *writer, struct berth_error *err) {
        const char *bundle = "";
        struct json_at list;
        size_t n;

        int r = json_text_member(keeper, "directory", &bundle, err);
        if (r == 0)
                r = json_text_member(keeper, "bundle", &bundle, err);
        if (r == 0)
                r = json_list_member(config, "mounts", &list, &n, err);
        for (size_t i = 0; r == 0 && i < n; i++) {
                struct json_at item = json_item(&list, i);
                r = spec_mount(&item, bundle, writer, err);
        }
        return r;
}
