/* ops: which operators the library reads, from the table that its importer uses. */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

static const char *domain_of(const struct onr_op_info *op) { return op->domain[0] ? op->domain : "ai.onnx"; }

static int compare(const void *a, const void *b) {
  const struct onr_op_info *x = a, *y = b;
  int order = strcmp(domain_of(x), domain_of(y));
  if (!order) order = strcmp(x->op_type, y->op_type);
  return order ? order : (x->since_version > y->since_version) - (x->since_version < y->since_version);
}

static struct onr_op_info *sorted(size_t count) {
  struct onr_op_info *ops = calloc(count + 1, sizeof(*ops));
  for (size_t i = 0; ops && i < count; i++) onr_op(i, &ops[i]);
  if (ops) qsort(ops, count, sizeof(*ops), compare);
  return ops;
}

static const char *format_arity(uint8_t least, uint8_t most, char *text, size_t size) {
  if (most == ONR_VARIADIC) snprintf(text, size, "%u..*", (unsigned)least);
  else if (least == most) snprintf(text, size, "%u", (unsigned)least);
  else snprintf(text, size, "%u..%u", (unsigned)least, (unsigned)most);
  return text;
}

static void print_text(const struct onr_op_info *ops, size_t count) {
  char in[16], out[16];
  printf("%-16s %-34s %5s  %-7s %s\n", "domain", "operator", "since", "inputs", "outputs");
  for (size_t i = 0; i < count; i++)
    printf("%-16s %-34s %5d  %-7s %s\n", domain_of(&ops[i]), ops[i].op_type, (int)ops[i].since_version,
           ops[i].withdrawn ? "-" : format_arity(ops[i].inputs_min, ops[i].inputs_max, in, sizeof(in)),
           ops[i].withdrawn ? "withdrawn" : format_arity(ops[i].outputs_min, ops[i].outputs_max, out, sizeof(out)));
}

/* [least, most], null for no bound. */
static void add_arity(cJSON *item, const char *key, uint8_t least, uint8_t most) {
  cJSON *array = cJSON_AddArrayToObject(item, key);
  cJSON_AddItemToArray(array, cJSON_CreateNumber(least));
  cJSON_AddItemToArray(array, most == ONR_VARIADIC ? cJSON_CreateNull() : cJSON_CreateNumber(most));
}

static void print_json(const struct onr_op_info *ops, size_t count) {
  cJSON *root = cJSON_CreateArray();
  for (size_t i = 0; i < count; i++) {
    cJSON *item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "domain", domain_of(&ops[i]));
    cJSON_AddStringToObject(item, "op_type", ops[i].op_type);
    cJSON_AddNumberToObject(item, "since_version", ops[i].since_version);
    cJSON_AddBoolToObject(item, "withdrawn", ops[i].withdrawn != 0);
    add_arity(item, "inputs", ops[i].inputs_min, ops[i].inputs_max);
    add_arity(item, "outputs", ops[i].outputs_min, ops[i].outputs_max);
    cJSON_AddItemToArray(root, item);
  }
  char *text = cJSON_Print(root);
  puts(text ? text : "[]");
  free(text);
  cJSON_Delete(root);
}

int command_ops(const struct options *options) {
  const size_t count = onr_num_ops();
  if (options->num_paths) return complain(EXIT_USAGE, "ops: expected no path, got %zu", options->num_paths);
  struct onr_op_info *ops = sorted(count);
  if (!ops) return complain(EXIT_OTHER, "out of memory");
  if (options->json) print_json(ops, count);
  else print_text(ops, count);
  free(ops);
  return EXIT_OK;
}
