"""Seals agents' secrets with the operator's keys, and opens them. The first key seals, all of them open.

A sealed secret is bound to its user, agent, name and hosts: moved to another place in the database, it does not open.
"""

import base64
import binascii
import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from agents_store.types import SealedSecret
from server.auth.errors import AuthMisconfiguredError
from server.auth.key_file import create_once, read_private
from server.settings import Settings

KEY_BYTES = 32
NONCE_BYTES = 12
KEY_FILE_NAME = "secrets_key"
SECRET_BYTES_MAX = 8_192
SECRET_CHARS_MIN = 8  # what is shorter could not be told from other text where it comes back


class SecretUnreadableError(Exception):
    """No key of this server opens the secret, or the database changed it."""


class SecretBox:
    """AES-256-GCM with one key that seals and any number of older ones that still open.

    Source: NIST SP 800-38D, section 8.2.2: with random nonces, fewer than 2**32 secrets may be sealed by one key.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        """`keys` are `KEY_BYTES` long each, the newest first. Raises ValueError."""
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise ValueError(f"a key has {KEY_BYTES} bytes")
        self._ciphers = {key_id_of(key): AESGCM(key) for key in keys}
        self.key_id = key_id_of(keys[0])

    def seal(self, user_id: UUID, agent_id: UUID, name: str, hosts: Sequence[str], value: str) -> SealedSecret:
        """Seal a value of at most `SECRET_BYTES_MAX` bytes of UTF-8 for its place."""
        nonce = os.urandom(NONCE_BYTES)
        bound = _place(user_id, agent_id, name, hosts)
        return SealedSecret(
            name, tuple(hosts), self.key_id, nonce, self._ciphers[self.key_id].encrypt(nonce, value.encode(), bound)
        )

    def open(self, user_id: UUID, agent_id: UUID, sealed: SealedSecret) -> str:
        """The value. Raises SecretUnreadableError."""
        cipher = self._ciphers.get(sealed.key_id)
        if cipher is None:
            raise SecretUnreadableError(f"the key {sealed.key_id} is not among GLOVEBOX_SECRETS_KEYS")
        try:
            bound = _place(user_id, agent_id, sealed.name, sealed.hosts)
            return cipher.decrypt(sealed.nonce, sealed.ciphertext, bound).decode()
        except InvalidTag as exc:
            raise SecretUnreadableError("the secret was changed in the database") from exc

    def reseal(self, user_id: UUID, agent_id: UUID, sealed: SealedSecret) -> SealedSecret:
        """The same secret under the key that seals. Raises SecretUnreadableError."""
        value = self.open(user_id, agent_id, sealed)
        return self.seal(user_id, agent_id, sealed.name, sealed.hosts, value)


def build_secret_box(settings: Settings) -> SecretBox | None:
    """The box with the operator's keys, or beside the embedded database the data directory's own, made once.

    None where there is neither: what a server on another machine must open cannot be sealed by a key of this one.

    Raises:
        AuthMisconfiguredError: a key is none, or the key file is not fit for use; the message says what to do.
    """
    if settings.secrets_keys is None:
        embedded = settings.database_url is None and settings.supabase_url is None
        return SecretBox([_key_in(settings.data_dir)]) if embedded else None
    texts = settings.secrets_keys.get_secret_value().split(",")
    try:
        return SecretBox([base64.b64decode(text.strip(), validate=True) for text in texts])
    except (binascii.Error, ValueError):
        # Without its cause: it may quote a key.
        raise AuthMisconfiguredError(
            f"GLOVEBOX_SECRETS_KEYS must be keys of {KEY_BYTES} bytes in base64, by commas: `openssl rand -base64 32`"
        ) from None


def key_id_of(key: bytes) -> str:
    """What a key is called beside what it sealed: 16 hexadecimal digits that tell nothing of it."""
    return hashlib.sha256(b"glovebox secrets key\0" + key).hexdigest()[:16]


def _key_in(data_dir: Path) -> bytes:
    path = data_dir / KEY_FILE_NAME
    key = read_private(path)
    if key is None:
        create_once(path, os.urandom(KEY_BYTES))
        key = read_private(path)
    if key is None or len(key) != KEY_BYTES:
        raise AuthMisconfiguredError(f"{path} is damaged: restore it, without which no agent's secret can be read")
    return key


def _place(user_id: UUID, agent_id: UUID, name: str, hosts: Sequence[str]) -> bytes:
    return json.dumps([str(user_id), str(agent_id), name, list(hosts)], separators=(",", ":")).encode()
