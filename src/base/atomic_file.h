/* atomic_file.h: a file that is written under another name beside its place, so that there is never half of it. */
#ifndef ONRI_ATOMIC_FILE_H
#define ONRI_ATOMIC_FILE_H

#include <stdio.h>

#include "base/memory/memory.h"

#define ONRI_NOT_WRITTEN "it cannot be written (is the disk full?)"

struct onri_atomic_file {
  const struct onr_allocator *allocator;
  const char *path; /* its place */
  char *name;       /* that it has until then */
  FILE *file;       /* of that name, empty, to be written and read */
  int is_there;     /* under that name */
  int lacks_memory; /* why it was not begun */
};

/* What is in its place already is replaced where is_ours says so of its first bytes (512, or all there are), or where
 * it is empty. Each returns NULL, or why it cannot be done; onri_atomic_file_end comes last in any case. */
const char *onri_atomic_file_begin(struct onri_atomic_file *f, const char *path,
                                   int (*is_ours)(const unsigned char *first, size_t bytes),
                                   const struct onr_allocator *allocator);
/* All that was written has arrived. */
const char *onri_atomic_file_close(struct onri_atomic_file *f);
const char *onri_atomic_file_place(struct onri_atomic_file *f);
/* What has not taken its place is gone. Accepts what is zeroed. */
void onri_atomic_file_end(struct onri_atomic_file *f);
/* The error of a `why`, with the name of the place; before end. */
enum onr_status onri_atomic_file_fail(const struct onri_atomic_file *f, const char *why, struct onr_error *error);

#endif
