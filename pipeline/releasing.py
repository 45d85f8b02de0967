"""`slipway promote` and `rollback`, and who served when."""

from collections.abc import Callable, Iterator

from pipeline import pushed
from pipeline.errors import SetupError, SlipwayError
from pipeline.home import Home
from serving import releases
from serving.releases import Release

LATEST = "latest"


def promote(home: Home, version: str, label: str, url: str | None) -> Iterator[str]:
    """Release a version, or `latest`; yield what serves from then on.

    Raises:
        SetupError: no such model, version or label.
        SlipwayError: the running server does not load the version; nothing has changed.
    """
    pushed.require(home, "promote")
    if version == LATEST:
        yield from _released(home, "promote", url, lambda _: releases.follow_latest(home.serving))
        return
    if not version.isdigit():
        known = ", ".join(map(str, home.versions()))
        raise SetupError(f"slipway promote: VERSION is no number, got {version!r}; use one of {known}, or {LATEST}")
    yield from _released(
        home, "promote", url, lambda server: releases.promote(home.serving, int(version), label, server=server)
    )


def rollback(home: Home, to: int | None, url: str | None) -> Iterator[str]:
    """Go back to a version; yield what serves from then on.

    Raises:
        SetupError: no such model or version, or none to go back to.
        SlipwayError: the running server does not load the version; nothing has changed.
    """
    pushed.require(home, "rollback")
    yield from _released(home, "rollback", url, lambda server: releases.rollback(home.serving, to, server=server))


def _released(home: Home, what: str, url: str | None, release: Callable[[str], Release]) -> Iterator[str]:
    server = url or pushed.running_url(home)
    try:
        release(server)
        yield f"{home.name}: {state(home)}"
        follows = releases.in_force(home.serving, server)
    except TimeoutError as error:
        raise SlipwayError(f"slipway {what}: {error}; nothing has changed, and the server's log says why") from error
    except ValueError as error:
        raise SetupError(f"slipway {what}: {error}") from error
    if follows is None:
        yield f"no server answers for {home.name} at {server}; the next `slipway serve {home.name}` starts with this"
    elif follows:
        yield f"the server at {server} serves it"
    else:
        raise SlipwayError(f"the server at {server} has not followed yet; its log says why")


def state(home: Home) -> str:
    """Return what serves: `stable 7, canary 8`, with the newest version when it does not serve."""
    versions, release = home.versions(), pushed.release(home)
    if not release.versions:
        return f"the newest serves, {versions[-1]}"
    labels = ", ".join(f"{label} {version}" for label, version in sorted(release.labels.items(), reverse=True))
    if versions[-1] in release.versions:
        return labels
    return f"{labels}; the newest, {versions[-1]}, does not serve until it is promoted"


def after_run(home: Home) -> str:
    """Return the end of a run's last line: `; serves .slipway/serving/taxi/7`, or why the newest version does not."""
    versions = home.versions()
    if not versions:
        return ""
    try:
        newest_serves = versions[-1] in pushed.serving(home)
        return f"; serves {home.serving / str(versions[-1])}" if newest_serves else f"; {state(home)}"
    except SetupError as error:
        return f"; {error}"


def history(home: Home, last: int) -> list[str]:
    """Return the last releases, oldest first: when, what was done, by whom, and what served from then on."""
    lines = []
    for event in releases.history(home.serving)[-last:]:
        labels = ", ".join(f"{label} {version}" for label, version in sorted(event.labels.items(), reverse=True))
        lines.append(f"{event.time}  {event.action:<28}by {event.by:<10}  {labels or 'the newest serves'}")
    return lines
