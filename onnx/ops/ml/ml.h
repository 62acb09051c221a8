/* ml.h: what the importers of ai.onnx.ml share. */
#ifndef ONRI_IMPORT_ML_H
#define ONRI_IMPORT_ML_H

#include "onnx/node/import.h"

/* Numbers of an attribute: floats, or a tensor of floats. */
struct onri_widened {
  enum onr_dtype dtype;
  const void *data;
  size_t count;
};
/* floats `name`, else tensor `name` + "_as_tensor"; none when both are absent. */
enum onr_status onri_attr_reals(const struct onr_node *node, const char *name, struct onri_widened *reals);
/* tensor `name` of one of the dtypes in `mask`; none when it is absent. */
enum onr_status onri_attr_tensor(const struct onr_node *node, const char *name, uint32_t mask,
                                 struct onri_widened *reals);
double onri_widened_at(const struct onri_widened *reals, size_t i);

/* ATTRIBUTE unless count is expected. */
enum onr_status onri_expect_count(const struct onr_node *node, const char *name, size_t count, size_t expected);

/* A constant of rank 1; ONRI_NONE when out of memory. */
int32_t onri_const_list(const struct onr_node *node, enum onr_dtype dtype, const void *data, size_t count);
int32_t onri_const_matrix(const struct onr_node *node, const float *data, size_t rows, size_t columns);
/* What x is in float32. */
int32_t onri_emit_f32(const struct onr_node *node, int32_t x);

/* The attribute post_transform. */
enum onr_score_transform onri_attr_transform(const struct onr_node *node);
/* Transformed scores into the node's first output. */
enum onr_status onri_emit_transform(const struct onr_node *node, enum onr_score_transform transform, int32_t scores);

/* Class labels: texts or numbers. */
struct onri_labels {
  enum onr_dtype dtype;
  const void *data;
  size_t count;
};
/* ints or strings of these names; ATTRIBUTE when there are none. */
enum onr_status onri_attr_labels(const struct onr_node *node, const char *ints, const char *strings,
                                 struct onri_labels *labels);
/* The labels of these classes (int64) into the node's first output. With one score a row that is not one of two labels,
 * class 1 is "1" and class 0 is "0". */
enum onr_status onri_emit_labels(const struct onr_node *node, const struct onri_labels *labels, int32_t classes,
                                 size_t scores);

#endif
