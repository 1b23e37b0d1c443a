"""Cameras of the network on loopback, with images that tests can tell apart."""

import numpy as np

from pvtpp_benchmarks import network_cameras

PATIENCE_S = 30


class Images:
    """Makes images of a size that a test may change."""

    def __init__(self, size=(320, 180)):
        self.size = size

    def __call__(self, number):
        width, height = self.size
        image = np.full((height, width, 3), 90, np.uint8)
        left, side = width // 4 + number % 32, height // 4
        image[side : 2 * side, left : left + side] = 200
        return image


def number_of(image, near):
    """The number of an image, the one next to `near`."""
    found = network_cameras.mark_of(image).number
    return near - ((near - found + 2**15) % 2**16 - 2**15)


def camera(kind, **options):
    """A camera of this kind; its `image.size` may be changed."""
    return network_cameras.CAMERAS[kind](Images(), **options)
