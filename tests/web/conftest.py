"""A browser and the pages it looks at, on real engines."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, BrowserContext, Dialog, Page, sync_playwright

from hybrid.engines.lexical.tantivy import TantivyEngine
from hybrid.engines.lexical.tantivy_writer import TantivyWriter
from hybrid.movie import Movie
from hybrid.web.app import create_app
from tests import corpus
from tests.small import open_small
from tests.web.hostile import PAYLOADS
from tests.web.http import Service, serving

LARGE = 2**60
"""The first of ids that JavaScript's numbers cannot tell apart."""

REPORT_BREACHES = """
document.addEventListener("securitypolicyviolation", (breach) =>
  console.error(`policy breached: ${breach.violatedDirective} ${breach.blockedURI}`));
"""


def movies() -> list[Movie]:
    """Return films of a seed, films whose every text is hostile, and films with large ids."""
    hostile = [
        Movie(
            id=9_000_000 + number,
            title=f"Hostile {text}",
            original_title=text,
            year=1950 + number,
            genres=("Hostile", text[:100]),
            description=f"A hostile film says {text} and nothing more. Then it ends.",
            cast=(text, "Actor"),
            directors=(text,),
            thumbnail=text,
        )
        for number, text in enumerate(PAYLOADS)
    ]
    large = [
        Movie(id=LARGE + number, title="Enormous", description="An enormous number of numbers.")
        for number in range(4)
    ]
    return [*corpus.films(800), *hostile, *large]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Give the service over those films, on the embedded engine and an exact scan."""
    folder = tmp_path_factory.mktemp("pages")
    films = movies()
    writer = TantivyWriter(folder)
    writer.prepare(None)
    writer.write(films, (), len(films))
    search = open_small(folder, films, TantivyEngine(folder / "tantivy"), depth=200)
    with serving(create_app(search)) as running:
        yield running
    search.close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Give Debian's Chromium, else skip. In CI nothing is skipped."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        missing = "no Chromium: `apt-get install chromium`, or another package of it, brings one"
        if os.environ.get("CI"):
            pytest.fail(f"CI must look at the pages: {missing}")
        pytest.skip(missing)
    with sync_playwright() as playwright:
        # As root, as CI is, Chromium has no sandbox. It knows no host but this machine.
        browser = playwright.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"],
        )
        yield browser
        browser.close()


@dataclass
class Tab:
    """A page, and what it did that it must not."""

    page: Page
    allowed: tuple[str, ...]
    misdeeds: list[str] = field(default_factory=list)

    def watch(self, context: BrowserContext) -> None:
        """Note dialogs, breaches of the policy, errors of scripts, and requests elsewhere."""
        context.add_init_script(REPORT_BREACHES)

        def asked(url: str) -> None:
            if not url.startswith(self.allowed):
                self.misdeeds.append(f"asked {url}")

        def opened(dialog: Dialog) -> None:
            self.misdeeds.append("dialog")
            dialog.dismiss()

        def said(text: str) -> None:
            if "olicy" in text:
                self.misdeeds.append(text)

        context.on("request", lambda request: asked(request.url))
        context.on("console", lambda message: said(message.text))
        context.on("weberror", lambda error: self.misdeeds.append(str(error.error)))
        context.on("dialog", opened)


@pytest.fixture
def tab(chromium: Browser, site: Service, request: pytest.FixtureRequest) -> Iterator[Tab]:
    """Give a browser's page on the site, and see in the end that it did nothing it must not.

    A mark `screen(width, height, dark)` says what it is looked at on.
    """
    mark = request.node.get_closest_marker("screen")
    width, height, dark = mark.args if mark else (1280, 900, False)
    context = chromium.new_context(
        base_url=site.url,
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
    )
    context.set_default_timeout(10_000)
    opened = Tab(context.new_page(), (site.url + "/",))
    opened.watch(context)
    yield opened
    context.close()
    assert opened.misdeeds == []
