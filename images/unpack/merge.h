/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "layers.h"
#include "pack-entry.h"

/* Packs the one tree that the layers make together, as a mount of them would show it. -LAYER_ERROR above limit_entries. */
int merge_pack(const struct layers *layers, struct packer *packer, uint64_t limit_entries, struct berth_error *err);
