/* move.c: layers that put elements elsewhere, whatever they are.
 *
 * None of them is written by rules of its own. The layer itself runs once, on numbers that tell each element's place;
 * where they come out is what the program does: nothing at all (the same elements in the same order), loops over runs
 * of even steps, an index table for each dimension, or one for all elements. */
#include <string.h>

#include "compile/source.h"

/* Operands that are moved (bit i), the one whose value fills the rest (-1: zero), and those of which but the shape
 * matters (bit i). */
struct move_row {
  const struct onr_layer *layer;
  uint64_t data;
  int32_t fill;
  uint64_t shapes;
};
#define ALL_INPUTS UINT64_MAX
static const struct move_row rows[] = {
    {&onri_layer_reshape, 1, -1, 0},
    {&onri_layer_flatten, 1, -1, 0},
    {&onri_layer_flatten_dims, 1, -1, 0},
    {&onri_layer_unflatten, 1, -1, 0},
    {&onri_layer_squeeze, 1, -1, 0},
    {&onri_layer_unsqueeze, 1, -1, 0},
    {&onri_layer_identity, 1, -1, 0},
    {&onri_layer_transpose, 1, -1, 0},
    {&onri_layer_expand, 1, -1, 0},
    {&onri_layer_tile, 1, -1, 0},
    {&onri_layer_concat, ALL_INPUTS, -1, 0},
    {&onri_layer_split, 1, -1, 0},
    {&onri_layer_slice, 1, -1, 0},
    {&onri_layer_depth_to_space, 1, -1, 0},
    {&onri_layer_space_to_depth, 1, -1, 0},
    {&onri_layer_channel_shuffle, 1, -1, 0},
    {&onri_layer_trilu, 1, -1, 0},
    {&onri_layer_pad, 1, 2, 0},
    {&onri_layer_center_crop_pad, 1, -1, 0},
    {&onri_layer_align, 1, -1, 2},
    {&onri_layer_batch, 1, -1, 0},
    {&onri_layer_unbatch, 1, -1, 0},
    {&onri_layer_reverse_sequence, 1, -1, 0},
    {&onri_layer_gather, 1, -1, 0},
    {&onri_layer_gather_elements, 1, -1, 0},
    {&onri_layer_gather_nd, 1, -1, 0},
    {&onri_layer_im2col, 1, -1, 0},
    {&onri_layer_resize, 1, -1, 0},
    {&onri_layer_compress, 1, -1, 0},
    {&onri_layer_tensor_scatter, 3, -1, 0},
    {&onri_layer_scatter_nd, 5, -1, 0},
    {&onri_layer_scatter_elements, 5, -1, 0},
};

static const struct move_row *find_row(const struct onr_layer *layer) {
  size_t i = 0;
  while (rows[i].layer != layer) i++;
  return &rows[i];
}

/* --- where elements come from --- */

/* Element numbers count from 1 through all operands that are moved; 0 and less: filled. */
struct move {
  const struct move_row *row;
  int64_t first[ONRI_MOST_INPUTS]; /* number of element 0 of an operand, less 1 */
  const int64_t *from;             /* [count] of the output that is written */
  size_t output;
  int64_t count;
};

static int is_data(const struct move_row *row, size_t i) { return i < 64 && (row->data >> i & 1); }

static const void *numbers(struct onri_source *s, struct move *m, size_t i, int64_t *next) {
  const int64_t count = onri_count(&s->in[i]);
  int64_t *list = onri_temporary(s, ((size_t)count + 16) * sizeof(*list));
  m->first[i] = *next - 1;
  for (int64_t k = 0; list && k < count; k++) list[k] = (*next)++;
  return list;
}

/* Runs the layer on numbers. 0: something else than elements decides what it does. */
static int trace(struct onri_source *s, struct move *m, struct onri_constant **results) {
  static const int64_t filled = 0;
  struct onr_desc *in = onri_temporary(s, s->num_in * sizeof(*in));
  const void **inputs = onri_temporary(s, s->num_in * sizeof(*inputs));
  int64_t next = 1;
  if (!in || !inputs || s->num_in > ONRI_MOST_INPUTS) return 0;
  for (size_t i = 0; i < s->num_in; i++) {
    if (!s->in[i].present) continue;
    in[i] = s->in[i].desc;
    inputs[i] = s->in[i].known;
    if ((int32_t)i == m->row->fill) inputs[i] = &filled;
    else if (is_data(m->row, i)) inputs[i] = numbers(s, m, i, &next);
    else if (m->row->shapes >> i & 1) inputs[i] = onri_temporary(s, onr_desc_bytes(&in[i]) + 16);
    else if (!inputs[i]) return 0;
    if ((int32_t)i == m->row->fill || is_data(m->row, i)) in[i].dtype = ONR_DTYPE_I64;
    if (!inputs[i] && onr_desc_elements(&in[i])) return 0;
  }
  struct onr_error ignored;
  return onri_node_evaluate(s->node, s->env, in, inputs, results, &ignored) == ONR_STATUS_OK;
}

/* The operand that an element number belongs to. */
static size_t operand_of(const struct onri_source *s, const struct move *m, int64_t number) {
  size_t found = 0;
  for (size_t i = 0; i < s->num_in; i++)
    if (is_data(m->row, i) && s->in[i].present && m->first[i] < number && number <= m->first[i] + onri_count(&s->in[i]))
      found = i;
  return found;
}

/* --- runs of even steps --- */

struct axis {
  int64_t count, to, from; /* steps in the output and in the operand */
};
struct runs {
  struct axis axis[16]; /* innermost first */
  int32_t rank;
  int64_t to, from; /* of the first element */
};

/* Pairs of places, count of them. 0: they are no nest of even steps. */
static int find_runs(int64_t *to, int64_t *from, int64_t count, struct runs *runs) {
  runs->rank = 0;
  runs->to = to[0], runs->from = from[0];
  while (count > 1) {
    const int64_t a = to[1] - to[0], b = from[1] - from[0];
    int64_t length = 2, x, y;
    if (runs->rank == 16) return 0;
    while (length < count && to[length] - to[length - 1] == a && from[length] - from[length - 1] == b) length++;
    for (x = length, y = count; y;) { /* what divides both */
      const int64_t rest = x % y;
      x = y, y = rest;
    }
    length = x;
    if (length < 2) return 0;
    for (int64_t i = 0; i < count; i++)
      if (i % length && (to[i] - to[i - 1] != a || from[i] - from[i - 1] != b)) return 0;
    runs->axis[runs->rank++] = (struct axis){length, a, b};
    count /= length;
    for (int64_t i = 0; i < count; i++) to[i] = to[i * length], from[i] = from[i * length];
  }
  return 1;
}

static void write_runs(struct onri_source *s, const struct runs *runs, enum onr_dtype dtype, const char *x,
                       const char *y) {
  const char *type = onri_c_type(dtype);
  const struct axis *inner = runs->rank ? &runs->axis[0] : NULL;
  const int copies = !inner || (inner->to == 1 && inner->from == 1);
  const int64_t bytes = (int64_t)onr_dtype_size(dtype) * (inner && copies ? inner->count : 1);
  struct onri_text text = {0};
  char arguments[160];
  onri_text_format(s, &text, "(const %s *x, %s *y) {\n", type, type);
  for (int32_t d = runs->rank; d-- > (copies ? 1 : 0);)
    onri_text_format(s, &text, "  for (int i%d = 0; i%d < %lld; i%d++)\n", d, d, (long long)runs->axis[d].count, d);
  onri_text_format(s, &text, copies ? "  memcpy(y" : "  y[0");
  for (int32_t d = runs->rank; d-- > (copies ? 1 : 0);)
    onri_text_format(s, &text, " + %lld * i%d", (long long)runs->axis[d].to, d);
  onri_text_format(s, &text, copies ? ", x" : "] = x[0");
  for (int32_t d = runs->rank; d-- > (copies ? 1 : 0);)
    onri_text_format(s, &text, " + %lld * i%d", (long long)runs->axis[d].from, d);
  if (copies) onri_text_format(s, &text, ", %lld);\n}\n", (long long)bytes);
  else onri_text_format(s, &text, "];\n}\n");
  snprintf(arguments, sizeof(arguments), "%s + %lld, %s + %lld", x, (long long)runs->from, y, (long long)runs->to);
  onri_function(s, "move", &text, arguments);
}

/* --- tables --- */

/* A table for each dimension of the output: place = sum of table[d][index d]. 0: that is not what it does. */
static int write_dim_tables(struct onri_source *s, const struct move *m, size_t operand) {
  const struct onr_desc *desc = &s->out[m->output].desc;
  const int64_t base = m->from[0];
  int64_t step[ONR_MAX_RANK], total = 0;
  int32_t *table[ONR_MAX_RANK];
  int64_t stride = 1;
  for (int32_t d = desc->rank; d-- > 0; stride *= desc->dim[d]) {
    step[d] = stride;
    table[d] = onri_temporary(s, (size_t)desc->dim[d] * sizeof(**table));
    if (!table[d]) return 1;
    for (int64_t i = 0; i < desc->dim[d]; i++) table[d][i] = (int32_t)(m->from[i * stride] - base);
    total += desc->dim[d];
  }
  for (int64_t k = 0; k < m->count; k++) {
    int64_t sum = base;
    for (int32_t d = 0; d < desc->rank; d++) sum += table[d][k / step[d] % desc->dim[d]];
    if (sum != m->from[k] || m->from[k] < 1) return 0;
  }
  if (total * 2 > m->count) return 0;
  const char *type = onri_c_type(desc->dtype);
  struct onri_text text = {0}, arguments = {0};
  onri_text_format(s, &arguments, "%s + %lld, %s", onri_in(s, operand).text, (long long)(base - 1 - m->first[operand]),
                   onri_out(s, m->output).text);
  onri_text_format(s, &text, "(const %s *x, %s *y", type, type);
  for (int32_t d = 0; d < desc->rank; d++) onri_text_format(s, &text, ", const int32_t *t%d", d);
  onri_text_format(s, &text, ") {\n");
  for (int32_t d = 0; d < desc->rank; d++) {
    onri_text_format(s, &text, "  for (int i%d = 0; i%d < %lld; i%d++)\n", d, d, (long long)desc->dim[d], d);
    onri_text_format(s, &arguments, ", w%d", onri_weights_add(s, ONR_DTYPE_I32, table[d], (size_t)desc->dim[d]));
  }
  onri_text_format(s, &text, "  *y++ = x[0");
  for (int32_t d = 0; d < desc->rank; d++) onri_text_format(s, &text, " + t%d[i%d]", d, d);
  onri_text_format(s, &text, "];\n}\n");
  onri_function(s, "pick", &text, arguments.data);
  onri_text_clear(s, &arguments);
  return 1;
}

/* A place for each element that comes from this operand. */
static void write_table(struct onri_source *s, const struct move *m, size_t operand, const int64_t *to,
                        const int64_t *from, int64_t count) {
  const enum onr_dtype dtype = s->out[m->output].desc.dtype;
  int32_t *table = onri_temporary(s, (size_t)count * 2 * sizeof(*table));
  if (!table) return;
  for (int64_t i = 0; i < count; i++) table[2 * i] = (int32_t)to[i], table[2 * i + 1] = (int32_t)from[i];
  onri_use(s, "move_table_T", dtype);
  onri_line(s, "move_table_%s(%s, %s, w%d, %lld);", onri_c_short(dtype), onri_in(s, operand).text,
            onri_out(s, m->output).text, onri_weights_add(s, ONR_DTYPE_I32, table, (size_t)count * 2),
            (long long)count);
}

/* --- writing --- */

static void write_fill(struct onri_source *s, const struct move *m) {
  const struct onri_operand *y = &s->out[m->output];
  const int32_t f = m->row->fill;
  int64_t fills = 0;
  for (int64_t k = 0; k < m->count; k++) fills += m->from[k] <= 0;
  if (!fills) return;
  if (f < 0 || !onri_has_in(s, (size_t)f)) {
    onri_line(s, "memset(%s, 0, %zu);", onri_out(s, m->output).text, onr_desc_bytes(&y->desc));
    return;
  }
  if (s->in[f].desc.dtype != y->desc.dtype) s->why = "its filling has another type";
  onri_use(s, "fill_T", y->desc.dtype);
  onri_line(s, "fill_%s(%s, *%s, %lld);", onri_c_short(y->desc.dtype), onri_out(s, m->output).text,
            onri_in(s, (size_t)f).text, (long long)m->count);
}

/* Elements of one operand. */
static void write_operand(struct onri_source *s, const struct move *m, size_t operand, int64_t *to, int64_t *from) {
  const enum onr_dtype dtype = s->out[m->output].desc.dtype;
  const int64_t first = m->first[operand], last = first + onri_count(&s->in[operand]);
  struct runs runs;
  int64_t count = 0;
  for (int64_t k = 0; k < m->count; k++)
    if (m->from[k] > first && m->from[k] <= last) to[count] = k, from[count++] = m->from[k] - 1 - first;
  if (!count) return;
  if (s->in[operand].desc.dtype != dtype) {
    s->why = "its operands differ in type";
    return;
  }
  if (find_runs(to, from, count, &runs)) {
    write_runs(s, &runs, dtype, onri_in(s, operand).text, onri_out(s, m->output).text);
    return;
  }
  if (count == m->count && write_dim_tables(s, m, operand)) return;
  count = 0; /* find_runs has used them up */
  for (int64_t k = 0; k < m->count; k++)
    if (m->from[k] > first && m->from[k] <= last) to[count] = k, from[count++] = m->from[k] - 1 - first;
  write_table(s, m, operand, to, from, count);
}

/* The output is a part of an operand, element by element. */
static int write_alias(struct onri_source *s, const struct move *m) {
  for (int64_t k = 0; k < m->count; k++)
    if (m->from[k] < 1 || m->from[k] != m->from[0] + k) return 0;
  const size_t operand = operand_of(s, m, m->from[0]);
  if (operand_of(s, m, m->from[m->count - 1]) != operand) return 0;
  const int64_t first = m->from[0] - 1 - m->first[operand];
  return s->in[operand].desc.dtype == s->out[m->output].desc.dtype &&
         onri_alias(s, m->output, operand, (size_t)first * onr_dtype_size(s->in[operand].desc.dtype));
}

static void write_output(struct onri_source *s, const struct move *m) {
  if (write_alias(s, m)) return;
  int64_t *to = onri_allocate(s->env->allocator, (size_t)m->count * sizeof(*to));
  int64_t *from = onri_allocate(s->env->allocator, (size_t)m->count * sizeof(*from));
  if (!to || !from) onri_no_memory(s);
  else {
    write_fill(s, m);
    for (size_t i = 0; i < s->num_in && !s->why; i++)
      if (is_data(m->row, i) && s->in[i].present) write_operand(s, m, i, to, from);
  }
  onri_release(s->env->allocator, to);
  onri_release(s->env->allocator, from);
}

/* 0: the layer's contents decide; nothing has been written. */
static int write_move(struct onri_source *s) {
  struct onri_constant **results = onri_temporary(s, s->num_out * sizeof(*results));
  struct move m = {.row = find_row(s->node->layer)};
  if (!results || !trace(s, &m, results)) return 0;
  for (size_t i = 0; i < s->num_out; i++) {
    m.output = i;
    if (s->out[i].present && onri_count(&s->out[i])) {
      m.from = results[i]->data;
      m.count = onri_count(&s->out[i]);
      write_output(s, &m);
    }
    onri_constant_release(results[i]);
  }
  return 1;
}

static void emit_move(struct onri_source *s) {
  if (!write_move(s)) s->why = "where it puts elements depends on data";
}

/* --- where data decide --- */

static int index_size(const struct onri_source *s, size_t i) { return s->in[i].desc.dtype == ONR_DTYPE_I64 ? 8 : 4; }

static void emit_gather(struct onri_source *s) {
  const struct onr_gather_params *p = s->params;
  const struct onr_desc *x = &s->in[0].desc;
  const int32_t axis = (int32_t)(p->axis < 0 ? p->axis + x->rank : p->axis);
  if (s->in[1].known && write_move(s)) return;
  onri_use(s, "gather", ONR_DTYPE_NONE);
  onri_line(s, "if (gather(%s, %s, %d, %s, %lld, %lld, %lld, %lld)) return 1;", onri_in(s, 0).text, onri_in(s, 1).text,
            index_size(s, 1), onri_out(s, 0).text, onri_extent(x, 0, axis), (long long)x->dim[axis],
            onri_extent(x, axis + 1, x->rank) * (long long)onr_dtype_size(x->dtype), onri_count(&s->in[1]));
}

/* Elements at indices along one axis: of x's shape but for the axis, as the arrays of indices have it. */
static void put_dims(struct onri_source *s, struct onri_text *text, const struct onr_desc *d) {
  onri_text_format(s, text, "(const int32_t[]){");
  for (int32_t k = 0; k < d->rank; k++) onri_text_format(s, text, "%lld,", (long long)d->dim[k]);
  onri_text_format(s, text, d->rank ? "}" : "0}");
}

static void emit_gather_elements(struct onri_source *s) {
  const struct onr_gather_params *p = s->params;
  const struct onr_desc *x = &s->in[0].desc;
  struct onri_text dims = {0};
  if (s->in[1].known && write_move(s)) return;
  onri_use(s, "gather_elements", ONR_DTYPE_NONE);
  put_dims(s, &dims, x);
  onri_text_format(s, &dims, ", ");
  put_dims(s, &dims, &s->in[1].desc);
  onri_line(s, "if (gather_elements(%s, %s, %d, %s, %zu, %s, %d, %d)) return 1;", onri_in(s, 0).text,
            onri_in(s, 1).text, index_size(s, 1), onri_out(s, 0).text, onr_dtype_size(x->dtype), dims.data, x->rank,
            (int)(p->axis < 0 ? p->axis + x->rank : p->axis));
  onri_text_clear(s, &dims);
}

static void emit_gather_nd(struct onri_source *s) {
  const struct onr_gather_nd_params *p = s->params;
  const struct onr_desc *x = &s->in[0].desc, *index = &s->in[1].desc;
  const int32_t batch = (int32_t)p->batch_dims;
  const long long k = index->dim[index->rank - 1];
  struct onri_text dims = {0};
  if (s->in[1].known && write_move(s)) return;
  onri_use(s, "gather_nd", ONR_DTYPE_NONE);
  put_dims(s, &dims, x);
  onri_line(s, "if (gather_nd(%s, %s, %d, %s, %s + %d, %lld, %lld, %lld, %lld)) return 1;", onri_in(s, 0).text,
            onri_in(s, 1).text, index_size(s, 1), onri_out(s, 0).text, dims.data, batch, onri_extent(x, 0, batch),
            onri_extent(index, batch, index->rank - 1), k,
            onri_extent(x, batch + (int32_t)k, x->rank) * (long long)onr_dtype_size(x->dtype));
  onri_text_clear(s, &dims);
}

static const char *reduction_part(enum onr_reduction r) {
  static const char *const names[] = {"set", "add", "mul", "min", "max"};
  return names[r];
}

static void emit_scatter_elements(struct onri_source *s) {
  const struct onr_scatter_elements_params *p = s->params;
  const struct onr_desc *x = &s->in[0].desc;
  struct onri_text dims = {0};
  if (p->reduction == ONR_REDUCTION_NONE && s->in[1].known && write_move(s)) return;
  onri_use(s, "scatter_elements_T", x->dtype);
  put_dims(s, &dims, x);
  onri_text_format(s, &dims, ", ");
  put_dims(s, &dims, &s->in[1].desc);
  onri_line(s, "memcpy(%s, %s, %zu);", onri_out(s, 0).text, onri_in(s, 0).text, onr_desc_bytes(x));
  onri_line(s, "if (scatter_elements_%s(%s, %s, %d, %s, %s, %d, %d, %d)) return 1; /* %s */", onri_c_short(x->dtype),
            onri_out(s, 0).text, onri_in(s, 1).text, index_size(s, 1), onri_in(s, 2).text, dims.data, x->rank,
            (int)(p->axis < 0 ? p->axis + x->rank : p->axis), (int)p->reduction, reduction_part(p->reduction));
  onri_text_clear(s, &dims);
}

static void emit_scatter_nd(struct onri_source *s) {
  const struct onr_scatter_nd_params *p = s->params;
  const struct onr_desc *x = &s->in[0].desc, *index = &s->in[1].desc;
  const long long k = index->dim[index->rank - 1];
  struct onri_text dims = {0};
  if (p->reduction == ONR_REDUCTION_NONE && s->in[1].known && write_move(s)) return;
  onri_use(s, "scatter_nd_T", x->dtype);
  put_dims(s, &dims, x);
  onri_line(s, "memcpy(%s, %s, %zu);", onri_out(s, 0).text, onri_in(s, 0).text, onr_desc_bytes(x));
  onri_line(s, "if (scatter_nd_%s(%s, %s, %d, %s, %s, %lld, %lld, %lld, %d)) return 1; /* %s */",
            onri_c_short(x->dtype), onri_out(s, 0).text, onri_in(s, 1).text, index_size(s, 1), onri_in(s, 2).text,
            dims.data, onri_extent(index, 0, index->rank - 1), k, onri_extent(x, (int32_t)k, x->rank),
            (int)p->reduction, reduction_part(p->reduction));
  onri_text_clear(s, &dims);
}

static void emit_bit_cast(struct onri_source *s) {
  if (!onri_alias(s, 0, 0, 0))
    onri_line(s, "memcpy(%s, %s, %zu);", onri_out(s, 0).text, onri_in(s, 0).text, onr_desc_bytes(&s->in[0].desc));
}

/* Constants in all but name: how many there are follows from shapes. */
static void emit_constant_of_shape(struct onri_source *s) {
  const struct onri_operand *y = &s->out[0];
  struct onri_constant **results = onri_temporary(s, s->num_out * sizeof(*results));
  struct onr_desc *in = onri_temporary(s, s->num_in * sizeof(*in));
  const void **inputs = onri_temporary(s, s->num_in * sizeof(*inputs));
  struct onr_error ignored;
  if (!results || !in || !inputs) return;
  for (size_t i = 0; i < s->num_in; i++) in[i] = s->in[i].desc, inputs[i] = s->in[i].known;
  if (onri_node_evaluate(s->node, s->env, in, inputs, results, &ignored) != ONR_STATUS_OK) {
    s->why = "what it makes depends on data";
    return;
  }
  onri_line(s, "memcpy(%s, w%d, %zu);", onri_out(s, 0).text,
            onri_weights_add(s, y->desc.dtype, results[0]->data, (size_t)onri_count(y)), onr_desc_bytes(&y->desc));
  onri_constant_release(results[0]);
}

/* Linear and cubic ones are in pool.c. */
static void emit_resize(struct onri_source *s) {
  const struct onr_resize_params *p = s->params;
  if (p->mode == ONR_RESIZE_NEAREST && p->coordinates != ONR_RESIZE_TF_CROP_AND_RESIZE) emit_move(s);
  else onri_emit_interpolation(s);
}

const struct onri_emitter onri_emitters_move[] = {
    {&onri_layer_reshape, emit_move, 1},
    {&onri_layer_flatten, emit_move, 1},
    {&onri_layer_flatten_dims, emit_move, 1},
    {&onri_layer_unflatten, emit_move, 1},
    {&onri_layer_squeeze, emit_move, 1},
    {&onri_layer_unsqueeze, emit_move, 1},
    {&onri_layer_identity, emit_move, 1},
    {&onri_layer_transpose, emit_move, 1},
    {&onri_layer_expand, emit_move, 1},
    {&onri_layer_tile, emit_move, 1},
    {&onri_layer_concat, emit_move, 1},
    {&onri_layer_split, emit_move, 1},
    {&onri_layer_slice, emit_move, 1},
    {&onri_layer_depth_to_space, emit_move, 1},
    {&onri_layer_space_to_depth, emit_move, 1},
    {&onri_layer_channel_shuffle, emit_move, 1},
    {&onri_layer_trilu, emit_move, 1},
    {&onri_layer_pad, emit_move, 1},
    {&onri_layer_center_crop_pad, emit_move, 1},
    {&onri_layer_align, emit_move, 1},
    {&onri_layer_batch, emit_move, 1},
    {&onri_layer_unbatch, emit_move, 1},
    {&onri_layer_reverse_sequence, emit_move, 1},
    {&onri_layer_im2col, emit_move, 1},
    {&onri_layer_compress, emit_move, 1},
    {&onri_layer_tensor_scatter, emit_move, 1},
    {&onri_layer_gather, emit_gather, 1},
    {&onri_layer_gather_elements, emit_gather_elements, 1},
    {&onri_layer_gather_nd, emit_gather_nd, 1},
    {&onri_layer_scatter_elements, emit_scatter_elements, 0},
    {&onri_layer_scatter_nd, emit_scatter_nd, 0},
    {&onri_layer_bit_cast, emit_bit_cast, 1},
    {&onri_layer_constant_of_shape, emit_constant_of_shape, 1},
    {&onri_layer_eye_like, emit_constant_of_shape, 1},
    {&onri_layer_shape, emit_constant_of_shape, 1},
    {&onri_layer_size, emit_constant_of_shape, 1},
    {&onri_layer_resize, emit_resize, 0},
    {NULL, NULL, 0},
};
