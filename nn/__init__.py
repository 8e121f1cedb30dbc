"""Neural networks built from ``autograd``'s primitives: layers, costs, optimizers, data and checkpoints."""

from . import checkpoints, data, initializers, metrics, neuron, pictures
from .activations import ELU, GELU, Hardtanh, LeakyReLU, LogSoftmax, PReLU, ReLU, Sigmoid, SiLU, Softmax, Softplus, Tanh
from .adaptive import Adadelta, Adagrad, Adam, AdamW, NAdam, RMSprop
from .attention import MultiheadAttention
from .bilinear import Bilinear
from .callbacks import Callback, Checkpoint, CSVLogger, EarlyStopping, GradientNorms, HistoryPlot, ProgressBar
from .checkpoints import load_checkpoint, load_parameters, save_checkpoint, save_parameters
from .containers import MLP, Sequential, summary
from .convolution import Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d
from .ctc import ctc_greedy_decode, ctc_loss
from .dropout import Dropout
from .ema import EMA
from .embedding import Embedding
from .fit import Training, fit
from .history import History
from .lbfgs import LBFGS
from .linear import Linear
from .losses import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cosine_embedding_loss,
    cross_entropy,
    hinge_embedding_loss,
    hinge_loss,
    huber_loss,
    kl_div,
    l1_loss,
    mse_loss,
    multi_margin_loss,
    nll_loss,
    quadratic_cost,
)
from .module import Module, Parameter
from .normalization import BatchNorm1d, BatchNorm2d, GroupNorm, LayerNorm, RMSNorm
from .nudges import Nudge, Nudges, nudges
from .optimizers import SGD, Optimizer, clip_grad_norm, clip_grad_value, decay_groups
from .pictures.animation import animate_training
from .pictures.network import draw_network
from .pooling import AdaptiveAvgPool1d, AdaptiveAvgPool2d, AvgPool1d, AvgPool2d, MaxPool1d, MaxPool2d
from .recurrent import GRU, LSTM, RNN, GRUCell, LSTMCell, RNNCell
from .schedules import Cosine, OneCycle, ReduceLROnPlateau, Schedule, Step, Warmup
from .shaping import Flatten
from .training import accuracy, make_train_step, predict, train_step
from .transformer import TransformerEncoderLayer

__all__ = [
    "ELU",
    "EMA",
    "GELU",
    "GRU",
    "LBFGS",
    "LSTM",
    "MLP",
    "RNN",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AvgPool1d",
    "AvgPool2d",
    "BatchNorm1d",
    "BatchNorm2d",
    "Bilinear",
    "CSVLogger",
    "Callback",
    "Checkpoint",
    "Conv1d",
    "Conv2d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "Cosine",
    "Dropout",
    "EarlyStopping",
    "Embedding",
    "Flatten",
    "GRUCell",
    "GradientNorms",
    "GroupNorm",
    "Hardtanh",
    "History",
    "HistoryPlot",
    "LSTMCell",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LogSoftmax",
    "MaxPool1d",
    "MaxPool2d",
    "Module",
    "MultiheadAttention",
    "NAdam",
    "Nudge",
    "Nudges",
    "OneCycle",
    "Optimizer",
    "PReLU",
    "Parameter",
    "ProgressBar",
    "RMSNorm",
    "RMSprop",
    "RNNCell",
    "ReLU",
    "ReduceLROnPlateau",
    "Schedule",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Step",
    "Tanh",
    "Training",
    "TransformerEncoderLayer",
    "Warmup",
    "accuracy",
    "animate_training",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "checkpoints",
    "clip_grad_norm",
    "clip_grad_value",
    "cosine_embedding_loss",
    "cross_entropy",
    "ctc_greedy_decode",
    "ctc_loss",
    "data",
    "decay_groups",
    "draw_network",
    "fit",
    "hinge_embedding_loss",
    "hinge_loss",
    "huber_loss",
    "initializers",
    "kl_div",
    "l1_loss",
    "load_checkpoint",
    "load_parameters",
    "make_train_step",
    "metrics",
    "mse_loss",
    "multi_margin_loss",
    "neuron",
    "nll_loss",
    "nudges",
    "pictures",
    "predict",
    "quadratic_cost",
    "save_checkpoint",
    "save_parameters",
    "summary",
    "train_step",
]
