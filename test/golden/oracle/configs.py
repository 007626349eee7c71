"""Configs of small models, in which every key of their mechanism is written down."""

from dataclasses import dataclass, field

ROPE_BASE = 10000.0


@dataclass
class Case:
    model: dict
    # Of an optimiser step.
    microbatches: int = 1
    clip: float = 2.0
    # 0 where training is random: then only evaluation has numbers.
    steps: int = 3
    # What the numbers drawn must make happen, or they would not test the mechanism.
    shows: set[str] = field(default_factory=set)


def router(**options: object) -> dict:
    """Every key is written down, so that no default of the program enters."""
    logits = {"type": "linear", "dimension": 3, "temperature": 0.3, "learn_temperature": True, "score": "softmax", "jitter": 0.0}
    choice = {"select": "top_k", "renormalize": False, "bias_rate": 0.001, "bias_update": "sign", "frozen": False}
    losses = {"balance": "gshard_first", "balance_weight": 0.01, "balance_scope": "micro", "z_loss_weight": 0.0}
    capacity = {"capacity_priority": "first_choice", "capacity_in_evaluation": False}
    return {**logits, **choice, **losses, **capacity, **options}


def moe(kind: str = "smoe", **options: object) -> dict:
    """`layers`, `every` and the keys of moeSchema; all else goes to the router."""
    layer = {"heads": 1, "head_layer": True, "merge_layer": True, "projection_bias": False, "inner_residual": False}
    layer |= {"ablation": "remove_only", "experts": 4, "top_k": 1, "expert_width": 5, "shared_width": 0}
    own = {key: value for key, value in options.items() if key in layer or key in ("every", "layers")}
    of_router = {key: value for key, value in options.items() if key not in own}
    placement = {} if "layers" in own else {"every": 2}
    return {"kind": kind, **placement, **layer, **own, "router": router(**of_router)}


def mh_moe(**options: object) -> dict:
    return moe("mh-moe", **{"heads": 2, "top_k": 2, **options})


def model(width: int = 8, activation: str = "swiglu", layers: int = 2, **options: object) -> dict:
    """`attention`, `moe` and other keys of modelSchema may be given; attention is completed."""
    attention = {"heads": 2, "position": "rope", "rope_base": ROPE_BASE, **options.pop("attention", {})}
    sizes = {"vocabulary": 9, "d_model": width, "layers": layers, "context": 5}
    return {**sizes, "attention": attention, "ffn": {"width": 6, "activation": activation}, **options}


def small(**options: object) -> dict:
    """Of half the width; one layer where nothing else is said."""
    found = model(**{"width": 4, "layers": 1, **options})
    return {**found, "ffn": {**found["ffn"], "width": 3}}


def single(**options: object) -> dict:
    """One layer, which is routed."""
    return model(layers=1, moe=moe(**{"every": 1, "top_k": 2, **options}))


def single_mh(width: int = 8, **options: object) -> dict:
    return model(width=width, layers=1, moe=mh_moe(**{"every": 1, **options}))


def bitnet(weights: str = "ternary", **options: object) -> dict:
    return {"weights": weights, "activation_bits": 8, "norm": "rms", "quantize_head_merge": False, **options}


def switch_head(**options: object) -> dict:
    """The `moe` of attention."""
    layer = {"experts": 3, "top_k": 2, "projections": ["value", "output"], "shared_selection": False, "expert_dropout": 0.0}
    return {"moe": {**layer, **options}}


def sigma_moe(**options: object) -> dict:
    """2310.10837: to be used with `activation="relu"`."""
    return moe(**{"every": 1, "top_k": 2, "score": "sigmoid", "balance": "entropy", "balance_weight": 0.1, "expert_dropout": 0.0, **options})


def product_keys(**options: object) -> dict:
    """One query head, so that some of the experts rest."""
    found = {"kind": "peer", "experts": 25, "heads": 1, "top_k": 2, "key_width": 4, "query_norm": "batch", "score": "softmax"}
    table = {"activation": "gelu", "optimizer": "lazy", "learning_rate_scale": 1.0}
    return {"product_keys": {**found, **table, **options}}


def dynamic(importance: str = "entropy", **options: object) -> dict:
    return {"select": "dynamic", "importance": importance, "k_min": 1, "budget": False, **options}


def top_p(**options: object) -> dict:
    return {"select": "top_p", "top_p": 0.6, "entropy_weight": 0.0, **options}


DROPS = {"a choice is dropped"}
LOSS_FREE = {"select": "top_k_biased", "balance": "loss_free"}
COSINE = {"type": "cosine", "balance_weight": 0.1}

XL = {"position": "xl"}
ALL_FOUR = ["query", "key", "value", "output"]
