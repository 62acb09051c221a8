/* byte_pieces.c: a float32 layer between integers of 8 or 16 bits, see params/elementwise.h.
 *
 * inputs    those of the layer; input 0 as the parameters say
 * output 0  of the layer's shape, as the parameters say
 * path      pieces that do not depend on each other: rows (softmax and norms along the last axes), images, planes of
 *           images, or some channels of images that are stored channels last. Each becomes float32 in scratch, is given
 *           to the layer, and its result is written. All pieces have one size; the last one is filled up. */
#include "layers/quantize/byte_pieces.h"

#include "base/env.h"
#include "base/numbers/checked.h"
#include "base/shape.h"
#include "base/types.h"
#include "layers/elementwise/scratch.h"
#include "layers/quantize/steps.h"

/* What a piece is made of. */
enum unit { ROWS, REDUCED, IMAGES, PLANES };
static const struct kind {
  const struct onr_layer *layer;
  enum unit unit;
  size_t param; /* where the parameters say the axis, or (planes) whether channels are last */
} kinds[] = {
    {&onri_layer_softmax, ROWS, offsetof(struct onr_softmax_params, axis)},
    {&onri_layer_log_softmax, ROWS, offsetof(struct onr_softmax_params, axis)},
    {&onri_layer_layer_norm, ROWS, offsetof(struct onr_layer_norm_params, axis)},
    {&onri_layer_rms_norm, ROWS, offsetof(struct onr_rms_norm_params, axis)},
    {&onri_layer_reduce, REDUCED, 0},
    {&onri_layer_instance_norm, IMAGES, 0},
    {&onri_layer_group_norm, IMAGES, 0},
    {&onri_layer_average_pool, PLANES, offsetof(struct onr_pool_params, channels_last)},
    {&onri_layer_lp_pool, PLANES, offsetof(struct onr_pool_params, channels_last)},
    {&onri_layer_global_average_pool, PLANES, offsetof(struct onr_global_pool_params, channels_last)},
    {&onri_layer_global_max_pool, PLANES, offsetof(struct onr_global_pool_params, channels_last)},
    {&onri_layer_resize, PLANES, offsetof(struct onr_resize_params, channels_last)},
};

enum { MOST_IN = 4, MOST_OUT = 4, PIECE = 1 << 14, LANES = 16 };

static const struct kind *kind_of(const struct onr_layer *layer) {
  for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
    if (kinds[i].layer == layer) return &kinds[i];
  return NULL;
}

int onri_byte_pieces_takes(const struct onr_layer *layer) { return kind_of(layer) != NULL; }

/* --- the layer inside --- */

struct inside {
  struct onr_call call;
  struct onr_desc in[MOST_IN], out[MOST_OUT];
  const void *inputs[MOST_IN];
  void *outputs[MOST_OUT];
  struct onr_view view[MOST_OUT], into[MOST_IN];
};

/* The call as the layer inside would get it, for all of input 0. */
static enum onr_status enter(const struct onr_call *call, struct inside *inside) {
  const struct onr_byte_pieces_params *p = call->params;
  *inside = (struct inside){.call = *call};
  if (!p->layer || !onri_byte_pieces_takes(p->layer) || call->num_in > MOST_IN || p->layer->outputs_max > MOST_OUT)
    return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "expected a layer that can be computed in pieces");
  for (size_t i = 0; i < call->num_in; i++) {
    inside->in[i] = call->in[i];
    inside->inputs[i] = call->inputs && i > 0 ? call->inputs[i] : NULL;
    inside->into[i].of = -1;
  }
  for (size_t i = 0; i < MOST_OUT; i++) inside->view[i].of = -1;
  inside->in[0].dtype = ONR_DTYPE_F32;
  inside->call.packed_inputs = 0;
  inside->call.params = p->params;
  inside->call.in = inside->in, inside->call.out = inside->out;
  inside->call.inputs = inside->inputs, inside->call.outputs = inside->outputs;
  inside->call.view = inside->view, inside->call.into = inside->into;
  inside->call.prepared = inside->call.state = inside->call.kept = inside->call.retired = NULL;
  inside->call.in_place = -1;
  inside->call.scratch_bytes = 0;
  return onri_types_check(p->layer, &inside->call);
}

static enum onr_status infer_inside(const struct onr_call *call, struct inside *inside) {
  ONR_TRY(((const struct onr_byte_pieces_params *)call->params)->layer->infer(&inside->call));
  if (inside->out[0].dtype == ONR_DTYPE_F32) return ONR_STATUS_OK;
  return onr_fail(call->error, ONR_STATUS_TYPE, "expected a layer that makes float32, found %s",
                  onr_dtype_name(inside->out[0].dtype));
}

static enum onr_status pieces_infer(struct onr_call *call) {
  const struct onr_byte_pieces_params *p = call->params;
  struct inside inside;
  ONR_TRY(enter(call, &inside));
  if (call->in[0].dtype != onri_steps_dtype(&p->input))
    return onr_fail(call->error, ONR_STATUS_TYPE, "expected input 0 of type %s, found %s",
                    onr_dtype_name(onri_steps_dtype(&p->input)), onr_dtype_name(call->in[0].dtype));
  ONR_TRY(infer_inside(call, &inside));
  call->out[0] = inside.out[0];
  call->out[0].dtype = onri_steps_dtype(&p->output);
  return ONR_STATUS_OK;
}

/* --- plan --- */

/* One side of a piece: `runs` runs of `run` elements, `stride` apart; side by side in the float32 piece. Pieces of the
 * same image are `run` apart, images `image`. */
struct side {
  size_t runs, run, stride, image;
  size_t floats; /* of a piece */
};

struct pieces_state {
  const struct onr_layer *layer;
  struct onr_desc in, out; /* of a piece */
  struct side x, y;
  size_t images, parts, units; /* parts of an image have so many units, the last one maybe less */
  size_t part;
  size_t lanes; /* that work at the same time, each with a state of the layer and scratch of its own */
  char *states;
  size_t state_bytes, x_at, y_at, inner_at, lane_bytes;
};

static int32_t first_axis(const struct onr_call *call) {
  int32_t first = call->in[0].rank;
  if (!onri_has(call, 1) || !call->inputs[1] || call->in[1].dtype != ONR_DTYPE_I64) return 0;
  for (int64_t i = 0; i < onr_desc_elements(&call->in[1]); i++) {
    const int64_t axis = ((const int64_t *)call->inputs[1])[i], at = axis < 0 ? axis + call->in[0].rank : axis;
    if (at < first) first = (int32_t)at;
  }
  return first < 0 ? 0 : first;
}

static const struct onr_resize_params *resize_params(const struct onr_call *call) {
  const struct onr_byte_pieces_params *p = call->params;
  return p->layer == &onri_layer_resize ? p->params : NULL;
}

/* A resize that is told the sizes of batch and channels, too. */
static int gives_all_sizes(const struct onr_call *call) {
  const struct onr_resize_params *p = resize_params(call);
  return p && p->num_axes == 0 && onri_has(call, 3) && call->in[3].dtype == ONR_DTYPE_I64 && call->inputs[3] &&
         onr_desc_elements(&call->in[3]) == call->in[0].rank;
}

/* Those of a piece, in logical order. */
static const int64_t *sizes_of_piece(const struct pieces_state *s, const struct onr_call *call,
                                     int64_t sizes[ONR_MAX_RANK]) {
  const int32_t rank = call->in[0].rank, channel = resize_params(call)->channels_last ? rank - 1 : 1;
  memcpy(sizes, call->inputs[3], (size_t)rank * sizeof(*sizes));
  sizes[0] = s->in.dim[0];
  if (rank > 1) sizes[1] = s->in.dim[channel];
  return sizes;
}

/* Batch and channels keep their sizes; pixels decide the others. */
static int resizes_planes(const struct onr_call *call, const struct onr_desc *out, int32_t channel) {
  const struct onr_resize_params *p = resize_params(call);
  if (p->aspect != ONR_RESIZE_STRETCH || call->in[0].rank < 3) return 0;
  for (int32_t i = 0; i < p->num_axes; i++)
    if ((p->axes[i] < 0 ? p->axes[i] + call->in[0].rank : p->axes[i]) <= 1) return 0;
  if (p->num_axes == 0 && onri_has(call, 3) && !gives_all_sizes(call)) return 0;
  return out->dim[0] == call->in[0].dim[0] && out->dim[channel] == call->in[0].dim[channel];
}

/* How many dimensions before the first one that is computed along; *last: and the last dimension. */
static int32_t free_dims(const struct onr_call *call, const struct onr_desc *out, int *last) {
  const struct onr_byte_pieces_params *p = call->params;
  const struct kind *kind = kind_of(p->layer);
  const char *param = (const char *)p->params + kind->param;
  const int32_t rank = call->in[0].rank;
  *last = 0;
  if (kind->unit == ROWS) {
    const int64_t said = *(const int64_t *)(const void *)param, axis = said < 0 ? said + rank : said;
    for (size_t i = 1; i < call->num_in; i++) /* a scale that is not the same for all rows */
      if (onri_has(call, i) && call->in[i].rank > rank - axis) return 0;
    return (int32_t)axis;
  }
  if (kind->unit == REDUCED) return first_axis(call);
  if (kind->unit == IMAGES) return 1;
  const int is_last = *(const int32_t *)(const void *)param != 0;
  if (p->layer == &onri_layer_resize && !resizes_planes(call, out, is_last ? rank - 1 : 1)) return 0;
  *last = is_last;
  return is_last ? 1 : 2;
}

static size_t at_least_1(size_t n) { return n ? n : 1; }

/* Cuts both sides into pieces. whole: the layer's output for all of input 0. */
static void cut(struct pieces_state *s, const struct onr_call *call, const struct onr_desc *whole) {
  const struct onr_desc *x = &call->in[0];
  int last;
  const int32_t rank = x->rank, dims = free_dims(call, whole, &last);
  s->in = *x;
  s->in.dtype = ONR_DTYPE_F32;
  const size_t x_all = (size_t)onr_desc_elements(x), y_all = (size_t)onr_desc_elements(whole);
  s->images = last ? (size_t)x->dim[0] : 1;
  s->units = last ? (size_t)x->dim[rank - 1] : (size_t)onri_product(x, 0, dims);
  const size_t each = (x_all + y_all) / at_least_1(s->images * s->units);
  size_t most = at_least_1(PIECE / at_least_1(each));
  if (last) most = (most + LANES - 1) / LANES * LANES;
  s->parts = (s->units + most - 1) / most;
  s->part = at_least_1(last && s->units > most ? most : (s->units + s->parts - 1) / at_least_1(s->parts));
  for (int32_t d = 0; d < dims; d++) s->in.dim[d] = 1;
  if (last) s->in.dim[rank - 1] = (int64_t)s->part;
  else if (dims > 0) s->in.dim[dims - 1] = (int64_t)s->part;
  const size_t x_unit = x_all / at_least_1(s->images * s->units), y_unit = y_all / at_least_1(s->images * s->units);
  s->x = (struct side){x_unit, 1, s->units, x_unit * s->units, x_unit * s->part};
  s->y = (struct side){y_unit, 1, s->units, y_unit * s->units, y_unit * s->part};
  if (!last) s->x.runs = s->y.runs = 1, s->x.run = x_unit, s->y.run = y_unit;
}

/* The layer inside sees pieces, and works on one thread. */
static void narrow(const struct pieces_state *s, struct inside *inside, struct onr_env *alone) {
  *alone = *inside->call.env;
  alone->threads = NULL;
  inside->call.env = alone;
  inside->in[0] = s->in;
  inside->out[0] = s->out;
}

static enum onr_status plan_lanes(struct pieces_state *s, const struct onr_call *call, struct inside *inside) {
  const struct onr_byte_pieces_params *p = call->params;
  size_t bytes;
  s->state_bytes = ((size_t)p->layer->state_size + 63) / 64 * 64 + 64;
  if (!onri_mul_size(s->state_bytes, s->lanes, &bytes) || !(s->states = onr_env_allocate(call->env, bytes)))
    return onr_fail(call->error, ONR_STATUS_NO_MEMORY, "out of memory for the states of pieces");
  memset(s->states, 0, bytes);
  for (size_t i = 0; i < s->lanes; i++) {
    inside->call.state = s->states + i * s->state_bytes;
    inside->call.scratch_bytes = 0;
    if (p->layer->plan) ONR_TRY(p->layer->plan(&inside->call));
  }
  return ONR_STATUS_OK;
}

/* --- averages of whole planes of bytes: sums are taken of the bytes --- */

enum { MEANS = 64 }; /* channels of an item */

/* Channels that lie side by side, or planes. */
struct planes {
  int last;
  size_t images, channels, pixels;
};

static struct planes planes_of(const struct onr_call *call) {
  const struct onr_byte_pieces_params *p = call->params;
  const struct onr_desc *x = &call->in[0];
  const int last = ((const struct onr_global_pool_params *)p->params)->channels_last != 0;
  return (struct planes){last, (size_t)x->dim[0], (size_t)x->dim[last ? x->rank - 1 : 1],
                         (size_t)onri_product(x, last ? 1 : 2, last ? x->rank - 1 : x->rank)};
}

static int is_mean_of_bytes(const struct onr_call *call) {
  const struct onr_byte_pieces_params *p = call->params;
  enum { MOST_PIXELS = 1 << 22 };
  return p->layer == &onri_layer_global_average_pool && onri_dtype_in(ONRI_DTYPES_8BIT, call->in[0].dtype) &&
         planes_of(call).pixels <= MOST_PIXELS;
}

/* Parts of images whose channels lie side by side; else of all planes. */
static size_t parts_of(const struct planes *s) {
  return s->last ? s->images * ((s->channels + MEANS - 1) / MEANS) : (s->images * s->channels + MEANS - 1) / MEANS;
}

static void means(void *context, size_t begin, size_t end) {
  const struct onr_call *call = context;
  const struct onr_byte_pieces_params *p = call->params;
  const struct planes s = planes_of(call);
  const int is_signed = call->in[0].dtype == ONR_DTYPE_I8;
  const size_t row = s.last ? s.channels : s.images * s.channels, parts = (row + MEANS - 1) / MEANS;
  for (size_t item = begin; item < end; item++) {
    const size_t image = item / parts, first = item % parts * MEANS;
    const size_t count = row - first < MEANS ? row - first : MEANS;
    const char *x = (const char *)call->inputs[0] + image * s.pixels * row + first * (s.last ? 1 : s.pixels);
    int32_t sums[MEANS];
    float real[MEANS];
    if (s.last) onri_kernels(quantize)->sums(x, s.pixels, s.channels, count, is_signed, sums);
    else onri_kernels(quantize)->line_sums(x, count, s.pixels, is_signed, sums);
    for (size_t i = 0; i < count; i++)
      real[i] = (float)(sums[i] - p->input.zero * (int32_t)s.pixels) * p->input.scale / (float)s.pixels;
    onri_steps_store(&p->output, real, count, call->outputs[0], image * row + first);
  }
}

static enum onr_status pieces_plan(struct onr_call *call) {
  const struct onr_byte_pieces_params *p = call->params;
  struct pieces_state *s = call->state;
  struct inside inside;
  struct onr_env alone;
  int64_t sizes[ONR_MAX_RANK];
  s->layer = p->layer;
  ONR_TRY(enter(call, &inside));
  ONR_TRY(infer_inside(call, &inside));
  if (onr_desc_elements(&call->in[0]) == 0 || onr_desc_elements(&inside.out[0]) == 0) return ONR_STATUS_OK;
  call->kernel = ONR_KERNEL_VECTOR; /* of what becomes float32 */
  if (is_mean_of_bytes(call)) return ONR_STATUS_OK;
  cut(s, call, &inside.out[0]);
  narrow(s, &inside, &alone);
  if (gives_all_sizes(call)) inside.inputs[3] = sizes_of_piece(s, call, sizes);
  ONR_TRY(infer_inside(call, &inside));
  s->out = inside.out[0];
  const size_t threads = onr_threads_count(call->env->threads), pieces = s->images * s->parts;
  s->lanes = threads < pieces ? threads : pieces;
  ONR_TRY(plan_lanes(s, call, &inside));
  /* one lane's scratch, and the others' behind it */
  struct onr_call lane = {0};
  s->x_at = onri_scratch_take(&lane, onri_size_of((size_t[]){s->x.floats, sizeof(float)}, 2));
  s->y_at = onri_scratch_take(&lane, onri_size_of((size_t[]){s->y.floats, sizeof(float)}, 2));
  s->inner_at = onri_scratch_take(&lane, inside.call.scratch_bytes);
  s->lane_bytes = lane.scratch_bytes;
  onri_scratch_take(call, onri_size_of((size_t[]){s->lane_bytes, s->lanes}, 2));
  return ONR_STATUS_OK;
}

static void release_state(void *state, struct onr_env *env) {
  struct pieces_state *s = state;
  for (size_t i = 0; s->states && s->layer->release_state && i < s->lanes; i++)
    s->layer->release_state(s->states + i * s->state_bytes, env);
  onr_env_release(env, s->states);
  s->states = NULL;
}

/* --- run --- */

/* Units of piece `part` that there are. */
static size_t units_of(const struct pieces_state *s, size_t part) {
  const size_t rest = s->units - part * s->part;
  return rest < s->part ? rest : s->part;
}

static void load_piece(const struct pieces_state *s, const struct onr_call *call, size_t image, size_t part,
                       float *to) {
  const struct onr_byte_pieces_params *p = call->params;
  const size_t units = units_of(s, part), run = s->x.run * units, row = s->x.floats / s->x.runs;
  const size_t from = image * s->x.image + part * s->part * s->x.run;
  for (size_t r = 0; r < s->x.runs; r++) {
    onri_steps_load(&p->input, call->inputs[0], from + r * s->x.stride, run, to + r * row);
    for (size_t i = run; i < row; i++) to[r * row + i] = 0.0f;
  }
}

static void store_piece(const struct pieces_state *s, const struct onr_call *call, size_t image, size_t part,
                        const float *from) {
  const struct onr_byte_pieces_params *p = call->params;
  const size_t units = units_of(s, part), run = s->y.run * units, row = s->y.floats / s->y.runs;
  const size_t to = image * s->y.image + part * s->part * s->y.run;
  for (size_t r = 0; r < s->y.runs; r++)
    onri_steps_store(&p->output, from + r * row, run, call->outputs[0], to + r * s->y.stride);
}

static void lanes(void *context, size_t begin, size_t end) {
  const struct onr_call *call = context;
  const struct onr_byte_pieces_params *p = call->params;
  const struct pieces_state *s = call->state;
  for (size_t lane = begin; lane < end; lane++) {
    char *scratch = (char *)call->scratch + lane * s->lane_bytes;
    struct inside inside;
    struct onr_env alone;
    if (enter(call, &inside) != ONR_STATUS_OK) return;
    narrow(s, &inside, &alone);
    inside.call.state = s->states + lane * s->state_bytes;
    inside.call.scratch = scratch + s->inner_at;
    inside.inputs[0] = scratch + s->x_at;
    inside.outputs[0] = scratch + s->y_at;
    for (size_t i = lane; i < s->images * s->parts && !onr_env_cancelled(call->env); i += s->lanes) {
      const size_t image = i / s->parts, part = i % s->parts;
      load_piece(s, call, image, part, (float *)(void *)(scratch + s->x_at));
      if (p->layer->run(&inside.call) != ONR_STATUS_OK) return;
      store_piece(s, call, image, part, (const float *)(void *)(scratch + s->y_at));
    }
  }
}

static enum onr_status pieces_run(struct onr_call *call) {
  const struct pieces_state *s = call->state;
  if (onr_desc_elements(&call->out[0]) == 0) return ONR_STATUS_OK;
  if (s->lanes == 0) {
    const struct planes planes = planes_of(call);
    onr_parallel_for(call->env, parts_of(&planes), 1, means, call);
    return ONR_STATUS_OK;
  }
  onr_parallel_for(call->env, s->lanes, 1, lanes, call);
  return ONR_STATUS_OK;
}

static int64_t pieces_steps(const struct onr_call *call) {
  const struct onr_byte_pieces_params *p = call->params;
  struct inside inside;
  if (enter(call, &inside) != ONR_STATUS_OK || !p->layer->steps) return 0;
  inside.out[0] = call->out[0];
  inside.out[0].dtype = ONR_DTYPE_F32;
  return p->layer->steps(&inside.call);
}

static uint32_t pieces_kernel_types(const void *params, enum onr_kernel kernel) {
  (void)params;
  return kernel == ONR_KERNEL_VECTOR ? ONRI_DTYPES_STEPS : 0;
}

const struct onr_layer onri_layer_byte_pieces = {
    .name = "byte_pieces",
    .inputs_min = 1,
    .inputs_max = MOST_IN,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONRI_DTYPE_BIT(ONR_DTYPE_F32) | ONRI_DTYPES_STEPS},
    .params_size = sizeof(struct onr_byte_pieces_params),
    .state_size = sizeof(struct pieces_state),
    .infer = pieces_infer,
    .plan = pieces_plan,
    .run = pieces_run,
    .release_state = release_state,
    .steps = pieces_steps,
    .kernel_types = pieces_kernel_types,
};
