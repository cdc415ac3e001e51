"""What schemathesis has to be told about our API; how it is run is in server/docs/tests.md.

Made-up ids are answered with 404, which says nothing about the answers that people see. So every second request,
by what was generated for it, names things that exist, sends what can be carried out and asks for the present.
"""

import hashlib
import itertools
import json
import urllib.request
import zlib

import schemathesis

MANIFEST = 'app: {name}\nenv: prod\nprocesses:\n  web: {{ command: [sleep, "1000"] }}\n'
# Names and keys that nobody has used.
NAMES = itertools.count()


@schemathesis.hook
def before_call(ctx, case, kwargs):
    # A stream has no end, and a long poll takes its time; both have tests of their own.
    for name in ("follow", "timeout"):
        if isinstance(case.query, dict):
            case.query.pop(name, None)
    made_up = repr((case.path_parameters, case.query, case.body)).encode("utf-8", "surrogatepass")
    chance = zlib.crc32(made_up)
    if case.method == "DELETE" and isinstance(case.path_parameters.get("id"), str):
        # Never the token that asks: it is found in earlier answers, and nobody would be asked anything any more.
        case.path_parameters["id"] += "x"
    if chance % 2:
        be_real(case, Api(case, kwargs), chance // 2)


class Api:
    """The server under test, asked the way the case asks it."""

    def __init__(self, case, kwargs):
        self.base = case.operation.base_url.rstrip("/")
        headers = {**kwargs.get("headers", {}), **case.headers}
        self.headers = {name: value for name, value in headers.items() if name.lower() == "authorization"}

    def ask(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        key = {"Content-Type": "application/json", "Idempotency-Key": f"hooks-{next(NAMES)}"}
        request = urllib.request.Request(f"{self.base}/api/v1{path}", data, {**self.headers, **key})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def one(self, path, chance):
        """Some row of a list, or nothing where it is empty."""
        rows = self.ask(path)
        return rows[chance % len(rows)] if rows else None


def be_real(case, api, chance):
    if isinstance(case.query, dict):
        case.query.pop("at", None)
    path, named = case.path, case.path_parameters
    if "{env}" in path:
        named["env"] = api.one("/envs", chance)["target"]["env_id"]
    if "{source}" in path and case.method == "GET":
        named["source"] = api.one("/sources", chance)["id"]
    if "/objects/{kind}/{id}" in path:
        named["kind"], named["id"] = object_key(api, chance).split(":", 1)
    if "/tokens/{id}" in path:
        token = {"name": f"made-{next(NAMES)}", "role": "viewer", "expires_s": 60}
        named["id"] = api.ask("/tokens", token)["token"]["id"]
    for several in ("receipts", "waits"):
        row = api.one(f"/{several}", chance) if f"/{several}/{{id}}" in path else None
        if row:
            named["id"] = row["id"]
    if path.endswith("/blobs/{sha256}") and isinstance(case.body, (str, bytes)):
        named["sha256"] = hashlib.sha256(plain(case.body)).hexdigest()
    if isinstance(case.body, dict):
        fill(case, api, chance)


def fill(case, api, chance):
    """A body that can be carried out, as far as it was not made up."""
    path, body = case.path, case.body
    if path.endswith("/apply"):
        body.update(manifest=MANIFEST.format(name=f"made-{chance % 3}"), files={})
    if path.endswith("/waits"):
        body.update(object=object_key(api, chance), timeout_s=1 + chance % 100)
    if path.endswith("/tokens"):
        body.update(name=f"made-{next(NAMES)}", role="viewer", source=None, expires_s=60)
    if path.endswith("/plans/{verb}"):
        body.clear()
    if path.endswith("/actions/{verb}"):
        env, verb = case.path_parameters["env"], case.path_parameters["verb"]
        try:
            plan = api.ask(f"/envs/{env}/plans/{verb}", {})
        except urllib.request.HTTPError:
            return
        body.update(ask={}, generation=plan["expected_generation"], plan_hash=plan["hash"])


def plain(value):
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


def object_key(api, chance):
    return api.one("/objects?limit=200", chance)["object"]["key"]


@schemathesis.serializer("application/x-ndjson", "application/vnd.sqlite3")
def as_it_is(ctx, value):
    return plain(value)


@schemathesis.deserializer("application/x-ndjson", "application/vnd.sqlite3")
def as_text(ctx, response):
    return response.content.decode("utf-8", "replace")
