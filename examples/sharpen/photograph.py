"""Writes chelsea.png: the pixels of the photograph in scikit-image, without what else the file carries (a colour profile, camera settings).

Needs scikit-image and Pillow.
"""

from pathlib import Path

from PIL import Image
from skimage.data import chelsea

Image.fromarray(chelsea()).save(Path(__file__).parent / "chelsea.png", optimize=True)
