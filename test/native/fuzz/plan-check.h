/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "plan-internal.h"

/* Reads everything a decoded plan points to, so that the sanitizers see where that is. */
void plan_check_whole(const struct plan *plan);

/* Compiles, opens, reads and closes a plan; aborts when a refusal says nothing, or when a plan of ours cannot be opened. False: refused. */
bool plan_check_document(const char *config, size_t size, const char *keeper, size_t keeper_size);
