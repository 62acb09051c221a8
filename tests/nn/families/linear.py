"""Cases of Linear, Bilinear, Identity, Flatten, Unflatten."""
from torch import nn


def cases(case):
    case("linear", nn.Linear(4, 6), (3, 4))
    case("linear_no_bias", nn.Linear(4, 3, bias=False), (2, 3, 4))
    case("linear_vector", nn.Linear(5, 2), (5,))
    case("bilinear", nn.Bilinear(4, 3, 5), (2, 4), (2, 3))
    case("bilinear_no_bias", nn.Bilinear(2, 5, 3, bias=False), (2, 3, 2), (2, 3, 5))
    case("bilinear_vector", nn.Bilinear(3, 4, 2), (3,), (4,))
    case("identity", nn.Identity(), (2, 3))
    case("flatten", nn.Flatten(), (2, 3, 2, 2))
    case("flatten_all", nn.Flatten(0), (2, 3, 2))
    case("flatten_middle", nn.Flatten(1, 2), (2, 3, 2, 2))
    case("flatten_from_end", nn.Flatten(-3, -2), (2, 3, 2, 2))
    case("flatten_one", nn.Flatten(1, 1), (2, 3, 2))
    case("unflatten", nn.Unflatten(1, (2, 3)), (2, 6))
    case("unflatten_rest", nn.Unflatten(-2, (2, -1, 1)), (2, 6, 2))
