"""A headless Chromium that opens files, and tells what their pages asked for and complained about.

Debian's packages ``chromium`` and ``chromium-driver`` bring browser and driver; nothing is downloaded.
"""

import contextlib
import json
import os
import shutil

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def missing():
    """Name what a browser test needs and this machine lacks; empty if it has all."""
    if not any(map(shutil.which, BROWSERS)):
        return "chromium"
    return "" if shutil.which("chromedriver") else "chromedriver (Debian's chromium-driver)"


@contextlib.contextmanager
def browser(width, *, height=900, dark=False):
    """Start a headless browser.

    Parameters
    ----------
    width, height : int
        Of its pages, in CSS pixels.
    dark : bool
        Whether the reader prefers dark pages.

    Yields
    ------
    selenium.webdriver.Chrome
    """
    lacks = missing()
    if lacks and os.environ.get("CI") != "true":
        pytest.skip(f"{lacks} is not installed")
    assert not lacks, f"{lacks} is not installed, and the gate must not go without"
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    options.binary_location = next(filter(None, map(shutil.which, BROWSERS)))
    for word in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--hide-scrollbars"):
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(shutil.which("chromedriver"))
    driver = webdriver.Chrome(options=options, service=service)
    try:
        screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
        yield driver
    finally:
        driver.quit()


def complaints(driver):
    """List the messages of the page's console since the last call."""
    return [entry["message"] for entry in driver.get_log("browser")]


def requests(driver):
    """List the addresses that the page asked for since the last call, but pictures that it holds itself."""
    messages = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    sent = [one["params"]["request"]["url"] for one in messages if one["method"] == "Network.requestWillBeSent"]
    return [address for address in sent if not address.startswith("data:")]


def screenshot(driver, path):
    """Write a picture of the whole page to ``path``."""
    height = driver.execute_script("return document.documentElement.scrollHeight")
    width = driver.execute_script("return window.innerWidth")
    import base64

    clip = {"x": 0, "y": 0, "width": width, "height": min(height, 16000), "scale": 1}
    shot = driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
    path.write_bytes(base64.b64decode(shot["data"]))
