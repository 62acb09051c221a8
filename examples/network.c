/* A network written in C, with the weights of a PyTorch module. The file holds them as float32, in the order of
 * state_dict() and without num_batches_tracked, then an input and PyTorch's output for it (tests/nn/make_network.py
 * writes it). Prints how far the results are apart, and the layers with their times. */
#include <math.h>
#include <onnxrun/nn.h>
#include <onnxrun/onnxrun.h>
#include <stdio.h>

enum {
  CLASSES = 10,
  BATCH = 2,
  WEIGHTS = 224 + 576 + 4 * 8 + 1290,
  INPUT = BATCH * 3 * 8 * 8,
  OUTPUT = BATCH * CLASSES
};

/* The next count floats of those that follow. */
static struct onr_weight take(const float **next, size_t count) {
  const struct onr_weight taken = onr_weight(*next, count);
  *next += count;
  return taken;
}

/* relu(x + norm(conv(x))). A module is a function; its layers are "block.conv" and "block.norm". */
static int block(struct onr_net *net, int x, int64_t channels, const float **next) {
  const size_t n = (size_t)channels;
  onr_net_push(net, "conv");
  const struct onr_conv conv = {
      .in_channels = channels, .out_channels = channels, .kernel_size = {3, 3}, .padding = {1, 1}};
  int y = onr_conv2d(net, x, &conv, take(next, n * n * 9), onr_no_weight());
  onr_net_pop(net);
  struct onr_norm_weights norm;
  norm.weight = take(next, n);
  norm.bias = take(next, n);
  norm.running_mean = take(next, n);
  norm.running_var = take(next, n);
  onr_net_push(net, "norm");
  y = onr_batch_norm2d(net, y, &(struct onr_batch_norm){.num_features = channels}, &norm);
  onr_net_pop(net);
  return onr_relu(net, onr_add(net, x, y));
}

static enum onr_status build(const float **next, struct onr_model **model, struct onr_error *error) {
  struct onr_net *net;
  ONR_TRY(onr_net_create(NULL, &net, error));
  int x = onr_net_input(net, "image", ONR_DTYPE_F32, 4, (int64_t[]){ONR_UNKNOWN_DIM, 3, 8, 8});
  struct onr_weight weight = take(next, 8 * 3 * 9), bias = take(next, 8);
  x = onr_conv2d(net, x,
                 &(struct onr_conv){.in_channels = 3, .out_channels = 8, .kernel_size = {3, 3}, .padding = {1, 1}},
                 weight, bias);
  onr_net_push(net, "block");
  x = block(net, x, 8, next);
  onr_net_pop(net);
  x = onr_max_pool2d(net, x, &(struct onr_max_pool){.kernel_size = {2, 2}}, NULL);
  weight = take(next, CLASSES * 128), bias = take(next, CLASSES);
  x = onr_linear(net, onr_flatten(net, x, 1, -1), &(struct onr_linear){.in_features = 128, .out_features = CLASSES},
                 weight, bias);
  onr_net_output(net, "probabilities", onr_softmax(net, x, 1));
  return onr_net_finish(net, model, error); /* the first error of all of these calls */
}

/* How far apart the results are at most; infinity where one is no number. */
static double difference(const float *found, const float *expected, size_t count) {
  double most = 0;
  for (size_t i = 0; i < count; i++) {
    const double apart = fabs((double)found[i] - (double)expected[i]);
    most = apart == apart ? fmax(most, apart) : INFINITY;
  }
  return most;
}

/* 0: the file is not there, or is another. */
static int read_file(const char *path, float *data, size_t count) {
  FILE *file = fopen(path, "rb");
  if (!file) return perror(path), 0;
  const int done = fread(data, sizeof(*data), count, file) == count;
  fclose(file);
  if (!done) fprintf(stderr, "%s: expected %zu floats, found fewer\n", path, count);
  return done;
}

int main(int argc, char **argv) {
  static float data[WEIGHTS + INPUT + OUTPUT];
  const float *next = data, *expected = data + WEIGHTS + INPUT;
  const struct onr_tensor x = {onr_desc_make(ONR_DTYPE_F32, 4, (int64_t[]){BATCH, 3, 8, 8}), data + WEIGHTS};
  struct onr_tensor y;
  struct onr_model *model = NULL;
  struct onr_session *session = NULL;
  struct onr_error error;
  if (argc != 2) return fprintf(stderr, "usage: %s network.bin\n", argv[0]), 2;
  if (!read_file(argv[1], data, sizeof(data) / sizeof(*data))) return 1;
  if (build(&next, &model, &error) != ONR_STATUS_OK ||
      onr_session_create(model, &(struct onr_session_options){.size = sizeof(struct onr_session_options), .profile = 1},
                         &session, &error) != ONR_STATUS_OK ||
      onr_session_set_input(session, 0, &x, &error) != ONR_STATUS_OK ||
      onr_session_run(session, &error) != ONR_STATUS_OK ||
      onr_session_get_output(session, 0, &y, &error) != ONR_STATUS_OK)
    return fprintf(stderr, "%s %s: %s\n", onr_status_name(error.status), error.where, error.message), 1;
  const double most = difference(y.data, expected, OUTPUT);
  for (size_t i = 0; i < onr_session_num_nodes(session); i++) {
    struct onr_node_info node = {.size = sizeof(node)};
    if (onr_session_node(session, i, &node) != ONR_STATUS_OK) continue;
    printf("%-12s %-12s %8llu ns\n", node.layer, node.module_path, (unsigned long long)node.total_ns);
  }
  printf("at most %g away from PyTorch\n", most);
  onr_session_destroy(session);
  onr_model_destroy(model);
  return !(most < 1e-5);
}
