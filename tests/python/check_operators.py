"""Operators written in Python, in models that have their nodes."""

import threading
import unittest

import numpy as np
import onnxrun
from onnx import helper, numpy_helper
from support import model_of

DOMAIN = "com.example"
FLOATS = (np.float32, ["n", 3])


def load(op_type, inputs, outputs, *operators, initializers=None, threads=0, **attributes):
    """A model of one such node between two of ONNX's, so that it is neither first nor last."""
    names = [*inputs, *(initializers or {})]
    nodes = [helper.make_node("Identity", ["x"], ["own"]), helper.make_node(op_type, ["own", *names[1:]], [f"{name}_" for name in outputs],
                                                                           domain=DOMAIN, **attributes)]
    nodes += [helper.make_node("Identity", [f"{name}_"], [name]) for name in outputs]
    return onnxrun.load(model_of(nodes, inputs, outputs, initializers, opsets={"": 21, DOMAIN: 1}), operators=operators, threads=threads)


@onnxrun.operator(DOMAIN, "Scale")
class Scale:
    def __init__(self, factor=1.0):
        self.factor = factor

    def run(self, x):
        return x * np.float32(self.factor)


@onnxrun.operator(DOMAIN, "Split")
class Split:
    """First rows, and how many there are."""

    def shape(self, x):
        return [onnxrun.TensorType(x.dtype, (1, *x.shape[1:])), onnxrun.TensorType("int64", ())]

    def run(self, x):
        return x[:1], np.array(len(x), np.int64)


@onnxrun.operator(DOMAIN, "Positive")
class Positive:
    dynamic = True

    def shape(self, x):
        return onnxrun.TensorType(x.dtype, (None,))

    def run(self, x):
        return x[x > 0]


@onnxrun.operator(DOMAIN, "Words")
class Words:
    def shape(self, x):
        return onnxrun.TensorType("string", x.shape)

    def run(self, x):
        return np.array([f"{value:g}ß" for value in x.ravel()], object).reshape(x.shape)


@onnxrun.operator(DOMAIN, "Again")
class Again:
    """Runs the model that it is in, once."""
    model = None

    def run(self, x):
        model, Again.model = Again.model, None
        return model(x) + 1 if model else x


class Run(unittest.TestCase):
    def test_runs_its_own_model(self):
        for threads in (1, 2):
            Again.model = load("Again", {"x": FLOATS}, {"y": FLOATS}, Again, threads=threads)
            x = np.ones((2, 3), np.float32)
            np.testing.assert_array_equal(Again.model(x), x + 1)

    x = np.array([[1, -2, 3], [0, 5, -6]], np.float32)

    def test_like_the_input(self):
        model = load("Scale", {"x": FLOATS}, {"y": FLOATS}, Scale, factor=2.5)
        for x in (self.x, self.x[:1], self.x[:0]):
            np.testing.assert_array_equal(model(x), x * 2.5)
        np.testing.assert_array_equal(load("Scale", {"x": FLOATS}, {"y": FLOATS}, Scale)(self.x), self.x)

    def test_several_outputs(self):
        first, count = load("Split", {"x": FLOATS}, {"y": FLOATS, "n": (np.int64, [])}, Split)(self.x)
        np.testing.assert_array_equal(first, self.x[:1])
        self.assertEqual(int(count), 2)
        self.assertEqual(list(load("Split", {"x": FLOATS}, {"y": FLOATS, "n": (np.int64, [])}, Split).run({"x": self.x}, ["n"])), ["n"])

    def test_sizes_that_the_run_tells(self):
        model = load("Positive", {"x": FLOATS}, {"y": (np.float32, [None])}, Positive)
        np.testing.assert_array_equal(model(self.x), [1, 3, 5])
        np.testing.assert_array_equal(model(-self.x), [2, 6])

    def test_strings(self):
        found = load("Words", {"x": FLOATS}, {"y": (np.object_, ["n", 3])}, Words)(self.x)
        self.assertEqual(found.tolist(), [["1ß", "-2ß", "3ß"], ["0ß", "5ß", "-6ß"]])

    def test_attributes_of_all_kinds(self):
        seen = {}

        @onnxrun.operator(DOMAIN, "Any")
        class Any:
            def __init__(self, **attributes):
                seen.update(attributes)

            def run(self, x):
                return x

        tensor = np.array([[1, 2]], np.int32)
        given = {"a": 1, "b": 1.5, "c": "text", "d": [1, 2], "e": [1.5, 2.5], "f": ["x", "y"]}
        load("Any", {"x": FLOATS}, {"y": FLOATS}, Any, **given, t=numpy_helper.from_array(tensor))
        np.testing.assert_array_equal(seen.pop("t"), tensor)
        self.assertEqual(seen, given)

    def test_contents_that_shapes_depend_on(self):
        @onnxrun.operator(DOMAIN, "Rows")
        class Rows:
            shape_inputs = (1,)

            def shape(self, x, count):
                return onnxrun.TensorType(x.dtype, (int(count.value), 3))

            def run(self, x, count):
                return np.resize(x, (int(count), 3))

        model = load("Rows", {"x": FLOATS, "count": (np.int64, [])}, {"y": FLOATS}, Rows)
        for count in (1, 4):
            np.testing.assert_array_equal(model(self.x, np.array(count)), np.resize(self.x, (count, 3)))
        constant = load("Rows", {"x": FLOATS}, {"y": FLOATS}, Rows, initializers={"count": np.array(3)})
        np.testing.assert_array_equal(constant(self.x), np.resize(self.x, (3, 3)))

    def test_what_it_keeps_is_its_own(self):
        kept = []

        @onnxrun.operator(DOMAIN, "Keep")
        class Keep:
            def run(self, x):
                kept.append(x)
                return -x

        model = load("Keep", {"x": FLOATS}, {"y": FLOATS}, Keep)
        model(self.x)
        model(self.x + 1)
        np.testing.assert_array_equal(kept[0], self.x)

    def test_many_threads(self):
        model = load("Scale", {"x": FLOATS}, {"y": FLOATS}, Scale, factor=3.0)
        wrong = []

        def work():
            for i in range(100):
                x = np.full((i % 5, 3), i, np.float32)
                if not np.array_equal(model(x), x * 3):
                    wrong.append(i)

        workers = [threading.Thread(target=work) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        self.assertFalse(wrong)


class Wrong(unittest.TestCase):
    def refuses(self, words, cls, *, of_load=False, cause=None):
        onnxrun.operator(DOMAIN, "Bad")(cls)
        with self.assertRaisesRegex(onnxrun.Error, words) as caught:
            model = load("Bad", {"x": FLOATS}, {"y": FLOATS}, cls, factor=1.0)
            self.assertFalse(of_load, "it was loaded")
            model(Run.x)
        if cause:
            self.assertIsInstance(caught.exception.__cause__, cause)
        self.assertIn("Bad", str(caught.exception))

    def test_what_python_raises_is_the_cause(self):
        class Raises:
            def __init__(self, factor):
                pass

            def run(self, x):
                raise KeyError("no such row")

        self.refuses("KeyError: 'no such row'", Raises, cause=KeyError)

        class Attribute:
            def run(self, x):
                return x

        self.refuses("TypeError", Attribute, of_load=True, cause=TypeError)

    def test_outputs_that_do_not_fit(self):
        class Base:
            def __init__(self, factor):
                pass

        class Shape(Base):
            def run(self, x):
                return x[:, :1]

        self.refuses(r"shape function said float32\[2,3\], its run function made float32\[2,1\]", Shape)

        class Type(Base):
            def run(self, x):
                return x.astype(np.float64)

        self.refuses("float64", Type)

        class Count(Base):
            def run(self, x):
                return x, x

        self.refuses("Count.run gave 2 outputs, the node has 1", Count, cause=ValueError)

        class Nothing(Base):
            def run(self, x):
                pass

        self.refuses("", Nothing)

        class Negative(Base):
            def shape(self, x):
                return onnxrun.TensorType("float32", (-1, 3))

            def run(self, x):
                return x

        self.refuses("", Negative)

    def test_interrupts_pass_through(self):
        class Interrupt:
            def run(self, x):
                raise KeyboardInterrupt

        onnxrun.operator(DOMAIN, "Stop")(Interrupt)
        with self.assertRaises(KeyboardInterrupt):
            load("Stop", {"x": FLOATS}, {"y": FLOATS}, Interrupt)(Run.x)

    def test_classes_that_are_none(self):
        with self.assertRaisesRegex(TypeError, "a class with a method run, Empty has none"):
            onnxrun.operator(DOMAIN, "None")(type("Empty", (), {}))
        with self.assertRaisesRegex(TypeError, "a class decorated by onnxrun.operator"):
            load("Scale", {"x": FLOATS}, {"y": FLOATS}, type("Plain", (), {}))
        with self.assertRaisesRegex(onnxrun.ArgumentError, "registered twice"):
            load("Scale", {"x": FLOATS}, {"y": FLOATS}, Scale, Scale)


if __name__ == "__main__":
    unittest.main()
