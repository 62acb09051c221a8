/* net.h: struct onr_net, and short ways for the layers of src/nn to add to it. */
#ifndef ONRI_NET_H
#define ONRI_NET_H

#include "model/model.h"
#include "layers/layers.h"
#include "onnxrun/net.h"

enum { ONRI_NET_DEPTH = 64 };

struct onr_net {
  struct onr_model *model;
  struct onri_graph *graph;
  struct onr_model_options options;
  struct onr_error error; /* the first */
  int failed;
  int32_t *inputs, *outputs;
  size_t num_inputs, num_outputs, inputs_capacity, outputs_capacity;
  int64_t parameters;
  char path[512]; /* module path */
  size_t path_ends[ONRI_NET_DEPTH];
  size_t depth;
  const struct onri_origin *origin; /* of the present path; NULL: to be made */
};

/* Remembers the first error; returns -1. net may be NULL, in this and in what follows. */
int onri_net_fail(struct onr_net *net, enum onr_status status, const char *format, ...) ONR_PRINTF(3, 4);
/* layer and name are for the message, in all of these: "Conv2d", "weight".
 * float32 [dims...] constant, dims above 0; without data: ONRI_NONE. Fails (-1) when there are not as many numbers. */
int onri_net_weight(struct onr_net *net, const char *layer, const char *name, struct onr_weight weight, int32_t rank,
                    const int64_t *dims);
/* Fails and returns 0 when the numbers are not `rows` times `columns`. Without data: 1. */
int onri_net_check_count(struct onr_net *net, const char *layer, const char *name, struct onr_weight weight,
                         int64_t rows, int64_t columns);
/* Fails and returns 0 when what must be there is NULL, or the net itself. */
int onri_net_check_given(struct onr_net *net, const char *layer, const char *name, const void *given);
/* int64 [count] and scalars, not counted as parameters. */
int onri_net_ints(struct onr_net *net, const int64_t *values, size_t count);
int onri_net_float(struct onr_net *net, float value);
/* One layer with one output and up to 4 inputs; trailing ONRI_NONE are left out, others are omitted inputs. A failed
 * input must be told from an omitted one by the caller: these return -1 when the net has failed. */
int onri_net_1(struct onr_net *net, const struct onr_layer *layer, const void *params, int x);
int onri_net_2(struct onr_net *net, const struct onr_layer *layer, const void *params, int x, int y);
int onri_net_3(struct onr_net *net, const struct onr_layer *layer, const void *params, int x, int y, int z);

#endif
