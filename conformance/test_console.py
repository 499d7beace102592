"""The web console in a real browser."""

from browser import run_script


def test_every_page_in_both_languages(console, scripts, screenshots):
    base_url, jingku = console
    link = jingku("console", "--no-open").splitlines()[0]
    assert link.startswith(f"{base_url}/console/sign-in?link=")
    run_script(scripts, "browse.mjs", base_url, link, screenshots)
