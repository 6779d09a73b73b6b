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
FIRST = "TensorFlow 1"


def kind(*shapes, lowered=False, first=False, values=None):
    """Registers a function of float tensors; None is a free size, which is 3 in the values.

    Those marked `first` are built by TensorFlow 1, as frames, with TensorArrayV3 for lists.
    """

    def register(make):
        forms = {"": FIRST if first else False, **({" lowered": True} if lowered else {})}
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


def growing(size=0, element_shape=(4,)):
    return tf.TensorArray(
        tf.float32, size=size, dynamic_size=True, clear_after_read=False, element_shape=element_shape
    )


def is_small(*values):
    return tf.reduce_sum(tf.abs(values[1])) < 50.0


@kind([4], lowered=True)
def list_that_reads_itself():
    def f(x):
        def step(i, y, rows):
            z = rows.read(i - 1) + rows.read(i - 2)
            return i + 1, z, rows.write(i, z)

        rows = growing(2).write(0, x).write(1, x * 0.5)
        return tf.while_loop(is_small, step, (2, x, rows))[2].stack()

    return f


@kind([None, 4], lowered=True)
def list_of_batches():
    def f(x):
        step = lambda i, y, rows: (i + 1, y * 1.5, rows.write(2 * i + 1, y))  # noqa: E731
        return tf.while_loop(is_small, step, (0, x, growing(0, [None, 4])))[2].stack()

    return f


@kind([4], lowered=True)
def two_lists():
    def f(x):
        def step(i, y, a, b):
            return i + 1, y * 1.5, a.write(i, y), b.write(i, y * 2.0)

        _, _, a, b = tf.while_loop(is_small, step, (0, x, growing(), growing()))
        return tf.concat([a.stack(), b.stack()], 1), a.stack() + b.stack(), a.size()

    return f


@kind([2, 4], lowered=True)
def list_joined():
    def f(x):
        step = lambda i, y, rows: (i + 1, y * 1.5, rows.write(i, y))  # noqa: E731
        return tf.while_loop(is_small, step, (0, x, growing(0, [2, 4])))[2].concat()

    return f


@kind([4], lowered=True)
def list_of_computed_length():
    def f(x):
        n = tf.cast(tf.reduce_sum(tf.abs(x)), tf.int32) + 2
        rows = tf.TensorArray(tf.float32, size=n, element_shape=[4])
        step = lambda i, y, rows: (i + 1, y * 1.5, rows.write(i, y))  # noqa: E731
        return tf.while_loop(lambda i, y, rows: i < n, step, (0, x, rows))[2].stack()

    return f


@kind([4], lowered=True)
def push_and_pop():
    def f(x):
        def push(i, y, rows):
            return i + 1, y * 1.5, tf.raw_ops.TensorListPushBack(input_handle=rows, tensor=y)

        def pop(i, sum, rows):
            rows, row = tf.raw_ops.TensorListPopBack(
                input_handle=rows, element_shape=[4], element_dtype=tf.float32
            )
            return i - 1, sum * 0.5 + row, rows

        rows = tf.raw_ops.EmptyTensorList(
            element_shape=[4], max_num_elements=-1, element_dtype=tf.float32
        )
        i, _, rows = tf.while_loop(is_small, push, (0, x, rows))
        return tf.while_loop(lambda i, sum, rows: i > 0, pop, (i, tf.zeros([4]), rows))[1]

    return f


@kind([1, 4], lowered=True)
def tensor_that_grows():
    def f(x):
        step = lambda i, y: (i + 1, tf.concat([y, y[-1:] * 1.5], 0))  # noqa: E731
        shapes = (tf.TensorShape([]), tf.TensorShape([None, 4]))
        return tf.while_loop(is_small, step, (0, x), shape_invariants=shapes)[1]

    return f


@kind([None, None, 4])
def list_of_any_length():
    def f(x):
        def step(i, y, rows):
            return i + 1, y * 0.5 + x[:, i], rows.write(i, y)

        steps = tf.shape(x)[1]
        start = (0, x[:, 0], growing(0, [None, 4]))
        rows = tf.while_loop(lambda i, y, rows: i < steps, step, start)[2]
        return tf.transpose(rows.stack(), [1, 0, 2])

    return f


@kind([6, 4], first=True)
def tensor_array():
    def f(x):
        given = tf.TensorArray(tf.float32, size=6).unstack(x)
        kept = tf.TensorArray(tf.float32, size=6, element_shape=[4])
        step = lambda i, y, kept: (i + 1, y + given.read(i), kept.write(i, y))  # noqa: E731
        go = lambda i, y, kept: (i < 6) & (tf.reduce_sum(tf.abs(y)) < 8.0)  # noqa: E731
        _, y, kept = tf.while_loop(go, step, (0, tf.zeros([4]), kept))
        return y, kept.gather([0, 1, 5])

    return f


@kind([2, 4], first=True)
def tensor_array_that_grows():
    def f(x):
        step = lambda i, y, rows: (i + 1, y * 1.5, rows.write(i, y))  # noqa: E731
        rows = tf.while_loop(is_small, step, (1, x, growing(1, [2, 4]).write(0, x)))[2]
        return rows.stack(), rows.concat(), rows.size()

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


def make_first(folder, f, names, shapes):
    """As TensorFlow 1 builds a graph, with constants and no variables."""
    from tensorflow.python.ops import control_flow_util

    control_flow_util.ENABLE_CONTROL_FLOW_V2 = False
    feeds = feeds_of(shapes)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        inputs = [tf.compat.v1.placeholder(tf.float32, s, n) for s, n in zip(shapes, names)]
        outputs = [tf.identity(t) for t in tf.nest.flatten(f(*inputs))]
        found = session.run(outputs, dict(zip(inputs, feeds)))
        write(folder, session.graph.as_graph_def(), inputs, outputs)
    control_flow_util.ENABLE_CONTROL_FLOW_V2 = True
    keep_values(folder, names, feeds, found)


def feeds_of(shapes):
    rng = np.random.default_rng(1)
    return [rng.standard_normal([3 if d is None else d for d in s]).astype(np.float32) for s in shapes]


def keep_values(folder, names, feeds, found):
    named = {f"x_{name}": x for name, x in zip(names, feeds)}
    np.savez(f"{folder}/values.npz", **named, **{f"y_y{i}": y for i, y in enumerate(found)})


def make(folder, build, shapes, lowered, values):
    tf.keras.utils.set_random_seed(1)
    f = build()
    if lowered == FIRST:
        return make_first(folder, f, [f"x{i}" for i in range(len(shapes))], shapes)
    names = [f"x{i}" for i in range(len(shapes))]
    specs = [tf.TensorSpec(shape, tf.float32, name) for shape, name in zip(shapes, names)]
    concrete = tf.function(lambda *args: f(*args), autograph=False).get_concrete_function(*specs)
    frozen = convert_variables_to_constants_v2(concrete, lower_control_flow=lowered)
    outputs = [t for t in frozen.outputs if t.dtype != tf.resource]
    feeds = feeds_of(shapes)
    found = concrete(*[tf.constant(x) for x in feeds])
    found = [t.numpy() for t in tf.nest.flatten(found)]
    write(folder, optimized(frozen, outputs), frozen.inputs, outputs)
    keep_values(folder, [t.op.name for t in frozen.inputs], feeds, found)


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
