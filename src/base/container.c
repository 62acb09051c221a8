/* container.c: lists as balanced trees that share what is equal. */
#include "base/container.h"

#include <string.h>

#include "base/numbers/checked.h"
#include "base/shape.h"

enum { MOST_NESTED = 16, HANDLE_FORMAT = 0x4C544E43 };

/* --- entries --- */

struct onri_entry {
  size_t owners;
  struct onr_desc desc;
  struct onri_entry *next, **link; /* in heap->strings */
  void *data;                      /* behind this struct */
};

struct onri_list {
  size_t owners, length;
  struct onri_list *left, *right;
  struct onri_entry *entry;
  size_t flat_bytes; /* of the entries in a flat block */
  int nested;        /* containers inside one another, this list being 1 */
};

static const struct onri_handle *handle_of(const struct onr_tensor *value) { return value->data; }

int onri_is_handle(const struct onr_tensor *value) {
  return onri_dtype_is_block(value->desc.dtype) && value->data &&
         onr_desc_bytes(&value->desc) == sizeof(struct onri_handle) && handle_of(value)->format == HANDLE_FORMAT;
}

struct onr_desc onri_handle_desc(enum onr_dtype kind) {
  return (struct onr_desc){.dtype = kind, .rank = 1, .dim = {sizeof(struct onri_handle)}};
}

struct onri_handle onri_handle_make(struct onri_list *list) {
  return (struct onri_handle){HANDLE_FORMAT, list};
}

static enum onr_status no_memory(struct onr_error *error) {
  return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for an entry of a sequence");
}

/* With room for `bytes`. */
static struct onri_entry *entry_allocate(struct onri_heap *heap, const struct onr_desc *desc, size_t bytes) {
  size_t start, total;
  struct onri_entry *entry;
  if (!onri_round_up(sizeof(*entry), ONRI_ALIGNMENT, &start) || !onri_add_size(bytes, start, &total)) return NULL;
  entry = onri_allocate(heap->allocator, total);
  if (!entry) return NULL;
  *entry = (struct onri_entry){.owners = 1, .desc = *desc, .data = (char *)entry + start};
  if (desc->dtype != ONR_DTYPE_STRING) return entry;
  entry->next = heap->strings;
  entry->link = &heap->strings;
  if (entry->next) entry->next->link = &entry->next;
  heap->strings = entry;
  return entry;
}

static enum onr_status list_from(struct onri_heap *heap, const struct onr_tensor *container, int is_ours, int nested,
                                 struct onri_list **result, struct onr_error *error);

static enum onr_status entry_make(struct onri_heap *heap, const struct onr_tensor *value, int is_ours, int nested,
                                  struct onri_entry **entry, struct onr_error *error) {
  const size_t bytes = onr_desc_bytes(&value->desc);
  struct onri_list *list;
  if (!onri_dtype_is_block(value->desc.dtype)) {
    *entry = entry_allocate(heap, &value->desc, bytes);
    if (!*entry) return no_memory(error);
    if (bytes) memcpy((*entry)->data, value->data, bytes);
    return ONR_STATUS_OK;
  }
  ONR_TRY(list_from(heap, value, is_ours, nested, &list, error));
  const struct onr_desc desc = onri_handle_desc(value->desc.dtype);
  if (list && list->nested + nested > MOST_NESTED) *entry = NULL;
  else *entry = entry_allocate(heap, &desc, sizeof(struct onri_handle));
  if (*entry) {
    *(struct onri_handle *)(*entry)->data = onri_handle_make(list);
    return ONR_STATUS_OK;
  }
  const int is_deep = list && list->nested + nested > MOST_NESTED;
  onri_list_release(heap, list);
  return is_deep ? onr_fail(error, ONR_STATUS_LIMIT, "sequences inside one another more than %d deep", MOST_NESTED)
                 : no_memory(error);
}

/* Nested containers end here, at most MOST_NESTED of them. */
static void entry_release(struct onri_heap *heap, struct onri_entry *entry) {
  const struct onr_tensor value = entry ? (struct onr_tensor){entry->desc, entry->data} : (struct onr_tensor){0};
  if (!entry || --entry->owners) return;
  if (entry->link) *entry->link = entry->next;
  if (entry->next) entry->next->link = entry->link;
  if (onri_is_handle(&value)) onri_list_release(heap, handle_of(&value)->list);
  onri_release(heap->allocator, entry);
}

void onri_entries_mark(struct onri_heap *heap) {
  for (const struct onri_entry *e = heap->strings; e; e = e->next)
    onri_heap_mark(heap, e->data, (size_t)onr_desc_elements(&e->desc));
}

/* --- lists: trees of balanced weight, so that no way down is longer than some logarithms --- */

enum { HEAVIER = 3, DOUBLE = 2 };

size_t onri_list_length(const struct onri_list *list) { return list ? list->length : 0; }

size_t onri_list_flat_bytes(const struct onri_list *list) { return list ? list->flat_bytes : 0; }

struct onr_tensor onri_list_at(const struct onri_list *list, size_t i) {
  for (size_t left; i != (left = onri_list_length(list->left));) {
    list = i < left ? list->left : list->right;
    if (i > left) i -= left + 1;
  }
  return (struct onr_tensor){list->entry->desc, list->entry->data};
}

struct onri_list *onri_list_retain(struct onri_list *list) {
  if (list) list->owners++;
  return list;
}

/* Nodes come and go all the time, and are small: they lie many in a block, and are used again. */
enum { BLOCK_NODES = ONRI_WATCHED ? 1 : 64 };

struct onri_list_block {
  struct onri_list_block *next;
  struct onri_list nodes[BLOCK_NODES];
};

static struct onri_list *node_allocate(struct onri_heap *heap) {
  struct onri_list *list = heap->spare;
  if (!list) {
    struct onri_list_block *block = onri_allocate(heap->allocator, sizeof(*block));
    if (!block) return NULL;
    block->next = heap->lists;
    heap->lists = block;
    for (size_t i = 0; i < BLOCK_NODES; i++) {
      block->nodes[i].right = list;
      list = &block->nodes[i];
    }
  }
  heap->spare = list->right;
  heap->num_nodes++;
  return list;
}

static void node_release(struct onri_heap *heap, struct onri_list *list) {
  list->right = heap->spare;
  heap->spare = list;
  if (--heap->num_nodes || !ONRI_WATCHED) return;
  onri_lists_trim(heap);
}

void onri_lists_trim(struct onri_heap *heap) {
  while (!heap->num_nodes && heap->lists) {
    struct onri_list_block *next = heap->lists->next;
    onri_release(heap->allocator, heap->lists);
    heap->lists = next;
  }
  if (!heap->lists) heap->spare = NULL;
}

void onri_list_release(struct onri_heap *heap, struct onri_list *list) {
  while (list && --list->owners == 0) {
    struct onri_list *right = list->right;
    onri_list_release(heap, list->left);
    entry_release(heap, list->entry);
    node_release(heap, list);
    list = right;
  }
}

/* While one list is made. After a failure all further trees are empty. */
struct making {
  struct onri_heap *heap;
  int failed;
};

static int nested_in(const struct onri_list *list) { return list ? list->nested : 1; }

/* Takes over left and right, shares the entry. */
static struct onri_list *node(struct making *m, struct onri_list *left, struct onri_entry *entry,
                              struct onri_list *right) {
  struct onri_list *list = m->failed ? NULL : node_allocate(m->heap);
  if (!list) {
    m->failed = 1;
    onri_list_release(m->heap, left);
    onri_list_release(m->heap, right);
    return NULL;
  }
  const struct onr_tensor value = {entry->desc, entry->data};
  int nested = onri_is_handle(&value) ? 1 + nested_in(handle_of(&value)->list) : 1;
  if (nested_in(left) > nested) nested = nested_in(left);
  if (nested_in(right) > nested) nested = nested_in(right);
  const struct onr_desc flat = onri_flat_desc(&value);
  size_t bytes;
  if (!onri_add_size(onri_flat_add(onri_list_flat_bytes(left), &flat), onri_list_flat_bytes(right), &bytes))
    bytes = SIZE_MAX;
  entry->owners++;
  *list = (struct onri_list){.owners = 1,
                             .length = onri_list_length(left) + 1 + onri_list_length(right),
                             .left = left,
                             .right = right,
                             .entry = entry,
                             .flat_bytes = bytes,
                             .nested = nested};
  return list;
}

/* Takes over a tree, gives its parts, each with an owner more. */
static void take_apart(struct making *m, struct onri_list *tree, struct onri_list **left, struct onri_entry **entry,
                       struct onri_list **right) {
  *left = onri_list_retain(tree->left);
  *entry = tree->entry;
  *right = onri_list_retain(tree->right);
  (*entry)->owners++;
  onri_list_release(m->heap, tree);
}

/* node() of two trees of which one may be one entry too heavy. */
static struct onri_list *balanced(struct making *m, struct onri_list *left, struct onri_entry *entry,
                                  struct onri_list *right) {
  const size_t l = onri_list_length(left), r = onri_list_length(right);
  struct onri_list *a, *b, *c, *d, *inner, *result;
  struct onri_entry *x, *y = NULL;
  if (m->failed || l + r < 2 || (l <= HEAVIER * r && r <= HEAVIER * l)) return node(m, left, entry, right);
  const int is_right = r > l;
  take_apart(m, is_right ? right : left, &a, &x, &d);
  inner = is_right ? a : d; /* the part in the middle */
  const size_t outer_length = onri_list_length(is_right ? d : a);
  if (onri_list_length(inner) < DOUBLE * outer_length) {
    if (is_right) result = node(m, node(m, left, entry, a), x, d);
    else result = node(m, a, x, node(m, d, entry, right));
  } else {
    take_apart(m, inner, &b, &y, &c);
    if (is_right) result = node(m, node(m, left, entry, b), y, node(m, c, x, d));
    else result = node(m, node(m, a, x, b), y, node(m, c, entry, right));
  }
  entry_release(m->heap, x);
  entry_release(m->heap, y);
  return result;
}

static struct onri_list *inserted(struct making *m, const struct onri_list *tree, size_t at, struct onri_entry *entry) {
  if (!tree) return node(m, NULL, entry, NULL);
  const size_t left = onri_list_length(tree->left);
  if (at <= left) return balanced(m, inserted(m, tree->left, at, entry), tree->entry, onri_list_retain(tree->right));
  struct onri_list *right = inserted(m, tree->right, at - left - 1, entry);
  return balanced(m, onri_list_retain(tree->left), tree->entry, right);
}

static const struct onri_list *outermost(const struct onri_list *tree, int right) {
  while (right ? tree->right : tree->left) tree = right ? tree->right : tree->left;
  return tree;
}

static struct onri_list *erased(struct making *m, const struct onri_list *tree, size_t at) {
  const size_t left = onri_list_length(tree->left);
  if (at < left) return balanced(m, erased(m, tree->left, at), tree->entry, onri_list_retain(tree->right));
  if (at > left) {
    struct onri_list *right = erased(m, tree->right, at - left - 1);
    return balanced(m, onri_list_retain(tree->left), tree->entry, right);
  }
  if (!tree->left) return onri_list_retain(tree->right);
  if (!tree->right) return onri_list_retain(tree->left);
  if (left > onri_list_length(tree->right))
    return balanced(m, erased(m, tree->left, left - 1), outermost(tree->left, 1)->entry, onri_list_retain(tree->right));
  struct onri_list *right = erased(m, tree->right, 0);
  return balanced(m, onri_list_retain(tree->left), outermost(tree->right, 0)->entry, right);
}

static enum onr_status made(struct making *m, struct onri_list *list, struct onri_list **result,
                            struct onr_error *error) {
  *result = list;
  if (!m->failed) return ONR_STATUS_OK;
  onri_list_release(m->heap, list);
  *result = NULL;
  return no_memory(error);
}

enum onr_status onri_list_insert(struct onri_heap *heap, struct onri_list *list, size_t at,
                                 const struct onr_tensor *value, struct onri_list **result, struct onr_error *error) {
  struct making m = {.heap = heap};
  struct onri_entry *entry;
  ONR_TRY(entry_make(heap, value, 1, 1, &entry, error));
  struct onri_list *tree = inserted(&m, list, at, entry);
  entry_release(heap, entry);
  return made(&m, tree, result, error);
}

enum onr_status onri_list_erase(struct onri_heap *heap, struct onri_list *list, size_t at, struct onri_list **result,
                                struct onr_error *error) {
  struct making m = {.heap = heap};
  return made(&m, erased(&m, list, at), result, error);
}

size_t onri_list_bytes(size_t count) {
  size_t bytes;
  const size_t each = sizeof(struct onri_list) + sizeof(struct onri_entry) + (size_t)ONRI_ALIGNMENT;
  return onri_mul_size(count, each, &bytes) ? bytes : SIZE_MAX;
}

/* --- from and to flat blocks --- */

/* Where the values of a new list come from: an array, a flat block, or one after the other. */
struct origin {
  const struct onr_tensor *values, *block;
  struct onri_values *stream;
  int is_ours, nested;
  struct onr_error *error;
  enum onr_status status;
};

static struct onri_list *tree_of(struct making *m, struct origin *from, size_t begin, size_t end) {
  const size_t middle = begin + (end - begin) / 2;
  struct onri_entry *entry;
  if (begin == end || m->failed) return NULL;
  struct onri_list *left = tree_of(m, from, begin, middle);
  struct onr_tensor value = {0};
  if (from->values) value = from->values[middle];
  else if (from->block) value = onr_sequence_entry(from->block, (int64_t)middle);
  else if (!from->stream->next(from->stream, &value)) m->failed = 1;
  if (!m->failed) from->status = entry_make(m->heap, &value, from->is_ours, from->nested, &entry, from->error);
  if (from->status != ONR_STATUS_OK) m->failed = 1;
  if (m->failed) {
    onri_list_release(m->heap, left);
    return NULL;
  }
  struct onri_list *right = tree_of(m, from, middle + 1, end);
  struct onri_list *tree = node(m, left, entry, right);
  entry_release(m->heap, entry);
  return tree;
}

static enum onr_status list_of(struct onri_heap *heap, struct origin *from, size_t count, struct onri_list **result) {
  struct making m = {.heap = heap};
  struct onri_list *tree = tree_of(&m, from, 0, count);
  if (from->status == ONR_STATUS_OK) return made(&m, tree, result, from->error);
  made(&m, tree, result, NULL); /* the reason has been told */
  return from->status;
}

enum onr_status onri_list_make(struct onri_heap *heap, const struct onr_tensor *values, size_t count,
                               struct onri_list **result, struct onr_error *error) {
  struct origin from = {.values = values, .is_ours = 1, .nested = 1, .error = error};
  return list_of(heap, &from, count, result);
}

enum onr_status onri_list_read(struct onri_heap *heap, struct onri_values *values, size_t count,
                               struct onri_list **result, struct onr_error *error) {
  struct origin from = {.stream = values, .is_ours = 1, .nested = 1, .error = error};
  return list_of(heap, &from, count, result);
}

static enum onr_status list_from(struct onri_heap *heap, const struct onr_tensor *container, int is_ours, int nested,
                                 struct onri_list **result, struct onr_error *error) {
  struct origin from = {.block = container, .is_ours = is_ours, .nested = nested + 1, .error = error};
  if (onri_is_handle(container)) {
    *result = is_ours ? onri_list_retain(handle_of(container)->list) : NULL;
    return is_ours ? ONR_STATUS_OK : onr_fail(error, ONR_STATUS_DATA, "a sequence is damaged");
  }
  const int64_t length = onr_sequence_length(container);
  *result = NULL;
  if (length < 0)
    return onr_fail(error, ONR_STATUS_DATA, "expected a sequence, an optional or a map; what is there is damaged");
  if (nested >= MOST_NESTED)
    return onr_fail(error, ONR_STATUS_LIMIT, "sequences inside one another more than %d deep", MOST_NESTED);
  return list_of(heap, &from, (size_t)length, result);
}

enum onr_status onri_container_list(struct onri_heap *heap, const struct onr_tensor *container, int is_ours,
                                    struct onri_list **result, struct onr_error *error) {
  return list_from(heap, container, is_ours, 0, result, error);
}
