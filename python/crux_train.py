"""
Trains a model in a folder that Crux prepared: DPO on pairs, or SFT on examples, by TRL.

    python crux_train.py [--threads N] [--rows-at-once N] [--bf16] [--by-length] <folder>

The folder is the contract of src/domain/improve/contract.ts: `settings.json` and `data/` in, `metrics.jsonl`, `canary.jsonl` and `model/` out. Started
again in the same folder, the training goes on from its newest complete checkpoint. On a CPU the weights are then those of a training that nothing
disturbed, to the byte, if the number of threads is the same. SIGTERM ends it at once, wherever it is: every file is either whole or ignored.

Several GPUs: `accelerate launch crux_train.py <folder>`. Exit codes: crux_training/stops.py. Checked with torch 2.15,
transformers 5.23, trl 1.16, datasets 5.2, accelerate 1.15.
"""

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

from crux_training.settings import Settings, read_settings
from crux_training.stops import Stop, stop_of


def main() -> int:
    parser = argparse.ArgumentParser(description="Trains a model in a folder that Crux prepared.")
    parser.add_argument("--threads", type=int, default=2, help="threads of a training on a CPU; another number gives other last digits (default 2)")
    parser.add_argument("--rows-at-once", type=int, default=8, help="most rows in memory at once; the optimizer's step sums over them (default 8)")
    parser.add_argument("--bf16", action="store_true", help="compute in bfloat16 on a CPU too, over weights of 32 bits; a GPU always does")
    parser.add_argument("--by-length", action="store_true", help="rows that are in memory together are of like length, in the same order in each epoch")
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    try:
        if (arguments.folder / "model").exists():
            # A training that was killed at its very end left them.
            remove_checkpoints(arguments.folder)
            say("model/ is there already: nothing to do")
            return 0
        train(read_settings(arguments.folder), arguments)
        return 0
    except BaseException as error:
        stop = stop_of(error)
        if stop is None:
            raise
        say(f"stopped: {stop.message}")
        return stop.code


def train(settings: Settings, arguments: argparse.Namespace) -> None:
    prepare_process(settings)
    import torch
    from crux_training import canary, checkpoints, rows, trainers
    from crux_training.metrics import MetricsFile, Watch

    torch.set_num_threads(arguments.threads)
    on_gpu = torch.cuda.is_available()
    # Some operations on a GPU have no deterministic form; there the last digits may differ.
    torch.use_deterministic_algorithms(True, warn_only=on_gpu)
    say(f"{settings.loss} on {settings.rows} rows, " + ("on a GPU" if on_gpu else f"on the CPU with {arguments.threads} threads"))

    checkpoint = checkpoints.newest_complete(settings.folder)
    metrics = MetricsFile(settings.folder / "metrics.jsonl", after_step=checkpoints.step_of(checkpoint))
    with tempfile.TemporaryDirectory(prefix="crux-train-") as cache:
        trainer = trainers.build(settings, rows.load(settings, cache), arguments, on_gpu)
        rows.check_number(settings, trainer.train_dataset)
        rows.check_masks(settings, trainer.train_dataset, trainer.processing_class, say)
        trainer.add_callback(Watch(settings, metrics))
        trainer.add_callback(checkpoints.Marks())

        texts = canary.choose(settings, trainer.train_dataset, canary.end_tokens(trainer))
        before = canary.log_probabilities(trainer, texts)
        if checkpoint is not None:
            say(f"goes on from step {checkpoints.step_of(checkpoint)}")
        trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
        after = canary.log_probabilities(trainer, texts)
        if trainer.is_world_process_zero():
            canary.write(settings.folder / "canary.jsonl", texts, before, after)
        trainers.save_model(trainer, settings.folder / "model")
        if trainer.is_world_process_zero():
            remove_checkpoints(settings.folder)
    say(f"done after {trainer.state.global_step} steps")


def remove_checkpoints(folder: Path) -> None:
    """After the model is written; they are larger than it."""
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)


def prepare_process(settings: Settings) -> None:
    """What must be set before torch and the libraries of Hugging Face are loaded."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    # A thread that waits for another leaves the core to whoever needs it.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TQDM_DISABLE", "1")
    if settings.is_local:
        os.environ.setdefault("HF_HUB_OFFLINE", "1")


def say(text: str) -> None:
    if os.environ.get("RANK", "0") == "0":
        print(f"crux_train: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
