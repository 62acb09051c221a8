/* cmd_pack.c: packed weights into a file, or a whole model. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tool.h"

static int tell(const char *file, const struct onr_model *model) {
  struct onr_model_info info = {.size = sizeof(info)};
  onr_model_get_info(model, &info);
  if (info.packed == ONR_PACKED_REFUSED) return complain(EXIT_OTHER, "%s: %s", shown(file).text, info.packed_note);
  printf("%s: %s of packed weights%s\n", shown(file).text, shown_bytes_count((double)info.weight_bytes).text,
         info.packed == ONR_PACKED_MAPPED ? ", up to date" : "");
  return EXIT_OK;
}

static int ends_in(const char *path, const char *ending) {
  const size_t length = strlen(path), n = strlen(ending);
  return length > n && !strcmp(path + length - n, ending);
}

/* The whole model into one file. */
static int pack_whole(const struct options *options) {
  struct onr_model_options model_options = onr_model_options_init();
  struct onr_error error = {0};
  struct loaded l = {.path = options->paths[0]};
  struct stat info;
  enum onr_status status = fill_model_options(options, NULL, &l, &model_options, &error);
  if (status == ONR_STATUS_OK) status = onr_model_pack(options->paths[0], &model_options, options->output, &error);
  unload(&l);
  if (status != ONR_STATUS_OK) return report_write_failure(status, options->paths[0], options->output, &error);
  printf("%s: %s\n", shown(options->output).text,
         shown_bytes_count(stat(options->output, &info) ? 0 : (double)info.st_size).text);
  return EXIT_OK;
}

/* What a packed model says of itself is compared with its checksums. */
static int verify(const struct options *options) {
  struct options own = *options;
  struct loaded l;
  own.packs = 1;
  const int code = load(&own, options->paths[0], &l);
  if (code) return code;
  struct onr_model_info info = {.size = sizeof(info)};
  onr_model_get_info(l.model, &info);
  const int is_sound = info.packed == ONR_PACKED_MAPPED;
  if (is_sound) printf("%s: sound\n", shown(options->paths[0]).text);
  else complain(EXIT_OTHER, "%s: %s", shown(options->paths[0]).text, info.packed_note);
  unload(&l);
  return is_sound ? EXIT_OK : EXIT_OTHER;
}

static int pack_weights(const struct options *options) {
  static const char suffix[] = ".packed";
  const char *path = options->paths[0];
  struct options own = *options;
  struct loaded l;
  char *beside = malloc(strlen(path) + sizeof(suffix));
  if (!beside) return complain(EXIT_OTHER, "no memory for a name");
  memcpy(beside, path, strlen(path));
  memcpy(beside + strlen(path), suffix, sizeof(suffix));
  own.packed = options->output ? options->output : beside;
  own.packs = 1;
  int code = load(&own, path, &l);
  if (!code) {
    code = tell(own.packed, l.model);
    unload(&l);
  }
  free(beside);
  return code;
}

int command_pack(const struct options *options) {
  struct options own = *options;
  if (!own.output && ends_in(own.paths[0], ".onr")) return verify(&own);
  own.cancel = interrupt_begin();
  return interrupt_end(own.output && ends_in(own.output, ".onr") ? pack_whole(&own) : pack_weights(&own));
}
