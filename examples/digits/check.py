"""Compares predictions, from a run of digits.hws with --out predictions=FILE, with those that NumPy makes of the same weights.

    python3 check.py FILE

Needs NumPy. Without a file it looks at predictions.npy only, which train.py wrote.
"""

import sys
from pathlib import Path

import numpy

from network import forward

FOLDER = Path(__file__).parent


def load(name):
    return numpy.load(FOLDER / f"{name}.npy")


def main():
    scores = forward(*map(load, ("images", "w1", "b1", "w2", "b2")))
    expected = scores.argmax(axis=1)

    # NumPy and the device add in different orders. That changes no prediction: first and second place are far enough apart.
    exact = forward(*(load(name).astype(numpy.float64) for name in ("images", "w1", "b1", "w2", "b2")))
    second, first = numpy.sort(exact, axis=1)[:, -2:].T
    margin, error = (first - second).min(), numpy.abs(scores - exact).max()
    assert margin > 20 * error, (margin, error)

    for file in [FOLDER / "predictions.npy", *sys.argv[1:]]:
        found = numpy.load(file)
        assert found.dtype == numpy.uint64 and found.shape == expected.shape, (file, found.dtype, found.shape)
        wrong = numpy.flatnonzero(found != expected)
        assert wrong.size == 0, f"{file}: prediction {wrong[0]} is {found[wrong[0]]}, and {expected[wrong[0]]} of NumPy"
        print(f"{file}: all {found.size} predictions are those of NumPy")
    print(f"right: {numpy.mean(expected == load('labels')):.4f}; smallest margin {margin:.2g}, largest difference to float64 {error:.2g}")


if __name__ == "__main__":
    main()
