"""What Python holds is let go of, whatever happens: references are counted."""

import gc
import sys
import unittest
import weakref

import numpy as np
import onnxrun
from onnx import helper
from support import identity, model_of

TURNS = 20


class Count(unittest.TestCase):
    def stays(self, objects, call):
        """As many references to the objects after many calls as after one."""
        call()
        before = [sys.getrefcount(item) for item in objects]
        for _ in range(TURNS):
            call()
        gc.collect()
        self.assertEqual([sys.getrefcount(item) for item in objects], before)

    def fails(self, call):
        def caught():
            with self.assertRaises(onnxrun.Error):
                call()
        return caught

    def test_inputs_and_results(self):
        x, model = np.ones((2, 3), np.float32), onnxrun.load(identity(np.float32, [None, 3]))
        shape_dtype = x.dtype
        self.stays([x, shape_dtype, None], lambda: model(x))
        self.stays([x], self.fails(lambda: model(x[:, :2])))
        self.stays([x], self.fails(lambda: model(x, x)))
        y = model(x)
        dead = weakref.ref(y)
        del y
        self.assertIsNone(dead())

    def test_strings(self):
        text = "a string of its own" * 3
        x, model = np.array([text, text], object), onnxrun.load(identity(np.object_, [None]))
        self.stays([x, text], lambda: model(x))
        self.stays([x, text], self.fails(lambda: model(np.array([text, 5, b"\xff", None], object).reshape(2, 2))))

    def test_sequences(self):
        kind = helper.make_sequence_type_proto(helper.make_tensor_type_proto(1, None))
        model = onnxrun.load(model_of([helper.make_node("Identity", ["s"], ["y"])], {"s": kind}, {"y": kind}))
        x = np.ones(3, np.float32)
        self.stays([x], lambda: model([x, x]))
        self.stays([x], self.fails(lambda: model([x, np.ones((1,) * 9, np.float32)])))

    def test_outputs_of_unknown_size(self):
        model = onnxrun.load(model_of([helper.make_node("NonZero", ["x"], ["y"])], {"x": (np.float32, [None])}, {"y": (np.int64, [1, None])}))
        x = np.ones(3, np.float32)
        self.stays([x, None], lambda: model(x))

    def test_models_and_sessions(self):
        data = identity(np.float32, [None])
        model = onnxrun.load(data)
        self.stays([data], lambda: onnxrun.load(data))
        self.stays([data], self.fails(lambda: onnxrun.load(data, limits={"nonsense": 1})))
        session = model.session()
        native = weakref.ref(model)
        del model, session
        gc.collect()
        self.assertIsNone(native())

    def test_operators(self):
        @onnxrun.operator("com.example", "Same")
        class Same:
            def run(self, x):
                if not len(x):
                    raise ValueError("nothing")
                return x

        data = model_of([helper.make_node("Same", ["x"], ["y"], domain="com.example")], {"x": (np.float32, [None])}, {"y": (np.float32, [None])},
                        opsets={"": 21, "com.example": 1})
        x = np.ones(3, np.float32)
        model = onnxrun.load(data, operators=[Same])
        self.stays([x, Same], lambda: model(x))
        self.stays([x, Same], lambda: onnxrun.load(data, operators=[Same]))
        self.stays([x, Same], self.fails(lambda: onnxrun.load(data, operators=[Same, Same])))
        kind = weakref.ref(Same)
        del model, Same
        gc.collect()
        self.assertIsNone(kind())

    def test_a_state_that_was_set(self):
        data = model_of([helper.make_node("Add", ["past", "x"], ["present"])], {"past": (np.float32, [2]), "x": (np.float32, [2])},
                        {"present": (np.float32, [2])})
        session = onnxrun.load(data).session(states="present=past")
        x, past = np.ones(2, np.float32), np.ones(2, np.float32)
        self.stays([x, past], lambda: session(x=x, past=past))
        with self.assertRaises(onnxrun.Error):
            session(x=x[:1], past=past)
        held = weakref.ref(past)
        del past
        self.assertIsNotNone(held())  # the next run begins with it
        session(x=x)
        self.assertIsNone(held())


if __name__ == "__main__":
    unittest.main()
