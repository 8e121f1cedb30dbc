"""Small programs as they are written for HIPS autograd, with the numbers that HIPS autograd 1.9.1 computed for them.

``python PATH/test_hips_programs.py``, run with HIPS autograd away from this checkout, prints the numbers anew.
"""

import textwrap

import autograd.numpy as np
import autograd.numpy.random as npr
from autograd import (
    deriv,
    elementwise_grad,
    grad,
    grad_and_aux,
    hessian,
    hessian_vector_product,
    holomorphic_grad,
    jacobian,
    make_ggnvp,
    make_hvp,
    make_jvp,
    make_vjp,
    tensor_jacobian_product,
    value_and_grad,
)
from autograd.builtins import isinstance, tuple
from autograd.extend import defjvp, defvjp, defvjp_argnum, primitive
from autograd.misc import const_graph, flatten
from autograd.misc.fixed_points import fixed_point
from autograd.misc.flatten import flatten_func
from autograd.misc.optimizers import adam, rmsprop, sgd
from autograd.test_util import check_grads
from autograd.tracer import Node, getval, trace


def tanh_curves():
    def tanh(x):
        return (1.0 - np.exp(-2 * x)) / (1.0 + np.exp(-2 * x))

    x, f, found = np.linspace(-2, 2, 5), tanh, []
    for _ in range(5):
        f = elementwise_grad(f)
        found.append(f(x))
    return found


def taylor_sine():
    def sine(x):
        ans = currterm = x
        i = 0
        while np.abs(currterm) > 0.001:
            currterm = -currterm * x**2 / ((2 * i + 3) * (2 * i + 2))
            ans = ans + currterm
            i += 1
        return ans

    return [sine(2.0), grad(sine)(2.0), grad(grad(sine))(2.0)]


def logistic_regression():
    inputs = np.array([[0.52, 1.12, 0.77], [0.88, -1.08, 0.15], [0.52, 0.06, -1.30], [0.74, -2.49, 1.39]])
    targets = np.array([True, True, False, True])

    def sigmoid(x):
        return 0.5 * (np.tanh(x / 2.0) + 1)

    def training_loss(weights):
        preds = sigmoid(np.dot(inputs, weights))
        return -np.sum(np.log(preds * targets + (1 - preds) * (1 - targets)))

    gradient = grad(training_loss)
    check_grads(training_loss, modes=["rev"])(np.zeros(3))
    weights = np.array([0.0, 0.0, 0.0])
    for _ in range(100):
        weights -= gradient(weights) * 0.01
    return [training_loss(weights), weights]


def logsumexp(x, axis=None):
    top = np.max(x, axis=axis, keepdims=True)
    return top + np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True))


def neural_net():
    rs = npr.RandomState(0)
    images, labels = rs.rand(20, 6), np.array(rs.randint(0, 3, 20)[:, None] == np.arange(3)[None, :], dtype=int)
    params = [(0.5 * rs.randn(m, n), 0.5 * rs.randn(n)) for m, n in ((6, 5), (5, 3))]

    def predict(params, inputs):
        for W, b in params:
            outputs = np.dot(inputs, W) + b
            inputs = np.tanh(outputs)
        return outputs - logsumexp(outputs, axis=1)

    def objective(params, iter):
        flat, _ = flatten(params)
        return 0.1 * np.dot(flat, flat) - np.sum(predict(params, images) * labels)

    seen = []
    trained = adam(grad(objective), params, step_size=0.05, num_iters=10,
                   callback=lambda params, i, g: seen.append(objective(params, i)))
    return [seen[0], seen[-1], objective(trained, 0), flatten(trained)[0][:3]]


def recurrent_net():
    rs = npr.RandomState(1)
    params = {"init hiddens": rs.randn(1, 4), "change": 0.5 * rs.randn(3 + 4 + 1, 4), "predict": rs.randn(5, 2)}
    inputs, targets = rs.randn(6, 2, 3), rs.randn(6, 2, 2)

    def concat_and_multiply(weights, *args):
        cat_state = np.concatenate((*args, np.ones((args[0].shape[0], 1))), axis=1)
        return np.dot(cat_state, weights)

    def loss(params, iter=0):
        hiddens = np.concatenate([params["init hiddens"]] * inputs.shape[1])
        total = 0.0
        for t in range(inputs.shape[0]):
            hiddens = np.tanh(concat_and_multiply(params["change"], inputs[t], hiddens))
            total += np.sum((concat_and_multiply(params["predict"], hiddens) - targets[t, :, :]) ** 2)
        return total

    gradient = grad(loss)(params)
    trained = rmsprop(grad(loss), params, num_iters=5, step_size=0.01)
    return [gradient["init hiddens"], np.sum(np.abs(gradient["change"])), loss(trained)]


def black_box_svi():
    def log_density(x):
        mu, log_sigma = x[:, 0], x[:, 1]
        sigma_density = -0.5 * (log_sigma / 1.35) ** 2
        return sigma_density - log_sigma - 0.5 * (mu / np.exp(log_sigma)) ** 2

    rs = npr.RandomState(0)

    def objective(params, t):
        mean, log_std = params[:2], params[2:]
        samples = rs.randn(50, 2) * np.exp(log_std) + mean
        return -(np.sum(log_std) + np.mean(log_density(samples)))

    return [sgd(grad(objective), np.concatenate([-1 * np.ones(2), -5 * np.ones(2)]), num_iters=8, step_size=0.02)]


def mixture_by_hessian():
    rs = npr.RandomState(2)
    data = np.concatenate([rs.randn(8, 2) - 2, rs.randn(8, 2) + 2])
    start = {"log proportions": 0.1 * rs.randn(2), "means": rs.randn(2, 2), "log scales": np.zeros((2, 2))}

    def loglik(params):
        weights = params["log proportions"] - logsumexp(params["log proportions"])
        scaled = (data[:, None, :] - params["means"]) * np.exp(-params["log scales"])
        parts = weights - 0.5 * np.sum(scaled**2, axis=2) - np.sum(params["log scales"], axis=1)
        return np.sum(logsumexp(parts, axis=1))

    flat_loglik, unflatten, flat = flatten_func(loglik, start)
    value, gradient = value_and_grad(loglik)(start)
    hess = hessian(lambda x: np.sum(flat_loglik(x)))(flat)
    v = np.arange(len(flat)) / 10.0
    return [value, gradient["means"], hess[0, :3], np.trace(hess.copy()), hessian_vector_product(
        lambda x: np.sum(flat_loglik(x)))(flat, v)[:3], unflatten(flat)["means"][0]]


def hidden_markov_em():
    rs = npr.RandomState(3)
    data = rs.randint(0, 3, 12)

    def normalize(a):
        def replace_zeros(a):
            return np.where(a > 0.0, a, 1.0)

        return a / replace_zeros(a.sum(-1, keepdims=True))

    def log_partition(natural_params, data):
        log_pi, log_A, log_B = natural_params
        log_alpha = log_pi
        for y in data:
            log_alpha = np.ravel(logsumexp(log_alpha[:, None] + log_A, axis=0)) + log_B[:, y]
        return np.sum(logsumexp(log_alpha))

    params = [normalize(rs.rand(2)), normalize(rs.rand(2, 2)), normalize(rs.rand(2, 3))]
    logliks = []
    for _ in range(4):
        loglik, stats = value_and_grad(log_partition)(list(map(np.log, params)), data)
        logliks.append(loglik)
        params = list(map(normalize, stats))
    return [logliks, params[2]]


def own_gradient():
    @primitive
    def logsumexp(x):
        max_x = np.max(x)
        return max_x + np.log(np.sum(np.exp(x - max_x)))

    def logsumexp_vjp(ans, x):
        x_shape = x.shape
        return lambda g: np.full(x_shape, g) * np.exp(x - np.full(x_shape, ans))

    defvjp(logsumexp, logsumexp_vjp)
    defjvp(logsumexp, lambda g, ans, x: np.sum(g * np.exp(x - ans)))

    def example(y):
        return np.sum(logsumexp(y**2))

    x = np.array([1.5, 0.7, 1e-10])
    check_grads(example)(x)
    return [grad(example)(x), jacobian(grad(example))(x)]


def own_structures():
    @primitive
    def scale_all(params, factor):
        return factor * (params["w"] @ params["w"] + params["b"])

    defvjp_argnum(scale_all, lambda argnum, ans, args, kwargs: lambda g: (
        {"w": 2 * g * args[1] * args[0]["w"], "b": g * args[1]} if argnum == 0 else g * ans / args[1]))
    gradients = grad(scale_all, (0, 1))({"w": np.array([1.0, 2.0]), "b": 3.0}, 0.5)
    return [gradients[0]["w"], gradients[0]["b"], gradients[1]]


def fixed_points():
    def descend(a):
        return lambda x: x - 0.05 * (x**2 - a)

    def sqrt(a, guess=10.0):
        return fixed_point(descend, a, guess, lambda x, y: np.abs(x - y), 1e-4)

    return [sqrt(2.0), grad(sqrt)(2.0), grad(grad(sqrt))(2.0)]


def pendulum():
    def simulate(params):
        length, damping, angle = params
        speed = 0.0
        for _ in range(40):
            speed = speed + 0.05 * (-9.81 / length * np.sin(angle) - damping * speed)
            angle = angle + 0.05 * speed
        return angle

    params = (1.5, 0.2, 1.0)
    check_grads(simulate)(tuple(params))
    return [simulate(params), *grad(simulate)(params)]


def learning_rate():
    rs = npr.RandomState(4)
    X, y = rs.randn(10, 3), rs.randn(10)

    def loss(w):
        return np.mean((np.dot(X, w) - y) ** 2)

    def trained(log_rate):
        w = np.zeros(3)
        for _ in range(10):
            w = w - np.exp(log_rate) * grad(loss)(w)
        return loss(w)

    return [trained(-2.0), grad(trained)(-2.0), grad(grad(trained))(-2.0)]


def convnet():
    rs = npr.RandomState(5)
    images, filters = rs.randn(2, 6, 6), rs.randn(3, 3, 3)

    def features(filters):
        patches = np.array([[images[:, i:i + 3, j:j + 3] for j in range(4)] for i in range(4)])
        maps = np.einsum("ijnkl,fkl->nfij", patches, filters)
        pooled = np.max(np.max(np.reshape(maps, (2, 3, 2, 2, 2, 2)), axis=3), axis=4)
        return np.sum(np.maximum(pooled, 0.0) ** 2)

    return [features(filters), grad(features)(filters)[0]]


def complex_numbers():
    z = np.array([1.0 + 2.0j, -0.5 + 0.3j])
    power = grad(lambda z: np.sum(np.abs(z) ** 3))(z)
    split = grad(lambda z: np.sum(np.real(z * z) + np.imag(z) ** 2 * np.real(z)))(z)
    whole = holomorphic_grad(lambda z: np.sum(np.exp(z) * z))(z)
    return [np.real(power), np.imag(power), np.real(split), np.imag(split), np.real(whole), np.imag(whole)]


def operators():
    A, x, v = npr.RandomState(6).randn(3, 4), np.arange(4.0) / 3, np.array([1.0, -1.0, 0.5, 2.0])

    def f(x):
        return np.tanh(np.dot(A, x))

    vjp, value = make_vjp(f)(x)
    return [value, vjp(np.ones(3)), make_jvp(f)(x)(v)[1], jacobian(f)(x)[0], make_ggnvp(f)(x)(v),
            make_hvp(lambda x: np.sum(f(x) ** 3))(x)[0](v), tensor_jacobian_product(lambda x: f(x) * x[:3])(x, v[:3]),
            deriv(lambda t: np.sin(t) * t)(1.3), grad_and_aux(lambda x: (np.sum(f(x)), x[0]))(x)[0]]


def traced():
    calls = []

    class Recorder(Node):
        def initialize_root(self):
            self.depth = 0

        def __init__(self, value, fun, args, kwargs, parent_argnums, parents):
            self.depth = 1 + max(parent.depth for parent in parents)
            calls.append((getval(value), *parent_argnums))

    value, node = trace(Recorder.new_root(), lambda x: np.sin(x + x) * np.exp(x), 1.23)
    return [value, node.depth, *calls]


def replayed():
    squares = const_graph(lambda x, y: grad(lambda x: np.sin(x) + x * 2)(x * y), 0.5)
    return [squares(0.3), squares(2.0)]


def containers():
    def f(params):
        assert isinstance(params["w"], np.ndarray) and isinstance(params["layers"], list)
        total = np.sum(params["w"]) * params["layers"][0]
        for name, value in sorted(params.items()):
            total = total + (np.sum(value**2) if isinstance(value, np.ndarray) else value[1] * len(name))
        return total + params.get("missing", 1.0)

    gradient = grad(f)({"w": np.array([1.0, 2.0]), "layers": [3.0, 4.0]})
    return [gradient["w"], *gradient["layers"], grad(lambda x: np.sum([x, x**2]) + np.array([[x, 1.0]])[0, 0])(3.0)]


PROGRAMS = [tanh_curves, taylor_sine, logistic_regression, neural_net, recurrent_net, black_box_svi,
            mixture_by_hessian, hidden_markov_em, own_gradient, own_structures, fixed_points, pendulum, learning_rate,
            convnet, complex_numbers, operators, traced, replayed, containers]


def numbers(found):
    return [float(x) for part in found for x in np.ravel(np.array(part, dtype=float))]


def pytest_generate_tests(metafunc):
    metafunc.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)


def test_the_numbers_are_those_of_hips_autograd(program):
    npr.seed(0)  # for check_grads
    found, expected = numbers(program()), HIPS[program.__name__]
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected):  # noqa: B905
        assert abs(ours - theirs) <= 1e-8 + 1e-7 * abs(theirs)


# What HIPS autograd 1.9.1 computed, with NumPy 2.4.6
HIPS = {
    "tanh_curves": [0.07065082485, 0.4199743416, 1, 0.4199743416, 0.07065082485, 0.1362186874, 0.6397000084, 0,
        -0.6397000084, -0.1362186874, 0.2526540651, 0.6216266808, -2, 0.6216266808, 0.2526540651, 0.4293871982,
        -0.6650910448, 0, 0.6650910448, -0.4293871982, 0.5737472735, -5.556893558, 16, -5.556893558, 0.5737472735],
    "taylor_sine": [0.909296136, -0.4161552028, -0.9093474427],
    "logistic_regression": [1.067270676, 0.4830736619, -0.3705721743, 1.069373951],
    "neural_net": [24.83591329, 21.69759703, 21.7052815, 0.487629973, 0.5389499805, 0.5508454435],
    "recurrent_net": [-1.227204629, -3.156606179, 4.931921511, -1.801090426, 296.8863561, 63.14205983],
    "black_box_svi": [-0.6525661727, -0.7019634754, -4.942688889, -4.942510634],
    "mixture_by_hessian": [-73.95844842, 5.924567307, 4.923002999, -20.71525551, -9.395754025, -2.930701694,
        2.930701694, 4.875626347, -111.25155, -3.192485851, 3.192485851, -32.78503266, 0.3704445367, 1.359633863],
    "hidden_markov_em": [-13.96345832, -12.93577624, -12.92710665, -12.9187834, 0.2794866201, 0.4126287899,
        0.30788459, 0.4761210438, 0.427374083, 0.09650487315],
    "own_gradient": [2.348439378, 0.1885505687, 1.650157929e-11, 3.095776874, -0.4427995802, -3.87529586e-11,
        -0.4427995802, 0.4977774345, -3.11138216e-12, -3.87529586e-11, -3.11138216e-12, 0.1650157929],
    "own_structures": [1, 2, 0.5, 8],
    "fixed_points": [1.414793939, 0.3533807616, -0.08809989985],
    "pendulum": [0.1363207388, -1.346821721, -0.1118726002, -0.3009321957],
    "learning_rate": [1.213005018, -0.01459962495, 0.03999216621],
    "convnet": [254.9785475, 81.34699749, 11.95516375, 4.969345835, -17.71958614, 24.18704409, -22.06849797,
        5.035561325, -45.58138727, 63.37659332],
    "complex_numbers": [6.708203933, -0.8746427842, -13.41640787, -0.5247856705, 6, -0.91, 0, 0.9, -7.205862112,
        0.2359478157, 2.681044577, 0.2634532943],
    "operators": [-0.470627945, -0.428697846, 0.9763448338, -2.195843908, 1.29285098, 1.212519775, -1.907646092,
        -2.125377821, -4.786863823, 0.2145144596, -0.242726501, 0.5675363615, 0.1695755174, -0.6999513587,
        10.24848877, -4.778728478, -4.737602729, 7.409448357, -22.27424766, 10.03825544, 6.507218585, -15.48146553,
        0.2315032659, 0.1735277365, 0.2225339179, 0.4213220117, 1.311306663, -2.195843908, 1.29285098, 1.212519775,
        -1.907646092],
    "traced": [2.1554794, 3, 2.46, 0, 1, 0.63003063, 0, 3.421229536, 0, 2.1554794, 0, 1],
    "replayed": [2.988771078, 2.540302306],
    "containers": [5, 7, 3, 6, 8],
}

if __name__ == "__main__":
    for program in PROGRAMS:
        row = ", ".join(f"{x:.10g}" for x in numbers(program()))
        print("\n".join(textwrap.wrap(f'"{program.__name__}": [{row}],', 116, initial_indent="    ",
                                      subsequent_indent="        ", break_on_hyphens=False)))
