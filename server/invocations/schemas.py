"""What a dry run with mocks looks like on the wire."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from server.gloves.mocks import MOCKS_MAX, Mock


class DryRun(BaseModel):
    """A dry run: inputs, and what its effects are to answer."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "inputs": {"order": 17},
                    "mocks": [
                        {
                            "glove": "fetch",
                            "match": {"method": "POST", "url": "https://api.example.com/orders/*"},
                            "answer": {"status": 201, "json": {"id": 17}},
                        }
                    ],
                }
            ]
        },
    )

    inputs: dict[str, Any] = Field(default_factory=dict)
    mocks: list[Mock] = Field(
        default_factory=list, max_length=MOCKS_MAX, description="of those that match a call, the first one answers it"
    )
