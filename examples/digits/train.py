"""Trains the network of this example and writes what it needs: images, labels, weights, and the predictions of NumPy.

Needs NumPy and scikit-learn. Training is seeded; another version of the libraries may still round otherwise and end at other weights.
"""

from pathlib import Path

import numpy
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

from network import forward

TRAINED = 1347
"""Images that are trained on: the first ones, not shuffled."""

FOLDER = Path(__file__).parent


def main():
    digits = load_digits()
    images = digits.data.astype(numpy.uint8)
    labels = digits.target.astype(numpy.uint8)
    assert (images == digits.data).all() and images.max() == 16

    network = MLPClassifier(hidden_layer_sizes=(32,), alpha=0.01, max_iter=400, random_state=1)
    network.fit(images[:TRAINED] / 16.0, labels[:TRAINED])
    w1, w2 = (weights.astype(numpy.float32) for weights in network.coefs_)
    b1, b2 = (biases.astype(numpy.float32) for biases in network.intercepts_)

    predictions = forward(images, w1, b1, w2, b2).argmax(axis=1).astype(numpy.uint64)
    arrays = dict(images=images, labels=labels, w1=w1, b1=b1, w2=w2, b2=b2, predictions=predictions)
    for name, array in arrays.items():
        numpy.save(FOLDER / f"{name}.npy", numpy.ascontiguousarray(array))

    right = predictions == labels
    print(f"right: {right.sum()} of {len(labels)}; of the {len(labels) - TRAINED} not trained on: {right[TRAINED:].sum()}")


if __name__ == "__main__":
    main()
