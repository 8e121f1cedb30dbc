"""Every way to misuse the engine, and the text of its error, which says what to write instead."""

import numpy as np
import pytest

from autograd import (
    Value,
    defvjp,
    grad,
    grad_named,
    gradcheck,
    hessian_vector_product,
    multigrad_dict,
    primitive,
    value_and_grad,
)
from autograd.functions import gelu
from autograd.record import apply
from autograd.registry import RULES, elementwise_rule

V, S, MATRIX = Value([1.0, 2.0]), Value(3.0), Value(np.ones((2, 2)))
ARRAY = np.ones(2)


def added_in_place():
    a = np.ones(2)
    a += V


def assigned():
    a = np.ones(2)
    a[:] = V


def written():
    V[0] = 1.0


@pytest.fixture(autouse=True)
def no_rule_of_cbrt(monkeypatch):
    """One function that has no rule, whatever has been added."""
    monkeypatch.delitem(RULES, np.cbrt)


ERRORS = [  # name, what is done, the error, and what its text says
    ("asarray", lambda: np.asarray(V), TypeError, r"not turned into an array silently.*v\.data.*np\.stack"),
    ("array", lambda: np.array(V), TypeError, r"write v\.data"),
    ("array of Values", lambda: np.array([S, S]), TypeError, r"np\.stack\(\[\.\.\.\]\)"),
    ("array of a vector", lambda: np.array([V, V]), TypeError, r"np\.stack\(\[\.\.\.\]\)"),
    ("assignment into an array", assigned, TypeError, r"v\.data.*a = Value\(a\)\.at\[i\]\.set\(v\) for a\[i\] = v"),
    ("v[i] = x", written, TypeError,
     r"not changed in place.*write v = v\.at\[i\]\.set\(x\) or np\.where\(mask, new, v\).*v\.data\[i\] = x"),
    ("backward of a tensor", lambda: (V * 2).backward(), ValueError,
     r"shape \(2,\) needs the gradient that comes in: write v\.sum\(\)\.backward\(\), or v\.backward\(gradient\)"),
    ("backward of nothing", lambda: Value([]).backward(), ValueError, r"shape \(0,\) needs the gradient"),
    ("gradient of a wrong shape", lambda: (V * 2).backward(np.ones(3)), ValueError,
     r"gradient: expected the shape \(2,\) of the Value, got \(3,\); write np\.full_like\(v\.data, g\)"),
    ("a number for a tensor", lambda: (V * 2).backward(1.0), ValueError, r"expected the shape \(2,\).*got \(\)"),
    ("an array for a number", lambda: S.backward(np.ones(1)), ValueError, r"expected the shape \(\).*got \(1,\)"),
    ("a Value for a gradient", lambda: (V * 2).backward(V), TypeError, r"got a Value; pass its \.data"),
    ("backward of a complex", lambda: (S * 1j).backward(), TypeError,
     r"complex Value needs the gradient.*np\.real\(v\)\.backward\(\)"),
    ("no rule", lambda: np.cbrt(V), TypeError,
     r"np\.cbrt has no derivative rule\. Add one with autograd\.defvjp\(np\.cbrt, lambda y, x: lambda g: g \* \.\.\.\)"
     r", or pass v\.data"),
    ("no rule for the exponent", lambda: np.ldexp(1.0, V), TypeError,
     r"np\.ldexp has no derivative rule with respect to argument 1\. Add one with.*argnums=.*\.data for a constant"),
    ("made by frompyfunc", lambda: np.frompyfunc(abs, 1, 1)(V), TypeError,
     r"np\.abs \(vectorized\), made by np\.frompyfunc.*apply the Python function itself"),
    ("out=", lambda: np.exp(V, out=np.zeros(2)), TypeError,
     r"np\.exp\(\.\.\., out=\.\.\.\) cannot record into an array: write y = np\.exp\(\.\.\.\)"),
    ("out= by position", lambda: np.exp(V, np.zeros(2)), TypeError, r"out="),
    ("out= of a function", lambda: np.sum(V, out=np.zeros(())), TypeError, r"np\.sum\(\.\.\., out=\.\.\.\)"),
    ("out= a Value", lambda: np.exp(ARRAY, out=V), TypeError, r"out="),
    ("a += v", added_in_place, TypeError, r"such as a \+= v, write a = a \+ v"),
    ("max initial=", lambda: np.max(V, initial=S), TypeError, r"np\.max has no derivative .*its keyword initial: pass"),
    ("var mean=", lambda: np.var(V, mean=V), TypeError, r"np\.var has no derivative .*its keyword mean: pass"),
    ("add where=", lambda: np.add(V, 1.0, where=[True, False]), TypeError,
     r"leaves the other elements undefined: write np\.where\(mask, np\.add\(\.\.\.\), 0\).*out=np\.zeros_like\(a\)"),
    ("add.at", lambda: np.add.at(np.zeros(2), [0], V), TypeError,
     r"np\.add\.at changes its argument in place.*write a = Value\(a\)\.at\[i\]\.add\(x\)"),
    ("an index that is a Value", lambda: V[S], TypeError, r"must be integers, not a Value.*i\.data\.astype\(int\)"),
    ("an index that holds a Value", lambda: MATRIX[0, S], TypeError, r"must be integers, not a Value"),
    ("a Value of a Value", lambda: Value(S), TypeError, r"a Value already: use it as it is, or v\.detach\(\)"),
    ("a Value of Values", lambda: Value([S, S]), TypeError,
     r"a list that holds Values: write np\.stack\(\[\.\.\.\]\) or np\.concatenate"),
    ("a Value of nested Values", lambda: Value([[1.0, S]]), TypeError, r"a list that holds Values"),
    ("masked", lambda: Value(np.ma.masked_array([1.0, 2.0], [True, False])), TypeError,
     r"masked array: write np\.where\(mask, 0, a\)"),
    ("a string", lambda: Value("1.5"), TypeError, r"expected a number or a numeric array, got str '1\.5'"),
    ("None", lambda: Value(None), TypeError, r"expected a number or a numeric array, got NoneType"),
    ("strings", lambda: Value(["a", "b"]), TypeError, r"got an array of dtype <U1"),
    ("objects", lambda: Value(np.array([None, 1])), TypeError, r"got an array of dtype object"),
    ("dates", lambda: Value(np.array(["2020-01-01"], "datetime64[D]")), TypeError, r"got an array of dtype datetime64"),
    ("a dictionary", lambda: Value({"a": 1}), TypeError, r"got dict"),
    ("a name that is none", lambda: Value(1.0, name=3), TypeError, r"name: expected a string, got 3"),
    ("len", lambda: len(S), TypeError, r"len\(\) of a scalar Value"),
    ("iteration", lambda: list(S), TypeError, r"iteration over a scalar Value"),
    ("truth of a tensor", lambda: bool(V), ValueError, r"ambiguous"),
    ("float of a tensor", lambda: float(V), ValueError, r"size"),
    ("keyword without a rule", lambda: np.pad(MATRIX, 1, constant_values=S), TypeError,
     r"np\.pad has no derivative with respect to its keyword (kwargs|constant_values)"),
    ("keyword-only Value", lambda: np.sum(V, initial=S), TypeError,
     r"np\.sum has no derivative with respect to its keyword initial: pass \.data for a constant"),
    ("sign of complex", lambda: np.sign(V * 1j).backward(ARRAY), TypeError, r"write x / np\.abs\(x\)"),
    ("pad by a function", lambda: np.pad(V, 1, mode=lambda *_: None), TypeError, r"np\.pad .*mode that is a function"),
    ("fill_diagonal", lambda: np.fill_diagonal(MATRIX, 0), TypeError, r"in place.*np\.where\(np\.eye"),
    ("sort in place", lambda: V.sort(), TypeError, r"in place.*np\.sort\(v\)"),
    ("partition in place", lambda: V.partition(1), TypeError, r"in place.*np\.partition\(v, kth\)"),
    ("gelu", lambda: gelu(V, approximate="sigmoid"), ValueError, r"expected 'none' or 'tanh', got 'sigmoid'"),
    ("shapes", lambda: V + np.ones(3), ValueError, r"broadcast"),
    ("a word", lambda: S + "a", TypeError, r"unsupported operand|str"),
    ("nothing", lambda: S * None, TypeError, r"unsupported operand|NoneType"),
    ("grad of a number", lambda: grad(S * 2), TypeError, r"f: expected a function, got Value.*write grad\(f\)\(x\)"),
    ("argnum a word", lambda: grad(np.sin, "x"), TypeError, r"argnum: expected an integer or a tuple.*got 'x'"),
    ("argnum a truth", lambda: grad(np.sin, True), TypeError, r"argnum: expected an integer or a tuple"),
    ("argnum empty", lambda: grad(np.sin, ()), TypeError, r"argnum: expected an integer or a tuple"),
    ("argnum a float", lambda: grad(np.sin, 1.0), TypeError, r"argnum: expected an integer or a tuple"),
    ("argnum too large", lambda: grad(np.sin, 1)(2.0), TypeError,
     r"argnum: there is no argument 1: sin was called with 1 positional"),
    ("argnum too negative", lambda: grad(np.add, (0, -3))(2.0, 3.0), TypeError, r"there is no argument -3"),
    ("argument a word", lambda: grad(np.sin)("a"), TypeError,
     r"argument 0: cannot differentiate with respect to str 'a': expected numbers, arrays, or dicts"),
    ("argument nothing", lambda: grad(np.add, 1)(1.0, None), TypeError, r"argument 1: cannot differentiate.*NoneType"),
    ("argument with a word inside", lambda: grad(np.sum)({"w": [1.0, "b"]}), TypeError, r"with respect to str 'b'"),
    ("output a vector", lambda: grad(np.sin)(ARRAY), TypeError,
     r"needs a function that returns a scalar: sin returned shape \(2,\); sum it"),
    ("output a list", lambda: grad(lambda x: [x])(1.0), TypeError, r"scalar: <lambda> returned list"),
    ("output a dictionary", lambda: value_and_grad(lambda x: {"a": x})(1.0), TypeError, r"returned dict"),
    ("output nothing", lambda: grad(lambda x: None)(1.0), TypeError, r"scalar: <lambda> returned NoneType None"),
    ("output a word", lambda: grad(lambda x: "a")(1.0), TypeError, r"returned str 'a'"),
    ("output a plain array", lambda: grad(lambda x: ARRAY)(1.0), TypeError, r"returned shape \(2,\)"),
    ("output complex", lambda: grad(lambda x: x * 1j)(1.0), TypeError,
     r"returns a real number: <lambda> returned a complex one; take np\.real"),
    ("output a plain complex", lambda: grad(lambda x: 1j)(1.0), TypeError, r"scalar|complex"),
    ("defvjp of no function", lambda: defvjp(np.cbrt, 3), TypeError, r"rule 0 is 3, not a function; write lambda y, x"),
    ("defvjp without rules", lambda: defvjp(np.cbrt), TypeError, r"no rule was given"),
    ("defvjp of nothing but None", lambda: defvjp(np.cbrt, None), TypeError, r"no rule was given"),
    ("defvjp argnums", lambda: defvjp(np.cbrt, lambda y, x: lambda g: g, argnums=(0, 1)), TypeError,
     r"1 rules came for 2 argnums"),
    ("gradcheck of integers", lambda: gradcheck(np.sin, 1), TypeError, r"input 0: expected floats, got 1; write"),
    ("gradcheck of complex", lambda: gradcheck(np.sin, 1.0, 1j), TypeError, r"input 1: expected floats"),
    ("gradcheck of nothing", lambda: gradcheck(np.sin), TypeError, r"needs the inputs at which to check"),
    ("gradcheck of a constant", lambda: gradcheck(lambda x: 3.0, 1.0), TypeError,
     r"must return a Value that depends on its inputs, but returned float"),
    ("gradcheck of a complex output", lambda: gradcheck(lambda x: x * 1j, 1.0), TypeError, r"must return real numbers"),
]


@pytest.mark.parametrize(("act", "error", "text"), [row[1:] for row in ERRORS], ids=[row[0] for row in ERRORS])
def test_errors(act, error, text):
    with pytest.raises(error, match=text):
        act()
    assert np.cbrt not in RULES


def test_the_error_names_a_users_own_function():
    @primitive
    def mine(x):
        return x * 2

    with pytest.raises(TypeError, match=r"defvjp\(.*mine, lambda y, x: lambda g: g \* \.\.\.\)"):
        mine(V)
    assert mine(2.0) == 4.0


@pytest.mark.usefixtures("temporary_rules")
def test_the_line_that_the_error_gives_helps():
    with pytest.raises(TypeError) as caught:
        np.cbrt(V)
    line = str(caught.value).partition("Add one with ")[2].partition(", or pass")[0]
    assert line == "autograd.defvjp(np.cbrt, lambda y, x: lambda g: g * ...)"
    import autograd  # as the line names it
    exec(line.replace("...", "1 / (3 * y * y)"), {"autograd": autograd, "np": np})
    x = Value([1.0, 8.0])
    np.cbrt(x).sum().backward()
    np.testing.assert_allclose(x.grad, [1 / 3, 1 / 12])
    np.testing.assert_allclose(grad(grad(np.cbrt))(8.0), -2 / 9 / 32)
    assert gradcheck(np.cbrt, np.array([1.0, 8.0]))


@pytest.mark.usefixtures("temporary_rules")
def test_rules_by_argnums_and_with_settings():
    @primitive
    def scaled(a, x, power=1):
        return a * x**power

    defvjp(scaled, lambda y, a, x, power=1: lambda g: g * a * power * x ** (power - 1), argnums=[1])
    assert grad(scaled, 1)(2.0, 3.0, power=2) == 12
    with pytest.raises(TypeError, match=r"scaled has no derivative rule with respect to argument 0.*argnums="):
        scaled(Value(2.0), 3.0)
    RULES.pop(scaled)

    elementwise_rule(np.cbrt, lambda g, y, x: g / (3 * y * y))
    assert grad(np.cbrt)(8.0) == 1 / 12
    with pytest.raises(TypeError, match=r"np\.cbrt does not cover sign="):
        apply(np.cbrt, (V,), {"sign": 1})


def test_values_by_name_are_passed_by_position():
    x = Value([1.0, 2.0])
    for y in [np.sum(a=x), np.max(axis=0, a=x), np.mean(a=x, axis=0, keepdims=True), np.clip(x, a_min=0, a_max=S)]:
        assert y.parents[0] is x
        x.grad = None
        np.sum(y).backward()
        assert x.grad.shape == (2,)


def constant(x):
    return 3.0


@pytest.mark.parametrize("transform", [grad, hessian_vector_product, multigrad_dict, lambda f: grad_named(f, "x")])
def test_a_warning_names_the_function_and_the_line_of_the_user(transform):
    with pytest.warns(UserWarning, match=r"output of constant does not depend") as caught:
        transform(constant)(*[1.0] * (1 + (transform is hessian_vector_product)))
    assert caught[0].filename == __file__
