"""The network in NumPy: two layers, with what is negative set to zero between them."""

import numpy


def forward(images, w1, b1, w2, b2):
    """Scores of the ten classes for each image."""
    x = images.astype(numpy.float32) * numpy.float32(1 / 16)
    hidden = numpy.maximum(x @ w1 + b1, 0)
    return hidden @ w2 + b2
