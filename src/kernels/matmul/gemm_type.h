/* gemm_type.h: the body of the product for one element type; included with T (element), NAME(x),
 * ONRI_MR, ONRI_NR (rows and columns of a tile that the registers hold) and ONRI_KC (depth of a packed slice) defined.
 */

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

/* sums[rows][ONRI_NR] = A slice x packed slice. `rows` is a constant in each caller, so the sums stay in registers. */
static inline __attribute__((always_inline)) void NAME(tile)(const T *restrict a, size_t a_row, size_t a_col,
                                                             const T *restrict packed, size_t depth, T *restrict sums,
                                                             const size_t rows) {
  T s[ONRI_MR][ONRI_NR];
  for (size_t r = 0; r < rows; r++)
    for (size_t j = 0; j < ONRI_NR; j++) s[r][j] = 0;
  for (size_t p = 0; p < depth; p++)
    for (size_t r = 0; r < rows; r++) {
      const T x = a[r * a_row + p * a_col];
      for (size_t j = 0; j < ONRI_NR; j++) s[r][j] += x * packed[p * ONRI_NR + j];
    }
  for (size_t r = 0; r < rows; r++)
    for (size_t j = 0; j < ONRI_NR; j++) sums[r * ONRI_NR + j] = s[r][j];
}

static void NAME(slice)(const struct onri_gemm *g, size_t from, size_t depth, size_t column, size_t columns) {
  T packed[ONRI_KC * ONRI_NR], sums[ONRI_MR * ONRI_NR];
  const T *a = (const T *)g->a + from * g->a_col;
  NAME(pack)((const T *)g->b + from * g->b_row + column * g->b_col, g->b_row, g->b_col, depth, columns, packed);
  for (size_t i = 0; i < g->m;) {
    const size_t left = g->m - i, rows = left >= ONRI_MR ? ONRI_MR : left >= 4 ? 4 : left >= 2 ? 2 : 1;
    if (rows == ONRI_MR) NAME(tile)(a + i * g->a_row, g->a_row, g->a_col, packed, depth, sums, ONRI_MR);
    else if (rows == 4) NAME(tile)(a + i * g->a_row, g->a_row, g->a_col, packed, depth, sums, 4);
    else if (rows == 2) NAME(tile)(a + i * g->a_row, g->a_row, g->a_col, packed, depth, sums, 2);
    else NAME(tile)(a + i * g->a_row, g->a_row, g->a_col, packed, depth, sums, 1);
    for (size_t r = 0; r < rows; r++) {
      T *c = (T *)g->c + (i + r) * g->c_row + column;
      const T *sum = sums + r * ONRI_NR;
      if (from == 0 && !g->accumulate)
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
