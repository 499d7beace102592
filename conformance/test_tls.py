"""The Python SDK over HTTPS, with the certificate authority in REQUESTS_CA_BUNDLE."""

import pytest
import requests
import trustme

from daemon import Daemon


@pytest.fixture
def daemon(daemon, tmp_path):
    """A server of its own, with a certificate for its address."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "server.pem")
    certificate.private_key_pem.write_to_path(tmp_path / "server.key")
    files = ["--tls-cert", tmp_path / "server.pem", "--tls-key", tmp_path / "server.key"]
    secure = Daemon(daemon.binary, tmp_path, options=files)
    secure.start()
    yield secure
    assert secure.stop() == 0, secure.log()


def test_lists_and_creates_images(daemon, tmp_path, monkeypatch):
    account = daemon.create_account()
    instance = account.add_instance()
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(daemon.base_url, timeout=10)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    client = account.sdk().ucompshare()
    made = client.create_comp_share_custom_image({"UHostId": instance, "Name": "env", "Zone": "cn-wlcb-01"})
    listed = client.describe_comp_share_custom_images({"Zone": "cn-wlcb-01"})
    assert [image["CompShareImageId"] for image in listed["ImageSet"]] == [made["CompShareImageId"]]
