"""A real mongod and a real MQTT broker under this program's care, for `autospot demo`.

    async with parts(data_dir) as running:
        ...  # running.mongo_url, running.mqtt_url, running.mqtt_url_for("sensors"), await running.failure()

Read supervisor.py first; then process.py and tether.py (a child that cannot be left behind), folder.py (one run for a
folder), mongod.py and broker.py (how each is run), programs.py (where they come from).
"""

from autospot.embedded.endpoints import Endpoints, Login, published
from autospot.embedded.errors import EmbeddedError
from autospot.embedded.supervisor import RunningParts, parts

__all__ = ["EmbeddedError", "Endpoints", "Login", "RunningParts", "parts", "published"]
