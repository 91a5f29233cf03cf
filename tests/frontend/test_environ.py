"""The WSGI environ that the web server makes of a request."""

from frontend.server.environ import environ_of

SCOPE = {
    "type": "http",
    "http_version": "1.1",
    "method": "GET",
    "scheme": "http",
    "path": "/",
    "raw_path": b"/",
    "query_string": b"a=%2F&b=1",
    "server": ("127.0.0.1", 8000),
    "client": ("192.0.2.7", 4711),
    "headers": [],
}


def test_addresses_of_both_ends_and_the_query():
    environ = environ_of(SCOPE)
    assert (environ["REMOTE_ADDR"], environ["SERVER_PORT"], environ["QUERY_STRING"]) == (
        "192.0.2.7",
        "8000",
        "a=%2F&b=1",
    )


def test_over_a_unix_socket_the_client_has_no_address():
    assert environ_of(SCOPE | {"client": None, "server": None})["REMOTE_ADDR"] == ""


def test_a_path_is_its_bytes():
    assert environ_of(SCOPE | {"raw_path": b"/a%2Fb%FF?x"})["PATH_INFO"] == "/a/b\xff"
    without = {key: value for key, value in SCOPE.items() if key != "raw_path"}
    assert environ_of(without | {"path": "/\u00fc"})["PATH_INFO"] == "/\u00fc".encode().decode("latin-1")


def test_headers_that_come_twice_are_joined():
    headers = [(b"x-forwarded-for", b"1.1.1.1"), (b"x-forwarded-for", b"2.2.2.2"), (b"cookie", b"a=1")]
    environ = environ_of(SCOPE | {"headers": [*headers, (b"cookie", b"b=2"), (b"content-type", b"text/plain")]})
    assert environ["HTTP_X_FORWARDED_FOR"] == "1.1.1.1,2.2.2.2"
    assert environ["HTTP_COOKIE"] == "a=1; b=2"
    assert environ["CONTENT_TYPE"] == "text/plain"


def test_an_underscore_does_not_pass_for_a_hyphen():
    environ = environ_of(SCOPE | {"headers": [(b"x_forwarded_for", b"6.6.6.6"), (b"x-forwarded-proto", b"https")]})
    assert "HTTP_X_FORWARDED_FOR" not in environ
    assert environ["HTTP_X_FORWARDED_PROTO"] == "https"
