/* conv_gemm_work.c: see conv_gemm_work.h. */
#include "kernels/conv/conv_gemm_work.h"

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t round_up(int64_t n, int64_t unit) { return (n + unit - 1) / unit * unit; }

struct onri_conv_blocks onri_conv_blocks_of(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels,
                                            enum onri_conv_form form) {
  const int64_t lanes = kernels->lanes, most_channels = kernels->plane_channels;
  if (form != ONRI_CONV_FIRST) return (struct onri_conv_blocks){round_up(c->group_out, lanes), 2 * lanes};
  const int64_t count = (c->group_out - 1) / most_channels + 1, width = (c->group_out - 1) / count + 1;
  return (struct onri_conv_blocks){round_up(c->group_out, width), width};
}

void onri_conv_taps_used(const struct onri_axis *a, int64_t low, int64_t high, int64_t *first, int64_t *last) {
  *first = least(a->kernel, most(0, onri_ceil_div(a->begin - high * a->stride, a->dilation)));
  *last = most(*first, least(a->kernel, onri_ceil_div(a->in + a->begin - low * a->stride, a->dilation)));
}

int onri_conv_sees_one_pixel(const struct onri_conv *c, int64_t next) {
  for (int a = ONR_MAX_SPATIAL - 1; a >= 0; next *= c->axis[a--].in)
    if (c->axis[a].kernel != 1 || c->axis[a].stride != 1 || c->axis[a].in != c->axis[a].out || c->axis[a].begin ||
        (c->axis[a].in > 1 && c->x.stride[a] != next))
      return 0;
  return 1;
}

int onri_conv_is_dense(const struct onri_conv *c) {
  int64_t next = c->y.stride[2];
  for (int a = ONR_MAX_SPATIAL - 1; a >= 0; next *= c->axis[a--].out)
    if (c->axis[a].out > 1 && c->y.stride[a] != next) return 0;
  return c->y.batch == 1 || c->y.channel_stride != 1 || c->y.batch_stride == next;
}

struct onri_conv onri_conv_in_one_row(const struct onri_conv *c) {
  struct onri_conv row = *c;
  row.axis[2].in = row.axis[2].out = c->axis[0].out * c->axis[1].out * c->axis[2].out;
  row.axis[0] = row.axis[1] = (struct onri_axis){.in = 1, .out = 1, .kernel = 1, .stride = 1, .dilation = 1};
  return row;
}

enum { SLOT_BYTES = (ONRI_PANEL_FLOATS * 4 + 63) / 64 * 64, FLAG_BYTES = 64 };

size_t onri_conv_gemm_scratch_bytes(size_t threads) { return threads * (SLOT_BYTES + FLAG_BYTES); }

/* Behind all slots. */
static atomic_uchar *busy(const struct onri_conv_slots *slots, size_t slot) {
  return (atomic_uchar *)(void *)(slots->memory + slots->count * SLOT_BYTES + slot * FLAG_BYTES);
}

struct onri_conv_slots onri_conv_slots_in(const struct onri_conv_gemm *operands) {
  const struct onri_conv_slots slots = {operands->scratch, operands->threads};
  for (size_t i = 0; i < slots.count; i++) atomic_init(busy(&slots, i), 0);
  return slots;
}

float *onri_conv_slot_take(const struct onri_conv_slots *slots, size_t *slot) {
  for (size_t i = 0;; i = (i + 1) % slots->count)
    if (!atomic_exchange_explicit(busy(slots, i), 1, memory_order_acquire)) {
      *slot = i;
      return (float *)(void *)(slots->memory + i * SLOT_BYTES);
    }
}

void onri_conv_slot_give(const struct onri_conv_slots *slots, size_t slot) {
  atomic_store_explicit(busy(slots, slot), 0, memory_order_release);
}
