"""The HTTP side. One thread for each connection: they all wait for the engine, which computes."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from crux_serving.engine import Engine
from crux_serving.models import Models, NotLoaded
from crux_serving.requests import Refusal, chat_job, chat_response, model_list, pooling_job, pooling_response, text_jobs, text_response, tokenize_response


class Server(ThreadingHTTPServer):
    daemon_threads = True
    # A campaign opens hundreds of connections at once.
    request_queue_size = 1024


def make_server(host: str, port: int, models: Models, engine: Engine) -> Server:
    def chat(body: dict) -> dict:
        job = chat_job(models, body)
        engine.answer([job])
        return chat_response(job, body)

    def complete(body: dict) -> dict:
        jobs = text_jobs(models, body)
        engine.answer(jobs)
        return text_response(jobs, body)

    def pool(body: dict) -> dict:
        job = pooling_job(models, body)
        engine.answer([job])
        return pooling_response(job, body)

    def load(body: dict) -> dict:
        try:
            models.load(text(body, "name"), text(body, "path"))
        except NotLoaded as error:
            raise Refusal(400, str(error)) from error
        return model_list(models)

    def unload(body: dict) -> dict:
        name = text(body, "name")
        if not models.unload(name):
            raise Refusal(404, f"The model `{name}` does not exist.", "NotFoundError", "model_not_found")
        return model_list(models)

    routes = {
        ("GET", "/health"): lambda _: {"status": "ok"},
        ("GET", "/v1/models"): lambda _: model_list(models),
        ("POST", "/v1/chat/completions"): chat,
        ("POST", "/v1/completions"): complete,
        ("POST", "/tokenize"): lambda body: tokenize_response(models, body),
        ("POST", "/pooling"): pool,
        ("POST", "/v1/load_model"): load,
        ("POST", "/v1/unload_model"): unload,
    }

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Header and body go out together; else each answer waits for the client's acknowledgement.
        wbufsize = -1
        disable_nagle_algorithm = True

        def do_GET(self):
            self.answer("GET")

        def do_POST(self):
            self.answer("POST")

        def answer(self, method: str) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            try:
                route = routes.get((method, self.path.split("?")[0]))
                if route is None:
                    raise Refusal(404, f"There is no {method} {self.path}.", "NotFoundError")
                self.send(200, route(body_of(content)))
            except Refusal as refusal:
                self.send(refusal.status, refusal.body())
            except Exception as error:
                self.log_error("%s %s: %r", method, self.path, error)
                self.send(500, Refusal(500, f"{type(error).__name__}: {error}", "server_error").body())

        def send(self, status: int, body: dict) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            self.wfile.flush()

        def log_request(self, *_):
            """Thousands of requests are no news; errors are."""

    return Server((host, port), Handler)


def body_of(content: bytes) -> dict:
    try:
        body = json.loads(content) if content else {}
    except ValueError as error:
        raise Refusal(400, f"The body is no JSON: {error}") from error
    if not isinstance(body, dict):
        raise Refusal(400, "The body must be a JSON object.")
    return body


def text(body: dict, member: str) -> str:
    value = body.get(member)
    if not isinstance(value, str) or not value:
        raise Refusal(400, f"`{member}` must be a text.")
    return value
