/* cmd_run.c: once, outputs into .npy files or as a short text. */
#include <stdlib.h>
#include <string.h>

#include "onnxrun/sequence.h"
#include "step_values.h"

static void print_element(const struct onr_tensor *y, int64_t i) {
  const struct number number = number_at(y, i);
  if (y->desc.dtype == ONR_DTYPE_STRING) {
    const struct onr_string *string = (const struct onr_string *)y->data + i;
    printf(" \"%s%s\"", shown_bytes(string->text, string->length < 64 ? string->length : 64).text,
           string->length > 64 ? "..." : "");
  } else if (number.kind == REAL) {
    printf(" %.6g", number.real);
  } else if (number.kind == INTEGER) {
    printf(" %lld", (long long)number.integer);
  } else if (number.kind == NATURAL) {
    printf(" %llu", (unsigned long long)number.natural);
  } else {
    printf(" 0x%02x", ((const uint8_t *)y->data)[i]);
  }
}

static void print_elements(const struct onr_tensor *y) {
  const int is_complex = y->desc.dtype == ONR_DTYPE_C64 || y->desc.dtype == ONR_DTYPE_C128;
  const int64_t count = onr_desc_elements(&y->desc) * (is_complex ? 2 : 1), shown_ones = count < 6 ? count : 6;
  for (int64_t i = 0; i < shown_ones; i++) print_element(y, i);
  printf("%s", count > shown_ones ? " ..." : "");
}

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
      print_elements(&entry);
    }
  }
  if (count > 2) printf(" ... %lld entries", (long long)count);
}

static void print_values(const struct onr_tensor *y) {
  const int64_t entries = onr_sequence_length(y);
  if (entries >= 0) {
    printf(" of %lld:", (long long)entries);
    print_entries(y, entries);
  }
  if (entries < 0) print_elements(y);
  puts("");
}

static void print_outputs(const struct loaded *l) {
  for (size_t i = 0; i < onr_model_num_outputs(l->model); i++) {
    struct onr_tensor y;
    char text[160];
    onr_session_get_output(l->session, i, &y, NULL);
    printf("%s %s", shown(onr_model_output(l->model, i)->name).text, onr_desc_format(&y.desc, text, sizeof(text)));
    print_values(&y);
  }
}

static int read_labels(const struct options *options, const char *path, struct tensor_list *list) {
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

static int run_and_tell(const struct options *options, const struct loaded *l, const struct inputs *inputs,
                        struct dump *dump) {
  struct onr_error error = {0};
  const enum onr_status status = onr_session_run(l->session, &error);
  int code = options->dump ? dump_end(dump) : EXIT_OK;
  if (code) return code;
  if (status != ONR_STATUS_OK) return report_run_failure(status, options, l, inputs, &error);
  say_what_is_random(options, inputs);
  if (options->show) code = show_result(options, l, &inputs->list);
  if (options->output && !code) code = save_outputs(options, l);
  else if (!options->show) print_outputs(l);
  return code;
}

int command_run(const struct options *options) {
  struct loaded l;
  struct inputs inputs;
  struct options own = *options;
  struct dump dump = {.folder = options->dump};
  if (options->dump) {
    own.watch = dump_watch;
    own.watch_context = &dump;
  }
  int code = load(&own, options->paths[0], &l);
  if (code) return code;
  code = make_inputs(options, &l, &inputs, NULL);
  if (!code && options->output) code = prepare_output(options, l.model);
  if (!code && options->dump) code = dump_begin(&dump);
  if (!code) code = run_and_tell(options, &l, &inputs, &dump);
  unload(&l);
  clear_inputs(&inputs);
  return code;
}
