/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "plan-internal.h"

/*
 * Finds argv[0] as execvp(3) would, with the PATH of the plan's own environment and the rights of the calling process, which is
 * inside the container. ret_path has PATH_MAX bytes. The sentences are those that Docker's clients know.
 */
int executable_find(const struct plan_process *plan, char *ret_path, struct berth_error *err);
int executable_exec_error(int code, const char *path, struct berth_error *err);

/* The errno's words in the form that Go programs print, which clients of Docker look for; static. */
const char *executable_words(int code);
