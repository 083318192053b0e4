"""`settings.json`, as src/domain/improve/contract.ts describes it."""

import json
from dataclasses import dataclass
from pathlib import Path

from crux_training.adapters import base_of
from crux_training.stops import SETTINGS, Stop

FORMATS = {"dpo": ("trl", "crux-masked"), "sft": ("crux-masked-sft", "trl-sft")}
"""The export formats that can be trained on, by loss."""


@dataclass(frozen=True)
class Settings:
    folder: Path
    loss: str
    rows_file: Path
    format: str
    rows: int
    base: str
    reference: str | None
    seed: int
    beta: float
    learning_rate: float
    sft_weight: float
    epochs: float
    batch_size: int
    max_length: int | None
    warmup: float
    lora: dict | None
    checkpoint_every: int | None
    collapse: float | None

    @property
    def is_local(self) -> bool:
        """Whether no model has to be fetched."""
        return all(Path(base_of(model) or model).is_dir() for model in (self.base, self.reference) if model is not None)


def read_settings(folder: Path) -> Settings:
    try:
        settings = json.loads((folder / "settings.json").read_text())
        if settings["schemaVersion"] != 1:
            raise Stop(SETTINGS, f"settings.json has schemaVersion {settings['schemaVersion']}, and this trainer knows 1")
        data, hyper = settings["data"], settings["hyperparameters"]
        read = Settings(
            folder=folder.resolve(),
            loss=settings["loss"],
            rows_file=folder.resolve() / data["file"],
            format=data["format"],
            rows=data["rows"],
            base=settings["base"]["from"],
            reference=settings["reference"]["from"] if settings["reference"] else None,
            seed=settings["seed"],
            beta=hyper["beta"],
            learning_rate=hyper["learningRate"],
            sft_weight=hyper["sftWeight"],
            epochs=hyper["epochs"],
            batch_size=hyper["batchSize"],
            max_length=hyper["maxLength"],
            warmup=hyper["warmup"],
            lora=hyper["lora"],
            checkpoint_every=hyper["checkpointEvery"],
            collapse=hyper["collapse"],
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Stop(SETTINGS, f"{folder / 'settings.json'} cannot be read: {type(error).__name__} {error}") from error
    if read.format not in FORMATS.get(read.loss, ()):
        known = ", ".join(f"{loss} on {name}" for loss, names in FORMATS.items() for name in names)
        raise Stop(SETTINGS, f"{read.loss} on rows of format {read.format} is not known here. Known: {known}.")
    if read.loss == "dpo" and read.reference is None:
        raise Stop(SETTINGS, "DPO needs a reference model, and settings.json has none.")
    return read
