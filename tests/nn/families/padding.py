"""Cases of the padding layers: one, two and three dimensions, batched and not, with crops."""
from torch import nn

NUMBERS = {1: (2, 1), 2: (1, 2, 0, 1), 3: (1, 0, 2, 1, 1, 1)}
CROPS = {1: (-1, 2), 2: (1, -2, -1, 1), 3: (-1, 1, 1, 0, 0, -1)}


def cases(case):
    for spatial, shape in ((1, (2, 3, 5)), (2, (2, 3, 4, 5)), (3, (1, 2, 3, 4, 3))):
        for name in "zero", "replication", "reflection", "circular":
            layer = getattr(nn, "%sPad%dd" % (name.capitalize(), spatial))
            case("%s_pad%dd" % (name, spatial), layer(NUMBERS[spatial]), shape)
            case("%s_pad%dd_alone" % (name, spatial), layer(NUMBERS[spatial]), shape[1:])
            case("%s_pad%dd_crop" % (name, spatial), layer(CROPS[spatial]), shape)
        constant = getattr(nn, "ConstantPad%dd" % spatial)
        case("constant_pad%dd" % spatial, constant(NUMBERS[spatial], 3.5), shape)
        case("constant_pad%dd_alone" % spatial, constant(CROPS[spatial], -0.5), shape[1:])
    case("circular_whole", nn.CircularPad2d((4, 4, 3, 0)), (2, 2, 3, 4))
    case("reflection_beyond_crop", nn.ReflectionPad1d((3, -2)), (2, 3, 4))
    case("replication_of_nothing", nn.ReplicationPad2d((2, -4, 0, 1)), (2, 3, 3, 4))
