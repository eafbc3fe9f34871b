"""An API with Django OAuth Toolkit that asks Jeton. Reads JSON from standard input, prints JSON."""

import json
import logging
import sys
import time

import django
import requests
from django.conf import settings
from django.core.management import call_command
from django.http import JsonResponse
from django.test import Client, override_settings
from django.urls import path
from django.utils import timezone

given = json.load(sys.stdin)
INTROSPECT = given["url"] + "/oauth2/introspect"
SETTINGS = {"RESOURCE_SERVER_INTROSPECTION_URL": INTROSPECT, "RESOURCE_SERVER_TOKEN_CACHING_SECONDS": 1}
WITH_TOKEN = {**SETTINGS, "RESOURCE_SERVER_AUTH_TOKEN": given["secret"]}
WITH_CREDENTIALS = {**SETTINGS, "RESOURCE_SERVER_INTROSPECTION_CREDENTIALS": (given["id"], given["secret"])}
WRONG = {**SETTINGS, "RESOURCE_SERVER_INTROSPECTION_CREDENTIALS": (given["id"], "wrong")}

settings.configure(
    ALLOWED_HOSTS=["testserver"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "oauth2_provider"],
    LOGGING_CONFIG=None,
    OAUTH2_PROVIDER=WITH_TOKEN,
    ROOT_URLCONF=__name__,
    SECRET_KEY="test",
    TIME_ZONE="UTC",
    USE_TZ=True,
)
django.setup()
logging.disable(logging.CRITICAL)

from oauth2_provider.decorators import protected_resource
from oauth2_provider.models import AccessToken


@protected_resource(scopes=["read"])
def read(request):
    return JsonResponse({"user": request.resource_owner.username})


@protected_resource(scopes=["write"])
def write(request):
    return JsonResponse({"user": request.resource_owner.username})


urlpatterns = [path("read", read), path("write", write)]
call_command("migrate", verbosity=0)
api = Client()


def enters(name, address="/read"):
    answer = api.get(address, HTTP_AUTHORIZATION=f"Bearer {given[name]}")
    return answer.json()["user"] if answer.status_code == 200 else answer.status_code


def kept(name):
    """Seconds for which Django keeps what it has learnt about a token."""
    return (AccessToken.objects.get(token=given[name]).expires - timezone.now()).total_seconds()


results = {}
for way, configuration in [("token", WITH_TOKEN), ("credentials", WITH_CREDENTIALS), ("wrong secret", WRONG)]:
    AccessToken.objects.all().delete()
    with override_settings(OAUTH2_PROVIDER=configuration):
        results[way] = [enters(name, address) for name in ["writes", "reads", "revoked", "unknown"] for address in ["/read", "/write"]]

# With a longer interval it keeps an answer until its exp.
AccessToken.objects.all().delete()
with override_settings(OAUTH2_PROVIDER={**WITH_TOKEN, "RESOURCE_SERVER_TOKEN_CACHING_SECONDS": 36000}):
    enters("reads")
    results["kept until exp"] = kept("reads")

# West of Greenwich this release takes exp for local time, so that only the interval counts.
AccessToken.objects.all().delete()
with override_settings(TIME_ZONE="America/New_York", OAUTH2_PROVIDER=WITH_TOKEN):
    enters("reads")
    results["kept for the interval, west"] = kept("reads")

with override_settings(OAUTH2_PROVIDER=WITH_TOKEN):
    results["before"] = enters("writes")
    requests.post(given["url"] + "/oauth2/revoke", data={"token": given["writes"]}).raise_for_status()
    begun = time.monotonic()
    while enters("writes") != 403 and time.monotonic() - begun < 20:
        time.sleep(0.1)
    results["afterwards"] = enters("writes")
print(json.dumps(results))
