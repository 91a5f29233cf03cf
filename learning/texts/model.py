"""A text classifier: TF-IDF of words or characters, and logistic regression. It must not know manifests or jobs.

Saved without pickle: the terms as UTF-8 text and the numbers, all in model.safetensors.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from scipy.sparse import csr_matrix
from scipy.special import expit, softmax
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from threadpoolctl import threadpool_limits

from learning.class_scores import Bools, Floats
from learning.contract import BadInput, ModelConfig
from learning.family_hyperparameters import TextHyperparameters

WORD = r"(?u)\b\w+\b"
CHARACTERS = (2, 5)
"""Lengths of the runs of characters that are terms where nothing parts words."""
LONGEST_WORD = 12
"""Where words have more characters than this on average, nothing parts them (Chinese, Japanese, Thai)."""
STRENGTHS = (1.0, 3.0, 10.0, 30.0, 100.0)
"""Inverse strengths of regularization that are tried."""
FOLDS = 3
FEWEST_TO_TRY = 20
"""With fewer texts none of them could be told to be the best."""
USUAL_STRENGTH = 10.0
NEVER = -30.0
"""The log-odds of a class that no text has."""
EMBEDDING = 64
EMBEDDING_SEED = 20260101


@dataclass(frozen=True)
class TextModel:
    """`idf` (V,) weighs the V terms, `weights` (C, V) and `bias` (C,) give the log-odds of the C classes.

    With `several` each class has a chance of its own, else the chances of a text sum to 1. `characters`: terms are
    runs of characters, not of up to `ngrams` words.
    """

    terms: tuple[str, ...]
    idf: NDArray[np.float32]
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    several: bool
    characters: bool
    ngrams: int

    def features(self, texts: Sequence[str]) -> csr_matrix:
        """(n, V) TF-IDF, rows of length 1."""
        made = _vectorizer(self.characters, self.ngrams, vocabulary={term: n for n, term in enumerate(self.terms)})
        made.idf_ = self.idf
        return made.transform(texts)

    def chances(self, features: csr_matrix) -> Floats:
        """(n, C) of the classes."""
        odds = np.asarray(features @ self.weights.T, dtype=np.float64) + self.bias
        found: Floats = expit(odds) if self.several else softmax(odds, axis=1)
        return found

    def embeddings(self, features: csr_matrix) -> NDArray[np.float32]:
        """(n, EMBEDDING) numbers whose distances are about those of the features.

        A projection onto random directions, always the same (Johnson and Lindenstrauss): it needs neither fitting nor
        space in the model's file.
        """
        directions = np.random.default_rng(EMBEDDING_SEED).standard_normal((len(self.terms), EMBEDDING))
        return np.asarray(features @ (directions / np.sqrt(EMBEDDING)), dtype=np.float32)

    def write(self, folder: Path) -> None:
        """model.safetensors, atomically."""
        target = folder / "model.safetensors"
        beside = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        terms = np.frombuffer("\n".join(self.terms).encode(), dtype=np.uint8)
        save_file({"terms": terms, "idf": self.idf, "weights": self.weights, "bias": self.bias}, beside)
        beside.chmod(0o644)  # safetensors makes files that only their owner can read
        beside.replace(target)

    @classmethod
    def read(cls, folder: Path, config: ModelConfig) -> "TextModel":
        """What `write` wrote. Raises BadInput when the file is missing or does not fit the configuration."""
        try:
            found = load_file(folder / "model.safetensors")
            terms = tuple(found["terms"].tobytes().decode().split("\n")) if found["terms"].size else ()
            how = config.preprocessing
            made = cls(
                terms, found["idf"], found["weights"], found["bias"], config.several, how["characters"], how["ngrams"]
            )
        except (OSError, SafetensorError, KeyError, UnicodeDecodeError) as error:
            raise BadInput(f"model.safetensors does not fit the model that config.json describes: {error}") from error
        if made.weights.shape != (len(config.class_map), len(terms)) or made.idf.shape != (len(terms),):
            raise BadInput("model.safetensors does not fit the model that config.json describes: other shapes")
        return made


def fit(texts: Sequence[str], truth: Bools, asked: TextHyperparameters) -> TextModel:
    """Learn from n texts and (n, C) labels. Raises BadInput when the texts have no term that could be learned from."""
    characters = asked.analyzer == "characters" or (asked.analyzer == "auto" and _unparted(texts))
    least = min(asked.min_texts, len(texts))
    maker = _vectorizer(characters, asked.ngrams, min_df=least, max_features=asked.max_terms)
    try:
        features = maker.fit_transform(texts)
    except ValueError as error:
        raise BadInput(f"the texts have no terms to learn from: {error}") from error
    # Sparse products have no use for threads, and on a busy machine waiting for each other takes them most of the time.
    with threadpool_limits(asked.num_threads or 1):
        weights, bias = (_each if asked.multi_label else _one)(features, truth, asked)
    return TextModel(
        terms=tuple(maker.get_feature_names_out().tolist()),
        idf=np.asarray(maker.idf_, dtype=np.float32),
        weights=np.asarray(weights, dtype=np.float32),
        bias=np.asarray(bias, dtype=np.float32),
        several=asked.multi_label,
        characters=characters,
        ngrams=asked.ngrams,
    )


def _vectorizer(characters: bool, ngrams: int, **options: Any) -> TfidfVectorizer:
    how = (
        {"analyzer": "char_wb", "ngram_range": CHARACTERS}
        if characters
        else {"token_pattern": WORD, "ngram_range": (1, ngrams)}
    )
    return TfidfVectorizer(
        lowercase=True, strip_accents="unicode", sublinear_tf=True, dtype=np.float32, **how, **options
    )


def _unparted(texts: Sequence[str]) -> bool:
    words = sum(len(text.split()) for text in texts)
    return sum(len(text) for text in texts) > (LONGEST_WORD + 1) * max(words, 1)


def _one(features: csr_matrix, truth: Bools, asked: TextHyperparameters) -> tuple[Floats, Floats]:
    """Weights (C, V) and bias (C,) of classes of which each text has one."""
    label = truth.argmax(axis=1)
    weights, bias = np.zeros((truth.shape[1], features.shape[1])), np.full(truth.shape[1], NEVER)
    found = np.unique(label)
    if len(found) == 1:
        bias[found] = 0.0
        return weights, bias
    fitted = _regression(features, label, asked)
    if len(found) == 2:  # one row of weights, for the second of the two
        weights[found[1]], bias[found] = fitted.coef_[0], [0.0, fitted.intercept_[0]]
    else:
        weights[found], bias[found] = fitted.coef_, fitted.intercept_
    return weights, bias


def _each(features: csr_matrix, truth: Bools, asked: TextHyperparameters) -> tuple[Floats, Floats]:
    """Weights (C, V) and bias (C,) of classes that a text has or has not, whatever the others."""
    weights, bias = np.zeros((truth.shape[1], features.shape[1])), np.full(truth.shape[1], NEVER)
    for place, mine in enumerate(truth.T):
        if mine.all():
            bias[place] = -NEVER
        elif mine.any():
            fitted = _regression(features, mine.astype(np.int64), asked)
            weights[place], bias[place] = fitted.coef_[0], fitted.intercept_[0]
    return weights, bias


def _regression(features: csr_matrix, label: NDArray[np.int64], asked: TextHyperparameters) -> LogisticRegression:
    strength = asked.regularization or _best_strength(features, label, asked)
    return LogisticRegression(C=strength, max_iter=asked.max_iterations).fit(features, label)


def _best_strength(features: csr_matrix, label: NDArray[np.int64], asked: TextHyperparameters) -> float:
    """The strength whose chances of texts that were left out are best; the usual one where too few can be."""
    if len(label) < FEWEST_TO_TRY or np.unique(label, return_counts=True)[1].min() < FOLDS:
        return USUAL_STRENGTH
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=asked.seed)
    tried = [LogisticRegression(C=strength, max_iter=asked.max_iterations) for strength in STRENGTHS]
    losses = [
        log_loss(label, cross_val_predict(one, features, label, cv=folds, method="predict_proba")) for one in tried
    ]
    return STRENGTHS[int(np.argmin(losses))]
