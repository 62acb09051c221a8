/* A network written in C with weights by their names from a .safetensors file, as torch and transformers write it: that
 * of network.c. The file is a stranger's: every size in it is checked before it is used. The header is JSON, which
 * cJSON reads. Runs the network on ones and prints what comes out.
 *
 *   example_safetensors network.safetensors */
#include <cjson/cJSON.h>
#include <onnxrun/nn.h>
#include <onnxrun/onnxrun.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST_HEADER = 100 << 20 }; /* as the format has it */

struct weights {
  unsigned char *file; /* 8 bytes of length, the header, the data */
  size_t size, data;   /* where the data begins */
  cJSON *header;       /* {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}} */
  const char *missing; /* the first weight that was not there or did not fit */
};

static int read_file(const char *path, struct weights *w) {
  FILE *file = fopen(path, "rb");
  long size = -1;
  if (file && !fseek(file, 0, SEEK_END)) size = ftell(file);
  if (size >= 8 && !fseek(file, 0, SEEK_SET)) w->file = malloc((size_t)size);
  w->size = (size_t)size;
  const int done = w->file && fread(w->file, w->size, 1, file) == 1;
  if (file) fclose(file);
  return done;
}

/* 0: the file is none. */
static int open_weights(const char *path, struct weights *w) {
  uint64_t length = 0;
  *w = (struct weights){0};
  if (!read_file(path, w)) return 0;
  for (int i = 8; i-- > 0;) length = length << 8 | w->file[i];
  if (length > LARGEST_HEADER || length > w->size - 8) return 0;
  w->data = 8 + (size_t)length;
  w->header = cJSON_ParseWithLength((const char *)w->file + 8, (size_t)length);
  return cJSON_IsObject(w->header);
}

static void close_weights(struct weights *w) {
  cJSON_Delete(w->header);
  free(w->file);
}

/* A whole number that a double tells from its neighbours, at most `most`. */
static int is_size(const cJSON *item, size_t most) {
  return cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble <= 9007199254740992.0 &&
         item->valuedouble <= (double)most && item->valuedouble == (double)(size_t)item->valuedouble;
}

/* The weight of that name, as many float32 numbers as `count`, in memory of its own: data behind a header of any length
 * need not be aligned. */
static struct onr_weight find(struct weights *w, const char *name, size_t count) {
  const cJSON *entry = cJSON_GetObjectItemCaseSensitive(w->header, name);
  const cJSON *type = cJSON_GetObjectItemCaseSensitive(entry, "dtype");
  const cJSON *offsets = cJSON_GetObjectItemCaseSensitive(entry, "data_offsets");
  const cJSON *begin = cJSON_GetArrayItem(offsets, 0), *end = cJSON_GetArrayItem(offsets, 1);
  const size_t bytes = w->size - w->data;
  const int fits = cJSON_IsString(type) && !strcmp(type->valuestring, "F32") && is_size(begin, bytes) &&
                   is_size(end, bytes) && begin->valuedouble <= end->valuedouble &&
                   end->valuedouble - begin->valuedouble == (double)(count * sizeof(float));
  if (!fits && !w->missing) w->missing = name;
  if (!fits) return onr_no_weight();
  float *aligned = malloc(count * sizeof(float));
  if (aligned) memcpy(aligned, w->file + w->data + (size_t)begin->valuedouble, count * sizeof(float));
  return onr_weight(aligned, aligned ? count : 0);
}

static enum onr_status build(struct weights *w, struct onr_model **model, struct onr_error *error) {
  static const char *const names[] = {"stem.weight",
                                      "stem.bias",
                                      "block.conv.weight",
                                      "block.norm.weight",
                                      "block.norm.bias",
                                      "block.norm.running_mean",
                                      "block.norm.running_var",
                                      "head.weight",
                                      "head.bias"};
  static const size_t counts[] = {8 * 3 * 9, 8, 8 * 8 * 9, 8, 8, 8, 8, 10 * 128, 10};
  enum { COUNT = sizeof(counts) / sizeof(counts[0]) };
  struct onr_weight all[COUNT];
  struct onr_net *net;
  ONR_TRY(onr_net_create(NULL, &net, error));
  for (int i = 0; i < COUNT; i++) all[i] = find(w, names[i], counts[i]);
  const struct onr_conv stem = {.in_channels = 3, .out_channels = 8, .kernel_size = {3, 3}, .padding = {1, 1}};
  const struct onr_conv conv = {.in_channels = 8, .out_channels = 8, .kernel_size = {3, 3}, .padding = {1, 1}};
  const struct onr_norm_weights norm = {all[3], all[4], all[5], all[6]};
  int x = onr_net_input(net, "image", ONR_DTYPE_F32, 4, (int64_t[]){1, 3, 8, 8});
  x = onr_conv2d(net, x, &stem, all[0], all[1]);
  const int y = onr_conv2d(net, x, &conv, all[2], onr_no_weight());
  x = onr_relu(net, onr_add(net, x, onr_batch_norm2d(net, y, &(struct onr_batch_norm){.num_features = 8}, &norm)));
  x = onr_max_pool2d(net, x, &(struct onr_max_pool){.kernel_size = {2, 2}}, NULL);
  x = onr_linear(net, onr_flatten(net, x, 1, -1), &(struct onr_linear){.in_features = 128, .out_features = 10}, all[7],
                 all[8]);
  onr_net_output(net, "probabilities", onr_softmax(net, x, 1));
  for (int i = 0; i < COUNT; i++) free((void *)all[i].data); /* the network has its own */
  return onr_net_finish(net, model, error);
}

int main(int argc, char **argv) {
  static float ones[3 * 8 * 8];
  const struct onr_tensor x = {onr_desc_make(ONR_DTYPE_F32, 4, (int64_t[]){1, 3, 8, 8}), ones};
  struct onr_session *session = NULL;
  struct onr_model *model = NULL;
  struct onr_error error = {0};
  struct weights w = {0};
  struct onr_tensor y;
  for (size_t i = 0; i < sizeof(ones) / sizeof(*ones); i++) ones[i] = 1;
  if (argc != 2) return fprintf(stderr, "usage: %s WEIGHTS.safetensors\n", argv[0]), 2;
  if (!open_weights(argv[1], &w)) {
    close_weights(&w);
    return fprintf(stderr, "%s: no file of safetensors can be read there\n", argv[1]), 1;
  }
  enum onr_status status = build(&w, &model, &error);
  if (w.missing) fprintf(stderr, "%s: no weight '%s' of the right type and size\n", argv[1], w.missing);
  if (status == ONR_STATUS_OK) status = onr_session_create(model, NULL, &session, &error);
  if (status == ONR_STATUS_OK) status = onr_session_set_input(session, 0, &x, &error);
  if (status == ONR_STATUS_OK) status = onr_session_run(session, &error);
  if (status == ONR_STATUS_OK) status = onr_session_get_output(session, 0, &y, &error);
  for (int i = 0; status == ONR_STATUS_OK && i < 10; i++) printf("%.6f\n", (double)((const float *)y.data)[i]);
  if (status != ONR_STATUS_OK) fprintf(stderr, "%s %s: %s\n", onr_status_name(status), error.where, error.message);
  onr_session_destroy(session);
  onr_model_destroy(model);
  close_weights(&w);
  return status != ONR_STATUS_OK || w.missing;
}
