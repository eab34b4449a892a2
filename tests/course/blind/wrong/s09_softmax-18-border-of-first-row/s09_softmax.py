import torch
from jaxtyping import Float
from torch import Generator, Tensor


def softmax(logits: Float[Tensor, "..."], dim: int = -1) -> Float[Tensor, "..."]:
    wide = logits.to(torch.promote_types(logits.dtype, torch.float32))
    wide = wide - wide.detach().amax(dim=dim, keepdim=True)
    top = torch.exp(wide)
    return torch.divide(top, torch.sum(top, dim=dim, keepdim=True)).to(logits.dtype)


def apply_temperature(logits: Float[Tensor, "... V"], temperature: float) -> Float[Tensor, "... V"]:
    if temperature <= 0:
        raise ValueError(temperature)
    return logits / temperature


def keep_top_k(logits: Float[Tensor, "... V"], k: int) -> Float[Tensor, "... V"]:
    best = logits.topk(min(k, logits.shape[-1])).values
    border = best.flatten()[best.shape[-1] - 1]
    return torch.where(logits < border, -torch.inf, logits)


def keep_top_p(logits: Float[Tensor, "... V"], p: float) -> Float[Tensor, "... V"]:
    probabilities, place = softmax(logits.double()).sort(descending=True)
    # from the worst up, without turning the order: add from the right
    worse = probabilities.flip(-1).cumsum(-1).flip(-1)
    stays = worse > 1 - p
    stays[..., 0] = True
    result = torch.full_like(logits, -torch.inf)
    kept = torch.where(stays, logits.gather(-1, place), -torch.inf)
    return result.scatter(-1, place, kept)


class Chooser:
    def __init__(self, generator: Generator | None) -> None:
        self.steps = []
        self.generator = generator

    def then(self, function, value):
        if value is not None:
            self.steps.append(lambda logits: function(logits, value))
        return self

    def __call__(self, logits: Tensor) -> Tensor:
        for step in self.steps:
            logits = step(logits)
        probabilities = softmax(logits.double())
        race = torch.empty_like(probabilities).exponential_(generator=self.generator)
        return (probabilities / race).argmax(dim=-1)


def sample(
    logits: Float[Tensor, "... V"],
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    generator: Generator | None = None,
) -> Tensor:
    if temperature == 0:
        return logits.argmax(-1)
    chooser = Chooser(generator)
    chooser.then(apply_temperature, temperature).then(keep_top_k, top_k).then(keep_top_p, top_p)
    return chooser(logits)
