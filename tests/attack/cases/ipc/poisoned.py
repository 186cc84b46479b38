"""IPC-09: is anything of it here?"""

import json
import os
import sys

from payload import say

say("home_cache", "found" if os.path.exists("/box/.cache") else "nothing")
say("site", "found" if os.path.exists("/box/.local") else "nothing")
say("pycache", "poisoned" if "poisoned" in repr(json.__spec__) else "clean")
module = sys.modules.get("sitecustomize")
text = open(module.__file__, encoding="utf-8").read() if module and module.__file__ else ""
say("sitecustomize", "poisoned" if "poisoned" in text else "clean")
say("json_is", json.__file__[:len("/usr/lib/python3")])
