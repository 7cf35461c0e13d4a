/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>

/* What the kernel's filter machine answers (seccomp(2)); aborts at a program the kernel would not load. */
uint32_t bpf_interpret(const struct sock_filter *program, size_t n, const struct seccomp_data *data);
