"""Positions, norms and SwitchHead."""

from .configs import ALL_FOUR, LOSS_FREE, XL, Case, bitnet, mh_moe, model, moe, sigma_moe, small, switch_head

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
