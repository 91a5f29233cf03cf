"""A TCP proxy that makes a store on this machine as slow as a far one: python -m benchmarks.slow_store PORT TO MS MB.

Each request waits for so many milliseconds; all answers together get so many megabytes a second.
"""

import asyncio
import sys

PIECE = 1 << 16


class Bandwidth:
    """Hands out time on a line of so many bytes a second, in the order of asking."""

    def __init__(self, rate: float) -> None:
        self._rate, self._free = rate, 0.0

    async def take(self, size: int) -> None:
        """Wait until so many bytes have passed."""
        now = asyncio.get_running_loop().time()
        self._free = max(now, self._free) + size / self._rate
        await asyncio.sleep(self._free - now)


async def copy(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float, line: Bandwidth | None
) -> None:
    """Hand on what comes from one side, late or no faster than the line allows."""
    try:
        while data := await reader.read(PIECE):
            if delay:
                await asyncio.sleep(delay)
            if line is not None:
                await line.take(len(data))
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass  # the other side hangs up: so do we
    finally:
        writer.close()


async def serve(port: int, target: int, delay: float, rate: float) -> None:
    """Serve until the process is killed."""
    line = Bandwidth(rate)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", target)
        await asyncio.gather(copy(reader, back, delay, None), copy(there, writer, 0.0, line))

    async with await asyncio.start_server(connected, "127.0.0.1", port) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]) / 1000, float(sys.argv[4]) * 1e6))
