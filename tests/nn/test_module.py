"""`Module`: what walking finds and how it is named, states, modes, what it looks like, copies, and every error."""

import copy
import pickle
import re

import numpy as np
import pytest

import nn
from autograd import Value
from nn import MLP, Linear, Module, Parameter, Sequential, Sigmoid, Tanh, summary


class Pair(Module):
    """Two parameters, of which the second is one number."""

    def __init__(self, first=(1.0, 2.0), second=3.0):
        self.first = Parameter(np.array(first, np.float32))
        self.second = Parameter(second)

    def __call__(self, x):
        return x * self.first + self.second


class Everywhere(Module):
    """A parameter or a module in each place where one is looked for, and much that is none."""

    def __init__(self):
        self.scale = Parameter(2.0)
        self.layers = [Linear(2, 2, rng=0), Tanh(), (Parameter([1.0]), [Parameter([2.0, 3.0])])]
        self.table = {"a": Linear(2, 1, bias=False, rng=1), 3: Parameter([[1.0]]), "deep": {"er": [Pair()]}}
        self.tied = self.layers[0].weight
        self.again = self.layers[0]
        self._hidden = Parameter([4.0])
        self.value, self.array, self.number, self.text = Value([1.0]), np.ones(3), 5, "text"
        self.nothing, self.function, self.kind = None, np.tanh, Linear
        self.last = (Pair(),)


class Parent(Module):
    def __init__(self):
        self.own = Parameter([1.0, 2.0])
        self.child = Child(self)
        self.me = self


class Child(Module):
    def __init__(self, parent):
        self.parent = parent
        self.weight = Parameter([3.0])


PATHS = ["scale", "layers.0.weight", "layers.0.bias", "layers.2.0", "layers.2.1.0", "table.a.weight", "table.3",
         "table.deep.er.0.first", "table.deep.er.0.second", "_hidden", "last.0.first", "last.0.second"]


# Walking


def test_parameters_are_found_everywhere_in_order_each_once():
    model = Everywhere()
    named = dict(model.named_parameters())
    assert list(named) == PATHS
    assert list(model.parameters()) == list(named.values())
    assert named["layers.0.weight"] is model.tied
    assert named["table.deep.er.0.second"] is model.table["deep"]["er"][0].second
    assert [path for path, _ in model.named_modules()] == [
        "", "layers.0", "layers.1", "table.a", "table.deep.er.0", "last.0"]
    assert [type(module).__name__ for module in model.modules()] == [
        "Everywhere", "Linear", "Tanh", "Linear", "Pair", "Pair"]
    assert [name for name, _ in model.named_children()][:2] == ["layers.0", "layers.1"]


def test_what_is_assigned_later_is_found_and_what_is_removed_is_not():
    model = Pair()
    model.third = Parameter([5.0])
    del model.first
    model.second = None
    assert [path for path, _ in model.named_parameters()] == ["third"]


def test_modules_that_refer_to_each_other():
    model = Parent()
    assert [path for path, _ in model.named_parameters()] == ["own", "child.weight"]
    assert [path for path, _ in model.child.named_parameters()] == ["parent.own", "weight"]
    assert [path for path, _ in model.named_modules()] == ["", "child"]
    assert model.eval().child.training is False
    twin = copy.deepcopy(model)
    assert twin.me is twin and twin.child.parent is twin


def test_modules_that_refer_to_each_other_can_be_shown():
    assert repr(Parent()) == "Parent(\n  (child): Child(\n    (parent): ...\n  )\n  (me): ...\n)"
    assert summary(Parent()).splitlines()[-1].split() == ["total", "3"]


# States


def test_state_is_a_copy_by_path():
    model = Everywhere()
    state = model.state_dict()
    assert list(state) == PATHS
    assert {(type(x), x.dtype.name) for x in state.values()} == {(np.ndarray, "float32"), (np.ndarray, "float64")}
    assert state["table.deep.er.0.first"].dtype == np.float32 and state["scale"].shape == ()
    for path, p in model.named_parameters():
        np.testing.assert_array_equal(state[path], p.data)
        state[path][...] = 77
        assert not np.any(p.data == 77)
    before = model.state_dict()
    for p in model.parameters():
        p.data = p.data * 0 - 5
    assert not any(np.any(x == -5) for x in before.values())


def test_loading_copies_into_the_same_arrays_in_their_dtypes():
    model = Pair()
    array, state = model.first.data, {"first": np.array([7.5, -1.0]), "second": np.float32(0.5)}
    model.load_state_dict(state)
    assert model.first.data is array and array.dtype == np.float32
    assert type(model.second.data) is float and model.second.data == 0.5
    state["first"][:] = 0
    np.testing.assert_array_equal(array, [7.5, -1.0])
    single = Pair(second=np.float32(1.0))
    single.load_state_dict({"first": [True, False], "second": 4})
    assert type(single.second.data) is np.float32 and single.second.data == 4
    np.testing.assert_array_equal(single.first.data, [1, 0])


def test_a_state_comes_back_bit_for_bit():
    model, other = Everywhere(), Everywhere()
    for i, p in enumerate(model.parameters()):
        p.data = p.data * 0 + i / 3 if p.shape else i / 3
    other.load_state_dict(model.state_dict())
    for path, x in other.state_dict().items():
        np.testing.assert_array_equal(x, model.state_dict()[path], strict=True)


FAULTS = [
    ({"first": None}, ["missing: first"]),
    ({"first": None, "second": None}, ["missing: first", "missing: second"]),
    ({"third": 1.0}, ["unknown: third"]),
    ({"first": np.ones(3)}, ["first: expected shape (2,), got (3,)"]),
    ({"first": np.ones((1, 2))}, ["first: expected shape (2,), got (1, 2)"]),
    ({"first": 1.0}, ["first: expected shape (2,), got ()"]),
    ({"second": [1.0]}, ["second: expected shape (), got (1,)"]),
    ({"first": np.array(["a", "b"])}, ["first: expected float32, got <U1"]),
    ({"second": 1j}, ["second: expected float64, got complex128"]),
    ({"first": np.ones(2, complex)}, ["first: expected float32, got complex128"]),
    ({"first": None, "third": 1.0, "x.y": 2.0, "second": [1.0]},
     ["missing: first", "unknown: third", "unknown: x.y", "second: expected shape (), got (1,)"]),
]


@pytest.mark.parametrize(("change", "texts"), FAULTS)
def test_a_state_that_does_not_fit_is_refused_whole(change, texts):
    model = Pair()
    state = {"first": np.array([8.0, 9.0]), "second": np.array(10.0)} | change
    state = {path: x for path, x in state.items() if x is not None}
    with pytest.raises(ValueError, match="the state does not fit Pair: ") as caught:
        model.load_state_dict(state)
    assert str(caught.value).removeprefix("the state does not fit Pair: ").split("; ") == texts
    np.testing.assert_array_equal(model.first.data, [1, 2])
    assert model.second.data == 3.0


def test_faults_are_listed_in_the_order_of_the_parameters():
    model = Everywhere()
    with pytest.raises(ValueError) as caught:
        model.load_state_dict({path: np.ones(9) for path in PATHS})
    assert [fault.split(":")[0] for fault in str(caught.value).split(": ", 1)[1].split("; ")] == PATHS


def test_two_parameters_with_one_path_are_an_error():
    model = Pair()
    model.table = {1: Parameter([1.0]), "1": Parameter([2.0])}
    for call in (model.state_dict, lambda: model.load_state_dict({})):
        with pytest.raises(ValueError, match=re.escape("Pair: two parameters have the path table.1; rename one")):
            call()


def test_what_is_shared_may_be_under_any_of_its_paths_or_under_all_as_in_pytorch():
    def tied(seed):
        first, norm = Linear(2, 2, rng=seed), nn.BatchNorm1d(2)
        model = Sequential(first, norm, Linear(2, 2, rng=seed), norm)
        model[2].weight, model.parent = first.weight, model
        return model

    state = tied(0).state_dict()
    assert not any(path.startswith("3.") or path == "2.weight" for path in state)
    repeated = {"2.weight": state["0.weight"], **{f"3.{k[2:]}": x for k, x in state.items() if k.startswith("1.")}}
    without = {path: x for path, x in state.items() if path != "0.weight" and not path.startswith("1.")}
    for given in (state | repeated, without | repeated):
        model = tied(1)
        model.load_state_dict(given)
        assert all(np.array_equal(x, state[path]) for path, x in model.state_dict().items())
    with pytest.raises(ValueError, match=r"2\.weight: differs from 0\.weight, which is the same array here$"):
        tied(1).load_state_dict(state | {"2.weight": np.ones((2, 2))})
    with pytest.raises(ValueError, match=r"Sequential: unknown: 4\.weight$"):
        tied(1).load_state_dict(state | repeated | {"4.weight": np.ones((2, 2))})


def test_a_state_must_be_a_dict():
    with pytest.raises(TypeError, match="state: expected a dict of arrays by path, or the path of a safetensors file"):
        Pair().load_state_dict([1.0])


# Dtypes, modes, gradients


@pytest.mark.parametrize("dtype", [None, np.float32, np.float64, "float64"])
def test_parameters_and_gradients_are_float32_unless_asked_otherwise(dtype):
    keyword = {} if dtype is None else {"dtype": dtype}
    wanted = np.dtype(dtype or np.float32)
    for model in (Linear(3, 2, rng=0, **keyword), MLP([3, 4, 2], Tanh, rng=0, **keyword)):
        output = model(np.ones((5, 3), wanted))
        assert output.dtype == wanted
        nn.quadratic_cost(output, np.zeros((5, 2), wanted)).backward()
        assert all(p.dtype == p.grad.dtype == wanted and p.grad.shape == p.shape for p in model.parameters())


def test_train_and_eval_reach_all_modules_and_return_the_model():
    model = Everywhere()
    assert all(module.training for module in model.modules())
    assert model.eval() is model
    assert not any(module.training for module in model.modules())
    assert model.train() is model
    assert all(module.training for module in model.modules())
    assert model.train(False).training is False
    assert Linear(1, 1, rng=0).training is True


def test_zero_grad_forgets_all_gradients():
    model = MLP([2, 3, 1], rng=0)
    for _ in range(2):
        model(np.ones(2)).sum().backward()
    twice = [p.grad.copy() for p in model.parameters()]
    model.zero_grad()
    assert [p.grad for p in model.parameters()] == [None] * 4
    model(np.ones(2)).sum().backward()
    for p, g in zip(model.parameters(), twice, strict=True):
        np.testing.assert_allclose(2 * p.grad, g, rtol=1e-6)


def test_a_module_that_does_not_compute_says_what_to_write():
    class Forgotten(Module):
        pass

    with pytest.raises(TypeError, match=re.escape("Forgotten does not say what it computes: define __call__(self, x)")):
        Forgotten()(1.0)


# What it looks like


@pytest.mark.parametrize(("module", "text"), [
    (Linear(2, 3, rng=0), "Linear(in_features=2, out_features=3)"),
    (Sigmoid(), "Sigmoid()"),
    (nn.LeakyReLU(0.2), "LeakyReLU(negative_slope=0.2)"),
    (nn.GELU("tanh").eval(), "GELU(approximate='tanh')"),
    (Sequential(), "Sequential()"),
    (MLP([2, 3, 1], rng=0),
     "MLP(\n  (0): Linear(in_features=2, out_features=3)\n  (1): ReLU()\n"
     "  (2): Linear(in_features=3, out_features=1)\n)"),
    (Sequential(np.tanh, Tanh()), "Sequential(\n  (0): <ufunc 'tanh'>\n  (1): Tanh()\n)"),
    (Sequential(Sequential(Tanh())), "Sequential(\n  (0): Sequential(\n    (0): Tanh()\n  )\n)"),
], ids=str)
def test_repr(module, text):
    assert repr(module) == text


def test_summary_of_the_digit_network():
    assert summary(MLP([784, 16, 16, 10], Sigmoid, Sigmoid, rng=0)).splitlines() == [
        "path   module  parameters                         count",
        "0      Linear  weight (16, 784), bias (16,)      12,560",
        "2      Linear  weight (16, 16), bias (16,)          272",
        "4      Linear  weight (10, 16), bias (10,)          170",
        "total                                            13,002",
    ]


def test_summary_of_many_parameters_takes_several_lines():
    assert summary(nn.LSTM(3, 2, bidirectional=True, rng=0)).splitlines()[1:3] == [
        "-      LSTM    weight_ih_l0 (8, 3), weight_hh_l0 (8, 2), bias_ih_l0 (8,), bias_hh_l0 (8,)"
        + " " * 32 + "         112",
        "               weight_ih_l0_reverse (8, 3), weight_hh_l0_reverse (8, 2), bias_ih_l0_reverse (8,), "
        "bias_hh_l0_reverse (8,)",
    ]


@pytest.mark.parametrize(("model", "rows", "total"), [
    (Linear(2, 3, bias=False, rng=0), [("-", "Linear", 6)], 6),
    (Everywhere(), [("-", "Everywhere", 6), ("layers.0", "Linear", 6), ("table.a", "Linear", 2),
                    ("table.deep.er.0", "Pair", 3), ("last.0", "Pair", 3)], 20),
    (Sequential(Tanh()), [], 0),
], ids=["bare", "everywhere", "none"])
def test_summary_counts_each_parameter_once(model, rows, total):
    _, *lines, last = summary(model).splitlines()
    lines = [line for line in lines if not line.startswith(" ")]  # others go on with a module's parameters
    assert [(line.split()[0], line.split()[1], int(line.split()[-1])) for line in lines] == rows
    assert last.split() == ["total", str(total)]
    assert total == sum(p.size for p in model.parameters())
    assert len({len(line) for line in lines} | {len(last)}) == 1


# Copies


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))],
                         ids=["deepcopy", "pickle"])
def test_a_copy_of_a_model_is_its_own(copied):
    model = MLP([3, 4, 2], Tanh, rng=0).eval()
    model.tied = model[0].weight
    x = np.ones((2, 3), np.float32)
    model(x).sum().backward()
    twin = copied(model)
    assert twin.tied is twin[0].weight and not twin.training
    assert all(type(p) is Parameter for p in twin.parameters())
    for mine, its in zip(model.parameters(), twin.parameters(), strict=True):
        np.testing.assert_array_equal(mine.grad, its.grad)
        assert not np.shares_memory(mine.grad, its.grad)
    assert [(path, p.name, p.dtype) for path, p in twin.named_parameters()] == [
        (path, p.name, p.dtype) for path, p in model.named_parameters()]
    np.testing.assert_array_equal(twin(x).data, before := model(x).data)
    optimizer = nn.SGD(twin.parameters(), lr=0.1)
    nn.train_step(twin, nn.mse_loss, optimizer, x, np.zeros((2, 2), np.float32))
    np.testing.assert_array_equal(model(x).data, before)
    assert not np.array_equal(twin(x).data, before)


# Buffers


class Mean(Module):
    _buffers = ("running_mean", "count", "absent")

    def __init__(self):
        self.weight = Parameter([1.0, 2.0])
        self.running_mean, self.count, self.absent = np.zeros(2, np.float32), np.array(0), None


def test_buffers_belong_to_the_state_but_not_to_the_parameters():
    model = Sequential(Tanh(), Mean())
    assert [path for path, _ in model.named_buffers()] == ["1.running_mean", "1.count"]
    assert list(map(id, model.buffers())) == [id(model[1].running_mean), id(model[1].count)]
    assert [path for path, _ in model.named_parameters()] == ["1.weight"]
    model[1].running_mean += 3
    model[1].count += 1
    state = model.state_dict()
    assert list(state) == ["1.weight", "1.running_mean", "1.count"]
    other = Sequential(Tanh(), Mean())
    mean, count = other[1].running_mean, other[1].count
    other.load_state_dict(state)
    assert other[1].running_mean is mean and mean.tolist() == [3, 3] and mean.dtype == np.float32
    assert other[1].count is count and count == 1
    del state["1.count"]
    with pytest.raises(ValueError, match=r"^the state does not fit Sequential: missing: 1\.count$"):
        other.load_state_dict(state)


def test_a_state_is_loaded_from_a_safetensors_file(tmp_path):
    path = tmp_path / "model.safetensors"
    nn.save_parameters(Linear(2, 3, rng=0), path)
    layer = Linear(2, 3, rng=1)
    layer.load_state_dict(path)
    np.testing.assert_array_equal(layer.weight.data, Linear(2, 3, rng=0).weight.data)
    layer.load_state_dict(str(path))
    with pytest.raises(ValueError, match=f"^{re.escape(str(path))}: the state does not fit Linear: weight: expected"):
        Linear(2, 4, rng=0).load_state_dict(path)
    with pytest.raises(FileNotFoundError, match=r"^there is no file .*nowhere$"):
        layer.load_state_dict(tmp_path / "nowhere")
