/* recipe.h: how an input is made of a file that holds no array: a picture, sound, or bytes. */
#ifndef TOOL_RECIPE_H
#define TOOL_RECIPE_H

#include "tool.h"

struct size2 {
  int64_t width, height; /* 0: not said; height alone 0: both sides, or the shorter one */
};

struct recipe {
  /* pictures */
  struct size2 resize, crop;
  double range, mean[4], std[4]; /* range 0: not said */
  size_t num_mean, num_std;
  enum channels { CHANNELS_OF_MODEL, RGB, BGR, GRAY } channels;
  enum layout { LAYOUT_OF_MODEL, NCHW, NHWC } layout;
  /* sound */
  int64_t rate, frame, hop; /* 0: not said */
  /* bytes */
  enum onr_dtype dtype; /* NONE: the model's */
  int is_shaped;        /* shape was said */
  int32_t rank;
  int64_t dim[ONR_MAX_RANK];
};

/* MODEL.json beside the model, or --recipe FILE. */
struct recipe_file {
  struct cJSON *root; /* NULL: there is none */
  const char *path;
  char *labels;   /* a path; NULL: it names none */
  unsigned kinds; /* bits of enum recipe_kind: what inputs were made of so far */
};
/* What a field is about. */
enum recipe_kind { RECIPE_PICTURES, RECIPE_SOUNDS, RECIPE_BYTES };
int recipe_open(const struct options *options, struct recipe_file *file);
void recipe_close(struct recipe_file *file);
/* 0, or EXIT_USAGE: the file says what nobody hears. */
int recipe_check(const struct options *options, const struct recipe_file *file, const struct onr_model *model);
/* The same of the options, when all inputs are read. */
int recipe_check_use(const struct options *options, const struct recipe_file *file);
/* Of an input: the file's, and what options say instead. */
int recipe_of(const struct options *options, const struct recipe_file *file, const char *input, struct recipe *recipe);

/* What standard input holds: the next .npy, where there are several; an .npz; else all of it, which needs an input to
 * be made for. info and recipe may be NULL, kinds with them. */
int read_standard_input(const struct options *options, const struct onr_value_info *info, const struct recipe *recipe,
                        enum onr_dtype declared, unsigned *kinds, struct tensor_list *list);
/* A file, or a value as it stands on the command line, for an input. */
int read_for_input(const struct options *options, struct recipe_file *recipes, const char *file,
                   const struct onr_value_info *info, struct tensor_list *list);

/* --- what makes tensors; each 0, or an exit code after one line on stderr --- */
/* The rest of a stream, at most `most` bytes; "first" are bytes that have been read of it. */
int read_all(FILE *file, const char *where, const void *first, size_t num_first, uint64_t most, void **data,
             size_t *size);

/* Bytes of a mark of UTF-8 that text begins with, which some editors put there. */
size_t byte_order_mark(const void *text, size_t size);

/* info is the input that it is made for. */
int is_picture(const void *bytes, size_t size);
int read_picture(const struct options *options, const char *where, const void *bytes, size_t size,
                 const struct onr_value_info *info, const struct recipe *recipe, struct onr_tensor *tensor);
int is_sound(const void *bytes, size_t size);
/* *frames: how many there are, the first dimension of the tensor; 0: it is one. */
int read_sound(const struct options *options, const char *where, const void *bytes, size_t size,
               const struct onr_value_info *info, const struct recipe *recipe, struct onr_tensor *tensor,
               int64_t *frames);
int read_raw(const struct options *options, const char *where, const void *bytes, size_t size,
             const struct onr_value_info *info, const struct recipe *recipe, struct onr_tensor *tensor);
/* Nested lists of numbers, booleans or strings. */
int read_json(const char *where, const char *text, size_t size, const struct onr_value_info *info,
              struct onr_tensor *tensor);
/* Each line is a string. */
int read_lines(const char *where, const char *text, size_t size, const struct onr_value_info *info,
               struct onr_tensor *tensor);

/* A tensor of that type and shape, of zeros. tensor_bytes bounds it. */
int make_tensor(const struct options *options, const char *where, const struct onr_desc *desc,
                struct onr_tensor *tensor);
/* Dimensions that a model declares beyond those that there are: ones, in front. */
void add_leading_ones(const struct onr_value_info *info, struct onr_desc *desc);
/* The bytes that one tensor may take, by --limit or by default. */
uint64_t tensor_bytes(const struct options *options);

#endif
