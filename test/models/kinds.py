"""Writes small graph models of the kinds that decide, loop, count or draw on many operators.

`kinds.py FOLDER` makes of each function below a model as `tensorflowjs_converter` does, with control flow
as functions and, where it says `lowered`, as Switch and Merge, and `values.npz`: inputs, and what
TensorFlow computes of them. Needs what peer.py needs.
"""
import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from google.protobuf.json_format import MessageToDict  # noqa: E402
from tensorflow.python.framework.convert_to_constants import (  # noqa: E402
    convert_variables_to_constants_v2,
)

KINDS = {}


def kind(*shapes, lowered=False, values=None):
    """Registers a function of float tensors; None is a free size, which is 3 in the values."""

    def register(make):
        forms = {"": False, **({" lowered": True} if lowered else {})}
        for suffix, low in forms.items():
            KINDS[make.__name__.replace("_", " ") + suffix] = (make, shapes, low, values)
        return make

    return register


def layered(*layers, inputs):
    given = tf.keras.Input(inputs)
    last = given
    for layer in layers:
        last = layer(last)
    return tf.keras.Model(given, last)


L = tf.keras.layers


@kind([None, 4], lowered=True)
def if_on_a_sum():
    return lambda x: tf.cond(tf.reduce_sum(x) > 0, lambda: tf.exp(x), lambda: x - 1.0)


@kind([None, 4], lowered=True)
def while_below():
    def f(x):
        x = tf.abs(x) + 0.1
        return tf.while_loop(lambda y: tf.reduce_sum(y) < 50.0, lambda y: (y * 2.0,), (x,))[0]

    return f


@kind([None, 4])
def where_coordinates():
    return lambda x: tf.cast(tf.where(x > 0), tf.int32)


@kind([None, 4])
def where_chosen():
    return lambda x: tf.where(x > 0, x, tf.exp(x))


@kind([None, 4])
def mask_of_rows():
    return lambda x: tf.boolean_mask(x, tf.reduce_sum(x, 1) > 0)


@kind([12])
def unique():
    return lambda x: tf.unique(tf.cast(x * 2.0, tf.int32))


@kind([None, 32])
def rfft():
    return lambda x: tf.abs(tf.signal.rfft(x))


@kind([64])
def stft():
    return lambda x: tf.abs(tf.signal.stft(x, 16, 8, pad_end=False))


@kind([None, 5, 8])
def layer_normalization():
    return layered(L.LayerNormalization(), L.Dense(3), inputs=[5, 8])


@kind([None, 5, 8])
def attention():
    x = tf.keras.Input([5, 8])
    return tf.keras.Model(x, L.MultiHeadAttention(2, 4)(x, x))


@kind([None, 5, 8])
def transformer_block():
    x = tf.keras.Input([5, 8])
    y = L.LayerNormalization()(x + L.MultiHeadAttention(2, 4)(x, x))
    return tf.keras.Model(x, L.LayerNormalization()(y + L.Dense(8, activation="gelu")(y)))


@kind([None, 6, 3], lowered=True)
def lstm():
    return layered(L.LSTM(4, use_cudnn=False), inputs=[6, 3])


@kind([None, 6, 3], lowered=True)
def bilstm():
    return layered(L.Bidirectional(L.LSTM(4, return_sequences=True)), inputs=[6, 3])


@kind([None, 6, 3], lowered=True)
def gru():
    return layered(L.GRU(4, return_sequences=True), inputs=[6, 3])


@kind([None, None, 3], lowered=True)
def lstm_of_any_length():
    return layered(L.LSTM(4, return_sequences=True), inputs=[None, 3])


@kind([None, 100, 3])
def lstm_of_100_steps():
    return layered(L.LSTM(4), inputs=[100, 3])


@kind([None, 6, 3])
def lstm_with_mask():
    return layered(L.Masking(0.0), L.LSTM(4), inputs=[6, 3])


@kind([None, 4, 8, 8, 2])
def convolutional_lstm():
    return layered(L.ConvLSTM2D(3, 3), inputs=[4, 8, 8, 2])


@kind([None, 4], lowered=True)
def map_of_rows():
    return lambda x: tf.map_fn(lambda row: tf.sort(row) * 2.0, x)


@kind([None, 4], lowered=True)
def scan():
    return lambda x: tf.scan(lambda sum, row: sum * 0.5 + row, x)


@kind([4], lowered=True)
def list_until_large():
    def f(x):
        rows = tf.TensorArray(tf.float32, size=0, dynamic_size=True, element_shape=[4])
        step = lambda i, y, rows: (i + 1, y * 1.5, rows.write(i, y))  # noqa: E731
        go = lambda i, y, rows: tf.reduce_sum(tf.abs(y)) < 50.0  # noqa: E731
        return tf.while_loop(go, step, (0, x, rows))[2].stack()

    return f


@kind([6, 4], lowered=True)
def list_read_until_large():
    def f(x):
        rows = tf.TensorArray(tf.float32, size=6).unstack(x)
        kept = tf.TensorArray(tf.float32, size=6, element_shape=[4])
        step = lambda i, y, kept: (i + 1, y + rows.read(i), kept.write(i, y))  # noqa: E731
        go = lambda i, y, kept: (i < 6) & (tf.reduce_sum(tf.abs(y)) < 8.0)  # noqa: E731
        _, y, kept = tf.while_loop(go, step, (0, tf.zeros([4]), kept))
        return y, kept.stack()

    return f


@kind([None, 16, 4], [None, 16])
def suppression_of_boxes():
    def f(boxes, scores):
        corners = tf.concat([boxes[0, :, :2], boxes[0, :, :2] + tf.abs(boxes[0, :, 2:])], 1)
        return tf.image.non_max_suppression(corners, scores[0], 5, 0.4, 0.1)

    return f


@kind([None, 16, 4], [None, 16])
def suppression_with_scores():
    def f(boxes, scores):
        corners = tf.concat([boxes[0, :, :2], boxes[0, :, :2] + tf.abs(boxes[0, :, 2:])], 1)
        return tf.image.non_max_suppression_with_scores(corners, scores[0], 5, 0.4, 0.1, 0.5)

    return f


@kind([None, 6])
def top_k_and_cumsum():
    def f(x):
        values, indices = tf.math.top_k(x, 3)
        return values, indices, tf.cumsum(x, 1, reverse=True, exclusive=True)

    return f


@kind([None, 4, 3], [None, 3, 5])
def einsum():
    return lambda a, b: tf.einsum("bij,bjk->bki", a, b)


@kind([None, 8, 8, 6])
def group_normalization():
    return layered(L.GroupNormalization(3), L.UnitNormalization(), inputs=[8, 8, 6])


@kind([None, None, None, 3])
def picture_of_any_size():
    return layered(L.Conv2D(4, 3, padding="same"), L.ReLU(), L.Conv2D(2, 3), inputs=[None, None, 3])


@kind([None, 7, 7, 3])
def resized():
    return layered(L.Resizing(10, 5), L.Rescaling(1 / 2.0, 1.0), inputs=[7, 7, 3])


@kind([None, 8, 8, 4])
def grouped_convolution():
    return layered(L.Conv2D(8, 3, groups=2), L.Conv2DTranspose(3, 3, 2, output_padding=1), inputs=[8, 8, 4])


def without_values(nodes, weights):
    """Takes the constants of a list of nodes out, as weights; asserts, which are texts, are left out."""
    for node in [n for n in nodes if n.op == "Assert"]:
        nodes.remove(node)
    for node in nodes:
        node.attr.pop("_output_shapes", None)
        if node.op != "Const" or node.name in weights:
            continue
        weights[node.name] = tf.make_ndarray(node.attr["value"].tensor)
        del node.attr["value"]


SIZES = {"float32": np.float32, "int32": np.int32, "bool": np.bool_}


def write(folder, graph, inputs, outputs):
    weights = {}
    without_values(graph.node, weights)
    for f in graph.library.function:
        without_values(f.node_def, weights)
    weights = {k: v.astype(np.int32) if v.dtype == np.int64 else v for k, v in weights.items()}
    weights = {k: v for k, v in weights.items() if v.dtype.name in SIZES}
    end = lambda t: {  # noqa: E731
        "name": t.name,
        "dtype": f"DT_{t.dtype.name.upper().replace('FLOAT32', 'FLOAT')}",
        "tensorShape": {"unknownRank": True}
        if t.shape.rank is None
        else {"dim": [{"size": str(-1 if d is None else d)} for d in t.shape]},
    }
    model = {
        "format": "graph-model",
        "modelTopology": MessageToDict(graph),
        "signature": {
            "inputs": {t.op.name: end(t) for t in inputs},
            "outputs": {f"y{i}": end(t) for i, t in enumerate(outputs)},
        },
        "weightsManifest": [
            {
                "paths": ["weights.bin"],
                "weights": [
                    {"name": k, "shape": list(v.shape), "dtype": v.dtype.name} for k, v in weights.items()
                ],
            }
        ],
    }
    os.makedirs(folder, exist_ok=True)
    with open(f"{folder}/weights.bin", "wb") as out:
        for v in weights.values():
            out.write(v.tobytes())
    with open(f"{folder}/model.json", "w") as out:
        json.dump(model, out)


def optimized(frozen, outputs):
    """By TensorFlow's optimizer, with the passes that the converter asks for."""
    from tensorflow.core.protobuf import config_pb2, meta_graph_pb2
    from tensorflow.python.grappler import tf_optimizer

    config = config_pb2.ConfigProto()
    passes = ["pruning", "constfold", "arithmetic", "dependency", "pruning", "remap", "constfold"]
    config.graph_options.rewrite_options.optimizers.extend(passes)
    collection = meta_graph_pb2.CollectionDef()
    collection.node_list.value.extend([t.name for t in outputs])
    meta = tf.compat.v1.train.export_meta_graph(
        graph_def=frozen.graph.as_graph_def(), graph=frozen.graph
    )
    meta.collection_def["train_op"].CopyFrom(collection)
    return tf_optimizer.OptimizeGraph(config, meta)


def make(folder, build, shapes, lowered, values):
    tf.keras.utils.set_random_seed(1)
    f = build()
    names = [f"x{i}" for i in range(len(shapes))]
    specs = [tf.TensorSpec(shape, tf.float32, name) for shape, name in zip(shapes, names)]
    concrete = tf.function(lambda *args: f(*args), autograph=False).get_concrete_function(*specs)
    frozen = convert_variables_to_constants_v2(concrete, lower_control_flow=lowered)
    outputs = [t for t in frozen.outputs if t.dtype != tf.resource]
    rng = np.random.default_rng(1)
    feeds = [rng.standard_normal([3 if d is None else d for d in s]).astype(np.float32) for s in shapes]
    found = concrete(*[tf.constant(x) for x in feeds])
    found = [t.numpy() for t in tf.nest.flatten(found)]
    write(folder, optimized(frozen, outputs), frozen.inputs, outputs)
    named = {f"x_{t.op.name}": x for t, x in zip(frozen.inputs, feeds)}
    np.savez(f"{folder}/values.npz", **named, **{f"y_y{i}": y for i, y in enumerate(found)})


if __name__ == "__main__":
    root, *only = sys.argv[1:]
    for label, args in KINDS.items():
        folder = os.path.join(root, label.replace(" ", "-"))
        if (only and label not in only) or os.path.exists(f"{folder}/values.npz"):
            continue
        try:
            make(folder, *args)
            print(label)
        except Exception as error:
            print(f"{label}: {type(error).__name__}: {str(error)[:300]}", file=sys.stderr)
