"""How soon pages show what matters, how far they shift meanwhile, and how much they load.

    python -m benchmarks.page_loads http://127.0.0.1:8000 --query "a heist in the rain"

Each page is opened by Chromium with an empty cache, on a phone and on a desktop: Largest Contentful
Paint, Cumulative Layout Shift (https://web.dev/articles/cls), and kilobytes as transferred, images
of films apart.
"""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from urllib.parse import quote

import click
import urllib3
from playwright.sync_api import Browser, sync_playwright

SCREENS = {"phone": (390, 844), "desktop": (1280, 720)}
"""Width and height in CSS pixels."""

SETTLED_MS = 1500
"""Milliseconds after loading in which a page may still shift or paint something larger."""

OBSERVE = """
window.painted = 0;
window.shifted = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.painted = entry.startTime;
}).observe({ type: "largest-contentful-paint", buffered: true });
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    if (!entry.hadRecentInput) window.shifted.push([entry.startTime, entry.value]);
  }
}).observe({ type: "layout-shift", buffered: true });
"""


@dataclass(frozen=True)
class Load:
    """One load of a page: milliseconds to the largest paint, shift, bytes."""

    paint: float
    shift: float
    size: int
    images: int


def worst_window(shifts: list[tuple[float, float]]) -> float:
    """Return the largest sum of shifts in a window of 5 s at most, without a gap of 1 s."""
    worst, first, last, total = 0.0, 0.0, 0.0, 0.0
    for time, value in shifts:
        if not total or time - last >= 1000 or time - first >= 5000:
            first, total = time, 0.0
        last, total = time, total + value
        worst = max(worst, total)
    return worst


def load(browser: Browser, url: str, screen: str) -> Load:
    """Open a page with an empty cache. Raises ClickException if it is not answered with 200."""
    width, height = SCREENS[screen]
    context = browser.new_context(viewport={"width": width, "height": height})
    context.add_init_script(OBSERVE)
    page = context.new_page()
    network = context.new_cdp_session(page)
    network.send("Network.enable")
    images: set[str] = set()
    sizes: dict[str, int] = {}

    def note(request: dict[str, str]) -> None:
        if "/tiles/" in request["request"]["url"]:  # type: ignore[index]
            images.add(request["requestId"])

    network.on("Network.requestWillBeSent", note)
    network.on(
        "Network.loadingFinished",
        lambda done: sizes.update({done["requestId"]: int(done["encodedDataLength"])}),
    )
    answer = page.goto(url, wait_until="networkidle")
    if answer is None or answer.status != 200:
        raise click.ClickException(f"{url} is answered with {answer and answer.status}")
    page.wait_for_timeout(SETTLED_MS)
    paint, shifts = page.evaluate("[window.painted, window.shifted]")
    context.close()
    return Load(
        paint,
        worst_window(shifts),
        sum(size for request, size in sizes.items() if request not in images),
        sum(size for request, size in sizes.items() if request in images),
    )


def pages_of(url: str, query: str) -> Iterator[tuple[str, str]]:
    """Yield name and path of each page. Raises ClickException if the query finds nothing."""
    found = urllib3.request("GET", f"{url}/search", fields={"q": query, "limit": "1"}).json()
    if not found.get("hits"):
        raise click.ClickException(f"the query {query!r} finds nothing at {url}")
    film, q = found["hits"][0]["id"], quote(query)
    yield "opening", "/"
    yield "results", f"/?q={q}"
    yield "film", f"/films/{film}?q={q}"
    yield "similar", f"/similar/{film}"
    yield "comparison", f"/side-by-side?q={q}"
    yield "comparison, a film explained", f"/side-by-side?q={q}&film={film}"


@click.command(help=__doc__)
@click.argument("url")
@click.option("--query", default="a heist in the rain", show_default=True)
@click.option("--times", default=3, show_default=True, help="loads of each page; medians are shown")
def main(url: str, query: str, times: int) -> None:
    """Open every page on every screen and print medians, of shifts the worst."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        raise click.ClickException("no Chromium: `apt-get install chromium` brings one")
    print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores")
    print(f"{'page':30} {'screen':8} {'LCP ms':>7} {'CLS':>7} {'kB':>6} {'images kB':>10}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for name, address in pages_of(url.rstrip("/"), query):
            for screen in SCREENS:
                loads = [load(browser, url.rstrip("/") + address, screen) for _ in range(times)]
                print(
                    f"{name:30} {screen:8} {median(one.paint for one in loads):7.0f} "
                    f"{max(one.shift for one in loads):7.4f} "
                    f"{median(one.size for one in loads) / 1000:6.0f} "
                    f"{median(one.images for one in loads) / 1000:10.0f}"
                )
        browser.close()


if __name__ == "__main__":
    main()
