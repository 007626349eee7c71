"""Product keys."""

from .configs import XL, Case, moe, product_keys, small, switch_head

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
