"""The optimizers: PyTorch's numbers, dtypes, updates in place, states, and the text of every error."""

import math
import re

import numpy as np
import pytest

from autograd import Value
from nn import (
    LBFGS,
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    AdamW,
    Linear,
    NAdam,
    Optimizer,
    RMSprop,
    Sequential,
    Tanh,
)

X = np.array([[0.5, -1.0], [1.5, 0.25], [-0.75, 2.0]])
Y = np.array([[0.2, -0.4], [0.9, 0.1], [-0.3, 0.6]])


def start(dtype=np.float64):
    """A small problem: a matrix, a vector and a number to learn."""
    return [Value(np.array(x, dtype)) for x in ([[0.3, -0.6], [0.8, 0.1]], [0.05, -0.2], 0.7)]


def set_gradients(parameters):
    w, b, s = parameters
    for p in parameters:
        p.grad = None
    x, y = X.astype(w.dtype), Y.astype(w.dtype)
    (((np.tanh(x @ w.T + b) * s - y) ** 2).sum() / 3).backward()


def run(optimizer, parameters, steps):
    for _ in range(steps):
        set_gradients(parameters)
        optimizer.step()


def flat(parameters):
    return np.concatenate([np.ravel(p.data) for p in parameters])


# (optimizer, its settings, the parameters after ten steps of PyTorch in float64)
PYTORCH = [
    (SGD, {"lr": 0.3},
     [0.648547481621863, -0.25859018893735986, 0.27022894473940073, 0.742538787570559, 0.3008210939724345,
      -0.23710624812446704, 0.6485895557638277]),
    (SGD, {"lr": 0.1, "momentum": 0.9},
     [1.0040581803617636, -0.2397688181338816, -0.06746606287391398, 1.5874084273855706, 0.5165977224792204,
      -0.1285847613682304, 0.715433856222349]),
    (SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True},
     [0.9549336465528577, -0.17808995544275857, -0.0418179321421507, 1.4111548863065508, 0.49212201623051843,
      -0.17197464589199238, 0.6187119933564593]),
    (SGD, {"lr": 0.3, "weight_decay": 0.1},
     [0.5545125404758567, -0.1599353117983568, 0.1694910817038556, 0.6160231943836971, 0.2557452848007267,
      -0.169415101110385, 0.6901975828419422]),
    (SGD, {"lr": 0.1, "momentum": 0.8, "weight_decay": 0.05, "nesterov": True},
     [0.725668622641367, -0.1876133588510193, 0.07772261371120766, 0.9647779218617138, 0.3597860701120935,
      -0.15863352468918657, 0.6429458556603019]),
    (Adam, {"lr": 0.05},
     [0.726606538839855, -0.1849897752577362, 0.3398009142215932, 0.5570750653092917, 0.4613562293288431,
      0.015213252212646706, 0.4543080176153069]),
    (Adam, {"lr": 0.05, "betas": (0.8, 0.95), "eps": 1e-3},
     [0.7055154066768231, -0.20367157347367976, 0.3520982321283691, 0.5427850185193194, 0.43616788056213707,
      -0.03712513286128333, 0.5039780763737062]),
    (Adam, {"lr": 0.05, "weight_decay": 0.1},
     [0.6860255798426489, -0.16896936204509622, 0.33640292916774656, 0.5505034732319873, 0.42419212571284337,
      0.034796944613842154, 0.4259677235363726]),
    (AdamW, {"lr": 0.05},
     [0.7244416768062846, -0.18388590683764663, 0.3370423898173519, 0.5553970967202606, 0.4601636074690655,
      0.01570865776835293, 0.45340709778991156]),
    (AdamW, {"lr": 0.05, "betas": (0.7, 0.9), "weight_decay": 0.2},
     [0.6522142423917268, -0.19583155036815586, 0.3066069858069074, 0.4999104474118158, 0.3956769252529692,
      -0.08148768799204831, 0.5361015639889105]),
    (Adam, {"lr": 0.05, "betas": (0.5, 0.6), "amsgrad": True},
     [0.6079964088663435, -0.25109198825472717, 0.40239340939859053, 0.479481871840891, 0.34862860828948716,
      -0.13462887804825696, 0.576401729683419]),
    (NAdam, {"lr": 0.05},
     [0.5850950219899859, -0.28005236099509806, 0.45472094176169214, 0.43755363704282735, 0.3328652059568999,
      -0.08372968084715002, 0.5595421028317223]),
    (NAdam, {"lr": 0.05, "weight_decay": 0.1, "momentum_decay": 0.1},
     [0.5534781201715923, -0.2756131249211479, 0.4537403327465587, 0.4297643507661321, 0.3078116200434547,
      -0.052810091123568166, 0.5330902359229649]),
    (NAdam, {"lr": 0.05, "weight_decay": 0.1, "decoupled_weight_decay": True},
     [0.5688776530565549, -0.26683243027336895, 0.4259210695510383, 0.42304513000373284, 0.32531619822453717,
      -0.07745496679709116, 0.5508378085659156]),
    (RMSprop, {"lr": 0.02},
     [0.7289954917049217, 0.017342444090441948, 0.17307465080713158, 0.6078814997060453, 0.17045507456353481,
      -0.1763858484016024, 0.7784516107964502]),
    (RMSprop, {"lr": 0.02, "alpha": 0.9, "eps": 0.0001, "weight_decay": 0.1, "momentum": 0.5, "centered": True},
     [0.6172723272644876, -0.1273578240215269, 0.22347753729184905, 0.5742891778723764, 0.29343443941929076,
      -0.17187762371281323, 0.6347598089446786]),
    (Adagrad, {"lr": 0.1},
     [0.5980676306452078, -0.21422213270881255, 0.38934352656315974, 0.4836869227386369, 0.3332814278493447,
      -0.17506713278252056, 0.6418222760013322]),
    (Adagrad, {"lr": 0.1, "lr_decay": 0.1, "weight_decay": 0.1, "initial_accumulator_value": 0.5, "eps": 0.0001},
     [0.4597346698275837, -0.4422374122112632, 0.542610890125841, 0.38618799991788694, 0.1803433729723701,
      -0.134495364156466, 0.53961984873511]),
    (Adadelta, {"lr": 2.0},
     [0.3602174316167323, -0.5371373385019326, 0.7344135690737951, 0.16650993674092843, 0.11086701767246047,
      -0.11210147930695466, 0.6418942468698927]),
    (Adadelta, {"lr": 2.0, "rho": 0.8, "eps": 0.001, "weight_decay": 0.1},
     [0.6414292960558223, 0.03268715864834615, 0.0740676982101691, 0.5235713238281623, 0.08287606227198017,
      -0.08604777794092755, 0.8115337551219869]),
]
EVERY_OPTIMIZER = pytest.mark.parametrize(("kind", "settings", "wanted"), PYTORCH)


@EVERY_OPTIMIZER
def test_ten_steps_equal_pytorch(kind, settings, wanted):
    parameters = start()
    run(kind(parameters, **settings), parameters, 10)
    np.testing.assert_allclose(flat(parameters), wanted, rtol=1e-12)


@EVERY_OPTIMIZER
def test_float32_stays_float32_and_changes_in_place(kind, settings, wanted):
    parameters = start(np.float32)
    w, b, s = parameters
    optimizer = kind(iter(parameters), **{k: np.float64(x) if isinstance(x, float) else x for k, x in settings.items()})
    arrays, buffers = [w.data, b.data], [array for many in optimizer.buffers.values() for array in many]
    run(optimizer, parameters, 10)
    assert w.data is arrays[0] and b.data is arrays[1]
    assert all(a is b for a, b in zip(
        buffers, [array for many in optimizer.buffers.values() for array in many], strict=True))
    assert [array.shape for array in buffers] == [
        shape if b != "product" else () for b in optimizer.buffers for shape in ((2, 2), (2,), ())]
    assert {x.dtype for x in (w.data, b.data, *buffers)} == {np.dtype(np.float32)} and type(s.data) is np.float32
    np.testing.assert_allclose(flat(parameters), wanted, rtol=1e-5, atol=1e-6)


def test_a_step_is_computed_in_the_parameter_s_precision():
    w, g = np.random.default_rng(0).standard_normal((2, 1000)).astype(np.float32)
    parameter = Value(w)
    parameter.grad = g
    SGD([parameter], lr=0.3).step()
    np.testing.assert_array_equal(parameter.data, w - np.float32(0.3) * g, strict=True)


@EVERY_OPTIMIZER
def test_numbers_stay_python_floats(kind, settings, wanted):
    parameters = start()
    optimizer = kind(parameters, **settings)
    for _ in range(3):
        run(optimizer, parameters, 1)
        assert type(parameters[2].data) is float


# PyTorch's
DEFAULTS = {
    SGD: {"momentum": 0, "weight_decay": 0, "nesterov": False},
    Adam: {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0, "amsgrad": False},
    AdamW: {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.01, "amsgrad": False},
    NAdam: {"lr": 2e-3, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0, "momentum_decay": 4e-3,
            "decoupled_weight_decay": False},
    RMSprop: {"lr": 1e-2, "alpha": 0.99, "eps": 1e-8, "weight_decay": 0, "momentum": 0, "centered": False},
    Adagrad: {"lr": 1e-2, "lr_decay": 0, "weight_decay": 0, "initial_accumulator_value": 0, "eps": 1e-10},
    Adadelta: {"lr": 1.0, "rho": 0.9, "eps": 1e-6, "weight_decay": 0},
    LBFGS: {"lr": 1, "max_iter": 20, "max_eval": 25, "tolerance_grad": 1e-7, "tolerance_change": 1e-9,
            "history_size": 100, "line_search_fn": None},
}


@pytest.mark.parametrize("kind", DEFAULTS)
def test_defaults(kind):
    v = Value(1.0)
    optimizer = kind([v], 0.5) if kind is SGD else kind([v])
    wanted = {"lr": 0.5, **DEFAULTS[kind]}
    assert optimizer.param_groups == [{"params": [v], **wanted}]
    assert list(optimizer.param_groups[0]) == ["params", *wanted]  # in the order of the arguments
    assert {k: getattr(optimizer, k) for k in wanted} == wanted
    values = [wanted[k] for k in wanted] if kind is not SGD else [0.5, 0]
    assert kind([v], *values).param_groups == optimizer.param_groups
    with pytest.raises(TypeError, match="lr"):
        SGD([v])


def test_momentum_accumulates_beyond_one():
    w = Value([0.0])
    optimizer = SGD([w], lr=1.0, momentum=0.5)
    moves = []
    for _ in range(4):
        w.grad, before = np.array([1.0]), w.data[0]
        optimizer.step()
        moves.append(before - w.data[0])
    assert moves == [1.0, 1.5, 1.75, 1.875]


@pytest.mark.parametrize("gradient", [1e-6, -3.0, 1e6])
def test_the_first_step_of_adam_is_lr_whatever_the_size_of_the_gradient(gradient):
    w = Value([0.0, 5.0])
    w.grad = np.array([gradient, 0.0])
    Adam([w], lr=0.1, eps=1e-300).step()
    np.testing.assert_allclose(w.data, [-math.copysign(0.1, gradient), 5.0], rtol=1e-12)


# Missing gradients


# The vector has no gradient in the first three of six steps: the parameters after PyTorch's, in float64.
@pytest.mark.parametrize(("kind", "settings", "wanted"), [
    (SGD, {"lr": 0.1, "momentum": 0.9},
     [0.7551324891317654, -0.3894206188604636, 0.263021805078921, 1.0657287680352001, 0.10292182928897627,
      -0.19554800132347977, 0.3777085866309459]),
    (Adam, {"lr": 0.05},
     [0.5867492054666714, -0.31514159306813255, 0.5075681967899704, 0.3930361008762241, 0.19683793558523,
      -0.05731232011937361, 0.45784570000455316]),
    (AdamW, {"lr": 0.05},
     [0.5855256600568226, -0.31384477373159564, 0.505598321666215, 0.3923214675619976, 0.19669575979895784,
      -0.05707746627237665, 0.45658323265475126]),
])
def test_a_parameter_without_a_gradient_waits(kind, settings, wanted):
    parameters = start()
    optimizer = kind(parameters, **settings)
    for i in range(6):
        set_gradients(parameters)
        if i < 3:
            parameters[1].grad = None
        before = parameters[1].data.copy()
        optimizer.step()
        assert np.array_equal(parameters[1].data, before) == (i < 3)
    np.testing.assert_allclose(flat(parameters), wanted, rtol=1e-12)


@EVERY_OPTIMIZER
def test_a_parameter_that_loses_its_gradient_stands_still(kind, settings, wanted):
    parameters = start()
    optimizer = kind(parameters, **settings)
    run(optimizer, parameters, 3)
    still, buffers = parameters[1].data.copy(), [many[1].copy() for many in optimizer.buffers.values()]
    for _ in range(2):
        set_gradients(parameters)
        parameters[1].grad = None
        before = parameters[0].data.copy()
        optimizer.step()
        np.testing.assert_array_equal(parameters[1].data, still)
        assert not np.any(parameters[0].data == before)
    for many, before in zip(optimizer.buffers.values(), buffers, strict=True):
        np.testing.assert_array_equal(many[1], before)


@EVERY_OPTIMIZER
def test_no_gradient_at_all_is_an_error(kind, settings, wanted):
    parameters = start()
    optimizer = kind(parameters, **settings)
    text = (f"{kind.__name__}: no parameter has a gradient; call cost.backward() before step(), on a cost computed "
            "from these parameters")
    run(optimizer, parameters, 1)
    optimizer.zero_grad()
    assert [p.grad for p in parameters] == [None] * 3
    before, steps = flat(parameters), optimizer.steps
    with pytest.raises(ValueError, match=re.escape(text)):
        optimizer.step()
    np.testing.assert_array_equal(flat(parameters), before)
    assert optimizer.steps == steps == 1


# Wrong arguments

V = [Value([1.0])]
NAMED = list(Linear(1, 1, rng=0).named_parameters())


@pytest.mark.parametrize(("call", "error", "text"), [
    (lambda: SGD(V, lr=-0.1), ValueError, "SGD: lr must be a finite number of at least 0, got -0.1"),
    (lambda: SGD(V, lr=math.nan), ValueError, "SGD: lr must be a finite number of at least 0, got nan"),
    (lambda: SGD(V, lr=math.inf), ValueError, "SGD: lr must be a finite number of at least 0, got inf"),
    (lambda: SGD(V, lr="0.1"), ValueError, "SGD: lr must be a finite number of at least 0, got '0.1'"),
    (lambda: SGD(V, lr=0.1, momentum=-1), ValueError, "SGD: momentum must be a finite number of at least 0, got -1"),
    (lambda: SGD(V, lr=0.1, weight_decay=-1), ValueError, "SGD: weight_decay must be a finite number of at least 0"),
    (lambda: SGD(V, lr=0.1, nesterov=True), ValueError, "SGD: nesterov needs a momentum above 0"),
    (lambda: Adam(V, lr=-1), ValueError, "Adam: lr must be a finite number of at least 0, got -1"),
    (lambda: Adam(V, betas=(1.0, 0.9)), ValueError, "Adam: betas[0] must be at least 0 and less than 1, got 1.0"),
    (lambda: Adam(V, betas=(0.9, -0.1)), ValueError, "Adam: betas[1] must be at least 0 and less than 1, got -0.1"),
    (lambda: Adam(V, betas=(math.nan, 0.9)), ValueError, "Adam: betas[0] must be at least 0 and less than 1, got nan"),
    (lambda: Adam(V, betas=(0.9,)), ValueError, "Adam: betas must be two numbers, got (0.9,)"),
    (lambda: Adam(V, betas=0.9), ValueError, "Adam: betas must be two numbers, got 0.9"),
    (lambda: Adam(V, betas=("0.9", 0.9)), ValueError, "Adam: betas[0] must be"),
    (lambda: Adam(V, eps=-1e-8), ValueError, "Adam: eps must be a finite number of at least 0, got -1e-08"),
    (lambda: Adam(V, weight_decay=-1), ValueError, "Adam: weight_decay must be a finite number of at least 0, got -1"),
    (lambda: AdamW(V, weight_decay=-1), ValueError, "AdamW: weight_decay must be a finite number of at least 0"),
    (lambda: AdamW(V, betas=(0.9, 1)), ValueError, "AdamW: betas[1] must be at least 0 and less than 1, got 1"),
    (lambda: Adam(V, betas=(0.9, 0.9), amsgrad=True, eps=-1), ValueError, "Adam: eps must be"),
    (lambda: NAdam(V, betas=(0.9, 2)), ValueError, "NAdam: betas[1] must be at least 0 and less than 1, got 2"),
    (lambda: NAdam(V, momentum_decay=-1), ValueError, "NAdam: momentum_decay must be a finite number of at least 0"),
    (lambda: RMSprop(V, alpha=1), ValueError, "RMSprop: alpha must be at least 0 and less than 1, got 1"),
    (lambda: RMSprop(V, momentum=-0.5), ValueError, "RMSprop: momentum must be a finite number of at least 0"),
    (lambda: Adagrad(V, lr_decay=-1), ValueError, "Adagrad: lr_decay must be a finite number of at least 0, got -1"),
    (lambda: Adagrad(V, initial_accumulator_value=-1), ValueError, "Adagrad: initial_accumulator_value must be"),
    (lambda: Adadelta(V, rho=1.0), ValueError, "Adadelta: rho must be at least 0 and less than 1, got 1.0"),
    (lambda: Adadelta(V, eps=-1), ValueError, "Adadelta: eps must be a finite number of at least 0, got -1"),
    (lambda: SGD([], lr=1), ValueError, "SGD: there are no parameters; was an iterator such as model.parameters() "
                                        "used up?"),
    (lambda: SGD(V[0], lr=1), TypeError, "SGD: parameters must be a list of parameters; write [p] for one"),
    (lambda: Adam([2 * V[0]]), TypeError, "Adam: parameters must be leaf Values, got Value(data=[2.]"),
    (lambda: SGD([1.0], lr=1), TypeError, "SGD: parameters must be leaf Values, got 1.0"),
    (lambda: SGD([np.ones(2)], lr=1), TypeError, "SGD: parameters must be leaf Values, got array([1., 1.])"),
    (lambda: SGD([{"params": V}, V[0]], lr=1), TypeError, "SGD: parameters must be leaf Values, got {'params'"),
    (lambda: SGD(NAMED, lr=1), TypeError, "SGD: parameters must be leaf Values, got ('weight', Parameter("),
    (lambda: SGD(Sequential(Tanh()), lr=1), TypeError, "write model.parameters()"),
])
def test_wrong_arguments(call, error, text):
    with pytest.raises(error, match=re.escape(text)):
        call()


def test_the_learning_rate_is_checked_whenever_it_is_set():
    optimizer = SGD(V, lr=np.float32(0.5))
    assert type(optimizer.lr) is float and optimizer.lr == 0.5
    optimizer.lr = 0
    assert type(optimizer.lr) is float and optimizer.lr == 0
    for lr in (-1.0, math.nan, None):
        with pytest.raises(ValueError, match="SGD: lr must be a finite number of at least 0"):
            optimizer.lr = lr
    assert optimizer.lr == 0


def test_a_used_up_iterator_is_an_error():
    parameters = Linear(2, 1, rng=0).parameters()
    SGD(parameters, lr=1)
    with pytest.raises(ValueError, match="SGD: there are no parameters; was an iterator"):
        SGD(parameters, lr=1)


def test_a_parameter_that_comes_twice_is_updated_once():
    w, same_number = Value([1.0]), Value([1.0])
    optimizer = SGD([w, same_number, w], lr=0.5)
    assert len(optimizer.parameters) == 2
    w.grad = same_number.grad = np.array([1.0])
    optimizer.step()
    assert w.data == same_number.data == 0.5


def test_steps_are_counted_where_parameters_take_turns():
    v, w = Value([1.0]), Value([1.0])
    optimizer = SGD([v, w], lr=0.5)
    for n, p in enumerate([v, w, w, v, v], start=1):
        optimizer.zero_grad()
        p.grad = np.array([1.0])
        optimizer.step()
        assert optimizer.steps == n


def test_a_subclass_says_how_a_parameter_changes():
    class Sign(Optimizer):
        _buffers = ("last",)

        def _update(self, i, data, g):
            self.buffers["last"][i][...] = g
            data -= self.lr * np.sign(g)

    w = Value([1.0, 1.0])
    w.grad = np.array([-5.0, 0.1])
    optimizer = Sign([w], lr=0.25)
    optimizer.step()
    np.testing.assert_array_equal(w.data, [1.25, 0.75])
    np.testing.assert_array_equal(optimizer.state_dict()["last.0"], [-5.0, 0.1])
    with pytest.raises(NotImplementedError):
        Optimizer([w], 0.1).step()


# States


@EVERY_OPTIMIZER
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_state_goes_on_bit_for_bit(kind, settings, wanted, dtype):
    parameters = start(dtype)
    optimizer = kind(parameters, **settings)
    run(optimizer, parameters, 4)
    optimizer.lr = 0.07
    state, middle = optimizer.state_dict(), [np.array(p.data) for p in parameters]
    kept = {k: np.array(x) for k, x in state.items()}
    run(optimizer, parameters, 3)
    for k, x in kept.items():  # a copy, which further steps leave alone
        np.testing.assert_array_equal(state[k], x)

    others = [Value(x) for x in middle]
    fresh = kind(others, **{**settings, "lr": 9.0})
    fresh.load_state_dict(state)
    assert fresh.lr == 0.07 and fresh.steps == 4
    run(fresh, others, 3)
    np.testing.assert_array_equal(flat(others), flat(parameters), strict=True)
    for k, x in optimizer.state_dict().items():
        np.testing.assert_array_equal(fresh.state_dict()[k], x)
    for k, x in kept.items():  # and loading copied it
        np.testing.assert_array_equal(state[k], x)


def state_of(kind, shapes=((2, 2), (2,)), **settings):
    return kind([Value(np.ones(shape)) for shape in shapes], lr=5.0, **settings).state_dict()


@pytest.mark.parametrize(("state", "error", "text"), [
    (state_of(Adam), ValueError, "SGD: the state is that of 'Adam'"),
    ({}, ValueError, "SGD: the state is that of None"),
    (state_of(SGD, momentum=0.5), ValueError, "SGD: the state was made with momentum=0.5, not 0.9"),
    (state_of(SGD, ((2, 2),), momentum=0.9), ValueError,
     "SGD: the state does not fit: missing ['momentum.1'], unknown []"),
    (state_of(SGD, momentum=0.9) | {"mean.0": 1}, ValueError,
     "SGD: the state does not fit: missing [], unknown ['mean.0']"),
    (state_of(SGD, ((2, 2), (2,), ()), momentum=0.9), ValueError,
     "SGD: the state does not fit: missing [], unknown ['momentum.2']"),
    (state_of(SGD, ((2, 2), (3,)), momentum=0.9), ValueError,
     "SGD: momentum.1 has shape (3,) in the state, expected (2,)"),
    (state_of(SGD, ((2, 1), (2,)), momentum=0.9), ValueError,
     "SGD: momentum.0 has shape (2, 1) in the state, expected (2, 2)"),
    (state_of(SGD, momentum=0.9) | {"lr": -1.0}, ValueError, "SGD: lr must be a finite number of at least 0, got -1.0"),
    (state_of(SGD, momentum=0.9) | {"lr": [1.0]}, ValueError, "SGD: lr has shape (1,) in the state, expected ()"),
    (state_of(SGD, momentum=0.9) | {"momentum.1": np.array(["a", "b"])}, ValueError, "could not convert"),
])
def test_a_state_that_does_not_fit_is_refused_whole(state, error, text):
    w, b = Value(np.ones((2, 2))), Value(np.ones(2))
    optimizer = SGD([w, b], lr=0.3, momentum=0.9)
    w.grad, b.grad = np.full((2, 2), 3.0), np.full(2, 4.0)
    optimizer.step()
    before = optimizer.state_dict()
    with pytest.raises(error, match=re.escape(text)):
        optimizer.load_state_dict(state)
    assert optimizer.steps == 1
    for k, x in optimizer.state_dict().items():
        np.testing.assert_equal(x, before[k])


def test_a_gradient_of_another_shape_is_refused_and_changes_nothing():
    v, w = Value([3.0]), Value([1.0, 2.0])
    v.grad, w.grad = np.ones(1), np.ones(1)
    optimizer = SGD([v, w], lr=1.0)
    with pytest.raises(ValueError, match=r"SGD: parameter 1 has shape \(2,\), but its gradient \(1,\)"):
        optimizer.step()
    assert v.data[0] == 3.0 and optimizer.steps == 0
