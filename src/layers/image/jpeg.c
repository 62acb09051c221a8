/* jpeg.c: through libjpeg. Its errors leave by longjmp, out of its own frames alone: nothing of ours lies between. */
#include <stddef.h>
#include <stdio.h>
#include <limits.h>

#include <jpeglib.h>
#include <jerror.h>

#include "layers/image/jump.h"
#include "layers/image/picture_file.h"

enum { MOST_SCANS = 200 }; /* each goes over the whole picture, however short it is */

struct decoder {
  struct jpeg_decompress_struct jpeg; /* first: libjpeg's callbacks get its address */
  struct jpeg_error_mgr errors;
  struct jpeg_progress_mgr progress;
  jmp_buf out;
  struct onri_picture *picture;
  enum onr_status status; /* when `out` was taken */
};

static _Noreturn void fail(j_common_ptr jpeg) {
  struct decoder *d = (struct decoder *)jpeg;
  char why[JMSG_LENGTH_MAX];
  jpeg->err->format_message(jpeg, why);
  if (jpeg->err->msg_code == JERR_OUT_OF_MEMORY || jpeg->err->msg_code == JERR_NO_BACKING_STORE)
    d->status = onr_fail(d->picture->error, ONR_STATUS_NO_MEMORY, "no memory to decode a JPEG picture: %s", why);
  else d->status = onri_picture_broken(d->picture, why);
  longjmp(d->out, 1);
}

/* A warning means that pixels are made up, but for these. Nothing is printed. */
static void warn(j_common_ptr jpeg, int level) {
  const int code = jpeg->err->msg_code;
  if (level < 0 && code != JWRN_EXTRANEOUS_DATA && code != JWRN_JFIF_MAJOR && code != JWRN_ADOBE_XFORM) fail(jpeg);
}

static void say_nothing(j_common_ptr jpeg) { (void)jpeg; }

/* After each row of blocks, of every scan. */
static void look_around(j_common_ptr jpeg) {
  struct decoder *d = (struct decoder *)jpeg;
  d->status = onri_env_poll(d->picture->env, d->picture->error);
  if (d->jpeg.input_scan_number > MOST_SCANS)
    d->status = onr_fail(d->picture->error, ONR_STATUS_LIMIT, "a JPEG picture of more than %d scans", (int)MOST_SCANS);
  if (d->status != ONR_STATUS_OK) longjmp(d->out, 1);
}

static enum onr_status decode(struct decoder *d) {
  struct onri_picture *p = d->picture;
  struct jpeg_decompress_struct *jpeg = &d->jpeg;
  if (ONRI_SET_JUMP(d->out)) return d->status;
  jpeg_create_decompress(jpeg);
  jpeg->progress = &d->progress;
  jpeg->mem->max_memory_to_use = p->env->limits.tensor_bytes > LONG_MAX ? LONG_MAX : (long)p->env->limits.tensor_bytes;
  jpeg_mem_src(jpeg, p->bytes, (unsigned long)p->size);
  jpeg_read_header(jpeg, TRUE);
  if (jpeg->num_components != 1 && jpeg->num_components != 3)
    return onr_fail(p->error, ONR_STATUS_UNSUPPORTED, "a JPEG picture of %d components: expected 1 or 3",
                    jpeg->num_components);
  ONR_TRY(onri_picture_start(p, jpeg->image_width, jpeg->image_height));
  jpeg->out_color_space = JCS_RGB;
  jpeg_start_decompress(jpeg);
  while (jpeg->output_scanline < jpeg->output_height) {
    JSAMPROW row = p->rgb + (size_t)jpeg->output_scanline * p->width * 3;
    jpeg_read_scanlines(jpeg, &row, 1);
  }
  jpeg_finish_decompress(jpeg);
  return ONR_STATUS_OK;
}

enum onr_status onri_picture_jpeg(struct onri_picture *picture) {
  struct decoder d = {.picture = picture, .progress = {.progress_monitor = look_around}};
  d.jpeg.err = jpeg_std_error(&d.errors);
  d.errors.error_exit = fail;
  d.errors.emit_message = warn;
  d.errors.output_message = say_nothing;
  const enum onr_status status = decode(&d);
  jpeg_destroy_decompress(&d.jpeg);
  return status;
}
