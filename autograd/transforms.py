"""Functions of functions: gradients, Jacobians, Hessians and the products with them.

Each takes the function and ``argnum``, the number of an argument or a tuple of several, and gives a function of the
same arguments. These may be numbers, arrays, and nested dicts, lists, tuples, named tuples and dataclasses of them;
what belongs to an argument has its structure, shapes and dtypes. Results are plain arrays, unless the function was
applied to, or refers to, Values: then they are Values, and can be differentiated again. So all of these nest. Names
and signatures are those of HIPS autograd.

All raise ``TypeError`` where ``argnum`` names no argument, or an argument is not made of real or complex floats.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .linearize import Linearization, check_numeric, checked_argnums, described, name_of_user, ones, warn
from .numerics import is_numeric
from .trees import leaves, tree_map
from .value import Value

__all__ = ["deriv", "elementwise_grad", "grad", "grad_and_aux", "grad_named", "hessian", "hessian_tensor_product",
           "hessian_vector_product", "holomorphic_grad", "jacobian", "make_ggnvp", "make_hvp", "make_jvp",
           "make_jvp_reversemode", "make_vjp", "multigrad_dict", "tensor_jacobian_product", "value_and_grad",
           "vector_jacobian_product"]

Argnum = int | tuple[int, ...]


def _transform(f: Callable, argnum: Argnum, result: Callable[[Linearization, Callable], Any], name: str,
               kept: bool = False) -> Callable:
    """The function that linearizes ``f`` at its arguments, and gives ``result`` of that and of ``select``, which takes
    a list of what belongs to each of ``argnum`` to the form of ``argnum``. ``kept`` says that the result goes on to use
    the linearization."""
    argnums = checked_argnums(f, argnum)
    select = tuple if isinstance(argnum, (tuple, list)) else lambda parts: parts[0]

    @functools.wraps(f, assigned=("__doc__",), updated=())
    def transformed(*args: Any, **kwargs: Any) -> Any:
        return result(Linearization(f, argnums, args, kwargs, kept), select)

    del transformed.__wrapped__  # whose results are others
    transformed.__name__ = f"{name}_{getattr(f, '__name__', 'f')}"
    return transformed


def grad(f: Callable, argnum: Argnum = 0) -> Callable:
    """The function that computes the gradient of ``f``, which returns a scalar.

    Raises ``TypeError`` where ``f`` does not return a real scalar.

    >>> f = lambda x: x**3
    >>> grad(f)(2.0), grad(grad(f))(2.0)
    (12.0, 12.0)
    >>> grad(lambda w, x: np.sum(w * x), argnum=(0, 1))(np.ones(2), np.array([3.0, 4.0]))
    (array([3., 4.]), array([1., 1.]))
    """
    return _transform(f, argnum, lambda at, select: select(_gradient(f, at, at.y)), "grad")


def value_and_grad(f: Callable, argnum: Argnum = 0) -> Callable:
    """The function that computes ``f`` and its gradient at once; see ``grad``.

    >>> value_and_grad(lambda x: x**3)(2.0)
    (8.0, 12.0)
    """
    return _transform(f, argnum, lambda at, select: (at.value, select(_gradient(f, at, at.y))), "value_and_grad")


def grad_and_aux(f: Callable, argnum: Argnum = 0) -> Callable:
    """For an ``f`` that returns a scalar and something more: the gradient of the scalar, and what came with it.

    >>> grad_and_aux(lambda x: (x**2, "twice"))(3.0)
    (6.0, 'twice')
    """
    def result(at: Linearization, select: Callable) -> Any:
        if not isinstance(at.y, (tuple, list)) or len(at.y) != 2:
            raise TypeError(f"grad_and_aux needs a function that returns (scalar, auxiliary): {name_of_user(f)} "
                            f"returned {type(at.y).__name__}")
        return select(_gradient(f, at, at.y[0])), at.value[1]

    return _transform(f, argnum, result, "grad_and_aux")


def grad_named(f: Callable, argname: str) -> Callable:
    """The function that computes the gradient with respect to the argument of that name, however it is passed.

    >>> grad_named(lambda x, rate: x * rate, "rate")(3.0, rate=2.0)
    3.0
    """
    signature = inspect.signature(f)
    if argname not in signature.parameters:
        raise TypeError(f"argname: {name_of_user(f)} has no argument {argname!r}; it has "
                        f"{', '.join(signature.parameters)}")

    @functools.wraps(f, assigned=("__doc__",), updated=())
    def gradient(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs)
        if argname not in bound.arguments:
            bound.apply_defaults()
        return grad(_moved(f, bound, argname))(bound.arguments[argname])

    return gradient


def multigrad_dict(f: Callable) -> Callable:
    """The function that computes the gradients with respect to all arguments, as a dict by name.

    >>> multigrad_dict(lambda x, y=2.0: x * y)(3.0)
    {'x': 2.0, 'y': 3.0}
    """
    signature = inspect.signature(f)

    @functools.wraps(f, assigned=("__doc__",), updated=())
    def gradients(*args: Any, **kwargs: Any) -> dict[str, Any]:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return grad(_moved(f, bound, None))(dict(bound.arguments))

    return gradients


def _moved(f: Callable, bound: inspect.BoundArguments, name: str | None) -> Callable:
    """``f`` as a function of the argument of a name, or of a dict of all."""
    @functools.wraps(f)
    def moved(x: Any) -> Any:
        arguments = inspect.BoundArguments(bound.signature, x if name is None else {**bound.arguments, name: x})
        return f(*arguments.args, **arguments.kwargs)

    return moved


def elementwise_grad(f: Callable, argnum: Argnum = 0) -> Callable:
    """The gradient of the sum of the outputs: for an elementwise ``f`` its derivative at each element.

    Raises ``TypeError`` where ``f`` returns complex numbers.

    >>> elementwise_grad(np.sin)(np.zeros(3))
    array([1., 1., 1.])
    """
    def result(at: Linearization, select: Callable) -> Any:
        check_numeric("elementwise_grad", f, at.y)
        if any(np.iscomplexobj(y) for y in leaves(at.y)):
            raise TypeError(f"elementwise_grad needs a function that returns real numbers: {name_of_user(f)} returned "
                            "complex ones; see holomorphic_grad")
        return select(at.pull())

    return _transform(f, argnum, result, "elementwise_grad")


def holomorphic_grad(f: Callable, argnum: Argnum = 0) -> Callable:
    """The complex derivative f'(z) of a holomorphic function that returns a scalar: the gradient of its real part.

    Warns where the argument is real.

    >>> complex(holomorphic_grad(lambda z: z**2)(1 + 2j))
    (2+4j)
    """
    @functools.wraps(f)
    def real_part(*args: Any, **kwargs: Any) -> Any:
        return np.real(f(*args, **kwargs))

    def result(at: Linearization, select: Callable) -> Any:
        if not all(np.iscomplexobj(x) for x in at.sources):
            warn("the argument of holomorphic_grad is not complex: write x + 0j")
        return select(_gradient(f, at, at.y))

    checked_argnums(f, argnum)
    return _transform(real_part, argnum, result, "holomorphic_grad")


def deriv(f: Callable, argnum: Argnum = 0) -> Callable:
    """The derivative by forward mode: the tangent of the output when the argument, each element of it, moves at rate 1.

    >>> deriv(lambda t: np.array([1.0, 2.0]) * t**2)(3.0)
    array([ 6., 12.])
    """
    def result(at: Linearization, _: Callable) -> Any:
        check_numeric("deriv", f, at.y)
        return at.push([tree_map(ones, x) for x in at.inputs])

    return _transform(f, argnum, result, "deriv")


def jacobian(f: Callable, argnum: Argnum = 0) -> Callable:
    """The Jacobian: ``jacobian(f)(x)[i, j]`` is ∂fᵢ/∂xⱼ, of shape ``f(x).shape + x.shape``.

    For an ``f`` that returns a container, a container of Jacobians. Raises ``TypeError`` where ``f`` returns complex
    numbers for real ones.

    >>> jacobian(lambda x: x**2)(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    """
    def result(at: Linearization, select: Callable) -> Any:
        check_numeric("jacobian", f, at.y)
        if any(map(np.iscomplexobj, leaves(at.y))) and not all(map(np.iscomplexobj, at.sources)):
            raise TypeError(f"jacobian needs a function that returns real numbers for real ones: {name_of_user(f)} "
                            "returned complex ones; take np.real(...) and np.imag(...) of it, or see deriv")
        return tree_map(lambda rows: select(rows.parts), _jacobians(at))

    return _transform(f, argnum, result, "jacobian")


def hessian(f: Callable, argnum: Argnum = 0) -> Callable:
    """The Hessian, the Jacobian of the Jacobian, of shape ``f(x).shape + x.shape + x.shape``.

    >>> hessian(lambda x: x[0] * x[1] ** 2)(np.array([1.0, 2.0]))
    array([[0., 4.],
           [4., 2.]])
    """
    return jacobian(jacobian(f, argnum), argnum)


def make_vjp(f: Callable, argnum: Argnum = 0) -> Callable:
    """The function that gives ``(vjp, f(x))``: ``vjp(g)`` is gᵀJ, the gradient of x if ``g`` is that of f(x).

    ``f`` runs once, ``vjp`` as often as wanted.

    >>> vjp, y = make_vjp(lambda x: x**2)(np.array([1.0, 2.0]))
    >>> y, vjp(np.array([1.0, 10.0]))
    (array([1., 4.]), array([ 2., 40.]))
    """
    def result(at: Linearization, select: Callable) -> tuple[Callable, Any]:
        return lambda g: select(at.pull(g)), at.value

    return _transform(f, argnum, result, "make_vjp", kept=True)


def make_jvp(f: Callable, argnum: Argnum = 0) -> Callable:
    """The function that gives ``jvp``: ``jvp(v)`` is ``(f(x), Jv)``: how f(x) moves if x moves by ``v``.

    ``v`` has the structure of the argument; for a tuple of ``argnum``, it is a tuple.

    >>> make_jvp(lambda x: x**2)(np.array([1.0, 2.0]))(np.array([1.0, 10.0]))
    (array([1., 4.]), array([ 2., 40.]))
    """
    def result(at: Linearization, select: Callable) -> Callable:
        def jvp(v: Any) -> tuple[Any, Any]:
            if select is tuple and (not isinstance(v, (tuple, list)) or len(v) != len(at.inputs)):
                raise TypeError(f"tangent: expected a tuple of {len(at.inputs)}, one for each of argnum, got {v!r:.60}")
            return at.value, at.push(list(v) if select is tuple else [v])

        return jvp

    return _transform(f, argnum, result, "make_jvp", kept=True)


def make_jvp_reversemode(f: Callable, argnum: Argnum = 0) -> Callable:
    """The function that gives ``jvp``, for an ``f`` whose rules are for reverse mode alone: ``jvp(v)`` is Jv.

    It is the vjp of the vjp, which is linear (Townsend, 2017).

    >>> make_jvp_reversemode(lambda x: x**2)(np.array([1.0, 2.0]))(np.array([1.0, 10.0]))
    array([ 2., 40.])
    """
    def result(at: Linearization, select: Callable) -> Callable:
        return make_vjp(lambda g: select(at.pull(g)))(tree_map(lambda y: 0 * ones(y), at.y))[0]

    return _transform(f, argnum, result, "make_jvp_reversemode", kept=True)


def make_hvp(f: Callable, argnum: Argnum = 0) -> Callable:
    """The function that gives ``(hvp, gradient)``: ``hvp(v)`` is the product of the Hessian with ``v``.

    >>> hvp, gradient = make_hvp(lambda x: np.sum(x**3))(np.array([1.0, 2.0]))
    >>> gradient, hvp(np.array([1.0, 1.0]))
    (array([ 3., 12.]), array([ 6., 12.]))
    """
    return make_vjp(grad(f, argnum), argnum)


def hessian_tensor_product(f: Callable, argnum: Argnum = 0) -> Callable:
    """The function of the arguments and, last, a tensor shaped like the argument: the product of the Hessian with it.

    >>> hessian_tensor_product(lambda x: np.sum(x**3))(np.array([1.0, 2.0]), np.array([1.0, 1.0]))
    array([ 6., 12.])
    """
    hvp = make_hvp(f, argnum)

    def product(*args: Any, **kwargs: Any) -> Any:
        *rest, tensor = _with_tensor("hessian_tensor_product", f, args)
        return hvp(*rest, **kwargs)[0](tensor)

    return product


hessian_vector_product = hessian_tensor_product


def tensor_jacobian_product(f: Callable, argnum: Argnum = 0) -> Callable:
    """The function of the arguments and, last, a tensor: that, contracted with the leading axes of the Jacobian.

    >>> tensor_jacobian_product(lambda x: x**2)(np.array([1.0, 2.0]), np.array([1.0, 10.0]))
    array([ 2., 40.])
    """
    checked_argnums(f, argnum)

    def product(*args: Any, **kwargs: Any) -> Any:
        *rest, tensor = _with_tensor("tensor_jacobian_product", f, args)

        def contracted(*x: Any) -> Any:
            y = f(*x, **kwargs)
            wanted, axes = np.shape(tensor), np.ndim(tensor)
            if not is_numeric(y) or np.shape(y)[:axes] != wanted:
                raise ValueError(f"tensor: expected the leading axes of what {name_of_user(f)} returned, "
                                 f"{described(y)}, got the shape {wanted}")
            return np.tensordot(tensor, y, axes)

        return jacobian(contracted, argnum)(*rest)

    return product


def _with_tensor(name: str, f: Callable, args: tuple) -> tuple:
    if len(args) < 2:
        raise TypeError(f"{name} expected the arguments of {name_of_user(f)} and, last, a tensor, got {len(args)} "
                        "positional arguments")
    return args


vector_jacobian_product = tensor_jacobian_product


def _half_square(y: Any) -> Any:
    return 0.5 * np.sum(y**2, axis=-1)


def make_ggnvp(f: Callable, g: Callable = _half_square, f_argnum: Argnum = 0) -> Callable:
    """The function that gives ``ggnvp``: ``ggnvp(v)`` is Jᵀ H J v, with J of ``f`` and H the Hessian of ``g`` at f(x).

    That is the generalised Gauss-Newton matrix of the cost ``g(f(x))``, for ``g`` = ½ Σ y² unless given.

    >>> make_ggnvp(lambda x: x**2)(np.array([1.0, 2.0]))(np.ones(2))
    array([ 4., 16.])
    """
    def result(at: Linearization, select: Callable) -> Callable:
        hvp, _ = make_hvp(g)(at.value)

        def ggnvp(v: Any) -> Any:
            return select(at.pull(hvp(at.push(list(v) if select is tuple else [v]))))

        return ggnvp

    return _transform(f, f_argnum, result, "make_ggnvp", kept=True)


class _Rows:
    """The gradients of one output, one for each argument: a class of its own, so that it is no container."""

    def __init__(self, parts: list) -> None:
        self.parts = parts


def _jacobians(at: Linearization) -> Any:
    """For each output, the Jacobians with respect to the inputs."""
    outputs = leaves(at.y)

    def of(k: int) -> _Rows:
        y = outputs[k]
        shape = np.shape(y)
        if not np.size(y):
            return _Rows([tree_map(lambda x: np.zeros_like(x.data, shape=shape + x.shape), tree) for tree in at.inputs])
        rows = []
        for index in np.ndindex(shape):
            seed = ones(y)
            if shape:
                seed = np.zeros_like(seed)
                seed[index] = 1
            places: Iterator[int] = iter(range(len(outputs)))
            rows.append(at.pull(tree_map(lambda _, s=seed, places=places: s if next(places) == k else None, at.y)))
        if not shape:
            return _Rows(rows[0])
        return _Rows(tree_map(lambda *parts: np.reshape(np.stack(parts), shape + np.shape(parts[0])), *rows))

    numbers = iter(range(len(outputs)))
    return tree_map(lambda _: of(next(numbers)), at.y)


def _gradient(f: Callable, at: Linearization, y: Any) -> list:
    """The gradients of the scalar ``y``, which is what ``f`` returned, or the first of a pair."""
    _check_scalar(f, y)
    if not isinstance(y, Value):
        warn(f"the output of {name_of_user(f)} does not depend on its argument {', '.join(map(str, at.argnums))} "
             "through recorded operations: its gradient is 0")
    if y is at.y:
        return at.pull()
    first = iter([ones(y)])  # of a pair, the rest has none
    return at.pull(tree_map(lambda _: next(first, None), at.y))


def _check_scalar(f: Callable, y: Any) -> None:
    if isinstance(y, (list, tuple, dict)) or getattr(y, "size", 1) != 1 or not hasattr(y, "__float__"):
        raise TypeError(f"grad needs a function that returns a scalar: {name_of_user(f)} returned {described(y)}; "
                        "sum it, take the gradient of one element, or see jacobian and elementwise_grad")
    if isinstance(y, complex) or getattr(getattr(y, "dtype", None), "kind", "f") == "c":
        raise TypeError(f"grad needs a function that returns a real number: {name_of_user(f)} returned a complex one; "
                        "take np.real(...), np.imag(...) or np.abs(...) of it, or see holomorphic_grad")
