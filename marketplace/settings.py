"""Django's settings. What an operator may set is declared in settings_declared.py; each default works on a laptop."""

import contextlib
import logging
import os
import secrets
from pathlib import Path
from typing import TypeVar

from django.core.exceptions import ImproperlyConfigured

from marketplace import (
    database,
    installation,
    local_s3,
    logs,
    metric_folders,
    settings_checks,
    settings_cluster,
    settings_events,
    settings_quotas,
    settings_retention,
    tracing,
)
from marketplace import settings_declared as declared
from marketplace.settings_kinds import Setting, SettingError

T = TypeVar("T")

BASE_DIR = installation.ROOMS


def value(setting: Setting[T]) -> T:
    """The value of a declared setting in this process's environment. Raises ImproperlyConfigured for a wrong one."""
    try:
        return setting.read(os.environ)
    except SettingError as error:
        raise ImproperlyConfigured(str(error)) from error


def check_environment() -> None:
    """Raises ImproperlyConfigured for an earlier name still in use and for values that contradict each other."""
    try:
        complaints = settings_checks.complaints(os.environ)
    except SettingError as error:
        raise ImproperlyConfigured(str(error)) from error
    if complaints:
        raise ImproperlyConfigured("\n".join([*complaints, "docs/settings.md lists every setting"]))


check_environment()
# Reported by `manage.py doctor`.
UNKNOWN_VARIABLES = settings_checks.unknown(os.environ)

VAR_DIR = value(declared.VAR) or installation.default_var()
DEVELOPMENT, DEBUG = value(declared.DEVELOPMENT), value(declared.DEBUG)
PUBLIC_URL = value(declared.PUBLIC_URL)
OPERATOR_EMAIL, OPERATOR_PASSWORD = value(declared.OPERATOR_EMAIL), value(declared.OPERATOR_PASSWORD)


def secret_key() -> str:
    """WAGGLE_SECRET_KEY, or in development one generated under var/. Raises ImproperlyConfigured in production."""
    if key := value(declared.SECRET_KEY):
        return key
    if not DEVELOPMENT:
        raise ImproperlyConfigured("WAGGLE_SECRET_KEY is not set; production refuses to start without one")
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


def local_s3_keys() -> local_s3.Keys:
    """The keys of the local S3 server, made at the first start. Raises ImproperlyConfigured for a damaged file."""
    try:
        return local_s3.keys(VAR_DIR)
    except ValueError as error:
        raise ImproperlyConfigured(str(error)) from error


SECRET_KEY = secret_key()
SECRET_KEY_GENERATED = not value(declared.SECRET_KEY)
ALLOWED_HOSTS = list(value(declared.ALLOWED_HOSTS)) or (["127.0.0.1", "localhost", "[::1]"] if DEVELOPMENT else [])
TRUSTED_PROXIES = value(declared.TRUSTED_PROXIES)
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PUBLIC_URL.startswith("https://") else None
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_URL.startswith("https://")
SESSION_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "SAMEORIGIN"

# A web image has no torch; a labeling-only installation may leave the learning room out altogether.
LEARNING_INSTALLED = value(declared.LEARNING)
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_q",
    "marketplace",
    "labeling",
    *(["learning"] if LEARNING_INSTALLED else []),
    "frontend",
    # After frontend, whose templates come before theirs; allauth's load a tag of humanize.
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
]
MIDDLEWARE = [
    # First, so that every line of a request carries its id, and every answer is counted.
    "frontend.request_log.RequestLog",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "frontend.languages.LanguageOfPages",
    "allauth.account.middleware.AccountMiddleware",
    "frontend.security.SecurityHeaders",
    # Before the CSRF check looks for its token in the body, which it does when the view is known.
    "frontend.bodies.BodyLimit",
    # After the CSRF check, which comes before form fields are looked at, and inside the security headers.
    "frontend.gate.RequestGate",
    "frontend.participants.ParticipantGate",
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
# Named so that Django's debug pages hide it; empty when the embedded server is used.
SECRET_DATABASE_URL = value(declared.DATABASE_URL)
DATABASES = {
    "default": database.configuration(
        url=SECRET_DATABASE_URL,
        directory=DATABASE_DIR,
        conn_max_age=value(declared.DATABASE_CONNECTION_SECONDS),
        pooled=value(declared.PGBOUNCER),
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
SIGN_UP_ENABLED = value(declared.SIGN_UP_ENABLED)
WORKER_SIGN_UP_ENABLED = value(declared.WORKER_SIGN_UP_ENABLED)
INVITATION_DAYS = value(declared.INVITATION_DAYS)
REVIEW_VENDOR_LISTINGS = value(declared.REVIEW_VENDOR_LISTINGS)
PASSWORD_LINK_HOURS = value(declared.PASSWORD_LINK_HOURS)
PASSWORD_RESET_TIMEOUT = PASSWORD_LINK_HOURS * 3600

# --- second factors and companies' sign-ins: by django-allauth, which asks frontend/identity what is ours to say ----
ACCOUNT_ADAPTER = "frontend.identity.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
# Counted by frontend/guesses.py, in the database and so for all processes together.
ACCOUNT_RATE_LIMITS = False
ACCOUNT_REAUTHENTICATION_METHODS = ["password", "mfa"]
MFA_ADAPTER = "frontend.identity.adapters.SecondFactorAdapter"
MFA_FORMS = {
    "authenticate": "frontend.identity.forms.AuthenticateForm",
    "reauthenticate": "frontend.identity.forms.ReauthenticateForm",
    "authenticate_webauthn": "frontend.identity.forms.AuthenticatePasskeyForm",
    "login_webauthn": "frontend.identity.forms.LoginPasskeyForm",
    "reauthenticate_webauthn": "frontend.identity.forms.ReauthenticatePasskeyForm",
    "add_webauthn": "frontend.identity.forms.AddPasskeyForm",
}
# A passkey's signature cannot be guessed; codes are counted with the passwords.
MFA_RATE_LIMITS = False
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_ISSUER = "Waggle"
# Clocks may differ by half a minute.
MFA_TOTP_TOLERANCE = 1
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = DEVELOPMENT

SOCIALACCOUNT_ADAPTER = "frontend.identity.companies.Companies"
# Accounts register providers; none comes from the settings, and nobody is ever found by their address.
SOCIALACCOUNT_PROVIDERS: dict[str, object] = {}
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
# Connecting a provider asks for the password again.
SOCIALACCOUNT_REAUTHENTICATION_REQUIRED = True
SOCIALACCOUNT_STORE_TOKENS = False

# --- e-mail: none is sent while there is no host ----------------------------------
EMAIL_HOST, EMAIL_PORT = value(declared.EMAIL_HOST), value(declared.EMAIL_PORT)
EMAIL_SECURITY = value(declared.EMAIL_SECURITY)
EMAIL_USE_TLS, EMAIL_USE_SSL = EMAIL_SECURITY == "starttls", EMAIL_SECURITY == "tls"
EMAIL_USER = EMAIL_HOST_USER = value(declared.EMAIL_USER)
EMAIL_PASSWORD = EMAIL_HOST_PASSWORD = value(declared.EMAIL_PASSWORD)
EMAIL_FROM = DEFAULT_FROM_EMAIL = value(declared.EMAIL_FROM)
EMAIL_TIMEOUT = 20
DIGEST_HOUR = value(declared.DIGEST_HOUR)
WEBHOOK_FAILING_DAYS = value(declared.WEBHOOK_FAILING_DAYS)

# --- events -----------------------------------------------------------------------
EVENTS_KEPT_DAYS = value(settings_events.EVENTS_KEPT_DAYS)
NOTICES_KEPT_DAYS = value(settings_retention.NOTICES_KEPT_DAYS)
DELIVERIES_KEPT_DAYS = value(settings_retention.DELIVERIES_KEPT_DAYS)
FAILURES_KEPT_DAYS = value(settings_retention.FAILURES_KEPT_DAYS)
AUDIT_KEPT_DAYS = value(settings_retention.AUDIT_KEPT_DAYS)
EXPORTS_KEPT_DAYS = value(settings_retention.EXPORTS_KEPT_DAYS)
DELETED_IMAGES_KEPT_DAYS = value(settings_retention.DELETED_IMAGES_KEPT_DAYS)
EVENTS_ENDPOINT_URLS = tuple(one.rstrip("/") for one in value(settings_events.EVENTS_ENDPOINT_URLS))
EVENTS_OWN_CREDENTIALS = frozenset(value(settings_events.EVENTS_OWN_CREDENTIALS))
EVENTS_ACCESS_KEY_ID = value(settings_events.EVENTS_ACCESS_KEY_ID) or None
EVENTS_SECRET_ACCESS_KEY = value(settings_events.EVENTS_SECRET_ACCESS_KEY) or None
STREAM_IDLE_DAYS = value(settings_events.STREAM_IDLE_DAYS)
STREAM_EXPIRY_DAYS = value(settings_events.STREAM_EXPIRY_DAYS)
STREAM_WAITING = value(settings_events.STREAM_WAITING)
QUOTAS = value(settings_quotas.QUOTAS)

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "frontend" / "locale"]
LANGUAGE_COOKIE_NAME = "waggle_language"
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
UPLOAD_MAX_BYTES = value(declared.UPLOAD_MAX_BYTES)
FILE_UPLOAD_TEMP_DIR = None

# --- object storage -----------------------------------------------------------
STORE_URL = value(declared.STORE_URL) or (VAR_DIR / "store").as_uri()
DISK_RESERVE, FUNCTION_SECONDS = value(declared.DISK_RESERVE), value(declared.FUNCTION_SECONDS)
ROUTING_RULES = list(value(declared.ROUTING_RULES))
FUNCTIONS = list(value(declared.FUNCTIONS))
FUNCTION_ENVIRONMENT = list(value(declared.FUNCTION_ENVIRONMENT))
STORE_FILE_ROOTS = list(value(declared.STORE_FILE_ROOTS))
S3_ENDPOINT_URL = value(declared.S3_ENDPOINT_URL) or None
S3_PUBLIC_ENDPOINT_URL = value(declared.S3_PUBLIC_ENDPOINT_URL) or S3_ENDPOINT_URL
S3_ACCESS_KEY_ID = value(declared.S3_ACCESS_KEY_ID) or None
S3_SECRET_ACCESS_KEY = value(declared.S3_SECRET_ACCESS_KEY) or None
S3_REGION = value(declared.S3_REGION)
S3_ADDRESSING_STYLE, S3_PRESIGN = value(declared.S3_ADDRESSING_STYLE), value(declared.S3_PRESIGN)
S3_INPUT_BUCKETS = frozenset(value(declared.S3_INPUT_BUCKETS))
LOCAL_S3, LOCAL_S3_PORT = value(declared.LOCAL_S3), value(declared.LOCAL_S3_PORT)
LOCAL_S3_KEYS = local_s3_keys() if LOCAL_S3 else None
if LOCAL_S3_KEYS:
    S3_ENDPOINT_URL = S3_PUBLIC_ENDPOINT_URL = local_s3.endpoint(LOCAL_S3_PORT)
    S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY = LOCAL_S3_KEYS
    # Browsers on other machines reach the portal and not this server.
    S3_ADDRESSING_STYLE, S3_PRESIGN = "path", False
FETCH_ALLOWED_HOSTS = frozenset(value(declared.FETCH_ALLOWED_HOSTS))

# --- the market -----------------------------------------------------------------
PLATFORM_FEE_PERCENT = value(declared.PLATFORM_FEE_PERCENT)
MINIMUM_PAYOUT = value(declared.MINIMUM_PAYOUT)
STRIPE_SECRET_KEY = value(declared.STRIPE_SECRET_KEY)
STRIPE_WEBHOOK_SECRETS = value(declared.STRIPE_WEBHOOK_SECRET)
STRIPE_API_BASE = value(declared.STRIPE_API_BASE)
HOURLY_PAY_FLOOR = value(declared.HOURLY_PAY_FLOOR)
PDF_FONT = value(declared.PDF_FONT)
REGION = value(declared.REGION)
IMAGE_MAX_BYTES = value(declared.IMAGE_MAX_BYTES)
IMAGE_MAX_PIXELS = value(declared.IMAGE_MAX_PIXELS)
EXPORT_IMAGES_MAX_BYTES = value(declared.EXPORT_IMAGES_MAX_BYTES)

# --- web server -------------------------------------------------------------------
WEB_THREADS = value(declared.WEB_THREADS)
REQUEST_SECONDS = value(declared.REQUEST_SECONDS)

# --- queue and learner ------------------------------------------------------------
Q_CLUSTER = {
    "name": "waggle",
    "orm": "default",
    "workers": value(declared.QUEUE_WORKERS),
    "poll": value(declared.QUEUE_POLL_SECONDS),
    "timeout": value(declared.QUEUE_TIMEOUT_SECONDS),
    "retry": value(declared.QUEUE_RETRY_SECONDS),
    "ack_failures": True,
    "max_attempts": 5,
    # Only failures are kept. With a number here every message that ends would read as many rows of earlier ones.
    "save_limit": -1,
    "catch_up": False,
    "label": "Queue",
}
LEARNER_SLOTS = value(declared.LEARNER_SLOTS)
LEARNER_THREADS = value(declared.LEARNER_THREADS)
LEARNER_NICENESS = value(declared.LEARNER_NICENESS)
LEARNER_ENVIRONMENT = list(value(declared.LEARNER_ENVIRONMENT))
LEARNER_SERVING_SLOTS = value(declared.LEARNER_SERVING_SLOTS)
TRAINING_PROCESSES = value(declared.TRAINING_PROCESSES)
LEARNER_ADDRESS = value(declared.LEARNER_ADDRESS)
ENDPOINT_INSTANCES_PER_ACCOUNT = value(declared.ENDPOINT_INSTANCES_PER_ACCOUNT)
WEIGHTS_DIR = value(declared.WEIGHTS_DIR)
EXECUTOR = value(settings_cluster.EXECUTOR)
RAY_TRAINING = value(settings_cluster.RAY_TRAINING)
RAY_PREDICTION = value(settings_cluster.RAY_PREDICTION)
RAY_SERVING = value(settings_cluster.RAY_SERVING)
RAY_TRAINING_NODES = value(settings_cluster.RAY_TRAINING_NODES)
RAY_PREDICTION_LINES = value(settings_cluster.RAY_PREDICTION_LINES)
RAY_PREDICTION_JOBS = value(settings_cluster.RAY_PREDICTION_JOBS)
RAY_LOST_SECONDS = value(settings_cluster.RAY_LOST_SECONDS)
RAY_PYTHON = value(settings_cluster.RAY_PYTHON)
RAY_SERVE_URL = value(settings_cluster.RAY_SERVE_URL)
RAY_SERVE_REPLICAS = value(settings_cluster.RAY_SERVE_REPLICAS)

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "frontend.rest.authentication.TokenAuthentication",
        "frontend.rest.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["frontend.rest.parsing.JSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "frontend.rest.negotiation.ContentNegotiation",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "frontend.rest.errors.handle",
    # What OPTIONS would tell is in the OpenAPI document.
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_THROTTLE_CLASSES": ["frontend.rest.throttling.CallerThrottle"],
    "DEFAULT_THROTTLE_RATES": {"anonymous": "60/min", "user": value(declared.API_RATE_PER_USER)},
    "NUM_PROXIES": TRUSTED_PROXIES,
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
BACKGROUND_PER_ACCOUNT = value(declared.BACKGROUND_PER_ACCOUNT)
CONDUCT_RULES = value(declared.CONDUCT_RULES)
IDEMPOTENCY_HOURS = value(declared.IDEMPOTENCY_HOURS)
SPECTACULAR_SETTINGS = {
    "TITLE": "Waggle",
    "DESCRIPTION": "A labeling marketplace with a learning loop.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {
        "NoticeKindEnum": "marketplace.models.NoticeKind",
        "PaymentWayEnum": "marketplace.models.PaymentWay",
    },
}
# --- what an operator sees --------------------------------------------------------
LOG_REQUESTS = value(declared.LOG_REQUESTS)
METRICS_TOKEN = value(declared.METRICS_TOKEN)
# Set by the main process of a web server, queue or learner: see metric_folders.py.
METRICS_FOLDER = os.environ.get(metric_folders.VARIABLE, "")
TRACES_ASKED, TRACED = tracing.asked(os.environ), tracing.wanted(os.environ)
LOGGING = logs.configuration(
    value(declared.LOG_LEVEL), value(declared.LOG_FORMAT), process=metric_folders.kind_of(METRICS_FOLDER)
)
# A start is no news, and an end by a fault of ours has its traceback beside it; see frontend/request_log.py.
DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = logging.DEBUG
DJANGO_STRUCTLOG_STATUS_2XX_LOG_LEVEL = DJANGO_STRUCTLOG_STATUS_DEFAULT_LOG_LEVEL = (
    logging.INFO if LOG_REQUESTS else logging.DEBUG
)
DJANGO_STRUCTLOG_STATUS_4XX_LOG_LEVEL = DJANGO_STRUCTLOG_STATUS_2XX_LOG_LEVEL
DJANGO_STRUCTLOG_STATUS_5XX_LOG_LEVEL = logging.WARNING
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False
DJANGO_STRUCTLOG_USER_ID_FIELD = ""
