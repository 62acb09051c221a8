/* run: once, outputs into .npy files or as a short text. */
#define _POSIX_C_SOURCE 200809L /* mkdir */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "onnxrun/sequence.h"
#include "tool.h"

/* DIR/NAME; characters that do not belong into file names become '_', and so does a dot in front. */
static void output_path(const char *directory, const char *name, char *path, size_t size) {
  const size_t length = (size_t)snprintf(path, size, "%s/", directory), start = length < size ? length : size - 1;
  size_t n = start;
  for (; *name && n + 1 < size; name++) {
    const char c = *name;
    const int plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c == '.' && n > start) || c == '_' || c == '-';
    path[n++] = plain ? c : '_';
  }
  path[n] = '\0';
}

/* What a terminal might take for a command becomes '?'. */
static void print_string(const struct onr_string *string) {
  printf(" \"");
  for (size_t i = 0; i < string->length && i < 64; i++) {
    const unsigned char c = (unsigned char)string->text[i];
    putchar(c < ' ' || c == 127 ? '?' : c);
  }
  printf(string->length > 64 ? "...\"" : "\"");
}

static void print_elements(const struct onr_tensor *y) {
  const int64_t count = onr_desc_elements(&y->desc), shown = count < 6 ? count : 6;
  for (int64_t i = 0; i < shown; i++) switch (y->desc.dtype) {
      case ONR_DTYPE_F32: printf(" %.6g", (double)((const float *)y->data)[i]); break;
      case ONR_DTYPE_F64: printf(" %.6g", ((const double *)y->data)[i]); break;
      case ONR_DTYPE_I64: printf(" %lld", (long long)((const int64_t *)y->data)[i]); break;
      case ONR_DTYPE_I32: printf(" %d", ((const int32_t *)y->data)[i]); break;
      case ONR_DTYPE_BOOL: printf(" %d", ((const uint8_t *)y->data)[i]); break;
      case ONR_DTYPE_STRING: print_string((const struct onr_string *)y->data + i); break;
      default: break;
    }
  printf("%s", count > shown ? " ..." : "");
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
  if (entries >= 0) print_entries(y, entries);
  else print_elements(y);
  puts("");
}

static int write_outputs(const struct options *options, const struct loaded *l) {
  struct onr_error error = {0};
  for (size_t i = 0; i < onr_model_num_outputs(l->model); i++) {
    const char *name = onr_model_output(l->model, i)->name;
    struct onr_tensor y;
    char text[160], path[4096];
    const enum onr_status status = onr_session_get_output(l->session, i, &y, &error);
    if (status != ONR_STATUS_OK) return report_failure(status, &error);
    printf("%s %s", name, onr_desc_format(&y.desc, text, sizeof(text)));
    if (!options->output_directory) {
      print_values(&y);
      continue;
    }
    output_path(options->output_directory, name, path, sizeof(path));
    const int code = write_value(path, &y);
    if (code) return code;
    printf(" -> %s%s\n", path, onr_sequence_length(&y) < 0 ? ".npy" : "/");
  }
  return EXIT_OK;
}

static int show_result(const struct options *options, const struct loaded *l, const struct tensor_list *inputs) {
  struct onr_tensor y, labels = {0};
  struct onr_error error = {0};
  const struct onr_value_info *input = onr_model_input(l->model, 0);
  int code = EXIT_OK;
  const enum onr_status status = onr_session_get_output(l->session, 0, &y, &error);
  if (status != ONR_STATUS_OK) return report_failure(status, &error);
  if (!input) return complain(EXIT_USAGE, "--show: the model has no input");
  if (options->labels) code = npy_read(options->labels, &labels);
  if (!code) code = show(&list_find(inputs, input->name)->tensor, &y, &labels);
  onr_tensor_release(NULL, &labels);
  return code;
}

int command_run(const struct options *options) {
  struct loaded l;
  struct tensor_list inputs = {0};
  struct onr_error error = {0};
  if (options->output_directory && mkdir(options->output_directory, 0777) != 0 && errno != EEXIST)
    return complain(EXIT_OTHER, "%s: %s", options->output_directory, strerror(errno));
  int code = load(options, options->paths[0], &l);
  if (code) return code;
  code = make_inputs(options, &l, &inputs);
  if (!code) {
    const enum onr_status status = onr_session_run(l.session, &error);
    if (status != ONR_STATUS_OK) code = report_failure(status, &error);
    else if (options->show) code = show_result(options, &l, &inputs);
    else code = write_outputs(options, &l);
  }
  unload(&l);
  list_clear(&inputs);
  return code;
}
