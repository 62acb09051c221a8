#include "base/text/letter_case.h"

#include <stddef.h>

/* Every step-th character from first to last becomes itself + difference. */
struct range {
  uint32_t first, last, step;
  int32_t difference;
};

#include "base/text/letter_case.inc"

static uint32_t change(const struct range *ranges, size_t count, uint32_t character) {
  size_t begin = 0, end = count;
  while (begin < end) {
    const size_t middle = begin + (end - begin) / 2;
    if (ranges[middle].last < character) begin = middle + 1;
    else end = middle;
  }
  if (begin == count || character < ranges[begin].first || (character - ranges[begin].first) % ranges[begin].step != 0)
    return character;
  return character + (uint32_t)ranges[begin].difference;
}

uint32_t onri_lower(uint32_t c) {
  if (c < 128) return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
  return change(lower, sizeof lower / sizeof *lower, c);
}

uint32_t onri_upper(uint32_t c) {
  if (c < 128) return c >= 'a' && c <= 'z' ? c - ('a' - 'A') : c;
  return change(upper, sizeof upper / sizeof *upper, c);
}
