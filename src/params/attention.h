/* attention.h: parameters of scaled dot-product attention, linear attention and rotary position embedding.
 * Floating-point. */
#ifndef ONNXRUN_LAYERS_ATTENTION_H
#define ONNXRUN_LAYERS_ATTENTION_H

#include <stdint.h>

#include "onnxrun/tensor.h"

/* What the fourth output of attention shows. */
enum onr_qk_output {
  ONR_QK_SCALED, /* scale Q K^T */
  ONR_QK_CAPPED, /* after softcap */
  ONR_QK_MASKED, /* after the mask, too */
  ONR_QK_SOFTMAX /* after softmax */
};

/* What a query gets that sees no key: all are hidden, or no score is above -infinity. */
enum onr_blind_query {
  ONR_BLIND_QUERY_ZERO,   /* probabilities of 0: the operator Attention, scaled_dot_product_attention */
  ONR_BLIND_QUERY_NAN,    /* NaN, as softmax gives; and what hides is added, so that it does not hide NaN */
  ONR_BLIND_QUERY_GUARDED /* as NAN, with every probability that is NaN replaced by 0 */
};

/* attention: softmax(cap(scale Q K^T) + mask) V.
 *
 * inputs   Q [B, heads, L, E], K [B, kv_heads, S, E], V [B, kv_heads, S, F], or rank 3 with the heads inside the last
 *          dimension ([B, L, heads E]); V, and past V with it, may be of another type than Q and K
 *
 *          mask (optional; bool: false hides; else it is added, whatever its type; broadcast to [B, heads, L, S total];
 *          a last dimension that is shorter than S total hides the rest)
 *
 *          past K, past V (optional; [B, kv_heads, P, .]; keys come before K's). Both may be int8 where a session keeps
 *          them so (cache_int8), with four elements more, the row's scale; present is so then, too
 *
 *          lengths (optional; int64 [B]: keys from there on are padding)
 *
 * outputs  Y of Q's rank, present K and V (optional), scores (optional; [B, heads, L, S total])
 *
 * heads is a multiple of kv_heads: each kv head serves heads / kv_heads query heads. */
struct onr_attention_params {
  float scale;             /* 0: 1 / sqrt(E) */
  float softcap;           /* 0: none; else cap(x) = softcap tanh(x / softcap) */
  int32_t causal;          /* query i sees keys up to i + P (or, with lengths, up to i + lengths - L) */
  int64_t heads, kv_heads; /* for rank 3; 0 for rank 4 */
  enum onr_qk_output qk_output;
  enum onr_blind_query blind_query;
  int32_t has_window_left, has_window_right;
  int64_t window_left, window_right; /* keys further before or behind the query's own position are hidden */
  /* Rank-4 operands whose heads lie behind the sequence, [B, L, heads, E]: lets a rewrite drop Transposes. */
  int32_t q_heads_inner, kv_heads_inner, y_heads_inner;
};

/* rotary_embedding: pairs of elements are turned by a position's angle.
 * inputs  X [B, heads, L, E] or [B, L, heads E], cos and sin ([positions, R/2], or [B, L, R/2] without positions),
 *         positions (optional, int64 [B, L]) */
struct onr_rotary_params {
  int64_t heads;       /* for rank 3 */
  int64_t rotary_size; /* leading elements of a head that are turned; 0: all */
  int32_t interleaved; /* pairs are (2i, 2i+1) instead of (i, i + R/2) */
};

/* linear_attention: for each position, state = exp(decay) state; state += k u^T; y = scale state^T q, where u = v, or
 * with beta u = beta (v - state^T k) (ONNX LinearAttention). inputs   Q [B, T, heads E], K [B, T, kv_heads E], V [B, T,
 * kv_heads F] (float32, float16, bfloat16), past [B, kv_heads, E, F] (optional: zeros; may be of another of these
 * types), decay [B, T, kv_heads E] or [B, T, kv_heads] (with `gated`), beta [B, T, kv_heads] or [B, T, 1] (with
 * `delta`) outputs  Y [B, T, heads F], present (optional, like past; without one: [B, kv_heads, E, F] in Q's type)
 * heads is a multiple of kv_heads: each state serves heads / kv_heads query heads. */
struct onr_linear_attention_params {
  int64_t heads, kv_heads;
  float scale; /* 0: 1 / sqrt(E) */
  int32_t gated, delta;
};

/* head_matmul: one of the two products of attention where something is done to the scores or to the probabilities in
 * between (ONNX FlexAttention). inputs   scores: Q [B, heads, L, E], K [B, kv_heads, S, E]; each is multiplied by
 * sqrt(scale), rounded to its type; else: probabilities [B, heads, L, S], V [B, kv_heads, S, F], and optionally Q,
 * whose first three dimensions the probabilities must have output   scores: Q K^T [B, heads, L, S] in `precision`;
 * else: probabilities V [B, heads, L, F] in V's type Products are in the type of the first input. heads is a multiple
 * of kv_heads. */
struct onr_head_matmul_params {
  int32_t scores;
  int32_t has_scale;
  float scale;              /* without has_scale: 1 / sqrt(E) */
  enum onr_dtype precision; /* NONE: float64 for float64, else float32 */
};

#endif
