"""The models of the zoo: one row a model, the most different ones first.

A row says how the module is built and what it takes, as text: "x=f[N,3,H,W] m=m[N,T]" are an input x of normal floats
and a mask m. f: normal, u: uniform in 0..1, i100: integers below 100, m: ones, with zeros at the end of some rows. A letter is
a dimension that is open in the dynamic variant; SIZES has its three sizes.
"""

import dataclasses
import functools
import re
from typing import Callable

import torch
import torchvision
from torch import nn

SIZES = {"N": (2, 1, 3), "T": (16, 7, 33), "S": (9, 1, 4), "P": (5, 12, 1), "H": (64, 96, 128), "W": (64, 128, 96),
         "F": (40, 64, 87)}


@dataclasses.dataclass
class Model:
    family: str
    name: str
    build: Callable                 # () -> module, or (module, inputs)
    inputs: str = ""
    sizes: dict = dataclasses.field(default_factory=dict)
    opset: int = 20


class Call(nn.Module):
    """A module called by keywords, its outputs as a flat tuple; past0, past1, ... are the keys and values of a cache."""

    def __init__(self, module, names, **fixed):
        super().__init__()
        self.module, self.names, self.fixed = module, names, fixed

    def forward(self, *inputs):
        given = dict(zip(self.names, inputs))
        past = [given.pop(name) for name in self.names if name.startswith("past")]
        if past:
            from transformers import DynamicCache
            cache = DynamicCache()
            for layer in range(len(past) // 2):
                cache.update(past[2 * layer], past[2 * layer + 1], layer)
            given["past_key_values"] = cache
        return tuple(tensors(self.module(**given, **self.fixed)))


def tensors(value):
    """The tensors of any nest of results, in order, each once."""
    if isinstance(value, torch.Tensor):
        return [value]
    if hasattr(value, "layers"):        # a cache
        return [t for layer in value.layers for t in (layer.keys, layer.values)]
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, (tuple, list)):
        return []
    return [t for part in value for t in tensors(part)]


def names_of(inputs):
    return [one.split("=")[0] for one in inputs.split()]


# torchvision

def _vision(name, inputs="x=f[N,3,H,W]", module=torchvision.models, family="torchvision", sizes=None, **options):
    options = {"weights": None, **options}
    return Model(family, name, lambda: getattr(module, name)(**options), inputs, sizes or {})


class Detector(nn.Module):
    """torchvision's detectors take a list of images and give a list of dictionaries."""

    def __init__(self, name, **options):
        super().__init__()
        self.net = getattr(torchvision.models.detection, name)(
            weights=None, weights_backbone=None, num_classes=6, **options)

    def settle(self, image):
        """Boxes some pixels off their anchors and scores that differ: exp() and sigmoid() of more leave noise or ties."""
        def scale(module, _, output):
            factor = module.spread / output.std()
            for parameter in module.parameters():
                parameter.mul_(factor)
            module.handle.remove()
            return output * factor

        for name, module in self.named_modules():
            if re.search(r"(cls|logits|kps_score|bbox)[^.]*$|_head\.module_list\.[\d.]+$", name) and hasattr(module, "weight"):
                module.spread = 0.3 if re.search("bbox|regress", name) else 1
                module.handle = module.register_forward_hook(scale)
        with torch.no_grad():
            self(image)

    def forward(self, image):
        found, = self.net([image])
        boxes = found.pop("boxes") / image.shape[-1]
        return (boxes, *tensors(found))


def _detection(name, **options):
    return Model("torchvision detection", name, lambda: Detector(name, **options), "image=u[3,H,W]",
                 {"H": (128, 160, 192), "W": (160, 128, 160)})


# Few boxes: of many, two are as good as each other but for a rounding.
_ONE_STAGE = {"detections_per_img": 20}
_SIZE = {"min_size": 128, "max_size": 256}
_TWO_STAGES = {"box_detections_per_img": 20, "rpn_pre_nms_top_n_test": 100, "rpn_post_nms_top_n_test": 50, **_SIZE}
_SEVENS = {"H": (224, 96, 160), "W": (224, 160, 96)}   # seven places in the last feature map
_BIG = {"H": (96, 128, 160), "W": (96, 160, 128)}
_segmentation = functools.partial(_vision, module=torchvision.models.segmentation, family="torchvision segmentation",
                                  weights_backbone=None)
_video = functools.partial(_vision, inputs="x=f[N,3,8,H,W]", module=torchvision.models.video, family="torchvision video")
_FIXED = "x=f[N,3,224,224]"


def _vit():
    return torchvision.models.VisionTransformer(64, 16, 3, 4, 96, 192)


def _mvit():
    from torchvision.models.video.mvit import MSBlockConfig, MViT
    blocks = [MSBlockConfig(heads, before, after, [3, 3, 3], [3, 3, 3], [1, step, step], [1, reach, reach])
              for heads, before, after, step, reach in ((1, 24, 24, 1, 4), (2, 24, 48, 2, 2), (2, 48, 48, 1, 2))]
    return MViT((64, 64), 8, blocks, residual_pool=True, residual_with_cls_embed=False, rel_pos_embed=True,
                proj_after_attn=True, num_classes=20)


class Flow(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = torchvision.models.optical_flow.raft_small(weights=None)

    def forward(self, a, b):
        return self.net(a, b, num_flow_updates=2)[-1]


# transformers: small configurations of each architecture

_SMALL = {"vocab_size": 100, "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
          "intermediate_size": 128}


def _config(kind, small=True, **options):
    import transformers
    config = getattr(transformers, kind + "Config")(**{**(_SMALL if small else {}), **options})
    config.use_cache = False
    return config


def _hf(kind, model, inputs, family, name=None, fixed=None, sizes=None, small=True, tune=None, **options):
    def build():
        import transformers
        module = getattr(transformers, model)(_config(kind, small, **options))
        if tune:
            tune(module)
        return Call(module, names_of(inputs), **(fixed or {}))
    return Model(family, name or model, build, inputs, sizes or {})


_TEXT = "input_ids=i100[N,T] attention_mask=m[N,T]"


def _encoder(kind, model=None, inputs=_TEXT, **options):
    return _hf(kind, model or kind + "Model", inputs, "transformers encoder", **options)


def _decoder(kind, model=None, **options):
    return _hf(kind, model or kind + "ForCausalLM", _TEXT, "transformers decoder", **options)


def _cached(kind, model=None, **options):
    """A decoder that is given keys and values of P earlier tokens, and gives those of P + S."""
    model = model or kind + "ForCausalLM"

    def build():
        import transformers
        config = _config(kind, **options)
        config.use_cache = True
        module = getattr(transformers, model)(config).eval()
        with torch.no_grad():
            past = tensors(module(torch.zeros(1, 2, dtype=torch.long), use_cache=True).past_key_values)
        inputs = "input_ids=i100[N,S] " + " ".join(
            f"past{i}=f[N,{t.shape[1]},P,{t.shape[3]}]" for i, t in enumerate(past))
        return Call(module, names_of(inputs), use_cache=True), inputs
    return Model("transformers decoder with cache", model + "_cache", build)


def _both(kind, model=None, inputs="input_ids=i100[N,T] attention_mask=m[N,T] decoder_input_ids=i100[N,S]", **options):
    return _hf(kind, model or kind + "ForConditionalGeneration", inputs, "transformers encoder and decoder", **options)


def _picture(kind, model=None, inputs="pixel_values=f[N,3,64,64]", **options):
    return _hf(kind, model or kind + "Model", inputs, "transformers vision", **{"image_size": 64, **options})


def _audio(kind, model=None, inputs="input_values=f[N,A]", **options):
    return _hf(kind, model or kind + "Model", inputs, "transformers audio", sizes={"A": (4000, 3000, 5210)}, **options)


_LAYERS2 = {"d_model": 64, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 4,
            "decoder_attention_heads": 4, "encoder_ffn_dim": 128, "decoder_ffn_dim": 128, "vocab_size": 100}
_WAVE = {"conv_dim": (32, 32, 32), "conv_kernel": (10, 3, 3), "conv_stride": (5, 2, 2), "num_feat_extract_layers": 3,
         "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 4}


# diffusers

def _diffuser(name, kind, inputs, sizes=None, **options):
    def build():
        import diffusers
        return Call(getattr(diffusers, kind)(**options), names_of(inputs))
    return Model("diffusers", name, build, inputs, sizes or {})


_UNET = {"sample_size": 32, "layers_per_block": 1, "block_out_channels": (32, 64), "norm_num_groups": 8}


def _timm(name, inputs=None, size=None):
    def build():
        import timm
        fixed = {"img_size": size} if size else {}
        return timm.create_model(name, pretrained=False, **fixed)
    return Model("timm", name, build, inputs or "x=f[N,3,H,W]", _BIG)


def _timms(names, size=0):
    return [_timm(name, f"x=f[N,3,{size},{size}]" if size else None) for name in names.split()]


# One of each kind.
FIRST = [
    _vision("mobilenet_v3_small"),
    _encoder("Bert"),
    _cached("Llama", num_key_value_heads=2),
    _detection("fasterrcnn_mobilenet_v3_large_320_fpn", **_TWO_STAGES),
    _segmentation("deeplabv3_mobilenet_v3_large"),
    _video("r3d_18"),
    Model("torchvision optical flow", "raft_small", Flow, "a=f[N,3,H,W] b=f[N,3,H,W]",
          {"H": (128, 136, 160), "W": (136, 128, 144)}),
    _diffuser("unet2d_condition", "UNet2DConditionModel",
              "sample=f[N,4,H,W] timestep=i1000[N] encoder_hidden_states=f[N,T,48]", {"H": (16, 24, 32), "W": (32, 16, 24)},
              cross_attention_dim=48, attention_head_dim=8, down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
              up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"), **_UNET),
    _hf("SpeechT5HifiGan", "SpeechT5HifiGan", "spectrogram=f[N,F,20]", "transformers vocoder", model_in_dim=20,
        upsample_initial_channel=64, small=False),
    _audio("Wav2Vec2Conformer", **_WAVE),
    _both("T5", small=False, vocab_size=100, d_model=64, d_kv=16, d_ff=128, num_layers=2, num_heads=4,
          decoder_start_token_id=0),
    _picture("Swin", small=False, embed_dim=32, depths=[2, 2], num_heads=[2, 4], window_size=4),
    *_timms("mobilevit_xxs convnextv2_atto efficientvit_b0"),
    *_timms("levit_128s xcit_nano_12_p16_224", 224),
    *_timms("halonet26t", 256),
]

TORCHVISION = [
    _vision("alexnet", sizes=_SEVENS), _vision("convnext_tiny"), _vision("densenet121"), _vision("efficientnet_b0"),
    _vision("googlenet", aux_logits=False, init_weights=False),
    _vision("inception_v3", aux_logits=False, init_weights=False, sizes=_BIG), _vision("maxvit_t", _FIXED),
    _vision("mnasnet0_5"), _vision("mobilenet_v2"), _vision("regnet_x_400mf"),
    _vision("resnet18"), _vision("resnext50_32x4d"), _vision("shufflenet_v2_x0_5"),
    _vision("squeezenet1_1"), _vision("swin_t"), _vision("swin_v2_t"), _vision("vgg11_bn", sizes=_SEVENS),
    Model("torchvision", "vit", _vit, "x=f[N,3,64,64]"),
    _segmentation("fcn_resnet50"), _segmentation("lraspp_mobilenet_v3_large"),
    _detection("ssdlite320_mobilenet_v3_large", **_ONE_STAGE), _detection("retinanet_resnet50_fpn", **_ONE_STAGE, **_SIZE),
    _detection("fcos_resnet50_fpn", **_ONE_STAGE, **_SIZE), _detection("ssd300_vgg16", **_ONE_STAGE),
    _detection("maskrcnn_resnet50_fpn", **_TWO_STAGES), _detection("keypointrcnn_resnet50_fpn", **_TWO_STAGES),
    _video("r2plus1d_18"), _video("s3d", inputs="x=f[N,3,14,224,224]", sizes={"N": (1, 2, 1)}),
    Model("torchvision video", "mvit", _mvit, "x=f[N,3,8,64,64]"),
    _video("swin3d_t", inputs="x=f[N,3,8,H,W]"),
]

TIMM = [
    *_timms("resnet10t ghostnet_050 hrnet_w18_small mobileone_s0 mobilenetv4_conv_small_050 nf_regnet_b0 poolformer_s12 "
            "pvt_v2_b0 res2net50_14w_8s resnest14d skresnet18 edgenext_xx_small fastvit_t8 focalnet_tiny_srf lambda_resnet26t "
            "starnet_s1 dla46_c mobilevitv2_050 inception_next_atto davit_tiny shvit_s1 tiny_vit_5m_224 regnetz_005 "
            "efficientnet_b0_gn efficientnet_cc_b0_4e repvgg_a0 ghostnetv3_100 repghostnet_050 repvit_m0_9 dpn68 "
            "resnext26ts tf_efficientnetv2_b0 tinynet_e lcnet_050 fbnetv3_b"),
    *_timms("mixer_s32_224 pit_ti_224 vit_tiny_patch16_224 visformer_tiny volo_d1_224 efficientvit_m0 gmlp_s16_224 "
            "cait_xxs24_224 coat_lite_tiny eva02_tiny_patch14_224 hiera_tiny_224 nest_tiny sequencer2d_s twins_svt_small "
            "gcvit_xxtiny swinv2_cr_tiny_224 convit_tiny mvitv2_tiny", 224),
    *_timms("bat_resnext26ts botnet26t_256", 256), *_timms("crossvit_tiny_240", 240),
]

TRANSFORMERS = [
    _decoder("GPT2", "GPT2LMHeadModel"), _cached("GPT2", "GPT2LMHeadModel"),
    _encoder("DebertaV2", relative_attention=True, pos_att_type=["p2c", "c2p"], position_buckets=8,
             max_relative_positions=16),
    _both("Whisper", inputs="input_features=f[N,20,60] decoder_input_ids=i100[N,S]", small=False, num_mel_bins=20,
          max_source_positions=30, pad_token_id=0, bos_token_id=1, eos_token_id=2, decoder_start_token_id=1, **_LAYERS2),
    _encoder("DistilBert", dim=64, hidden_dim=128, n_layers=2, n_heads=4, small=False, vocab_size=100),
    _encoder("Albert", embedding_size=32), _encoder("FNet", inputs="input_ids=i100[N,T]"),
    _decoder("Bloom", n_layer=2, n_head=4), _cached("Qwen2", num_key_value_heads=2),
    _decoder("Mixtral", num_key_value_heads=2, num_local_experts=4),
    _decoder("Gemma2", num_key_value_heads=2, head_dim=16, sliding_window=8),
    _cached("Gemma2", num_key_value_heads=2, head_dim=16, sliding_window=64), _both("Bart", small=False, **_LAYERS2),
    _picture("ViT"),
    _picture("Segformer", inputs="pixel_values=f[N,3,H,W]", small=False, depths=[1, 1, 1, 1], hidden_sizes=[16, 32, 40, 64],
             decoder_hidden_size=32),
    _hf("CLIPText", "CLIPTextModel", _TEXT, "transformers encoder", bos_token_id=0, eos_token_id=1, pad_token_id=2),
    _picture("CLIPVision", "CLIPVisionModel", patch_size=16), _picture("Dinov2", patch_size=16),
    _picture("Beit", use_relative_position_bias=True),
    _picture("Yolos", "YolosForObjectDetection", image_size=[64, 64], num_detection_tokens=10),
    _audio("Wav2Vec2", **_WAVE),
    _hf("AST", "ASTModel", "input_values=f[N,64,32]", "transformers audio", max_length=64, num_mel_bins=32),
    _encoder("MPNet"), _encoder("SqueezeBert", embedding_size=64), _encoder("ConvBert", embedding_size=64),
    _encoder("ModernBert", pad_token_id=0, eos_token_id=1, bos_token_id=0, cls_token_id=0, sep_token_id=1, local_attention=8),
    _encoder("Funnel", small=False, vocab_size=100, block_sizes=[1, 1], d_model=64, n_head=4, d_head=16, d_inner=128),
    _decoder("OPT", ffn_dim=128, word_embed_proj_dim=64), _decoder("GPTNeoX"),
    _decoder("GPTJ", n_embd=64, n_layer=2, n_head=4, rotary_dim=8, small=False, vocab_size=100),
    _decoder("Qwen3", head_dim=16, num_key_value_heads=2), _decoder("Phi3", num_key_value_heads=2, pad_token_id=0),
    _decoder("Falcon"), _decoder("Olmo2"), _decoder("Mamba", state_size=8),
    _cached("OPT", ffn_dim=128, word_embed_proj_dim=64), _cached("Falcon"), _cached("Bloom", n_layer=2, n_head=4),
]

DIFFUSERS = [
    _diffuser("unet2d", "UNet2DModel", "sample=f[N,3,H,W] timestep=i1000[N]", {"H": (32, 48, 64), "W": (48, 32, 64)},
              down_block_types=("DownBlock2D", "AttnDownBlock2D"), up_block_types=("AttnUpBlock2D", "UpBlock2D"), **_UNET),
    _diffuser("autoencoder_kl", "AutoencoderKL", "sample=f[N,3,H,W]", down_block_types=("DownEncoderBlock2D",) * 2,
              up_block_types=("UpDecoderBlock2D",) * 2, block_out_channels=(16, 32), norm_num_groups=8),
    _diffuser("dit", "DiTTransformer2DModel", "hidden_states=f[N,4,16,16] timestep=i1000[N] class_labels=i10[N]",
              num_attention_heads=4, attention_head_dim=16, num_layers=2, sample_size=16, num_embeds_ada_norm=10),
]


def _mix(*lists):
    """One of each in turn, so that a run that is cut short has seen every kind."""
    longest = max(len(each) for each in lists)
    return [each[i] for i in range(longest) for each in lists if i < len(each)]


MODELS = FIRST + _mix(TORCHVISION, TIMM, TRANSFORMERS, DIFFUSERS)
