/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "../../runtime/lib/error.h"

/* Deletes everything below the directory, however deep and oddly named; confined as the unpacking is. The directory itself stays. */
int sweep_run(int target, struct berth_error *err);
