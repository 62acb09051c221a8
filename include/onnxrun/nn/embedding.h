/* embedding.h: torch.nn.Embedding, EmbeddingBag. Indices are int64 or int32. */
#ifndef ONNXRUN_NN_EMBEDDING_H
#define ONNXRUN_NN_EMBEDDING_H

#include "onnxrun/net.h"

#ifdef __cplusplus
extern "C" {
#endif

enum onr_embedding_mode { ONR_EMBEDDING_MEAN, ONR_EMBEDDING_SUM, ONR_EMBEDDING_MAX };

struct onr_embedding {
  int64_t num_embeddings, embedding_dim;
  float max_norm;  /* 0: none; longer rows are shortened to it when the net is built */
  float norm_type; /* 0: 2 */
  /* EmbeddingBag alone: */
  enum onr_embedding_mode mode; /* PyTorch's default is the mean, too */
  int32_t include_last_offset;
  int32_t
      has_padding_idx; /* these indices do not count in their bag; for Embedding padding_idx changes training only */
  int64_t padding_idx;
};
/* indices of any shape: their rows take the place of the elements. weight [num_embeddings, embedding_dim] */
ONR_API int onr_embedding(struct onr_net *net, int indices, const struct onr_embedding *embedding,
                          struct onr_weight weight);
/* indices [bags, n], or [n] with offsets [bags]: where each bag begins; -1 for none. per_sample_weights: of the
 * indices' shape, for the sum alone; -1 for none. Returns [bags, embedding_dim]; an empty bag gives 0. */
ONR_API int onr_embedding_bag(struct onr_net *net, int indices, int offsets, int per_sample_weights,
                              const struct onr_embedding *embedding, struct onr_weight weight);

#ifdef __cplusplus
}
#endif
#endif
