"""
Serves one or several transformers models by OpenAI's API, and answers together what waits together.

    python crux_serve.py --model <folder> --name <name> [--model … --name …] [--port 8000] [--host 127.0.0.1] [--threads 2]

    GET  /health                    once all models are loaded
    GET  /v1/models                 the names, each with the folder of its weights as `root`
    POST /v1/chat/completions       messages to a text
    POST /v1/completions            a text or token ids to a text; with `echo` and `logprobs` the probabilities of given tokens
    POST /tokenize                  messages to the token ids of the prompt that a chat completion would read, as vLLM gives them
    POST /pooling                   messages to the numbers of a model with a head, as vLLM gives them: for a process reward model
    POST /v1/load_model             {name, path}: one more model, or an adapter of one (needs peft)
    POST /v1/unload_model           {name}

A request's draws come from its own seed, so its text does not depend on what else is answered at the same time, except where two tokens are equally
probable but for the last digits. What the server cannot do is refused, never ignored: tools, streaming, several choices, forms of JSON.
"""

import argparse
import os
import sys
from pathlib import Path


def main() -> int:
    parser = argparse.ArgumentParser(description="Serves transformers models by OpenAI's API.")
    parser.add_argument("--model", action="append", type=Path, default=[], metavar="FOLDER", help="weights and tokenizer; once for each model")
    parser.add_argument("--name", action="append", default=[], help="the model's name, in the order of --model")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000, help="0 for any that is free (default 8000)")
    parser.add_argument("--threads", type=int, default=2, help="threads on a CPU (default 2)")
    parser.add_argument("--batch", type=int, default=64, help="most requests that are answered together (default 64)")
    arguments = parser.parse_args()
    if len(arguments.model) != len(arguments.name):
        parser.error(f"{len(arguments.model)} times --model and {len(arguments.name)} times --name: each model needs a name")

    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    # A thread that waits for another leaves the core to whoever needs it.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    import torch
    from crux_serving.engine import Engine
    from crux_serving.models import Models, NotLoaded
    from crux_serving.server import make_server

    torch.set_num_threads(arguments.threads)
    models = Models()
    try:
        # Before the models, which take a while: a port that is taken is told at once.
        server = make_server(arguments.host, arguments.port, models, Engine(arguments.batch))
        for name, folder in zip(arguments.name, arguments.model):
            models.load(name, str(folder))
    except NotLoaded as error:
        print(f"crux_serve: {error}", file=sys.stderr, flush=True)
        return 2
    except OSError as error:
        print(f"crux_serve: port {arguments.port} of {arguments.host} cannot be used: {error.strerror}", file=sys.stderr, flush=True)
        return 3
    host, port = server.server_address[:2]
    print(f"crux_serve: {', '.join(arguments.name) or 'no model yet'} at http://{host}:{port}/v1", flush=True)
    server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
