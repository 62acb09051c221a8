/* passes.h: rewrites of a graph between import and packing: the same results from fewer, larger, better laid out nodes.
 *
 * One file a rewrite; passes.inc lists them in running order. They run on the graph, then on its body graphs, outer
 * ones first. A pass never needs to know shapes to be right: what is unknown stays as it is. */
#ifndef ONRI_PASSES_H
#define ONRI_PASSES_H

#include "facts/facts.h"

/* Those whose results are for kernels of ours: without them the graph can be said in ONNX. */
#define ONRI_PASSES_KERNELS "kernels"
/* `disabled`: names to leave out, separated by commas or spaces; "all" for all, "kernels"; NULL for none. A name that
 * no pass has is an ARGUMENT error. A graph whose input shapes are all declared and contradict its nodes is an error of
 * infer. */
struct onri_passes_listener {
  /* Told the facts of the graph as it comes, before anything but constants is rewritten. NULL: not called. */
  enum onr_status (*deduced)(void *context, const struct onri_facts *facts, struct onr_error *error);
  void *context;
  /* Told the layers of each graph, as it comes and after each rewrite that changes it, and these rewrites; see struct
   * onr_model_options. NULL: not called. */
  void (*uses)(void *context, const char *kind, const char *domain, const char *name);
  void *uses_context;
};
enum onr_status onri_passes_run(struct onri_graph *graph, const char *disabled,
                                const struct onri_passes_listener *listener, struct onr_error *error);

#endif
