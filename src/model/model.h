/* model.h: struct onr_model, and how an importer makes one. */
#ifndef ONRI_MODEL_H
#define ONRI_MODEL_H

#include "model/name_index.h"
#include "graph/graph.h"
#include "model/packed_file.h"
#include "base/memory/blocks.h"
#include "onnxrun/model.h"

/* An input that the caller may leave out. As declared; the graph holds its value as a constant. */
struct onri_default {
  const char *name;
  struct onr_desc desc;
  const char *const *dim_names; /* [rank] or NULL */
};

/* The file of packed weights that the options name. */
struct onri_packed_use {
  const char *path; /* NULL: none */
  int writes;
  const char *passes; /* that were left out */
  struct onri_packed_key key;
  char note[160];
  /* In a packed model: the file of packed weights that is a part of it; NULL: the model is none. */
  const unsigned char *part;
  size_t part_bytes;
  int has_holes; /* it cannot do without */
  int verifies;  /* all of it is compared with its checksum */
};

struct onr_model {
  struct onr_env env;
  uint64_t plan_bytes;       /* as the caller limits it; 0: not at all */
  uint64_t work;             /* likewise */
  uint64_t constant_bytes;   /* of all graphs, as they were in the file */
  struct onri_meter meter;   /* what the model holds; behind env.allocator */
  struct onri_blocks blocks; /* packed weights */
  struct onri_packed_use packed;
  /* A digest of all files, or of the memory, that the model is made of. NULL: it is not made of any; 0: they cannot be
   * read. */
  int (*digest)(void *keep, struct onr_env *env, struct onri_digest *digest);
  int rereads; /* what `keep` reads from stays as it is */
  struct onri_graph *graph;
  struct onr_value_info *inputs, *outputs; /* as declared; behind the inputs of the graph those with a default */
  struct onri_named *input_names, *output_names, *symbols; /* sorted; symbols: the named dimensions of all inputs */
  size_t num_symbols;
  struct onri_default *defaults; /* the importer's, in the graph's arena */
  size_t num_defaults;
  /* Makes the model anew, with the inputs of these names, which have a default here, as inputs of its graph. The
   * variant refers to this model's memory. NULL when there are no defaults. */
  enum onr_status (*vary)(const struct onr_model *model, const char **names, size_t count,
                          const struct onr_model_options *options, struct onr_model **variant, struct onr_error *error);
  int for_source;                   /* nothing is prepared: it can be compiled, not run */
  int for_onnx;                     /* nor here: it will be written as ONNX */
  struct onr_model_options options; /* as the caller's, for vary, with strings that last */
  struct onr_module_info *modules;  /* the importer's, in the graph's arena, as what follows */
  size_t num_modules;
  struct onr_property *properties;
  size_t num_properties;
  struct onr_opset *opsets;
  size_t num_opsets;
  const char **external_files; /* paths, in `arena` */
  size_t num_external_files;
  struct onr_model_info info;
  struct onri_arena arena; /* strings of info, inputs, outputs */
  void *keep;              /* what the importer's constants need */
  void (*release_keep)(void *keep);
};

/* The caller's options, NULL: none, with what they do not tell as zero. */
enum onr_status onri_model_options_read(const struct onr_model_options *given, struct onr_model_options *options,
                                        struct onr_error *error);
/* An empty model with the options resolved; importers build their graph with &model->env. On success destroy it with
 * onr_model_destroy, whatever happens afterwards. */
enum onr_status onri_model_create(const struct onr_model_options *options, struct onr_model **model,
                                  struct onr_error *error);
/* Takes over graph and keep (also on failure: they go with the model), rewrites the graph and prepares all layers. info
 * is copied with its strings. */
enum onr_status onri_model_finish(struct onr_model *model, struct onri_graph *graph, const struct onr_model_info *info,
                                  void *keep, void (*release_keep)(void *keep), const struct onr_model_options *options,
                                  struct onr_error *error);

/* Inputs or outputs as the graph declares them, in an array with room for more, in the arena as their strings are. */
enum onr_status onri_model_declare(const struct onri_graph *graph, const int32_t *values, size_t count, size_t room,
                                   struct onri_arena *arena, struct onr_value_info **infos, struct onr_error *error);

/* prepare.c: prepares the layers of a graph and of its bodies; constants that were packed leave memory. */
enum onr_status onri_model_prepare(struct onr_model *model, struct onr_error *error);

#endif
