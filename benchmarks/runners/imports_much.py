"""The script of case (f): it imports what a training script imports, and prints a number."""

from __future__ import annotations

import argparse

import hydra  # type: ignore[import-not-found, unused-ignore]
import mlflow
from sklearn.linear_model import LinearRegression  # type: ignore[import-untyped, unused-ignore]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("words", nargs="*")
    options, _ = parser.parse_known_args()  # Hydra's own option is not for us
    number = next(int(word.removeprefix("n=")) for word in options.words if word.startswith("n="))
    print(hydra.__version__, mlflow.__version__, LinearRegression.__name__, number)


if __name__ == "__main__":
    main()
