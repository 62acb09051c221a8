/* external.h: where the contents of tensors come from: the model file, and files beside it. */
#ifndef ONRI_EXTERNAL_H
#define ONRI_EXTERNAL_H

#include "base/digest.h"
#include "base/memory/memory.h"
#include "onnx.pb-c.h"
#include "onnx/file/names.h"
#include "onnx/file/source.h"

struct onri_external_file {
  const char *location;      /* as in the model, escaped for messages elsewhere */
  struct onri_source source; /* fd -1: opened again for each read */
  uint64_t device, inode;    /* a file that is opened again must be the same one */
  struct onri_reads reads;   /* where the sources track them */
};

/* Owns all files of one model; constants that are not loaded yet refer to it. Reading is safe from several threads. */
struct onri_sources {
  const struct onr_allocator *allocator;
  struct onri_arena arena; /* for what load functions need, and strings of STRING tensors */
  struct onri_source main;
  int data_stays;     /* main is memory that outlives the sources */
  int directories[2]; /* the model's own, and the caller's extra one; -1: none */
  struct onri_external_file **files;
  size_t num_files, files_capacity;
  struct onri_names locations;
  int tracks; /* reads are noted; one thread reads */
  struct onri_reads reads;
  void *image; /* a packed model, mapped; NULL: none */
  size_t image_bytes;
};

enum onr_status onri_sources_create(const struct onr_allocator *allocator, struct onri_sources **sources,
                                    struct onr_error *error);
void onri_sources_destroy(void *sources /* struct onri_sources *, or NULL */);
/* Opens the model file, and its directory, or takes memory. extra_directory may be NULL. IO on failure. */
enum onr_status onri_sources_open(struct onri_sources *sources, const char *path, const char *extra_directory,
                                  struct onr_error *error);
enum onr_status onri_sources_set_memory(struct onri_sources *sources, const void *data, size_t bytes,
                                        const char *extra_directory, struct onr_error *error);

/* A file that a packed model holds. NO_MEMORY, or EXTERNAL when there is one of that location. */
enum onr_status onri_sources_add_file(struct onri_sources *sources, const char *location, size_t length,
                                      const struct onri_source *source, struct onr_error *error);

/* Whether what is read from here on is noted. */
void onri_sources_track(struct onri_sources *sources, int tracks);

/* Of all files, whole; that reading is not noted. 0: they cannot be read, or are others by now. */
int onri_sources_digest(struct onri_sources *sources, struct onr_env *env, struct onri_digest *digest);
/* The same files for another model, which `from` outlives. */
enum onr_status onri_sources_share(const struct onri_sources *from, struct onri_sources *sources,
                                   struct onr_error *error);
/* Memory becomes a copy that the sources own. */
enum onr_status onri_sources_keep_memory(struct onri_sources *sources, struct onr_error *error);

/* A range of a file. */
struct onri_external {
  struct onri_external_file *file;
  uint64_t offset, bytes;
};
/* The external data of a tensor that has `bytes` bytes in the file. EXTERNAL unless location, offset and length are
 * sound, the location stays beneath one of the directories without passing a symbolic link (hard links are followed:
 * they cannot be told from the file; a link beside the model may lead to a file directly in the extra directory), and
 * the file is a regular one that is long enough. */
enum onr_status onri_external_resolve(struct onri_sources *sources, const Onnx__TensorProto *tensor, uint64_t bytes,
                                      struct onri_external *external, struct onr_error *error);
/* Reads from it; EXTERNAL when the file is another one by now. */
enum onr_status onri_external_read(const struct onri_sources *sources, const struct onri_external_file *file,
                                   uint64_t offset, size_t bytes, void *target, struct onr_error *error);

#endif
