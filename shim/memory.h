/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

/* Gives the whole pages of a buffer, whose content nobody needs any more, back to the kernel. */
void memory_give_back(void *start, size_t size);

/*
 * The same for what starting a container needed once: stack below the caller, and the program's own pages. Those are mapped
 * in again as they are used, which for a shim at rest is a small part of them.
 */
void memory_settle(void);
