/* cmd_pack.c: packed weights into a file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

static int tell(const char *file, const struct onr_model *model) {
  struct onr_model_info info = {.size = sizeof(info)};
  onr_model_get_info(model, &info);
  if (info.packed == ONR_PACKED_REFUSED) return complain(EXIT_OTHER, "%s: %s", shown(file).text, info.packed_note);
  printf("%s: %s of packed weights%s\n", shown(file).text, shown_bytes_count((double)info.weight_bytes).text,
         info.packed == ONR_PACKED_MAPPED ? ", up to date" : "");
  return EXIT_OK;
}

int command_pack(const struct options *options) {
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
