/* classical.h: trees, support vectors, and what stands around them. Definitions: ONNX's domain ai.onnx.ml. Where
 * onnx.reference and ONNX Runtime differ, the layer says whom it follows. Pointers must outlive the graph. */
#ifndef ONNXRUN_LAYERS_CLASSICAL_H
#define ONNXRUN_LAYERS_CLASSICAL_H

#include <stddef.h>
#include <stdint.h>

enum onr_tree_mode { /* what an inner node asks of its feature; numbers of TreeEnsemble-5 */
                     ONR_TREE_LEQ,
                     ONR_TREE_LT,
                     ONR_TREE_GTE,
                     ONR_TREE_GT,
                     ONR_TREE_EQ,
                     ONR_TREE_NEQ,
                     ONR_TREE_MEMBER,
                     ONR_TREE_LEAF
};

struct onr_tree_node {
  enum onr_tree_mode mode;
  int32_t feature;
  double value;
  uint32_t yes, no;              /* nodes; of a leaf: its votes, from yes up to no */
  uint32_t members, num_members; /* MEMBER: its set, a part of members */
  int32_t nan_yes;               /* a missing feature, NaN, takes the branch `yes` */
};

struct onr_tree_vote {
  uint32_t target;
  double weight;
};

enum onr_tree_aggregate { ONR_TREE_AVERAGE, ONR_TREE_SUM, ONR_TREE_MIN, ONR_TREE_MAX };

/* tree_ensemble: x [n, features] (or [features]; any number type) -> the votes of the leaves that each row reaches, [n,
 * targets]. A NaN is unequal to everything. A target without a vote is 0, or the largest (MIN) or smallest (MAX) number
 * of the type. */
struct onr_tree_ensemble_params {
  const struct onr_tree_node *nodes;
  const uint32_t *roots; /* of the trees; no node may be reached twice */
  const struct onr_tree_vote *votes;
  const double *members;
  const double *base; /* added after the aggregation; one for each target, or one for all */
  uint32_t num_nodes, num_roots, num_votes, num_members, num_base, targets;
  uint32_t num_features; /* more than every feature of a node */
  enum onr_tree_aggregate aggregate;
  int32_t keeps_type; /* the result has x's type, which must be a float; else float32 */
};

enum onr_score_transform {
  ONR_SCORE_NONE,
  ONR_SCORE_SOFTMAX,
  ONR_SCORE_LOGISTIC,
  ONR_SCORE_SOFTMAX_ZERO,
  ONR_SCORE_PROBIT
};
enum onr_second_score {
  ONR_SECOND_NONE,
  ONR_SECOND_OPPOSITE,
  ONR_SECOND_COMPLEMENT
}; /* s becomes s, or -s, s, or 1 - s, s */

/* class_scores: scores [n, k] (or [k]; floats) -> the best class of each row (int64 [n]), transformed scores [n, k] (or
 * [n, 2]). Of one score the class is 1 when it exceeds the threshold, else 0; of more it is the first of the largest,
 * before the transformation unless that is SOFTMAX_ZERO. One score of a row is transformed by PROBIT alone. */
struct onr_class_scores_params {
  enum onr_score_transform transform;
  enum onr_second_score second; /* for k = 1 */
  float threshold;
};

enum onr_svm_kernel { ONR_SVM_LINEAR, ONR_SVM_POLY, ONR_SVM_RBF, ONR_SVM_SIGMOID };

/* svm_kernel: x [n, features] (or [features]; any number type), vectors [m, features] (float32, constant)
 * -> float32 [n, m]. */
struct onr_svm_kernel_params {
  enum onr_svm_kernel kernel;
  float gamma, coef0, degree;
};

/* svm_vote: kernel values [n, m], coefficients [classes - 1, m], rho [pairs], prob_a and prob_b (optional, [pairs]);
 * all float32
 * -> the class with most votes of the pairs (int64 [n]), and a score for each pair, or with prob_a a probability for
 * each class. */
struct onr_svm_vote_params {
  const int64_t *vectors_per_class; /* their sum is m */
  uint32_t num_classes;             /* 2 or more */
};

/* scale_features: (x - offset) scale, float32. x any number type; offset and scale float32 [features] or [1]. No
 * parameters. */

/* impute_features: x with `replaced` (NaN: every NaN) changed to values [features] or [1]; both have x's type. No
 * parameters. */

/* join_features: matrices [n, k] (or [k], one row) of any number types side by side, float32. Each takes the columns
 * that `widths` says: cut, or filled up with 0. */
struct onr_join_features_params {
  const int64_t *widths; /* as many as there are inputs */
};

#endif
