/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "plan-internal.h"
#include "spec.h"
#include "sys.h"

struct spec_mount_word {
        const char *word;
        uint64_t set, clear;
        bool recursive;
};

/* runtime-spec config.md#linux-mount-options; an "r" in front makes it recursive (kernel 5.12). */
static const struct spec_mount_word spec_mount_words[] = {
        {"ro", MOUNT_ATTR_RDONLY, 0, false},
        {"rw", 0, MOUNT_ATTR_RDONLY, false},
        {"nosuid", MOUNT_ATTR_NOSUID, 0, false},
        {"suid", 0, MOUNT_ATTR_NOSUID, false},
        {"nodev", MOUNT_ATTR_NODEV, 0, false},
        {"dev", 0, MOUNT_ATTR_NODEV, false},
        {"noexec", MOUNT_ATTR_NOEXEC, 0, false},
        {"exec", 0, MOUNT_ATTR_NOEXEC, false},
        {"nodiratime", MOUNT_ATTR_NODIRATIME, 0, false},
        {"diratime", 0, MOUNT_ATTR_NODIRATIME, false},
        {"nosymfollow", MOUNT_ATTR_NOSYMFOLLOW, 0, false},
        {"symfollow", 0, MOUNT_ATTR_NOSYMFOLLOW, false},
        {"noatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME, false},
        {"atime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME, false},
        {"relatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME, false},
        {"norelatime", 0, MOUNT_ATTR__ATIME, false},
        {"strictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME, false},
        {"nostrictatime", 0, MOUNT_ATTR__ATIME, false},
        {"rro", MOUNT_ATTR_RDONLY, 0, true},
        {"rrw", 0, MOUNT_ATTR_RDONLY, true},
        {"rnosuid", MOUNT_ATTR_NOSUID, 0, true},
        {"rsuid", 0, MOUNT_ATTR_NOSUID, true},
        {"rnodev", MOUNT_ATTR_NODEV, 0, true},
        {"rdev", 0, MOUNT_ATTR_NODEV, true},
        {"rnoexec", MOUNT_ATTR_NOEXEC, 0, true},
        {"rexec", 0, MOUNT_ATTR_NOEXEC, true},
        {"rnodiratime", MOUNT_ATTR_NODIRATIME, 0, true},
        {"rdiratime", 0, MOUNT_ATTR_NODIRATIME, true},
        {"rnosymfollow", MOUNT_ATTR_NOSYMFOLLOW, 0, true},
        {"rsymfollow", 0, MOUNT_ATTR_NOSYMFOLLOW, true},
        {"rnoatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME, true},
        {"ratime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME, true},
        {"rrelatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME, true},
        {"rnorelatime", 0, MOUNT_ATTR__ATIME, true},
        {"rstrictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME, true},
        {"rnostrictatime", 0, MOUNT_ATTR__ATIME, true},
        {"defaults", 0, 0, false},
};

/* Known words that would need what is not here; an fs option of that name does not exist. */
static const char *const spec_mount_refused[] = {"idmap", "ridmap", "tmpcopyup", "remount", "mand", "sync", "dirsync"};

const char *spec_mount_word_at(size_t index) {
        return index < sizeof spec_mount_words / sizeof *spec_mount_words ? spec_mount_words[index].word : NULL;
}

uint64_t spec_propagation(const char *word) {
        static const struct {
                const char *word;
                uint64_t flags;
        } words[] = {
                {"private", MS_PRIVATE}, {"rprivate", MS_PRIVATE | MS_REC}, {"slave", MS_SLAVE},           {"rslave", MS_SLAVE | MS_REC},
                {"shared", MS_SHARED},   {"rshared", MS_SHARED | MS_REC},   {"unbindable", MS_UNBINDABLE}, {"runbindable", MS_UNBINDABLE | MS_REC},
        };

        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
                if (strcmp(words[i].word, word) == 0)
                        return words[i].flags;
        return 0;
}

static bool spec_mount_word(struct plan_mount *mount, const char *word) {
        for (size_t i = 0; i < sizeof spec_mount_words / sizeof *spec_mount_words; i++) {
                const struct spec_mount_word *known = &spec_mount_words[i];
                if (strcmp(known->word, word) != 0)
                        continue;
                uint64_t *set = known->recursive ? &mount->recursive_attr_set : &mount->attr_set;
                uint64_t *clear = known->recursive ? &mount->recursive_attr_clear : &mount->attr_clear;
                /* The last word wins. */
                *set = (*set & ~known->clear) | known->set;
                *clear = (*clear & ~known->set) | known->clear;
                return true;
        }
        return false;
}

static int spec_mount_option(const struct json_at *at, struct plan_mount *mount, struct tlv_writer *writer, struct berth_error *err) {
        const char *word = NULL;
        int r = json_text(at, &word, err);

        if (r < 0)
                return r;
        if (strcmp(word, "bind") == 0) {
                mount->flags |= PLAN_MOUNT_BIND;
                return 0;
        }
        if (strcmp(word, "rbind") == 0) {
                mount->flags |= PLAN_MOUNT_BIND | PLAN_MOUNT_BIND_RECURSIVE;
                return 0;
        }
        uint64_t propagation = spec_propagation(word);
        if (propagation) {
                mount->propagation = propagation;
                return 0;
        }
        if (spec_mount_word(mount, word))
                return 0;
        for (size_t i = 0; i < sizeof spec_mount_refused / sizeof *spec_mount_refused; i++)
                if (strcmp(spec_mount_refused[i], word) == 0)
                        return json_fail(at, err, "mount option '%s' is not supported", word);
        tlv_put_string(writer, PLAN_MOUNT_OPTION, word);
        return 0;
}

/* Attributes of atime exclude each other, and the kernel wants the whole group cleared before one is set. */
static void spec_mount_attributes(struct plan_mount *mount, struct tlv_writer *writer) {
        uint64_t attributes[5] = {mount->attr_set, mount->attr_clear, mount->recursive_attr_set, mount->recursive_attr_clear, mount->propagation};

        for (int i = 0; i < 4; i += 2)
                if (attributes[i] & MOUNT_ATTR__ATIME)
                        attributes[i + 1] |= MOUNT_ATTR__ATIME;
        tlv_put(writer, PLAN_MOUNT_ATTRS, attributes, sizeof attributes);
}

static int spec_mount(const struct json_at *at, struct tlv_writer *writer, struct berth_error *err) {
        const char *destination = NULL, *type = "", *source = "";
        struct plan_mount mount = {0};
        struct json_at member, list;
        size_t n = 0;

        int r = json_check_object(at, err);
        if (r == 0)
                r = json_required(at, "destination", &member, err);
        if (r == 0)
                r = json_text(&member, &destination, err);
        if (r == 0 && destination[0] != '/')
                r = json_fail(&member, err, "'%s' is not an absolute path", destination);
        if (r == 0)
                r = json_text_member(at, "type", &type, err);
        if (r == 0)
                r = json_text_member(at, "source", &source, err);
        if (r == 0 && (json_member(at, "uidMappings", &member) || json_member(at, "gidMappings", &member)))
                r = json_fail(&member, err, "id-mapped mounts are not supported");
        if (r == 0)
                r = json_list_member(at, "options", &list, &n, err);
        if (r < 0)
                return r;

        size_t mark = tlv_begin(writer, PLAN_MOUNT);
        tlv_put_string(writer, PLAN_MOUNT_DESTINATION, destination);
        for (size_t i = 0; r == 0 && i < n; i++) {
                struct json_at item = json_item(&list, i);
                r = spec_mount_option(&item, &mount, writer, err);
        }
        if (r < 0)
                return r;
        if (strcmp(type, "bind") == 0)
                mount.flags |= PLAN_MOUNT_BIND;
        /* What the host mounted read-only stays so: "rw" is what callers write for every bind that they do not restrict. */
        if (mount.flags & PLAN_MOUNT_BIND)
                mount.attr_clear &= ~(uint64_t) MOUNT_ATTR_RDONLY;
        if (*type == '\0' && !(mount.flags & PLAN_MOUNT_BIND))
                return json_fail(at, err, "has neither a type nor the option bind");
        if (mount.flags & PLAN_MOUNT_BIND && source[0] != '/')
                return json_fail(at, err, "the source '%s' of a bind is not an absolute path", source);
        tlv_put_string(writer, PLAN_MOUNT_TYPE, type);
        tlv_put_string(writer, PLAN_MOUNT_SOURCE, source);
        tlv_put(writer, PLAN_MOUNT_FLAGS, &mount.flags, sizeof mount.flags);
        spec_mount_attributes(&mount, writer);
        tlv_end(writer, mark);
        return 0;
}

int spec_write_mounts(const struct json_at *config, struct tlv_writer *writer, struct berth_error *err) {
        struct json_at list;
        size_t n;

        int r = json_list_member(config, "mounts", &list, &n, err);
        for (size_t i = 0; r == 0 && i < n; i++) {
                struct json_at item = json_item(&list, i);
                r = spec_mount(&item, writer, err);
        }
        return r;
}
