"""Cases of the normalisations."""
from torch import nn


def batch_norm(case):
    case("batch_norm1d", nn.BatchNorm1d(4), (3, 4))
    case("batch_norm1d_length", nn.BatchNorm1d(4, eps=1e-3), (2, 4, 5))
    case("batch_norm1d_own", nn.BatchNorm1d(4, track_running_stats=False), (6, 4))
    case("batch_norm2d", nn.BatchNorm2d(3), (2, 3, 2, 4))
    case("batch_norm2d_plain", nn.BatchNorm2d(3, affine=False), (2, 3, 2, 4))
    case("batch_norm2d_own", nn.BatchNorm2d(3, eps=0.1, affine=False, track_running_stats=False), (2, 3, 2, 4))
    case("batch_norm3d", nn.BatchNorm3d(2), (2, 2, 2, 3, 2))
    case("batch_norm3d_own", nn.BatchNorm3d(2, track_running_stats=False), (2, 2, 2, 3, 2))


def instance_norm(case):
    case("instance_norm1d", nn.InstanceNorm1d(3), (2, 3, 6))
    case("instance_norm1d_alone", nn.InstanceNorm1d(3, affine=True), (3, 6))
    case("instance_norm1d_kept_alone", nn.InstanceNorm1d(3, affine=True, track_running_stats=True), (3, 6))
    case("instance_norm2d", nn.InstanceNorm2d(3, eps=0.2, affine=True), (2, 3, 4, 2))
    case("instance_norm2d_kept", nn.InstanceNorm2d(3, track_running_stats=True), (2, 3, 4, 2))
    case("instance_norm2d_alone", nn.InstanceNorm2d(3), (3, 4, 2))
    case("instance_norm3d", nn.InstanceNorm3d(2, affine=True), (2, 2, 2, 3, 2))
    case("instance_norm3d_kept", nn.InstanceNorm3d(2, affine=True, track_running_stats=True), (2, 2, 2, 3, 2))
    case("instance_norm3d_alone", nn.InstanceNorm3d(2), (2, 2, 3, 2))


def cases(case):
    batch_norm(case)
    instance_norm(case)
    case("group_norm", nn.GroupNorm(2, 6), (2, 6, 3))
    case("group_norm_plain", nn.GroupNorm(3, 6, eps=0.1, affine=False), (2, 6, 2, 2))
    case("group_norm_flat", nn.GroupNorm(2, 6), (3, 6))
    case("layer_norm", nn.LayerNorm(5), (2, 3, 5))
    case("layer_norm_2", nn.LayerNorm((3, 5), eps=0.01), (2, 3, 5))
    case("layer_norm_3", nn.LayerNorm((2, 3, 5), elementwise_affine=False), (2, 2, 3, 5))
    case("layer_norm_no_bias", nn.LayerNorm((3, 5), bias=False), (4, 3, 5))
    case("layer_norm_vector", nn.LayerNorm(7), (7,))
    case("rms_norm", nn.RMSNorm(5), (2, 3, 5))
    case("rms_norm_2", nn.RMSNorm((3, 5), eps=0.1), (2, 3, 5))
    case("rms_norm_plain", nn.RMSNorm(5, elementwise_affine=False), (2, 3, 5))
    case("local_response_norm", nn.LocalResponseNorm(3), (2, 6, 3))
    case("local_response_norm_even", nn.LocalResponseNorm(4, alpha=0.5, beta=0.6, k=2.0), (2, 6, 2, 3))
    case("local_response_norm_5", nn.LocalResponseNorm(5, alpha=0.3), (1, 6, 2, 2, 2))
    case("cross_map_lrn2d", nn.CrossMapLRN2d(3), (2, 6, 2, 3))
    case("cross_map_lrn2d_even", nn.CrossMapLRN2d(4, alpha=0.5, beta=0.6, k=2), (2, 6, 2, 3))
    case("cross_map_lrn2d_one", nn.CrossMapLRN2d(2, alpha=0.5), (2, 6, 2, 3))
