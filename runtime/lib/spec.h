/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "json.h"
#include "plan-tlv.h"

/* Each writes one part of a document (runtime-spec 1.3, or the keeper's) as records of a plan. `at` is an object. */
int spec_write_process(const struct json_at *at, bool exec, struct tlv_writer *writer, struct berth_error *err);
int spec_write_schedule(const struct json_at *process, bool exec, struct tlv_writer *writer, struct berth_error *err);
/* What `linux` says of processes: memory policy and personality. */
int spec_write_linux_process(const struct json_at *at, struct tlv_writer *writer, struct berth_error *err);
/* The compiled filter (NULL: none) and what `linux.seccomp` says beside its rules; linux_at->value may be NULL. */
int spec_write_seccomp(const struct json_at *linux_at, const void *filter, size_t size, struct tlv_writer *writer, struct berth_error *err);
/* What stands above the parts of a config.json: version, platform, annotations, root. */
int spec_check_document(const struct json_at *config, struct berth_error *err);
int spec_write_container(const struct json_at *config, struct tlv_writer *writer, struct berth_error *err);
/* The keeper names the bundle, which relative sources of binds are in. */
int spec_write_mounts(const struct json_at *config, const struct json_at *keeper, struct tlv_writer *writer, struct berth_error *err);
int spec_write_linux(const struct json_at *at, struct tlv_writer *writer, struct berth_error *err);
/* *ret_seen: CLONE_NEW* of all namespaces that are not the host's. */
int spec_write_namespaces(const struct json_at *at, uint64_t *ret_seen, struct tlv_writer *writer, struct berth_error *err);
int spec_write_devices(const struct json_at *at, struct tlv_writer *writer, struct berth_error *err);
int spec_write_sysctls(const struct json_at *at, uint64_t namespaces, struct tlv_writer *writer, struct berth_error *err);
/* Hooks, and if there are any (or a seccomp listener) what they are told of the container (runtime-spec runtime.md#state). */
int spec_write_hooks(const struct json_at *config, const struct json_at *keeper, struct tlv_writer *writer, struct berth_error *err);
/*
 * Both lists of an object as records of `tag` (struct plan_id_map), users first: lines of {containerID, hostID, size} without overlaps. Both or
 * neither are given; *ret_n is the number of lines written.
 */
int spec_write_id_maps(const struct json_at *at, const char *users, const char *groups, uint16_t tag, size_t *ret_n, struct tlv_writer *writer,
                       struct berth_error *err);
int spec_write_resources(const struct json_at *at, struct tlv_writer *writer, struct berth_error *err);
int spec_write_keeper(const struct json_at *at, struct tlv_writer *writer, struct berth_error *err);

/* A list of absolute paths, one record of this tag each. */
int spec_write_paths(const struct json_at *at, const char *key, uint16_t tag, struct tlv_writer *writer, struct berth_error *err);

/* A capability's name ("CAP_CHOWN") by its number, or NULL. */
const char *spec_capability_name(int number);

/* The mount options that are not the file system's, one after the other; NULL at the end. */
const char *spec_mount_word_at(size_t index);

/* For `features`, each one after the other and NULL at the end. */
const char *spec_hook_name(size_t kind);
const char *spec_memory_mode_at(size_t index);
const char *spec_memory_flag_at(size_t index);
const char *spec_filter_flag_at(size_t index);

/* MS_* of "rprivate", "slave", …; 0 when the word is not one of them. */
uint64_t spec_propagation(const char *word);
