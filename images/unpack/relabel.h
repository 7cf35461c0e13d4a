/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "../../runtime/lib/error.h"

/*
 * Gives a file or directory (by any descriptor, O_PATH too) and everything below it this SELinux label. No link is followed; mounts below
 * belong to it, since binds bring them along. What its filesystem gives no labels is passed over, with what is below.
 */
int relabel_run(int target, const char *label, struct berth_error *err);
