"""Django's settings, all of them read from the environment (README.md has the table)."""

from pathlib import Path

import django_stubs_ext
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from config.environment import Environment, EnvironmentFault
from config.logs import logging_settings

# Lets annotations such as models.Field[Any, Any] stand in classes at run time.
django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment()

ENVIRONMENT = env.text("ENVIRONMENT", "production")
if ENVIRONMENT not in {"development", "test", "production"}:
    raise EnvironmentFault(f"ENVIRONMENT must be development, test or production, not {ENVIRONMENT!r}.")
IS_PRODUCTION = ENVIRONMENT == "production"
DEBUG = False

# Secrets
SECRET_KEY = env.text("SECRET_KEY")
FIELD_ENCRYPTION_KEY = env.words("FIELD_ENCRYPTION_KEY") or [env.text("FIELD_ENCRYPTION_KEY")]
API_KEY_PEPPER = env.text("API_KEY_PEPPER")

# Where it is reached
PUBLIC_BASE_URL = env.text("PUBLIC_BASE_URL", "http://127.0.0.1:8000").rstrip("/")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "127.0.0.1,localhost")
CSRF_TRUSTED_ORIGINS = [PUBLIC_BASE_URL]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TRUSTED_PROXIES = env.words("TRUSTED_PROXIES")

# Data
_APPLICATION_OPTIONS = "-c statement_timeout=10s -c lock_timeout=5s -c idle_in_transaction_session_timeout=15s"
DATABASES = {"default": env.database("DATABASE_URL")}
DATABASES["default"]["CONN_MAX_AGE"] = 300
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DATABASES["default"]["OPTIONS"].setdefault("options", _APPLICATION_OPTIONS)
DATABASES["default"]["OPTIONS"].setdefault("connect_timeout", 3)
if env.text("MIGRATION_DATABASE_URL", ""):
    # The owner of the tables: runs migrations and nothing else.
    DATABASES["owner"] = env.database("MIGRATION_DATABASE_URL")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = env.text("REDIS_URL", "redis://127.0.0.1:6379/0")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "alerting",
    }
}

INSTALLED_APPS = [
    "django_prometheus",
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "alerting.admin.apps.AdminWithoutLogConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "guardian",
    "encrypted_model_fields",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "tenants",
    "channels",
    "alerting",
    "metrics",
    "config.apps.ServiceConfig",
]
# Django's admin log is not used (the audit log is), so its table is not made either.
MIGRATION_MODULES = {"admin": None}
MIDDLEWARE = [
    "tenants.middleware.RequestContextMiddleware",
    "tenants.api.parsers.StrictRequestMiddleware",
    "alerting.api.shortcut.IntakeShortcut",
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "tenants.middleware.TenantSessionMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]
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

# People
AUTH_USER_MODEL = "tenants.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "guardian.backends.ObjectPermissionBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
if ENVIRONMENT == "test":
    # Hundreds of people sign in during a run; the slow hash is Django's, and tested there.
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ANONYMOUS_USER_NAME = None
LOGIN_URL = reverse_lazy("admin:login")
LOGIN_REDIRECT_URL = reverse_lazy("admin:index")
# Guardian's own tables are generic; permissions of tenants live in tables with direct keys (tenants/models/grants.py).
SILENCED_SYSTEM_CHECKS = ["guardian.W001"]

# Languages and times
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("fr", "Français"), ("de", "Deutsch"), ("es", "Español"), ("it", "Italiano")]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["config.formats"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
WHITENOISE_USE_FINDERS = not IS_PRODUCTION
WHITENOISE_AUTOREFRESH = False

# Transport security
SECURE_SSL_REDIRECT = env.flag("SECURE_SSL_REDIRECT", IS_PRODUCTION)
SECURE_REDIRECT_EXEMPT = [r"^health/", r"^metrics$"]
SECURE_HSTS_SECONDS = 31_536_000 if IS_PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = IS_PRODUCTION
if env.flag("BEHIND_TLS_PROXY"):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_PRODUCTION
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_NAME = "__Host-session" if IS_PRODUCTION else "session"
CSRF_FAILURE_VIEW = "tenants.api.handlers.csrf_failure"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576

# REST
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "tenants.api.authentication.ApiKeyAuthentication",
        "tenants.api.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["tenants.api.permissions.IsPrincipal"],
    "DEFAULT_PARSER_CLASSES": ["tenants.api.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "tenants.api.pagination.CursorPagination",
    "DEFAULT_SCHEMA_CLASS": "tenants.api.schema.TenantAutoSchema",
    "EXCEPTION_HANDLER": "tenants.api.problems.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Alerting API",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "PREPROCESSING_HOOKS": ["tenants.api.schema.without_final_slash"],
    "AUTHENTICATION_WHITELIST": ["tenants.api.authentication.ApiKeyAuthentication"],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "AlertStatusEnum": "alerting.models.AlertStatus.choices",
        "DecisionVerdictEnum": "alerting.api.explain.VERDICTS",
        "DeliveryStateEnum": "channels.models.DeliveryState.choices",
        "FindingVerdictEnum": "metrics.models.threshold.Verdict.choices",
        "GroupStatusEnum": "alerting.models.GroupStatus.choices",
        "SeverityEnum": ["info", "warning", "error", "critical"],
        "SeriesKindEnum": "metrics.models.series.Kind.choices",
        "ThresholdKindEnum": "metrics.models.threshold.ThresholdKind.choices",
    },
}

# Parts that a lower floor needs from a higher one, and lists a newcomer extends, named by dotted path.
CHANNEL_ADAPTERS = [
    "channels.adapters.slack.SlackAdapter",
    "channels.adapters.email.EmailAdapter",
    "channels.adapters.sms.SmsAdapter",
    "channels.adapters.pagerduty.PagerDutyAdapter",
    "channels.adapters.webhook.WebhookAdapter",
    "channels.adapters.apprise.AppriseAdapter",
]
# What floors above alerting put into the admin: pages by model, and a section of the sidebar.
ADMIN_PAGES = ["metrics.admin.registry.PAGES"]
ADMIN_SECTIONS = ["metrics.admin.navigation.SECTION"]
METRIC_SOURCES = [
    "metrics.collectors.prometheus.PrometheusCollector",
    "metrics.collectors.exposition.ExpositionCollector",
    "metrics.collectors.json_source.JsonCollector",
    "metrics.collectors.sql.SqlCollector",
]
# What else is attached to mails: f(message) -> list[channels.mail.attached.Attachment]; called in threads that send,
# away from the database. One that fails leaves its files out, and the mail goes.
MESSAGE_ATTACHMENTS = ["channels.mail.charts.linked_charts"]
# Whose an address is: f(addresses) -> {address: (language, time zone)}, inside the tenant's transaction.
ADDRESS_OWNERS = "alerting.oncall.owners.languages"
# Takes what people say findings were worth: f(principal, finding ids, verdict) -> how many there are.
FEEDBACK_TAKER = "metrics.trust.verdicts.give_all"
# Told of deliveries that failed for good: f(tenant_id, delivery_ids, state), inside the tenant's transaction.
DELIVERY_OBSERVERS = ["alerting.undelivered.note", "alerting.escalation.hurrying.note"]
# Told of addresses that get nothing more and of those taken off: f(tenant_id, rows, is_paused), in the transaction.
PAUSED_ADDRESS_OBSERVERS = ["alerting.paused_addresses.note"]
TASK_PUBLISHER = "config.celery.publish"
ENRICHMENT_STEPS = [
    "alerting.enrichment.static.StaticLabels",
    "alerting.enrichment.extract.Extract",
    "alerting.enrichment.lookup.Lookup",
    "alerting.enrichment.ownership.Ownership",
    "alerting.enrichment.business_hours.BusinessHours",
]

# How much the door takes before it asks senders to come back later
INTAKE_MAX_WAITING = env.integer("INTAKE_MAX_WAITING", 200_000)
INTAKE_MAX_WAITING_PER_TENANT = env.integer("INTAKE_MAX_WAITING_PER_TENANT", 100_000)
INTAKE_ALERTS_PER_SECOND_OF_TENANT = env.integer("INTAKE_ALERTS_PER_SECOND_OF_TENANT", 50_000)
INTAKE_ALERTS_PER_SECOND_OF_KEY = env.integer("INTAKE_ALERTS_PER_SECOND_OF_KEY", 50_000)

# How long each level of metrics is kept (whole partitions go)
METRICS_KEEP_SAMPLES_DAYS = env.integer("METRICS_KEEP_SAMPLES_DAYS", 35)
METRICS_KEEP_FLAWS_DAYS = env.integer("METRICS_KEEP_FLAWS_DAYS", 14)
METRICS_KEEP_MINUTES_DAYS = env.integer("METRICS_KEEP_MINUTES_DAYS", 100)
METRICS_KEEP_HOURS_DAYS = env.integer("METRICS_KEEP_HOURS_DAYS", 760)
METRICS_KEEP_DAYS_DAYS = env.integer("METRICS_KEEP_DAYS_DAYS", 3_650)
METRICS_SAMPLES_PER_SECOND_OF_TENANT = env.integer("METRICS_SAMPLES_PER_SECOND_OF_TENANT", 200_000)
METRICS_MAX_WAITING = env.integer("METRICS_MAX_WAITING", 10_000_000)
METRICS_MAX_WAITING_PER_TENANT = env.integer("METRICS_MAX_WAITING_PER_TENANT", 2_000_000)
METRICS_SERIES_PER_TENANT = env.integer("METRICS_SERIES_PER_TENANT", 200_000)

# Ways out
EGRESS_ALLOW_LOOPBACK = env.flag("EGRESS_ALLOW_LOOPBACK") and not IS_PRODUCTION
EGRESS_ALLOW_HTTP = env.flag("EGRESS_ALLOW_HTTP", not IS_PRODUCTION)
# Development lets tenants' webhooks reach these ports of this machine and no others; empty means any (tests).
EGRESS_LOOPBACK_PORTS = [int(port) for port in env.words("EGRESS_LOOPBACK_PORTS")]
# Where tenants' metric sources may listen beside the usual ports of the web.
METRIC_SOURCE_PORTS = [int(port) for port in env.words("METRIC_SOURCE_PORTS", "5432,6432,9090,9091,9100,9443")]
# Development shows itself at work on made-up metrics of the demo tenant.
SIMULATE_METRICS = env.flag("SIMULATE_METRICS", ENVIRONMENT == "development") and not IS_PRODUCTION
# Apprise looks its hosts up a second time after they were checked (channels/adapters/apprise_client.py).
APPRISE_OWN_SERVERS = env.flag("APPRISE_OWN_SERVERS", not IS_PRODUCTION)
SLACK_API_BASE_URL = env.text("SLACK_API_BASE_URL", "https://slack.com/api/")
TWILIO_API_BASE_URL = env.text("TWILIO_API_BASE_URL", "")
# Empty: PagerDuty's own addresses, by the region of the channel.
PAGERDUTY_EVENTS_BASE_URL = env.text("PAGERDUTY_EVENTS_BASE_URL", "")
# Countries (AT, FR, ...) whose numbers tenants may write to; empty means any.
SMS_COUNTRIES = env.words("SMS_COUNTRIES")
DEAD_MAN_URL = env.text("DEAD_MAN_URL", "")

LOG_FORMAT = env.text("LOG_FORMAT", "json" if IS_PRODUCTION else "console")
LOGGING_CONFIG = None
LOGGING = logging_settings(LOG_FORMAT, env.text("LOG_LEVEL", "INFO"))

UNFOLD = {
    "SITE_TITLE": _("Alerting"),
    "SITE_HEADER": _("Alerting"),
    "SITE_URL": None,
    "SHOW_HISTORY": False,
    "ENVIRONMENT": "alerting.admin.site.environment_badge",
    "DASHBOARD_CALLBACK": "alerting.admin.dashboard.dashboard",
}
