"""Optimizers and schedules, besides those in ``rows_basics``, and groups of parameters."""

from tests.reference.compare import optimizer, schedule


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


def plateau(name, metrics, **settings):
    return schedule(f"ReduceLROnPlateau {name}", lambda nn, o: nn.ReduceLROnPlateau(o, **settings),
                    lambda lr_scheduler, o: lr_scheduler.ReduceLROnPlateau(o, **settings), metrics)


def cosine_after_linear(lr_scheduler, o):
    first = lr_scheduler.LinearLR(o, start_factor=0.2, total_iters=8)
    return lr_scheduler.SequentialLR(o, [first, lr_scheduler.CosineAnnealingLR(o, 30)], milestones=[8])


FALLING = (3.0, 2.0, 2.1, 2.0, 1.99999, 1.99, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, float("nan"),
           1.0, 1.0, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3)
RISING = (0.1, 0.5, 0.5, 0.50001, 0.6, 0.55, 0.58, 0.6, 0.6, 0.7, 0.69, 0.69, 0.69, 0.69, 0.69, 0.69, 0.69, 0.69)

ROWS = [
    schedule("Warmup", lambda nn, o: nn.Warmup(o, 8, start_factor=0.2),
             lambda lr_scheduler, o: lr_scheduler.LinearLR(o, start_factor=0.2, total_iters=8)),
    schedule("Warmup Cosine", lambda nn, o: nn.Warmup(nn.Cosine(o, 30), 8, start_factor=0.2), cosine_after_linear),
    plateau("patience", FALLING, patience=2),
    plateau("cooldown", FALLING, factor=0.5, patience=1, cooldown=2, threshold=0.1),
    plateau("min_lr", FALLING, patience=0, min_lr=0.01),
    plateau("max", RISING, mode="max", factor=0.3, patience=1, threshold=0.01),
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
