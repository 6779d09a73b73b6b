"""TensorBoard's own word on event files. In a virtual environment with tensorboard 2.21.0 from PyPI:

    python events.py golden          # the bytes that events.test.ts compares with
    python events.py read RUN...     # what TensorBoard reads from runs' folders
"""

import io
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.summary.writer.record_writer import RecordWriter

# Two grey pixels, as encodePNG of the runtime writes them.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000002000000010800000000d1492056"
    "0000000b49444154789c6360f80f000102010042bebc680000000049454e44ae426082"
)


def events():
    yield event_pb2.Event(wall_time=1.5, step=0, file_version="brain.Event:2")
    start = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
    yield event_pb2.Event(wall_time=1.5, step=300, session_log=start)
    value = summary_pb2.Summary.Value
    image = summary_pb2.Summary.Image(
        height=1, width=2, colorspace=1, encoded_image_string=PNG
    )
    histogram = summary_pb2.HistogramProto(
        min=-1, max=2, num=3, sum=1.5, sum_squares=5.25,
        bucket_limit=[0.5, 2], bucket=[1, 2],
    )
    values = [
        value(tag="loss/generator", simple_value=0.25),
        value(tag="samples", image=image),
        value(tag="generator/kernel", histo=histogram),
    ]
    yield event_pb2.Event(
        wall_time=1.5, step=2**33, summary=summary_pb2.Summary(value=values)
    )


def golden():
    file = io.BytesIO()
    writer = RecordWriter(file)
    for event in events():
        writer.write(event.SerializeToString())
    print(file.getvalue().hex())


def read(run):
    board = EventAccumulator(
        f"{run}/tensorboard", {"scalars": 0, "images": 0, "histograms": 0}
    ).Reload()
    print(run, board.FirstEventTimestamp())
    for tag in board.Tags()["scalars"]:
        rows = board.Scalars(tag)
        steps = [row.step for row in rows]
        assert steps == sorted(set(steps)), f"{tag}: steps repeat"
        print(f"scalar {tag}: {len(rows)} of steps {steps[0]} to {steps[-1]}, last {rows[-1].value:.4g}")
    for tag in board.Tags()["images"]:
        for row in board.Images(tag):
            print(f"image {tag}: step {row.step}, {row.width} x {row.height}, {len(row.encoded_image_string)} bytes")
    for tag in board.Tags()["histograms"]:
        rows = board.Histograms(tag)
        last = rows[-1].histogram_value
        assert sum(last.bucket) == last.num
        print(f"histogram {tag}: {len(rows)}, last of {last.num:.0f} values from {last.min:.3g} to {last.max:.3g}")


if sys.argv[1] == "golden":
    golden()
else:
    for run in sys.argv[2:]:
        read(run)
