/* normalize_type.h: the loops for one class; included by normalize.c with T, its DTYPE and NAME(x) defined. */
/* A block as T: in place when the tensor has it so, else converted into buffer. */
static const T *NAME(read)(const struct onri_normalize *n, size_t at, size_t count, T *buffer) {
  if (onr_dtype_size(n->dtype) == sizeof(T)) return (const T *)n->x + at;
  onri_widen(n->dtype, (const char *)n->x + at * onr_dtype_size(n->dtype), count, buffer);
  return buffer;
}

static void NAME(write)(const struct onri_normalize *n, size_t at, size_t count, const T *values) {
  const struct onri_cast cast = {.from = DTYPE, .to = n->y_dtype, .saturate = 1};
  char *y = (char *)n->y + at * onr_dtype_size(n->y_dtype);
  if (onri_dtype_class(n->y_dtype) == onri_dtype_class(DTYPE)) onri_narrow(n->y_dtype, values, count, y);
  else onri_convert_elements(&cast, values, y, count);
}

static double NAME(sum_slice)(const struct onri_normalize *n, size_t start, double mean, enum onri_take what) {
  T buffer[BLOCK];
  double sum = 0.0;
  const int is_one = n->rows.rank == 1 && n->rows.stride[0] == n->run; /* the rows are one behind the other */
  const size_t run = is_one ? n->rows.count * n->run : n->run;
  struct onri_pace pace = {n->env, 0};
  for (size_t r = 0; r < (is_one ? 1 : n->rows.count); r++) {
    const size_t at = start + onri_dims_offset(&n->rows, r);
    for (size_t i = 0; i < run && !onri_pace_stop(&pace, 2 * BLOCK); i += BLOCK) {
      const size_t count = run - i < BLOCK ? run - i : BLOCK;
      sum += NAME(sum)(NAME(read)(n, at + i, count, buffer), count, mean, what);
    }
  }
  return sum;
}

static void NAME(write_slice)(const struct onri_normalize *n, size_t slice, size_t start, double mean, double factor) {
  T in[BLOCK], out[BLOCK];
  const int native = n->y_dtype == DTYPE;
  const size_t first = n->scale_slices == 0 ? 0 : slice % n->scale_slices * n->scale_step;
  const T *scale = !n->scale ? NULL : (const T *)n->scale + first;
  const T *bias = !n->bias ? NULL : (const T *)n->bias + first;
  const size_t step = n->index == ONRI_INDEX_RUN ? 1 : 0;
  struct onri_pace pace = {n->env, 0};
  for (size_t r = 0; r < n->rows.count; r++) {
    const size_t at = start + onri_dims_offset(&n->rows, r);
    for (size_t i = 0; i < n->run && !onri_pace_stop(&pace, 2 * BLOCK); i += BLOCK) {
      const size_t count = n->run - i < BLOCK ? n->run - i : BLOCK, entry = step                         ? i
                                                                            : n->index == ONRI_INDEX_ROW ? r
                                                                                                         : 0;
      T *y = native ? (T *)n->y + at + i : out;
      NAME(apply)
      (NAME(read)(n, at + i, count, in), y, count, (T)mean, (T)factor, !scale ? NULL : scale + entry,
       bias == NULL ? NULL : bias + entry, step);
      if (!native) NAME(write)(n, at + i, count, out);
    }
  }
}

/* Rows that are read as they lie, and written so: the others go one by one. */
static size_t NAME(rows_at_once)(const struct onri_normalize *n, int writes) {
  return n->dtype == DTYPE && (!writes || n->y_dtype == DTYPE) ? ROWS : 1;
}

/* Sums of x - mean and the like of columns [width], spread over those of a slice. */
static void NAME(sum_columns)(const struct onri_normalize *n, size_t start, size_t slices, const double *mean,
                              enum onri_take what, double *sum) {
  T buffer[COLUMNS];
  struct onri_pace pace = {n->env, 0};
  const size_t most = NAME(rows_at_once)(n, 0), step = n->rows.stride[0], width = slices * n->run;
  for (size_t r = 0, rows; r < n->rows.count && !onri_pace_stop(&pace, 2 * COLUMNS * most); r += rows) {
    rows = n->rows.count - r < most ? n->rows.count - r : most;
    NAME(add_rows)(NAME(read)(n, start + r * step, width, buffer), width, rows, step, mean, what, sum);
  }
  spread_sum(n, sum, slices);
}

/* `count` slices side by side from element `start` on, the first of which is number `slice`: columns [count * run]. */
static void NAME(columns)(const struct onri_normalize *n, size_t slice, size_t start, size_t count) {
  const size_t width = count * n->run;
  const double elements = (double)n->rows.count * (double)n->run;
  const enum onri_take what = n->kind == ONRI_NORMALIZE_L1 ? ONRI_TAKE_ABS : ONRI_TAKE_SQUARE;
  double mean[COLUMNS] = {0}, square[COLUMNS] = {0}, none[COLUMNS] = {0};
  T buffer[COLUMNS], centre[COLUMNS], factor[COLUMNS], shift[COLUMNS] = {0};
  struct onri_pace pace = {n->env, 0};
  if (onri_normalize_centres(n->kind)) NAME(sum_columns)(n, start, count, none, ONRI_TAKE_SUM, mean);
  for (size_t j = 0; j < width; j++) mean[j] /= elements;
  NAME(sum_columns)(n, start, count, mean, what, square);
  for (size_t j = 0; j < width; j++) {
    const size_t part = slice + j / n->run, run = n->index == ONRI_INDEX_RUN ? j % n->run : 0;
    const size_t entry = (n->scale_slices == 0 ? 0 : part % n->scale_slices * n->scale_step) + run;
    const double inverse = onri_normalize_factor(n->kind, square[j], elements, n->epsilon);
    if (n->mean && j % n->run == 0) n->mean[part] = (float)mean[j];
    if (n->inverse && j % n->run == 0) n->inverse[part] = (float)inverse;
    centre[j] = (T)mean[j];
    factor[j] = (T)inverse;
    if (n->scale) factor[j] *= ((const T *)n->scale)[entry];
    if (n->bias) shift[j] = ((const T *)n->bias)[entry];
  }
  const size_t most = NAME(rows_at_once)(n, 1), step = n->rows.stride[0];
  for (size_t r = 0, rows; n->y && r < n->rows.count && !onri_pace_stop(&pace, 2 * COLUMNS * most); r += rows) {
    const size_t at = start + r * step;
    T out[COLUMNS];
    rows = n->rows.count - r < most ? n->rows.count - r : most;
    NAME(apply_rows)
    (NAME(read)(n, at, width, buffer), most > 1 ? (T *)n->y + at : out, width, rows, step, centre, factor, shift);
    if (most == 1) NAME(write)(n, at, width, out);
  }
}
