/* SPDX-License-Identifier: Apache-2.0 */
#include "console.h"

#include <errno.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <termios.h>

#include "cleanup.h"
#include "mount.h"
#include "path.h"
#include "sync.h"
#include "sys.h"

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif
#define CONSOLE_SLAVE_MAJOR_FIRST 136
#define CONSOLE_SLAVE_MAJOR_LAST 143

static bool console_is_devpts(int fd) {
        struct statfs fs;
        return fstatfs(fd, &fs) == 0 && (unsigned long) fs.f_type == DEVPTS_SUPER_MAGIC;
}

static int console_open_master(int devpts, int *ret_fd, struct berth_error *err) {
        struct stat st;
        int unlock = 0;

        if (!console_is_devpts(devpts))
                return berth_error_set(err, ENODEV, "a terminal needs a devpts file system on /dev/pts");
        _cleanup_close_ int master = sys_openat2(devpts, "ptmx", O_RDWR | O_NOCTTY, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
        if (master < 0)
                return berth_error_set(err, errno, "open /dev/pts/ptmx");
        if (fstat(master, &st) < 0 || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(5, 2))
                return berth_error_set(err, ENODEV, "/dev/pts/ptmx is not a terminal multiplexer");
        if (ioctl(master, TIOCSPTLCK, &unlock) < 0)
                return berth_error_set(err, errno, "unlock the terminal");
        return give_fd(ret_fd, &master);
}

/* By ioctl on the master: a path like /dev/pts/0 could lead anywhere (CVE-2025-52565). */
static int console_open_slave(int master, int *ret_fd, struct berth_error *err) {
        struct stat st;
        _cleanup_close_ int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);

        if (slave < 0)
                return berth_error_set(err, errno, "open the terminal");
        if (fstat(slave, &st) < 0 || !S_ISCHR(st.st_mode) || major(st.st_rdev) < CONSOLE_SLAVE_MAJOR_FIRST ||
            major(st.st_rdev) > CONSOLE_SLAVE_MAJOR_LAST || !console_is_devpts(slave))
                return berth_error_set(err, ENODEV, "the terminal is not one of devpts");
        return give_fd(ret_fd, &slave);
}

static int console_bind(int root, int slave, struct berth_error *err) {
        _cleanup_close_ int target = -1;
        int r = path_make_target(root, "/dev/console", false, &target, err);

        if (r < 0)
                return r;
        _cleanup_close_ int tree = sys_open_tree(slave, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
        if (tree < 0)
                return berth_error_set(err, errno, "copy the mount of the terminal");
        r = mount_move(tree, target);
        return r < 0 ? berth_error_set(err, -r, "mount the terminal on /dev/console") : 0;
}

int console_make(const struct plan_process *plan, int root, int devpts, bool bind_console, int sync, struct berth_error *err) {
        _cleanup_close_ int found = -1, master = -1, slave = -1;
        int r = 0;

        if (devpts < 0) {
                r = path_open_in_root(root, "/dev/pts", O_PATH | O_DIRECTORY, 0, &found);
                if (r < 0)
                        return berth_error_set(err, -r, "open /dev/pts for a terminal");
                devpts = found;
        }
        r = console_open_master(devpts, &master, err);
        if (r == 0)
                r = console_open_slave(master, &slave, err);
        if (r == 0 && bind_console)
                r = console_bind(root, slave, err);
        if (r < 0)
                return r;

        if (plan->rows > 0 || plan->columns > 0) {
                struct winsize size = {.ws_row = plan->rows, .ws_col = plan->columns};
                if (ioctl(slave, TIOCSWINSZ, &size) < 0)
                        return berth_error_set(err, errno, "set the size of the terminal");
        }
        if (plan->uid != 0 && fchown(slave, plan->uid, (gid_t) -1) < 0)
                return berth_error_set(err, errno, "give the terminal to user %u", plan->uid);
        if (ioctl(slave, TIOCSCTTY, 0) < 0)
                return berth_error_set(err, errno, "make the terminal the controlling one");
        for (int fd = 0; fd < 3; fd++)
                if (dup2(slave, fd) < 0)
                        return berth_error_set(err, errno, "place descriptor %d of the new process", fd);
        return sync_send(sync, SYNC_CONSOLE, master, err);
}
