"""Pack sensor packets into bytes and read a damaged stream back."""

import binascii
import struct
from dataclasses import astuple, dataclass
from io import BytesIO

MAGIC = b"\xa5Z"


@dataclass
class Reading:
    sensor: int
    temperature: float
    flags: int = 0

    FORMAT = struct.Struct(">HfB")

    def to_bytes(self) -> bytes:
        body = self.FORMAT.pack(*astuple(self))
        return MAGIC + bytes([len(body)]) + body + struct.pack(">I", binascii.crc32(body))

    @classmethod
    def from_body(cls, body: bytes) -> "Reading":
        return cls(*cls.FORMAT.unpack(body))


class Reader:
    def __init__(self, data: bytes) -> None:
        self.__stream = BytesIO(data)
        self.errors: list[str] = []

    def _exactly(self, n: int) -> bytes:
        chunk = self.__stream.read(n)
        if len(chunk) < n:
            raise EOFError(f"wanted {n} bytes, got {len(chunk)}")
        return chunk

    def __iter__(self):
        while True:
            start = self.__stream.tell()
            if not (head := self.__stream.read(2)):
                return
            if head != MAGIC:
                self.__stream.seek(start + 1)
                continue
            try:
                body = self._exactly(self._exactly(1)[0])
                (checksum,) = struct.unpack(">I", self._exactly(4))
            except EOFError as exc:
                self.errors.append(f"offset {start}: {exc}")
                return
            if checksum != binascii.crc32(body):
                self.errors.append(f"offset {start}: checksum {checksum:08x}")
                continue
            yield Reading.from_body(body)


def run(inputs):
    packets = [Reading(*r).to_bytes() for r in inputs["readings"]]
    damaged = bytearray(b"noise" + b"".join(packets))
    damaged[5 + len(packets[0]) + 4] ^= 0xFF
    reader = Reader(bytes(damaged[:-3]))
    found = [{"sensor": r.sensor, "temperature": round(r.temperature, 2), "flags": f"{r.flags:#06b}"} for r in reader]
    view = memoryview(packets[0])
    return {
        "size": Reading.FORMAT.size,
        "hex": binascii.hexlify(packets[0], "-", 4).decode(),
        "found": found,
        "errors": reader.errors,
        "view": [view[0], bytes(view[:2]) == MAGIC, view.nbytes],
        "intact": len(list(Reader(b"".join(packets)))),
        "back": bytes.fromhex(packets[1].hex()) == packets[1],
    }

# inputs: {"readings": [[1, 21.5, 1], [2, -4.25, 2], [300, 99.9, 5], [4, 0.0]]}
# expect: {"size": 7, "hex": "a55a-07000141-ac000001-4319eb09", "found": [{"sensor": 1, "temperature": 21.5, "flags": "0b0001"}, {"sensor": 300, "temperature": 99.9, "flags": "0b0101"}], "errors": ["offset 19: checksum ff526956", "offset 47: wanted 4 bytes, got 1"], "view": [165, true, 14], "intact": 4, "back": true}
