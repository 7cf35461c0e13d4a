/* SPDX-License-Identifier: Apache-2.0 */
#include "directory.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

void directory_begin(struct directory *directory, int fd) {
        directory->fd = fd;
        directory->size = directory->at = 0;
}

int directory_next(struct directory *directory, const struct kernel_dirent **ret) {
        for (;;) {
                if (directory->at == directory->size) {
                        directory->at = 0;
                        directory->size = syscall(SYS_getdents64, directory->fd, directory->buffer, sizeof directory->buffer);
                        if (directory->size <= 0) {
                                int r = directory->size < 0 ? -errno : 0;
                                directory->size = 0;
                                return r;
                        }
                }
                const struct kernel_dirent *item = (const struct kernel_dirent *) (const void *) (directory->buffer + directory->at);
                directory->at += item->length;
                if (strcmp(item->name, ".") == 0 || strcmp(item->name, "..") == 0)
                        continue;
                *ret = item;
                return 1;
        }
}
