"""`metrics.jsonl` while the training runs, and the two reasons in it to stop: a figure that is no number, and a collapse."""

import json
import math
from pathlib import Path

from transformers import TrainerCallback

from crux_training.settings import Settings
from crux_training.stops import COLLAPSE, NOT_A_NUMBER, Stop


class MetricsFile:
    """Lines of `TrainingMetrics`. Those after the step from which a training goes on are written anew."""

    def __init__(self, path: Path, after_step: int):
        self.path = path
        kept = [line for line in whole_lines(path) if json.loads(line)["step"] <= after_step]
        part = path.with_name(path.name + ".part")
        part.write_text("".join(f"{line}\n" for line in kept))
        part.rename(path)

    def add(self, line: dict) -> None:
        with self.path.open("a") as file:
            file.write(json.dumps(line) + "\n")


def whole_lines(path: Path) -> list[str]:
    """A kill may have cut the last one."""
    return path.read_text().split("\n")[:-1] if path.exists() else []


class Watch(TrainerCallback):
    def __init__(self, settings: Settings, metrics: MetricsFile):
        self.settings = settings
        self.metrics = metrics

    def on_log(self, args, state, control, logs=None, **_):
        if not logs or "loss" not in logs:
            return
        figures = {name: value for name, value in logs.items() if isinstance(value, (int, float))}
        numbers = {name: value for name, value in figures.items() if math.isfinite(value)}
        if state.is_world_process_zero:
            self.metrics.add({"step": state.global_step, "total": state.max_steps, **numbers})
        for name in ("loss", "grad_norm"):
            if name in figures and name not in numbers:
                raise Stop(NOT_A_NUMBER, f"{name} is {figures[name]} at step {state.global_step}. A lower learning rate helps most often.")
        self.watch_collapse(state, figures)

    def watch_collapse(self, state, figures: dict) -> None:
        """
        TRL's `rewards/chosen` is β times the nats by which the same chosen sides rose above the reference: unlike `logps/chosen` itself it does
        not vary with the rows of a step. Where the training began elsewhere than at the reference, its first step says where.
        """
        if self.settings.collapse is None or "rewards/chosen" not in figures:
            return
        first = next((line for line in state.log_history if "rewards/chosen" in line), figures)
        fallen = (first["rewards/chosen"] - figures["rewards/chosen"]) / self.settings.beta
        if fallen > self.settings.collapse:
            raise Stop(
                COLLAPSE,
                f"logps/chosen is {fallen:.1f} nats below its start at step {state.global_step}, more than collapse "
                f"({self.settings.collapse:g}): the model unlearns what it should prefer. A lower learning rate, or more sftWeight, prevents it.",
            )
