/* image_decoder: every format against Pillow; cut and changed files end in an error or a picture, never otherwise.
 * Formats whose library the build lacks must say so. */
#include <stdlib.h>
#include <string.h>

#include "support/layer_test.h"

#include "layers/image/picture_file.h"
#include "layers/layers.h"
#include "layers/image/picture_cases.inc"

enum { HEIGHT = 7, WIDTH = 9, PIXELS = HEIGHT * WIDTH };

struct result {
  enum onr_status status;
  struct onr_desc desc;
  uint8_t pixels[3 * PIXELS]; /* when there are not more */
};

static struct result decode(enum onr_pixels format, const uint8_t *file, size_t size) {
  const struct onr_image_decoder_params params = {format};
  struct layer_test t = {.layer = &onri_layer_image_decoder, .params = &params, .num_out = 1};
  struct result result = {0};
  layer_test_input(&t, ONR_DTYPE_U8, 1, (int64_t[]){(int64_t)size}, file);
  result.status = layer_test_run(&t);
  result.desc = t.out[0].desc;
  if (result.status == ONR_STATUS_OK && onr_desc_bytes(&result.desc) <= sizeof(result.pixels))
    memcpy(result.pixels, t.out[0].data, onr_desc_bytes(&result.desc));
  layer_test_clear(&t);
  return result;
}

static int has_shape(const struct onr_desc *desc, int64_t channels) {
  return desc->dtype == ONR_DTYPE_U8 && desc->rank == 3 && desc->dim[0] == HEIGHT && desc->dim[1] == WIDTH &&
         desc->dim[2] == channels;
}

static void test_formats(void **unused) {
  (void)unused;
  for (size_t i = 0; i < sizeof(picture_cases) / sizeof(*picture_cases); i++) {
    const struct picture_case *c = &picture_cases[i];
    const struct result rgb = decode(ONR_PIXELS_RGB, c->file, c->size), bgr = decode(ONR_PIXELS_BGR, c->file, c->size);
    const struct result grey = decode(ONR_PIXELS_GREY, c->file, c->size);
    if (rgb.status == ONR_STATUS_UNSUPPORTED) continue;
    if (rgb.status != ONR_STATUS_OK) fail_msg("%s: %s", c->name, onr_status_name(rgb.status));
    assert_true(has_shape(&rgb.desc, 3) && has_shape(&bgr.desc, 3) && has_shape(&grey.desc, 1));
    for (size_t k = 0; k < 3 * PIXELS; k++) {
      if (abs(rgb.pixels[k] - c->rgb[k]) > 1) /* lossy formats round in one way or the other */
        fail_msg("%s: byte %zu: expected %d, found %d", c->name, k, c->rgb[k], rgb.pixels[k]);
      assert_int_equal(bgr.pixels[k / 3 * 3 + 2 - k % 3], rgb.pixels[k]);
    }
    for (size_t k = 0; k < PIXELS; k++) {
      const uint8_t *p = rgb.pixels + 3 * k;
      assert_true(abs(grey.pixels[k] - (299 * p[0] + 587 * p[1] + 114 * p[2]) / 1000) <= 1);
    }
  }
}

/* What is missing at the very end of a file may be nothing that pixels need. */
static void test_cut_files(void **unused) {
  (void)unused;
  for (size_t i = 0; i < sizeof(picture_cases) / sizeof(*picture_cases); i++) {
    const struct picture_case *c = &picture_cases[i];
    const struct result whole = decode(ONR_PIXELS_RGB, c->file, c->size);
    for (size_t size = 0; size < c->size; size++) {
      const struct result cut = decode(ONR_PIXELS_RGB, c->file, size);
      if (cut.status == ONR_STATUS_OK &&
          (!has_shape(&cut.desc, 3) || memcmp(cut.pixels, whole.pixels, sizeof(cut.pixels)) != 0))
        fail_msg("%s: %zu of %zu bytes give another picture", c->name, size, c->size);
      assert_true(cut.status == ONR_STATUS_OK || cut.status == ONR_STATUS_DATA || cut.status == ONR_STATUS_UNSUPPORTED);
    }
  }
}

static void test_changed_files(void **unused) {
  (void)unused;
  for (size_t i = 0; i < sizeof(picture_cases) / sizeof(*picture_cases); i++) {
    const struct picture_case *c = &picture_cases[i];
    uint8_t *file = test_malloc(c->size);
    for (size_t k = 0; k < c->size; k++) {
      memcpy(file, c->file, c->size);
      file[k] = (uint8_t)(k % 2 ? ~file[k] : file[k] ^ 1u << k / 2 % 8);
      const enum onr_status status = decode(ONR_PIXELS_GREY, file, c->size).status;
      assert_true(status != ONR_STATUS_INTERNAL && status != ONR_STATUS_STATE);
    }
    test_free(file);
  }
}

static void test_wrong_parameters(void **unused) {
  (void)unused;
  const uint8_t file[] = "P5 1 1 255\n*";
  assert_int_equal(decode((enum onr_pixels)3, file, sizeof(file) - 1).status, ONR_STATUS_ATTRIBUTE);
  assert_int_equal(decode(ONR_PIXELS_RGB, file, sizeof(file) - 1).status, ONR_STATUS_OK);
  assert_int_equal(decode(ONR_PIXELS_RGB, file, 0).status, ONR_STATUS_UNSUPPORTED);
  assert_int_equal(decode(ONR_PIXELS_RGB, (const uint8_t *)"P5 999999 999999 255\n*", 22).status, ONR_STATUS_LIMIT);
}

static uint8_t room[3 * PIXELS];

static enum onr_status give_room(struct onri_picture *picture) {
  picture->rgb = room;
  return picture->width * picture->height <= PIXELS ? ONR_STATUS_OK : ONR_STATUS_LIMIT;
}

/* Every decoder looks at the flag while it decodes, and leaves nothing behind. */
static void test_cancel(void **unused) {
  static const struct onr_cancel cancelled = {1};
  size_t ended = 0;
  (void)unused;
  struct onr_env env = {.allocator = &onri_malloc_allocator, .limits = onri_limits_resolve(NULL), .cancel = &cancelled};
  for (size_t i = 0; i < sizeof(picture_cases) / sizeof(*picture_cases); i++) {
    const struct picture_case *c = &picture_cases[i];
    struct onr_error error = {0};
    struct onri_picture picture = {
        .bytes = c->file, .size = c->size, .env = &env, .error = &error, .allocate = give_room};
    const enum onr_status status = onri_picture_decode(&picture);
    if (status == ONR_STATUS_UNSUPPORTED) continue;
    if (status != ONR_STATUS_CANCELLED) fail_msg("%s: %s: %s", c->name, onr_status_name(status), error.message);
    ended++;
  }
  assert_true(ended > 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_formats), cmocka_unit_test(test_cut_files),
                                     cmocka_unit_test(test_changed_files), cmocka_unit_test(test_cancel),
                                     cmocka_unit_test(test_wrong_parameters)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
