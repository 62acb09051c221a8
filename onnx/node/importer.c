#include "onnx/node/importer.h"

#include "base/only.h"

enum onr_status onri_import_no_memory(struct onri_importer *importer) {
  return onr_fail(importer->error, ONR_STATUS_NO_MEMORY, "no memory to import the graph");
}

enum onr_status onri_import_new_body(struct onri_importer *importer, struct onri_graph **body) {
  if (!onri_grow(importer->env->allocator, &importer->orphans, sizeof(*body), &importer->orphans_capacity,
                 importer->num_orphans + 1))
    return onri_import_no_memory(importer);
  ONR_TRY(onri_graph_create(importer->env, body, importer->error));
  importer->orphans[importer->num_orphans++] = *body;
  return ONR_STATUS_OK;
}

void onri_import_tell_part(const struct onri_importer *importer, const char *name) {
  if (ONRI_PART(more) && importer->options->uses)
    importer->options->uses(importer->options->report_context, "part", "", name);
}
