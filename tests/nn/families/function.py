"""Cases of the functions between modules."""
import torch


def cases(case):
    for name in "add", "sub", "mul", "div":
        case(name, getattr(torch, name), (2, 3, 4), (2, 3, 4))
        case(name + "_broadcast", getattr(torch, name), (2, 1, 4), (3, 1))
    case("matmul", torch.matmul, (2, 3, 4), (4, 5))
    case("matmul_batch", torch.matmul, (2, 1, 3, 4), (3, 4, 2))
    case("matmul_vector", torch.matmul, (2, 3, 4), (4,))
    for name, function in ("mean", torch.mean), ("sum", torch.sum), ("amax", torch.amax):
        case(name, lambda x, f=function: f(x, 1), (2, 3, 4))
        case(name + "_keepdim", lambda x, f=function: f(x, -1, keepdim=True), (2, 3, 4))
    case("cat", lambda a, b: torch.cat((a, b), 1), (2, 3, 2), (2, 1, 2))
    case("cat_last", lambda a, b: torch.cat((a, b, a), -1), (2, 3), (2, 2))
    case("cat_one", lambda x: torch.cat((x,), 0), (2, 3))
    case("slice_middle", lambda x: x[:, 1:3], (2, 5, 2))
    case("slice_end", lambda x: x[..., -2:], (2, 3, 4))
    case("slice_beyond", lambda x: x[1:9], (3, 2))
    case("select", lambda x: x.select(1, 1), (2, 3, 4))
    case("select_last", lambda x: x[..., -1], (2, 3, 4))
    case("reshape", lambda x: x.reshape(2, -1, 2), (2, 3, 4))
    case("reshape_kept", lambda x: x.reshape(2, 3, 2, 2), (2, 3, 4))
    case("permute", lambda x: x.permute(2, 0, 1), (2, 3, 4))
    case("permute_last", lambda x: x.permute(0, -1, 2, 1), (2, 3, 4, 2))
    case("squeeze", lambda x: x.squeeze(-2), (2, 1, 3))
    case("unsqueeze", lambda x: x.unsqueeze(-1), (2, 3))
