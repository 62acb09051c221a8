/* attention.h: scaled dot-product attention over blocks of keys: the scores of a block exist for one tile of queries
 * only, so that memory does not grow with the number of keys. */
#ifndef ONRI_ATTENTION_H
#define ONRI_ATTENTION_H

#include "base/numbers/convert.h"
#include "onnxrun/layer.h"
#include "params/attention.h"

/* A tensor [batch, head, position, element]; elements are contiguous. Strides in elements. */
struct onri_heads {
  void *data;
  size_t batch, head, row;
};

/* Added to the scores (the type of the class), or hiding where 0 (bool). Strides in elements, 0 where it is broadcast.
 */
struct onri_mask {
  const void *data; /* NULL: none */
  enum onr_dtype dtype;
  size_t batch, head, row;
  size_t columns; /* keys from there on are hidden */
};

struct onri_attention {
  enum onri_class class;                                                  /* F32 or F64: type of all but the mask */
  size_t batch, heads, kv_heads, queries, past, keys, width, value_width; /* keys: without past */
  struct onri_heads q, k, v, past_k, past_v, y;
  int past_is_int8; /* rows of base/numbers/cache_rows.h: strides of past_k and past_v are bytes */
  struct onri_mask mask;
  void *scores; /* [batch, heads, queries, past + keys], NULL when not wanted */
  enum onr_qk_output scores_at;
  enum onr_blind_query blind_query;
  const int64_t *lengths; /* [batch] keys that are there; NULL: all */
  double scale, softcap;
  int causal, has_window_left, has_window_right;
  int64_t window_left, window_right;
  const struct onr_env *env; /* cancelled: tiles end early */
};

/* How the work is cut. */
struct onri_attention_plan {
  size_t workers, rows, merged; /* rows of a part; heads that share keys and are one run of rows */
  size_t worker_floats, scratch_bytes;
};
struct onri_attention_plan onri_attention_plan(const struct onri_attention *a, size_t threads);
/* On all threads; ends early when env is cancelled. scratch: as the plan says, 64-byte aligned. */
void onri_attention(const struct onri_attention *a, const struct onri_attention_plan *plan, void *scratch,
                    struct onr_env *env);

#endif
