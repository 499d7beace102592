"""Run by every Python that `jingku run` starts, before the program: passes the trusted certificate on.

Some programs start others with a few chosen variables only. One that keeps the proxy and drops REQUESTS_CA_BUNDLE, as the
official MCP server does, has children that find the proxy and do not trust it. They are given what they lack.
"""

import os
import sys


def run_the_next():
    """Runs the module of this name that this one hides, if there is one."""
    import importlib.machinery
    import importlib.util

    here = os.path.dirname(os.path.abspath(__file__))
    folders = [folder for folder in sys.path if os.path.abspath(folder) != here]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", folders)
    if spec is not None and spec.loader is not None:
        module = importlib.util.module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)


def pass_trust_on():
    """Completes the environment of children that are sent to the proxy."""
    import functools
    import subprocess

    names = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
    trust = {name: os.environ[name] for name in names if name in os.environ}
    proxy = os.environ.get("HTTPS_PROXY")
    start = subprocess.Popen.__init__

    @functools.wraps(start)
    def start_with_trust(self, *args, **kwargs):
        env = kwargs.get("env")
        if proxy and env and proxy in (env.get("HTTPS_PROXY"), env.get("https_proxy")):
            kwargs["env"] = {**trust, **env}
        start(self, *args, **kwargs)

    subprocess.Popen.__init__ = start_with_trust


pass_trust_on()
run_the_next()
