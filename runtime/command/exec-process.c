/* SPDX-License-Identifier: Apache-2.0 */
#include "exec-process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config-file.h"

/* Appends to a list of the object, which may be missing; the original, shared with config.json, is left alone. */
static int exec_append(json_t *object, const char *key, json_t *value) {
        json_t *kept = json_object_get(object, key), *list = json_is_array(kept) ? json_copy(kept) : json_array();

        if (json_array_append_new(list, value) < 0) {
                json_decref(list);
                return -EINVAL;
        }
        return json_object_set_new(object, key, list) < 0 ? -ENOMEM : 0;
}

static int exec_number(const char *word, size_t size, json_t **ret) {
        char text[16], *end;

        if (size == 0 || size >= sizeof text || word[0] < '0' || word[0] > '9')
                return -EINVAL;
        memcpy(text, word, size);
        text[size] = '\0';
        long number = strtol(text, &end, 10);
        if (*end || number >= UINT32_MAX)
                return -EINVAL;
        *ret = json_integer(number);
        return 0;
}

/* UID[:GID], numbers alone: names are what the caller's engine looks up. */
static int exec_user(json_t *process, const char *word, const struct option_list *groups, struct berth_error *err) {
        json_t *kept = json_object_get(process, "user"), *user = json_is_object(kept) ? json_copy(kept) : json_object(), *number;
        const char *colon = word ? strchr(word, ':') : NULL;

        (void) json_object_set_new(process, "user", user);
        if (word && exec_number(word, colon ? (size_t) (colon - word) : strlen(word), &number) < 0)
                return berth_error_set(err, EINVAL, "exec: --user '%.64s' is not of the form UID[:GID]", word);
        if (word)
                (void) json_object_set_new(user, "uid", number);
        if (colon && exec_number(colon + 1, strlen(colon + 1), &number) < 0)
                return berth_error_set(err, EINVAL, "exec: --user '%.64s' is not of the form UID[:GID]", word);
        if (colon)
                (void) json_object_set_new(user, "gid", number);
        for (size_t i = 0; i < groups->n; i++) {
                if (exec_number(groups->items[i], strlen(groups->items[i]), &number) < 0)
                        return berth_error_set(err, EINVAL, "exec: --additional-gids '%.64s' is not a number of a group", groups->items[i]);
                (void) exec_append(user, "additionalGids", number);
        }
        return 0;
}

/* Not the inheritable set, from which a program of the image could gain (CVE-2022-24769). */
static void exec_capabilities(json_t *process, const struct option_list *names) {
        static const char *const sets[] = {"bounding", "effective", "permitted"};
        json_t *kept = json_object_get(process, "capabilities"), *capabilities = json_is_object(kept) ? json_copy(kept) : json_object();
        char name[64];

        (void) json_object_set_new(process, "capabilities", capabilities);
        for (size_t i = 0; i < names->n; i++) {
                (void) snprintf(name, sizeof name, "%s%s", strncasecmp(names->items[i], "CAP_", 4) == 0 ? "" : "CAP_", names->items[i]);
                for (char *at = name; *at; at++)
                        *at = *at >= 'a' && *at <= 'z' ? (char) (*at - 'a' + 'A') : *at;
                for (size_t set = 0; set < sizeof sets / sizeof *sets; set++)
                        (void) exec_append(capabilities, sets[set], json_string(name));
        }
}

static int exec_texts(const struct exec_request *request, json_t *process, struct berth_error *err) {
        const struct {
                const char *key, *value;
        } texts[] = {{"cwd", request->cwd}, {"apparmorProfile", request->apparmor}, {"selinuxLabel", request->label}};
        json_t *arguments = json_array();

        (void) json_object_set_new(process, "args", arguments);
        for (char **word = request->arguments; *word; word++)
                if (json_array_append_new(arguments, json_string(*word)) < 0)
                        return berth_error_set(err, EINVAL, "exec: an argument is not UTF-8");
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
                if (texts[i].value && json_object_set_new(process, texts[i].key, json_string(texts[i].value)) < 0)
                        return berth_error_set(err, EINVAL, "exec: %s is not UTF-8", texts[i].key);
        for (size_t i = 0; i < request->env.n; i++)
                if (exec_append(process, "env", json_string(request->env.items[i])) < 0)
                        return berth_error_set(err, EINVAL, "exec: a variable of --env is not UTF-8");
        return 0;
}

static int exec_from_config(const struct exec_request *request, const json_t *config, json_t **ret, struct berth_error *err) {
        json_t *template = json_object_get(config, "process"), *process = json_is_object(template) ? json_copy(template) : json_object();

        if (!*request->arguments) {
                json_decref(process);
                return berth_error_set(err, EINVAL, "exec: no program is given");
        }
        (void) json_object_set_new(process, "terminal", json_boolean(request->terminal));
        if (request->no_new_privileges)
                (void) json_object_set_new(process, "noNewPrivileges", json_true());
        int r = exec_texts(request, process, err);
        if (r == 0)
                r = exec_user(process, request->user, &request->groups, err);
        if (r < 0) {
                json_decref(process);
                return r;
        }
        if (request->capabilities.n > 0)
                exec_capabilities(process, &request->capabilities);
        *ret = process;
        return 0;
}

/* What the container's document says of all its processes. */
static void exec_keep_linux(json_t *process, const json_t *from) {
        static const char *const keys[] = {"seccomp", "memoryPolicy", "personality"};
        json_t *kept = json_object(), *value;

        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
                if ((value = json_object_get(from, keys[i])))
                        (void) json_object_set(kept, keys[i], value);
        (void) json_object_set_new(process, "linux", kept);
}

int exec_process_make(const struct exec_request *request, const json_t *config, json_t **ret, struct berth_error *err) {
        int r = request->process ? config_file_read(AT_FDCWD, request->process, NULL, ret, err) : exec_from_config(request, config, ret, err);
        if (r < 0)
                return r;
        exec_keep_linux(*ret, json_object_get(config, "linux"));
        return 0;
}
