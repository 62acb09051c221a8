/* open_model.c: loads a model and opens a session as the options say. */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "onnxrun/operators.h"
#include "tool.h"

double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

enum onr_status fill_model_options(const struct options *options, const struct onr_model_options *listener,
                                   struct loaded *loaded, struct onr_model_options *filled, struct onr_error *error) {
  if (options->threads != 1) ONR_TRY(onr_threads_create((uint32_t)options->threads, NULL, &loaded->threads, error));
  if (options->plugin) ONR_TRY(load_plugin(options->plugin, &loaded->registry, error));
  *filled = (struct onr_model_options){.size = sizeof(*filled)};
  if (listener) *filled = *listener;
  filled->threads = loaded->threads;
  filled->registry = loaded->registry;
  filled->backend = options->backend;
  filled->limits = &options->limits;
  filled->external_directory = options->external_directory;
  filled->disabled_passes = options->disabled_passes;
  filled->method = options->method;
  filled->precision = options->precision;
  filled->packed = options->packed;
  filled->packed_write = options->packs;
  filled->cancel = options->cancel;
  filled->for_source = options->for_source;
  return ONR_STATUS_OK;
}

enum onr_status try_load(const struct options *options, const char *path, const struct onr_model_options *listener,
                         struct loaded *loaded, struct onr_error *error) {
  const double start = now_ms();
  struct onr_model_options model_options;
  *loaded = (struct loaded){.path = path};
  enum onr_status status = fill_model_options(options, listener, loaded, &model_options, error);
  const struct onr_session_options session_options = {.size = sizeof(session_options),
                                                      .threads = loaded->threads,
                                                      .profile = options->profile && !options->watch,
                                                      .watch = options->watch,
                                                      .watch_context = options->watch_context,
                                                      .cache_int8 = options->cache_int8};
  if (status == ONR_STATUS_OK) status = onr_model_load(path, &model_options, &loaded->model, error);
  if (status == ONR_STATUS_OK && !options->for_source)
    status = onr_session_create(loaded->model, &session_options, &loaded->session, error);
  loaded->load_ms = now_ms() - start;
  if (status != ONR_STATUS_OK) unload(loaded);
  return status;
}

/* --- what this build has no code for --- */

struct needs {
  const char *path;
  size_t count;
  struct line first;
};

/* "2 x Foo (com.example 1), first ...": the operator, and its domain. */
static void parse_need(const char *text, struct shown *op, struct shown *domain) {
  const char *count_end = strstr(text, " x "), *open;
  if (count_end && strspn(text, "0123456789") == (size_t)(count_end - text)) text = count_end + 3;
  open = strstr(text, " (");
  *op = shown_bytes(text, open ? (size_t)(open - text) : strlen(text));
  *domain = shown_bytes(open ? open + 2 : "", open ? strcspn(open + 2, " ,)") : 0);
}

/* What to do about it. */
static struct line advice(const char *text) {
  struct shown op, domain;
  struct line line = {0};
  const char *other = NULL;
  int domain_known = 0, known = 0;
  parse_need(text, &op, &domain);
  struct suggestion s = suggest_for(op.text, strlen(op.text));
  for (size_t i = 0; i < onr_num_ops(); i++) {
    struct onr_op_info info = {.size = sizeof(info)};
    onr_op(i, &info);
    const char *its = info.domain[0] ? info.domain : "ai.onnx";
    const int same_domain = !strcmp(its, domain.text), same_op = !strcmp(info.op_type, op.text);
    domain_known |= same_domain;
    known |= same_domain && same_op;
    if (same_domain) suggest(&s, info.op_type);
    else if (same_op) other = its;
  }
  if (known) line_add(&line, "; 'onnxrun ops %s' says what is supported", op.text);
  else if (!domain_known) line_add(&line, "; nothing of domain '%s' is known", domain.text);
  else if (other) line_add(&line, "; there is one in domain '%s'", other);
  else if (s.nearest) line_add(&line, "%s", suggested(&s).text);
  else line_add(&line, "; 'onnxrun ops' lists what there is");
  if (!domain_known && other) line_add(&line, ", but %s has one of that name", other);
  if (!known && !s.nearest) line_add(&line, "; docs/your_own_layer.md says how a program adds an operator");
  return line;
}

/* One kind: a line. More: a line that says so, and one for each. */
static void take_need(void *context, const char *text) {
  struct needs *needs = context;
  if (!needs->count++) {
    line_add(&needs->first, "%s", text);
    return;
  }
  if (needs->count == 2) {
    complain(EXIT_UNSUPPORTED, "UNSUPPORTED: %s: there is no code for these nodes:", needs->path);
    fprintf(stderr, "  %s%s\n", needs->first.text, advice(needs->first.text).text);
  }
  fprintf(stderr, "  %s%s\n", text, advice(text).text);
}

/* A file of packed weights that is not used costs time, and nothing else. */
static void tell_packed(const struct options *options, const char *path, const struct onr_model *model) {
  struct onr_model_info info = {.size = sizeof(info)};
  onr_model_get_info(model, &info);
  if (info.packed == ONR_PACKED_REFUSED && !options->packs)
    complain(EXIT_OK, "%s%s: %s; weights are packed anew", options->packed ? "--packed " : "",
             shown(options->packed ? options->packed : path).text, info.packed_note);
}

/* Large files take a while; their size stands for it, as nobody knows which weights lie beside a small one. */
static void say_that_it_loads(const char *path) {
  enum { LARGE = 64 << 20 };
  struct line text = {0};
  struct stat info;
  if (stat(path, &info) || info.st_size < LARGE) return;
  line_add(&text, "loading %s of %s", shown_bytes_count((double)info.st_size).text, shown(path).text);
  progress_now(text.text);
}

/* Weights lie beside the model, or in the folder of --external-data. */
static int keep_weights(const struct options *options, const char *path, const struct onr_model *model) {
  const char *slash = strrchr(path, '/');
  int code = 0;
  for (size_t i = 0; !code && i < onr_model_num_external_files(model); i++) {
    const char *file = onr_model_external_file(model, i);
    char beside[4096], elsewhere[4096] = "";
    snprintf(beside, sizeof(beside), "%.*s%s", slash ? (int)(slash - path) + 1 : 0, path, file);
    if (options->external_directory) snprintf(elsewhere, sizeof(elsewhere), "%s/%s", options->external_directory, file);
    code = keep_file(beside, "a file of the model's weights");
    if (!code) code = keep_file(elsewhere, "a file of the model's weights");
  }
  return code;
}

int load(const struct options *options, const char *path, struct loaded *loaded) {
  struct needs needs = {path, 0, {""}};
  const struct onr_model_options listener = {.size = sizeof(listener), .report = take_need, .report_context = &needs};
  struct onr_error error = {0};
  say_that_it_loads(path);
  const enum onr_status status = try_load(options, path, &listener, loaded, &error);
  progress_end();
  if (status == ONR_STATUS_OK) {
    tell_packed(options, path, loaded->model);
    const int code = keep_weights(options, path, loaded->model);
    if (code) unload(loaded);
    return code;
  }
  if (status != ONR_STATUS_UNSUPPORTED || !needs.count) return report_failure(status, path, &error);
  if (needs.count == 1)
    complain(EXIT_UNSUPPORTED, "UNSUPPORTED: %s: there is no code for %s%s", path, needs.first.text,
             advice(needs.first.text).text);
  return EXIT_UNSUPPORTED;
}

void unload(struct loaded *loaded) {
  onr_session_destroy(loaded->session);
  onr_model_destroy(loaded->model);
  onr_registry_destroy(loaded->registry);
  onr_threads_destroy(loaded->threads);
  *loaded = (struct loaded){0};
}
