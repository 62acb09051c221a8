/* cmd_ops.c: which operators the library reads, what each becomes, for which data types, and which kernels compute it.
 * All of it is asked from the library's own tables and checks. */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "onnxrun/operators.h"
#include "print.h"

struct op {
  struct onr_op_info info;
  struct onr_op_form form;
  int unknown; /* the form depends on the node */
};

static const char *domain_of(const struct op *op) { return op->info.domain[0] ? op->info.domain : "ai.onnx"; }

static int compare(const void *a, const void *b) {
  const struct op *x = a, *y = b;
  int order = strcmp(domain_of(x), domain_of(y));
  if (!order) order = strcmp(x->info.op_type, y->info.op_type);
  return order ? order
               : (x->info.since_version > y->info.since_version) - (x->info.since_version < y->info.since_version);
}

static int wanted(const struct op *op, const struct options *options) {
  if (!options->num_paths) return 1;
  for (size_t i = 0; i < options->num_paths; i++)
    if (!strcmp(options->paths[i], op->info.op_type)) return 1;
  return 0;
}

/* Sorted, those that are asked for; NULL when out of memory. */
static struct op *collect(const struct options *options, size_t *count, struct onr_error *error) {
  struct op *ops = calloc(onr_num_ops() + 1, sizeof(*ops));
  *count = 0;
  for (size_t i = 0; ops && i < onr_num_ops(); i++) {
    struct op *op = &ops[*count];
    op->info = onr_op_info_init();
    op->form = onr_op_form_init();
    onr_op(i, &op->info);
    if (!wanted(op, options)) continue;
    const enum onr_status status = onr_op_describe(i, &op->form, error);
    if (status == ONR_STATUS_NO_MEMORY) {
      free(ops);
      return NULL;
    }
    op->unknown = status != ONR_STATUS_OK;
    ++*count;
  }
  if (ops) qsort(ops, *count, sizeof(*ops), compare);
  return ops;
}

/* --- text --- */

static const char *format_arity(uint8_t least, uint8_t most, char *text, size_t size) {
  if (most == ONR_VARIADIC) snprintf(text, size, "%u..*", (unsigned)least);
  else if (least == most) snprintf(text, size, "%u", (unsigned)least);
  else snprintf(text, size, "%u..%u", (unsigned)least, (unsigned)most);
  return text;
}

#define BIT(name) (1u << ONR_DTYPE_##name)
static const struct {
  const char *name;
  uint32_t types;
} groups[] = {
    {"float", BIT(F32) | BIT(F64) | BIT(F16) | BIT(BF16)},
    {"int", BIT(I8) | BIT(I16) | BIT(I32) | BIT(I64)},
    {"uint", BIT(U8) | BIT(U16) | BIT(U32) | BIT(U64)},
    {"float8", BIT(F8E4M3FN) | BIT(F8E4M3FNUZ) | BIT(F8E5M2) | BIT(F8E5M2FNUZ)},
    {"complex", BIT(C64) | BIT(C128)},
};

static uint32_t all_types(void) {
  uint32_t all = 0;
  for (int t = 1; t < ONR_NUM_DTYPES; t++)
    if (onr_dtype_size((enum onr_dtype)t)) all |= 1u << t;
  return all;
}

static void append(char *text, size_t size, const char *separator, const char *word) {
  const size_t n = strlen(text);
  snprintf(text + n, size - n, "%s%s", n ? separator : "", word);
}

/* "any", or names: of a family where all of it is there, else of single types. */
static const char *format_types(uint32_t types, char *text, size_t size) {
  const uint32_t values = all_types() & ~(BIT(MAP) | BIT(SEQUENCE) | BIT(OPTIONAL));
  text[0] = '\0';
  types &= all_types();
  if ((types & values) == values) {
    append(text, size, " ", types == values ? "any tensor" : "any");
    return text;
  }
  for (size_t g = 0; g < sizeof(groups) / sizeof(groups[0]); g++)
    if ((types & groups[g].types) == groups[g].types)
      append(text, size, " ", groups[g].name), types &= ~groups[g].types;
  for (int t = 1; t < ONR_NUM_DTYPES; t++)
    if (types >> t & 1) append(text, size, " ", onr_dtype_name((enum onr_dtype)t));
  return text;
}

static const char *format_layers(const struct op *op, char *text, size_t size) {
  if (op->unknown) return "depends on the node";
  text[0] = '\0';
  for (size_t i = 0; i < op->form.num_layers; i++) append(text, size, ", ", op->form.layer[i]);
  return text[0] ? text : "a constant";
}

/* "xnnpack (float32 ...), portable": the fastest first. */
static const char *format_kernels(const struct op *op, int with_types, char *text, size_t size) {
  char types[256], word[300];
  text[0] = '\0';
  for (int k = ONR_NUM_KERNELS - 1; k > ONR_KERNEL_PORTABLE; k--) {
    if (!op->form.kernel_types[k]) continue;
    snprintf(word, sizeof(word), with_types ? "%s (%s)" : "%s", onr_kernel_name((enum onr_kernel)k),
             format_types(op->form.kernel_types[k], types, sizeof(types)));
    append(text, size, ", ", word);
  }
  append(text, size, ", ", onr_kernel_name(ONR_KERNEL_PORTABLE));
  return text;
}

/* At most 80 columns: what does not fit is told by ops NAME. The domain stands where it begins. */
static void print_table(const struct op *ops, size_t count) {
  char in[16], out[16], text[512];
  const char *domain = "";
  for (size_t i = 0; i < count; i++) {
    const struct onr_op_info *o = &ops[i].info;
    if (strcmp(domain, domain_of(&ops[i]))) {
      printf("%s%-33s %5s  %-6s %-6s %s\n", *domain ? "\n" : "", domain_of(&ops[i]), "since", "in", "out",
             "fast kernels");
      domain = domain_of(&ops[i]);
    }
    printf("  %-31s %5d  ", o->op_type, (int)o->since_version);
    if (o->withdrawn) puts("withdrawn");
    else
      printf("%-6s %-6s %s\n", format_arity(o->inputs_min, o->inputs_max, in, sizeof(in)),
             format_arity(o->outputs_min, o->outputs_max, out, sizeof(out)),
             ops[i].unknown ? "" : format_kernels(&ops[i], 0, text, sizeof(text)));
  }
}

static void print_fact(const char *name, const char *text) {
  printf("  %-8s ", name);
  print_wrapped(stdout, text, 11);
}

static void print_one(const struct op *op) {
  const struct onr_op_info *o = &op->info;
  char in[16], out[16], text[1024];
  struct line head = {0};
  line_add(&head, "%s %s, from opset %d on: ", domain_of(op), o->op_type, (int)o->since_version);
  if (o->withdrawn) line_add(&head, "withdrawn");
  else
    line_add(&head, "inputs %s, outputs %s", format_arity(o->inputs_min, o->inputs_max, in, sizeof(in)),
             format_arity(o->outputs_min, o->outputs_max, out, sizeof(out)));
  print_wrapped(stdout, head.text, 0);
  if (o->withdrawn) return;
  print_fact("layers", format_layers(op, text, sizeof(text)));
  if (op->unknown) return;
  print_fact("kernels", format_kernels(op, 1, text, sizeof(text)));
  for (size_t i = 0; i < op->form.num_inputs; i++) {
    char name[32];
    snprintf(name, sizeof(name), "input %zu", i);
    print_fact(name, format_types(op->form.input_types[i], text, sizeof(text)));
  }
}

/* --- JSON --- */

/* [least, most], null for no bound. */
static void add_arity(cJSON *item, const char *key, uint8_t least, uint8_t most) {
  cJSON *array = cJSON_AddArrayToObject(item, key);
  cJSON_AddItemToArray(array, cJSON_CreateNumber(least));
  cJSON_AddItemToArray(array, most == ONR_VARIADIC ? cJSON_CreateNull() : cJSON_CreateNumber(most));
}

static cJSON *types_of(uint32_t types) {
  cJSON *array = cJSON_CreateArray();
  types &= all_types();
  for (int t = 1; t < ONR_NUM_DTYPES; t++)
    if (types >> t & 1) cJSON_AddItemToArray(array, cJSON_CreateString(onr_dtype_name((enum onr_dtype)t)));
  return array;
}

static void add_form(cJSON *item, const struct onr_op_form *form) {
  cJSON *layers = cJSON_AddArrayToObject(item, "layers"), *types = cJSON_AddArrayToObject(item, "input_types");
  cJSON *kernels = cJSON_AddObjectToObject(item, "kernels");
  for (size_t i = 0; i < form->num_layers; i++) cJSON_AddItemToArray(layers, cJSON_CreateString(form->layer[i]));
  for (size_t i = 0; i < form->num_inputs; i++) cJSON_AddItemToArray(types, types_of(form->input_types[i]));
  for (int k = ONR_KERNEL_PORTABLE + 1; k < ONR_NUM_KERNELS; k++)
    if (form->kernel_types[k])
      cJSON_AddItemToObject(kernels, onr_kernel_name((enum onr_kernel)k), types_of(form->kernel_types[k]));
}

static int tell_json(const struct op *ops, size_t count) {
  cJSON *root = cJSON_CreateArray();
  for (size_t i = 0; i < count; i++) {
    const struct onr_op_info *o = &ops[i].info;
    cJSON *item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "domain", domain_of(&ops[i]));
    cJSON_AddStringToObject(item, "op_type", o->op_type);
    cJSON_AddNumberToObject(item, "since_version", o->since_version);
    cJSON_AddBoolToObject(item, "withdrawn", o->withdrawn != 0);
    add_arity(item, "inputs", o->inputs_min, o->inputs_max);
    add_arity(item, "outputs", o->outputs_min, o->outputs_max);
    add_form(item, &ops[i].form);
    cJSON_AddItemToArray(root, item);
  }
  return print_json(root, 0);
}

/* Every name of the command line is an operator's. */
static int check_names(const struct options *options) {
  for (size_t n = 0; n < options->num_paths; n++) {
    struct suggestion s = suggest_for(options->paths[n], strlen(options->paths[n]));
    int found = 0;
    for (size_t i = 0; !found && i < onr_num_ops(); i++) {
      struct onr_op_info info = {.size = sizeof(info)};
      onr_op(i, &info);
      found = !strcmp(info.op_type, options->paths[n]);
      suggest(&s, info.op_type);
    }
    if (!found) return complain(EXIT_USAGE, "ops: there is no operator '%s'%s", options->paths[n], suggested(&s).text);
  }
  return 0;
}

int command_ops(const struct options *options) {
  struct onr_error error = {.status = ONR_STATUS_NO_MEMORY, .message = "no memory for the list of operators"};
  size_t count;
  int code = check_names(options);
  if (code) return code;
  struct op *ops = collect(options, &count, &error);
  if (!ops) return complain(exit_code_of(error.status), "%s", error.message);
  if (options->json) code = tell_json(ops, count);
  else if (!options->num_paths) print_table(ops, count);
  else
    for (size_t i = 0; i < count; i++) print_one(&ops[i]);
  free(ops);
  return code;
}
