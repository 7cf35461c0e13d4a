/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "../../runtime/lib/error.h"

/*
 * Mounts the root of a container that does not run, with what is bound into it, where nobody else sees it, and makes it this process's root:
 * whoever may opens /proc/PID/root. Standard input says of what (records that end in a zero byte, a word and `=` in front), and its end
 * ends it all:
 *   root=PATH     a directory; with layers, one in which old kernels may mount
 *   lower=PATH    a layer, the topmost first; upper=PATH work=PATH label=CONTEXT
 *   source=PATH   of a bind, then below=PATH beneath it, if that is meant, target=PATH in the container, access=rw or access=ro
 *   go=
 * Writes a line when all is there.
 */
int assemble_run(struct berth_error *err);
