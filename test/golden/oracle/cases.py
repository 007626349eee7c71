"""The language models that have vectors: one for each mechanism, and the neighbouring standards in small, which combine them."""

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

DENSE: dict[str, Case] = {
    "dense-swiglu": Case(model()),
    "dense-relu-without-positions": Case(model(activation="relu", layers=1, attention={"position": "none"})),
    "dense-gelu": Case(model(activation="gelu", layers=1)),
    "dense-microbatches": Case(model(layers=1), microbatches=3),
    "dense-never-clipped": Case(model(layers=1), clip=0.0),
    "dense-untied-embeddings": Case(model(layers=1, tie_embeddings=False)),
    "dense-grouped-query": Case(model(layers=1, attention={"heads": 4, "kv_heads": 2})),
    "dense-one-key-head-of-another-width": Case(model(layers=1, attention={"heads": 3, "kv_heads": 1, "head_width": 4})),
    "dense-qk-norm-head": Case(model(layers=1, attention={"qk_norm": "head"})),
    "dense-qk-norm-full": Case(model(layers=1, attention={"heads": 4, "kv_heads": 2, "qk_norm": "full"})),
    "dense-masked": Case(model(objective="masked")),
    "dense-masked-microbatches": Case(model(objective="masked"), microbatches=3),
}

SPARSE: dict[str, Case] = {
    "smoe-top1": Case(model(moe=moe())),
    "smoe-top2-renormalised": Case(model(moe=moe(every=1, top_k=2, renormalize=True))),
    "smoe-gelu-shared-expert": Case(model(activation="gelu", moe=moe(top_k=2, shared_width=4))),
    "smoe-relu-first-layer": Case(model(activation="relu", moe=moe(layers=[0], top_k=2))),
    "smoe-sigmoid": Case(single(score="sigmoid", balance_weight=0.1)),
    "smoe-sigmoid-renormalised": Case(single(score="sigmoid", renormalize=True, balance="top_k", balance_weight=0.1)),
    "smoe-switch": Case(model(moe=moe(every=1, balance="switch", balance_weight=0.1))),
    "smoe-switch-sigmoid": Case(single(top_k=1, score="sigmoid", balance="switch", balance_weight=0.1)),
    "smoe-balance-top-k": Case(model(moe=moe(every=1, top_k=3, balance="top_k", balance_weight=0.1))),
    "smoe-entropy": Case(model(moe=moe(every=1, top_k=2, balance="entropy", balance_weight=0.1))),
    "smoe-entropy-sigmoid": Case(single(score="sigmoid", balance="entropy", balance_weight=0.1)),
    "smoe-balance-only-measured": Case(single(balance_weight=0.0)),
    "smoe-unbalanced": Case(single(balance="none")),
    "smoe-z-loss": Case(model(moe=moe(every=1, top_k=2, z_loss_weight=0.05))),
    "smoe-frozen-router": Case(single(frozen=True, balance_weight=0.1)),
    "smoe-jitter": Case(single(jitter=0.2), steps=0),
}

SCOPES: dict[str, Case] = {
    "smoe-microbatches": Case(single(balance="top_k", balance_weight=0.3, z_loss_weight=0.05), microbatches=2),
    "smoe-global-switch": Case(single(top_k=1, balance="switch", balance_weight=0.3, balance_scope="global"), microbatches=2),
    "smoe-global-gshard-first": Case(single(balance_weight=0.3, balance_scope="global"), microbatches=3),
    "smoe-global-top-k": Case(
        model(moe=moe(every=1, top_k=2, balance="top_k", balance_weight=0.3, balance_scope="global")), microbatches=2
    ),
    "smoe-global-top-k-sigmoid": Case(
        single(score="sigmoid", balance="top_k", balance_weight=0.3, balance_scope="global"), microbatches=2
    ),
    "smoe-global-entropy": Case(single(balance="entropy", balance_weight=0.3, balance_scope="global"), microbatches=2),
    "smoe-global-entropy-sigmoid": Case(
        single(score="sigmoid", balance="entropy", balance_weight=0.3, balance_scope="global"), microbatches=2
    ),
    "smoe-global-of-one-microbatch": Case(single(balance="top_k", balance_weight=0.3, balance_scope="global")),
    "mh-moe-global-top-k": Case(single_mh(balance="top_k", balance_weight=0.3, balance_scope="global"), microbatches=2),
}

SELECTION: dict[str, Case] = {
    "smoe-loss-free": Case(
        single(score="sigmoid", bias_rate=0.05, **LOSS_FREE),
        microbatches=2,
        shows={"the bias changes a choice", "an expert with the mean load"},
    ),
    "smoe-loss-free-error": Case(
        single(bias_update="error", bias_rate=0.05, **LOSS_FREE), microbatches=2, shows={"the bias changes a choice"}
    ),
    "smoe-biased-and-balanced": Case(
        model(moe=moe(every=1, top_k=2, select="top_k_biased", bias_rate=0.05, renormalize=True, balance_weight=0.1)),
        shows={"the bias changes a choice"},
    ),
    "mh-moe-loss-free": Case(single_mh(bias_rate=0.05, **LOSS_FREE), shows={"the bias changes a choice"}),
    "smoe-expert-choice": Case(
        single(select="expert_choice", balance="none"), shows={"a unit that no expert chose", "a unit with more than k experts"}
    ),
    "smoe-expert-choice-sigmoid": Case(
        model(moe=moe(every=1, experts=3, select="expert_choice", score="sigmoid", balance="none", z_loss_weight=0.05)),
        shows={"a unit that no expert chose"},
    ),
    "smoe-expert-choice-of-one-unit": Case(single(experts=10, expert_width=3, top_k=1, select="expert_choice", balance="none")),
    "mh-moe-expert-choice": Case(
        single_mh(experts=6, select="expert_choice", balance="none"), shows={"a unit that no expert chose"}, microbatches=2
    ),
    "smoe-capacity-first-choice": Case(single(capacity_factor=1.0), shows=DROPS),
    "smoe-capacity-position": Case(single(capacity_factor=1.0, capacity_priority="position"), shows=DROPS),
    "smoe-capacity-renormalised": Case(
        model(moe=moe(every=1, top_k=2, experts=5, capacity_factor=0.75, renormalize=True, balance="top_k", balance_weight=0.1)),
        microbatches=2,
        shows=DROPS,
    ),
    "smoe-capacity-top1-in-evaluation": Case(
        single(top_k=1, capacity_factor=1.25, capacity_in_evaluation=True, score="sigmoid"), shows=DROPS
    ),
    "mh-moe-capacity-in-evaluation": Case(
        single_mh(capacity_factor=1.0, capacity_priority="position", capacity_in_evaluation=True), shows=DROPS
    ),
    "smoe-cosine": Case(single(**COSINE)),
    "smoe-cosine-sigmoid": Case(single(score="sigmoid", temperature=0.07, **COSINE)),
    "smoe-cosine-fixed-temperature": Case(single(learn_temperature=False, z_loss_weight=0.05, **COSINE)),
    "smoe-cosine-frozen": Case(single(frozen=True, **COSINE)),
}

MULTI_HEAD: dict[str, Case] = {
    "mh-moe-h2": Case(model(moe=mh_moe(experts=6))),
    "mh-moe-h3-shared-expert": Case(model(width=12, moe=mh_moe(heads=3, experts=6, top_k=3, expert_width=4, shared_width=3))),
    "mh-moe-h2-without-head-layer": Case(model(moe=mh_moe(head_layer=False))),
    "mh-moe-h2-without-merge-layer": Case(model(moe=mh_moe(merge_layer=False))),
    "mh-moe-without-both": Case(single_mh(head_layer=False, merge_layer=False)),
    "mh-moe-h1": Case(single_mh(heads=1)),
    "mh-moe-h4-biases": Case(single_mh(heads=4, projection_bias=True)),
    "mh-moe-h1-biases": Case(single_mh(heads=1, projection_bias=True)),
    "mh-moe-inner-residual": Case(single_mh(inner_residual=True)),
    "mh-moe-inner-residual-without-both": Case(single_mh(inner_residual=True, head_layer=False, merge_layer=False)),
    "mh-moe-original": Case(
        single_mh(
            experts=6, top_k=1, inner_residual=True, projection_bias=True, type="cosine", dimension=2, balance="switch", balance_weight=0.1
        )
    ),
    "mh-moe-iso-mac-without-merge-layer": Case(
        model(activation="relu", layers=1, moe=mh_moe(every=1, experts=6, merge_layer=False, ablation="iso_mac"))
    ),
    "mh-moe-iso-mac-without-both": Case(
        single_mh(width=12, experts=8, expert_width=4, head_layer=False, merge_layer=False, ablation="iso_mac")
    ),
    "mh-moe-masked": Case(model(objective="masked", moe=mh_moe())),
    "mh-moe-masked-microbatches": Case(
        model(objective="masked", moe=mh_moe(balance_weight=0.3, balance_scope="global")), microbatches=2
    ),
}

ZEROS = {"a weight is 0"}

BITNET: dict[str, Case] = {
    "bitnet-dense-ternary": Case(model(layers=1, bitnet=bitnet()), shows=ZEROS),
    "bitnet-dense-binary": Case(model(activation="gelu", layers=1, bitnet=bitnet("binary"))),
    "bitnet-dense-ternary-without-norm": Case(model(layers=1, bitnet=bitnet(norm="none")), shows=ZEROS),
    "bitnet-dense-binary-exact-activations": Case(model(layers=1, bitnet=bitnet("binary", activation_bits="none"))),
    "bitnet-dense-ternary-weights-only": Case(model(layers=1, bitnet=bitnet(norm="none", activation_bits="none")), shows=ZEROS),
    "bitnet-smoe": Case({**single(), "bitnet": bitnet()}, shows=ZEROS),
    "bitnet-smoe-capacity-shared-expert": Case(
        {**single(capacity_factor=1.0, shared_width=4), "bitnet": bitnet()}, shows=ZEROS | DROPS
    ),
    "bitnet-mh-moe": Case({**single_mh(), "bitnet": bitnet()}, shows=ZEROS),
    "bitnet-mh-moe-binary-head-and-merge": Case(
        {**single_mh(projection_bias=True), "bitnet": bitnet("binary", quantize_head_merge=True)}
    ),
    "bitnet-mh-moe-head-and-merge-without-norm": Case(
        {**single_mh(inner_residual=True), "bitnet": bitnet(norm="none", quantize_head_merge=True)}, shows=ZEROS
    ),
}

STANDARDS: dict[str, Case] = {
    "like-mixtral": Case(
        model(attention={"heads": 4, "kv_heads": 2}, tie_embeddings=False, moe=moe(every=1, top_k=2, renormalize=True, balance="top_k"))
    ),
    "like-olmoe": Case(
        model(
            attention={"qk_norm": "full"},
            tie_embeddings=False,
            moe=moe(every=1, experts=6, top_k=3, balance="top_k", z_loss_weight=0.001),
        )
    ),
    "like-qwen3-moe": Case(
        model(
            attention={"heads": 4, "kv_heads": 2, "head_width": 4, "qk_norm": "head"},
            moe=moe(every=1, experts=6, top_k=2, renormalize=True, balance="top_k", balance_scope="global", balance_weight=0.1),
        ),
        microbatches=2,
    ),
    "like-deepseek-moe": Case(
        model(
            moe=moe(layers=[1], experts=8, top_k=3, expert_width=3, shared_width=3, score="sigmoid", renormalize=True, bias_rate=0.05, **LOSS_FREE)
        ),
        microbatches=2,
        shows={"the bias changes a choice"},
    ),
}

XL = {"position": "xl"}
# Head width 5: an even number of its channels turns.
ODD_HEADS = {"heads": 2, "head_width": 5}

ATTENTION: dict[str, Case] = {
    "dense-rope-share-half": Case(small(attention={"head_width": 4, "rope_share": 0.5})),
    "dense-rope-share-rounded-down": Case(small(attention={**ODD_HEADS, "rope_share": 0.9})),
    "dense-rope-share-of-nothing": Case(small(attention={**ODD_HEADS, "rope_share": 0.3})),
    "dense-layer-norm": Case(small(layers=2, norm="layer")),
    "dense-layer-norm-masked": Case(small(norm="layer", objective="masked")),
    "dense-scaled-embeddings": Case(small(scale_embeddings=True)),
    "dense-scaled-embeddings-untied": Case(small(scale_embeddings=True, tie_embeddings=False)),
    "xl": Case(model(attention=XL), steps=4),
    "xl-microbatches": Case(small(layers=2, attention=XL), microbatches=3, steps=4),
    "xl-grouped-query-qk-norm-head": Case(model(layers=1, attention={**XL, "heads": 4, "kv_heads": 2, "qk_norm": "head"})),
    "xl-qk-norm-full-of-another-width": Case(small(attention={**XL, "heads": 3, "head_width": 3, "qk_norm": "full"})),
    "xl-layer-norm-scaled-embeddings": Case(
        small(layers=2, norm="layer", scale_embeddings=True, tie_embeddings=False, attention=XL), microbatches=2
    ),
    "xl-smoe-global": Case(
        small(attention=XL, moe=moe(every=1, top_k=2, balance="top_k", balance_weight=0.3, balance_scope="global")), microbatches=2
    ),
    "xl-bitnet": Case(small(attention=XL, bitnet=bitnet())),
}

ALL_FOUR = ["query", "key", "value", "output"]


def small_head(**options: object) -> dict:
    return small(attention={"head_width": 4, **switch_head(**options)})


SWITCH_HEAD: dict[str, Case] = {
    "switch-head": Case(model(attention={**switch_head(), "rope_share": 0.5})),
    "switch-head-top-1": Case(small_head(top_k=1), microbatches=2),
    "switch-head-every-expert": Case(small_head(top_k=3)),
    "switch-head-one-expert": Case(small_head(experts=1, top_k=1)),
    "switch-head-all-projections": Case(small_head(projections=ALL_FOUR)),
    "switch-head-query-key": Case(small_head(projections=["query", "key"])),
    "switch-head-value": Case(small_head(projections=["value"])),
    "switch-head-output": Case(small_head(projections=["output"])),
    "switch-head-shared-selection": Case(small_head(shared_selection=True), microbatches=2),
    "switch-head-shared-selection-all-projections": Case(small_head(projections=ALL_FOUR, shared_selection=True)),
    "switch-head-shared-selection-of-one-side": Case(small_head(projections=["key", "value"], shared_selection=True)),
    "switch-head-expert-dropout": Case(small_head(expert_dropout=0.3), steps=0),
    "switch-head-qk-norm-head": Case(
        small(attention={"heads": 3, "head_width": 4, "qk_norm": "head", **switch_head(projections=["query", "value", "output"])})
    ),
    "switch-head-qk-norm-full": Case(small(attention={"qk_norm": "full", **switch_head(projections=["key", "output"])})),
    "switch-head-masked": Case(small(objective="masked", attention=switch_head()), microbatches=2),
    "switch-head-without-positions": Case(small(attention={"position": "none", **switch_head(top_k=1)})),
    "switch-head-xl": Case(small(layers=2, attention={**XL, **switch_head()}), steps=4),
    "switch-head-xl-microbatches": Case(small(attention={**XL, **switch_head(projections=ALL_FOUR)}), microbatches=2),
    "switch-head-xl-shared-selection": Case(small(attention={**XL, **switch_head(shared_selection=True)}), microbatches=2),
    "switch-head-xl-destination": Case(small(attention={**XL, **switch_head(projections=["query", "output"])})),
    "switch-head-xl-one-expert": Case(small(norm="layer", attention={**XL, **switch_head(experts=1, top_k=1)})),
    "sigma-moe": Case(small(activation="relu", layers=2, moe=sigma_moe())),
    "sigma-moe-microbatches": Case(small(activation="relu", moe=sigma_moe(balance_scope="global")), microbatches=2),
    "sigma-moe-expert-dropout": Case(small(activation="relu", moe=sigma_moe(expert_dropout=0.1)), steps=0),
    "smoe-biased-expert-dropout": Case(
        small(moe=moe(every=1, top_k=2, bias_rate=0.05, expert_dropout=0.2, renormalize=True, **LOSS_FREE)),
        steps=0,
        shows={"the bias changes a choice"},
    ),
    "switch-all": Case(small(activation="relu", attention={"head_width": 4, "rope_share": 0.5, **switch_head()}, moe=sigma_moe()), microbatches=2),
    "switch-all-xl": Case(
        small(
            activation="relu",
            layers=2,
            norm="layer",
            scale_embeddings=True,
            tie_embeddings=False,
            attention={**XL, **switch_head()},
            moe=sigma_moe(),
        )
    ),
    "switch-head-mh-moe": Case(small(attention=switch_head(), moe=mh_moe(every=1))),
}

# Of rows of a table that is updated row by row.
RESTS = {"a row that was used, rested and is used again", "a row first used after the first step", "a row that is never used"}
MEETING = {"heads that retrieve the same expert"}


def peer(**options: object) -> dict:
    return small(**product_keys(**options))


PRODUCT_KEYS: dict[str, Case] = {
    "peer": Case(peer(), steps=5, shows=RESTS),
    "peer-microbatches": Case(peer(experts=49), microbatches=2, steps=4, shows=RESTS),
    "peer-heads": Case(peer(experts=16, heads=3), shows=MEETING),
    "peer-relu-sigmoid": Case(
        peer(activation="relu", score="sigmoid", experts=49, heads=2), steps=4, shows=RESTS | {"a neuron that is off"}
    ),
    "peer-glu": Case(peer(activation="glu"), steps=4, shows=RESTS),
    "peer-without-query-norm": Case(peer(query_norm="none", score="sigmoid", top_k=3), steps=4, shows=RESTS),
    "peer-rate-scale": Case(peer(learning_rate_scale=4.0, experts=36), microbatches=2, steps=4, shows=RESTS),
    "peer-rate-scale-never-clipped": Case(peer(learning_rate_scale=0.5), clip=0.0, steps=4, shows=RESTS),
    "peer-dense": Case(peer(optimizer="dense"), steps=4),
    "peer-dense-glu-rate-scale": Case(
        peer(optimizer="dense", activation="glu", score="sigmoid", learning_rate_scale=4.0, experts=16, heads=2), microbatches=2
    ),
    "peer-one-choice": Case(peer(top_k=1, score="sigmoid"), steps=4, shows=RESTS),
    "peer-every-key": Case(peer(experts=9, top_k=3, heads=2), shows=MEETING),
    "peer-in-two-layers": Case(small(layers=3, **product_keys(layers=[0, 2])), steps=4, shows=RESTS),
    "peer-in-the-middle": Case(small(layers=3, norm="layer", **product_keys(experts=16)), microbatches=2),
    "peer-masked": Case(small(objective="masked", **product_keys()), microbatches=2, steps=4),
    "peer-beside-smoe": Case(small(layers=2, moe=moe(every=2, top_k=2), **product_keys(experts=16))),
    "peer-switch-head-xl": Case(small(attention={**XL, **switch_head()}, **product_keys()), microbatches=2, steps=4),
    "pkm": Case(peer(kind="pkm"), steps=4, shows=RESTS),
    "pkm-sigmoid-heads": Case(peer(kind="pkm", score="sigmoid", experts=16, heads=3, query_norm="none"), microbatches=2, shows=MEETING),
    "pkm-dense": Case(peer(kind="pkm", optimizer="dense", learning_rate_scale=2.0)),
}

VARIED = {"units that take different numbers of experts"}
BUDGET = VARIED | {"a remainder", "the budget changes an allocation"}
BOUNDS = {"a token gets the fewest", "a token gets the most"}
EVEN = {"balance": "top_k", "balance_weight": 0.3}


def varied(attention: dict | None = None, objective: str = "causal", layers: int = 1, bitnet: dict | None = None, **options: object) -> dict:
    """A small model with routed layers of small experts, the mean of whose numbers is 2 where nothing else is said."""
    found = small(layers=layers, attention=attention or {}, moe=moe(**{"every": 1, "top_k": 2, "expert_width": 3, **options}))
    return {**found, "objective": objective, **({} if bitnet is None else {"bitnet": bitnet})}


def varied_mh(**options: object) -> dict:
    return varied(**{"kind": "mh-moe", "heads": 2, **options})


DYNAMIC: dict[str, Case] = {
    "dynamic-entropy": Case(varied(layers=2, **dynamic()), shows=VARIED),
    "dynamic-row-max": Case(varied(experts=5, **dynamic("row_max")), shows=VARIED),
    "dynamic-masked-received": Case(varied(objective="masked", **dynamic("received")), shows=VARIED),
    "dynamic-masked-cls-row": Case(varied(objective="masked", **dynamic("cls_row")), shows=VARIED),
    "dynamic-masked-row-max": Case(varied(objective="masked", **dynamic("row_max")), shows=VARIED, microbatches=2),
    "dynamic-masked-entropy": Case(varied(objective="masked", **dynamic("entropy")), shows=VARIED),
    "dynamic-bounds": Case(
        varied(objective="masked", attention={"heads": 1, "head_width": 8}, experts=5, top_k=3, **dynamic(k_min=2, k_max=4)),
        shows=VARIED | BOUNDS,
    ),
    "dynamic-budget": Case(varied(**dynamic(budget=True)), shows=BUDGET),
    "dynamic-budget-masked": Case(
        varied(objective="masked", experts=5, **dynamic("received", budget=True, k_max=3)), shows=BUDGET, microbatches=2
    ),
    "dynamic-budget-masked-cls-row": Case(varied(objective="masked", **dynamic("cls_row", budget=True)), shows=BUDGET),
    "dynamic-renormalised": Case(varied(experts=5, renormalize=True, **EVEN, **dynamic()), shows=VARIED),
    "dynamic-sigmoid-entropy-balance": Case(
        varied(score="sigmoid", balance="entropy", balance_weight=0.1, z_loss_weight=0.05, **dynamic("row_max")), shows=VARIED
    ),
    "dynamic-global": Case(varied(balance_scope="global", **EVEN, **dynamic()), microbatches=3, shows=VARIED),
    "dynamic-global-gshard-first": Case(varied(balance_scope="global", balance_weight=0.3, **dynamic()), microbatches=2, shows=VARIED),
    "dynamic-capacity": Case(varied(capacity_factor=1.0, **EVEN, **dynamic()), shows=VARIED | DROPS),
    "dynamic-capacity-position": Case(
        varied(
            experts=5, capacity_factor=0.75, capacity_priority="position", capacity_in_evaluation=True, renormalize=True, **dynamic("row_max")
        ),
        microbatches=2,
        shows=VARIED | DROPS,
    ),
    "dynamic-mh-moe": Case(varied_mh(experts=5, **EVEN, **dynamic()), shows=VARIED),
    "dynamic-mh-moe-budget-masked": Case(
        varied_mh(heads=4, objective="masked", balance_scope="global", **EVEN, **dynamic("received", budget=True)),
        microbatches=2,
        shows=BUDGET,
    ),
    "dynamic-mh-moe-capacity": Case(varied_mh(capacity_factor=0.75, **dynamic()), shows=VARIED | DROPS),
    "dynamic-grouped-query-qk-norm": Case(
        varied(attention={"heads": 4, "kv_heads": 2, "head_width": 2, "qk_norm": "head"}, shared_width=3, **dynamic()), shows=VARIED
    ),
    "dynamic-switch-head": Case(
        varied(attention={"rope_share": 0.5, "head_width": 6, **switch_head(projections=["query", "output"])}, **dynamic()), shows=VARIED
    ),
    "dynamic-cosine-without-positions": Case(varied(attention={"position": "none"}, experts=3, **COSINE, **dynamic("row_max")), shows=VARIED),
    "dynamic-expert-dropout": Case(varied(expert_dropout=0.2, **dynamic()), steps=0, shows=VARIED),
    "dynamic-bitnet": Case(varied(bitnet=bitnet(), **dynamic()), shows=VARIED),
    "top-p": Case(varied(**top_p()), shows=VARIED),
    "top-p-entropy-weight": Case(varied(layers=2, z_loss_weight=0.05, **top_p(entropy_weight=0.2)), shows=VARIED, microbatches=2),
    "top-p-renormalised": Case(
        varied(experts=5, renormalize=True, **EVEN, **top_p(k_max=3, top_p=0.7)),
        shows=VARIED | {"a unit that never reaches the threshold"},
    ),
    "top-p-sigmoid": Case(varied(score="sigmoid", **top_p(top_p=1.0, entropy_weight=0.1)), shows=VARIED),
    "top-p-capacity": Case(varied(capacity_factor=1.0, capacity_in_evaluation=True, **top_p()), shows=VARIED | DROPS),
    "top-p-capacity-position": Case(
        varied(experts=5, capacity_factor=0.75, capacity_priority="position", renormalize=True, **top_p()), shows=VARIED | DROPS, microbatches=2
    ),
    "top-p-global": Case(varied(balance_scope="global", **EVEN, **top_p()), microbatches=2, shows=VARIED),
    "top-p-mh-moe": Case(varied_mh(experts=5, **top_p(entropy_weight=0.1)), shows=VARIED),
    "top-p-mh-moe-masked": Case(varied_mh(heads=4, objective="masked", renormalize=True, **top_p(k_max=2)), microbatches=2, shows=VARIED),
    "top-p-frozen": Case(varied(frozen=True, **top_p(entropy_weight=0.1)), shows=VARIED),
    "top-p-expert-dropout": Case(varied(expert_dropout=0.2, **top_p()), steps=0, shows=VARIED),
}

CASES = DENSE | SPARSE | SCOPES | SELECTION | MULTI_HEAD | BITNET | STANDARDS | ATTENTION | SWITCH_HEAD | PRODUCT_KEYS | DYNAMIC
