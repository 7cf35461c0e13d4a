/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "json.h"
#include "plan-tlv.h"

/* Parts of linux.resources; `resources` is that object. */
int spec_write_device_rules(const struct json_at *resources, struct tlv_writer *writer, struct berth_error *err);
int spec_write_block_devices(const struct json_at *resources, struct tlv_writer *writer, struct berth_error *err);
