"""Why a training ends without a model: one line for the reader, one exit code for the program that started it."""

import errno

SETTINGS = 2
"""`settings.json` cannot be read, or asks for something that this trainer, or this Python environment, does not have."""
BASE_MISSING = 3
"""The base or the reference model is not there, or cannot be loaded."""
ROWS = 4
"""The rows to be trained on are not as many as stated: the trainer would drop some, or the file lacks them."""
MASKS = 5
"""The tokens to be trained on are not the model's own turns."""
NOT_A_NUMBER = 6
"""The loss, or the norm of its gradient, is no number."""
COLLAPSE = 7
"""The chosen sides became less probable than the settings allow."""
MEMORY = 8
"""Out of memory. A process that the system's kernel kills for it ends with 137 instead."""
DISK = 9
"""The disk is full."""


class Stop(Exception):
    def __init__(self, code: int, message: str):
        super().__init__(message)
        self.code = code
        self.message = message


def stop_of(error: BaseException) -> Stop | None:
    """The stop that an error means; None for a defect, whose traceback says more than a line."""
    if isinstance(error, Stop):
        return error
    text = " ".join(str(error).split())[:300]
    if (isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)) or "No space left on device" in text:
        return Stop(DISK, f"the disk is full ({text}). Free some space and start again: the training goes on from its newest complete checkpoint.")
    out_of_memory = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError" or "not enough memory" in text
    if out_of_memory or "can't allocate memory" in text:
        return Stop(MEMORY, f"out of memory ({text}). Fewer --rows-at-once, a smaller maxLength or LoRA need less.")
    return None
