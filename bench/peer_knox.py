"""A view behind django-rest-knox, with SQLite. `python peer_knox.py KEYS_FILE COUNT` makes the database, gunicorn serves it."""

import os
import pathlib
import sys

import django
from django.conf import settings
from django.urls import path

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["PEER_DATABASE"], "CONN_MAX_AGE": None}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "rest_framework", "knox"],
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": ["knox.auth.TokenAuthentication"],
        "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    },
    ROOT_URLCONF=__name__,
    SECRET_KEY=os.environ["PEER_SECRET"],
    USE_TZ=True,
)
django.setup()

from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from knox.models import AuthToken
from rest_framework.decorators import api_view
from rest_framework.response import Response


@api_view()
def verify(request):
    return Response({"user": request.user.get_username()})


urlpatterns = [path("verify", verify)]
application = get_wsgi_application()

if __name__ == "__main__":
    file, count = sys.argv[1:]
    call_command("migrate", verbosity=0)
    # Ten tokens each: knox reads all of a user's for each request.
    users = [User.objects.create_user(f"person-{number}") for number in range(int(count) // 10)]
    keys = [AuthToken.objects.create(user)[1] for user in users for _ in range(10)]
    pathlib.Path(file).write_text("".join(f"{key}\n" for key in keys))
