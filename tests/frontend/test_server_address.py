"""Where the web server listens."""

from pathlib import Path

import pytest

from frontend.server.__main__ import listening
from marketplace.settings_kinds import SettingError


@pytest.mark.parametrize(
    ("bind", "expected"),
    [
        ("127.0.0.1:8000", {"address": "127.0.0.1", "port": 8000}),
        ("localhost:80", {"address": "localhost", "port": 80}),
        ("[::1]:8000", {"address": "::1", "port": 8000}),
        ("unix:/run/waggle.sock", {"uds": Path("/run/waggle.sock"), "uds_permissions": 0o660}),
    ],
)
def test_an_address_and_a_port_or_a_socket(bind, expected):
    assert listening(bind) == expected


@pytest.mark.parametrize(
    "bind", ["8000", ":8000", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:99999", "unix:relative", "a:²"]
)
def test_anything_else_is_refused_by_name(bind):
    with pytest.raises(SettingError, match="WAGGLE_BIND: .* found, host:port or unix:/path expected"):
        listening(bind)
