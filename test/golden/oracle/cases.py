"""The language models that have vectors: one for each mechanism, and the neighbouring standards in small, which combine them."""

from .attention_cases import ATTENTION, SWITCH_HEAD
from .configs import COSINE, DROPS, LOSS_FREE, Case, bitnet, mh_moe, model, moe, single, single_mh
from .dynamic_cases import DYNAMIC
from .retrieval_cases import PRODUCT_KEYS

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

CASES = DENSE | SPARSE | SCOPES | SELECTION | MULTI_HEAD | BITNET | STANDARDS | ATTENTION | SWITCH_HEAD | PRODUCT_KEYS | DYNAMIC
