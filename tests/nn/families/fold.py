"""Cases of Unfold and Fold."""
from torch import nn


def cases(case):
    for name, module, shape in (
        ("unfold", nn.Unfold(2), (2, 3, 4, 5)),
        ("unfold_oblong", nn.Unfold((3, 2), (1, 2), (2, 1), (2, 1)), (2, 3, 5, 6)),
        ("unfold_pixels", nn.Unfold(1, stride=2), (1, 4, 5, 4)),
        ("unfold_unbatched", nn.Unfold(3, padding=1), (2, 3, 4)),
        ("fold", nn.Fold((4, 6), 2, stride=2), (2, 12, 6)),
        ("fold_overlap", nn.Fold((4, 5), (2, 3)), (2, 12, 9)),
        ("fold_oblong", nn.Fold((5, 6), (3, 2), (1, 2), (2, 1), (2, 1)), (1, 12, 24)),
        ("fold_unbatched", nn.Fold(4, 3, padding=1), (18, 16)),
    ):
        case(name, module, shape)
