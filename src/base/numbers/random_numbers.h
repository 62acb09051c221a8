/* random_numbers.h: random numbers from a seed: the Mersenne Twister MT19937, seeded and read as
 * numpy.random.RandomState does, which ONNX's reference uses. */
#ifndef ONRI_RANDOM_NUMBERS_H
#define ONRI_RANDOM_NUMBERS_H

#include <stdint.h>

enum { ONRI_RANDOM_WORDS = 624 };

struct onri_random {
  uint32_t word[ONRI_RANDOM_WORDS];
  uint32_t next; /* the word to be read next; ONRI_RANDOM_WORDS: all have been read */
  int has_spare;
  double spare; /* normal numbers come in pairs */
};

/* Seeds below 2^32 are RandomState's; the upper half of larger ones is mixed in. */
void onri_random_seed(struct onri_random *random, uint64_t seed);
uint32_t onri_random_word(struct onri_random *random);  /* 32 bits */
float onri_random_torch(struct onri_random *random);    /* in [0, 1), 24 bits: torch.rand after torch.manual_seed */
double onri_random_uniform(struct onri_random *random); /* in [0, 1), 53 bits */
double onri_random_normal(struct onri_random *random);  /* mean 0, deviation 1 */
/* 1 with the given probability, else 0; NaN counts as 0. */
int onri_random_bernoulli(struct onri_random *random, double probability);

#endif
