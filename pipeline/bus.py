"""The channel bus: what the steps of a pipeline hand to each other, by name."""

from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.errors import ConfigError


class Bus:
    """Channels by name; reading one that nothing published, or publishing one twice, is a mistake of the config."""

    def __init__(self, publishers: Mapping[str, str]) -> None:
        """Begin empty.

        Args:
            publishers: by channel, the step that would publish it, switched on or not; for the message.
        """
        self._publishers = publishers
        self._channels: dict[str, tuple[Any, str]] = {}

    def publish(self, name: str, channel: Any, step: str) -> None:
        """Add a channel.

        Raises:
            ConfigError: another step has published that name.
        """
        if name in self._channels:
            other = self._channels[name][1]
            raise ConfigError(
                f"components: two steps publish one channel, got {name!r} from {other} and {step}; drop one"
            )
        self._channels[name] = (channel, step)

    def read(self, name: str, step: str) -> Any:
        """Return a channel.

        Raises:
            ConfigError: no step before this one publishes it.
        """
        if name not in self._channels:
            source = self._publishers.get(name)
            hint = f"switch {source} on" if source else f"there are {', '.join(sorted(self._channels))}"
            raise ConfigError(f"{step}: needs a channel that no step before it publishes, got {name!r}; {hint}")
        return self._channels[name][0]

    def get(self, name: str) -> Any:
        """Return a channel, or None where nothing published it."""
        return self._channels.get(name, (None, ""))[0]

    def read_all(self, channels: Iterable[str], step: str) -> dict[str, Any]:
        """Return several channels by name."""
        return {name: self.read(name, step) for name in channels}
