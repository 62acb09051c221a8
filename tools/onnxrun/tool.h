/* tool.h: what the commands of onnxrun share. */
#ifndef TOOL_H
#define TOOL_H

#include <stdio.h>

#include <stddef.h>
#include <stdint.h>

#include "onnxrun/onnxrun.h"

/* Exit codes that other programs rely on. */
enum exit_code {
  EXIT_OK = 0,
  EXIT_DIFFERENT = 1,
  EXIT_USAGE = 2,
  EXIT_MODEL = 3,
  EXIT_UNSUPPORTED = 4,
  EXIT_OTHER = 5,
};

/* A tensor with a name, in malloc'ed memory. */
struct named_tensor {
  char name[512];
  struct onr_tensor tensor;
};

struct tensor_list {
  struct named_tensor *items;
  size_t count, capacity;
};

struct name_size {
  const char *name; /* points into argv; ends at '=' */
  size_t length;
  int64_t size;
};

/* Options of all commands; each command documents those that it reads. */
struct options {
  const char *paths[1024];
  size_t num_paths;
  const char *inputs[256]; /* "NAME=FILE" or "FILE.npz" */
  size_t num_inputs;
  struct name_size dims[64]; /* --dim N=4 */
  size_t num_dims;
  const char *output_directory;
  const char *disabled_passes;
  const char *external_directory;
  uint32_t threads;
  uint64_t seed;
  double seconds, rtol, atol;
  enum onr_backend backend;
  struct onr_limits limits; /* 0: the default */
  const char *labels; /* .npy; for --show */
  int json, nodes, profile, show;
};

/* --- options.c --- */
/* 0, or EXIT_USAGE after one line on stderr. */
int parse_options(int argc, char **argv, struct options *options);
/* A line for each limit of --limit on stdout, with its default. */
void print_limits(void);

/* --- report.c --- */
/* One line on stderr: "onnxrun: SHAPE: where: message"; returns the exit code for the status. */
int report_failure(enum onr_status status, const struct onr_error *error);
/* One line on stderr: "onnxrun: " and the text; returns code. */
int complain(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* --- tensor_list.c --- */
/* A new item at the end, zeroed; NULL when out of memory. */
struct named_tensor *list_add(struct tensor_list *list, const char *name);
const struct named_tensor *list_find(const struct tensor_list *list, const char *name);
void list_clear(struct tensor_list *list);

/* --- npy.c, npz.c --- each 0, or an exit code after one line on stderr --- */
int npy_read(const char *path, struct onr_tensor *tensor);
int npy_parse(const char *path, const unsigned char *bytes, size_t size, struct onr_tensor *tensor);
int npy_write(const char *path, const struct onr_tensor *tensor);
/* Strings: characters of the longest (1 or more), and their bytes in a .npy; 0 when the file cannot take them. */
size_t npy_text_width(const struct onr_tensor *tensor);
int npy_text_write(FILE *file, const struct onr_tensor *tensor, size_t width);
/* PATH.npy, or for what holds tensors a folder PATH: 0.npy, 1.npy ... of a sequence, keys.npy and values.npy of a map. Maps with
 * one list of keys, as classifiers make them, become one: a row of values for each. */
int write_value(const char *path, const struct onr_tensor *value);
int npz_read(const char *path, struct tensor_list *list);

/* --- model.c --- */
struct loaded {
  struct onr_threads *threads;
  struct onr_model *model;
  struct onr_session *session;
  double load_ms;
};
int load(const struct options *options, const char *path, struct loaded *loaded);
void unload(struct loaded *loaded);
double now_ms(void);

/* --- inputs.c --- */
/* Files for the named inputs, random tensors for the others. Sets them on the session. */
int make_inputs(const struct options *options, const struct loaded *loaded, struct tensor_list *inputs);
/* One file of values: .npy (one, without a name), .npz, .pb (kind: what the model declares, for sequences and optionals). */
int read_tensors(const char *path, enum onr_dtype kind, struct tensor_list *list);

/* --- compare.c --- */
/* 1 when found agrees with expected; else 0 and a reason. */
int agrees(const struct onr_tensor *found, const struct onr_tensor *expected, double rtol, double atol, char *reason, size_t size);

/* --- show.c --- */
/* Pictures and answers in the terminal. labels->data NULL: none. 0, or an exit code after one line on stderr. */
int show(const struct onr_tensor *x, const struct onr_tensor *y, const struct onr_tensor *labels);

/* --- commands --- */
int command_run(const struct options *options);
int command_info(const struct options *options);
int command_ops(const struct options *options);
int command_bench(const struct options *options);
int command_check(const struct options *options);

#endif
