/* image_decoder.c: a picture in the bytes of a file. */
#include "base/env.h"
#include "base/shape.h"
#include "layers/layers.h"
#include "layers/image/picture_file.h"

static enum onr_status image_infer(struct onr_call *call) {
  const struct onr_image_decoder_params *p = call->params;
  if ((unsigned)p->pixels > ONR_PIXELS_GREY)
    return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "there is no pixel format number %d", (int)p->pixels);
  ONR_TRY(onri_expect_rank(call, 0, 1, 1));
  call->out[0] = onr_desc_make(ONR_DTYPE_U8, 3, (const int64_t[]){0, 0, p->pixels == ONR_PIXELS_GREY ? 1 : 3});
  return ONR_STATUS_OK;
}

struct target {
  struct onr_call *call;
  void *data;
  void *colours; /* what becomes grey; NULL: data has three channels */
};

static enum onr_status allocate(struct onri_picture *picture) {
  struct target *target = picture->context;
  struct onr_call *call = target->call;
  const int grey = ((const struct onr_image_decoder_params *)call->params)->pixels == ONR_PIXELS_GREY;
  const int64_t dims[] = {(int64_t)picture->height, (int64_t)picture->width, grey ? 1 : 3};
  const struct onr_desc desc = onr_desc_make(ONR_DTYPE_U8, 3, dims);
  ONR_TRY(onr_call_resize(call, 0, &desc, &target->data));
  if (grey) target->colours = onri_allocate(call->env->allocator, picture->width * picture->height * 3);
  picture->rgb = grey ? target->colours : target->data;
  return picture->rgb ? ONR_STATUS_OK : onr_fail(call->error, ONR_STATUS_NO_MEMORY, "no memory for a picture");
}

static void swap_red_and_blue(uint8_t *rgb, size_t pixels) {
  for (size_t i = 0; i < pixels; i++) {
    const uint8_t red = rgb[3 * i];
    rgb[3 * i] = rgb[3 * i + 2];
    rgb[3 * i + 2] = red;
  }
}

/* Rec. 601 in 16 bits of fraction. */
static void make_grey(const uint8_t *rgb, size_t pixels, uint8_t *grey) {
  for (size_t i = 0; i < pixels; i++)
    grey[i] = (uint8_t)((19595u * rgb[3 * i] + 38470u * rgb[3 * i + 1] + 7471u * rgb[3 * i + 2] + 0x8000u) >> 16);
}

static enum onr_status image_run(struct onr_call *call) {
  const struct onr_image_decoder_params *p = call->params;
  struct target target = {.call = call};
  struct onri_picture picture = {.bytes = call->inputs[0],
                                 .size = (size_t)call->in[0].dim[0],
                                 .env = call->env,
                                 .error = call->error,
                                 .allocate = allocate,
                                 .context = &target};
  enum onr_status status = onri_picture_decode(&picture);
  if (status == ONR_STATUS_OK) status = onri_env_poll(call->env, call->error);
  const size_t pixels = picture.width * picture.height;
  if (status == ONR_STATUS_OK && p->pixels == ONR_PIXELS_BGR) swap_red_and_blue(picture.rgb, pixels);
  if (status == ONR_STATUS_OK && p->pixels == ONR_PIXELS_GREY) make_grey(picture.rgb, pixels, target.data);
  onri_release(call->env->allocator, target.colours);
  return status;
}

const struct onr_layer onri_layer_image_decoder = {
    .name = "image_decoder",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONRI_DTYPE_BIT(ONR_DTYPE_U8)},
    .flags = ONR_LAYER_DYNAMIC,
    .params_size = sizeof(struct onr_image_decoder_params),
    .infer = image_infer,
    .run = image_run,
};
