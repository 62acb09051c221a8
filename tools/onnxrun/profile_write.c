/* profile_write.c: a profile as tables, JSON, CSV, and as a trace for Chrome and Perfetto. */
#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "print.h"
#include "profile.h"

enum { MOST_NODES = 40, MOST_GROUPS = 12 };

static const char *const key_names[NUM_PROFILE_KEYS] = {
    [BY_LAYER] = "layers", [BY_OPERATOR] = "operators", [BY_MODULE] = "modules", [BY_SOURCE] = "sources"};

static const char *shape(const struct onr_desc *desc, char *text, size_t size) {
  return desc->dtype == ONR_DTYPE_NONE ? "?" : onr_desc_format(desc, text, size);
}

static double gflops(uint64_t multiply_adds, double ms) { return ms > 0 ? 2.0 * (double)multiply_adds / ms / 1e6 : 0; }

static size_t kept_runs(const struct profile *p) { return p->runs < p->capacity ? p->runs : p->capacity; }

/* --- tables --- */

static void print_speed(uint64_t multiply_adds, double ms) {
  if (multiply_adds) printf(" %8.1f ", gflops(multiply_adds, ms));
  else printf(" %8s ", "");
}

static void print_groups(const struct profile *p, enum profile_key key, const char *title) {
  size_t count;
  struct profile_group *groups = profile_groups(p, key, &count);
  if (groups && (count > 1 || (count && groups[0].name[0]))) {
    printf("\n%7s %10s %8s %6s  %s\n", "share", "time", "GFLOP/s", "nodes", title);
    for (size_t i = 0; i < count && i < MOST_GROUPS; i++) {
      const struct profile_group *g = &groups[i];
      printf("%6.1f%% %10s", g->share * 100, shown_time(g->ms).text);
      print_speed(g->multiply_adds, g->ms);
      printf("%6zu  %s%s%s%s\n", g->nodes, g->name[0] ? shown(g->name).text : "(none)", key == BY_LAYER ? " (" : "",
             key == BY_LAYER ? g->note : "", key == BY_LAYER ? ")" : "");
    }
    if (count > MOST_GROUPS) printf("%zu more; --format json has all\n", count - MOST_GROUPS);
  }
  free(groups);
}

/* Where the file's node is: its module, else its name; and the line of Python. */
static void print_place(const struct profile_node *n) {
  printf("%s%s%s%s%s", shown(n->info.op_type).text, n->info.op_type[0] ? " " : "",
         shown(n->info.module_path[0] ? n->info.module_path : n->info.name).text, n->info.source[0] ? " " : "",
         shown(n->info.source).text);
  if (n->parent != ONR_NO_NODE) printf(" in node %zu, %llu times", n->parent, (unsigned long long)n->calls);
}

static void print_nodes(const struct profile *p) {
  printf("\n%7s %10s %8s %6s  %-18s %-8s %-28s %s\n", "share", "time", "GFLOP/s", "node", "layer", "kernel", "output",
         "where it comes from");
  for (size_t i = 0; i < p->num_ordered && i < MOST_NODES; i++) {
    const struct profile_node *n = &p->nodes[p->order[i]];
    char text[160];
    printf("%6.1f%% %10s", n->share * 100, shown_time(n->self_ms).text);
    print_speed(n->multiply_adds, n->self_ms);
    printf("%6zu  %-18s %-8s %-28s ", p->order[i], n->info.layer, onr_kernel_name(n->info.kernel),
           shape(&n->info.output, text, sizeof(text)));
    print_place(n);
    putchar('\n');
  }
  if (p->num_ordered > MOST_NODES) printf("%zu more nodes; --format json has all\n", p->num_ordered - MOST_NODES);
}

void profile_print(const struct profile *p) {
  printf("\nprofile: medians of %s%zu runs, %s in all nodes\n", kept_runs(p) < p->runs ? "the last " : "", kept_runs(p),
         shown_time(p->sum_ms).text);
  print_groups(p, BY_LAYER, "layer (kernel)");
  print_groups(p, BY_MODULE, "module of PyTorch, with all in it");
  print_groups(p, BY_SOURCE, "line of Python");
  print_nodes(p);
}

/* --- JSON --- */

cJSON *profile_node_json(const struct profile *p, size_t number) {
  const struct profile_node *n = &p->nodes[number];
  cJSON *item = cJSON_CreateObject();
  char text[160];
  cJSON_AddStringToObject(item, "layer", n->info.layer);
  cJSON_AddNumberToObject(item, "node", (double)number);
  if (n->parent != ONR_NO_NODE) cJSON_AddNumberToObject(item, "parent", (double)n->parent);
  cJSON_AddStringToObject(item, "kernel", onr_kernel_name(n->info.kernel));
  cJSON_AddStringToObject(item, "operator", n->info.op_type);
  cJSON_AddStringToObject(item, "name", n->info.name);
  cJSON_AddStringToObject(item, "module", n->info.module_path);
  cJSON_AddStringToObject(item, "source", n->info.source);
  cJSON_AddStringToObject(item, "output", shape(&n->info.output, text, sizeof(text)));
  cJSON_AddNumberToObject(item, "calls", (double)n->calls);
  cJSON_AddNumberToObject(item, "median_ms", n->self_ms);
  cJSON_AddNumberToObject(item, "total_ms", n->total_ms);
  cJSON_AddNumberToObject(item, "share", n->share);
  cJSON_AddNumberToObject(item, "multiply_adds", (double)n->multiply_adds);
  return item;
}

static void add_groups_json(cJSON *root, const struct profile *p, enum profile_key key) {
  size_t count;
  struct profile_group *groups = profile_groups(p, key, &count);
  cJSON *array = cJSON_AddArrayToObject(root, key_names[key]);
  for (size_t i = 0; groups && i < count; i++) {
    cJSON *item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "name", groups[i].name);
    cJSON_AddNumberToObject(item, "nodes", (double)groups[i].nodes);
    cJSON_AddNumberToObject(item, "median_ms", groups[i].ms);
    cJSON_AddNumberToObject(item, "share", groups[i].share);
    cJSON_AddNumberToObject(item, "multiply_adds", (double)groups[i].multiply_adds);
    cJSON_AddItemToArray(array, item);
  }
  free(groups);
}

void profile_add_json(cJSON *root, const struct profile *p) {
  cJSON_AddNumberToObject(root, "profile_runs", (double)kept_runs(p));
  cJSON_AddNumberToObject(root, "profile_ms", p->sum_ms);
  cJSON *array = cJSON_AddArrayToObject(root, "profile");
  for (size_t i = 0; i < p->num_ordered; i++) cJSON_AddItemToArray(array, profile_node_json(p, p->order[i]));
  for (enum profile_key key = 0; key < NUM_PROFILE_KEYS; key++) add_groups_json(root, p, key);
}

/* --- CSV: one line a node, as JSON's keys --- */

/* RFC 4180; names of nodes are the file's to choose, so they are escaped as on a terminal, too. A leading sign that
 * makes a spreadsheet compute gets a quote. */
static void csv_text(const char *text) {
  putchar('"');
  if (*text && strchr("=+-@", *text)) putchar('\'');
  for (size_t n; *text; text += n) {
    n = strcspn(text, "\"");
    print_escaped(stdout, text, n);
    if (text[n]) fputs("\"\"", stdout), n++;
  }
  putchar('"');
}

static void csv_cell(const cJSON *item) {
  if (cJSON_IsString(item)) csv_text(item->valuestring);
  else if (item) printf("%.9g", item->valuedouble);
}

void profile_csv(const struct profile *p) {
  static const char *const columns[] = {"node",   "parent", "layer", "kernel",    "operator", "name",  "module",
                                        "source", "output", "calls", "median_ms", "total_ms", "share", "multiply_adds"};
  enum { COUNT = sizeof(columns) / sizeof(columns[0]) };
  for (size_t c = 0; c < COUNT; c++) printf("%s%s", c ? "," : "", columns[c]);
  for (size_t i = 0; i < p->num_ordered; i++) {
    cJSON *item = profile_node_json(p, p->order[i]);
    for (size_t c = 0; c < COUNT; c++) {
      putchar(c ? ',' : '\n');
      csv_cell(cJSON_GetObjectItemCaseSensitive(item, columns[c]));
    }
    cJSON_Delete(item);
  }
  putchar('\n');
}

/* --- trace: one object a line, for there may be many --- */

enum { NODE_TRACK = 1, MODULE_TRACK = 2 };

static int put_object(cJSON *item) {
  putchar(',');
  return print_json(item, 1);
}

static cJSON *slice(const char *name, int track, double begin_us, double end_us) {
  cJSON *item = cJSON_CreateObject();
  cJSON_AddStringToObject(item, "ph", "X");
  cJSON_AddStringToObject(item, "name", name);
  cJSON_AddStringToObject(item, "cat", track == NODE_TRACK ? "node" : "module");
  cJSON_AddNumberToObject(item, "pid", 1);
  cJSON_AddNumberToObject(item, "tid", track);
  cJSON_AddNumberToObject(item, "ts", begin_us);
  cJSON_AddNumberToObject(item, "dur", end_us - begin_us);
  return item;
}

static cJSON *naming(const char *what, const char *name, int track) {
  cJSON *item = cJSON_CreateObject();
  cJSON_AddStringToObject(item, "ph", "M");
  cJSON_AddStringToObject(item, "name", what);
  cJSON_AddNumberToObject(item, "pid", 1);
  cJSON_AddNumberToObject(item, "tid", track);
  cJSON_AddStringToObject(cJSON_AddObjectToObject(item, "args"), "name", name);
  return item;
}

/* Since the first event that is kept began. */
static double to_us(const struct profile *p, uint64_t ns) { return ((double)ns - (double)p->fastest.start_ns) / 1e3; }

static int put_event(const struct profile *p, const struct profile_event *e) {
  const struct onr_node_info *n = &p->nodes[e->node].info;
  cJSON *item = slice(n->layer, NODE_TRACK, to_us(p, e->begin_ns), to_us(p, e->end_ns));
  cJSON *args = cJSON_AddObjectToObject(item, "args");
  char text[160];
  cJSON_AddNumberToObject(args, "node", (double)e->node);
  cJSON_AddStringToObject(args, "operator", n->op_type);
  cJSON_AddStringToObject(args, "name", n->name);
  cJSON_AddStringToObject(args, "module", n->module_path);
  cJSON_AddStringToObject(args, "source", n->source);
  cJSON_AddStringToObject(args, "kernel", onr_kernel_name(n->kernel));
  cJSON_AddStringToObject(args, "output", shape(&n->output, text, sizeof(text)));
  return put_object(item);
}

/* Parts of a path that are open: one slice each, over all nodes in turn that lie in it. */
enum { DEEPEST = 64 };
struct open_module {
  size_t length; /* of the path up to it */
  double begin_us;
};
struct module_track {
  const char *path;
  struct open_module open[DEEPEST];
  size_t depth;
  double end_us;
};

/* Closes what is not around `path`. */
static int close_modules(struct module_track *t, const char *path) {
  int code = 0;
  while (t->depth && !code) {
    const struct open_module *m = &t->open[t->depth - 1];
    if (!strncmp(t->path, path, m->length) && (path[m->length] == '.' || !path[m->length])) break;
    char *name = malloc(m->length + 1);
    if (!name) return complain(EXIT_OTHER, "no memory for a name");
    memcpy(name, t->path, m->length);
    name[m->length] = '\0';
    code = put_object(slice(name, MODULE_TRACK, m->begin_us, t->end_us));
    free(name);
    t->depth--;
  }
  return code;
}

static void open_modules(struct module_track *t, const char *path, double begin_us) {
  const size_t before = t->depth ? t->open[t->depth - 1].length : 0;
  t->path = path;
  for (size_t length = 1; path[0] && path[length - 1] && t->depth < DEEPEST; length++)
    if ((path[length] == '.' || !path[length]) && length > before)
      t->open[t->depth++] = (struct open_module){length, begin_us};
}

static int put_modules(const struct profile *p) {
  struct module_track t = {.path = ""};
  int code = 0;
  for (size_t i = 0; i < p->fastest.count && !code; i++) {
    const struct profile_event *e = &p->fastest.events[i];
    const struct profile_node *n = &p->nodes[e->node];
    if (n->parent != ONR_NO_NODE) continue;
    code = close_modules(&t, n->info.module_path);
    open_modules(&t, n->info.module_path, to_us(p, e->begin_ns));
    t.end_us = to_us(p, e->end_ns);
  }
  return code ? code : close_modules(&t, "/");
}

int profile_trace(const struct profile *p, const char *model) {
  printf("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n");
  int code = print_json(naming("process_name", model, NODE_TRACK), 1);
  if (!code) code = put_object(naming("thread_name", "nodes", NODE_TRACK));
  if (!code) code = put_object(naming("thread_name", "modules of PyTorch", MODULE_TRACK));
  for (size_t i = 0; i < p->fastest.count && !code; i++) code = put_event(p, &p->fastest.events[i]);
  if (!code) code = put_modules(p);
  puts("]}");
  if (p->fastest.lost) complain(EXIT_OK, "the trace ends %zu calls of nodes before the run does", p->fastest.lost);
  return code;
}
