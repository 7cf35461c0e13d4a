/* SPDX-License-Identifier: Apache-2.0 */
#include "console.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cleanup.h"
#include "input.h"

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif

int console_begin(struct task *task, struct berth_error *err) {
        int master = task->process->console;
        if (master < 0)
                return berth_error_set(err, EBADF, "the terminal of the process is missing");
        _cleanup_close_ int out = fcntl(master, F_DUPFD_CLOEXEC, 3);
        _cleanup_close_ int in = fcntl(master, F_DUPFD_CLOEXEC, 3);
        if (out < 0 || in < 0)
                return berth_error_set(err, errno, "copy the terminal's descriptor");
        int flags = fcntl(master, F_GETFL);
        if (flags < 0 || fcntl(master, F_SETFL, flags | O_NONBLOCK) < 0)
                return berth_error_set(err, errno, "make the terminal non-blocking");

        /* A master whose other side nobody has open reads EIO, although somebody may open it again (login, screen). */
        task->slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (task->slave < 0)
                return berth_error_set(err, errno, "open the terminal's other side");
        task->out.source.fd = take_fd(&out);
        input_begin(task, take_fd(&in));
        return 0;
}

int console_resize(struct task *task, uint16_t rows, uint16_t columns, struct berth_error *err) {
        if (!task->terminal)
                return berth_error_set(err, ENOTTY, "resize: the process has no terminal");
        if (task->out.source.fd < 0)
                return berth_error_set(err, ESRCH, "resize: the terminal is closed");
        struct winsize size = {.ws_row = rows, .ws_col = columns};
        if (ioctl(task->out.source.fd, TIOCSWINSZ, &size) < 0)
                return berth_error_set(err, errno, "resize the terminal");
        return 0;
}

void console_let_go(struct task *task) {
        if (task->slave >= 0)
                (void) close(task->slave);
        task->slave = -1;
}
