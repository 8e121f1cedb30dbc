"""Optimizers, besides those in ``rows_basics``, and groups of parameters."""

from tests.reference.compare import optimizer


def groups(model):
    """The weights and the biases of the network."""
    first, second = model[0], model[2]
    return [first.weight, second.weight], [first.bias, second.bias]


def row(kind, name, **settings):
    def make(optim, model):
        return getattr(optim, kind)(model.parameters(), **settings)

    return optimizer(f"{kind} {name}".strip(), make)


def grouped(kind, own, **settings):
    """The weights have settings of their own."""
    def make(optim, model):
        weights, biases = groups(model)
        return getattr(optim, kind)([{"params": weights, **own}, {"params": biases}], **settings)

    return optimizer(f"{kind} in groups with {', '.join(own)}", make)


ROWS = [
    row("Adam", "amsgrad", lr=0.1, betas=(0.5, 0.6), amsgrad=True),
    row("AdamW", "amsgrad", lr=0.1, betas=(0.5, 0.6), amsgrad=True, weight_decay=0.1),
    row("RMSprop", ""),
    row("RMSprop", "alpha", lr=0.05, alpha=0.8, eps=1e-3, weight_decay=0.1),
    row("RMSprop", "momentum", lr=0.01, momentum=0.9),
    row("RMSprop", "centered", lr=0.01, centered=True),
    row("RMSprop", "centered momentum", lr=0.01, alpha=0.9, momentum=0.5, centered=True, weight_decay=0.01),
    row("Adagrad", "", lr=0.1),
    row("Adagrad", "decay", lr=0.1, lr_decay=0.1, weight_decay=0.1, initial_accumulator_value=0.5, eps=1e-5),
    row("Adadelta", ""),
    row("Adadelta", "rho", lr=2.0, rho=0.7, eps=1e-4, weight_decay=0.1),
    row("NAdam", ""),
    row("NAdam", "betas", lr=0.05, betas=(0.8, 0.9), eps=1e-3, weight_decay=0.1, momentum_decay=0.1),
    row("NAdam", "decoupled", lr=0.05, weight_decay=0.1, decoupled_weight_decay=True),
    row("LBFGS", "", lr=0.5, max_iter=3),
    row("LBFGS", "short history", lr=0.5, max_iter=2, history_size=2),
    row("LBFGS", "strong_wolfe", max_iter=2, line_search_fn="strong_wolfe"),
    row("LBFGS", "few evaluations", lr=10.0, max_iter=5, max_eval=3, line_search_fn="strong_wolfe"),
    row("LBFGS", "tolerances", lr=0.5, max_iter=4, tolerance_grad=0.05, tolerance_change=1e-3),
    grouped("SGD", {"lr": 0.5, "momentum": 0.5}, lr=0.1, weight_decay=0.1),
    grouped("SGD", {"weight_decay": 0.0}, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.1),
    grouped("AdamW", {"betas": (0.5, 0.9), "lr": 0.05}, lr=0.1),
    grouped("RMSprop", {"centered": True, "momentum": 0.5, "alpha": 0.5}, lr=0.02),
    grouped("Adagrad", {"lr_decay": 0.5, "eps": 0.1}, lr=0.1),
]
