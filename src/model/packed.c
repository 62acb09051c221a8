/* packed.c: for which model, version, processor and options a file of packed weights is. */
#include "model/packed.h"

#include <stdio.h>

#include "base/cpu.h"
#include "model/packed_file.h"
#include "onnxrun/version.h"
#include "onnxrun_sources.h"

/* Layouts of packed weights belong to the sources that this library was built of, and to the kernels of this level. */
static struct onri_digest library_digest(void) {
  const uint16_t order = 1; /* of the bytes of numbers */
  struct onri_digest digest = {{0}};
  onri_digest_add_text(&digest, onr_version());
  onri_digest_add_text(&digest, ONNXRUN_SOURCES);
  onri_digest_add_number(&digest, onri_cpu_level());
  onri_digest_add_number(&digest, sizeof(void *));
  onri_digest_add(&digest, &order, sizeof(order));
  return digest;
}

/* The nodes after all rewrites, and the constants that they read: what decides the order of blocks. */
static void add_graph(struct onri_digest *digest, const struct onri_graph *graph) {
  onri_digest_add_number(digest, graph->num_nodes);
  for (size_t n = 0; n < graph->num_nodes; n++) {
    const struct onri_node *node = &graph->nodes[n];
    onri_digest_add_text(digest, node->layer->name);
    for (int32_t i = 0; i < node->num_in; i++) {
      const struct onri_value *value = node->in[i] == ONRI_NONE ? NULL : &graph->values[node->in[i]];
      if (!value || !value->constant) continue;
      const struct onr_desc *desc = &value->constant->desc;
      const int64_t of[] = {i, desc->dtype, desc->rank, value->constant->load != NULL};
      onri_digest_add(digest, of, sizeof(of));
      onri_digest_add(digest, desc->dim, (size_t)desc->rank * sizeof(desc->dim[0]));
    }
    for (int32_t b = 0; b < onri_num_bodies(node); b++) add_graph(digest, node->bodies[b]);
  }
}

static void way_of(struct onr_model *model, struct onri_packed_key *key) {
  *key = (struct onri_packed_key){.library = library_digest()};
  onri_digest_add_number(&key->way, (uint64_t)model->env.backend);
  onri_digest_add_number(&key->way, (uint64_t)model->env.precision);
  onri_digest_add_number(&key->way, (uint64_t)model->env.method);
  onri_digest_add_text(&key->way, model->packed.passes);
  add_graph(&key->way, model->graph);
}

static int key_of(struct onr_model *model, struct onri_packed_key *key) {
  way_of(model, key);
  return model->digest(model->keep, &model->env, &key->model);
}

static void refuse(struct onr_model *model, const char *why) {
  model->info.packed = ONR_PACKED_REFUSED;
  snprintf(model->packed.note, sizeof(model->packed.note), "%s", why);
  model->info.packed_note = model->packed.note;
}

/* A packed model has its weights in it, and often no others. */
static enum onr_status begin_part(struct onr_model *model, struct onr_error *error) {
  struct onri_packed_use *use = &model->packed;
  way_of(model, &use->key);
  const char *why =
      onri_packed_part_open(use->part, use->part_bytes, use->verifies, &use->key, &model->env, &model->blocks.store);
  ONR_TRY(onri_env_poll(&model->env, error));
  if (why && use->has_holes)
    return onr_fail(error, ONR_STATUS_VERSION, "a packed model, and %s; it has no other weights: pack the model again",
                    why);
  if (why) refuse(model, why);
  else model->info.packed = ONR_PACKED_MAPPED;
  return ONR_STATUS_OK;
}

enum onr_status onri_packed_begin(struct onr_model *model, struct onr_error *error) {
  struct onri_blocks *blocks = &model->blocks;
  struct onri_packed_key *key = &model->packed.key;
  const char *why;
  model->info.packed = ONR_PACKED_NONE;
  model->info.packed_note = "";
  if (model->packed.part) return begin_part(model, error);
  if (!model->packed.path) return ONR_STATUS_OK;
  if (!model->digest) {
    refuse(model, "the model is not one of a file");
    return ONR_STATUS_OK;
  }
  if (!key_of(model, key)) why = "the model's files cannot be read once more";
  else why = onri_packed_file_open(model->packed.path, key, &model->env, &blocks->store);
  ONR_TRY(onri_env_poll(&model->env, error));
  if (!why) {
    model->info.packed = ONR_PACKED_MAPPED;
    return ONR_STATUS_OK;
  }
  refuse(model, why);
  blocks->is_recording = model->packed.writes;
  return ONR_STATUS_OK;
}

/* The model's files are as they were when its weights were read, or some of the weights may be new ones. */
static const char *write_file(struct onr_model *model) {
  const struct onri_packed_key *key = &model->packed.key;
  struct onri_digest now = {{0}};
  if (!model->blocks.is_recording) return "there is no memory for what is to be written";
  if (!model->digest(model->keep, &model->env, &now)) return "the model's files cannot be read once more";
  if (!onri_digest_equal(&now, &key->model)) return "the model's files have changed while they were read";
  return onri_packed_file_write(model->packed.path, key, &model->env, &model->blocks);
}

enum onr_status onri_packed_end(struct onr_model *model, struct onr_error *error) {
  const struct onri_block_store *store = &model->blocks.store;
  if (model->packed.part && !store->data) return ONR_STATUS_OK;
  if (store->data && (store->differs || store->next != store->count))
    refuse(model, "its contents do not fit the model");
  if (model->info.packed != ONR_PACKED_REFUSED || !model->packed.writes || store->data || !model->digest)
    return ONR_STATUS_OK;
  const char *why = write_file(model);
  ONR_TRY(onri_env_poll(&model->env, error));
  if (why) {
    refuse(model, why);
    return ONR_STATUS_OK;
  }
  model->info.packed = ONR_PACKED_WRITTEN;
  model->info.packed_note = "";
  return ONR_STATUS_OK;
}

void onri_packed_clear(struct onr_model *model) { onri_packed_file_close(&model->blocks.store); }
