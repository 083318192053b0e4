"""
Answers requests in batches: what waits for one model when the engine is free is answered together, with padding on the left. A request that ends
leaves its batch; new ones wait for the next.
"""

import random
import threading
from dataclasses import dataclass, field

import torch

from crux_serving.models import Served

ECHO_NUMBERS = 2**27
"""Most log-probabilities that echoed prompts may take up at once: rows × tokens × vocabulary, 512 MB."""


@dataclass(eq=False)
class Job:
    """A prompt to continue, with what came of it."""

    served: Served
    prompt: list[int]
    most: int
    """Tokens of the answer, at most; 0 for a prompt whose own probabilities are wanted."""
    temperature: float = 1.0
    top_p: float = 1.0
    seed: int = 0
    stop: list[str] = field(default_factory=list)
    echo: bool = False

    answer: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    """Of the answer's tokens, at temperature 1, in nats."""
    prompt_logprobs: list[float] = field(default_factory=list)
    """Of the prompt's tokens from the second on, if `echo`."""
    scores: list[float] = field(default_factory=list)
    """What the head gives at the last token, a number for each of its classes; of a model with a head alone."""
    text: str = ""
    finish: str | None = None
    error: Exception | None = None
    done: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self):
        self.draws = random.Random(self.seed)


class Engine:
    def __init__(self, most_at_once: int):
        self.most_at_once = most_at_once
        self.waiting: list[Job] = []
        self.wake = threading.Condition()
        threading.Thread(target=self.run, daemon=True).start()

    def answer(self, jobs: list[Job]) -> None:
        """Returns when all are answered. @raises what the model raised"""
        with self.wake:
            self.waiting.extend(jobs)
            self.wake.notify()
        for job in jobs:
            job.done.wait()
            if job.error is not None:
                raise job.error

    def run(self) -> None:
        while True:
            batch = self.next_batch()
            try:
                with torch.inference_mode():
                    (score if batch[0].served.has_head else answer)(batch)
            except Exception as error:  # one request's trouble must not end the server
                for job in batch:
                    job.error = error
            for job in batch:
                job.done.set()

    def next_batch(self) -> list[Job]:
        """The oldest request, and those that can be answered with it."""
        with self.wake:
            self.wake.wait_for(lambda: self.waiting)
            batch: list[Job] = []
            for job in self.waiting:
                if job.served is self.waiting[0].served and fits(batch, job) and len(batch) < self.most_at_once:
                    batch.append(job)
            self.waiting = [job for job in self.waiting if job not in batch]
            return batch


def fits(batch: list[Job], job: Job) -> bool:
    together = [*batch, job]
    if len(together) == 1 or not any(one.echo for one in together):
        return True
    longest = max(len(one.prompt) for one in together)
    return len(together) * longest * job.served.model.config.vocab_size <= ECHO_NUMBERS


def answer(batch: list[Job]) -> None:
    """Fills in what comes of each job."""
    model, device = batch[0].served.model, batch[0].served.model.device
    longest = max(len(job.prompt) for job in batch)
    ids, mask = padded(batch)
    # The last position is enough, unless a prompt's own probabilities are wanted.
    keep = 0 if any(job.echo for job in batch) else 1
    output = model(input_ids=ids, attention_mask=mask, position_ids=positions(mask), use_cache=True, logits_to_keep=keep)
    for row, job in enumerate(batch):
        if job.echo:
            own = output.logits[row, longest - len(job.prompt) : -1].float().log_softmax(-1)
            job.prompt_logprobs = own.gather(1, torch.tensor(job.prompt[1:], device=device)[:, None])[:, 0].tolist()
        if job.most == 0:
            job.finish = "length"

    active, logits, cache = batch, output.logits[:, -1], output.past_key_values
    while True:
        take(active, logits)
        going = [row for row, job in enumerate(active) if job.finish is None]
        if not going:
            return
        if len(going) < len(active):
            rows = torch.tensor(going, device=device)
            cache.batch_select_indices(rows)
            mask = mask[rows]
            active = [active[row] for row in going]
        mask = torch.cat([mask, mask.new_ones(len(active), 1)], dim=1)
        last = torch.tensor([[job.answer[-1]] for job in active], device=device)
        output = model(input_ids=last, attention_mask=mask, position_ids=positions(mask)[:, -1:], past_key_values=cache, use_cache=True)
        logits, cache = output.logits[:, -1], output.past_key_values


def score(batch: list[Job]) -> None:
    """Fills in the scores. The head is applied to the last token itself: transformers looks for it by the pad token, which a prompt may end on."""
    model = batch[0].served.model
    ids, mask = padded(batch)
    hidden = model.base_model(input_ids=ids, attention_mask=mask, position_ids=positions(mask), use_cache=False).last_hidden_state
    for job, scores in zip(batch, model.score(hidden[:, -1]).float().tolist()):
        job.scores, job.finish = scores, "stop"


def padded(batch: list[Job]) -> tuple[torch.Tensor, torch.Tensor]:
    """The prompts with padding on the left, and what of it counts."""
    device, longest = batch[0].served.model.device, max(len(job.prompt) for job in batch)
    ids = torch.tensor([[0] * (longest - len(job.prompt)) + job.prompt for job in batch], device=device)
    mask = torch.tensor([[0] * (longest - len(job.prompt)) + [1] * len(job.prompt) for job in batch], device=device)
    return ids, mask


def positions(mask: torch.Tensor) -> torch.Tensor:
    return (mask.cumsum(-1) - 1).clamp(min=0)


def take(jobs: list[Job], logits: torch.Tensor) -> None:
    """Draws the next token of each job that is not over."""
    all_logprobs = logits.float().log_softmax(-1)
    for job, logprobs in zip(jobs, all_logprobs):
        if job.finish is not None:
            continue
        token = draw(job, logprobs)
        job.answer.append(token)
        job.logprobs.append(float(logprobs[token]))
        settle(job, token)


def draw(job: Job, logprobs: torch.Tensor) -> int:
    if job.temperature == 0:
        return int(logprobs.argmax())
    probabilities = (logprobs / job.temperature).softmax(-1)
    if job.top_p < 1:
        ordered, order = probabilities.sort(descending=True)
        # The token that crosses the limit still belongs to it.
        probabilities[order[ordered.cumsum(-1) - ordered >= job.top_p]] = 0
    limits = probabilities.cumsum(-1)
    # Rounding may leave the sum below the draw, and the last token may have no probability.
    drawn = torch.searchsorted(limits, job.draws.random() * float(limits[-1]), right=True)
    return min(int(drawn), int(probabilities.nonzero()[-1]))


def settle(job: Job, token: int) -> None:
    """Whether the answer ends here, and its text if so."""
    tokenizer = job.served.tokenizer
    if token in job.served.ends:
        job.finish = "stop"
        job.text = tokenizer.decode(job.answer[:-1], skip_special_tokens=True)
        return
    if job.stop:
        text = tokenizer.decode(job.answer, skip_special_tokens=True)
        places = [place for stop in job.stop if (place := text.find(stop)) >= 0]
        if places:
            job.finish, job.text = "stop", text[: min(places)]
            return
    if len(job.answer) >= job.most:
        job.finish = "length"
        job.text = tokenizer.decode(job.answer, skip_special_tokens=True)
