/* SPDX-License-Identifier: Apache-2.0 */
#include "spec-mount-word.h"

#include <stddef.h>
#include <string.h>

#include "plan-internal.h"
#include "spec.h"
#include "sys.h"

/* runtime-spec config.md#linux-mount-options, and what mount(8) has beside it. */
static const struct spec_mount_word spec_mount_words[] = {
        {"ro", SPEC_MOUNT_ATTRIBUTE, MOUNT_ATTR_RDONLY, 0},
        {"rw", SPEC_MOUNT_ATTRIBUTE, 0, MOUNT_ATTR_RDONLY},
        {"nosuid", SPEC_MOUNT_ATTRIBUTE, MOUNT_ATTR_NOSUID, 0},
        {"suid", SPEC_MOUNT_ATTRIBUTE, 0, MOUNT_ATTR_NOSUID},
        {"nodev", SPEC_MOUNT_ATTRIBUTE, MOUNT_ATTR_NODEV, 0},
        {"dev", SPEC_MOUNT_ATTRIBUTE, 0, MOUNT_ATTR_NODEV},
        {"noexec", SPEC_MOUNT_ATTRIBUTE, MOUNT_ATTR_NOEXEC, 0},
        {"exec", SPEC_MOUNT_ATTRIBUTE, 0, MOUNT_ATTR_NOEXEC},
        {"nodiratime", SPEC_MOUNT_ATTRIBUTE, MOUNT_ATTR_NODIRATIME, 0},
        {"diratime", SPEC_MOUNT_ATTRIBUTE, 0, MOUNT_ATTR_NODIRATIME},
        {"nosymfollow", SPEC_MOUNT_ATTRIBUTE, MOUNT_ATTR_NOSYMFOLLOW, 0},
        {"symfollow", SPEC_MOUNT_ATTRIBUTE, 0, MOUNT_ATTR_NOSYMFOLLOW},
        {"noatime", SPEC_MOUNT_ATTRIBUTE, MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME},
        {"atime", SPEC_MOUNT_ATTRIBUTE, 0, MOUNT_ATTR_NOATIME},
        {"relatime", SPEC_MOUNT_ATTRIBUTE, MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME},
        {"norelatime", SPEC_MOUNT_ATTRIBUTE, 0, MOUNT_ATTR_RELATIME},
        {"strictatime", SPEC_MOUNT_ATTRIBUTE, MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME},
        {"nostrictatime", SPEC_MOUNT_ATTRIBUTE, 0, MOUNT_ATTR_STRICTATIME},
        {"rro", SPEC_MOUNT_RECURSIVE, MOUNT_ATTR_RDONLY, 0},
        {"rrw", SPEC_MOUNT_RECURSIVE, 0, MOUNT_ATTR_RDONLY},
        {"rnosuid", SPEC_MOUNT_RECURSIVE, MOUNT_ATTR_NOSUID, 0},
        {"rsuid", SPEC_MOUNT_RECURSIVE, 0, MOUNT_ATTR_NOSUID},
        {"rnodev", SPEC_MOUNT_RECURSIVE, MOUNT_ATTR_NODEV, 0},
        {"rdev", SPEC_MOUNT_RECURSIVE, 0, MOUNT_ATTR_NODEV},
        {"rnoexec", SPEC_MOUNT_RECURSIVE, MOUNT_ATTR_NOEXEC, 0},
        {"rexec", SPEC_MOUNT_RECURSIVE, 0, MOUNT_ATTR_NOEXEC},
        {"rnodiratime", SPEC_MOUNT_RECURSIVE, MOUNT_ATTR_NODIRATIME, 0},
        {"rdiratime", SPEC_MOUNT_RECURSIVE, 0, MOUNT_ATTR_NODIRATIME},
        {"rnosymfollow", SPEC_MOUNT_RECURSIVE, MOUNT_ATTR_NOSYMFOLLOW, 0},
        {"rsymfollow", SPEC_MOUNT_RECURSIVE, 0, MOUNT_ATTR_NOSYMFOLLOW},
        {"rnoatime", SPEC_MOUNT_RECURSIVE, MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME},
        {"ratime", SPEC_MOUNT_RECURSIVE, 0, MOUNT_ATTR_NOATIME},
        {"rrelatime", SPEC_MOUNT_RECURSIVE, MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME},
        {"rnorelatime", SPEC_MOUNT_RECURSIVE, 0, MOUNT_ATTR_RELATIME},
        {"rstrictatime", SPEC_MOUNT_RECURSIVE, MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME},
        {"rnostrictatime", SPEC_MOUNT_RECURSIVE, 0, MOUNT_ATTR_STRICTATIME},
        {"private", SPEC_MOUNT_PROPAGATION, MS_PRIVATE, 0},
        {"rprivate", SPEC_MOUNT_PROPAGATION, MS_PRIVATE | MS_REC, 0},
        {"slave", SPEC_MOUNT_PROPAGATION, MS_SLAVE, 0},
        {"rslave", SPEC_MOUNT_PROPAGATION, MS_SLAVE | MS_REC, 0},
        {"shared", SPEC_MOUNT_PROPAGATION, MS_SHARED, 0},
        {"rshared", SPEC_MOUNT_PROPAGATION, MS_SHARED | MS_REC, 0},
        {"unbindable", SPEC_MOUNT_PROPAGATION, MS_UNBINDABLE, 0},
        {"runbindable", SPEC_MOUNT_PROPAGATION, MS_UNBINDABLE | MS_REC, 0},
        {"bind", SPEC_MOUNT_FLAG, PLAN_MOUNT_BIND, 0},
        {"rbind", SPEC_MOUNT_FLAG, PLAN_MOUNT_BIND | PLAN_MOUNT_BIND_RECURSIVE, 0},
        {"remount", SPEC_MOUNT_FLAG, PLAN_MOUNT_REMOUNT, 0},
        {"tmpcopyup", SPEC_MOUNT_FLAG, PLAN_MOUNT_COPY_UP, 0},
        {"idmap", SPEC_MOUNT_FLAG, PLAN_MOUNT_ID_MAPPED, PLAN_MOUNT_ID_MAPPED_SUBTREE},
        {"ridmap", SPEC_MOUNT_FLAG, PLAN_MOUNT_ID_MAPPED | PLAN_MOUNT_ID_MAPPED_SUBTREE, 0},
        {"iversion", SPEC_MOUNT_FLAG, PLAN_MOUNT_INODE_VERSION, 0},
        {"noiversion", SPEC_MOUNT_FLAG, 0, PLAN_MOUNT_INODE_VERSION},
        {"sync", SPEC_MOUNT_SUPER, 0, 0},
        {"async", SPEC_MOUNT_SUPER, 0, 0},
        {"dirsync", SPEC_MOUNT_SUPER, 0, 0},
        {"mand", SPEC_MOUNT_SUPER, 0, 0},
        {"nomand", SPEC_MOUNT_SUPER, 0, 0},
        {"lazytime", SPEC_MOUNT_SUPER, 0, 0},
        {"nolazytime", SPEC_MOUNT_SUPER, 0, 0},
        {"defaults", SPEC_MOUNT_NOTHING, 0, 0},
        {"silent", SPEC_MOUNT_NOTHING, 0, 0},
        {"loud", SPEC_MOUNT_NOTHING, 0, 0},
};

const char *spec_mount_word_at(size_t index) {
        return index < sizeof spec_mount_words / sizeof *spec_mount_words ? spec_mount_words[index].word : NULL;
}

const struct spec_mount_word *spec_mount_word_find(const char *word) {
        for (size_t i = 0; i < sizeof spec_mount_words / sizeof *spec_mount_words; i++)
                if (strcmp(spec_mount_words[i].word, word) == 0)
                        return &spec_mount_words[i];
        return NULL;
}

uint64_t spec_propagation(const char *word) {
        const struct spec_mount_word *known = spec_mount_word_find(word);

        return known && known->kind == SPEC_MOUNT_PROPAGATION ? known->set : 0;
}
