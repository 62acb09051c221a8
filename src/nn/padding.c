/* padding.c: torch.nn's padding layers, one layer of the library. */
#include "onnxrun/nn/padding.h"

#include "nn/nn_image.h"
#include "params/move.h"

/* padding: (begin, end) of the last axis, then of the one before ...; only those between least and most: the others
 * count as 0. */
static int pad_between(struct onr_net *net, enum onr_pad_mode mode, int x, const int64_t *padding, int32_t spatial,
                       float value, int64_t least, int64_t most) {
  const struct onr_pad_params params = {mode};
  int64_t pads[6], axes[3];
  int y;
  for (int32_t i = 0; i < 2 * spatial; i++) {
    const int64_t p = padding[i];
    pads[i % 2 * spatial + i / 2] = p < least || p > most ? 0 : p;
    axes[i / 2] = -1 - i / 2;
  }
  const int in[4] = {x, onri_net_ints(net, pads, 2 * (size_t)spatial),
                     value != 0 ? onri_net_float(net, value) : ONRI_NONE, onri_net_ints(net, axes, (size_t)spatial)};
  return onr_net_layer(net, &onri_layer_pad, &params, in, 4, &y, 1);
}

/* PyTorch mirrors and repeats what is there before it crops; what comes from the other end comes from what is left. */
static int pad(struct onr_net *net, enum onr_pad_mode mode, int x, const int64_t *padding, int32_t spatial,
               float value) {
  int y, crops = 0;
  if (!onri_net_check_given(net, "a padding layer", "padding", padding)) return -1;
  y = onri_net_batch(net, x, spatial + 2);
  for (int32_t i = 0; i < 2 * spatial; i++) crops |= padding[i] < 0;
  if (crops && (mode == ONR_PAD_REFLECT || mode == ONR_PAD_EDGE)) {
    y = pad_between(net, mode, y, padding, spatial, 0, 0, INT64_MAX);
    y = pad_between(net, ONR_PAD_CONSTANT, y, padding, spatial, 0, INT64_MIN, 0);
  } else {
    y = pad_between(net, mode, y, padding, spatial, value, INT64_MIN, INT64_MAX);
  }
  return onri_net_unbatch(net, y, x, spatial + 2);
}

#define CONSTANT(spatial)                                                                                         \
  int onr_constant_pad##spatial##d(struct onr_net *net, int x, const int64_t padding[2 * spatial], float value) { \
    return pad(net, ONR_PAD_CONSTANT, x, padding, spatial, value);                                                \
  }
#define PLAIN(name, mode, spatial)                                                                   \
  int onr_##name##_pad##spatial##d(struct onr_net *net, int x, const int64_t padding[2 * spatial]) { \
    return pad(net, ONR_PAD_##mode, x, padding, spatial, 0);                                         \
  }

CONSTANT(1)
CONSTANT(2)
CONSTANT(3)
PLAIN(zero, CONSTANT, 1)
PLAIN(zero, CONSTANT, 2)
PLAIN(zero, CONSTANT, 3)
PLAIN(replication, EDGE, 1)
PLAIN(replication, EDGE, 2)
PLAIN(replication, EDGE, 3)
PLAIN(reflection, REFLECT, 1)
PLAIN(reflection, REFLECT, 2)
PLAIN(reflection, REFLECT, 3)
PLAIN(circular, CIRCULAR, 1)
PLAIN(circular, CIRCULAR, 2)
PLAIN(circular, CIRCULAR, 3)
