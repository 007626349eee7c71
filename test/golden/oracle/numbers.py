"""Random numbers, the margins that discrete choices keep, and what a case is seen to do."""

import zlib

import torch
from torch import Tensor

Weights = dict[str, Tensor]

# Between consecutive scores where their order decides, so that float32 arithmetic decides alike.
ROUTING_MARGIN = 1e-4
# Between 127 x / max|x| and the next half: float32 errs there by about 127 * 1e-6.
ACTIVATION_MARGIN = 1e-3
# Between a weight and its threshold, both over the scale of the matrix.
WEIGHT_MARGIN = 1e-4
# Between the input of a ReLU and 0.
KINK_MARGIN = 1e-5
# Between an importance times the mean number of experts, or what a budget makes of it, and where it is rounded or clipped; and between remainders.
ALLOCATION_MARGIN = 1e-3
# The mean importance that others are divided by: float32 errs by some 1e-6 in each.
LEAST_IMPORTANCE = 0.02


class NearTie(Exception):
    """A discrete choice is so close that float32 could choose otherwise: the case needs other numbers."""


# False while halves and the like are wanted, exact in float32 too.
keeping_apart = True


def keep_apart(distances: Tensor, margin: float) -> None:
    if keeping_apart and distances.numel() > 0 and distances.abs().min() < margin:
        raise NearTie


witnessed: set[str] = set()


def witness(fact: str, happened: bool) -> None:
    """Remembers that a case did something worth doing, such as dropping a choice; cases say what they must show."""
    if happened:
        witnessed.add(fact)


def seeded(name: str) -> torch.Generator:
    """Every case has a stream of its own, so that a new case leaves the others as they are."""
    return torch.Generator().manual_seed(zlib.crc32(name.encode()))


def normal(generator: torch.Generator, shape: list[int], scale: float = 1.0, mean: float = 0.0) -> Tensor:
    """Normal numbers rounded to multiples of 1/1024, which float32 holds exactly."""
    return torch.round((mean + scale * torch.randn(shape, generator=generator)) * 1024) / 1024


def within(weights: Weights, scope: str) -> Weights:
    """The tensors below `scope`, by their names in it."""
    return {name[len(scope) + 1 :]: tensor for name, tensor in weights.items() if name.startswith(scope + ".")}
