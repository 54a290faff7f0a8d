"""Train a classifier on scikit-learn's handwritten digits, and log to MLflow how well it does.

python examples/digits/train.py --model svc --C 1 --gamma 0.001
"""

import argparse
import time

import mlflow
from sklearn.base import ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

MODELS = ("logreg", "svc", "forest", "knn", "mlp")


def build(options: argparse.Namespace) -> ClassifierMixin:
    """Return the classifier that the options describe, not yet fitted."""
    seed = options.seed
    match options.model:
        case "logreg":
            return make_pipeline(StandardScaler(), LogisticRegression(C=options.C, max_iter=1000))
        case "svc":
            # A support vector machine has no probabilities of its own; calibration learns them.
            return CalibratedClassifierCV(SVC(C=options.C, gamma=options.gamma), ensemble=False)
        case "forest":
            trees, depth = options.n_estimators, options.max_depth
            return RandomForestClassifier(trees, max_depth=depth, random_state=seed, n_jobs=1)
        case "knn":
            return KNeighborsClassifier(options.neighbors, n_jobs=1)
        case _:
            network = MLPClassifier((options.hidden,), alpha=options.alpha, max_iter=500, random_state=seed)
            return make_pipeline(StandardScaler(), network)


def parse_arguments() -> argparse.Namespace:
    """Return the hyperparameters given on the command line."""
    parser = argparse.ArgumentParser(description="Train a classifier on the digits set.")
    parser.add_argument("--model", choices=MODELS, required=True)
    parser.add_argument("--C", type=float, default=1.0, help="inverse regularisation: logreg, svc")
    parser.add_argument("--gamma", type=float, default=1e-3, help="of the kernel, on pixels of 0 to 16: svc")
    parser.add_argument("--n-estimators", type=int, default=100, help="number of trees: forest")
    parser.add_argument("--max-depth", type=int, help="depth of a tree: forest")
    parser.add_argument("--neighbors", type=int, default=5, help="neighbours that vote: knn")
    parser.add_argument("--hidden", type=int, default=64, help="units of the hidden layer: mlp")
    parser.add_argument("--alpha", type=float, default=1e-4, help="weight decay: mlp")
    parser.add_argument("--seed", type=int, default=0, help="of the model; the split is always the same")
    return parser.parse_args()


def main() -> None:
    """Fit on three quarters of the digits, score on the rest."""
    options = parse_arguments()
    pixels, digits = load_digits(return_X_y=True)
    split = train_test_split(pixels, digits, test_size=0.25, stratify=digits, random_state=0)
    train_x, test_x, train_y, test_y = split

    model = build(options)
    started = time.perf_counter()
    model.fit(train_x, train_y)
    fit_seconds = time.perf_counter() - started

    accuracy = accuracy_score(test_y, model.predict(test_x))
    loss = log_loss(test_y, model.predict_proba(test_x))
    mlflow.log_metric("accuracy", accuracy)
    mlflow.log_metric("log_loss", loss)
    mlflow.log_metric("fit_seconds", fit_seconds)
    print(f"{options.model}: accuracy {accuracy:.4f}, log-loss {loss:.4f}, fitted in {fit_seconds:.2f} s")


if __name__ == "__main__":
    main()
