#include "base/numbers/random_numbers.h"

#include <math.h>

enum { MIDDLE = 397 };

void onri_random_seed(struct onri_random *random, uint64_t seed) {
  uint32_t word = (uint32_t)(seed ^ seed >> 32);
  for (uint32_t i = 0; i < ONRI_RANDOM_WORDS; i++) {
    random->word[i] = word;
    word = 1812433253u * (word ^ word >> 30) + i + 1;
  }
  random->next = ONRI_RANDOM_WORDS;
  random->has_spare = 0;
}

static void twist(struct onri_random *random) {
  uint32_t *word = random->word;
  for (uint32_t i = 0; i < ONRI_RANDOM_WORDS; i++) {
    const uint32_t joined = (word[i] & 0x80000000u) | (word[(i + 1) % ONRI_RANDOM_WORDS] & 0x7FFFFFFFu);
    word[i] = word[(i + MIDDLE) % ONRI_RANDOM_WORDS] ^ joined >> 1 ^ (joined & 1 ? 0x9908B0DFu : 0);
  }
  random->next = 0;
}

uint32_t onri_random_word(struct onri_random *random) {
  if (random->next == ONRI_RANDOM_WORDS) twist(random);
  uint32_t y = random->word[random->next++];
  y ^= y >> 11;
  y ^= y << 7 & 0x9D2C5680u;
  y ^= y << 15 & 0xEFC60000u;
  return y ^ y >> 18;
}

float onri_random_torch(struct onri_random *random) { return (float)(onri_random_word(random) & 0xFFFFFF) * 0x1p-24f; }

double onri_random_uniform(struct onri_random *random) {
  const uint32_t high = onri_random_word(random) >> 5, low = onri_random_word(random) >> 6;
  return (high * 67108864.0 + low) / 9007199254740992.0;
}

/* Marsaglia's polar method. */
double onri_random_normal(struct onri_random *random) {
  double x, y, square;
  if (random->has_spare) {
    random->has_spare = 0;
    return random->spare;
  }
  do {
    x = 2 * onri_random_uniform(random) - 1;
    y = 2 * onri_random_uniform(random) - 1;
    square = x * x + y * y;
  } while (square >= 1 || square == 0);
  const double scale = sqrt(-2 * log(square) / square);
  random->spare = scale * x;
  random->has_spare = 1;
  return scale * y;
}

/* As RandomState.binomial(1, p): the likelier outcome has the lower numbers. */
int onri_random_bernoulli(struct onri_random *random, double probability) {
  const double u = onri_random_uniform(random);
  return probability > 0.5 ? u <= probability : u > 1 - probability;
}
