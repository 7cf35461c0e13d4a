/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <unistd.h>

#include "fuzz.h"
#include "plan-check.h"
#include "plan-compile.h"
#include "spec.h"
#include "sys.h"

static json_t *words_of(struct fuzz_input *input, bool *ret_text) {
        json_t *list = json_array();
        while (input->left > 0) {
                const uint8_t *end = memchr(input->at, '\n', input->left);
                size_t size = end ? (size_t) (end - input->at) : input->left;
                json_t *word = json_stringn((const char *) input->at, size);
                *ret_text = *ret_text && word && !memchr(input->at, '\0', size);
                (void) json_array_append_new(list, word ? word : json_null());
                input->at += size + (end != NULL);
                input->left -= size + (end != NULL);
        }
        return list;
}

static bool is_ours(const char *word) {
        for (size_t i = 0; spec_mount_word_at(i); i++)
                if (strcmp(spec_mount_word_at(i), word) == 0)
                        return true;
        return strcmp(word, "bind") == 0 || strcmp(word, "rbind") == 0 || spec_propagation(word) != 0;
}

/* Whatever is not ours is the file system's: in order, none lost, none made up. Strings of several options are left out of that. */
static void check_options(const struct plan_mount *mount, json_t *words) {
        uint32_t n = 0;
        for (size_t i = 0; i < json_array_size(words); i++)
                if (strpbrk(json_string_value(json_array_get(words, i)), ",\""))
                        return;
        for (size_t i = 0; i < json_array_size(words); i++) {
                const char *word = json_string_value(json_array_get(words, i));
                if (n < mount->n_options && strcmp(mount->options[n], word) == 0)
                        n++;
                else
                        must(*word == '\0' || is_ours(word), "option '%s' got lost", word);
        }
        must(n == mount->n_options, "%u of %u options were asked for", n, mount->n_options);
}

/* Of the times of access one at most is set. */
static void check_mount(const struct plan_mount *mount) {
        must(!(mount->attr_set & MOUNT_ATTR__ATIME) || (mount->attr_clear & MOUNT_ATTR__ATIME) == MOUNT_ATTR__ATIME, "the group is cleared first");
        must((mount->attr_set & mount->attr_clear & ~(uint64_t) MOUNT_ATTR__ATIME) == 0, "nothing is both set and cleared");
        must(!(mount->flags & PLAN_MOUNT_BIND_RECURSIVE) || mount->flags & PLAN_MOUNT_BIND, "a recursive bind is a bind");
}

static void check_plan(const char *config, json_t *words, bool text) {
        static const char keeper[] = "{\"id\":\"a\",\"directory\":\"/d\",\"rootfs\":{\"kind\":\"directory\",\"path\":\"/r\"},"
                                     "\"log\":{\"driver\":\"none\"},\"stdin\":{\"open\":false,\"once\":false},\"network\":{\"kind\":\"none\"}}";
        const struct plan_sources sources = {.config = config, .config_size = strlen(config), .keeper = keeper, .keeper_size = sizeof keeper - 1};
        struct berth_error err = {0};
        struct plan *plan = NULL;
        int fd = -1;

        int r = plan_compile(&sources, &fd, &err);
        if (r < 0) {
                must_explain(r, &err);
                return;
        }
        must(text, "what is not text was accepted");
        r = plan_open(fd, &plan, &err);
        must(r == 0 && plan->container.n_mounts == 1, "the mount arrives: %s", err.text);
        plan_check_whole(plan);
        check_options(&plan->container.mounts[0], words);
        check_mount(&plan->container.mounts[0]);
        plan_close(plan);
        (void) close(fd);
}

/* Options of one mount, a line each; the first byte says of which kind it is. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const char *const types[] = {"bind", "tmpfs", "none", "proc", "cgroup", "overlay"};
        struct fuzz_input input = {.at = data, .left = size};
        const char *type = types[fuzz_u8(&input) % 6];
        bool text = true;
        json_t *words = words_of(&input, &text);
        json_t *config = json_pack("{s:s, s:{s:s}, s:{s:s, s:[s]}, s:[{s:s, s:s, s:s, s:O}], s:{s:[{s:s}]}}", "ociVersion", "1.3.0", "root", "path",
                                   "x", "process", "cwd", "/", "args", "a", "mounts", "destination", "/d", "type", type, "source", "/s", "options",
                                   words, "linux", "namespaces", "type", "mount");
        char *document = json_dumps(config, JSON_COMPACT);
        if (document)
                check_plan(document, words, text);
        free(document);
        json_decref(config);
        json_decref(words);
        return 0;
}
