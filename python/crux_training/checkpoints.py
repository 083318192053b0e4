"""Checkpoints in `checkpoints/checkpoint-<step>/`. One is complete if it holds the mark, which is written last; any other was cut short by a kill."""

from pathlib import Path

import torch.distributed
from transformers import TrainerCallback

MARK = "complete"


class Marks(TrainerCallback):
    """Marks each checkpoint once all processes have written their part."""

    def on_save(self, args, state, control, **_):
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            torch.distributed.barrier()
        if state.is_world_process_zero:
            (Path(args.output_dir) / f"checkpoint-{state.global_step}" / MARK).touch()


def newest_complete(folder: Path) -> Path | None:
    found = sorted((folder / "checkpoints").glob("checkpoint-*"), key=step_of)
    complete = [checkpoint for checkpoint in found if (checkpoint / MARK).exists()]
    return complete[-1] if complete else None


def step_of(checkpoint: Path | None) -> int:
    return 0 if checkpoint is None else int(checkpoint.name.split("-")[1])
