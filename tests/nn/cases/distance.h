/* Written by make_nn_cases.py. */
static const float cosine_0[] = {
  0.989392f, 0.989522f, 0.988973f,
};
static const float cosine_dim_0[] = {
  0.994827f, 0.991951f, 0.994304f, 0.991535f, 0.950342f, 0.995127f,
};
static const float cosine_broadcast_0[] = {
  0.994827f, 0.991951f, 0.994304f, -0.509691f, -0.752725f, -0.390788f,
};
static const float pairwise_0[] = {
  0.557445f, 0.557445f, 0.557445f,
};
static const float pairwise_1_0[] = {
  3.11489f, 3.11489f, 3.11488f,
};
static const float pairwise_3_0[] = {
  0.442444f, 0.442444f, 0.442444f, 0.442444f, 0.442444f, 0.442444f,
};
static const float pairwise_half_0[] = {
  4.45956f, 29.312f,
};
static const float pairwise_infinite_0[] = {
  0.278722f, 0.278722f, 0.278722f,
};
static const float pairwise_0_0[] = {
  4, 4, 4,
};
static const float pairwise_vectors_0[] = {
  0.623242f,
};
static const struct nn_case cases[] = {
    {"cosine", 2, 1, {{2, {3, 4}, NULL}, {2, {3, 4}, NULL}}, {{1, {3}, cosine_0}}, 0},
    {"cosine_dim", 2, 1, {{3, {2, 4, 3}, NULL}, {3, {2, 4, 3}, NULL}}, {{2, {2, 3}, cosine_dim_0}}, 0},
    {"cosine_broadcast", 2, 1, {{3, {2, 4, 3}, NULL}, {3, {1, 4, 3}, NULL}}, {{2, {2, 3}, cosine_broadcast_0}}, 0},
    {"pairwise", 2, 1, {{2, {3, 4}, NULL}, {2, {3, 4}, NULL}}, {{1, {3}, pairwise_0}}, 0},
    {"pairwise_1", 2, 1, {{2, {3, 4}, NULL}, {2, {3, 4}, NULL}}, {{2, {3, 1}, pairwise_1_0}}, 0},
    {"pairwise_3", 2, 1, {{3, {2, 3, 4}, NULL}, {3, {2, 3, 4}, NULL}}, {{2, {2, 3}, pairwise_3_0}}, 0},
    {"pairwise_half", 2, 1, {{2, {2, 4}, NULL}, {2, {1, 4}, NULL}}, {{2, {2, 1}, pairwise_half_0}}, 0},
    {"pairwise_infinite", 2, 1, {{2, {3, 4}, NULL}, {2, {3, 4}, NULL}}, {{1, {3}, pairwise_infinite_0}}, 0},
    {"pairwise_0", 2, 1, {{2, {3, 4}, NULL}, {2, {3, 4}, NULL}}, {{1, {3}, pairwise_0_0}}, 0},
    {"pairwise_vectors", 2, 1, {{1, {5}, NULL}, {1, {5}, NULL}}, {{0, {}, pairwise_vectors_0}}, 0},
};
