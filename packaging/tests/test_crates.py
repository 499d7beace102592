"""A project outside of the workspace uses the packaged crates."""

import os
import re
import shutil
import tarfile

from conftest import ROOT, TARGET
from podman import finish

PROGRAM = """
#[tokio::main]
async fn main() -> Result<(), compshare::Error> {
    let client = compshare::Client::new(compshare::Config::from_env()?)?;
    let page = client.describe_comp_share_custom_images(&Default::default()).await?;
    println!("{} images, the first is {}", page.total_count, page.image_set[0].name);
    Ok(())
}

#[test]
fn a_temporary_server_has_no_images() {
    let server = jingku_testing::Server::start(None).unwrap();
    let client = server.client().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let page = runtime.block_on(client.describe_comp_share_custom_images(&Default::default())).unwrap();
    assert_eq!(page.total_count, 0);
}
"""
MANIFEST = """
[package]
name = "outside"
version = "0.0.0"
edition = "2024"

[workspace]

[dependencies]
compshare = "{version}"
tokio = {{ version = "1", features = ["macros", "rt-multi-thread"] }}

[dev-dependencies]
jingku-testing = "{version}"

[patch.crates-io]
"""


def unpack(packages, folder) -> dict:
    """The folders of the crates, by name."""
    crates = {}
    for file in (packages / "crates").glob("*.crate"):
        with tarfile.open(file) as archive:
            archive.extractall(folder)
        name, version = re.fullmatch(r"(.+)-(\d+\.\d+\.\d+)", file.stem).groups()
        crates[name] = (folder / file.stem, version)
    return crates


def test_each_crate_has_what_a_registry_shows(packages, tmp_path):
    crates = unpack(packages, tmp_path)
    assert sorted(crates) == ["compshare", "jingku-protocol", "jingku-testing"]
    for name, (folder, _) in crates.items():
        manifest = (folder / "Cargo.toml").read_text()
        for field in ("description", "license", "readme", "keywords", "categories", "rust-version"):
            assert re.search(rf"^{field} = ", manifest, re.MULTILINE), f"{name} has no {field}"
        assert "[package.metadata.docs.rs]" in manifest, f"{name} has no settings for docs.rs"
        assert (folder / "README.md").read_text().startswith(f"# {name}\n")
        assert list(folder.glob("examples/*.rs")), f"{name} has no examples"
        assert (folder / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()


def test_a_project_uses_the_crates(packages, jingku, serve, run, tmp_path):
    crates = unpack(packages, tmp_path)
    [version] = {version for _, version in crates.values()}
    patches = [f'{name} = {{ path = "{folder}" }}\n' for name, (folder, _) in crates.items()]
    # With the same profile and versions as here, most dependencies are built already.
    profiles = ROOT.joinpath("Cargo.toml").read_text().partition("[profile.dev]")
    profiles = "".join(profiles[1:]).partition("[profile.release]")[0]
    profiles = re.sub(r"\[profile\.dev\.package\.[a-z].*\]\nopt-level = 3\n", "", profiles)
    project = tmp_path / "outside"
    (project / "src").mkdir(parents=True)
    (project / "Cargo.toml").write_text(MANIFEST.format(version=version) + "".join(patches) + profiles)
    (project / "src/main.rs").write_text(PROGRAM)
    shutil.copy(ROOT / "Cargo.lock", project)

    base_url, _ = serve("--demo")
    shell = run("env")
    environment = dict(re.findall(r"export (\w+)=(.*)", shell))
    environment = {name: value.strip("'") for name, value in environment.items()}
    assert environment["COMPSHARE_BASE_URL"] == base_url
    variables = {**os.environ, **environment, "CARGO_TARGET_DIR": str(TARGET), "JINGKU_BIN": str(jingku)}
    for command, expected in ((["run"], "1 images, the first is my-custom-env"), (["test"], "1 passed")):
        said = finish(["cargo", *command, "--quiet", "--offline"], cwd=project, env=variables)
        assert expected in said, said
