"""One server: whose store it shows, as which version, on what terms."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from connectors.gitlab.stand_in.catalogue import Catalogue
from connectors.gitlab.stand_in.meter import Meter

if TYPE_CHECKING:
    from connectors.gitlab.stand_in.terms import Terms
    from connectors.sandbox.store import Store

Generation = Literal["19.2", "16.3", "rest-only"]

VERSIONS: dict[Generation, str] = {"19.2": "19.2.1", "16.3": "16.3.9", "rest-only": "15.11.13"}
"""What each generation says it is. ``rest-only`` is an old server with its GraphQL endpoint shut."""


@dataclass(frozen=True, slots=True, eq=False)
class Server:
    """Attributes: catalogue: what it keeps at hand about the store. meter: who asked how often."""

    store: Store
    generation: Generation
    terms: Terms
    catalogue: Catalogue = field(init=False)
    meter: Meter = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "catalogue", Catalogue(self.store))
        object.__setattr__(self, "meter", Meter(self.store.clock))

    @property
    def version(self) -> str:
        """``19.2.1``, with ``-ee`` where a licence is in."""
        return VERSIONS[self.generation] + ("-ee" if self.terms.paid else "")
