"""Every setting, read here once from the environment (or `.env`), with its default and its unit.

The same names with the same defaults are listed for people in `.env.example`; a test keeps the two together.
"""

import sys
from decimal import Decimal
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

from orchestrator_site import logs

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
TESTING = "pytest" in sys.modules
if not env.bool("IGNORE_DOTENV", default=TESTING):
    environ.Env.read_env(BASE_DIR / ".env", overwrite=False)


def decimal(name: str, default: str) -> Decimal:
    """A Decimal from the environment: thresholds and money are never floats."""
    text = env.str(name, default=default)
    try:
        return Decimal(text)
    except ArithmeticError:
        raise ImproperlyConfigured(f"{name} must be a number such as {default}, not {text!r}.") from None


# --- Where it runs ---------------------------------------------------------------------------------------------------
# development: private database, friendly defaults; production: refuses to start half-configured.
ENVIRONMENT = env.str("ENVIRONMENT", default="development")
PRODUCTION = ENVIRONMENT == "production"
if ENVIRONMENT not in ("development", "production"):
    raise ImproperlyConfigured(f"ENVIRONMENT must be development or production, not {ENVIRONMENT!r}.")
DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="" if PRODUCTION else "development-only-key-" + "x" * 40)
if not SECRET_KEY:
    raise ImproperlyConfigured("Set SECRET_KEY: production does not start without one. See .env.example.")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[] if PRODUCTION else ["localhost", "127.0.0.1", "[::1]"])
# Probes of a container's health come from inside of it.
ALLOWED_HOSTS += [host for host in ("localhost", "127.0.0.1") if ALLOWED_HOSTS and host not in ALLOWED_HOSTS]
CSRF_FAILURE_VIEW = "orchestrator_site.errors.token_lost"
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
PUBLIC_URL = env.str("PUBLIC_URL", default="http://localhost:8000").rstrip("/")

# --- Database --------------------------------------------------------------------------------------------------------
DATABASE_URL = env.str("DATABASE_URL", default="")
# Without a DATABASE_URL: the folder under var/ of a private Postgres. The demo and the tests have their own.
PRIVATE_DATABASE = None if DATABASE_URL else BASE_DIR / "var" / env.str("PRIVATE_DATABASE", default="dev")
if PRIVATE_DATABASE:
    if PRODUCTION:
        raise ImproperlyConfigured("Set DATABASE_URL: production does not start without one. See .env.example.")
    from orchestrator_site import devdb

    PRIVATE_DATABASE = BASE_DIR / "var" / "test" if TESTING else PRIVATE_DATABASE
    # What tests write need not survive a power cut.
    DATABASE_URL = devdb.url_for(PRIVATE_DATABASE, durable=not TESTING)
DATABASES = {"default": env.db_url_config(DATABASE_URL)}
# A connection is kept for the life of its thread: opening one for every request costs a factor of six.
DATABASES["default"]["CONN_MAX_AGE"] = None
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
# True behind a pooler in transaction mode (Supabase port 6543): no server-side cursors, no LISTEN.
DATABASE_TRANSACTION_POOLER = env.bool("DATABASE_TRANSACTION_POOLER", default=":6543/" in DATABASE_URL)
DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = DATABASE_TRANSACTION_POOLER
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Django ----------------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "orchestrator_site",
    "conversations",
    "approvals",
    "calls",
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "django_q",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]
MIDDLEWARE = [
    "orchestrator_site.middleware.RequestId",
    "orchestrator_site.middleware.HeadHasNoBody",
    "orchestrator_site.middleware.PlainAddress",
    "orchestrator_site.middleware.BodyLimit",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "orchestrator_site.middleware.House",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "orchestrator_site.urls"
WSGI_APPLICATION = "orchestrator_site.wsgi.application"
# The API's paths carry no trailing slash; a redirect would turn a POST into a GET.
APPEND_SLASH = False
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LANGUAGE_CODE = "en-us"
LANGUAGES = [("en", "English"), ("he", "עברית")]
# How the admin writes times: with their zone.
FORMAT_MODULE_PATH = "orchestrator_site.formats"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
if not PRODUCTION:
    # Served as they lie in the apps; `collectstatic` is for production.
    WHITENOISE_USE_FINDERS = True
    STATIC_ROOT.mkdir(exist_ok=True)
STATICFILES_DIRS = [BASE_DIR / "static"]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
# The largest request body in bytes; a text has at most 1,600 characters, a transcript may be long.
DATA_UPLOAD_MAX_MEMORY_SIZE = env.int("MAX_BODY_BYTES", default=1_000_000)
if PRODUCTION:
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
    # The load balancer's probes speak plain HTTP.
    SECURE_REDIRECT_EXEMPT = [r"^health$"]
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    STORAGES = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }

# --- The admin's theme (orchestrator_site/theme.py) ------------------------------------------------------------------
UNFOLD = {
    "SITE_TITLE": "Rent desk",
    "SITE_HEADER": "Rent desk",
    "SITE_SUBHEADER": env.str("COMPANY_NAME", default="Stanton Management"),
    "SITE_SYMBOL": "home_work",
    "SITE_URL": None,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "orchestrator_site.theme.favicon"}],
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    # Blue.
    "COLORS": {
        "primary": {
            "50": "oklch(97% .014 254.6)",
            "100": "oklch(93.2% .032 255.6)",
            "200": "oklch(88.2% .059 254.1)",
            "300": "oklch(80.9% .105 251.8)",
            "400": "oklch(70.7% .165 254.6)",
            "500": "oklch(62.3% .214 259.8)",
            "600": "oklch(54.6% .245 262.9)",
            "700": "oklch(48.8% .243 264.4)",
            "800": "oklch(42.4% .199 265.6)",
            "900": "oklch(37.9% .146 265.5)",
            "950": "oklch(28.2% .091 267.9)",
        }
    },
    "ENVIRONMENT": "orchestrator_site.theme.environment",
    "DASHBOARD_CALLBACK": "orchestrator_site.dashboard.dashboard",
    "STYLES": ["orchestrator_site.theme.styles"],
    "SCRIPTS": ["orchestrator_site.theme.scripts"],
    "SIDEBAR": {"show_search": True, "command_search": True, "navigation": "orchestrator_site.theme.navigation"},
    "COMMAND": {"search_callback": "orchestrator_site.theme.search", "show_history": False},
}

# --- The API ---------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "orchestrator_site.auth.BearerToken",
        "orchestrator_site.auth.ManagerSession",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["orchestrator_site.auth.MayCall"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["orchestrator_site.parsers.Json"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "orchestrator_site.parsers.Negotiation",
    "DEFAULT_PAGINATION_CLASS": "conversations.endpoints.Pages",
    "PAGE_SIZE": 50,
    "DEFAULT_SCHEMA_CLASS": "orchestrator_site.schema.Schema",
    "EXCEPTION_HANDLER": "orchestrator_site.errors.as_envelope",
    "UNAUTHENTICATED_USER": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Rent orchestrator",
    "DESCRIPTION": "A tenant's text becomes a sent, decided or escalated reply.",
    "VERSION": "0.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": ["orchestrator_site.schema.add_errors"],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
}

# --- Upstream services -----------------------------------------------------------------------------------------------
MONITOR_URL = env.str("MONITOR_URL", default="http://localhost:8001")
SMS_AGENT_URL = env.str("SMS_AGENT_URL", default="http://localhost:8002")
NOTIFICATION_URL = env.str("NOTIFICATION_URL", default="http://localhost:8003")
CALL_HANDLER_URL = env.str("CALL_HANDLER_URL", default="http://localhost:5002")
# get: `GET /order` as in the specification; post: the newer `POST /order`.
CALL_HANDLER_API = env.str("CALL_HANDLER_API", default="get")
OPENAI_BASE_URL = env.str("OPENAI_BASE_URL", default="https://api.openai.com/v1")
OPENAI_API_KEY = env.str("OPENAI_API_KEY", default="")
# The model that the specification names has been withdrawn; any chat model with structured output will do.
OPENAI_MODEL = env.str("OPENAI_MODEL", default="gpt-4.1-mini")
# Time-outs in seconds. The SMS Agent may answer after 16 s when its provider is slow.
CONNECT_TIMEOUT_SECONDS = env.float("CONNECT_TIMEOUT_SECONDS", default=3.0)
MONITOR_TIMEOUT_SECONDS = env.float("MONITOR_TIMEOUT_SECONDS", default=5.0)
SMS_AGENT_TIMEOUT_SECONDS = env.float("SMS_AGENT_TIMEOUT_SECONDS", default=20.0)
NOTIFICATION_TIMEOUT_SECONDS = env.float("NOTIFICATION_TIMEOUT_SECONDS", default=10.0)
OPENAI_TIMEOUT_SECONDS = env.float("OPENAI_TIMEOUT_SECONDS", default=20.0)
CALL_HANDLER_TIMEOUT_SECONDS = env.float("CALL_HANDLER_TIMEOUT_SECONDS", default=20.0)
# Pause before the second and the third try, in seconds (doubled in between, with jitter).
RETRY_PAUSE_SECONDS = env.float("RETRY_PAUSE_SECONDS", default=0.5)
BREAKER_FAILURES = env.int("BREAKER_FAILURES", default=5)
BREAKER_OPEN_SECONDS = env.float("BREAKER_OPEN_SECONDS", default=60.0)
# Where the circuits are kept: in the database, so that all processes share them (a dotted class name).
BREAKER_STORE = env.str("BREAKER_STORE", default="orchestrator_site.breaker_store.PostgresStore")
# With the credentials of the call handler's Twilio account, what became of a call can be asked; empty: it cannot.
TWILIO_ACCOUNT_SID = env.str("TWILIO_ACCOUNT_SID", default="")
TWILIO_AUTH_TOKEN = env.str("TWILIO_AUTH_TOKEN", default="")
TWILIO_API_URL = env.str("TWILIO_API_URL", default="https://api.twilio.com")
TWILIO_TIMEOUT_SECONDS = env.float("TWILIO_TIMEOUT_SECONDS", default=10.0)
# True marks every upstream as a stand-in, wherever its results are shown.
SIMULATED_UPSTREAMS = env.bool("SIMULATED_UPSTREAMS", default=False)

# --- Rules: what may be said, and when (docs/workflows.md) ----------------------------------------------------------
COMPANY_NAME = env.str("COMPANY_NAME", default="Stanton Management")
AUTO_APPROVAL_CONFIDENCE = decimal("AUTO_APPROVAL_CONFIDENCE", default="0.85")
MANUAL_APPROVAL_CONFIDENCE = decimal("MANUAL_APPROVAL_CONFIDENCE", default="0.60")
AUTO_SEND_ENABLED = env.bool("AUTO_SEND_ENABLED", default=True)
# `manage.py calibrate` learns from so many decisions of managers at least (a tenth of them each way), and from those of
# so many days.
CALIBRATION_MIN_DECISIONS = env.int("CALIBRATION_MIN_DECISIONS", default=200)
CALIBRATION_DAYS = env.int("CALIBRATION_DAYS", default=180)
MAX_PAYMENT_WEEKS = env.int("MAX_PAYMENT_WEEKS", default=12)
MIN_WEEKLY_PAYMENT = decimal("MIN_WEEKLY_PAYMENT", default="25")
UNREALISTIC_WEEKS = env.int("UNREALISTIC_WEEKS", default=20)
ESCALATION_HOURS = env.int("ESCALATION_HOURS", default=36)
# 08:00-21:00 in the tenant's time zone follows US Regulation F, 12 CFR 1006.6(b).
CONTACT_HOURS = env.str("CONTACT_HOURS", default="08:00-21:00")
CONTACT_TIME_ZONE = env.str("CONTACT_TIME_ZONE", default="America/New_York")
ANSWER_GRACE_MINUTES = env.int("ANSWER_GRACE_MINUTES", default=60)
# Seven attempts in seven days follows 12 CFR 1006.14(b)(2), which is about calls; we hold our texts to it as well.
MAX_STARTED_TEXTS_PER_WEEK = env.int("MAX_STARTED_TEXTS_PER_WEEK", default=7)
OPT_OUT_FOOTER = env.str("OPT_OUT_FOOTER", default="")
AI_DISCLOSURE = env.str("AI_DISCLOSURE", default="")
# The region of a telephone number that is written without a country code.
DEFAULT_REGION = env.str("DEFAULT_REGION", default="US")
MANAGER_EMAIL = env.list("MANAGER_EMAIL", default=[])

# --- The flow --------------------------------------------------------------------------------------------------------
# Without a caller's message id, the same words from the same phone within this time are one text (seconds).
DUPLICATE_WINDOW_SECONDS = env.int("DUPLICATE_WINDOW_SECONDS", default=30)
# A manager's decision in the console leaves after this time (seconds).
SEND_UNDO_SECONDS = env.int("SEND_UNDO_SECONDS", default=10)
# Claim of a card in the console (seconds).
CLAIM_SECONDS = env.int("CLAIM_SECONDS", default=120)
# Where browsers find the live process: a path of this host, or ":8010/live/" for another port of it. With "off", and
# where it cannot LISTEN, the pages ask every two seconds.
LIVE_URL = env.str("LIVE_URL", default="") or ("/live/" if PRODUCTION else ":8010/live/")
if LIVE_URL == "off" or DATABASE_TRANSACTION_POOLER:
    LIVE_URL = ""
# How many messages of the thread the model sees.
HISTORY_MESSAGES = env.int("HISTORY_MESSAGES", default=20)
# A draft is tried so often before its workflow fails and a person is told.
MAX_DRAFT_ATTEMPTS = env.int("MAX_DRAFT_ATTEMPTS", default=3)
MAX_SEND_ATTEMPTS = env.int("MAX_SEND_ATTEMPTS", default=3)
# Pause before the next attempt, quadrupled each time (seconds).
DRAFT_RETRY_SECONDS = env.float("DRAFT_RETRY_SECONDS", default=15.0)
SEND_RETRY_SECONDS = env.float("SEND_RETRY_SECONDS", default=15.0)
# Behind an open circuit nobody was asked: such an attempt counts only for what has waited so long already (minutes).
OUTAGE_PATIENCE_MINUTES = env.float("OUTAGE_PATIENCE_MINUTES", default=10.0)
# A text whose outcome is unknown is looked for after this time (seconds), when the agent is surely done with it.
LOOK_AFTER_SECONDS = env.float("LOOK_AFTER_SECONDS", default=20.0)
MAX_LOOKS = env.int("MAX_LOOKS", default=4)
# Pending approvals that nobody takes are announced again after this time (minutes).
PENDING_REMINDER_MINUTES = env.int("PENDING_REMINDER_MINUTES", default=60)
# Finished workflows' steps and sent notifications are deleted after this time (days); 0 keeps them.
KEEP_STEPS_DAYS = env.int("KEEP_STEPS_DAYS", default=90)

# --- The assistant (docs/assistant.md) -------------------------------------------------------------------------------
# So long POST /chat waits for an answer of the language model (milliseconds); then the reply arrives as a message.
CHAT_REPLY_BUDGET_MS = env.int("CHAT_REPLY_BUDGET_MS", default=450)
# So long the language model may take over a turn (seconds): no try lasts longer, and none begins later. Then the turn
# is read without it.
CHAT_MODEL_SECONDS = env.float("CHAT_MODEL_SECONDS", default=10.0)
# Calls at one time, across all processes; more wait in line.
MAX_ACTIVE_CALLS = env.int("MAX_ACTIVE_CALLS", default=100)
# Calls to one number in seven days, whoever asks for them (12 CFR 1006.14(b)(2) allows seven).
MAX_CALLS_PER_NUMBER = env.int("MAX_CALLS_PER_NUMBER", default=7)
MAX_CALL_ATTEMPTS = env.int("MAX_CALL_ATTEMPTS", default=3)
# Pause before the next attempt of a call that surely did not ring, doubled each time (seconds).
CALL_RETRY_SECONDS = env.float("CALL_RETRY_SECONDS", default=2.0)
# The specification retries 5xx answers of the call handler, although the telephone may be ringing. A time-out never is.
CALL_RETRY_ON_5XX = env.bool("CALL_RETRY_ON_5XX", default=True)
# A claim of a call that is not recorded by then is looked into (seconds): above CALL_HANDLER_TIMEOUT_SECONDS.
CALL_LEASE_SECONDS = env.int("CALL_LEASE_SECONDS", default=60)
# With Twilio credentials a call's outcome is asked for so often (seconds).
CALL_POLL_SECONDS = env.float("CALL_POLL_SECONDS", default=15.0)
# Without a reported outcome the user is told so after this time (minutes).
CALL_RESULT_TIMEOUT_MINUTES = env.int("CALL_RESULT_TIMEOUT_MINUTES", default=15)
# A busy or unanswered call may be tried again after this time (minutes), if the user says yes; so often at the most.
CALL_AGAIN_MINUTES = env.int("CALL_AGAIN_MINUTES", default=30)
MAX_CALLS_AGAIN = env.int("MAX_CALLS_AGAIN", default=3)

# --- Worker (docs/architecture.md) -----------------------------------------------------------------------------------
WORKER_PROCESSES = env.int("WORKER_PROCESSES", default=2)
WORKER_THREADS = env.int("WORKER_THREADS", default=100)
# A drain hands over to its successor after this time (seconds). It finishes what is under way first, and claims nothing
# meanwhile: the longer it may run, the less it matters that one upstream call in a hundred takes 16 s.
DRAIN_SECONDS = env.float("DRAIN_SECONDS", default=60.0)
DRAIN_CHUNK = env.int("DRAIN_CHUNK", default=25)
# A claim that is not recorded by then is taken back (seconds): well above one time-out of the model. Whoever has the
# claim asks nobody any more when the answer could come too late.
LEASE_SECONDS = env.int("LEASE_SECONDS", default=180)
# The same for a text that is being sent (seconds): above SMS_AGENT_TIMEOUT_SECONDS and the time to connect.
SEND_LEASE_SECONDS = env.int("SEND_LEASE_SECONDS", default=60)
SWEEP_SECONDS = env.int("SWEEP_SECONDS", default=60)
# django-q2 carries nothing but wake-ups (orchestrator_site/worker); most of its defaults would hurt.
Q_CLUSTER = {
    "name": "orchestrator",
    # The ORM broker, dequeuing with SKIP LOCKED and sleeping on NOTIFY: a job starts after 5 ms instead of 116 ms.
    "orm": "default",
    "broker_class": "orchestrator_site.worker.broker.NotifyingBroker",
    "workers": WORKER_PROCESSES,
    # A wake-up taken in advance by busy workers is one which idle workers elsewhere do not get.
    "bulk": 1,
    "queue_limit": 1,
    # Above a drain's time and the longest chain of upstream time-outs that may be under way when it is over.
    "timeout": int(DRAIN_SECONDS) + LEASE_SECONDS,
    # Our broker deletes what it takes and delivers nothing twice; django-q2 wants this above `timeout` all the same.
    "retry": int(DRAIN_SECONDS) + LEASE_SECONDS + 1,
    # A failed job is kept as a failure and never runs again: the rows are the queue, the sweep wakes for what is left.
    # (The default is to run it for ever.)
    "ack_failures": True,
    "max_attempts": 1,
    # A wake-up that went well has nothing to tell; keeping the last 250 of them costs more than all the rest.
    "save_limit": -1,
    # The workers' memory is measured to be flat; a fresh process now and then is cheap insurance.
    "recycle": 5_000,
    # Nothing is scheduled through django-q2: `runworker` sweeps.
    "scheduler": False,
    # How soon a dead process is noticed (seconds).
    "guard_cycle": 0.5,
}

# --- Logs ------------------------------------------------------------------------------------------------------------
# A file per day, YYYY-MM-DD.log, is written here; empty: none.
LOG_DIR = env.str("LOG_DIR", default="logs")
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOG_FORMAT = env.str("LOG_FORMAT", default="text")  # text or json
if LOG_FORMAT not in ("text", "json"):
    raise ImproperlyConfigured(f"LOG_FORMAT must be text or json, not {LOG_FORMAT!r}.")
LOGGING = logs.config(
    level=LOG_LEVEL, json=LOG_FORMAT == "json", directory=BASE_DIR / LOG_DIR if LOG_DIR and not TESTING else None
)
