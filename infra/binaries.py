"""What is to be known of a compiled library without the machine it is for: an ELF file, read with the standard library.

Layout: `man 5 elf`, or the System V gABI, chapters 4 and 5. Both of Lambda's architectures are 64 bits, little-endian.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

ARCHITECTURES = {62: "x86_64", 183: "arm64"}
"""Lambda's names of the machines in an ELF header"""

_MAGIC = b"\x7fELF"
_SUPPORTED = b"\x7fELF\x02\x01"
_HEADER_BYTES = 64
_MACHINE_AT, _SEGMENTS_AT, _SECTIONS_AT, _SEGMENT_BYTES_AT, _SECTION_BYTES_AT = 18, 32, 40, 54, 58
_LOADED, _DYNAMIC = 1, 2
_NEEDED, _STRINGS = 1, 5


class BinaryError(ValueError):
    """This is no ELF file of a machine of Lambda's."""


@dataclass(frozen=True)
class _Segment:
    kind: int
    offset: int
    address: int
    size: int

    @property
    def end(self) -> int:
        return self.offset + self.size


def is_binary(data: bytes) -> bool:
    """Whether this is an ELF file of any kind."""
    return data.startswith(_MAGIC)


def read_architecture(data: bytes) -> str:
    """Lambda's name of the machine that the file is for.

    Raises:
        BinaryError: Lambda has no such machine.
    """
    if not data.startswith(_SUPPORTED):
        raise BinaryError("not an ELF file of 64 bits, little-endian")
    machine = struct.unpack_from("<H", data, _MACHINE_AT)[0]
    if machine not in ARCHITECTURES:
        raise BinaryError(f"for machine {machine}, which Lambda does not have")
    return ARCHITECTURES[machine]


def list_needed_libraries(data: bytes) -> list[str]:
    """The names of the libraries that the loader loads with this one."""
    segments = _read_segments(data)
    dynamic = next((segment for segment in segments if segment.kind == _DYNAMIC), None)
    if dynamic is None:
        return []
    entries = list(struct.iter_unpack("<qQ", data[dynamic.offset : dynamic.end - dynamic.size % 16]))
    strings = _offset_of(next(value for tag, value in entries if tag == _STRINGS), segments)
    starts = [strings + value for tag, value in entries if tag == _NEEDED]
    return [data[start : data.index(b"\0", start)].decode() for start in starts]


def blank_unloaded(data: bytes) -> bytes:
    """The same library with zeros, or nothing, where it holds what is never loaded: symbols and debugging information.

    As `strip` does, but for files of any machine on any machine. The loader goes by segments; all of them stay, byte
    for byte at their place. The table of sections, which it does not read, goes.
    """
    segments = _read_segments(data)
    table, entry_bytes, entries = _segment_table(data)
    kept = [(0, _HEADER_BYTES), (table, table + entry_bytes * entries)]
    kept += [(segment.offset, segment.end) for segment in segments]
    blanked = bytearray(max(end for _, end in kept))
    for start, end in kept:
        blanked[start:end] = data[start:end]
    struct.pack_into("<Q", blanked, _SECTIONS_AT, 0)
    struct.pack_into("<3H", blanked, _SECTION_BYTES_AT, 0, 0, 0)
    return bytes(blanked)


def _segment_table(data: bytes) -> tuple[int, int, int]:
    read_architecture(data)
    entry_bytes, entries = struct.unpack_from("<2H", data, _SEGMENT_BYTES_AT)
    return struct.unpack_from("<Q", data, _SEGMENTS_AT)[0], entry_bytes, entries


def _read_segments(data: bytes) -> list[_Segment]:
    table, entry_bytes, entries = _segment_table(data)
    segments = []
    for index in range(entries):
        kind, _, offset, address, _, size = struct.unpack_from("<2I4Q", data, table + index * entry_bytes)
        segments.append(_Segment(kind=kind, offset=offset, address=address, size=size))
    return segments


def _offset_of(address: int, segments: list[_Segment]) -> int:
    for segment in segments:
        if segment.kind == _LOADED and segment.address <= address < segment.address + segment.size:
            return address - segment.address + segment.offset
    raise BinaryError(f"no segment holds the address {address:#x}")
