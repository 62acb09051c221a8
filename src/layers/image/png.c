/* png.c: through libpng. Its errors leave by longjmp, out of its own frames alone: nothing of ours lies between. */
#include <string.h>

#include <png.h>

#include "layers/image/jump.h"
#include "layers/image/picture_file.h"

struct decoder {
  struct onri_picture *picture;
  png_structp png;
  png_infop info;
  size_t position;
  int lacks_memory;
  enum onr_status status; /* when it jumped */
};

static _Noreturn void fail(png_structp png, png_const_charp why) {
  struct decoder *d = png_get_error_ptr(png);
  d->status = d->lacks_memory ? onr_fail(d->picture->error, ONR_STATUS_NO_MEMORY, "no memory to decode a PNG picture")
                              : onri_picture_broken(d->picture, why);
  png_longjmp(png, 1);
}

static void say_nothing(png_structp png, png_const_charp why) {
  (void)png;
  (void)why;
}

static png_voidp allocate(png_structp png, png_alloc_size_t bytes) {
  struct decoder *d = png_get_mem_ptr(png);
  void *memory = onri_allocate(d->picture->env->allocator, bytes);
  d->lacks_memory |= !memory;
  return memory;
}

static void release(png_structp png, png_voidp memory) {
  struct decoder *d = png_get_mem_ptr(png);
  onri_release(d->picture->env->allocator, memory);
}

static void read_bytes(png_structp png, png_bytep target, size_t count) {
  struct decoder *d = png_get_io_ptr(png);
  d->status = onri_env_poll(d->picture->env, d->picture->error); /* a byte can become a thousand behind the picture */
  if (d->status != ONR_STATUS_OK) png_longjmp(png, 1);
  if (count > d->picture->size - d->position) png_error(png, "it ends early");
  memcpy(target, d->picture->bytes + d->position, count);
  d->position += count;
}

/* Whatever the file holds becomes 8 bits of red, green and blue. */
static void ask_for_rgb(png_structp png) {
  png_set_expand(png);
  png_set_scale_16(png);
  png_set_gray_to_rgb(png);
  png_set_strip_alpha(png);
}

static enum onr_status decode(struct decoder *d) {
  struct onri_picture *p = d->picture;
  if (ONRI_SET_JUMP(png_jmpbuf(d->png))) return d->status;
  png_set_read_fn(d->png, d, read_bytes);
  png_set_user_limits(d->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);         /* onri_picture_start has them */
  png_set_keep_unknown_chunks(d->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1); /* text and profiles can be bombs */
  png_read_info(d->png, d->info);
  ONR_TRY(onri_picture_start(p, png_get_image_width(d->png, d->info), png_get_image_height(d->png, d->info)));
  ask_for_rgb(d->png);
  const int passes = png_set_interlace_handling(d->png);
  png_read_update_info(d->png, d->info);
  if (png_get_rowbytes(d->png, d->info) != p->width * 3) return onri_picture_broken(p, "its rows do not become RGB");
  for (int pass = 0; pass < passes; pass++)
    for (size_t y = 0; y < p->height; y++) {
      png_read_row(d->png, p->rgb + y * p->width * 3, NULL);
      ONR_TRY(onri_env_poll(p->env, p->error));
    }
  png_read_end(d->png, NULL);
  return ONR_STATUS_OK;
}

enum onr_status onri_picture_png(struct onri_picture *picture) {
  struct decoder d = {.picture = picture};
  enum onr_status status = ONR_STATUS_NO_MEMORY;
  d.png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &d, fail, say_nothing, &d, allocate, release);
  if (d.png) d.info = png_create_info_struct(d.png);
  if (d.info) status = decode(&d);
  else onr_fail(picture->error, status, "no memory to decode a PNG picture");
  png_destroy_read_struct(&d.png, &d.info, NULL);
  return status;
}
