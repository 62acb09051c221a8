/* tool.h: what the commands of onnxrun share. */
#ifndef TOOL_H
#define TOOL_H

#include <stdio.h>

#include <stddef.h>
#include <stdint.h>

#include "onnxrun/compile.h"
#include "onnxrun/onnxrun.h"

struct cJSON;

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
  char *name;       /* "" : none */
  const char *file; /* of the command line; NULL: made here */
  struct onr_tensor tensor;
  int64_t frames; /* its first dimension counts frames, one for each run; 0: it is one */
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

/* How a profile is told. */
enum format { FORMAT_TABLE, FORMAT_JSON, FORMAT_CSV, FORMAT_TRACE };

/* What may be said of how an input is made of a picture, sound or bytes; recipe.c has the table. */
enum recipe_field {
  FIELD_RESIZE,
  FIELD_CROP,
  FIELD_RANGE,
  FIELD_MEAN,
  FIELD_STD,
  FIELD_CHANNELS,
  FIELD_LAYOUT,
  FIELD_RATE,
  FIELD_FRAME,
  FIELD_DTYPE,
  FIELD_SHAPE,
  NUM_RECIPE_FIELDS
};

/* Options of all commands; the table in options.c says which command takes which. */
struct options {
  size_t command; /* its row */
  char **paths;   /* in argv */
  size_t num_paths;
  const char **inputs; /* "NAME=FILE", "FILE" */
  size_t num_inputs;
  struct name_size *dims; /* --dim N=4 */
  size_t num_dims;
  const char **limit_words; /* "NAME=VALUE" */
  size_t num_limits;
  struct onr_limits limits; /* 0: the default */
  const char *output;       /* a folder, FILE.npy, .npz or .json, or - */
  const char *recipe;       /* instead of MODEL.json beside the model */
  const char *fields[NUM_RECIPE_FIELDS];
  const char *disabled_passes;
  const char *external_directory;
  const char *state, *prompt;
  uint64_t threads, seed, steps, top;
  double seconds, rtol, atol;
  enum onr_backend backend;
  enum onr_precision precision;
  enum onr_method method; /* of bench --kernels */
  enum format format;
  void (*watch)(void *context, const struct onr_node_run *run); /* of the session; set by commands */
  void *watch_context;
  const char *labels; /* names of classes; of --show the right answers */
  const char *packed; /* a file of packed weights */
  const char *plugin;
  const char *reference, *dump; /* of compare; of run */
  const struct onr_cancel *cancel;
  int packs;        /* `packed` is written */
  int for_source;   /* the model is compiled, not run */
  const char *name; /* of compile */
  enum onr_weights weights;
  int static_arena;
  int json, nodes, profile, kernels, show, all, greedy, cache_int8, help;
};

enum command {
  RUN = 1,
  INFO = 2,
  BENCH = 4,
  GENERATE = 8,
  OPS = 16,
  CHECK = 32,
  PACK = 64,
  REPORT = 128,
  COMPARE = 256,
  COMPILE = 512,
  OPTIMISE = 1024
};

struct command_row {
  const char *name, *arguments, *summary;
  const char *examples; /* lines */
  size_t least_paths, most_paths;
  int replaces_model; /* -o may be the model itself */
  int streams;        /* -o may be -, standard output */
  /* -o is written over a file that begins so; NULL: over any, or the library says over which. */
  int (*is_own)(const unsigned char *bytes, size_t count);
  int (*run)(const struct options *options);
};
extern const struct command_row commands[]; /* in the order of enum command */
enum { NUM_COMMANDS = 11 };

/* --- options.c --- */
/* The words behind the command. 0, or EXIT_USAGE after one line on stderr. */
int parse_options(size_t command, int argc, char **argv, struct options *options);
void free_options(struct options *options);

/* --- kept.c: nothing that a command reads is written over --- */
/* From now on: a file, and all that options name. Each 0, or an exit code after one line on stderr. */
int keep_file(const char *path, const char *what);
int keep_files(const struct options *options);
/* Before a file is opened for writing. 0, or EXIT_USAGE: it is one of them, by device and inode. */
int check_kept(const char *path);
void forget_files(void);

/* --- help.c --- */
void print_usage(FILE *file);
void print_command_help(size_t command);

/* --- errors.c --- */
/* One line on stderr: "onnxrun: SHAPE: FILE: where: message"; returns the exit code for the status. */
int report_failure(enum onr_status status, const char *file, const struct onr_error *error);
/* The same of what makes one file of another: about the source, unless the message names the target. */
int report_write_failure(enum onr_status status, const char *source, const char *target, const struct onr_error *error);
/* "onnxrun: what: FILE: where: message", with the file's name once. */
int report_as(int code, const char *what, const char *file, const struct onr_error *error, const char *hint);
int exit_code_of(enum onr_status status);
/* One line on stderr: "onnxrun: " and the text, made fit for a terminal; returns code. */
int complain(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* "onnxrun: FILE: cannot be written: No space left on device", the reason by errno; EXIT_OTHER, whatever the command.
 */
int complain_file(const char *path, const char *what);

/* --- print.c: what stands on a terminal --- */
/* Text of a file with what a terminal might take for a command as \xNN, cut where it is too long. */
struct shown {
  char text[256];
};
struct shown shown(const char *text);
struct shown shown_bytes(const char *text, size_t length);
/* The text, then spaces up to that many columns. */
void print_padded(const char *text, int columns);
/* Prints and deletes it. 0, or an exit code after one line on stderr. */
int print_json(struct cJSON *root, int in_one_line);
/* To a file, with more characters escaped: those of HTML, which stand in strings only. */
int write_json(FILE *file, struct cJSON *root, int in_one_line, const char *escaped);
/* "1.4 MiB", "12.3 us" */
struct shown shown_bytes_count(double bytes);
struct shown shown_time(double ms);

/* A line that is put together of pieces; ends in "..." when it is too long. */
struct line {
  char text[1600];
};
void line_add(struct line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Words of a list: of a long one the first few, and how many others there are. */
struct listing {
  struct line line;
  size_t count;
};
void listing_add(struct listing *listing, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *listing_text(struct listing *listing); /* "" when nothing was added */

/* --- suggest.c --- */
/* The nearest of the words that were offered, for "did you mean". */
struct suggestion {
  const char *word, *nearest;
  size_t length, distance;
};
struct suggestion suggest_for(const char *word, size_t length);
void suggest(struct suggestion *s, const char *candidate);
/* "; did you mean 'conv'?", or "" */
struct shown suggested(const struct suggestion *s);

/* --- number.c --- */
struct number {
  enum { NO_NUMBER, REAL, INTEGER, NATURAL } kind;
  double real; /* of every kind */
  int64_t integer;
  uint64_t natural;
};
/* Element i; a complex tensor has two for each of its elements. NO_NUMBER: text, and what holds tensors. */
struct number number_at(const struct onr_tensor *tensor, int64_t i);
/* Of all elements of a type. */
int is_real_type(enum onr_dtype dtype);
int is_complex_type(enum onr_dtype dtype);
/* Whole types hold the nearest that they have. 0: there is no way, of complex numbers, text and what holds tensors. */
int number_store(struct onr_tensor *tensor, int64_t i, double value);
/* 0: a whole type does not have it, or a double does not tell it from its neighbours. */
int number_fits(enum onr_dtype dtype, double value);

/* --- recipe.c --- */
enum onr_dtype dtype_of(const char *name); /* "float32"; NONE: there is no such type */

/* --- tensor_list.c --- */
/* Room for so many items of `size` bytes, those that are new zeroed; 0: out of memory. */
int grow(void **items, size_t *capacity, size_t count, size_t size);
/* A new item at the end, zeroed; NULL when out of memory. */
struct named_tensor *list_add(struct tensor_list *list, const char *name);
int list_rename(struct named_tensor *item, const char *name); /* 0: out of memory */
const struct named_tensor *list_find(const struct tensor_list *list, const char *name);
void list_clear(struct tensor_list *list);

/* --- copy_value.c --- */
/* With entries and text, in one block of malloc'ed memory. 0: out of memory. */
int copy_value(const struct onr_tensor *value, struct onr_tensor *copy);
/* The same as a sequence, optional or map of these. */
int copy_entries(enum onr_dtype kind, const struct onr_tensor *entries, int64_t count, struct onr_tensor *copy);

/* --- read_values.c, write_value.c --- each 0, or an exit code after one line on stderr --- */
/* One file of values: .npy (one, without a name), .npz, or ONNX's protobuf (.pb); "-": the next .npy of standard input.
 * declared: the type that the model declares; it says which message a .pb holds, and which type a .npy stands for that
 * NumPy has no type for. */
int read_values(const struct options *options, const char *path, enum onr_dtype declared, struct tensor_list *list);
/* PATH, or for what holds tensors a folder PATH: 0.npy, 1.npy ... of a sequence, keys.npy and values.npy of a map. Maps
 * with one list of keys, as classifiers make them, become one: a row of values for each. */
int write_value(const char *path, const struct onr_tensor *value);

/* Of such maps: their keys, which lie in them, and a matrix with a row of values for each map, in malloc'ed memory;
 * data NULL: out of it. 0: they are none. */
int read_table(const struct onr_tensor *maps, struct onr_tensor *keys, struct onr_tensor *values);

/* --- open_model.c --- */
struct loaded {
  const char *path;
  struct onr_registry *registry; /* of --plugin; NULL: none */
  struct onr_threads *threads;
  struct onr_model *model;
  struct onr_session *session;
  double load_ms;
};
int load(const struct options *options, const char *path, struct loaded *loaded);
/* The same without a word. listener: report, declared and report_context of struct onr_model_options; may be NULL. */
enum onr_status try_load(const struct options *options, const char *path, const struct onr_model_options *listener,
                         struct loaded *loaded, struct onr_error *error);
/* What options say of loading; threads and layers of a plugin go to loaded. */
enum onr_status fill_model_options(const struct options *options, const struct onr_model_options *listener,
                                   struct loaded *loaded, struct onr_model_options *filled, struct onr_error *error);
void unload(struct loaded *loaded);
double now_ms(void);

/* --- states.c --- */
struct inputs;
/* By --state. */
int is_state_input(const struct options *options, const char *name);
int declare_states(const struct options *options, const struct loaded *loaded);
/* Says whether it has a part for each run. */
void find_frames(const struct options *options, const struct onr_model *model, struct named_tensor *item);
/* How many all of them have that have any. */
int count_frames(const struct inputs *inputs, int64_t *frames);
struct onr_tensor frame_of(const struct named_tensor *item, int64_t frame);
/* All outputs of a run, or of one for each frame, put together along a new first dimension. */
struct results {
  struct onr_tensor *items; /* as the model's outputs */
  size_t count;
  int is_owned;
};
int run_frames(const struct options *options, const struct loaded *loaded, struct inputs *inputs,
               struct results *results);
/* A run, or one for each frame; `after` (may be NULL) is called behind each. frames 0: there are none. */
int run_each(const struct options *options, const struct loaded *loaded, struct inputs *inputs,
             int (*after)(void *context, int64_t frame, int64_t frames), void *context);
void clear_results(struct results *results);

/* --- progress.c: a line on standard error that comes and goes, where it is a terminal --- */
/* At most ten times a second, once the work has lasted for a while. */
void progress(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* At once, for work that is one call. */
void progress_now(const char *text);
/* Before something else is printed. */
void progress_clear(void);
void progress_end(void);

/* --- array_text.c --- */
/* The elements behind "name type[shape]", and a line feed: all, or as many as tell what is in it. */
void print_array(const struct onr_tensor *y, int all);
/* The first few, with nothing behind them. */
void print_array_line(const struct onr_tensor *y);

/* --- answers.c, top.c: what a classifier says --- */
enum meaning { PROBABILITIES, LOG_PROBABILITIES, LOGITS };
/* Scores [N,CLASSES], with any dimensions of 1 behind. One class: the probability of 1, or its logit. */
struct answers {
  const struct onr_tensor *y;
  int64_t count, classes;
  enum meaning meaning;
};
/* 0: they are no scores of `count` things; count -1: of any number. */
int read_answers(const struct onr_tensor *y, int64_t count, struct answers *a);
double answer_score(const struct answers *a, int64_t n, int64_t class);
double answer_probability(const struct answers *a, int64_t n, int64_t class);
/* What the percentages are of, NULL: the scores themselves. */
const char *answer_source(const struct answers *a);
/* The likeliest classes of each row, with bars. */
/* Names by --labels or the recipe. */
int has_labels(const struct options *options);
int print_top(const struct options *options, const struct loaded *loaded, const struct results *results);

/* --- interrupt.c --- */
/* From now on a signal that would end the program sets this instead, once. */
const struct onr_cancel *interrupt_begin(void);
/* Ends the program by the signal that has come, if one has; else returns code. */
int interrupt_end(int code);

/* --- plugin.c --- */
/* What --plugin adds. *registry NULL: nothing. The library stays for as long as the program runs. */
enum onr_status load_plugin(const char *path, struct onr_registry **registry, struct onr_error *error);

/* --- output_names.c --- */
struct file_name {
  char text[240];
};
/* After a run: a file (or folder, of what holds tensors) for each output, no two the same, to be freed; NULL: out of
 * memory. */
struct file_name *output_names(const struct loaded *loaded);

/* What of a name may be in the name of a file, as much as there is room for; else '_'. */
void file_name_of(const char *name, char *target, size_t size);

/* --- save.c: outputs go where -o says --- */
/* Before the run: makes the folders, and refuses what cannot be done. */
int prepare_output(const struct options *options, const struct onr_model *model);
/* The path, and the folders that it goes through. */
int make_folders(const char *path);
/* 0, or EXIT_USAGE: a name as of a file, FILE.txt, where a folder is to be. hint: what files there are. */
int check_folder(const char *option, const char *path, const char *hint);
int save_outputs(const struct options *options, const struct loaded *loaded, const struct results *results);
int npz_write(const char *path, const struct onr_model *model, const struct results *results);

/* --- write_json.c --- */
/* {"NAME": {"dtype": "float32", "shape": [1, 2], "data": [[1, 2]]}}; NaN and infinities as strings. */
void put_json(FILE *file, const struct onr_model *model, const struct results *results);

/* --- dims.c: dynamic dimensions of inputs --- */
/* Its name, or "INPUT.0" where it has none. */
const char *dim_label(const struct onr_value_info *info, int32_t d, char *text, size_t size);
/* "float32[batch,3,?]" */
const char *declared_text(const struct onr_value_info *info, char *text, size_t size);
/* Every --dim names a dimension, once. */
int check_dims(const struct options *options, const struct onr_model *model);
/* No --dim says another size than a file has. */
int check_dims_of_files(const struct options *options, const struct onr_model *model, const struct tensor_list *inputs);
/* The size of a dimension by --dim, or by an input that is in the list already; -1: neither. */
int64_t dim_size(const struct options *options, const struct onr_model *model, const struct tensor_list *inputs,
                 const struct onr_value_info *info, int32_t d);

/* --- inputs.c --- */
/* A dimension that nobody gave. */
struct guess {
  const struct onr_value_info *info;
  int32_t d;
  int64_t size;
};

struct inputs {
  struct tensor_list list;
  size_t num_files; /* the first ones come from files, the others are random */
  struct guess *guessed;
  size_t num_guessed;
};
/* The inputs that files give; dimensions are checked. */
int read_inputs(const struct options *options, const struct onr_model *model, struct tensor_list *list);
/* Files for the named inputs, random tensors for the others; sets them on the session and plans. With `problem`, shapes
 * that do not fit are no failure: they are told there, and the session has no plan. */
int make_inputs(const struct options *options, const struct loaded *loaded, struct inputs *inputs,
                struct line *problem);
/* States begin empty where their sizes are open; a model that only takes full ones is given zeros, of --dim or 1.
 * 0: there is no such state. */
int begin_states(const struct options *options, const struct loaded *loaded, struct inputs *inputs);
/* What is random, and which sizes were guessed, on stderr. */
void say_what_is_random(const struct options *options, const struct inputs *inputs);
/* After a run failed: as report_failure, and says what of the inputs may be the reason. */
int report_run_failure(enum onr_status status, const struct options *options, const struct loaded *loaded,
                       const struct inputs *inputs, const struct onr_error *error);
void clear_inputs(struct inputs *inputs);

/* --- random_inputs.c --- */
void fill_random(struct onr_tensor *tensor, uint64_t *state);

/* --- compare.c --- */
/* 1 when found agrees with expected; else 0 and a reason. */
int agrees(const struct onr_tensor *found, const struct onr_tensor *expected, double rtol, double atol, char *reason,
           size_t size);

/* --- show.c --- */
void terminal_size(int *columns, int *rows);
/* Pictures and answers in the terminal. labels->data NULL: none. 0, or an exit code after one line on stderr. */
int show(const struct onr_tensor *x, const struct onr_tensor *y, const struct onr_tensor *labels);

/* --- commands --- */
int command_run(const struct options *options);
int command_info(const struct options *options);
int command_generate(const struct options *options);
int command_ops(const struct options *options);
int command_bench(const struct options *options);
int command_check(const struct options *options);
int command_pack(const struct options *options);
int command_optimise(const struct options *options);
int command_report(const struct options *options);
int command_compare(const struct options *options);
int command_compile(const struct options *options);
/* bench --kernels; `begin` is called before the first word is printed, which it may send elsewhere. */
int bench_kernels(const struct options *options, int (*begin)(const struct options *options));

#endif
