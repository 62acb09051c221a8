"""An HTTP server that runs what comes in at the same time as one batch.

    pip install . fastapi uvicorn
    MODEL=model.onnx uvicorn serve:app
    curl localhost:8000/run -H 'content-type: application/json' -d '{"x": [[[0, 0.5, ...], ...]]}'

A request is one row of the model's first input, its answer one row of the first output. While a batch runs the next one gathers: under load batches grow, and a request
that comes alone waits for nobody.
"""

import asyncio
import collections
import contextlib
import os

import numpy as np
import onnxrun
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

LARGEST_BATCH = 64


class Batcher:
    """One task takes what waits, up to LARGEST_BATCH rows, and runs it on another thread: the server goes on meanwhile."""

    def __init__(self, model):
        self.model = model
        self.waiting = asyncio.Queue()
        self.batches = collections.deque(maxlen=1000)  # the last ones' sizes, for /batches

    async def run(self, row):
        result = asyncio.get_running_loop().create_future()
        await self.waiting.put((row, result))
        return await result

    async def work(self):
        while True:
            batch = [await self.waiting.get()]
            while len(batch) < LARGEST_BATCH and not self.waiting.empty():
                batch.append(self.waiting.get_nowait())
            rows = np.stack([row for row, _ in batch])
            self.batches.append(len(batch))
            try:
                outputs = first_of(await asyncio.to_thread(self.model, rows))
                if outputs.shape[:1] != (len(batch),):
                    raise ValueError(f"{len(batch)} rows gave {list(outputs.shape)}: the model has no row for each")
            except Exception as error:  # whatever it is, who waits is told, and the next batch is run
                for _, result in batch:
                    if not result.done():
                        result.set_exception(error)
            else:
                for (_, result), output in zip(batch, outputs):
                    if not result.done():  # its client may have gone
                        result.set_result(output)


def first_of(outputs):
    """A model with several outputs gives them all."""
    return np.asarray(outputs[0] if isinstance(outputs, (tuple, list)) else outputs)


@contextlib.asynccontextmanager
async def lifespan(app):
    app.state.batcher = Batcher(onnxrun.load(os.environ["MODEL"]))
    worker = asyncio.create_task(app.state.batcher.work())
    yield
    worker.cancel()


app = FastAPI(lifespan=lifespan)


class Request(BaseModel):
    x: list


@app.post("/run")
async def run(request: Request):
    batcher = app.state.batcher
    info = batcher.model.inputs[0]
    try:
        row = np.asarray(request.x, info.numpy_dtype)
        if row.shape != info.shape[1:]:
            raise ValueError(f"expected a row of {info}, found the shape {list(row.shape)}")
        if not np.isfinite(row).all():
            raise ValueError("expected numbers, found NaN or an infinity")
    except (TypeError, ValueError, OverflowError) as error:  # one bad row must not fail the others of its batch
        raise HTTPException(422, str(error)) from error
    try:
        return {"y": (await batcher.run(row)).tolist()}
    except (onnxrun.Error, ValueError) as error:
        raise HTTPException(500, str(error)) from error


@app.get("/batches")
async def batches():
    return list(app.state.batcher.batches)
