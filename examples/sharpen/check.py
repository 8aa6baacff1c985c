"""Compares a picture that sharpen.hws made with one that NumPy makes of the same photograph in whole numbers, pixel for pixel.

    python3 check.py SHARP.png

Needs NumPy and Pillow.
"""

import sys
from pathlib import Path

import numpy
from PIL import Image

KERNEL = numpy.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]])


def sharpen(photo):
    height, width, _ = photo.shape
    framed = numpy.pad(photo.astype(int), ((1, 1), (1, 1), (0, 0)), mode="edge")
    blurred = sum(KERNEL[y, x] * framed[y : y + height, x : x + width] for y in range(3) for x in range(3))
    # photo + 3/2 (photo - blurred/16), in parts of 32, rounded to the nearest with halves up.
    return numpy.clip((80 * photo.astype(int) - 3 * blurred + 16) // 32, 0, 255).astype(numpy.uint8)


def main():
    photo = numpy.asarray(Image.open(Path(__file__).parent / "chelsea.png"))
    sharp = numpy.asarray(Image.open(sys.argv[1]))
    expected = sharpen(photo)
    assert sharp.dtype == expected.dtype and sharp.shape == expected.shape, (sharp.dtype, sharp.shape)
    wrong = (sharp != expected).any(axis=2)
    assert not wrong.any(), f"{wrong.sum()} pixels differ, the first at {numpy.argwhere(wrong)[0]}"
    assert (sharp != photo).any()
    print(f"{sys.argv[1]}: all {wrong.size} pixels are those of NumPy; {(sharp != photo).mean():.0%} of the bytes were changed")


if __name__ == "__main__":
    main()
