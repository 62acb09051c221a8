/* Says where somebody speaks, as sound comes in: Silero's voice activity detector (PyPI silero-vad: silero_vad.onnx).
 * Reads 16-bit samples, one channel, 16000 a second, from standard input, 512 at a time:
 *
 *   sox talk.wav -r 16000 -c 1 -b 16 -e signed -t raw - | example_speech silero_vad.onnx */
#include <onnxrun/onnxrun.h>
#include <stdio.h>
#include <string.h>

enum { RATE = 16000, FRAME = 512, CONTEXT = 64 }; /* the model sees the end of the last frame in front of each one */

struct listener {
  struct onr_model *model;
  struct onr_session *session;
  float samples[CONTEXT + FRAME];
};

static enum onr_status set(struct listener *l, const char *name, struct onr_desc desc, void *data,
                           struct onr_error *error) {
  const struct onr_tensor tensor = {desc, data};
  return onr_session_set_input(l->session, (size_t)onr_model_find_input(l->model, name), &tensor, error);
}

/* What the model remembers stays in the session: its output stateN is the next run's input state. */
static enum onr_status begin(struct listener *l, const char *path, struct onr_error *error) {
  static int64_t rate = RATE;
  static float silence[2 * 128];
  ONR_TRY(onr_model_load(path, NULL, &l->model, error));
  ONR_TRY(onr_session_create(l->model, NULL, &l->session, error));
  ONR_TRY(onr_session_add_states(l->session, "stateN=state", NULL, error));
  ONR_TRY(set(l, "state", onr_desc_make(ONR_DTYPE_F32, 3, (int64_t[]){2, 1, 128}), silence, error));
  ONR_TRY(set(l, "sr", onr_desc_make(ONR_DTYPE_I64, 0, NULL), &rate, error));
  return set(l, "input", onr_desc_make(ONR_DTYPE_F32, 2, (int64_t[]){1, CONTEXT + FRAME}), l->samples, error);
}

/* How likely the frame is speech. */
static enum onr_status hear(struct listener *l, const int16_t *frame, float *speech, struct onr_error *error) {
  struct onr_tensor y;
  memmove(l->samples, l->samples + FRAME, CONTEXT * sizeof(*l->samples));
  for (int i = 0; i < FRAME; i++) l->samples[CONTEXT + i] = (float)frame[i] / 32768;
  ONR_TRY(onr_session_run(l->session, error));
  ONR_TRY(onr_session_get_output(l->session, (size_t)onr_model_find_output(l->model, "output"), &y, error));
  *speech = *(const float *)y.data;
  return ONR_STATUS_OK;
}

int main(int argc, char **argv) {
  struct listener l = {0};
  struct onr_error error;
  int16_t frame[FRAME];
  int speaking = 0;
  if (argc != 2) return fprintf(stderr, "usage: %s silero_vad.onnx < SAMPLES\n", argv[0]), 2;
  enum onr_status status = begin(&l, argv[1], &error);
  for (long n = 0; status == ONR_STATUS_OK && fread(frame, sizeof(frame), 1, stdin) == 1; n++) {
    float speech = 0;
    status = hear(&l, frame, &speech, &error);
    if (status != ONR_STATUS_OK || (speaking ? speech >= 0.35f : speech < 0.5f)) continue;
    speaking = !speaking;
    printf("%7.2f s  %s  %.2f\n", (double)n * FRAME / RATE, speaking ? "speech" : "silence", (double)speech);
    fflush(stdout);
  }
  if (status != ONR_STATUS_OK) fprintf(stderr, "%s %s: %s\n", onr_status_name(status), error.where, error.message);
  onr_session_destroy(l.session);
  onr_model_destroy(l.model);
  return status != ONR_STATUS_OK;
}
