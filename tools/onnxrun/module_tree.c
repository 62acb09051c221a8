/* module_tree.c: the tree of PyTorch's modules, each with its output, parameters and multiply-adds. */
#include "module_tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NONE = -1, DEPTH = 64 };

static int by_path(const void *left, const void *right) {
  const struct module *const *a = left, *const *b = right;
  return strcmp((*a)->info->path, (*b)->info->path);
}

struct prefix {
  const char *text;
  size_t length;
};

static int of_prefix(const void *left, const void *right) {
  const struct prefix *key = left;
  const char *path = (*(const struct module *const *)right)->info->path;
  const int order = strncmp(key->text, path, key->length);
  return order ? order : -(path[key->length] != '\0');
}

static void cut_last(struct prefix *path) {
  while (path->length && path->text[--path->length] != '.') continue;
}

/* The module of the longest path that is `path` or begins it up to a dot; NULL: none. */
static struct module *innermost(const struct module_tree *tree, struct prefix path) {
  for (;; cut_last(&path)) {
    struct module **found = bsearch(&path, tree->by_path, tree->count, sizeof(*tree->by_path), of_prefix);
    if (found) return *found;
    if (!path.length) return NULL;
  }
}

static struct module *parent_of(const struct module_tree *tree, const struct module *module) {
  struct prefix path = {module->info->path, strlen(module->info->path)};
  if (!path.length) return NULL;
  cut_last(&path);
  return innermost(tree, path);
}

/* Children keep the order in which the modules run. */
static void link_children(struct module_tree *tree) {
  for (size_t i = tree->count; i--;) {
    struct module *module = &tree->modules[i];
    struct module *parent = module->parent = parent_of(tree, module);
    struct module **list = parent ? &parent->first_child : &tree->first;
    module->next = *list;
    *list = module;
  }
}

/* Adds what a node does to its module and all around it. */
static void add_nodes(struct module_tree *tree, const struct onr_session *session) {
  const size_t count = onr_session_num_nodes(session);
  for (size_t i = 0; i < count; i++) {
    struct onr_node_info node = {.size = sizeof(node)};
    if (onr_session_node(session, i, &node) != ONR_STATUS_OK) continue;
    for (struct module *m = innermost(tree, (struct prefix){node.module_path, strlen(node.module_path)}); m;
         m = m->parent) {
      m->multiply_adds += node.multiply_adds;
      m->nodes++;
      if (node.output.dtype != ONR_DTYPE_NONE) m->output = node.output;
    }
  }
}

int module_tree_make(const struct onr_model *model, const struct onr_session *session, struct module_tree *tree) {
  *tree = (struct module_tree){.count = onr_model_num_modules(model)};
  tree->modules = calloc(tree->count + 1, sizeof(*tree->modules));
  tree->by_path = calloc(tree->count + 1, sizeof(*tree->by_path));
  if (!tree->modules || !tree->by_path) {
    module_tree_clear(tree);
    return complain(EXIT_OTHER, "no memory for the modules");
  }
  for (size_t i = 0; i < tree->count; i++) {
    tree->modules[i].info = onr_model_module(model, i);
    tree->by_path[i] = &tree->modules[i];
  }
  qsort(tree->by_path, tree->count, sizeof(*tree->by_path), by_path);
  link_children(tree);
  for (size_t i = 0; i < tree->count; i++)
    for (struct module *m = &tree->modules[i]; m; m = m->parent) {
      m->parameters += tree->modules[i].info->parameters;
      m->unknown += tree->modules[i].info->unknown;
    }
  tree->is_planned = session != NULL;
  if (session) add_nodes(tree, session);
  return 0;
}

void module_tree_clear(struct module_tree *tree) {
  free(tree->modules);
  free(tree->by_path);
  free(tree->outputs);
  *tree = (struct module_tree){0};
}

/* --- as text --- */

const char *with_commas(int64_t number, char text[32]) {
  char digits[24];
  const int length = snprintf(digits, sizeof(digits), "%lld", (long long)number);
  char *to = text;
  for (int i = 0; i < length; i++) {
    *to++ = digits[i];
    if ((length - i) % 3 == 1 && i + 1 < length) *to++ = ',';
  }
  *to = '\0';
  return text;
}

/* "├ conv1: Conv2d"; the model itself has only its kind. */
static void label(const struct module *module, const char *lead, char *text, size_t size) {
  const char *path = module->info->path, *kind = module->info->kind;
  size_t skip = 0;
  if (module->parent && module->parent->info->path[0]) skip = strlen(module->parent->info->path) + 1;
  snprintf(text, size, "%s%s%s%s", lead, shown(path + skip).text, path[0] && kind[0] ? ": " : "",
           kind[0] || path[0] ? shown(kind).text : "(model)");
}

static int is_whole_model(const struct module *module) { return !module->info->path[0]; }

/* The outputs behind the first one have lines of their own. */
static void print_module(const struct module_tree *tree, const struct module *module, const char *lead, int width) {
  char text[512], shape[160], parameters[32], multiply_adds[32];
  const size_t known = is_whole_model(module) ? tree->num_outputs : 0;
  label(module, lead, text, sizeof(text));
  print_padded(text, width);
  const char *output =
      module->output.dtype != ONR_DTYPE_NONE ? onr_desc_format(&module->output, shape, sizeof(shape)) : "";
  if (tree->is_planned && !module->nodes && module->info->parameters) output = "(in another module)";
  if (known) output = tree->outputs[0].text;
  printf("  %-26s %12s%c %16s\n", output, module->parameters ? with_commas(module->parameters, parameters) : "",
         module->unknown ? '+' : ' ', module->multiply_adds ? with_commas(module->multiply_adds, multiply_adds) : "");
  for (size_t i = 1; i < known; i++) {
    print_padded(module->first_child ? "│" : "", width);
    printf("  %s\n", tree->outputs[i].text);
  }
}

/* lead: what stands before the names of this level's modules; as deep as paths have dots. */
static void print_level(const struct module_tree *tree, const struct module *module, const char *lead, int depth,
                        int width) {
  char own[4 * DEPTH], inner[4 * DEPTH];
  for (; module; module = module->next) {
    const int last = !module->next, top = !module->parent;
    snprintf(own, sizeof(own), "%s%s", lead, top ? "" : last ? "└ " : "├ ");
    snprintf(inner, sizeof(inner), "%s%s", lead, top ? "" : last ? "  " : "│ ");
    print_module(tree, module, own, width);
    if (depth < DEPTH) print_level(tree, module->first_child, inner, depth + 1, width);
  }
}

/* Columns of the widest label. */
static int label_width(const struct module_tree *tree) {
  int width = 20;
  for (size_t i = 0; i < tree->count; i++) {
    char text[512];
    int columns;
    label(&tree->modules[i], "", text, sizeof(text));
    columns = (int)strlen(text);
    for (const struct module *m = tree->modules[i].parent; m; m = m->parent) columns += 2;
    if (columns > width) width = columns;
  }
  return width;
}

void module_tree_print(const struct module_tree *tree) {
  const int width = label_width(tree);
  printf("\n%-*s  %-26s %12s  %16s\n", width, "module", "output", "parameters", "multiply-adds");
  print_level(tree, tree->first, "", 0, width);
  int64_t unknown = 0;
  for (size_t i = 0; i < tree->count; i++) unknown += tree->modules[i].info->unknown;
  if (unknown)
    printf("+ and %lld more whose size is not in the file: the exporter has computed with them\n", (long long)unknown);
}
