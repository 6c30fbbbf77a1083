"""The tasks of the digits flow: scikit-learn's bundled digits, a linear classifier, one pass at a time."""

import copy
from dataclasses import dataclass

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import train_test_split


@dataclass(frozen=True)
class Data:
    """Images as rows of 64 grey values of [0, 1], and the digit of each; a part is held out."""

    train_images: np.ndarray
    train_digits: np.ndarray
    test_images: np.ndarray
    test_digits: np.ndarray


@dataclass(frozen=True)
class Trained:
    """What the flow gives: the model, its accuracy on the held-out digits, the accuracy after each round."""

    model: SGDClassifier
    accuracy: float
    history: list[float]


def load(seed: int) -> Data:
    """The 1,797 digits, a third of them held out."""
    digits = load_digits()
    parts = train_test_split(digits.data / 16.0, digits.target, test_size=1 / 3, random_state=seed)
    return Data(parts[0], parts[2], parts[1], parts[3])


def new_model(seed: int) -> SGDClassifier:
    """A linear classifier that has seen nothing; its small steps leave the loop something to do."""
    return SGDClassifier(loss="log_loss", learning_rate="constant", eta0=0.002, random_state=seed)


def train_round(model: SGDClassifier, data: Data) -> SGDClassifier:
    """The model after one more pass over the training digits.

    Arrays that a task is given are shared and read-only, as Ray's are; training changes a copy.
    """
    model = copy.deepcopy(model)
    return model.partial_fit(data.train_images, data.train_digits, classes=np.arange(10))


def accuracy(model: SGDClassifier, data: Data) -> float:
    """The share of held-out digits that the model names."""
    return float(model.score(data.test_images, data.test_digits))


def trained(model: SGDClassifier, score: float, history: list[float]) -> Trained:
    """The result of the flow."""
    return Trained(model, score, history)
