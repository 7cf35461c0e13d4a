/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "plan-internal.h"
#include "plan-tlv.h"

/* What the decoders of a plan's parts share. */

int plan_damaged(struct berth_error *err, const char *what);
/* An unknown record: an error unless it is marked optional. */
int plan_unknown(const struct tlv_record *record, const char *group, struct berth_error *err);

/* Memory of the plan's arena; NULL when the image claims more than it can hold. */
void *plan_allocate(struct plan *plan, size_t count, size_t size);
uint32_t plan_count(struct tlv_reader reader, uint16_t tag);

int plan_string(const struct tlv_record *record, const char **ret, struct berth_error *err);
/* All strings of one tag as a NULL-terminated array. */
int plan_strings(struct plan *plan, struct tlv_reader reader, uint16_t tag, const char *const **ret, uint32_t *ret_n, struct berth_error *err);

/* All records of one tag that are nothing but a struct of `size` bytes, as an array of them. */
int plan_structs(struct plan *plan, struct tlv_reader reader, uint16_t tag, size_t size, const void **ret, uint32_t *ret_n, struct berth_error *err);

/* A record of exactly two strings. */
bool plan_pair(const struct tlv_record *record, const char **ret_first, const char **ret_second);

int plan_decode_process(struct plan *plan, struct tlv_reader reader, struct berth_error *err);
int plan_decode_container(struct plan *plan, struct tlv_reader reader, struct berth_error *err);
/* Parts of a container: a mount's group; all records of the container that are limits. */
int plan_decode_mount(struct plan *plan, struct tlv_reader reader, struct plan_mount *mount, struct berth_error *err);
int plan_decode_limits(struct plan *plan, struct tlv_reader reader, struct berth_error *err);
int plan_decode_keeper(struct plan *plan, struct tlv_reader reader, struct berth_error *err);
