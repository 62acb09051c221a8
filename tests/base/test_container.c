/* Lists that share their entries, against plain arrays: every version stays what it was; memory that runs out anywhere;
 * flat blocks and back; text that is collected. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/container.h"

static size_t num_live, num_left; /* allocations that are held, and that may still be made */

static void *count_allocate(void *context, size_t bytes, size_t alignment) {
  (void)context;
  if (!num_left) return NULL;
  num_left--;
  num_live++;
  return aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
}

static void count_release(void *context, void *memory) {
  (void)context;
  if (memory) num_live--;
  free(memory);
}

static const struct onr_allocator counting = {NULL, count_allocate, count_release};

static struct onri_heap start(void) {
  struct onri_heap heap;
  num_left = SIZE_MAX;
  onri_heap_init(&heap, &counting);
  return heap;
}

static void end(struct onri_heap *heap) {
  onri_heap_clear(heap);
  assert_int_equal(num_live, 0);
}

static uint32_t draw(uint32_t *random, uint32_t count) {
  *random = *random * 1664525 + 1013904223;
  return (*random >> 8) % count;
}

static struct onr_tensor scalar(int64_t *value) { return (struct onr_tensor){{.dtype = ONR_DTYPE_I64}, value}; }

static void expect(const struct onri_list *list, const int64_t *values, size_t count) {
  assert_int_equal(onri_list_length(list), count);
  for (size_t i = 0; i < count; i++) assert_int_equal(*(int64_t *)onri_list_at(list, i).data, values[i]);
}

enum { VERSIONS = 600, MOST = VERSIONS + 8 };

/* Grows first, then shrinks: at random places, at one end, or at the other. */
static void every_version_stays_what_it_was(void **state) {
  (void)state;
  for (uint32_t place = 0; place < 3; place++) {
    struct onri_heap heap = start();
    static struct onri_list *lists[VERSIONS + 1];
    static int64_t values[VERSIONS + 1][MOST];
    static size_t counts[VERSIONS + 1];
    uint32_t random = place + 1;
    lists[0] = NULL;
    counts[0] = 0;
    for (int v = 1; v <= VERSIONS; v++) {
      const size_t count = counts[v - 1];
      const int grows = !count || draw(&random, VERSIONS) > (uint32_t)v;
      const size_t last = grows ? count : count - 1;
      const size_t at = place == 0 ? draw(&random, (uint32_t)last + 1) : place == 1 ? 0 : last;
      int64_t *now = values[v], added = v;
      const struct onr_tensor value = scalar(&added);
      memcpy(now, values[v - 1], count * sizeof(*now));
      memmove(now + at + grows, now + at + !grows, (count - at - !grows) * sizeof(*now));
      if (grows) now[at] = v;
      counts[v] = count + (size_t)grows - (size_t)!grows;
      const enum onr_status status = grows ? onri_list_insert(&heap, lists[v - 1], at, &value, &lists[v], NULL)
                                           : onri_list_erase(&heap, lists[v - 1], at, &lists[v], NULL);
      assert_int_equal(status, ONR_STATUS_OK);
      expect(lists[v], values[v], counts[v]);
    }
    for (int v = 0; v <= VERSIONS; v++) expect(lists[v], values[v], counts[v]);
    for (int v = 0; v <= VERSIONS; v += 2) onri_list_release(&heap, lists[v]);
    for (int v = 1; v <= VERSIONS; v += 2) expect(lists[v], values[v], counts[v]);
    for (int v = 1; v <= VERSIONS; v += 2) onri_list_release(&heap, lists[v]);
    end(&heap);
  }
}

static void long_lists_are_changed_in_few_steps(void **state) {
  enum { LENGTH = 100000 };
  struct onri_heap heap = start();
  struct onri_list *list = NULL, *next;
  int64_t number;
  const struct onr_tensor value = scalar(&number);
  (void)state;
  for (number = 0; number < LENGTH; number++) {
    const size_t before = heap.num_nodes;
    assert_int_equal(onri_list_insert(&heap, list, (size_t)number, &value, &next, NULL), ONR_STATUS_OK);
    assert_in_range(heap.num_nodes - before, 1, 64); /* twice the logarithm, and some */
    onri_list_release(&heap, list);
    list = next;
  }
  assert_int_equal(heap.num_nodes, LENGTH);
  for (int64_t i = 0; i < LENGTH; i++) assert_int_equal(*(int64_t *)onri_list_at(list, (size_t)i).data, i);
  onri_list_release(&heap, list);
  end(&heap);
}

static void memory_that_runs_out_changes_nothing(void **state) {
  enum { COUNT = 200 };
  struct onri_heap heap = start();
  struct onri_list *list = NULL, *other;
  struct onr_tensor values[COUNT];
  int64_t numbers[COUNT];
  size_t failed = 0;
  (void)state;
  for (int i = 0; i < COUNT; i++) {
    numbers[i] = i;
    values[i] = scalar(&numbers[i]);
  }
  assert_int_equal(onri_list_make(&heap, values, COUNT, &list, NULL), ONR_STATUS_OK);
  const size_t before = num_live;
  for (size_t most = 0; most < COUNT + 8; most++) {
    const struct onr_tensor handle = {onri_handle_desc(ONR_DTYPE_SEQUENCE), &(struct onri_handle){0}};
    *(struct onri_handle *)handle.data = onri_handle_make(list);
    other = NULL;
    num_left = most;
    failed += onri_list_insert(&heap, list, most % COUNT, &handle, &other, NULL) == ONR_STATUS_NO_MEMORY;
    onri_list_release(&heap, other);
    num_left = most;
    other = NULL;
    failed += onri_list_make(&heap, values, COUNT, &other, NULL) == ONR_STATUS_NO_MEMORY;
    onri_list_release(&heap, other);
    num_left = most;
    assert_in_range(num_live, before, before + COUNT + 32); /* memory for nodes stays */
    expect(list, numbers, COUNT);
  }
  assert_in_range(failed, COUNT / 2, 2 * COUNT + 16);
  onri_list_release(&heap, list);
  end(&heap);
}

/* A block of containers inside containers, read as a list and written again. */
static void flat_blocks_and_back(void **state) {
  int64_t numbers[3] = {3, 1, 2};
  float floats[5] = {1, 2, 3, 4, 5};
  struct onr_tensor inner[3] = {scalar(&numbers[0]), scalar(&numbers[1]), scalar(&numbers[2])}, outer[3];
  _Alignas(64) static char memory[3][8192];
  struct onri_heap heap = start();
  struct onri_list *list, *longer;
  (void)state;
  outer[0] = (struct onr_tensor){onr_sequence_desc(ONR_DTYPE_SEQUENCE, inner, 3), memory[0]};
  onr_sequence_write(inner, 3, memory[0]);
  outer[1] = (struct onr_tensor){onr_desc_make(ONR_DTYPE_F32, 1, (int64_t[]){5}), floats};
  outer[2] = outer[0];
  const struct onr_tensor block = {onr_sequence_desc(ONR_DTYPE_OPTIONAL, outer, 3), memory[1]};
  onr_sequence_write(outer, 3, memory[1]);
  assert_int_equal(onri_container_list(&heap, &block, 0, &list, NULL), ONR_STATUS_OK);
  struct onri_handle handle = onri_handle_make(list);
  const struct onr_tensor value = {onri_handle_desc(ONR_DTYPE_OPTIONAL), &handle};
  const struct onr_desc flat = onri_flat_desc(&value);
  assert_true(onr_desc_equal(&flat, &block.desc));
  onri_flat_write(&value, memory[2]);
  assert_memory_equal(memory[1], memory[2], onr_desc_bytes(&flat));
  assert_int_equal(onri_list_insert(&heap, list, 3, &value, &longer, NULL), ONR_STATUS_OK); /* shares, one deeper */
  const struct onr_tensor entry = onri_list_at(longer, 3), inside = onr_sequence_entry(&entry, 0);
  assert_int_equal(onr_sequence_length(&inside), 3);
  onri_list_release(&heap, list);
  assert_int_equal(*(int64_t *)onr_sequence_entry(&inside, 2).data, 2);
  onri_list_release(&heap, longer);
  assert_int_equal(onri_container_list(&heap, &value, 0, &list, NULL), ONR_STATUS_DATA); /* a stranger's handle */
  end(&heap);
}

static void nesting_ends(void **state) {
  struct onri_heap heap = start();
  struct onri_list *list = NULL, *next;
  struct onri_handle handle;
  const struct onr_tensor value = {onri_handle_desc(ONR_DTYPE_OPTIONAL), &handle};
  struct onr_error error;
  enum onr_status status = ONR_STATUS_OK;
  int depth = 0;
  (void)state;
  for (; status == ONR_STATUS_OK && depth < 1000; depth++) {
    handle = onri_handle_make(list);
    status = onri_list_insert(&heap, NULL, 0, &value, &next, &error);
    onri_list_release(&heap, list);
    list = status == ONR_STATUS_OK ? next : NULL;
  }
  assert_int_equal(status, ONR_STATUS_LIMIT);
  assert_in_range(depth, 8, 64);
  end(&heap);
}

/* Text lives while a string, of a tensor or of an entry, points anywhere into it. */
static void text_that_nobody_points_to_goes(void **state) {
  enum { TEXTS = 3000, KEPT = 7 };
  struct onri_heap heap = start();
  struct onr_string kept[KEPT], in_list;
  struct onri_list *list;
  (void)state;
  for (int round = 0; round < 20; round++) {
    for (int i = 0; i < TEXTS; i++) {
      const size_t length = i % 3 ? 20 : 5000;
      char *text = onri_heap_text(&heap, length);
      for (size_t k = 0; k < length; k++) assert_int_equal(text[k], 0);
      memset(text, 'a' + i % 7, length);
      if (i < KEPT) kept[i] = (struct onr_string){text + i, length - (size_t)i};
      if (i == KEPT) in_list = (struct onr_string){text + length - 1, 1};
    }
    const struct onr_tensor value = {{.dtype = ONR_DTYPE_STRING}, &in_list};
    assert_int_equal(onri_list_make(&heap, &value, 1, &list, NULL), ONR_STATUS_OK);
    assert_true(onri_heap_is_full(&heap));
    onri_heap_begin(&heap);
    onri_heap_mark(&heap, kept, KEPT);
    onri_heap_end(&heap);
    assert_in_range(heap.text_bytes, 3 * 5000, 3 * 5000 + 8 * 1024);
    for (int i = 0; i < KEPT; i++)
      for (size_t k = 0; k < kept[i].length; k++) assert_int_equal(kept[i].text[k], 'a' + i % 7);
    assert_int_equal(*((struct onr_string *)onri_list_at(list, 0).data)->text, 'a' + KEPT % 7);
    onri_list_release(&heap, list);
    assert_false(onri_heap_is_full(&heap));
  }
  end(&heap);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_version_stays_what_it_was),
      cmocka_unit_test(long_lists_are_changed_in_few_steps),
      cmocka_unit_test(memory_that_runs_out_changes_nothing),
      cmocka_unit_test(flat_blocks_and_back),
      cmocka_unit_test(nesting_ends),
      cmocka_unit_test(text_that_nobody_points_to_goes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
