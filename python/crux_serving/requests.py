"""Requests of OpenAI's API as jobs, and answered jobs as its responses."""

import secrets
import time
from dataclasses import dataclass

import torch

from crux_serving.engine import Job
from crux_serving.models import Models, Served


@dataclass
class Refusal(Exception):
    """An answer with an error, in OpenAI's form."""

    status: int
    message: str
    kind: str = "invalid_request_error"
    code: str | None = None

    def body(self) -> dict:
        return {"error": {"message": self.message, "type": self.kind, "param": None, "code": self.code}}


DRAWING = {"model", "temperature", "top_p", "seed", "stop", "max_tokens"}
CHAT = DRAWING | {"messages", "max_completion_tokens", "logprobs"}
TOKENIZED = {"model", "messages", "add_generation_prompt"}
SCORED = {"model", "messages", "use_activation"}
TEXT = DRAWING | {"prompt", "echo", "logprobs"}

# Members that say what is done anyway, by the value at which they do.
WITHOUT_EFFECT = {"n": 1, "best_of": 1, "stream": False, "frequency_penalty": 0, "presence_penalty": 0, "top_logprobs": 0, "tools": [], "top_k": -1}


def served_model(models: Models, body: dict, has_head: bool = False) -> Served:
    name = body.get("model")
    served = models.served.get(name) if isinstance(name, str) else None
    if served is None:
        raise Refusal(404, f"The model `{name}` does not exist.", "NotFoundError", "model_not_found")
    if served.has_head != has_head:
        raise Refusal(400, f"The model `{name}` {'scores texts, and writes none: ask /pooling' if served.has_head else 'has no head to score with'}.")
    return served


def chat_job(models: Models, body: dict) -> Job:
    served = served_model(models, body)
    refuse_unknown(body, CHAT)
    return job_of(served, rendered(served, body, True), body, body.get("max_completion_tokens", body.get("max_tokens")))


def tokenize_response(models: Models, body: dict) -> dict:
    """As vLLM's, of messages alone."""
    served = served_model(models, body)
    refuse_unknown(body, TOKENIZED)
    tokens = rendered(served, body, body.get("add_generation_prompt", True) is True)
    return {"count": len(tokens), "max_model_len": served.context, "tokens": tokens}


def pooling_job(models: Models, body: dict) -> Job:
    """The conversation as it stands, its last message included."""
    served = served_model(models, body, has_head=True)
    refuse_unknown(body, SCORED)
    return job_of(served, rendered(served, body, False), {}, 0, scored=True)


def rendered(served: Served, body: dict, add_generation_prompt: bool) -> list[int]:
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise Refusal(400, "`messages` must be a list with at least one message.")
    try:
        return served.tokenizer.apply_chat_template(messages, add_generation_prompt=add_generation_prompt, return_dict=True)["input_ids"]
    except Exception as error:  # templates refuse what they do not know by errors of any kind
        raise Refusal(400, f"The chat template refuses the messages: {error}") from error


def text_jobs(models: Models, body: dict) -> list[Job]:
    served = served_model(models, body)
    refuse_unknown(body, TEXT)
    prompt = body.get("prompt")
    is_one = isinstance(prompt, str) or (isinstance(prompt, list) and len(prompt) > 0 and all(isinstance(token, int) for token in prompt))
    prompts = [prompt] if is_one else prompt
    if not isinstance(prompts, list) or not prompts:
        raise Refusal(400, "`prompt` must be a text, a list of token ids, or a list of these.")
    return [job_of(served, token_ids(served, one), body, body.get("max_tokens", 16), bool(body.get("echo"))) for one in prompts]


def refuse_unknown(body: dict, known: set[str]) -> None:
    for member, value in body.items():
        if member in known or value is None or (member in WITHOUT_EFFECT and value == WITHOUT_EFFECT[member]):
            continue
        raise Refusal(400, f"This server does not support `{member}`.", code="unsupported_parameter")


def token_ids(served: Served, prompt) -> list[int]:
    if isinstance(prompt, str):
        return served.tokenizer(prompt, add_special_tokens=True)["input_ids"]
    vocabulary = served.model.config.vocab_size
    if isinstance(prompt, list) and prompt and all(isinstance(token, int) and 0 <= token < vocabulary for token in prompt):
        return prompt
    raise Refusal(400, f"A prompt of token ids must hold whole numbers from 0 to {vocabulary - 1}, at least one.")


def job_of(served: Served, prompt: list[int], body: dict, most: int | None, echo: bool = False, scored: bool = False) -> Job:
    room = served.context - len(prompt)
    if most is None:
        most = room
    number(most, "max_tokens", 0 if echo or scored else 1, None, whole=True)
    if len(prompt) == 0:
        raise Refusal(400, "The prompt is empty.")
    if len(prompt) + most > served.context:
        raise Refusal(
            400,
            f"This model's maximum context length is {served.context} tokens. However, you requested {len(prompt) + most} tokens "
            f"({len(prompt)} in the messages, {most} in the completion). Please reduce the length of the messages or completion.",
            code="context_length_exceeded",
        )
    stop = body.get("stop") or []
    seed = body.get("seed")
    return Job(
        served=served,
        prompt=prompt,
        most=most,
        temperature=number(body.get("temperature"), "temperature", 0, 1.0),
        top_p=number(body.get("top_p"), "top_p", 0, 1.0),
        seed=secrets.randbits(63) if seed is None else number(seed, "seed", None, 0, whole=True),
        stop=[stop] if isinstance(stop, str) else stop,
        echo=echo,
    )


def number(value, name: str, least, default, whole: bool = False):
    if value is None:
        return default
    fits = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
    if not fits or (least is not None and value < least):
        raise Refusal(400, f"`{name}` must be a {'whole ' if whole else ''}number{'' if least is None else f' from {least}'}, not {value!r}.")
    return value


def chat_response(job: Job, body: dict) -> dict:
    choice = {"index": 0, "message": {"role": "assistant", "content": job.text}, "finish_reason": job.finish, "logprobs": None}
    if body.get("logprobs"):
        tokens = [job.served.tokenizer.convert_ids_to_tokens(token) for token in job.answer]
        choice["logprobs"] = {"content": [{"token": token, "logprob": logprob} for token, logprob in zip(tokens, job.logprobs)]}
    return response("chat.completion", [job], [choice])


def text_response(jobs: list[Job], body: dict) -> dict:
    choices = []
    for index, job in enumerate(jobs):
        tokenizer = job.served.tokenizer
        choice = {"index": index, "text": job.text, "finish_reason": job.finish, "logprobs": None}
        if job.echo:
            choice["text"] = tokenizer.decode(job.prompt) + job.text
        if body.get("logprobs") is not None:
            # Nothing stands before the first token, so it has no probability.
            given = [(job.prompt[0], None), *zip(job.prompt[1:], job.prompt_logprobs)] if job.echo else []
            pairs = [*given, *zip(job.answer, job.logprobs)]
            choice["logprobs"] = {
                "tokens": [tokenizer.convert_ids_to_tokens(token) for token, _ in pairs],
                "token_logprobs": [logprob for _, logprob in pairs],
                "top_logprobs": None,
                "text_offset": None,
            }
        choices.append(choice)
    return response("text_completion", jobs, choices)


def pooling_response(job: Job, body: dict) -> dict:
    """As vLLM's: the activation is a sigmoid where there is one class, else a softmax."""
    logits = torch.tensor(job.scores)
    active = logits.sigmoid() if len(job.scores) == 1 else logits.softmax(-1)
    data = {"index": 0, "object": "pooling", "data": (logits if body.get("use_activation") is False else active).tolist()}
    answer = response("list", [job], [])
    del answer["choices"]
    return {**answer, "data": [data]}


def response(kind: str, jobs: list[Job], choices: list[dict]) -> dict:
    prompt, answer = sum(len(job.prompt) for job in jobs), sum(len(job.answer) for job in jobs)
    return {
        "id": f"crux-{secrets.token_hex(8)}",
        "object": kind,
        "created": int(time.time()),
        "model": jobs[0].served.name,
        "choices": choices,
        "usage": {"prompt_tokens": prompt, "completion_tokens": answer, "total_tokens": prompt + answer},
    }


def model_list(models: Models) -> dict:
    data = [
        {"id": served.name, "object": "model", "created": 0, "owned_by": "crux", "root": served.root, "max_model_len": served.context}
        for served in list(models.served.values())
    ]
    return {"object": "list", "data": data}
