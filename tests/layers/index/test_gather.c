/* gather, gather_elements, gather_nd against index loops; indices out of range. */
#include <stdlib.h>

#include "layers/layers.h"
#include "support/index_loop.h"

enum { CAPACITY = 1 << 16 };

/* Indices in [-limit, limit) from a small generator, as int64 and as int32. */
static void fill_indices(int64_t *wide, int32_t *narrow, size_t count, int64_t limit, uint32_t seed) {
  uint32_t state = seed * 2654435761u + 1;
  for (size_t i = 0; i < count; i++) {
    state = state * 1664525u + 1013904223u;
    wide[i] = (int64_t)(state >> 8) % (2 * limit) - limit;
    narrow[i] = (int32_t)wide[i];
  }
}

static int64_t wrapped(int64_t index, int64_t limit) { return index < 0 ? index + limit : index; }

struct fixture {
  struct layer_test t;
  unsigned char *x;
  int64_t *indices;
  size_t size;
};

static void start(struct fixture *f, const struct onr_layer *layer, const void *params, enum onr_dtype dtype,
                  int32_t rank, const int64_t *dims, int32_t index_rank, const int64_t *index_dims, int64_t limit,
                  int wide) {
  static int32_t narrow[CAPACITY];
  static int64_t indices[CAPACITY];
  const size_t count = count_of(rank, dims), num = count_of(index_rank, index_dims);
  f->size = onr_dtype_size(dtype);
  f->x = malloc(count * f->size + 1);
  f->indices = indices;
  f->t = (struct layer_test){.layer = layer, .params = params, .num_out = 1, .threads = wide ? 1 : 3};
  fill_distinct(f->x, count, f->size);
  fill_indices(indices, narrow, num, limit, (uint32_t)(num + count));
  layer_test_input(&f->t, dtype, rank, dims, f->x);
  layer_test_input(&f->t, wide ? ONR_DTYPE_I64 : ONR_DTYPE_I32, index_rank, index_dims,
                   wide ? (void *)indices : (void *)narrow);
  run_ok(&f->t);
}

static void finish(struct fixture *f) {
  layer_test_clear(&f->t);
  free(f->x);
}

static void check_element(const struct fixture *f, size_t to, size_t from) {
  assert_memory_equal((char *)f->t.out[0].data + to * f->size, f->x + from * f->size, f->size);
}

static void gathers(void **state) {
  static const int64_t dims[4] = {5, 3, 7, 2}, index_shapes[][2] = {{1, 1}, {4, 1}, {2, 3}, {0, 2}};
  (void)state;
  for (size_t i = 0; i < NUM_SIZED_DTYPES; i++)
    for (int32_t rank = 1; rank <= 4; rank++)
      for (int32_t axis = -rank; axis < rank; axis++)
        for (int32_t n = 0; n < 8; n++) {
          const int32_t at = axis < 0 ? axis + rank : axis, index_rank = n % 3;
          const int64_t *index_dims = index_shapes[n / 2];
          const struct onr_gather_params params = {axis};
          int64_t out[ONR_MAX_RANK], to[ONR_MAX_RANK] = {0}, from[ONR_MAX_RANK];
          struct fixture f;
          start(&f, &onri_layer_gather, &params, sized_dtypes[i], rank, dims, index_rank, index_dims, dims[at], n & 1);
          int32_t r = 0;
          for (int32_t d = 0; d < at; d++) out[r++] = dims[d];
          for (int32_t d = 0; d < index_rank; d++) out[r++] = index_dims[d];
          for (int32_t d = at + 1; d < rank; d++) out[r++] = dims[d];
          const struct onr_desc desc = onr_desc_make(sized_dtypes[i], r, out);
          assert_true(onr_desc_equal(&desc, &f.t.out[0].desc));
          if (count_of(r, out) > 0) do {
              const size_t index = flat_index(to + at, index_rank, index_dims);
              for (int32_t d = 0; d < rank; d++)
                from[d] = d < at ? to[d] : d == at ? wrapped(f.indices[index], dims[at]) : to[d - 1 + index_rank];
              check_element(&f, flat_index(to, r, out), flat_index(from, rank, dims));
            } while (next_index(to, r, out));
          finish(&f);
        }
}

static void one_known_index_is_a_view(void **state) {
  static const struct onr_gather_params params = {1};
  const float x[24] = {0};
  (void)state;
  struct layer_test t = {.layer = &onri_layer_gather, .params = &params, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_F32, 3, DIMS(1, 6, 4), x);
  layer_test_constant(&t, ONR_DTYPE_I64, 0, NULL, DIMS(-2));
  run_ok(&t);
  assert_int_equal(t.view[0].of, 0);
  assert_int_equal(t.view[0].offset, 4 * 4 * sizeof(float));
  layer_test_clear(&t);
}

static void gathers_elements(void **state) {
  static const int64_t dims[4] = {5, 3, 7, 2};
  (void)state;
  for (size_t i = 0; i < NUM_SIZED_DTYPES; i++)
    for (int32_t rank = 1; rank <= 4; rank++)
      for (int32_t axis = -rank; axis < rank; axis++) {
        const int32_t at = axis < 0 ? axis + rank : axis;
        const struct onr_gather_params params = {axis};
        int64_t out[4], to[4] = {0}, from[4];
        struct fixture f;
        for (int32_t d = 0; d < rank; d++) out[d] = d == at ? 9 : dims[d] - (d & 1);
        start(&f, &onri_layer_gather_elements, &params, sized_dtypes[i], rank, dims, rank, out, dims[at], axis & 1);
        const struct onr_desc desc = onr_desc_make(sized_dtypes[i], rank, out);
        assert_true(onr_desc_equal(&desc, &f.t.out[0].desc));
        do {
          memcpy(from, to, sizeof(from));
          from[at] = wrapped(f.indices[flat_index(to, rank, out)], dims[at]);
          check_element(&f, flat_index(to, rank, out), flat_index(from, rank, dims));
        } while (next_index(to, rank, out));
        finish(&f);
      }
}

static void gathers_nd(void **state) {
  static const int64_t dims[4] = {3, 3, 3, 2};
  (void)state;
  for (size_t i = 0; i < NUM_SIZED_DTYPES; i++)
    for (int32_t batch = 0; batch < 3; batch++)
      for (int32_t depth = 1; depth <= 4 - batch; depth++)
        for (int32_t rank = batch + 1; rank <= batch + 2; rank++) {
          const struct onr_gather_nd_params params = {batch};
          int64_t index_dims[4] = {3, 3, 3, 3}, out[ONR_MAX_RANK], to[ONR_MAX_RANK] = {0}, from[4];
          struct fixture f;
          index_dims[rank - 1] = depth;
          /* Indices of the last dimension must stay below 2: all do. */
          start(&f, &onri_layer_gather_nd, &params, sized_dtypes[i], 4, dims, rank, index_dims, 2, depth & 1);
          int32_t r = 0;
          for (int32_t d = 0; d < rank - 1; d++) out[r++] = index_dims[d];
          for (int32_t d = batch + depth; d < 4; d++) out[r++] = dims[d];
          const struct onr_desc desc = onr_desc_make(sized_dtypes[i], r, out);
          assert_true(onr_desc_equal(&desc, &f.t.out[0].desc));
          do {
            const size_t row = flat_index(to, rank - 1, index_dims) * (size_t)depth;
            for (int32_t d = 0; d < 4; d++)
              from[d] = d < batch           ? to[d]
                        : d < batch + depth ? wrapped(f.indices[row + (size_t)(d - batch)], dims[d])
                                            : to[d - batch - depth + rank - 1];
            check_element(&f, flat_index(to, r, out), flat_index(from, 4, dims));
          } while (next_index(to, r, out));
          finish(&f);
        }
}

static enum onr_status status_of(const struct onr_layer *layer, const void *params, int32_t rank, const int64_t *dims,
                                 enum onr_dtype dtype, int32_t index_rank, const int64_t *index_dims,
                                 const void *indices) {
  const float x[64] = {0};
  struct layer_test t = {.layer = layer, .params = params, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_F32, rank, dims, x);
  layer_test_input(&t, dtype, index_rank, index_dims, indices);
  const enum onr_status status = layer_test_run(&t);
  layer_test_clear(&t);
  return status;
}

static void wrong_arguments(void **state) {
  static const struct onr_gather_params first = {0}, seventh = {7};
  static const struct onr_gather_nd_params none = {0}, one = {1}, many = {2}, negative = {-1};
  const struct onr_layer *g = &onri_layer_gather, *e = &onri_layer_gather_elements, *n = &onri_layer_gather_nd;
  (void)state;
  for (int64_t index = 4; index < INT64_MAX / 3; index *= 3) {
    assert_int_equal(status_of(g, &first, 2, DIMS(4, 2), ONR_DTYPE_I64, 1, DIMS(2), DIMS(0, index)), ONR_STATUS_INDEX);
    assert_int_equal(status_of(g, &first, 2, DIMS(4, 2), ONR_DTYPE_I64, 1, DIMS(2), DIMS(0, -index - 1)),
                     ONR_STATUS_INDEX);
    assert_int_equal(status_of(e, &first, 1, DIMS(4), ONR_DTYPE_I64, 1, DIMS(2), DIMS(0, -index - 1)),
                     ONR_STATUS_INDEX);
    assert_int_equal(status_of(n, &none, 2, DIMS(9, 4), ONR_DTYPE_I64, 2, DIMS(1, 2), DIMS(0, index)),
                     ONR_STATUS_INDEX);
  }
  assert_int_equal(status_of(g, &first, 2, DIMS(0, 2), ONR_DTYPE_I64, 1, DIMS(1), DIMS(0)), ONR_STATUS_INDEX);
  assert_int_equal(status_of(g, &first, 2, DIMS(4, 2), ONR_DTYPE_I64, 1, DIMS(1), DIMS(INT64_MIN)), ONR_STATUS_INDEX);
  assert_int_equal(status_of(g, &seventh, 2, DIMS(4, 2), ONR_DTYPE_I64, 1, DIMS(1), DIMS(0)), ONR_STATUS_ATTRIBUTE);
  assert_int_equal(status_of(g, &first, 0, NULL, ONR_DTYPE_I64, 1, DIMS(1), DIMS(0)), ONR_STATUS_SHAPE);
  assert_int_equal(status_of(g, &first, 2, DIMS(4, 2), ONR_DTYPE_F32, 1, DIMS(1), DIMS(0)), ONR_STATUS_TYPE);
  assert_int_equal(status_of(g, &first, 5, DIMS(1, 1, 1, 1, 1), ONR_DTYPE_I64, 5, DIMS(1, 1, 1, 1, 1), DIMS(0)),
                   ONR_STATUS_LIMIT);
  assert_int_equal(status_of(e, &first, 2, DIMS(4, 2), ONR_DTYPE_I64, 1, DIMS(1), DIMS(0)), ONR_STATUS_SHAPE);
  assert_int_equal(status_of(e, &first, 2, DIMS(4, 2), ONR_DTYPE_I64, 2, DIMS(1, 3), DIMS(0, 0, 0)), ONR_STATUS_SHAPE);
  assert_int_equal(status_of(n, &one, 2, DIMS(3, 2), ONR_DTYPE_I64, 2, DIMS(2, 1), DIMS(0, 0)), ONR_STATUS_SHAPE);
  assert_int_equal(status_of(n, &many, 2, DIMS(3, 2), ONR_DTYPE_I64, 2, DIMS(3, 1), DIMS(0, 0, 0)),
                   ONR_STATUS_ATTRIBUTE);
  assert_int_equal(status_of(n, &negative, 2, DIMS(3, 2), ONR_DTYPE_I64, 2, DIMS(3, 1), DIMS(0, 0, 0)),
                   ONR_STATUS_ATTRIBUTE);
  assert_int_equal(status_of(n, &none, 2, DIMS(3, 2), ONR_DTYPE_I64, 1, DIMS(3), DIMS(0, 0, 0)), ONR_STATUS_SHAPE);
  assert_int_equal(status_of(n, &none, 2, DIMS(3, 2), ONR_DTYPE_I64, 2, DIMS(3, 0), DIMS(0)), ONR_STATUS_SHAPE);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(gathers), cmocka_unit_test(one_known_index_is_a_view),
                                     cmocka_unit_test(gathers_elements), cmocka_unit_test(gathers_nd),
                                     cmocka_unit_test(wrong_arguments)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
