/* profile.c: takes the times that a session tells, and puts them together by node, layer, operator, module and line. */
#include "profile.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_RUNS_KEPT = 1001, FEWEST_RUNS_KEPT = 3, SAMPLE_BYTES = 64 << 20, MOST_EVENTS = 1 << 20 };

/* --- while it runs --- */

static struct profile_node *node_of(struct profile *p, size_t number) {
  if (!grow((void **)&p->nodes, &p->nodes_capacity, number + 1, sizeof(*p->nodes))) {
    p->no_memory = 1;
    return NULL;
  }
  if (p->count <= number) p->count = number + 1;
  return &p->nodes[number];
}

/* In the first run, which is not timed: what does not change from run to run. */
static void take_facts(struct profile_node *node, const struct onr_node_run *run) {
  struct onr_node_info info = {.size = sizeof(info)};
  if (onr_node_run_info(run, &info) != ONR_STATUS_OK) return;
  if (!node->info.size) node->info = info;
  node->parent = run->parent;
  node->calls++;
  node->multiply_adds += (uint64_t)info.multiply_adds;
}

static void take_event(struct profile_run *r, const struct onr_node_run *run) {
  if (r->count == MOST_EVENTS || !grow((void **)&r->events, &r->capacity, r->count + 1, sizeof(*r->events))) {
    r->lost++;
    return;
  }
  if (!r->count || run->begin_ns < r->start_ns) r->start_ns = run->begin_ns;
  r->events[r->count++] = (struct profile_event){run->node, run->begin_ns, run->end_ns};
}

static uint64_t length_ns(const struct profile_run *r) {
  return r->count ? r->events[r->count - 1].end_ns - r->start_ns : UINT64_MAX;
}

void profile_watch(void *context, const struct onr_node_run *run) {
  struct profile *p = context;
  struct profile_node *node = node_of(p, run->node);
  if (!node) return;
  if (p->begun == 1 || !node->info.size) take_facts(node, run);
  node->ns += run->end_ns - run->begin_ns;
  if (run->parent != ONR_NO_NODE && (node = node_of(p, run->parent))) node->inner_ns += run->end_ns - run->begin_ns;
  take_event(&p->now, run);
}

void profile_begin(struct profile *p) {
  p->begun++;
  for (size_t i = 0; i < p->count; i++) p->nodes[i].ns = p->nodes[i].inner_ns = 0;
  p->now.count = p->now.lost = 0;
}

void profile_end(struct profile *p) {
  if (!p->capacity) {
    p->capacity = SAMPLE_BYTES / sizeof(uint64_t) / (p->count + 1);
    if (p->capacity > MOST_RUNS_KEPT) p->capacity = MOST_RUNS_KEPT;
    if (p->capacity < FEWEST_RUNS_KEPT) p->capacity = FEWEST_RUNS_KEPT;
  }
  for (size_t i = 0; i < p->count; i++) {
    struct profile_node *node = &p->nodes[i];
    if (!node->info.size) continue;
    if (!node->samples) node->samples = calloc(p->capacity, sizeof(*node->samples));
    if (!node->samples) p->no_memory = 1;
    else node->samples[p->runs % p->capacity] = node->ns > node->inner_ns ? node->ns - node->inner_ns : 0;
  }
  p->runs++;
  if (length_ns(&p->now) >= length_ns(&p->fastest)) return;
  const struct profile_run slower = p->fastest;
  p->fastest = p->now;
  p->now = slower;
}

/* --- after the last run --- */

static int smaller(const void *a, const void *b) {
  const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return x < y ? -1 : x > y;
}

static double median_ms(struct profile_node *node, size_t runs) {
  if (!node->samples || !runs) return 0;
  qsort(node->samples, runs, sizeof(*node->samples), smaller);
  return (double)node->samples[runs / 2] / 1e6;
}

/* qsort has no context: pairs of a time and a number. */
struct timed {
  double ms;
  size_t index;
};

static int slower_first(const void *left, const void *right) {
  const struct timed *a = left, *b = right;
  if (a->ms != b->ms) return a->ms > b->ms ? -1 : 1;
  return a->index < b->index ? -1 : a->index > b->index;
}

static void put_in_order(struct profile *p, struct timed *timed) {
  for (size_t i = 0; i < p->count; i++)
    if (p->nodes[i].info.size) timed[p->num_ordered++] = (struct timed){p->nodes[i].self_ms, i};
  qsort(timed, p->num_ordered, sizeof(*timed), slower_first);
  for (size_t k = 0; k < p->num_ordered; k++) p->order[k] = timed[k].index;
}

int profile_finish(struct profile *p) {
  const size_t runs = p->runs < p->capacity ? p->runs : p->capacity;
  struct timed *timed = calloc(p->count + 1, sizeof(*timed));
  p->order = calloc(p->count + 1, sizeof(*p->order));
  for (size_t i = 0; i < p->count; i++) p->sum_ms += p->nodes[i].self_ms = median_ms(&p->nodes[i], runs);
  for (size_t i = 0; i < p->count; i++) {
    struct profile_node *node = &p->nodes[i];
    node->share = p->sum_ms > 0 ? node->self_ms / p->sum_ms : 0;
    /* Bodies are no deeper than limits allow. */
    for (struct profile_node *n = node; n->info.size; n = &p->nodes[n->parent]) {
      n->total_ms += node->self_ms;
      if (n->parent == ONR_NO_NODE) break;
    }
  }
  if (timed && p->order) put_in_order(p, timed);
  const int failed = !timed || !p->order || p->no_memory;
  free(timed);
  return failed ? complain(EXIT_OTHER, "no memory for a profile") : 0;
}

void profile_clear(struct profile *p) {
  for (size_t i = 0; i < p->count; i++) free(p->nodes[i].samples);
  free(p->nodes);
  free(p->now.events);
  free(p->fastest.events);
  free(p->order);
  *p = (struct profile){0};
}

/* --- groups --- */

static const char *key_of(const struct profile_node *node, enum profile_key key) {
  switch (key) {
    case BY_LAYER: return node->info.layer;
    case BY_OPERATOR: return node->info.op_type;
    case BY_MODULE: return node->info.module_path;
    default: return node->info.source;
  }
}

/* A name ends at `length`: "a.b" of "a.b.c". */
struct named {
  const char *text;
  size_t length, node;
};

static int by_text(const void *left, const void *right) {
  const struct named *a = left, *b = right;
  const size_t shorter = a->length < b->length ? a->length : b->length;
  const int order = memcmp(a->text, b->text, shorter);
  return order ? order : a->length < b->length ? -1 : a->length > b->length;
}

/* The names that a node counts for: its own, and of a module all around it. */
static size_t add_names(const struct profile *p, size_t i, enum profile_key key, struct named *names) {
  const char *text = key_of(&p->nodes[i], key);
  size_t count = 0, length = strlen(text);
  for (;;) {
    if (names) names[count] = (struct named){text, length, i};
    count++;
    if (key != BY_MODULE) return count;
    while (length && text[--length] != '.') continue;
    if (!length) return count;
  }
}

static struct named *all_names(const struct profile *p, enum profile_key key, size_t *count) {
  size_t n = 0;
  for (size_t i = 0; i < p->num_ordered; i++) n += add_names(p, p->order[i], key, NULL);
  struct named *names = calloc(n + 1, sizeof(*names));
  *count = 0;
  for (size_t i = 0; names && i < p->num_ordered; i++) *count += add_names(p, p->order[i], key, names + *count);
  if (names) qsort(names, n, sizeof(*names), by_text);
  return names;
}

static int slower_group_first(const void *left, const void *right) {
  const struct profile_group *a = left, *b = right;
  return a->ms > b->ms ? -1 : a->ms < b->ms ? 1 : strcmp(a->name, b->name);
}

/* Names are put behind the groups, in the same block. */
static struct profile_group *room_for_groups(const struct named *names, size_t count) {
  size_t bytes = (count + 1) * sizeof(struct profile_group);
  for (size_t i = 0; i < count; i++) bytes += names[i].length + 1;
  return calloc(1, bytes);
}

static void add_to_group(struct profile_group *group, const struct profile_node *node) {
  const char *kernel = onr_kernel_name(node->info.kernel);
  group->note = !group->nodes || !strcmp(group->note, kernel) ? kernel : "several";
  group->nodes++;
  group->ms += node->self_ms;
  group->share += node->share;
  group->multiply_adds += node->multiply_adds;
}

struct profile_group *profile_groups(const struct profile *p, enum profile_key key, size_t *count) {
  size_t num_names;
  struct named *names = all_names(p, key, &num_names);
  struct profile_group *groups = names ? room_for_groups(names, num_names) : NULL;
  char *text = groups ? (char *)(groups + num_names + 1) : NULL;
  *count = 0;
  for (size_t i = 0; groups && i < num_names; i++) {
    if (!i || by_text(&names[i - 1], &names[i])) {
      memcpy(text, names[i].text, names[i].length);
      groups[(*count)++].name = text;
      text += names[i].length + 1;
    }
    add_to_group(&groups[*count - 1], &p->nodes[names[i].node]);
  }
  free(names);
  if (groups) qsort(groups, *count, sizeof(*groups), slower_group_first);
  return groups;
}
