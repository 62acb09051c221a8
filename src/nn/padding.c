/* padding: torch.nn's padding layers, one layer of the library. */
#include "onnxrun/nn/padding.h"

#include "nn/nn_image.h"
#include "onnxrun/layers/move.h"

/* padding: (begin, end) of the last axis, then of the one before ... */
static int pad(struct onr_net *net, enum onr_pad_mode mode, int x, const int64_t *padding, int32_t spatial, float value) {
  const struct onr_pad_params params = {mode};
  int64_t pads[6], axes[3];
  int in[4] = {x, -1, mode == ONR_PAD_CONSTANT && value != 0 ? onri_net_float(net, value) : ONRI_NONE, -1}, y = -1;
  for (int32_t i = 0; i < spatial; i++) {
    axes[i] = -1 - i;
    pads[i] = padding[2 * i];
    pads[spatial + i] = padding[2 * i + 1];
  }
  in[0] = onri_net_batch(net, x, spatial + 2);
  in[1] = onri_net_ints(net, pads, 2 * (size_t)spatial);
  in[3] = onri_net_ints(net, axes, (size_t)spatial);
  if (net->failed) return -1;
  onr_net_layer(net, &onri_layer_pad, &params, in, 4, &y, 1);
  return onri_net_unbatch(net, y, x, spatial + 2);
}

#define CONSTANT(spatial)                                                                                                     \
  int onr_constant_pad##spatial##d(struct onr_net *net, int x, const int64_t padding[2 * spatial], float value) {             \
    return pad(net, ONR_PAD_CONSTANT, x, padding, spatial, value);                                                            \
  }
#define PLAIN(name, mode, spatial)                                                                                            \
  int onr_##name##_pad##spatial##d(struct onr_net *net, int x, const int64_t padding[2 * spatial]) {                          \
    return pad(net, ONR_PAD_##mode, x, padding, spatial, 0);                                                                  \
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
PLAIN(circular, WRAP, 1)
PLAIN(circular, WRAP, 2)
PLAIN(circular, WRAP, 3)
