"""Units that take different numbers of experts."""

from .configs import COSINE, DROPS, Case, bitnet, dynamic, moe, small, switch_head, top_p

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
    "dynamic-bitnet": Case(varied(bitnet=bitnet(), **dynamic("row_max")), shows=VARIED),
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
