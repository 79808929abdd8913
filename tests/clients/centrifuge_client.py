"""The unmodified PyPI `centrifuge-python` client, driven line by line: "drop" cuts its connection, "restore" lets it come back.

Prints one JSON object a line: what the client reports about its server-side subscriptions. Behind the token may stand, after a
blank, another that it gets when it asks for one.
"""
import asyncio
import json
import sys

from centrifuge import Client, ClientEventHandler

URL = sys.argv[1]
TOKEN, _, ANOTHER = sys.argv[2].partition(" ")


def say(**event):
    print(json.dumps(event), flush=True)


class Heard(ClientEventHandler):
    async def on_connected(self, ctx):
        say(event="connected")

    async def on_disconnected(self, ctx):
        say(event="disconnected", code=ctx.code)

    async def on_subscribed(self, ctx):
        say(event="subscribed", channel=ctx.channel, recovered=ctx.recovered, wasRecovering=ctx.was_recovering)

    async def on_publication(self, ctx):
        say(event="publication", channel=ctx.channel, offset=ctx.pub.offset, data=ctx.pub.data)


async def renewal():
    say(event="asked for a token")
    return ANOTHER


async def main():
    client = Client(
        URL,
        events=Heard(),
        token=TOKEN,
        get_token=renewal if ANOTHER else None,
        min_reconnect_delay=0.05,
        max_reconnect_delay=0.2,
    )
    await client.connect()
    loop = asyncio.get_running_loop()
    while line := (await loop.run_in_executor(None, sys.stdin.readline)).strip():
        if line == "drop":
            # the connection ends under the client, which comes back by itself
            client._address = "ws://127.0.0.1:1/"
            await client._conn.close()
            say(event="dropped")
        elif line == "restore":
            client._address = URL
            say(event="restored")
        elif line.startswith("rpc "):
            call = json.loads(line[4:])
            try:
                say(event="rpc", data=(await client.rpc(call["method"], call["data"])).data)
            except Exception as error:
                say(event="rpc", error={"code": getattr(error, "code", None), "message": str(error)})
        elif line == "end":
            return


asyncio.run(main())
