/* suggest.c: "did you mean". */
#include <string.h>

#include "tool.h"

enum { LONGEST = 64 };

static int lower(char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; }

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

/* Letters to insert, remove, replace or swap with their neighbour. */
static size_t edits(const char *a, size_t n, const char *b, size_t m) {
  size_t row[3][LONGEST + 1];
  for (size_t j = 0; j <= m; j++) row[0][j] = j;
  for (size_t i = 1; i <= n; i++) {
    size_t *now = row[i % 3], *before = row[(i + 2) % 3], *two = row[(i + 1) % 3];
    now[0] = i;
    for (size_t j = 1; j <= m; j++) {
      const int same = lower(a[i - 1]) == lower(b[j - 1]);
      now[j] = least(least(before[j], now[j - 1]) + 1, before[j - 1] + !same);
      if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]))
        now[j] = least(now[j], two[j - 2] + 1);
    }
  }
  return row[n % 3][m];
}

static int is_begin(const char *part, size_t n, const char *whole, size_t m) {
  for (size_t i = 0; i < n; i++)
    if (i >= m || lower(part[i]) != lower(whole[i])) return 0;
  return 1;
}

struct suggestion suggest_for(const char *word, size_t length) {
  return (struct suggestion){.word = word, .length = length};
}

void suggest(struct suggestion *s, const char *candidate) {
  const size_t length = strlen(candidate);
  size_t distance;
  if (!s->length || !length || s->length > LONGEST || length > LONGEST) return;
  distance = edits(s->word, s->length, candidate, length);
  if (s->length >= 3 && is_begin(s->word, s->length, candidate, length)) distance = least(distance, 2);
  if (distance > 1 && distance > (s->length + 1) / 3) return;
  if (distance >= least(s->length, length) || (s->nearest && distance >= s->distance)) return;
  s->nearest = candidate;
  s->distance = distance;
}

struct shown suggested(const struct suggestion *s) {
  struct shown result = {""};
  if (s->nearest) snprintf(result.text, sizeof(result.text), "; did you mean '%.200s'?", shown(s->nearest).text);
  return result;
}
