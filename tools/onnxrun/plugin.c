/* plugin.c: layers of the user's own, from a shared library. */
#define _GNU_SOURCE /* dladdr1 */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "onnxrun/layer.h"
#include "tool.h"

/* What such a library defines. */
#define ENTRY "onr_plugin"
typedef enum onr_status plugin_function(struct onr_registry *registry, struct onr_error *error);

static enum onr_status refuse(struct onr_error *error, enum onr_status status, const char *why) {
  const struct shown text = shown(why);
  *error = (struct onr_error){.status = status};
  snprintf(error->where, sizeof(error->where), "--plugin");
  snprintf(error->message, sizeof(error->message), "%s", text.text);
  return status;
}

#ifdef __GLIBC__
#include <link.h>

/* Data of that name would be jumped into. */
static int is_code(void *symbol) {
  const ElfW(Sym) *entry = NULL;
  Dl_info info;
  if (!dladdr1(symbol, &info, (void **)&entry, RTLD_DL_SYMENT) || !entry) return 1;
  const int type = ELF64_ST_TYPE(entry->st_info); /* as of 32 bits */
  return type != STT_OBJECT && type != STT_COMMON && type != STT_TLS;
}
#else
static int is_code(void *symbol) { return symbol != NULL; }
#endif

enum onr_status load_plugin(const char *path, struct onr_registry **registry, struct onr_error *error) {
  char found[4096];
  plugin_function *add;
  /* A name without a slash is a file here, as with every other option, not one of the system's libraries. */
  if (snprintf(found, sizeof(found), "%s%s", strchr(path, '/') ? "" : "./", path) >= (int)sizeof(found))
    return refuse(error, ONR_STATUS_ARGUMENT, "the path is too long");
  if (access(found, R_OK))
    return snprintf(found, sizeof(found), "%s: %s", path, strerror(errno)), refuse(error, ONR_STATUS_IO, found);
  void *library = dlopen(found, RTLD_NOW | RTLD_LOCAL);
  if (!library) return refuse(error, ONR_STATUS_ARGUMENT, dlerror());
  void *symbol = dlsym(library, ENTRY);
  if (!symbol) {
    snprintf(found, sizeof(found), "%s has no function " ENTRY ", which adds layers; docs/your_own_layer.md has one",
             path);
    return refuse(error, ONR_STATUS_ARGUMENT, found);
  }
  if (!is_code(symbol)) {
    snprintf(found, sizeof(found), "%s: " ENTRY " is no function, but data; docs/your_own_layer.md has one", path);
    return refuse(error, ONR_STATUS_ARGUMENT, found);
  }
  memcpy(&add, &symbol, sizeof(add));
  ONR_TRY(onr_registry_create(NULL, registry, error));
  return add(*registry, error);
}
