"""Cases of CosineSimilarity and PairwiseDistance."""
import math

from torch import nn


def cases(case):
    case("cosine", nn.CosineSimilarity(), (3, 4), (3, 4))
    case("cosine_dim", nn.CosineSimilarity(-2, eps=2.0), (2, 4, 3), (2, 4, 3))
    case("cosine_broadcast", nn.CosineSimilarity(1), (2, 4, 3), (1, 4, 3))
    case("pairwise", nn.PairwiseDistance(), (3, 4), (3, 4))
    case("pairwise_1", nn.PairwiseDistance(1.0, eps=0.5, keepdim=True), (3, 4), (3, 4))
    case("pairwise_3", nn.PairwiseDistance(3.0), (2, 3, 4), (2, 3, 4))
    case("pairwise_half", nn.PairwiseDistance(0.5, keepdim=True), (2, 4), (1, 4))
    case("pairwise_infinite", nn.PairwiseDistance(math.inf), (3, 4), (3, 4))
    case("pairwise_0", nn.PairwiseDistance(0.0), (3, 4), (3, 4))
    case("pairwise_vectors", nn.PairwiseDistance(), (5,), (5,))
