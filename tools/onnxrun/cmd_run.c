/* cmd_run.c: once, or once for each frame; outputs into files or as text. */
#define _POSIX_C_SOURCE 200809L /* access */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "onnxrun/sequence.h"
#include "recipe.h"
#include "step_values.h"

/* The entries of what holds tensors: as many as fit on a line. */
static void print_entries(const struct onr_tensor *y, int64_t count) {
  char text[160];
  for (int64_t i = 0; i < count && i < 2; i++) {
    const struct onr_tensor entry = onr_sequence_entry(y, i);
    const int64_t inside = onr_sequence_length(&entry);
    if (inside >= 0) {
      printf(" %s {", onr_dtype_name(entry.desc.dtype));
      print_entries(&entry, inside);
      printf(" }");
    } else {
      printf(" %s", onr_desc_format(&entry.desc, text, sizeof(text)));
      print_array_line(&entry);
    }
  }
  if (count > 2) printf(" ... %lld entries", (long long)count);
}

static void print_outputs(const struct options *options, const struct loaded *l, const struct results *r) {
  for (size_t i = 0; i < r->count; i++) {
    const struct onr_tensor *y = &r->items[i];
    const int64_t entries = onr_sequence_length(y);
    char text[160];
    printf("%s %s", shown(onr_model_output(l->model, i)->name).text, onr_desc_format(&y->desc, text, sizeof(text)));
    if (entries < 0) {
      print_array(y, options->all);
      continue;
    }
    printf(" of %lld:", (long long)entries);
    print_entries(y, entries);
    putchar('\n');
  }
}

static int read_labels(const struct options *options, const char *path, struct tensor_list *list) {
  const char *dot = strrchr(path, '.');
  if (dot && (!strcmp(dot, ".txt") || !strcmp(dot, ".json")))
    return complain(EXIT_USAGE,
                    "--labels %s: with --show labels are the right answers, numbers in a .npy; --top shows "
                    "names",
                    path);
  const int code = read_values(options, path, ONR_DTYPE_NONE, list);
  if (code || list->count == 1) return code;
  return complain(EXIT_USAGE, "%s: expected one tensor of labels, found %zu", path, list->count);
}

static int show_result(const struct options *options, const struct loaded *l, const struct tensor_list *inputs) {
  const struct onr_value_info *input = onr_model_input(l->model, 0);
  const struct onr_tensor none = {0};
  struct tensor_list labels = {0};
  struct onr_tensor y;
  int code = EXIT_OK;
  if (!input || onr_session_get_output(l->session, 0, &y, NULL) != ONR_STATUS_OK)
    return complain(EXIT_USAGE, "--show: %s has no %s", l->path, input ? "output" : "input");
  if (options->labels) code = read_labels(options, options->labels, &labels);
  if (!code)
    code = show(&list_find(inputs, input->name)->tensor, &y, options->labels ? &labels.items[0].tensor : &none);
  list_clear(&labels);
  return code;
}

/* Names of classes, unless --labels are the right answers that --show compares with. */
static int wants_top(const struct options *options) { return options->top || (options->labels && !options->show); }

/* It names the classes when all is written: until then it is there. */
static int keep_recipe(const struct options *options) {
  struct recipe_file recipe;
  const int code = recipe_open(options, &recipe);
  recipe_close(&recipe);
  return code;
}

static int tell(const struct options *options, const struct loaded *l, const struct inputs *inputs,
                const struct results *r) {
  const int is_text = !options->show && !options->output && !options->json && !options->all;
  const int top = wants_top(options) || (is_text && has_labels(options));
  int code = EXIT_OK;
  if (options->show) code = show_result(options, l, &inputs->list);
  if (code) return code;
  if (options->output) code = save_outputs(options, l, r);
  else if (options->json) put_json(stdout, l->model, r);
  else if (!options->show && !top) print_outputs(options, l, r);
  return !code && top ? print_top(options, l, r) : code;
}

static int run_and_tell(const struct options *options, const struct loaded *l, struct inputs *inputs,
                        struct dump *dump) {
  struct results results;
  int code = run_frames(options, l, inputs, &results);
  const int dumped = options->dump ? dump_end(dump) : EXIT_OK;
  if (!code) code = dumped;
  if (!code) {
    say_what_is_random(options, inputs);
    code = tell(options, l, inputs, &results);
  }
  clear_results(&results);
  return code;
}

int command_run(const struct options *options) {
  struct loaded l;
  struct inputs inputs = {0};
  struct options own = *options;
  struct dump dump = {.folder = options->dump};
  if (options->output && !strcmp(options->output, "-") && (wants_top(options) || options->dump))
    return complain(EXIT_USAGE,
                    "run: -o - writes arrays to standard output, where --top, --labels and --dump-all print");
  if (options->labels && access(options->labels, R_OK)) return complain_file(options->labels, "cannot be opened");
  if (options->dump) {
    own.watch = dump_watch;
    own.watch_context = &dump;
  }
  int code = load(&own, options->paths[0], &l);
  if (code) return code;
  code = make_inputs(options, &l, &inputs, NULL);
  if (!code && wants_top(options)) code = keep_recipe(options);
  if (!code && options->output) code = prepare_output(options, l.model);
  if (!code && options->dump) code = dump_begin(&dump, l.session);
  if (!code) code = run_and_tell(options, &l, &inputs, &dump);
  unload(&l);
  clear_inputs(&inputs);
  return code;
}
