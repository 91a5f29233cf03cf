"""The production web server's settings; docs/settings.md says which of them an operator can change."""

import os

from marketplace import settings_declared as declared

bind = declared.BIND.read(os.environ)
workers = declared.WEB_WORKERS.read(os.environ)
threads = declared.WEB_THREADS.read(os.environ)
worker_class = "gthread"
timeout = 120
keepalive = 15
max_requests = 20000
max_requests_jitter = 2000
preload_app = False
accesslog = None
errorlog = "-"
