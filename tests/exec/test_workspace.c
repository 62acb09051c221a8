/* workspace: who needs which value, and memory that grows: what it keeps, what moves, what is given back, and what is
 * left when there is none. */
#include "support/small_run.h"

static const struct onr_layer keeper = {
    .name = "keeper", .inputs_min = 1, .inputs_max = 1, .outputs_min = 1, .outputs_max = 1, .kept_size = 8};

struct small_space {
  struct small_run r;
  struct onri_workspace space;
  int32_t x, y, z; /* x -> keeper -> y -> increment -> z; x and z, y are inputs and outputs */
};

static void begin(struct small_space *s) {
  small_run_begin(&s->r);
  s->x = value(s->r.b.graph, "x");
  s->y = node(s->r.b.graph, &keeper, &s->x, 1);
  s->z = node(s->r.b.graph, &increment, &s->y, 1);
  small_run_close(&s->r, &s->x, 1, (int32_t[]){s->z, s->y}, 2);
  assert_int_equal(onri_workspace_init(&s->space, &s->r.run, s->r.b.graph, NULL), ONR_STATUS_OK);
}

static void finish_space(struct small_space *s) {
  onri_workspace_clear(&s->space);
  small_run_end(&s->r);
}

static void uses_are_known(void **state) {
  struct small_space s;
  (void)state;
  begin(&s);
  const struct onri_use *x = &s.space.uses[s.x], *y = &s.space.uses[s.y], *z = &s.space.uses[s.z];
  assert_true(x->input == 0 && x->output == ONRI_NONE && x->last_read == 0);
  assert_true(y->input == ONRI_NONE && y->output == 1 && y->last_read == 1);
  assert_true(z->input == ONRI_NONE && z->output == 0 && z->last_read == ONRI_NONE);
  assert_true(onri_needed_from(x, 0) && !onri_needed_from(x, 1));
  assert_true(onri_needed_from(z, 100)); /* an output is needed for good */
  finish_space(&s);
}

static void memory_runs_out_at_the_start(void **state) {
  struct small_space s;
  size_t n = 0;
  enum onr_status status = ONR_STATUS_NO_MEMORY;
  (void)state;
  begin(&s);
  onri_workspace_clear(&s.space);
  while (status != ONR_STATUS_OK) {
    const size_t before = counted_live;
    counted_fail_at = counted_total + ++n;
    status = onri_workspace_init(&s.space, &s.r.run, s.r.b.graph, NULL);
    assert_int_equal(status, n <= 4 && status != ONR_STATUS_OK ? ONR_STATUS_NO_MEMORY : ONR_STATUS_OK);
    onri_workspace_clear(&s.space); /* also after a failure */
    assert_int_equal(counted_live, before);
  }
  counted_fail_at = 0;
  assert_int_equal(onri_workspace_init(&s.space, &s.r.run, s.r.b.graph, NULL), ONR_STATUS_OK);
  finish_space(&s);
}

static void buffers_grow_with_room_to_spare(void **state) {
  struct small_run r;
  small_run_begin(&r);
  struct onri_buffer buffer = {0};
  (void)state;
  const size_t before = counted_total;
  for (size_t bytes = 1; bytes <= 100000; bytes++) {
    assert_int_equal(onri_buffer_grow(&r.run, &buffer, bytes, bytes - 1, NULL), ONR_STATUS_OK);
    assert_true(buffer.bytes >= bytes);
    buffer.data[bytes - 1] = (char)(bytes % 101);
  }
  for (size_t i = 0; i < 100000; i++) assert_int_equal(buffer.data[i], (i + 1) % 101);
  assert_in_range(counted_total - before, 1, 60); /* step by step, and linear all the same */
  char *data = buffer.data;
  assert_int_equal(onri_buffer_grow(&r.run, &buffer, 10, 0, NULL), ONR_STATUS_OK);
  assert_ptr_equal(buffer.data, data); /* it does not shrink */
  counted_fail_at = counted_total + 1;
  counted_for_good = 1;
  struct onr_error error = {0};
  assert_int_equal(onri_buffer_grow(&r.run, &buffer, 1 << 20, 0, &error), ONR_STATUS_NO_MEMORY);
  assert_null(buffer.data);
  assert_int_equal(buffer.bytes, 0);
  counted_fail_at = 0;
  counted_for_good = 0;
  onri_buffer_release(&r.run, &buffer);
  onri_buffer_release(&r.run, &buffer);
  small_run_end(&r);
}

/* Contents that were to be kept are there after a failure, too. */
static void a_failure_keeps_what_was_kept(void **state) {
  struct small_run r;
  small_run_begin(&r);
  struct onri_buffer buffer = {0};
  (void)state;
  assert_int_equal(onri_buffer_grow(&r.run, &buffer, 4, 0, NULL), ONR_STATUS_OK);
  memcpy(buffer.data, "abcd", 4);
  counted_fail_at = counted_total + 1;
  counted_for_good = 1;
  assert_int_equal(onri_buffer_grow(&r.run, &buffer, 4000, 4, NULL), ONR_STATUS_NO_MEMORY);
  counted_fail_at = 0;
  counted_for_good = 0;
  assert_int_equal(onri_buffer_grow(&r.run, &buffer, 4000, 4, NULL), ONR_STATUS_OK);
  if (memcmp(buffer.data, "abcd", 4) != 0) fail_msg("the contents were lost");
  onri_buffer_release(&r.run, &buffer);
  small_run_end(&r);
}

static void growing_moves_and_staying_does_not(void **state) {
  struct small_space s;
  (void)state;
  begin(&s);
  uint64_t moves = s.space.moves;
  assert_int_equal(onri_workspace_block(&s.space, 2, 100, NULL), ONR_STATUS_OK);
  assert_true(s.space.num_blocks == 3 && !s.space.blocks[0].data && s.space.blocks[2].data);
  assert_true(s.space.moves > moves);
  moves = s.space.moves;
  assert_int_equal(onri_workspace_block(&s.space, 2, 80, NULL), ONR_STATUS_OK);
  assert_int_equal(onri_workspace_block(&s.space, 0, 0, NULL), ONR_STATUS_OK);
  assert_int_equal(s.space.moves, moves);
  assert_int_equal(onri_workspace_slot(&s.space, s.y, 8, 0, NULL), ONR_STATUS_OK);
  assert_true(s.space.moves > moves);
  memcpy(s.space.slots[s.y].data, "12345678", 8);
  moves = s.space.moves;
  assert_int_equal(onri_workspace_slot(&s.space, s.y, 8, 0, NULL), ONR_STATUS_OK);
  assert_int_equal(s.space.moves, moves);
  assert_int_equal(onri_workspace_slot(&s.space, s.y, 5000, 8, NULL), ONR_STATUS_OK);
  assert_memory_equal(s.space.slots[s.y].data, "12345678", 8);
  finish_space(&s);
}

static void what_a_layer_keeps_is_made_once(void **state) {
  struct small_space s;
  void *kept, *again;
  (void)state;
  begin(&s);
  assert_int_equal(onri_workspace_kept(&s.space, &s.r.b.graph->nodes[0], &kept, NULL), ONR_STATUS_OK);
  assert_memory_equal(kept, "\0\0\0\0\0\0\0\0", 8);
  assert_int_equal(onri_workspace_kept(&s.space, &s.r.b.graph->nodes[0], &again, NULL), ONR_STATUS_OK);
  assert_ptr_equal(kept, again);
  assert_int_equal(onri_workspace_kept(&s.space, &s.r.b.graph->nodes[1], &kept, NULL), ONR_STATUS_OK);
  assert_null(kept); /* it keeps nothing */
  finish_space(&s);
}

static void trimming_spares_what_results_lie_in(void **state) {
  struct small_space s;
  (void)state;
  begin(&s);
  for (size_t b = 0; b < 2; b++) assert_int_equal(onri_workspace_block(&s.space, b, 1000, NULL), ONR_STATUS_OK);
  assert_int_equal(onri_workspace_slot(&s.space, s.y, 1000, 0, NULL), ONR_STATUS_OK);
  assert_int_equal(onri_workspace_slot(&s.space, s.z, 1000, 0, NULL), ONR_STATUS_OK);
  const struct onr_tensor results[] = {{.data = s.space.blocks[1].data + 999}, {.data = s.space.slots[s.y].data}, {0}};
  const uint64_t moves = s.space.moves;
  onri_workspace_trim(&s.space, results, 3);
  assert_null(s.space.blocks[0].data);
  assert_non_null(s.space.blocks[1].data);
  assert_non_null(s.space.slots[s.y].data);
  assert_null(s.space.slots[s.z].data);
  assert_true(s.space.moves > moves);
  onri_workspace_trim(&s.space, NULL, 0);
  assert_true(!s.space.blocks[1].data && !s.space.slots[s.y].data);
  finish_space(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(uses_are_known),
      cmocka_unit_test(memory_runs_out_at_the_start),
      cmocka_unit_test(buffers_grow_with_room_to_spare),
      cmocka_unit_test(a_failure_keeps_what_was_kept),
      cmocka_unit_test(growing_moves_and_staying_does_not),
      cmocka_unit_test(what_a_layer_keeps_is_made_once),
      cmocka_unit_test(trimming_spares_what_results_lie_in),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
