"""Nodes of the domain ai.onnx.ml: (name, operator, version, inputs, attributes, judge).

judge names who says what is right: "both" (onnx.reference and ONNX Runtime must agree), or one of the two where the other has no
code for the form or contradicts the schema.
"""

import numpy as np
from onnx import numpy_helper

SEED = 11
MODES = ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"]
TRANSFORMS = ["NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT"]
FEATURES = 5


def grow(random, depth, modes):
    """A tree as nested tuples: (feature, mode, threshold, missing takes true, true branch, false branch), or None for a leaf."""
    if depth == 0 or random.random() < 0.15:
        return None
    mode = modes[random.integers(len(modes))]
    # Thresholds lie on the grid of the inputs, so that equal ones occur.
    split = float(random.integers(-4, 5)) / 4
    branches = grow(random, depth - 1, modes), grow(random, depth - 1, modes)
    return int(random.integers(FEATURES)), mode, split, int(random.integers(2)), *branches


def rows(random, count=9, dtype=np.float32, nan=False):
    x = (random.integers(-8, 9, (count, FEATURES)) / 4).astype(dtype)
    if nan:
        x[random.random(x.shape) < 0.2] = np.nan
    return x


def named_nodes(trees, missing):
    """Attributes of the versions 1 and 3, and the (tree, node) of each leaf."""
    columns = {k: [] for k in ("treeids", "nodeids", "featureids", "modes", "values", "truenodeids", "falsenodeids", "missing_value_tracks_true")}
    leaves = []

    def add(tree, node, count):
        number = count[0]
        count[0] += 1
        at = len(columns["treeids"])
        feature, mode, split, nan = node[:4] if node else (0, "LEAF", 0.0, 0)
        for key, value in zip(columns, (tree, number, feature, mode, split, 0, 0, nan)):
            columns[key].append(value)
        if node is None:
            leaves.append((tree, number))
        else:
            columns["truenodeids"][at] = add(tree, node[4], count)
            columns["falsenodeids"][at] = add(tree, node[5], count)
        return number

    for tree, root in enumerate(trees):
        add(tree, root, [0])
    attributes = {"nodes_" + k: v for k, v in columns.items()}
    if not missing:
        del attributes["nodes_missing_value_tracks_true"]
    return attributes, leaves


def votes(random, leaves, targets, prefix, low=-1.0, every=True):
    """A vote of each leaf for each target, or for one of them."""
    chosen = [(t, n, k) for t, n in leaves for k in (range(targets) if every else [random.integers(targets)])]
    weights = random.uniform(low, 1, len(chosen)).astype(np.float32)
    return {prefix + "_treeids": [c[0] for c in chosen], prefix + "_nodeids": [c[1] for c in chosen],
            ("class_ids" if prefix == "class" else "target_ids"): [int(c[2]) for c in chosen], prefix + "_weights": weights.tolist()}


def forest(random, trees=4, depth=4, modes=MODES, missing=True):
    return named_nodes([grow(random, depth, modes) or grow(random, 1, modes) for _ in range(trees)], missing)


def as_tensors(attributes, *names):
    """Version 3: numbers in float64."""
    for name in names:
        attributes[name + "_as_tensor"] = numpy_helper.from_array(np.array(attributes.pop(name), np.float64), name)
    return attributes


def tree_regressors(random):
    op = "TreeEnsembleRegressor"
    for version in (1, 3):
        for aggregate in ("SUM", "AVERAGE", "MIN", "MAX"):
            for targets in (1, 3):
                nodes, leaves = forest(random)
                attributes = {**nodes, **votes(random, leaves, targets, "target"), "n_targets": targets, "aggregate_function": aggregate}
                yield f"{aggregate}_{targets}", op, version, [rows(random)], attributes, "both"
                based = {**attributes, "base_values": [0.5, -1.0, 2.0][:targets]}
                yield f"{aggregate}_{targets}_base", op, version, [rows(random)], based, "both"
        for mode in MODES:
            nodes, leaves = forest(random, modes=[mode])
            attributes = {**nodes, **votes(random, leaves, 1, "target"), "n_targets": 1}
            yield mode, op, version, [rows(random)], {**attributes, "aggregate_function": "SUM"}, "both"
            if mode != "BRANCH_NEQ":
                yield mode + "_nan", op, version, [rows(random, nan=True)], {**attributes, "aggregate_function": "SUM"}, "both"
        nodes, leaves = forest(random, missing=False)
        attributes = {**nodes, **votes(random, leaves, 2, "target", every=False), "n_targets": 2}
        yield "float64", op, version, [rows(random, dtype=np.float64)], attributes, "runtime"
        for transform in TRANSFORMS[1:]:
            for targets in (1, 3):
                nodes, leaves = forest(random, trees=1)
                attributes = {**nodes, **votes(random, leaves, targets, "target", low=0.05), "n_targets": targets}
                yield f"{transform}_{targets}", op, version, [rows(random)], {**attributes, "post_transform": transform}, "runtime"
    nodes, leaves = forest(random)
    attributes = {**nodes, **votes(random, leaves, 2, "target"), "n_targets": 2, "base_values": [0.1, 0.2]}
    as_tensors(attributes, "nodes_values", "target_weights", "base_values")
    yield "tensors", op, 3, [rows(random, dtype=np.float64)], attributes, "runtime"
    nodes, leaves = forest(random, trees=70, depth=7, modes=["BRANCH_LEQ"])
    attributes = {**nodes, **votes(random, leaves, 1, "target"), "n_targets": 1, "aggregate_function": "SUM"}
    yield "many", op, 3, [rows(random, 150)], attributes, "both"


def tree_classifiers(random):
    op = "TreeEnsembleClassifier"
    three, two = {"classlabels_int64s": [7, -2, 11]}, {"classlabels_strings": ["no", "yes"]}
    for version in (1, 3):
        for transform in TRANSFORMS:
            nodes, leaves = forest(random, trees=1 if transform == "PROBIT" else 4)
            low = 0.05 if transform == "PROBIT" else -1.0
            attributes = {**nodes, **votes(random, leaves, 3, "class", low), **three, "post_transform": transform}
            yield f"{transform}_3", op, version, [rows(random)], attributes, "both"
            if transform != "PROBIT":
                yield f"{transform}_3_base", op, version, [rows(random)], {**attributes, "base_values": [0.1, 0.2, -0.3]}, "both"
            for kind, low in (("mixed", -1.0), ("positive", 0.0)):
                nodes, leaves = forest(random)
                attributes = {**nodes, **votes(random, leaves, 1, "class", low), **two, "post_transform": transform}
                if transform != "PROBIT":
                    yield f"{transform}_1_{kind}", op, version, [rows(random)], attributes, "runtime"
                    yield f"{transform}_1_{kind}_base", op, version, [rows(random)], {**attributes, "base_values": [0.25]}, "runtime"
            nodes, leaves = forest(random, trees=1)
            attributes = {**nodes, **votes(random, leaves, 2, "class", 0.05), **two, "post_transform": transform}
            yield f"{transform}_2", op, version, [rows(random)], attributes, "reference"
        nodes, leaves = forest(random)
        attributes = {**nodes, **votes(random, leaves, 4, "class", every=False), "classlabels_strings": ["a", "b", "", "dd"]}
        yield "strings", op, version, [rows(random, dtype=np.float64)], attributes, "reference"
        attributes = {**nodes, **votes(random, leaves, 1, "class"), "classlabels_int64s": [1]}
        yield "one", op, version, [rows(random)], attributes, "runtime"
        nodes, leaves = forest(random, missing=False)
        attributes = {**nodes, **votes(random, leaves, 3, "class"), **three}
        for dtype in (np.int64, np.int32):
            yield np.dtype(dtype).name, op, version, [rows(random, dtype=dtype)], attributes, "both"
    attributes = {**nodes, **votes(random, leaves, 3, "class"), **three, "base_values": [0.1, 0.2, -0.3]}
    as_tensors(attributes, "nodes_values", "class_weights", "base_values")
    yield "tensors", op, 3, [rows(random, dtype=np.float64)], attributes, "runtime"


def positioned_nodes(random, trees, targets, dtype):
    """Attributes of version 5. A mode that is a list is a set; sets stand in the order of their nodes."""
    columns = {k: [] for k in ("featureids", "truenodeids", "falsenodeids", "trueleafs", "falseleafs", "missing_value_tracks_true")}
    modes, splits, sets, leaves = [], [], {}, []

    def add(node):
        if node is None:
            leaves.append(int(random.integers(targets)))
            return len(leaves) - 1, 1
        at = len(modes)
        feature, mode, split, nan = node[:4]
        modes.append(6 if isinstance(mode, list) else MODES.index(mode))
        splits.append(split)
        sets[at] = [*mode, np.nan] if isinstance(mode, list) else []
        for column, value in zip(columns.values(), (feature, 0, 0, 0, 0, nan)):
            column.append(value)
        columns["truenodeids"][at], columns["trueleafs"][at] = add(node[4])
        columns["falsenodeids"][at], columns["falseleafs"][at] = add(node[5])
        return at, 0

    roots = [add(tree)[0] for tree in trees]
    members = [m for at in sorted(sets) for m in sets[at]]
    tensor = lambda name, values, kind: numpy_helper.from_array(np.array(values, kind), name)
    attributes = {"nodes_" + k: v for k, v in columns.items()}
    attributes.update(tree_roots=roots, n_targets=targets, leaf_targetids=leaves, nodes_modes=tensor("modes", modes, np.uint8),
                      nodes_splits=tensor("splits", splits, dtype),
                      leaf_weights=tensor("weights", random.uniform(0.05, 0.95, len(leaves)), dtype))
    if members:
        attributes["membership_values"] = tensor("members", members, dtype)
    return attributes


def tree_ensembles(random):
    op = "TreeEnsemble"
    grown = lambda modes, count=4: [grow(random, 4, modes) or (1, modes[0], 0.0, 0, None, None) for _ in range(count)]
    # ONNX Runtime knows integers alone in sets and in what is looked up there; onnx.reference ends a set at a 0.
    whole, fractions = [[-1.0, 1.0], [2.0], [2.0, -2.0, 1.0]], [[-1.0, 0.5, 1.0], [0.25], [2.0, -2.0, 1.25]]
    for dtype in (np.float32, np.float64):
        kind = np.dtype(dtype).name
        for aggregate, name in enumerate(("AVERAGE", "SUM", "MIN", "MAX")):
            attributes = {**positioned_nodes(random, grown(MODES), 1, dtype), "aggregate_function": aggregate}

            yield f"{kind}_{name}", op, 5, [rows(random, dtype=dtype)], attributes, "both"
        yield f"{kind}_targets", op, 5, [rows(random, dtype=dtype)], positioned_nodes(random, grown(MODES), 3, dtype), "both"
        for name, sets, judge in (("sets", whole, "both"), ("fractions", fractions, "reference")):
            attributes = positioned_nodes(random, grown(MODES + sets), 2, dtype)
            x = rows(random, dtype=dtype)
            yield f"{kind}_{name}", op, 5, [np.rint(x) if name == "sets" else x], attributes, judge
        for mode in MODES:
            yield f"{kind}_{mode}_nan", op, 5, [rows(random, dtype=dtype, nan=True)], positioned_nodes(random, grown([mode]), 1, dtype), "both"
    x = rows(random, dtype=np.float16)
    yield "float16", op, 5, [x], positioned_nodes(random, grown(MODES), 2, np.float16), "reference"
    # onnx.reference ignores the transform; ONNX Runtime exchanges SOFTMAX and LOGISTIC, and has -inf as the PROBIT of 0.
    for name, targets, judge in (("NONE", 3, "both"), ("SOFTMAX_ZERO", 3, "runtime"), ("SOFTMAX_ZERO", 1, "runtime"), ("PROBIT", 1, "runtime")):
        attributes = {**positioned_nodes(random, grown(MODES, 1), targets, np.float32), "post_transform": TRANSFORMS.index(name)}
        yield f"{name}_{targets}", op, 5, [rows(random)], attributes, judge


def normal(random, *shape):
    return random.normal(size=shape).astype(np.float32)


def texts(*values):
    return np.array(values, object)


def features(random):
    x, wide = normal(random, 4, 3), np.array([[1e9 + 0.25, 2.0, -1.5], [0.0, 1.0, 7.0]])
    for name, offset, scale in (("each", [1.0, -2.0, 0.5], [2.0, 0.25, -3.0]), ("one", [1.5], [-2.0])):
        yield name, "Scaler", 1, [x], {"offset": offset, "scale": scale}, "both"
        yield name + "_float64", "Scaler", 1, [wide], {"offset": offset, "scale": scale}, "runtime"
        for dtype in (np.int64, np.int32):
            yield name + "_" + np.dtype(dtype).name, "Scaler", 1, [np.rint(3 * x).astype(dtype)], {"offset": offset, "scale": scale}, "runtime"
    rows = np.array([[1, -4, 2], [0, 0, 0], [-1, -2, -3]], np.float32)
    for norm in ("MAX", "L1", "L2"):
        # The schema and ONNX Runtime divide by the largest element, onnx.reference by the largest absolute value.
        yield norm, "Normalizer", 1, [rows], {"norm": norm}, "runtime" if norm == "MAX" else "both"
        yield norm + "_row", "Normalizer", 1, [rows[0]], {"norm": norm}, "runtime"
        for dtype in (np.float64, np.int64, np.int32):
            yield norm + "_" + np.dtype(dtype).name, "Normalizer", 1, [rows.astype(dtype)], {"norm": norm}, "runtime"
    yield "default", "Normalizer", 1, [np.abs(rows)], {}, "both"
    holes = x.copy()
    holes[[0, 1, 3], [0, 1, 0]] = np.nan
    for values in ([7.0, 8.0, -9.0], [0.5]):
        name = str(len(values))
        yield "nan_" + name, "Imputer", 1, [holes], {"imputed_value_floats": values, "replaced_value_float": float("nan")}, "both"
        yield "number_" + name, "Imputer", 1, [rows], {"imputed_value_floats": values, "replaced_value_float": -2.0}, "both"
        yield "float64_" + name, "Imputer", 1, [rows.astype(np.float64)], {"imputed_value_floats": values, "replaced_value_float": 2.0}, "reference"
    large = np.array([[1 << 60, 0], [(1 << 60) + 1, 5]])
    yield "int64", "Imputer", 1, [large], {"imputed_value_int64s": [-3, 4], "replaced_value_int64": 1 << 60}, "both"
    yield "int32", "Imputer", 1, [rows.astype(np.int32)], {"imputed_value_int64s": [9], "replaced_value_int64": 0}, "reference"
    y = normal(random, 4, 2)
    yield "same", "FeatureVectorizer", 1, [x, y], {"inputdimensions": [3, 2]}, "both"
    yield "cut", "FeatureVectorizer", 1, [x, y], {"inputdimensions": [2, 3]}, "both"
    yield "row", "FeatureVectorizer", 1, [x[0], y[1]], {"inputdimensions": [3, 2]}, "runtime"
    for dtype in (np.float64, np.int64, np.int32):
        yield np.dtype(dtype).name, "FeatureVectorizer", 1, [rows.astype(dtype)] * 2, {"inputdimensions": [3, 3]}, "runtime"


def tables(random):
    words, numbers = texts("b", "zz", "a", "", "b").reshape(1, 5), np.array([[3, 4], [9, -1]])
    yield "words", "OneHotEncoder", 1, [words], {"cats_strings": ["b", "a", "", "c"]}, "both"
    yield "all_known", "OneHotEncoder", 1, [numbers], {"cats_int64s": [9, 3, -1, 4], "zeros": 0}, "both"
    for dtype in (np.int64, np.float32, np.float64, np.int32):
        judge = "reference" if dtype == np.int32 else "both"
        yield np.dtype(dtype).name, "OneHotEncoder", 1, [numbers.astype(dtype)], {"cats_int64s": [4, 9, 3]}, judge
    yield "fraction", "OneHotEncoder", 1, [np.array([1.9, -1.5, 2.0], np.float32)], {"cats_int64s": [1, 2, -1]}, "runtime"
    yield "rank3", "OneHotEncoder", 1, [numbers[None]], {"cats_int64s": [4, 9, 3]}, "runtime"
    pairs = {"cats_strings": ["b", "a", ""], "cats_int64s": [3, 4, -7]}
    yield "words", "CategoryMapper", 1, [words], {**pairs, "default_int64": 77}, "runtime"
    yield "words_default", "CategoryMapper", 1, [words], pairs, "runtime"
    yield "numbers", "CategoryMapper", 1, [numbers], {**pairs, "default_string": "none"}, "runtime"
    yield "numbers_default", "CategoryMapper", 1, [numbers], pairs, "runtime"
    yield "words", "LabelEncoder", 1, [words], {"classes_strings": ["b", "a", ""], "default_int64": 77}, "runtime"
    yield "words_default", "LabelEncoder", 1, [words], {"classes_strings": ["b", "a", ""]}, "runtime"
    yield "numbers", "LabelEncoder", 1, [np.array([0, 2, 1, 3, -1])], {"classes_strings": ["b", "a", ""], "default_string": "none"}, "runtime"
    many = random.permutation(500)
    mapped = {"keys_int64s": many.tolist(), "values_floats": random.random(500).astype(np.float32).tolist(), "default_float": -1.0}
    for version in (2, 4):
        yield "many", "LabelEncoder", version, [random.integers(-50, 550, (20, 20))], mapped, "both"
        yield "words", "LabelEncoder", version, [words], {"keys_strings": ["a", "b", ""], "values_int64s": [5, 6, 7], "default_int64": 9}, "both"
        yield "to_words", "LabelEncoder", version, [numbers], {"keys_int64s": [9, 3], "values_strings": ["x", "yy"], "default_string": "?"}, "both"
    # Version 2 says the same of NaN, but neither of the two finds it there.
    floats = np.array([0.5, np.nan, 7.0], np.float32)
    yield "nan", "LabelEncoder", 4, [floats], {"keys_floats": [float("nan"), 0.5], "values_strings": ["nan", "half"]}, "runtime"
    x = normal(random, 3, 4)
    yield "float64", "Binarizer", 1, [x.astype(np.float64)], {"threshold": 0.25}, "reference"
    yield "float32", "Binarizer", 1, [x], {"threshold": 0.25}, "both"
    for dtype in (np.float32, np.float64, np.int64, np.int32):
        yield np.dtype(dtype).name, "ArrayFeatureExtractor", 1, [(9 * x).astype(dtype), np.array([3, 0, 0])], {}, "both"
    # A vector is a matrix of one row, whatever the shape of the indices.
    for name, indices in (("vector", np.array([2, 0])), ("vector_column", np.array([[1], [3], [0]]))):
        yield name, "ArrayFeatureExtractor", 1, [9 * x[0], indices], {}, "both"
    yield "cube", "ArrayFeatureExtractor", 1, [normal(random, 2, 3, 4), np.array([[3, 1]])], {}, "both"


def linear(random):
    x = normal(random, 6, 4)
    for targets in (1, 3):
        attributes = {"coefficients": normal(random, targets * 4).tolist(), "targets": targets, "intercepts": normal(random, targets).tolist()}
        yield f"{targets}", "LinearRegressor", 1, [x], attributes, "both"
        for transform in TRANSFORMS[1:4]:
            yield f"{transform}_{targets}", "LinearRegressor", 1, [x], {**attributes, "post_transform": transform}, "runtime"
        without = {k: v for k, v in attributes.items() if k != "intercepts"}
        yield f"plain_{targets}", "LinearRegressor", 1, [x], without, "runtime"
        labels = {"classlabels_ints": [5, -6, 7]} if targets == 3 else {"classlabels_strings": ["no", "yes"]}
        for transform in TRANSFORMS[:4]:
            classified = {**{k: v for k, v in attributes.items() if k != "targets"}, **labels, "post_transform": transform}
            # Of one score for two classes ONNX Runtime makes 1 - s and s, transformed or not; onnx.reference -s and s, transformed.
            yield f"{transform}_{targets}", "LinearClassifier", 1, [x], classified, "both" if targets == 3 else "reference"
    two = {"coefficients": normal(random, 8).tolist(), "intercepts": [0.1, -0.2], "classlabels_strings": ["no", "yes"]}
    for dtype in (np.float64, np.int64, np.int32):
        # onnx.reference computes float64 scores of float64.
        yield np.dtype(dtype).name, "LinearClassifier", 1, [(3 * x).astype(dtype)], two, "runtime"
    for transform in TRANSFORMS[:4]:
        yield f"{transform}_2", "LinearClassifier", 1, [x], {**two, "post_transform": transform}, "both"


def support_vectors(random):
    x = normal(random, 7, 5)
    kernels = {"LINEAR": [0.0, 0.0, 0.0], "POLY": [0.3, 0.5, 3.0], "RBF": [0.4, 0.0, 0.0], "SIGMOID": [0.2, 0.1, 0.0]}
    for kernel, params in kernels.items():
        of_kernel = {"kernel_type": kernel, "kernel_params": params}
        vectors = {"n_supports": 6, "support_vectors": normal(random, 6 * 5).tolist(), "coefficients": normal(random, 6).tolist(), "rho": [0.2]}
        yield kernel, "SVMRegressor", 1, [x], {**of_kernel, **vectors}, "both"
        yield kernel + "_one_class", "SVMRegressor", 1, [x], {**of_kernel, **vectors, "one_class": 1}, "both"
        for classes in (2, 3, 4):
            counts, pairs = [2, 3, 1, 4][:classes], classes * (classes - 1) // 2
            vectors = {"vectors_per_class": counts, "support_vectors": normal(random, sum(counts) * 5).tolist(),
                       "coefficients": normal(random, (classes - 1) * sum(counts)).tolist(), "rho": normal(random, pairs).tolist(),
                       "classlabels_ints": [3, -1, 8, 5][:classes], **of_kernel}
            likely = {"prob_a": (-np.abs(normal(random, pairs))).tolist(), "prob_b": normal(random, pairs).tolist()}
            yield f"{kernel}_{classes}", "SVMClassifier", 1, [x], vectors, "both"
            # onnx.reference multiplies wrongly where more than two classes are coupled.
            yield f"{kernel}_{classes}_likely", "SVMClassifier", 1, [x], {**vectors, **likely}, "both" if classes == 2 else "runtime"
            named = {k: v for k, v in vectors.items() if k != "classlabels_ints"}
            strings = {**named, "classlabels_strings": ["a", "", "c", "d"][:classes]}
            yield f"{kernel}_{classes}_names", "SVMClassifier", 1, [x], strings, "runtime" if classes == 2 else "both"
            if classes > 2:
                for transform in TRANSFORMS[1:4]:
                    yield f"{kernel}_{classes}_{transform}", "SVMClassifier", 1, [x], {**vectors, "post_transform": transform}, "both"
    for dtype in (np.float64, np.int64, np.int32):
        yield np.dtype(dtype).name, "SVMClassifier", 1, [(2 * x).astype(dtype)], vectors, "runtime"
    plain = {"rho": [0.3], "kernel_type": "LINEAR", "kernel_params": [0.0, 0.0, 0.0]}
    labels = {"coefficients": normal(random, 15).tolist(), "classlabels_ints": [3, -1, 8]}
    yield "plain", "SVMClassifier", 1, [x], {**plain, **labels}, "runtime"
    yield "plain", "SVMRegressor", 1, [x], {**plain, "coefficients": normal(random, 5).tolist()}, "both"


def maps(random):
    x = normal(random, 3, 2)
    # ONNX Runtime's maps are in the order of their keys.
    for name, keys in (("numbers", {"classlabels_int64s": [-1, 7]}), ("words", {"classlabels_strings": ["", "yes"]})):
        yield name, "ZipMap", 1, [x], keys, "runtime"
        yield name + "_row", "ZipMap", 1, [x[0]], keys, "runtime"
    numbers = {3: np.float32(1.5), 1: np.float32(2.5), 7: np.float32(-3.75)}
    for kind in ("TO_FLOAT", "TO_INT64"):
        yield kind, "CastMap", 1, [numbers], {"cast_to": kind}, "runtime"
        yield kind + "_sparse", "CastMap", 1, [numbers], {"cast_to": kind, "map_form": "SPARSE", "max_map": 5}, "runtime"
    # ONNX Runtime makes a matrix of one row, against the schema; onnx.reference float64, unless all keys are there.
    yield "numbers", "DictVectorizer", 1, [numbers], {"int64_vocabulary": [7, 3, 1]}, "reference"
    yield "words", "DictVectorizer", 1, [{"a": np.float32(1.5), "": np.float32(2)}], {"string_vocabulary": ["", "a"]}, "reference"
    counts = {"a": np.int64(4), "c": np.int64(8), "unknown": np.int64(9)}
    yield "counts", "DictVectorizer", 1, [counts], {"string_vocabulary": ["a", "c", "b", "z"]}, "reference"


def cases():
    for family in (tree_regressors, tree_classifiers, tree_ensembles, features, tables, linear, support_vectors, maps):
        yield from family(np.random.default_rng(SEED))
