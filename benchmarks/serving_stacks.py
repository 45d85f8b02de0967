"""A fixed answer on different HTTP stacks: what the stack alone costs. Run by `serving.py --stacks`."""

import asyncio
import sys

ANSWER = b'{"predictions": [1.0]}'


def protocol(port: int) -> None:
    """The embedded server's own HTTP side."""
    from serving.http_server import Connection, HttpOptions, HttpServer
    from serving.server import run_loop

    async def serve() -> None:
        http = HttpServer(lambda method, target, body, respond: respond(200, ANSWER), HttpOptions())
        listener = await asyncio.get_running_loop().create_server(lambda: Connection(http), "127.0.0.1", port)
        await listener.serve_forever()

    run_loop(serve())


def uvicorn(port: int) -> None:
    """A bare ASGI app on uvicorn, with the same parser and event loop."""
    import uvicorn as library

    async def app(scope, receive, send) -> None:
        while scope["type"] == "http" and (await receive()).get("more_body"):
            pass
        if scope["type"] == "http":
            headers = [(b"content-type", b"application/json"), (b"content-length", str(len(ANSWER)).encode())]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": ANSWER})

    library.run(app, port=port, http="httptools", loop="uvloop", log_level="error", access_log=False)


def aiohttp(port: int) -> None:
    """The server of aiohttp, on the same event loop."""
    import uvloop
    from aiohttp import web

    async def answer(request):
        await request.read()
        return web.Response(body=ANSWER, content_type="application/json")

    uvloop.install()
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", answer)
    web.run_app(app, host="127.0.0.1", port=port, print=None, access_log=None)


def fastapi(port: int) -> None:
    """A FastAPI app on uvicorn."""
    import uvicorn as library
    from fastapi import FastAPI

    app = FastAPI()

    @app.post("/v1/x")
    def answer(body: dict) -> dict:
        return {"predictions": [1.0]}

    library.run(app, port=port, log_level="error", access_log=False)


if __name__ == "__main__":
    globals()[sys.argv[1]](int(sys.argv[2]))
