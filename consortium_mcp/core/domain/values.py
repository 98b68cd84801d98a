"""The base class of all values."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]


class Value(BaseModel):
    """Base class of all values: frozen, and a misspelt field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")
