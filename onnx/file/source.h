/* source.h: bytes that are read by position: a file, or the caller's memory. */
#ifndef ONRI_SOURCE_H
#define ONRI_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "onnxrun/status.h"

/* A part of a file that a packed model has kept. */
struct onri_extent {
  uint64_t offset, bytes; /* in the file as it was */
  uint64_t at;            /* in the packed model */
};

/* What has been read of a source, in the order of reading. */
struct onri_reads {
  const struct onr_allocator *allocator;
  struct onri_extent *items;
  size_t count, capacity;
  int failed; /* no memory for all of it */
};

struct onri_source {
  int fd;                    /* -1: in memory */
  const unsigned char *data; /* in memory */
  uint64_t size;
  /* Of a file that a packed model holds in parts, sorted: `image` is the model. */
  const unsigned char *image;
  const struct onri_extent *extents;
  size_t num_extents;
  struct onri_reads *reads; /* NULL: nobody wants to know; else one thread reads */
};

struct onri_source onri_source_memory(const void *data, size_t bytes);
/* A regular file, opened for reading. IO when it cannot be opened or is something else. */
enum onr_status onri_source_open(const char *path, struct onri_source *source, struct onr_error *error);
/* The range must lie within the source (INTERNAL else). IO when the file has become shorter or cannot be read. */
enum onr_status onri_source_read(const struct onri_source *source, uint64_t offset, size_t bytes, void *target,
                                 struct onr_error *error);
/* Bytes that are really there. */
uint64_t onri_source_held(const struct onri_source *source);
/* Accepts a source in memory, and a closed one. */
void onri_source_close(struct onri_source *source);
/* Fills in size from an open descriptor that must be a regular file; returns 0 when it is not one. */
int onri_source_from_descriptor(int fd, struct onri_source *source);

#endif
