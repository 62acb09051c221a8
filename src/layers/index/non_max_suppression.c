/* non_max_suppression.c: of boxes that overlap, the one of the best score, class by class.
 *
 * inputs   boxes [batch, n, 4], scores [batch, classes, n] float32; most boxes a class (int64), IoU threshold, score
 *          threshold (float32), optional scalars; without the third nothing is selected
 * output   [selected, 3] int64: batch, class, box; in order of batch, class, falling score */
#include <string.h>

#include "base/numbers/checked.h"
#include "base/env.h"
#include "base/shape.h"
#include "kernels/index/sort.h"
#include "layers/layers.h"

static enum onr_status expect_scalar(const struct onr_call *call, size_t i) {
  if (!onri_has(call, i)) return ONR_STATUS_OK;
  if (onr_desc_elements(&call->in[i]) != 1)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "input %d has %lld elements: expected one", (int)i,
                    (long long)onr_desc_elements(&call->in[i]));
  return ONR_STATUS_OK;
}

static enum onr_status suppression_infer(struct onr_call *call) {
  const struct onr_desc *boxes = &call->in[0], *scores = &call->in[1];
  for (size_t i = 0; i < 2; i++) ONR_TRY(onri_expect_rank(call, i, 3, 3));
  if (boxes->dim[2] != 4 || boxes->dim[0] != scores->dim[0] || boxes->dim[1] != scores->dim[2]) {
    char a[160], b[160];
    return onr_fail(call->error, ONR_STATUS_SHAPE,
                    "boxes are %s, scores %s: expected [batch, n, 4] and [batch, classes, n]",
                    onr_desc_format(boxes, a, sizeof(a)), onr_desc_format(scores, b, sizeof(b)));
  }
  for (size_t i = 2; i < 5; i++) ONR_TRY(expect_scalar(call, i));
  const int64_t dims[2] = {onr_desc_elements(scores), 3};
  call->out[0] = onr_desc_make(ONR_DTYPE_I64, 2, dims);
  return ONR_STATUS_OK;
}

/* Scratch: a candidate, a sorting place and the corners for each box; the boxes selected of each class, and how
 * many those are. */
enum { CORNERS = 6 }; /* floats of a box: two in the place of an int64 */

static enum onr_status suppression_plan(struct onr_call *call) {
  const struct onr_desc *scores = &call->in[1];
  const size_t n = (size_t)scores->dim[2], classes = (size_t)scores->dim[0] * (size_t)scores->dim[1];
  size_t lists, selected;
  if (n > UINT32_MAX) return onr_fail(call->error, ONR_STATUS_LIMIT, "expected fewer than 2^32 boxes, found %zu", n);
  if (!onri_mul_size(n, 2 + CORNERS / 2, &lists) || !onri_mul_size(n, classes, &selected) ||
      !onri_add_size(lists, selected, &lists) || !onri_add_size(lists, classes, &lists) ||
      !onri_mul_size(lists, sizeof(int64_t), &call->scratch_bytes))
    return onr_fail(call->error, ONR_STATUS_LIMIT,
                    "the scratch memory of non_max_suppression exceeds the address space");
  return ONR_STATUS_OK;
}

struct suppression {
  size_t n;
  int64_t most;
  float iou, score;
  const struct onr_env *env;
  int use_score, center;
};

struct corners {
  float y0, x0, y1, x1; /* y0 <= y1, x0 <= x1 */
};

static void order_pair(float *a, float *b) {
  if (*a > *b) {
    const float swap = *a;
    *a = *b;
    *b = swap;
  }
}

static struct corners corners_of(const float box[4], int center) {
  struct corners c = {box[0], box[1], box[2], box[3]};
  if (center) c = (struct corners){box[1] - box[3] / 2, box[0] - box[2] / 2, box[1] + box[3] / 2, box[0] + box[2] / 2};
  order_pair(&c.y0, &c.y1);
  order_pair(&c.x0, &c.x1);
  return c;
}

/* Of the boxes selected: [n] each, so that many are compared at once. */
struct selection {
  float *y0, *x0, *y1, *x1, *area;
};

static struct selection selection_in(float *memory, size_t n) {
  return (struct selection){memory, memory + n, memory + 2 * n, memory + 3 * n, memory + 4 * n};
}

static void add_box(const struct selection *s, int64_t k, const struct corners *c) {
  s->y0[k] = c->y0, s->x0[k] = c->x0, s->y1[k] = c->y1, s->x1[k] = c->x1;
  s->area[k] = (c->y1 - c->y0) * (c->x1 - c->x0);
}

/* Does c overlap any of the boxes [from, to)? */
static int overlaps(const struct selection *s, int64_t from, int64_t to, const struct corners *c, float threshold) {
  const float area = (c->y1 - c->y0) * (c->x1 - c->x0);
  int any = 0;
  for (int64_t k = from; k < to; k++) {
    const float top = s->y0[k] > c->y0 ? s->y0[k] : c->y0, bottom = s->y1[k] < c->y1 ? s->y1[k] : c->y1;
    const float left = s->x0[k] > c->x0 ? s->x0[k] : c->x0, right = s->x1[k] < c->x1 ? s->x1[k] : c->x1;
    const float both = (bottom - top) * (right - left), either = area + s->area[k] - both;
    any |= (bottom > top) & (right > left) & (area > 0) & (s->area[k] > 0) & (either > 0) & (both / either > threshold);
  }
  return any;
}

static int overlaps_any(const struct selection *s, int64_t count, const struct corners *c, float threshold) {
  enum { AT_ONCE = 64 };
  for (int64_t k = 0; k < count; k += AT_ONCE)
    if (overlaps(s, k, count - k < AT_ONCE ? count : k + AT_ONCE, c, threshold)) return 1;
  return 0;
}

/* The number of a box below a key that falls as its score rises. Positive floats are ordered like their bits. */
static uint64_t candidate_of(float score, size_t box) {
  const uint32_t sign = (uint32_t)1 << 31;
  uint32_t bits = 0; /* of 0, also where it is -0 */
  if (score != 0) memcpy(&bits, &score, sizeof(bits));
  return (uint64_t)(bits & sign ? bits : ~(bits | sign)) << 32 | box;
}

/* The boxes selected of one class, best first; returns how many. A NaN score is never selected. */
static int64_t select_boxes(const struct suppression *s, const float *boxes /* [n, 4] */, const float *scores /* [n] */,
                            int64_t *work /* [5 n] */, int64_t *selected /* [n] */) {
  const struct selection selection = selection_in((float *)(void *)(work + 2 * s->n), s->n);
  uint64_t *candidates = (uint64_t *)work;
  int64_t count = 0, found = 0;
  for (size_t i = 0; i < s->n; i++)
    if (s->use_score ? scores[i] > s->score : scores[i] == scores[i]) candidates[count++] = candidate_of(scores[i], i);
  if (!onri_sort_high(candidates, candidates + s->n, (size_t)count, s->env)) return 0;
  struct onri_pace pace = {s->env, 0};
  for (int64_t c = 0; c < count && found < s->most && !onri_pace_stop(&pace, 16 + 2 * (uint64_t)found); c++) {
    const int64_t at = (int64_t)(candidates[c] & UINT32_MAX);
    const struct corners box = corners_of(boxes + 4 * at, s->center);
    if (overlaps_any(&selection, found, &box, s->iou)) continue;
    add_box(&selection, found, &box);
    selected[found++] = at;
  }
  return found;
}

static enum onr_status read_suppression(const struct onr_call *call, struct suppression *s) {
  const struct onr_non_max_suppression_params *p = call->params;
  *s = (struct suppression){.n = (size_t)call->in[1].dim[2], .env = call->env, .center = p->center_point_box};
  if (onri_has(call, 2)) s->most = *(const int64_t *)call->inputs[2];
  if (onri_has(call, 3)) s->iou = *(const float *)call->inputs[3];
  s->use_score = onri_has(call, 4);
  if (s->use_score) s->score = *(const float *)call->inputs[4];
  if (!(s->iou >= 0 && s->iou <= 1))
    return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "the IoU threshold is %g: expected 0..1", (double)s->iou);
  return ONR_STATUS_OK;
}

static enum onr_status suppression_run(struct onr_call *call) {
  const struct onr_desc *scores = &call->in[1];
  const size_t batch = (size_t)scores->dim[0], classes = (size_t)scores->dim[1], n = (size_t)scores->dim[2];
  int64_t *work = call->scratch, *selected = work + (2 + CORNERS / 2) * n, *found = selected + batch * classes * n,
          total = 0;
  struct suppression s;
  void *data;
  ONR_TRY(read_suppression(call, &s));
  for (size_t i = 0; i < batch * classes; i++) {
    if (onr_env_cancelled(call->env)) return ONR_STATUS_OK;
    const float *boxes = (const float *)call->inputs[0] + i / classes * n * 4;
    found[i] = n > 0 ? select_boxes(&s, boxes, (const float *)call->inputs[1] + i * n, work, selected + i * n) : 0;
    total += found[i];
  }
  const int64_t dims[2] = {total, 3};
  const struct onr_desc desc = onr_desc_make(ONR_DTYPE_I64, 2, dims);
  ONR_TRY(onr_call_resize(call, 0, &desc, &data));
  int64_t *y = data;
  for (size_t i = 0; i < batch * classes && y != NULL; i++)
    for (int64_t k = 0; k < found[i]; k++, y += 3) {
      y[0] = (int64_t)(i / classes);
      y[1] = (int64_t)(i % classes);
      y[2] = selected[i * n + (size_t)k];
    }
  return ONR_STATUS_OK;
}

/* Each box may be compared with all that were selected before it. */
static int64_t suppression_steps(const struct onr_call *call) {
  enum { BOX = 64, PAIR = 2 };
  const int64_t n = call->in[1].dim[2], *most = call->inputs[2];
  const int64_t pairs = !most || *most > n ? n : *most < 0 ? 0 : *most;
  return ONRI_STEPS(call->in[1].dim[0], call->in[1].dim[1], n, PAIR * pairs < BOX ? BOX : PAIR * pairs);
}

const struct onr_layer onri_layer_non_max_suppression = {
    .name = "non_max_suppression",
    .inputs_min = 2,
    .inputs_max = 5,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONRI_DTYPE_BIT(ONR_DTYPE_F32), ONRI_DTYPE_BIT(ONR_DTYPE_F32), ONRI_DTYPE_BIT(ONR_DTYPE_I64),
              ONRI_DTYPE_BIT(ONR_DTYPE_F32), ONRI_DTYPE_BIT(ONR_DTYPE_F32)},
    .output_type = ONRI_DTYPE_BIT(ONR_DTYPE_I64),
    .flags = ONR_LAYER_DYNAMIC,
    .params_size = sizeof(struct onr_non_max_suppression_params),
    .infer = suppression_infer,
    .plan = suppression_plan,
    .run = suppression_run,
    .steps = suppression_steps,
};
