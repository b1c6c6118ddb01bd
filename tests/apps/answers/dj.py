"""Logins of the ways that Django answers one: in one file, run as `python dj.py PORT`."""

import sys

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="k" * 50,
    DEBUG=False,
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "rest_framework"],
    MIDDLEWARE=[
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
    ],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
    REST_FRAMEWORK={"DEFAULT_THROTTLE_RATES": {"anon": "1/min"}},
)
django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402 # Django has to be set up first
from django.http import HttpResponse  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.throttling import AnonRateThrottle  # noqa: E402
from rest_framework.views import APIView  # noqa: E402
from rest_framework_simplejwt.views import TokenObtainPairView  # noqa: E402


class Throttled(APIView):
    throttle_classes = (AnonRateThrottle,)

    def post(self, request: object) -> Response:
        return Response({"detail": "no"}, 401)


def form(request: object) -> HttpResponse:
    return HttpResponse("a form")


urlpatterns = [
    path("token/", TokenObtainPairView.as_view()),
    path("throttled/", Throttled.as_view()),
    path("login/", form),
]

if __name__ == "__main__":
    from wsgiref.simple_server import make_server

    make_server("127.0.0.1", int(sys.argv[1]), get_wsgi_application()).serve_forever()
