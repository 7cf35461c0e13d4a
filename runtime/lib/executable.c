/* SPDX-License-Identifier: Apache-2.0 */
#include "executable.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXECUTABLE_DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

const char *executable_words(int code) {
        switch (code) {
        case ENOENT:
                return "no such file or directory";
        case EACCES:
                return "permission denied";
        case EPERM:
                return "operation not permitted";
        case ENOTDIR:
                return "not a directory";
        case EISDIR:
                return "is a directory";
        case ENOEXEC:
                return "exec format error";
        case E2BIG:
                return "argument list too long";
        case ELOOP:
                return "too many levels of symbolic links";
        case ENAMETOOLONG:
                return "file name too long";
        case ENOMEM:
                return "cannot allocate memory";
        case ETXTBSY:
                return "text file busy";
        case ENOSYS:
                return "function not implemented";
        case EIO:
                return "input/output error";
        case EINVAL:
                return "invalid argument";
        default:
                return "unexpected error";
        }
}

/* 0, or the errno that keeps the file from being executed; *ret_stat tells whether the file itself could not be found. */
static int executable_check(const char *path, bool *ret_stat) {
        struct stat st;

        *ret_stat = true;
        if (stat(path, &st) < 0)
                return errno;
        *ret_stat = false;
        if (S_ISDIR(st.st_mode))
                return EISDIR;
        if (faccessat(AT_FDCWD, path, X_OK, 0) == 0)
                return 0;
        /* A seccomp filter may forbid the question; then the mode answers it. */
        if (errno == ENOSYS || errno == EPERM)
                return (st.st_mode & 0111) ? 0 : EACCES;
        return errno;
}

static const char *executable_environment(const struct plan_process *plan, const char *name) {
        size_t size = strlen(name);
        for (const char *const *entry = plan->envp; *entry; entry++)
                if (strncmp(*entry, name, size) == 0 && (*entry)[size] == '=')
                        return *entry + size + 1;
        return NULL;
}

static int executable_find_named(const char *name, char *ret_path, struct berth_error *err) {
        bool missing;

        if (strlen(name) >= PATH_MAX)
                return berth_error_set(err, ENAMETOOLONG, "exec: \"%.64s…\": file name too long", name);
        int code = executable_check(name, &missing);
        if (code != 0)
                return missing ? berth_error_set(err, code, "exec: \"%s\": stat %s: %s", name, name, executable_words(code))
                               : berth_error_set(err, code, "exec: \"%s\": %s", name, executable_words(code));
        (void) strcpy(ret_path, name);
        return 0;
}

int executable_find(const struct plan_process *plan, char *ret_path, struct berth_error *err) {
        const char *name = plan->argv[0], *search = executable_environment(plan, "PATH");
        size_t size = strlen(name);

        if (strchr(name, '/'))
                return executable_find_named(name, ret_path, err);
        if (!search)
                search = EXECUTABLE_DEFAULT_PATH;

        while (size > 0) {
                size_t directory = strcspn(search, ":");
                bool missing;
                /* An empty element would be the working directory, which is never searched. */
                if (directory > 0 && search[0] == '/' && directory + 1 + size < PATH_MAX) {
                        int n = snprintf(ret_path, PATH_MAX, "%.*s/%s", (int) directory, search, name);
                        if (n > 0 && n < PATH_MAX && executable_check(ret_path, &missing) == 0)
                                return 0;
                }
                if (search[directory] == '\0')
                        break;
                search += directory + 1;
        }
        return berth_error_set(err, ENOENT, "exec: \"%s\": executable file not found in $PATH", name);
}

int executable_exec_error(int code, const char *path, struct berth_error *err) {
        return berth_error_set(err, code, "exec %s: %s", path, executable_words(code));
}
