"""A network of one's own: a primitive with its rule, a residual connection, a shared weight and two outputs.

``python -m demos.custom_network`` trains it to read digits drawn by strokes and to redraw them from 24 numbers.
"""

from typing import Any

import numpy as np

import nn
from autograd import defvjp, gradcheck, primitive
from autograd.functions import sigmoid

INK = np.array(list(" .:-=+*#%@"))


@primitive
def squareplus(x: Any) -> Any:
    """(x + √(x² + 4)) / 2, a relu without the kink (Barron, 2021)."""
    return (x + np.sqrt(x * x + 4)) / 2


defvjp(squareplus, lambda y, x: lambda g: g * y / np.sqrt(x * x + 4))


class Redrawer(nn.Module):
    """From an image (n, 784) to the logits of its digit (n, 10), and to the image drawn again (n, 784)."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.encoder = nn.Linear(784, 24, rng=rng)
        self.inner = nn.Sequential(nn.Linear(24, 48, rng=rng), squareplus, nn.Linear(48, 24, rng=rng))
        self.classifier = nn.Linear(24, 10, rng=rng)
        self.paper = nn.Parameter(np.full(784, -2, np.float32))

    def __call__(self, x: Any) -> tuple[Any, Any]:
        code = self.encoder(x)
        code = code + self.inner(code)  # the residual connection
        return self.classifier(code), sigmoid(code @ self.encoder.weight + self.paper)  # the encoder's weight again


def cost(outputs: tuple[Any, Any], target: tuple[Any, Any]) -> Any:
    """That of naming the digit, and that of each pixel."""
    return nn.cross_entropy(outputs[0], target[0]) + 100 * nn.mse_loss(outputs[1], target[1])


def side_by_side(*images: np.ndarray) -> str:
    """Images as text, every other row left out, since letters are higher than wide."""
    rows = np.hstack([INK[(image.reshape(28, 28)[3:26:2] * 9.99).astype(int)] for image in images])
    return "\n".join("".join(row).rstrip() for row in rows)


def main(examples: int = 6000, epochs: int = 12) -> None:
    rng = np.random.default_rng(0)
    model = Redrawer(rng)
    (images, labels), (unseen, digits) = nn.data.strokes(examples, 1), nn.data.strokes(1000, 2)
    gradcheck(squareplus, rng.normal(0, 3, 9), order=2).raise_if_wrong()
    gradcheck(model, unseen[:2], (digits[:2], unseen[:2]), loss=cost, directions=5).raise_if_wrong()
    print("The rule of squareplus is right, also at the second order, and so is the gradient of all "
          f"{sum(p.size for p in model.parameters()):,} parameters.")
    optimizer = nn.AdamW(model.parameters(), lr=0.005)
    schedule = nn.OneCycle(optimizer, 0.005, epochs * -(-examples // 50))
    history = nn.fit(model, cost, (images, (labels, images)), (unseen, (digits, unseen)), optimizer, schedule, epochs,
                     batch_size=50, rng=rng, metrics={"accuracy": lambda o, t: nn.metrics.accuracy(o[0], t[0])})
    print(f"After {history.seconds:.0f} s of training it names {history[-1]['val_accuracy']:.1%} of 1,000 digits that "
          "it has not seen. Above are three of them, below as it draws them from 24 numbers each.")
    for three in unseen[:3], nn.predict(model, unseen[:3])[1]:
        print("-" * 84, side_by_side(*three), sep="\n")


if __name__ == "__main__":
    main()
