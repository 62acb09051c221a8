/* npy.h: NumPy's file format, versions 1.0 to 3.0. */
#ifndef TOOL_NPY_H
#define TOOL_NPY_H

#include "tool.h"

/* What the header says. */
struct npy_header {
  struct onr_desc desc; /* dtype STRING for U and S */
  char letter;          /* of the type: 'f', 'i', 'u', 'b', 'c', 'U', 'S', 'V' */
  size_t item_bytes;    /* of an element in the file */
  int swapped, fortran; /* big-endian; the first dimension varies fastest */
};

/* Bytes that come one after the other, from a file or from a member of an archive. */
struct byte_stream {
  const char *where; /* for messages */
  size_t (*read)(void *context, void *target, size_t bytes);
  void *context;
  uint64_t left; /* bytes; UINT64_MAX: not known */
  uint64_t most; /* bytes that the value may take in memory */
};

/* --- npy_header.c --- */
/* The dictionary, in any of the ways that Python may write it. 0, or EXIT_USAGE after one line on stderr. */
int npy_header_parse(const char *where, const char *text, size_t length, enum onr_dtype declared,
                     struct npy_header *header);
/* Length of the text for what npy_write makes; -1: NumPy has no such type. width, letter: of strings. */
int npy_header_format(const struct onr_desc *desc, char letter, size_t width, char *text, size_t size);
/* What NumPy writes as `stored` may be the bits of `meant`, for which it has no type. */
int npy_stands_for(enum onr_dtype stored, enum onr_dtype meant);
/* Bits of an element that the type uses; 0: all. */
int npy_used_bits(enum onr_dtype dtype);

/* --- npy_layout.c --- */
/* Elements in file order to C order, little-endian, in place but for Fortran order. 0: out of memory. */
int npy_to_native(const struct npy_header *header, void **data);

/* --- npy_text.c --- */
/* Strings of the file's elements, with their text behind them in one block; frees nothing. 0, or an exit code. */
int npy_text_read(const char *where, const struct npy_header *header, const void *data, struct onr_tensor *tensor);
/* U where all strings are UTF-8, else S, and how many characters of it the longest has (1 or more). */
char npy_text_type(const struct onr_tensor *tensor, size_t *width);
int npy_text_write(FILE *file, const struct onr_tensor *tensor, char letter, size_t width);

/* --- npy.c, npz.c --- each 0, or an exit code after one line on stderr --- */
#define NPY_MAGIC "\x93NUMPY"
enum { NPY_MAGIC_BYTES = 6 };
/* From behind the magic bytes on. declared: a type that NumPy lacks, for the bits of it; NONE: none. */
int npy_read(struct byte_stream *stream, enum onr_dtype declared, struct onr_tensor *tensor);
/* The same of a file that stands behind the magic bytes. */
int read_npy(const char *path, FILE *file, uint64_t most, enum onr_dtype declared, struct onr_tensor *tensor);
int npy_write(const char *path, const struct onr_tensor *tensor);
/* To a stream; failures of writing are left to its owner. */
int npy_put(FILE *file, const char *where, const struct onr_tensor *tensor);
int npz_read(const char *path, uint64_t most, enum onr_dtype declared, struct tensor_list *list);
/* The same of an archive in memory. */
int npz_read_memory(const char *where, const void *bytes, size_t size, uint64_t most, enum onr_dtype declared,
                    struct tensor_list *list);
/* What begins so is an archive. */
int is_archive(const char *magic, size_t count);

#endif
