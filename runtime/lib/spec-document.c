/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "spec.h"

#define SPEC_VERSION_PART_MAX 9999

/* "N" of a version, without the leading zeros that SemVer forbids. */
static bool spec_version_part(const char **at, unsigned *ret) {
        const char *text = *at;
        unsigned value = 0;

        if (*text < '0' || *text > '9' || (text[0] == '0' && text[1] >= '0' && text[1] <= '9'))
                return false;
        for (; *text >= '0' && *text <= '9'; text++) {
                value = value * 10 + (unsigned) (*text - '0');
                if (value > SPEC_VERSION_PART_MAX)
                        return false;
        }
        *at = text;
        *ret = value;
        return true;
}

/* Everything from 1.0.0 on that is not 2.0.0 yet; what comes before 1.0.0 by SemVer, as its release candidates, had another shape. */
static int spec_check_version(const struct json_at *config, struct berth_error *err) {
        unsigned major = 0, minor = 0, patch = 0;
        const char *text = "";
        struct json_at at;

        int r = json_required(config, "ociVersion", &at, err);
        if (r == 0)
                r = json_text(&at, &text, err);
        if (r < 0)
                return r;
        const char *end = text;
        bool ok = spec_version_part(&end, &major) && *end++ == '.' && spec_version_part(&end, &minor) && *end++ == '.' &&
                  spec_version_part(&end, &patch) &&
                  strspn(end, "+-.0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == strlen(end) &&
                  (*end == '\0' || *end == '-' || *end == '+');
        if (!ok)
                return json_fail(&at, err, "'%.64s' is not a version like 1.3.0", text);
        if (major != 1 || (minor == 0 && patch == 0 && *end == '-'))
                return json_fail(&at, err, "version '%.64s' is not supported; those from 1.0.0 on and below 2.0.0 are", text);
        return 0;
}

/* A document for another platform asks for things that would not happen. */
static int spec_check_platform(const struct json_at *config, struct berth_error *err) {
        static const char *const platforms[] = {"freebsd", "solaris", "vm", "windows", "zos"};
        struct json_at at;

        for (size_t i = 0; i < sizeof platforms / sizeof *platforms; i++)
                if (json_member(config, platforms[i], &at) && !(json_is_object(at.value) && json_object_size(at.value) == 0))
                        return json_fail(&at, err, "is of another platform than Linux");
        return 0;
}

static int spec_check_annotations(const struct json_at *config, struct berth_error *err) {
        struct json_at annotations;
        const char *key;
        json_t *value;

        if (!json_member(config, "annotations", &annotations))
                return 0;
        int r = json_check_object(&annotations, err);
        if (r < 0)
                return r;
        json_object_foreach(annotations.value, key, value) {
                struct json_at item = {.up = &annotations, .key = key, .value = value};
                const char *text = NULL;
                if (*key == '\0')
                        return json_fail(&annotations, err, "has an empty key");
                r = json_text(&item, &text, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

int spec_check_document(const struct json_at *config, struct berth_error *err) {
        struct json_at root;
        const char *path = NULL;

        int r = spec_check_version(config, err);
        if (r == 0)
                r = spec_check_platform(config, err);
        if (r == 0)
                r = spec_check_annotations(config, err);
        if (r == 0 && json_member(config, "root", &root)) {
                r = json_check_object(&root, err);
                if (r == 0)
                        r = json_text_member(&root, "path", &path, err);
        }
        return r;
}
