/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "plan-internal.h"
#include "spec.h"

static const char *const spec_hook_kinds[PLAN_HOOK_KINDS] = {
        [PLAN_HOOK_PRESTART] = "prestart",
        [PLAN_HOOK_CREATE_RUNTIME] = "createRuntime",
        [PLAN_HOOK_CREATE_CONTAINER] = "createContainer",
        [PLAN_HOOK_START_CONTAINER] = "startContainer",
        [PLAN_HOOK_POSTSTART] = "poststart",
        [PLAN_HOOK_POSTSTOP] = "poststop",
};

const char *spec_hook_name(size_t kind) {
        return kind < PLAN_HOOK_KINDS ? spec_hook_kinds[kind] : NULL;
}

/* Strings one behind the other, as a record of a hook ends in them. */
struct spec_texts {
        char *data;
        size_t size, capacity;
};

static void cleanup_texts(struct spec_texts *texts) {
        free(texts->data);
}

static int spec_texts_add(struct spec_texts *texts, const void *data, size_t size, struct berth_error *err) {
        if (texts->size + size > texts->capacity) {
                size_t capacity = (texts->size + size) * 2;
                char *grown = realloc(texts->data, capacity);
                if (!grown)
                        return berth_error_set(err, ENOMEM, "memory for a hook");
                texts->data = grown;
                texts->capacity = capacity;
        }
        memcpy(texts->data + texts->size, data, size);
        texts->size += size;
        return 0;
}

static int spec_hook_list(const struct json_at *list, size_t n, struct spec_texts *texts, struct berth_error *err) {
        int r = 0;

        for (size_t i = 0; r == 0 && i < n; i++) {
                struct json_at item = json_item(list, i);
                const char *text = "";
                r = json_text(&item, &text, err);
                if (r == 0)
                        r = spec_texts_add(texts, text, strlen(text) + 1, err);
        }
        return r;
}

static int spec_hook(const struct json_at *hook, enum plan_hook_kind kind, struct tlv_writer *writer, struct berth_error *err) {
        __attribute__((cleanup(cleanup_texts))) struct spec_texts texts = {0};
        struct {
                uint32_t kind, timeout, n_arguments, n_environment;
        } fixed = {.kind = kind};
        struct json_at at, arguments, environment;
        size_t n_arguments = 0, n_environment = 0;
        const char *path = "";
        int64_t timeout = 0;

        int r = json_check_object(hook, err);
        if (r == 0)
                r = json_required(hook, "path", &at, err);
        if (r == 0)
                r = json_text(&at, &path, err);
        if (r == 0 && path[0] != '/')
                r = json_fail(&at, err, "'%s' is not an absolute path", path);
        if (r == 0)
                r = json_number_member(hook, "timeout", 1, INT32_MAX, &timeout, err);
        if (r == 0)
                r = json_list_member(hook, "args", &arguments, &n_arguments, err);
        if (r == 0)
                r = json_list_member(hook, "env", &environment, &n_environment, err);
        fixed.timeout = (uint32_t) timeout;
        fixed.n_arguments = n_arguments > 0 ? (uint32_t) n_arguments : 1;
        fixed.n_environment = (uint32_t) n_environment;
        if (r == 0)
                r = spec_texts_add(&texts, &fixed, sizeof fixed, err);
        if (r == 0)
                r = spec_texts_add(&texts, path, strlen(path) + 1, err);
        if (r == 0)
                r = spec_hook_list(&arguments, n_arguments, &texts, err);
        if (r == 0 && n_arguments == 0) /* a program is always told its name */
                r = spec_texts_add(&texts, path, strlen(path) + 1, err);
        if (r == 0)
                r = spec_hook_list(&environment, n_environment, &texts, err);
        if (r < 0)
                return r;
        tlv_put(writer, PLAN_HOOK, texts.data, texts.size);
        return 0;
}

/* Hooks are programs that the caller expects to run; none may be forgotten in silence. */
static int spec_hooks_check_kinds(const struct json_at *hooks, struct berth_error *err) {
        const char *key;
        json_t *value;

        json_object_foreach(hooks->value, key, value) {
                struct json_at item = {.up = hooks, .key = key, .value = value};
                size_t kind = 0;
                while (kind < PLAN_HOOK_KINDS && strcmp(spec_hook_kinds[kind], key) != 0)
                        kind++;
                if (kind == PLAN_HOOK_KINDS)
                        return json_fail(&item, err, "unknown kind of hook");
        }
        return 0;
}

static int spec_state(const struct json_at *config, const struct json_at *keeper, struct tlv_writer *writer, struct berth_error *err) {
        const char *version = "", *id = "", *bundle = NULL;
        struct json_at annotations;

        int r = json_text_member(config, "ociVersion", &version, err);
        if (r == 0)
                r = json_text_member(keeper, "id", &id, err);
        if (r == 0)
                r = json_text_member(keeper, "directory", &bundle, err);
        if (r == 0)
                r = json_text_member(keeper, "bundle", &bundle, err);
        if (r < 0)
                return r;
        json_t *state = json_pack("{s:s, s:s, s:s*}", "ociVersion", version, "id", id, "bundle", bundle);
        if (state && json_member(config, "annotations", &annotations))
                (void) json_object_set(state, "annotations", annotations.value);
        _cleanup_free_ char *text = state ? json_write(state, JSON_COMPACT) : NULL;
        json_decref(state);
        if (!text)
                return berth_error_set(err, ENOMEM, "memory for the container's state");
        text[strlen(text) - 1] = '\0';
        tlv_put_string(writer, PLAN_STATE, text + 1);
        return 0;
}

int spec_write_hooks(const struct json_at *config, const struct json_at *keeper, struct tlv_writer *writer, struct berth_error *err) {
        struct json_at hooks, list, linux_at, seccomp, listener;
        bool any = false;
        size_t n;

        if (json_member(config, "hooks", &hooks)) {
                int r = json_check_object(&hooks, err);
                if (r == 0)
                        r = spec_hooks_check_kinds(&hooks, err);
                for (size_t kind = 0; r == 0 && kind < PLAN_HOOK_KINDS; kind++) {
                        r = json_list_member(&hooks, spec_hook_kinds[kind], &list, &n, err);
                        any = any || n > 0;
                        for (size_t i = 0; r == 0 && i < n; i++) {
                                struct json_at item = json_item(&list, i);
                                r = spec_hook(&item, (enum plan_hook_kind) kind, writer, err);
                        }
                }
                if (r < 0)
                        return r;
        }
        if (json_member(config, "linux", &linux_at) && json_member(&linux_at, "seccomp", &seccomp) &&
            json_member(&seccomp, "listenerPath", &listener))
                any = true;
        return any ? spec_state(config, keeper, writer, err) : 0;
}
