"""The trainers of TRL with Crux's settings, and the model that comes of them."""

import os
import shutil
import sys
from pathlib import Path

from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.trainer_callback import PrinterCallback
from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

from crux_training import adapters
from crux_training.rows import by_length
from crux_training.settings import Settings
from crux_training.stops import BASE_MISSING, SETTINGS, Stop


def build(settings: Settings, dataset, arguments, on_gpu: bool):
    """@param arguments of the command: rows_at_once, bf16, by_length"""
    rows_at_once = arguments.rows_at_once
    sizes = batch(settings.batch_size, rows_at_once)
    if not on_gpu:
        score_labels_alone()
    common = {
        "output_dir": str(settings.folder / "checkpoints"),
        "seed": settings.seed,
        "data_seed": settings.seed,
        "learning_rate": settings.learning_rate,
        "num_train_epochs": settings.epochs,
        "warmup_steps": settings.warmup if settings.warmup < 1 else 0,
        "max_length": settings.max_length,
        **sizes,
        "train_sampling_strategy": "sequential" if arguments.by_length else "random",
        "logging_steps": 1,
        # Else a loss that is no number is logged as 0.
        "logging_nan_inf_filter": False,
        "report_to": "none",
        "disable_tqdm": True,
        "save_strategy": "no" if settings.checkpoint_every is None else "steps",
        "save_steps": settings.checkpoint_every or 500,
        # The newest may be incomplete, so the one before it stays.
        "save_total_limit": 2,
        "use_cpu": not on_gpu,
        "bf16": on_gpu or arguments.bf16,
        "gradient_checkpointing": on_gpu,
    }
    model, tokenizer = load_model(settings.base, settings.lora), load_tokenizer(settings.base)
    is_new = settings.lora is not None and adapters.base_of(settings.base) is None
    peft = adapters.new(settings.lora) if is_new else None
    if settings.loss == "sft":
        trainer = SFTTrainer(
            model=model,
            args=SFTConfig(
                lr_scheduler_type="cosine", assistant_only_loss=settings.format == "trl-sft", packing=False, **common
            ),
            train_dataset=dataset,
            processing_class=tokenizer,
            peft_config=peft,
        )
    else:
        Trainer, collator = masked_trainer(settings, tokenizer) if settings.format == "crux-masked" else (DPOTrainer, {})
        # TRL has the model itself for that: a new adapter is turned off, and of one that goes on a frozen copy is made.
        is_base = settings.reference == settings.base and settings.lora is not None
        trainer = Trainer(
            model=model,
            ref_model=None if is_base else load_model(settings.reference),
            args=DPOConfig(
                beta=settings.beta,
                loss_type=["sigmoid", "sft"],
                loss_weights=[1.0, settings.sft_weight],
                precompute_ref_log_probs=True,
                precompute_ref_batch_size=rows_at_once,
                **common,
            ),
            train_dataset=dataset,
            processing_class=tokenizer,
            peft_config=peft,
            **collator,
        )
    if arguments.by_length:
        together = sizes["per_device_train_batch_size"] * processes()
        trainer.train_dataset = by_length(settings, trainer.train_dataset, together)
    # metrics.jsonl has it all.
    trainer.remove_callback(PrinterCallback)
    return trainer


def score_labels_alone() -> None:
    """
    TRL computes the output layer where there is a label, but on a CPU everywhere, so that no compiler sees new shapes. Nothing is compiled here, and most
    positions of a conversation have no label.
    """
    from trl.trainer import utils

    # It decides nothing else in this module. Without it training is slower, and no different.
    if hasattr(utils, "_use_triton"):
        utils._use_triton = lambda _: True


def batch(size: int, rows_at_once: int) -> dict:
    """An optimizer step over `size` rows, of which each process holds at most so many at once."""
    if size % processes() != 0:
        raise Stop(SETTINGS, f"batchSize {size} cannot be shared among {processes()} processes")
    share = size // processes()
    at_once = max(number for number in range(1, min(share, rows_at_once) + 1) if share % number == 0)
    return {"per_device_train_batch_size": at_once, "gradient_accumulation_steps": share // at_once}


def processes() -> int:
    return int(os.environ.get("WORLD_SIZE", "1"))


def load_model(source: str, lora: dict | None = None):
    """@param lora of a training that goes on with an adapter. Without it, the adapter that the source may be is added to the weights"""
    base = adapters.base_of(source)
    if base is None:
        return load_weights(source)
    weights = load_weights(base)
    return loaded(source, lambda: adapters.merged(weights, source) if lora is None else adapters.continued(weights, source, lora))


def load_weights(source: str):
    # They are kept in 32 bits; on a GPU autocast computes in bf16.
    return loaded(source, lambda: AutoModelForCausalLM.from_pretrained(source, dtype="float32"))


def load_tokenizer(source: str):
    return loaded(source, lambda: AutoTokenizer.from_pretrained(source))


def loaded(source: str, load):
    try:
        return load()
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:300]
        raise Stop(BASE_MISSING, f"{source} cannot be loaded: it is no folder of a model, nor one of a hub that can be reached ({reason})") from error


def masked_trainer(settings: Settings, tokenizer):
    """The trainer that `crux export --format crux-masked` writes next to its rows."""
    sys.path.insert(0, str(settings.rows_file.parent))
    try:
        from crux_masked import MaskedCollator, MaskedDPOTrainer
    except ImportError as error:
        raise Stop(SETTINGS, f"crux_masked.py is not next to {settings.rows_file}: the whole export belongs there") from error
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
    return MaskedDPOTrainer, {"data_collator": MaskedCollator(pad_token_id=pad, max_length=settings.max_length)}


def save_model(trainer, folder: Path) -> None:
    """Writes the model whole or not at all: a folder of this name is a complete model."""
    part = folder.with_name(folder.name + ".part")
    # Training turns it off, and servers would read so.
    trainer.accelerator.unwrap_model(trainer.model).config.use_cache = True
    if trainer.is_world_process_zero():
        shutil.rmtree(part, ignore_errors=True)
    trainer.accelerator.wait_for_everyone()
    trainer.save_model(str(part))
    trainer.accelerator.wait_for_everyone()
    if trainer.is_world_process_zero():
        # They name folders of this machine, so equal weights would differ in their hash.
        for name in ("training_args.bin", "README.md"):
            (part / name).unlink(missing_ok=True)
        shutil.rmtree(part / adapters.REFERENCE, ignore_errors=True)
        part.rename(folder)
