"""Prints a server's answer to an introspection query: introspect.py BASE_URL.

The key is taken from WANDB_API_KEY; without one, none is sent. Standard library only.
"""

import base64
import json
import os
import sys
import urllib.request

TYPE = "kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } }"
QUERY = """
query Introspection {
  __schema {
    types {
      kind
      name
      fields(includeDeprecated: true) {
        name
        args { name defaultValue type { %(type)s } }
        type { %(type)s }
      }
      inputFields { name defaultValue type { %(type)s } }
      interfaces { name }
      enumValues(includeDeprecated: true) { name }
      possibleTypes { name }
    }
  }
}
""" % {"type": TYPE}


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """The key must not follow a redirect to another host."""

    def redirect_request(self, *arguments):
        return None


def main() -> None:
    base_url = sys.argv[1].rstrip("/")
    headers = {"Content-Type": "application/json"}
    key = os.environ.get("WANDB_API_KEY")
    if key:
        headers["Authorization"] = "Basic " + base64.b64encode(f"api:{key}".encode()).decode()
    body = json.dumps({"query": QUERY, "operationName": "Introspection", "variables": {}}).encode()
    request = urllib.request.Request(base_url + "/graphql", data=body, headers=headers)
    with urllib.request.build_opener(NoRedirect).open(request, timeout=60) as answer:
        sys.stdout.write(answer.read().decode())


main()
