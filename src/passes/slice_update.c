/* slice_update.c: a scatter whose indices are all places of a box, as x[..., 2:4] = y is exported, is put together from
 * y and what lies around it. */
#include <string.h>

#include "passes/match.h"

/* A block of places: `size` of them from `start` on, in each of the first `rank` dimensions. */
struct box {
  int32_t rank;
  int64_t start[ONR_MAX_RANK], size[ONR_MAX_RANK];
};

/* values: one for each place of the box, `step` apart: those are start[axis] plus the coordinate along that axis. */
static int is_ramp(const int64_t *values, size_t step, int32_t axis, struct box *box) {
  size_t count = 1, behind = 1; /* as many as a constant holds */
  for (int32_t d = 0; d < box->rank; d++) count *= (size_t)box->size[d];
  for (int32_t d = axis + 1; d < box->rank; d++) behind *= (size_t)box->size[d];
  box->start[axis] = values[0];
  for (size_t i = 0; i < count; i++)
    if ((uint64_t)values[i * step] != (uint64_t)values[0] + i / behind % (size_t)box->size[axis]) return 0;
  return 1;
}

/* The contents of a constant of int64 that has elements; NULL: it is none, or cannot be read. Many scatters may look at
 * the same one. */
static const int64_t *read_constant(struct onri_rewrite *rw, int32_t v, const struct onr_desc **desc) {
  struct onr_error ignored = {0};
  enum onr_status status = ONR_STATUS_OK;
  if (!onri_rewrite_is_constant(rw, v)) return NULL;
  *desc = &rw->graph->values[v].constant->desc;
  const uint64_t elements = (uint64_t)onr_desc_elements(*desc);
  if ((*desc)->dtype != ONR_DTYPE_I64 || elements == 0 || elements > rw->budget->work) return NULL;
  rw->budget->work -= elements;
  const void *data = onri_value_data(rw->graph, v, &status, &ignored);
  return status == ONR_STATUS_OK ? data : NULL;
}

/* The box's sizes, at the first part; else whether these are the same. */
static int take_sizes(struct box *box, int32_t rank, const int64_t *sizes, int is_first) {
  if (rank < 1 || rank > ONR_MAX_RANK) return 0;
  if (!is_first) return box->rank == rank && memcmp(box->size, sizes, (size_t)rank * sizeof(*sizes)) == 0;
  box->rank = rank;
  memcpy(box->size, sizes, (size_t)rank * sizeof(*sizes));
  return 1;
}

/* Places along one axis, broadcast to all of the box: unsqueeze(expand(constant, shape), -1). */
static int read_expanded(struct onri_rewrite *rw, int32_t v, int32_t axis, struct box *box) {
  int64_t last, shape[ONR_MAX_RANK];
  size_t count;
  const struct onr_desc *desc;
  const struct onri_node *unsqueeze = onri_rewrite_match(rw, v, &onri_layer_unsqueeze);
  if (!unsqueeze || !onri_rewrite_ints(rw, unsqueeze->in[1], &last, 1, &count) || count != 1) return 0;
  const struct onri_node *expand = onri_rewrite_match(rw, unsqueeze->in[0], &onri_layer_expand);
  if (!expand || !onri_rewrite_ints(rw, expand->in[1], shape, ONR_MAX_RANK, &count) || count == 0) return 0;
  const int64_t *values = read_constant(rw, expand->in[0], &desc);
  if (!values || desc->rank > (int32_t)count || (last != -1 && last != (int64_t)count)) return 0;
  for (int32_t d = 0; d < desc->rank; d++) {
    const int32_t at = (int32_t)count - desc->rank + d;
    if (desc->dim[d] == 1) continue;
    if (at != axis || (shape[at] != 1 && shape[at] != desc->dim[d])) return 0;
    shape[at] = desc->dim[d];
  }
  for (size_t d = 0; d < count; d++)
    if (shape[d] < 1) return 0;
  if (!take_sizes(box, (int32_t)count, shape, axis == 0) || axis >= box->rank) return 0;
  const int64_t size = onr_desc_elements(desc);
  struct box line = {.rank = 1, .size = {size}};
  if (size != box->size[axis] || !is_ramp(values, 1, 0, &line)) return 0;
  box->start[axis] = line.start[0];
  return 1;
}

/* Component `axis` of constant indices [..., depth]. */
static int read_component(struct onri_rewrite *rw, int32_t v, int32_t component, int32_t axis, struct box *box) {
  const struct onr_desc *desc;
  const int64_t *values = read_constant(rw, v, &desc);
  if (!values || desc->rank < 2 || !take_sizes(box, desc->rank - 1, desc->dim, axis == 0) || axis >= box->rank)
    return 0;
  return is_ramp(values + component, (size_t)desc->dim[desc->rank - 1], axis, box);
}

/* Indices are constant, or a concat of a part for each axis. */
static int read_box(struct onri_rewrite *rw, int32_t indices, struct box *box) {
  *box = (struct box){0};
  if (onri_rewrite_is_constant(rw, indices)) {
    const int64_t depth = onri_rewrite_dim(rw, indices, -1);
    for (int32_t d = 0; d < depth; d++)
      if (d >= ONR_MAX_RANK || !read_component(rw, indices, d, d, box)) return 0;
    return depth > 0 && depth == box->rank;
  }
  const struct onri_node *concat = onri_rewrite_match(rw, indices, &onri_layer_concat);
  if (!concat || concat->num_in > ONR_MAX_RANK) return 0;
  for (int32_t d = 0; d < concat->num_in; d++) {
    const int32_t part = concat->in[d];
    const int is_read = !onri_rewrite_is_constant(rw, part)
                            ? read_expanded(rw, part, d, box)
                            : onri_rewrite_dim(rw, part, -1) == 1 && read_component(rw, part, 0, d, box);
    if (!is_read) return 0;
  }
  const int64_t axis = ((const struct onr_concat_params *)concat->params)->axis;
  return box->rank == concat->num_in && (axis == -1 || axis == box->rank);
}

/* Whether the box lies in x, is a fair part of it, and rows that a scatter would copy at once are short. */
static int suits(const struct onri_rewrite *rw, int32_t x, const struct box *box) {
  enum { SHORT_ROW = 16, LEAST_SHARE = 8 };
  const int32_t rank = onri_rewrite_rank(rw, x);
  double share = 1, row = 1;
  if (rank < box->rank) return 0;
  for (int32_t d = 0; d < rank; d++) {
    const int64_t size = onri_rewrite_dim(rw, x, d);
    if (size < 1) return 0;
    if (d >= box->rank) {
      row *= (double)size;
      continue;
    }
    if (box->start[d] < 0 || box->size[d] > size || box->start[d] > size - box->size[d]) return 0;
    share *= (double)box->size[d] / (double)size;
  }
  return row < SHORT_ROW && share * LEAST_SHARE >= 1;
}

/* Whether as many updates are known to be there as there are places: a concat would take others, too. */
static int fits(const struct onri_rewrite *rw, int32_t updates, int32_t x, const struct box *box) {
  const int32_t rank = onri_rewrite_rank(rw, x);
  if (onri_rewrite_rank(rw, updates) != rank) return 0;
  for (int32_t d = 0; d < rank; d++)
    if (onri_rewrite_dim(rw, updates, d) != (d < box->rank ? box->size[d] : onri_rewrite_dim(rw, x, d))) return 0;
  return 1;
}

/* x from `begin` to `end` along `axis`, and what of the box lies in the dimensions before. -1: out of memory. */
static int32_t slice(struct onri_rewrite *rw, const struct onri_origin *origin, int32_t x, const struct box *box,
                     int32_t axis, int64_t begin, int64_t end) {
  int64_t starts[ONR_MAX_RANK], ends[ONR_MAX_RANK], axes[ONR_MAX_RANK], count = axis + 1;
  struct onr_desc out = *onri_rewrite_desc(rw, x);
  for (int32_t d = 0; d <= axis; d++) {
    axes[d] = d;
    starts[d] = d < axis ? box->start[d] : begin;
    ends[d] = d < axis ? box->start[d] + box->size[d] : end;
    out.dim[d] = ends[d] - starts[d];
  }
  const struct onr_desc list = onr_desc_make(ONR_DTYPE_I64, 1, &count);
  const int32_t in[] = {x, onri_rewrite_data(rw, &list, starts), onri_rewrite_data(rw, &list, ends),
                        onri_rewrite_data(rw, &list, axes)};
  return onri_rewrite_node(rw, &onri_layer_slice, NULL, origin, in, 4, &out);
}

/* `inside` between what of x lies before and behind it along `axis`: pieces of a concat. Their number, 0: out of
 * memory. */
static size_t pieces_of(struct onri_rewrite *rw, const struct onri_origin *origin, int32_t x, const struct box *box,
                        int32_t axis, int32_t inside, int32_t pieces[3]) {
  const int64_t size = onri_rewrite_dim(rw, x, axis), begin = box->start[axis], end = begin + box->size[axis];
  size_t count = 0;
  if (begin > 0) pieces[count++] = slice(rw, origin, x, box, axis, 0, begin);
  pieces[count++] = inside;
  if (end < size) pieces[count++] = slice(rw, origin, x, box, axis, end, size);
  for (size_t i = 0; i < count; i++)
    if (pieces[i] < 0) return 0;
  return count;
}

static int is_whole(const struct onri_rewrite *rw, int32_t x, const struct box *box, int32_t axis) {
  return box->size[axis] == onri_rewrite_dim(rw, x, axis);
}

static enum onr_status scatter(struct onri_rewrite *rw, struct onri_node *node) {
  const struct onr_scatter_nd_params *p = node->params;
  struct box box;
  int32_t x = node->in[0], inside = node->in[2], first = 0;
  if (p->reduction != ONR_REDUCTION_NONE || !read_box(rw, node->in[1], &box) || !suits(rw, x, &box) ||
      !fits(rw, inside, x, &box))
    return ONR_STATUS_OK;
  while (first < box.rank && is_whole(rw, x, &box, first)) first++;
  if (first == box.rank) {
    onri_rewrite_alias(rw, node, inside);
    return ONR_STATUS_OK;
  }
  const ptrdiff_t index = node - rw->graph->nodes; /* a new node moves them */
  const struct onri_origin *origin = node->origin;
  struct onr_desc out = *onri_rewrite_desc(rw, x);
  for (int32_t d = 0; d < box.rank; d++) out.dim[d] = box.size[d];
  for (int32_t axis = box.rank; axis-- > first;) {
    const struct onr_concat_params join = {.axis = axis};
    int32_t pieces[3];
    if (is_whole(rw, x, &box, axis)) continue;
    const size_t count = pieces_of(rw, origin, x, &box, axis, inside, pieces);
    if (count == 0) return onri_rewrite_no_memory(rw);
    if (axis == first)
      return onri_rewrite_become(rw, &rw->graph->nodes[index], &onri_layer_concat, &join, pieces, count);
    out.dim[axis] = onri_rewrite_dim(rw, x, axis);
    inside = onri_rewrite_node(rw, &onri_layer_concat, &join, origin, pieces, count, &out);
    if (inside < 0) return onri_rewrite_no_memory(rw);
  }
  return ONR_STATUS_OK;
}

enum onr_status onri_pass_slice_update(struct onri_rewrite *rw) {
  static const struct onri_rewrite_rule rules[] = {{&onri_layer_scatter_nd, scatter}};
  return onri_rewrite_sweep(rw, rules, 1);
}
