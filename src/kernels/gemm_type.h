/* gemm_type.h: the body of the product for one element type; included by gemm.c with T (element) and NAME(x) defined. */

/* A slice of B, [depth][ONRI_NR], zeros behind the last column: the inner loop then has no edge. */
static void NAME(pack)(const T *b, size_t b_row, size_t b_col, size_t depth, size_t columns, T *packed) {
  for (size_t p = 0; p < depth; p++) {
    const T *row = b + p * b_row;
    T *out = packed + p * ONRI_NR;
    size_t j = 0;
    if (b_col == 1)
      for (; j < columns; j++) out[j] = row[j];
    else
      for (; j < columns; j++) out[j] = row[j * b_col];
    for (; j < ONRI_NR; j++) out[j] = 0;
  }
}

/* sums[ONRI_MR][ONRI_NR] += A slice x packed slice; four rows at once to reuse each load of B. */
static void NAME(tile4)(const T *restrict a, size_t a_row, size_t a_col, const T *restrict packed, size_t depth,
                        T *restrict sums) {
  T s0[ONRI_NR], s1[ONRI_NR], s2[ONRI_NR], s3[ONRI_NR];
  for (size_t j = 0; j < ONRI_NR; j++) s0[j] = s1[j] = s2[j] = s3[j] = 0;
  for (size_t p = 0; p < depth; p++) {
    const T *x = a + p * a_col, *y = packed + p * ONRI_NR;
    const T x0 = x[0], x1 = x[a_row], x2 = x[2 * a_row], x3 = x[3 * a_row];
    for (size_t j = 0; j < ONRI_NR; j++) {
      s0[j] += x0 * y[j];
      s1[j] += x1 * y[j];
      s2[j] += x2 * y[j];
      s3[j] += x3 * y[j];
    }
  }
  for (size_t j = 0; j < ONRI_NR; j++) {
    sums[j] = s0[j];
    sums[ONRI_NR + j] = s1[j];
    sums[2 * ONRI_NR + j] = s2[j];
    sums[3 * ONRI_NR + j] = s3[j];
  }
}

static void NAME(tile1)(const T *restrict a, size_t a_col, const T *restrict packed, size_t depth, T *restrict sums) {
  T s[ONRI_NR];
  for (size_t j = 0; j < ONRI_NR; j++) s[j] = 0;
  for (size_t p = 0; p < depth; p++) {
    const T x = a[p * a_col];
    for (size_t j = 0; j < ONRI_NR; j++) s[j] += x * packed[p * ONRI_NR + j];
  }
  for (size_t j = 0; j < ONRI_NR; j++) sums[j] = s[j];
}

static void NAME(slice)(const struct onri_gemm *g, size_t from, size_t depth, size_t column, size_t columns) {
  T packed[ONRI_KC * ONRI_NR], sums[ONRI_MR * ONRI_NR];
  const T *a = (const T *)g->a + from * g->a_col;
  NAME(pack)((const T *)g->b + from * g->b_row + column * g->b_col, g->b_row, g->b_col, depth, columns, packed);
  for (size_t i = 0; i < g->m;) {
    const size_t rows = g->m - i >= ONRI_MR ? ONRI_MR : 1;
    if (rows == ONRI_MR)
      NAME(tile4)(a + i * g->a_row, g->a_row, g->a_col, packed, depth, sums);
    else
      NAME(tile1)(a + i * g->a_row, g->a_col, packed, depth, sums);
    for (size_t r = 0; r < rows; r++) {
      T *c = (T *)g->c + (i + r) * g->c_row + column;
      const T *sum = sums + r * ONRI_NR;
      if (from == 0)
        for (size_t j = 0; j < columns; j++) c[j] = sum[j];
      else
        for (size_t j = 0; j < columns; j++) c[j] += sum[j];
    }
    i += rows;
  }
}

static void NAME(product)(const struct onri_gemm *g) {
  for (size_t column = 0; column < g->n; column += ONRI_NR) {
    const size_t columns = g->n - column < ONRI_NR ? g->n - column : ONRI_NR;
    size_t from = 0;
    do {
      const size_t depth = g->k - from < ONRI_KC ? g->k - from : ONRI_KC;
      NAME(slice)(g, from, depth, column, columns);
      from += depth;
    } while (from < g->k);
  }
}
