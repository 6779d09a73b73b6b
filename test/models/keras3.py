"""Writes Keras 3 models by `tensorflowjs_converter`: as layers models, and as graph models.

`keras3.py FOLDER` makes the networks below, each with `values.npz`: an input, and what Keras computes of
it. Today's converter imports more than it needs, and of that what does not install beside today's
TensorFlow: JAX and decision forests, which stand empty here.

    python3 -m venv venv && venv/bin/pip install tensorflow-cpu tf_keras six packaging importlib_resources
    venv/bin/pip install --no-deps tensorflowjs tensorflow_hub

`npm run bench:models -- --keras` also needs what peer.py needs.
"""
import os
import sys
import tempfile
from types import ModuleType

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras  # noqa: E402
import numpy as np  # noqa: E402
from keras import layers as L  # noqa: E402

for name in ("jax", "jax.experimental", "tensorflow_decision_forests"):
    sys.modules[name] = ModuleType(name)
sys.modules["jax.experimental"].jax2tf = None
from tensorflowjs.converters.converter import convert  # noqa: E402


def given(*shape):
    return L.Input(shape, name="x")


def dense():
    return keras.Sequential([given(8), L.Dense(16, activation="relu"), L.Dense(3, activation="softmax")])


def cnn():
    return keras.Sequential(
        [
            given(12, 12, 3),
            L.Conv2D(8, 3, padding="same", activation="relu"),
            L.BatchNormalization(),
            L.MaxPooling2D(),
            L.Conv2D(8, 3, use_bias=False),
            L.LeakyReLU(),
            L.Dropout(0.5),
            L.GlobalAveragePooling2D(),
            L.Dense(4),
        ]
    )


def functional():
    x = given(10, 10, 3)
    shared = L.Conv2D(4, 3, padding="same", activation="elu", name="shared")
    a = shared(x)
    b = shared(L.Rescaling(-0.5, 1.0)(x))
    joined = L.Concatenate()([L.Add()([a, b]), L.Multiply()([a, b])])
    y = L.Flatten()(joined)
    return keras.Model(x, [L.Dense(5, name="many")(y), L.Dense(1, activation="sigmoid", name="one")(y)])


def transfer():
    base = keras.Sequential(
        [L.Input([16, 16, 3]), L.Conv2D(6, 3, strides=2), L.BatchNormalization(), L.ReLU(6.0)], name="base"
    )
    base.trainable = False
    x = given(16, 16, 3)
    y = base(L.Rescaling(1 / 127.5, offset=-1)(x), training=False)
    return keras.Model(x, L.Dense(2)(L.GlobalAveragePooling2D()(y)))


def lstm():
    return keras.Sequential([given(7, 5), L.LSTM(6, return_sequences=True), L.LSTM(4), L.Dense(2)])


def bilstm():
    return keras.Sequential(
        [given(7, 5), L.Bidirectional(L.LSTM(6, return_sequences=True)), L.Bidirectional(L.LSTM(3)), L.Dense(2)]
    )


def wrapped():
    pictures = keras.Sequential(
        [L.Input([6, 6, 3]), L.Conv2D(4, 3), L.PReLU(shared_axes=[1, 2]), L.GlobalMaxPooling2D()], name="reader"
    )
    x = given(5, 6, 6, 3)
    y = L.Dropout(0.5)(L.TimeDistributed(pictures)(x))
    y = L.Bidirectional(L.GRU(3, return_sequences=True), merge_mode="sum")(L.TimeDistributed(L.Dense(4))(y))
    y = L.RNN([L.LSTMCell(3), L.GRUCell(4)], return_sequences=True)(y)
    return keras.Model(x, L.Dense(2)(L.SimpleRNN(3)(y)))


def causal():
    return keras.Sequential(
        [given(12, 3), L.Conv1D(4, 3, padding="causal", dilation_rate=2, activation="relu"), L.Conv1D(2, 2, 2, "causal")]
    )


def depthwise():
    return keras.Sequential(
        [
            given(11, 11, 4),
            L.DepthwiseConv2D(3, depth_multiplier=2, padding="same"),
            L.BatchNormalization(),
            L.ReLU(),
            L.SeparableConv2D(6, 3, strides=2),
            L.Conv2DTranspose(2, 3, strides=2),
        ]
    )


def disturbed(model, rng):
    """Weights as of a trained network: with moments of 0 and 1, and biases of 0, nothing shows that one is left out."""
    for v in model.weights:
        if not v.dtype.startswith("float"):
            continue  # of a dropout: its state
        noise = rng.normal(0, 0.2, v.shape).astype("float32")
        v.assign(np.abs(v.numpy() + noise) + 0.1 if "variance" in v.path else v.numpy() + noise)


def written(folder, name, make):
    keras.utils.set_random_seed(1)
    rng = np.random.default_rng(1)
    model = make()
    disturbed(model, rng)
    x = rng.random((3, *model.inputs[0].shape[1:]), np.float32)
    results = model.predict(x, verbose=0)
    results = results if isinstance(results, list) else [results]
    values = {"x_x": x, **{f"y_{i}": y for i, y in enumerate(results)}}
    for form in ("layers", "graph"):
        at = os.path.join(folder, f"{name}-{form}")
        os.makedirs(at, exist_ok=True)
        np.savez(os.path.join(at, "values.npz"), **values)
        with tempfile.TemporaryDirectory() as made:
            if form == "layers":
                model.save(f"{made}/model.keras")
                args = ["--input_format=keras_keras", "--output_format=tfjs_layers_model", f"{made}/model.keras"]
            else:
                model.export(f"{made}/model", verbose=False)
                args = ["--input_format=tf_saved_model", f"{made}/model"]
            convert([*args, at])


if __name__ == "__main__":
    for make in (dense, cnn, functional, transfer, lstm, bilstm, depthwise, wrapped, causal):
        written(sys.argv[1], make.__name__, make)
