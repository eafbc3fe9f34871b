"""What Authlib makes of Jeton's introspection and revocation. Reads JSON from standard input, prints JSON."""

import json
import sys
import types

import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import ResourceProtector
from authlib.oauth2.rfc7662 import IntrospectTokenValidator

given = json.load(sys.stdin)
at = requests.get(given["url"] + "/.well-known/oauth-authorization-server").json()
INTROSPECT, REVOKE = at["introspection_endpoint"], at["revocation_endpoint"]


def session(method, secret=given["secret"]):
    return OAuth2Session(given["id"], secret, token_endpoint_auth_method=method)


class Validator(IntrospectTokenValidator):
    """As Authlib's documentation shows it, for an API."""

    def introspect_token(self, token_string):
        answer = requests.post(INTROSPECT, data={"token": token_string}, auth=(given["id"], given["secret"]))
        answer.raise_for_status()
        return answer.json()


protector = ResourceProtector()
protector.register_token_validator(Validator())


def enters(token, scopes):
    """What an API learns of a request with this token that needs one of these scopes."""
    request = types.SimpleNamespace(headers={"Authorization": f"Bearer {token}"})
    try:
        return protector.validate_request(scopes, request)["sub"]
    except OAuth2Error as error:
        return error.error


results = {}
for method in ["client_secret_basic", "client_secret_post"]:
    client = session(method)
    for name in ["writes", "reads", "revoked", "unknown"]:
        answer = client.introspect_token(INTROSPECT, token=given[name], token_type_hint="access_token")
        results[f"{method} {name}"] = answer.json()
    wrong = session(method, "wrong").introspect_token(INTROSPECT, token=given["writes"])
    results[f"{method} wrong secret"] = [wrong.status_code, wrong.json()["error"]]
for name in ["writes", "reads", "revoked", "unknown"]:
    results[f"{name} enters"] = [enters(given[name], [scopes]) for scopes in ["read", "write", "read write"]]

client = session("client_secret_basic")
wrong = session("client_secret_basic", "wrong").revoke_token(REVOKE, token=given["writes"])
results["revocation with a wrong secret"] = [wrong.status_code, client.introspect_token(INTROSPECT, token=given["writes"]).json()["active"]]
results["revocation"] = client.revoke_token(REVOKE, token=given["writes"], token_type_hint="access_token").status_code
results["afterwards"] = [client.introspect_token(INTROSPECT, token=given["writes"]).json(), enters(given["writes"], None)]
print(json.dumps(results))
