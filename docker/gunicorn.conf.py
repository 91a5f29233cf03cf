"""The production web server's settings; every value can be changed by the environment."""

import os

bind = os.environ.get("WAGGLE_BIND", "127.0.0.1:8000")
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = int(os.environ.get("WEB_THREADS", "8"))
worker_class = "gthread"
timeout = 120
keepalive = 15
max_requests = 20000
max_requests_jitter = 2000
preload_app = False
accesslog = None
errorlog = "-"
