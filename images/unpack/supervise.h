/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "report.h"

#include <stdbool.h>

struct family {
        int inflater;
        int writer;
        int marker;  /* our end of the writer's socket; -1: no directory can be asked to be marked */
        int signals; /* signalfd for SIGTERM */
};

/*
 * Waits for both children and marks directories opaque meanwhile. Ends as soon as one of them cannot go on, or on SIGTERM; both are
 * reaped when it returns. 0, or a negative errno with the sentence of the child that failed first.
 */
int supervise_run(const struct family *family, const struct shared *shared, struct berth_error *err);

/* Takes both down and reaps them: for a start that failed half-way. */
void supervise_end(const struct family *family);
