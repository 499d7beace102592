"""What `jingku env --sdk` prints, run as it is.

The SDK for Python is on PyPI and always here. No registry that these tests may ask has the others: `JINGKU_SDKS` names a
folder with checkouts of ucloud-sdk-go, -js, -java and -php, side by side. docs/compat says which versions were run so, and when.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from daemon import clean_environment

CHECKOUTS = os.environ.get("JINGKU_SDKS")


def python(folder: Path, program: str):
    (folder / "list_images.py").write_text(program)
    return [[sys.executable, "list_images.py"]], {}


def js(folder: Path, program: str):
    """The checkout has the compiled library; axios comes from npm."""
    subprocess.run(["npm", "install", "--silent", "axios@0.21.4"], cwd=folder, check=True, timeout=300)
    shutil.copytree(checkout("js"), folder / "node_modules" / "@ucloud-sdks" / "ucloud-sdk-js")
    (folder / "list_images.js").write_text(program)
    return [["node", "list_images.js"]], {}


def go(folder: Path, program: str):
    """Debian's golang-github-pkg-errors-dev and golang-github-sirupsen-logrus-dev, in /usr/share/gocode."""
    place = folder / "src" / "github.com" / "ucloud" / "ucloud-sdk-go"
    shutil.copytree(checkout("go"), place)
    (folder / "src" / "app").mkdir()
    (folder / "src" / "app" / "main.go").write_text(program)
    return [["go", "run", "app"]], {"GO111MODULE": "off", "GOPATH": f"{folder}:/usr/share/gocode"}


def java(folder: Path, program: str):
    """Debian's libgoogle-gson-java, libhttpclient-java, libhttpmime-java, libcommons-lang3-java and libslf4j-java."""
    sources = [
        str(source)
        for module in ("common", "ucompshare")
        for source in (checkout("java") / f"ucloud-sdk-java-{module}" / "src" / "main" / "java").rglob("*.java")
    ]
    (folder / "sources").write_text("\n".join(sources))
    (folder / "ListImages.java").write_text(program, encoding="utf-8")
    names = ("gson", "httpclient", "httpcore", "httpmime", "commons-lang3", "commons-logging", "commons-codec")
    jars = [f"/usr/share/java/{name}.jar" for name in (*names, "slf4j-api", "slf4j-simple")]
    classes = ":".join([".", *jars])
    compile_all = ["javac", "-nowarn", "-encoding", "UTF-8", "-d", ".", "-cp", classes, "@sources", "ListImages.java"]
    return [compile_all, ["java", "-cp", classes, "ListImages"]], {}


def php(folder: Path, program: str):
    """Debian's php-cli, php-curl, php-guzzlehttp-guzzle and php-psr-log, loaded as composer would."""
    (folder / "vendor").mkdir()
    source = checkout("php") / "src"
    (folder / "vendor" / "autoload.php").write_text(
        "<?php\n"
        "require '/usr/share/php/GuzzleHttp/autoload.php';\n"
        "require '/usr/share/php/Psr/Log/autoload.php';\n"
        "spl_autoload_register(function ($class) {\n"
        f"    $file = '{source}/' . str_replace('\\\\', '/', substr($class, strlen('UCloud\\\\'))) . '.php';\n"
        "    if (str_starts_with($class, 'UCloud\\\\') && is_file($file)) { require $file; }\n"
        "});\n"
    )
    (folder / "list_images.php").write_text(program)
    return [["php", "list_images.php"]], {}


def checkout(language: str) -> Path:
    if not CHECKOUTS:
        pytest.skip("JINGKU_SDKS names no folder with checkouts of the SDKs")
    return Path(CHECKOUTS).resolve() / f"ucloud-sdk-{language}"


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("prepare", [python, js, go, java, php])
def test_it_prints_the_images_and_nothing_else(account, tmp_path, prepare, language):
    image = account.make("from-env")
    keys = ["--public-key", account.public_key, "--private-key", account.private_key]
    program = account.daemon.run("env", "--sdk", prepare.__name__, "--lang", language, *keys)
    commands, settings = prepare(tmp_path, program)
    environment = clean_environment(tmp_path, **settings)
    for command in commands:
        last = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, encoding="utf-8", timeout=300
        )
        assert last.returncode == 0, last.stderr
    assert last.stdout == f"{image} from-env Available\n"
    # No request and no signature is printed.
    assert "Signature" not in last.stderr and account.public_key not in last.stderr, last.stderr
    assert last.stderr == "", last.stderr
