"""The demo of a custom network: its rule, its residual, its shared weight and its two outputs, in under 80 lines."""

import re
from pathlib import Path

import numpy as np

from autograd import gradcheck
from demos import custom_network


def test_it_learns_and_shows_what_it_did(capsys):
    custom_network.main(examples=1500, epochs=8)
    printed = capsys.readouterr().out
    assert "The rule of squareplus is right" in printed and "22,250 parameters" in printed
    assert float(re.search(r"it names ([\d.]+)% of 1,000 digits", printed)[1]) > 85
    above, below = printed.split("-" * 84)[1:]
    for picture in above, below:
        assert len(picture.strip("\n").splitlines()) >= 9 and "@" in picture
    assert above != below


def test_the_weight_is_shared_and_the_code_has_its_residual():
    model = custom_network.Redrawer(np.random.default_rng(0))
    assert len(model.state_dict()) == len(list(model.parameters())) == 9
    x = np.ones((2, 784), np.float32)
    for layer in (model.inner[0], model.inner[2]):
        for p in layer.parameters():
            p.data[...] = 0
    np.testing.assert_allclose(model(x)[0].data, model.classifier(model.encoder(x)).data, rtol=1e-6)
    model(x)[1].sum().backward()
    assert np.abs(model.encoder.weight.grad).min() > 0


def test_the_primitive():
    x = np.linspace(-30, 30, 13)
    np.testing.assert_allclose(custom_network.squareplus(x) * custom_network.squareplus(-x), 1)
    assert gradcheck(custom_network.squareplus, x, order=2)


def test_it_is_short():
    assert len(Path(custom_network.__file__).read_text().splitlines()) < 80
