/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * From here on documents (jansson) lie side by side in a few large pieces of memory, and what is given back stays until the program ends:
 * a container's configuration is read once, and a thousand small allocations cost more than reading it. Not for what goes on making
 * documents for as long as it runs. Before the first document.
 */
void document_memory_keep(void);
