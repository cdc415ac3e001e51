"""What schemathesis has to be told about our API; how it is run is in server/docs/tests.md."""

import schemathesis


@schemathesis.hook
def before_call(ctx, case, kwargs):
    # A stream has no end, and a long poll takes its time; both have tests of their own.
    for name in ("follow", "timeout"):
        if isinstance(case.query, dict):
            case.query.pop(name, None)


@schemathesis.serializer("application/x-ndjson", "application/vnd.sqlite3")
def as_it_is(ctx, value):
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


@schemathesis.deserializer("application/x-ndjson", "application/vnd.sqlite3")
def as_text(ctx, response):
    return response.content.decode("utf-8", "replace")
