"""The settings of tests and benchmarks, declared as those in settings_declared.py, which lists them. Pure."""

from marketplace.settings_kinds import flag, folder, names, text, whole

CHROMIUM = text(
    "WAGGLE_CHROMIUM",
    "The Chromium that the browser tests drive.",
    expects="the path of a program",
    default_in_words="the first one found on PATH",
)
WRITE_PICTURES = flag(
    "WAGGLE_WRITE_PICTURES", "Whether the browser tests write the pictures of docs/images anew.", default=False
)
DATASETS = folder(
    "WAGGLE_DATASETS",
    "The shared data sets that some tests and benchmarks measure on.",
    default_in_words="`shared/datasets` beside the project's folder",
)
BENCH_SETS = names(
    "WAGGLE_BENCH_SETS",
    "The data sets of the benchmark main_job.",
    default=("bccd", "cards", "raccoon"),
)
BENCH_TRAIN_SECONDS = whole(
    "WAGGLE_BENCH_TRAIN_SECONDS",
    "How long each training of the benchmark main_job may take.",
    default=300,
    low=1,
    high=86_400,
    unit="seconds",
)
BENCH_SIZES = names(
    "WAGGLE_BENCH_SIZES",
    "The numbers of objects in the manifests of the benchmark manifest_io.",
    default=("10000", "100000", "1000000"),
)
