/* source.h: bytes that are read by position: a file, or the caller's memory. */
#ifndef ONRI_SOURCE_H
#define ONRI_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "onnxrun/status.h"

struct onri_source {
  int fd;                    /* -1: in memory */
  const unsigned char *data; /* in memory */
  uint64_t size;
};

struct onri_source onri_source_memory(const void *data, size_t bytes);
/* A regular file, opened for reading. IO when it cannot be opened or is something else. */
enum onr_status onri_source_open(const char *path, struct onri_source *source, struct onr_error *error);
/* The range must lie within the source (INTERNAL else). IO when the file has become shorter or cannot be read. */
enum onr_status onri_source_read(const struct onri_source *source, uint64_t offset, size_t bytes, void *target,
                                 struct onr_error *error);
/* Accepts a source in memory, and a closed one. */
void onri_source_close(struct onri_source *source);
/* Fills in size from an open descriptor that must be a regular file; returns 0 when it is not one. */
int onri_source_from_descriptor(int fd, struct onri_source *source);

#endif
