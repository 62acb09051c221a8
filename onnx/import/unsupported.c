/* unsupported.c: all nodes that there is no code for, reported in one go. */
#include <stdio.h>
#include <string.h>

#include "base/text/text.h"
#include "onnx/import/import_file.h"
#include "onnx/torch/origin.h"

enum { MOST_KINDS = 1000, LINE = 600 };

/* Layers whose outputs have the type of their first input, whatever it is. */
static int keeps_type(const struct onr_layer *layer) {
  static const struct onr_layer *const keepers[] = {&onri_layer_conv,
                                                    &onri_layer_conv_transpose,
                                                    &onri_layer_max_pool,
                                                    &onri_layer_average_pool,
                                                    &onri_layer_global_average_pool,
                                                    &onri_layer_matmul,
                                                    &onri_layer_gemm,
                                                    &onri_layer_softmax,
                                                    &onri_layer_layer_norm,
                                                    &onri_layer_batch_norm,
                                                    &onri_layer_reshape,
                                                    &onri_layer_transpose,
                                                    &onri_layer_concat,
                                                    &onri_layer_slice,
                                                    &onri_layer_split,
                                                    &onri_layer_squeeze,
                                                    &onri_layer_unsqueeze,
                                                    &onri_layer_gather,
                                                    &onri_layer_identity,
                                                    &onri_layer_clip,
                                                    &onri_layer_pad,
                                                    &onri_layer_resize};
  for (size_t i = 0; i < sizeof(keepers) / sizeof(keepers[0]); i++)
    if (keepers[i] == layer) return 1;
  return 0;
}

enum onr_dtype onri_unsupported_dtype(const struct onri_graph *graph, const int32_t *in, size_t num_in) {
  int32_t v = num_in && ONRI_SPEAKS ? in[0] : ONRI_NONE;
  while (v != ONRI_NONE && graph->values[v].desc.dtype == ONR_DTYPE_NONE) {
    const int32_t producer = graph->values[v].producer;
    if (producer == ONRI_NONE || !keeps_type(graph->nodes[producer].layer)) return ONR_DTYPE_NONE;
    v = graph->nodes[producer].in[0];
  }
  return v == ONRI_NONE ? ONR_DTYPE_NONE : graph->values[v].desc.dtype;
}

enum onr_status onri_unsupported_add(struct onri_importer *importer, const struct onri_origin *origin,
                                     const char *domain, int64_t version, enum onr_dtype dtype, const char *reason) {
  if (!ONRI_SPEAKS) return onr_fail(importer->error, ONR_STATUS_UNSUPPORTED, "%s", reason);
  struct onri_unsupported_list *list = &importer->unsupported;
  char text[LINE / 2], op[64], shown[64], number[24] = "";
  int32_t known;
  onri_escape_string(*domain ? domain : "ai.onnx", shown, sizeof(shown));
  if (version) snprintf(number, sizeof(number), " %lld", (long long)version);
  snprintf(text, sizeof(text), "%s (%s%s%s%s)%s%s", onri_escape_string(origin->op_type, op, sizeof(op)), shown, number,
           dtype ? ", " : "", dtype ? onr_dtype_name(dtype) : "", *reason ? ": " : "", reason);
  known = onri_names_get(&list->by_text, text);
  if (known >= 0) {
    list->items[known].count++;
    return ONR_STATUS_OK;
  }
  if (list->count >= MOST_KINDS) return ONR_STATUS_OK;
  if (!onri_grow(importer->env->allocator, &list->items, sizeof(*list->items), &list->capacity, list->count + 1))
    return onri_import_no_memory(importer);
  list->items[list->count] = (struct onri_unsupported){onri_arena_string(&importer->scratch, text), origin, 1};
  if (!list->items[list->count].what ||
      onri_names_put(&list->by_text, list->items[list->count].what, (int32_t)list->count) < 0)
    return onri_import_no_memory(importer);
  list->count++;
  return ONR_STATUS_OK;
}

/* "2 x Foo (com.example 1), first 'foo_3' (encoder, model.py:41)" */
static void format_line(const struct onri_unsupported *item, char *line, size_t size) {
  struct onr_error place = {.where = ""};
  char count[32] = "";
  const char *name;
  onri_origin_blame(item->first, ONR_STATUS_UNSUPPORTED, &place);
  name = strchr(place.where, ' ');
  if (item->count > 1) snprintf(count, sizeof(count), "%llu x ", (unsigned long long)item->count);
  snprintf(line, size, "%s%s%s%s", count, item->what, !name ? "" : item->count > 1 ? ", first" : ",", name ? name : "");
}

enum onr_status onri_unsupported_finish(struct onri_importer *importer) {
  const struct onri_unsupported_list *list = &importer->unsupported;
  struct onr_error *error = importer->error;
  char text[sizeof(error->message)], line[LINE];
  size_t used, shown = 0;
  uint64_t nodes = 0;
  if (!ONRI_SPEAKS || !list->count) return ONR_STATUS_OK;
  for (size_t i = 0; i < list->count; i++) nodes += list->items[i].count;
  used = (size_t)snprintf(text, sizeof(text), "no code for %llu node%s: ", (unsigned long long)nodes,
                          nodes == 1 ? "" : "s");
  for (size_t i = 0; i < list->count; i++) {
    format_line(&list->items[i], line, sizeof(line));
    if (importer->options->report) importer->options->report(importer->options->report_context, line);
    if (shown < i || used + strlen(line) + 40 > sizeof(text))
      continue; /* once one does not fit, none is shown any more */
    used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", i ? "; " : "", line);
    shown++;
  }
  if (!shown) snprintf(text + used, sizeof(text) - used, "%s", list->items[0].what);
  else if (shown < list->count) snprintf(text + used, sizeof(text) - used, "; and %zu more kinds", list->count - shown);
  return onr_fail(error, ONR_STATUS_UNSUPPORTED, "%s", text);
}
