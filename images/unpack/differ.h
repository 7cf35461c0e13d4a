/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "attributes.h"

#include <sys/stat.h>

/* What is needed to tell two files apart. */
struct differ {
        struct attributes *one;
        struct attributes *other;
};

struct differ_side {
        int directory;
        const struct stat *st;
};

int differ_init(struct differ *differ, struct berth_error *err);
void differ_free(struct differ *differ);

bool differ_owner_or_mode(const struct stat *one, const struct stat *other);

/*
 * Whether two files of one name differ as Docker sees it: owner, mode, device, size, time, capabilities; one second is enough where one of the
 * times has no finer part.
 */
bool differ_files(const char *name, const struct differ_side *one, const struct differ_side *other);

/* Whether two open directories have other attributes. 1, 0, or a negative errno. */
int differ_attributes(struct differ *differ, int one, int other, const char *path, struct berth_error *err);
