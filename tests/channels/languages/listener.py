"""A process of its own that reads a tenant's words over and over, and says when it heard others.

Called with the tenant's id. Each line of its answer is JSON: what is heard, when that reading began, and when the
last reading began that heard what was said before. The clock is the machine's, the same in every process.
"""

import json
import sys
import time
from uuid import UUID

import django


def main(tenant: UUID) -> None:
    """Read until the parent ends this process."""
    django.setup()
    from channels.languages import Voice
    from channels.languages.overrides import tenant_words
    from tenants.context import tenant_context

    before, last_began = "", 0.0
    while True:
        began = time.monotonic()
        with tenant_context(tenant):
            heard = Voice("fr", words=tenant_words()).t("status.firing")
        if heard != before:
            print(json.dumps({"heard": heard, "began": began, "old_until": last_began}), flush=True)
        before, last_began = heard, began
        time.sleep(0.01)


if __name__ == "__main__":
    main(UUID(sys.argv[1]))
