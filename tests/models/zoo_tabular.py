"""Models of scikit-learn, xgboost and lightgbm, as their converters write them: numbers and strings in, labels out."""

import os

import numpy as np
import onnx

ROWS = 200


def _numbers(shift=0):
    random = np.random.default_rng(7)
    x = random.normal(size=(ROWS, 6)).astype(np.float32) + np.float32(shift)
    y = (x[:, 0] + x[:, 1] * x[:, 2] > shift).astype(np.int64) + (x[:, 3] > shift + 0.8)
    return x, y


def _words():
    random = np.random.default_rng(8)
    colours, sizes = ["red", "green", "blue"], ["S", "M", "L", "XL"]
    x = np.array([[random.choice(colours), random.choice(sizes)] for _ in range(ROWS)], dtype=object)
    return x, np.array(["cheap" if a == "red" or b == "XL" else "dear" for a, b in x])


def _sentences():
    random = np.random.default_rng(9)
    words = "the net reads one file and runs it well on any small machine of ours".split()
    x = np.array([" ".join(random.choice(words, 5)) for _ in range(ROWS)], dtype=object).reshape(-1, 1)
    return x, np.array([int("net" in text or "file" in text) for text, in x])


def _save(folder, model, x, save_expected, columns=False):
    onnx.save(model, os.path.join(folder, "model.onnx"))
    names = [value.name for value in model.graph.input]
    data_sets = []
    for rows in (x[:5], x[:1], x[5:22]):
        parts = [rows[:, i:i + 1] for i in range(rows.shape[1])] if columns else [rows]
        data_sets.append(dict(zip(names, parts, strict=True)))
    return save_expected(folder, data_sets, [None] * 3)


def _sklearn(build, data=_numbers, target=None, options=None):
    """target: what to make of y. The kind of the input follows from the data."""
    def make(folder, save_expected):
        from skl2onnx import to_onnx
        from skl2onnx.common.data_types import FloatTensorType, StringTensorType
        x, y = data()
        model = build().fit(x.ravel() if data is _sentences else x, target(y) if target else y)
        width = x.shape[1]
        kind = FloatTensorType if x.dtype == np.float32 else StringTensorType
        return _save(folder, to_onnx(model, initial_types=[("x", kind([None, width]))], options=_options(model, options),
                                     target_opset={"": 21, "ai.onnx.ml": 3}), x,
                     save_expected)
    return make


def _options(model, options):
    return {id(model): options} if options else None


def _boosted(package, kind, target=None):
    """A model of xgboost or lightgbm through onnxmltools."""
    def make(folder, save_expected):
        import importlib

        import onnxmltools
        from onnxmltools.convert.common.data_types import FloatTensorType
        x, y = _numbers()
        extra = {"verbose": -1} if package == "lightgbm" else {}
        model = getattr(importlib.import_module(package), kind)(n_estimators=20, max_depth=4, n_jobs=1, **extra)
        model.fit(x, target(y) if target else y)
        convert = getattr(onnxmltools, f"convert_{package}")
        options = {"zipmap": False} if package == "lightgbm" else {}
        return _save(folder, convert(model, initial_types=[("x", FloatTensorType([None, 6]))], **options), x, save_expected)
    return make


def _mixed(folder, save_expected):
    """Named columns of two types, each through steps of its own."""
    from sklearn.compose import ColumnTransformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType
    numbers, y = _numbers()
    words, _ = _words()
    x = np.concatenate([numbers[:, :2].astype(object), words], axis=1)
    model = make_pipeline(ColumnTransformer([("n", StandardScaler(), [0, 1]), ("w", OneHotEncoder(), [2, 3])]),
                          LogisticRegression())
    model.fit(x, y)
    converted = to_onnx(model, initial_types=[("n", FloatTensorType([None, 2])), ("w", StringTensorType([None, 2]))],
                        options={id(model): {"zipmap": False}})
    onnx.save(converted, os.path.join(folder, "model.onnx"))
    return save_expected(folder, [{"n": numbers[a:b, :2], "w": words[a:b]} for a, b in ((0, 5), (0, 1), (5, 22))], [None] * 3)


def _all():
    from sklearn import (cluster, decomposition, discriminant_analysis, ensemble, feature_extraction, feature_selection, impute,
                         linear_model, mixture, naive_bayes, neighbors, neural_network, pipeline, preprocessing, svm, tree)
    positive = lambda: (np.abs(_numbers()[0]), _numbers()[1])  # noqa: E731
    gaps = lambda: (np.where(_numbers()[0] > 1.2, np.nan, _numbers()[0]).astype(np.float32), _numbers()[1])  # noqa: E731
    two = lambda y: (y > 0).astype(np.int64)  # noqa: E731
    named = lambda y: np.array(["none", "one", "both"])[y]  # noqa: E731
    real = lambda y: y.astype(np.float32) * 1.5 + np.arange(len(y)) % 7  # noqa: E731
    flat = {"zipmap": False}
    text = feature_extraction.text
    rows = [
        # Strings first. ONNX Runtime lowers letters only on a machine that has the locale en_US.
        ("onehot_strings", _sklearn(preprocessing.OneHotEncoder, _words)),
        ("ordinal_strings", _sklearn(preprocessing.OrdinalEncoder, _words)),
        ("onehot_tree_strings", _sklearn(lambda: pipeline.make_pipeline(preprocessing.OneHotEncoder(),
                                         tree.DecisionTreeClassifier(max_depth=3)), _words, options=flat)),
        ("tfidf", _sklearn(lambda: text.TfidfVectorizer(lowercase=False), _sentences)),
        ("count_words", _sklearn(lambda: text.CountVectorizer(lowercase=False), _sentences)),
        ("count_pairs", _sklearn(lambda: text.CountVectorizer(lowercase=False, ngram_range=(1, 2)), _sentences)),
        ("tfidf_logistic", _sklearn(lambda: pipeline.make_pipeline(text.TfidfVectorizer(lowercase=False),
                                    linear_model.LogisticRegression()), _sentences, options=flat)),
        ("mixed_columns", _mixed),
        ("logistic", _sklearn(linear_model.LogisticRegression, options=flat)),
        ("logistic_names", _sklearn(linear_model.LogisticRegression, target=named, options=flat)),
        ("forest", _sklearn(lambda: ensemble.RandomForestClassifier(20, max_depth=6, random_state=0), options=flat)),
        ("forest_regressor", _sklearn(lambda: ensemble.RandomForestRegressor(20, random_state=0), target=real)),
        ("gradient_boosting", _sklearn(ensemble.GradientBoostingClassifier, options=flat)),
        ("gradient_boosting_two", _sklearn(ensemble.GradientBoostingClassifier, target=two, options=flat)),
        ("hist_boosting", _sklearn(ensemble.HistGradientBoostingClassifier, gaps, options=flat)),
        ("hist_boosting_regressor", _sklearn(ensemble.HistGradientBoostingRegressor, gaps, real)),
        ("extra_trees", _sklearn(lambda: ensemble.ExtraTreesClassifier(10, random_state=0), target=named, options=flat)),
        ("ada_boost", _sklearn(lambda: ensemble.AdaBoostClassifier(n_estimators=8), options=flat)),
        ("bagging", _sklearn(lambda: ensemble.BaggingClassifier(random_state=0), options=flat)),
        ("isolation_forest", _sklearn(lambda: ensemble.IsolationForest(n_estimators=20, random_state=0))),
        ("voting", _sklearn(lambda: ensemble.VotingClassifier([("a", linear_model.LogisticRegression()), (
            "b", tree.DecisionTreeClassifier(max_depth=4))], voting="soft", flatten_transform=False), options=flat)),
        ("stacking", _sklearn(lambda: ensemble.StackingClassifier([("a", linear_model.LogisticRegression()), (
            "b", tree.DecisionTreeClassifier(max_depth=4))]), options=flat)),
        ("tree", _sklearn(tree.DecisionTreeClassifier, options=flat)),
        ("tree_regressor", _sklearn(tree.DecisionTreeRegressor, target=real)),
        ("svc", _sklearn(lambda: svm.SVC(probability=False), options=flat)),
        ("svc_poly_two", _sklearn(lambda: svm.SVC(kernel="poly"), target=two, options=flat)),
        ("linear_svc", _sklearn(svm.LinearSVC)), ("svr", _sklearn(svm.SVR, target=real)),
        ("nu_svr", _sklearn(svm.NuSVR, target=real)), ("one_class_svm", _sklearn(svm.OneClassSVM)),
        ("neighbours", _sklearn(neighbors.KNeighborsClassifier, options=flat)),
        ("neighbours_regressor", _sklearn(neighbors.KNeighborsRegressor, target=real)),
        ("gaussian_nb", _sklearn(naive_bayes.GaussianNB, options=flat)),
        ("multinomial_nb", _sklearn(naive_bayes.MultinomialNB, positive, options=flat)),
        ("bernoulli_nb", _sklearn(naive_bayes.BernoulliNB, options=flat)),
        ("mlp", _sklearn(lambda: neural_network.MLPClassifier((16, 8), max_iter=60), options=flat)),
        ("mlp_regressor", _sklearn(lambda: neural_network.MLPRegressor(hidden_layer_sizes=(16,), max_iter=60), target=real)),
        ("sgd", _sklearn(lambda: linear_model.SGDClassifier(loss="log_loss"), options=flat)),
        ("ridge", _sklearn(linear_model.Ridge, target=real)), ("lasso", _sklearn(linear_model.Lasso, target=real)),
        ("bayesian_ridge", _sklearn(linear_model.BayesianRidge, target=real)),
        ("poisson", _sklearn(linear_model.PoissonRegressor)), ("kmeans", _sklearn(lambda: cluster.KMeans(4, random_state=0))),
        ("gaussian_mixture", _sklearn(lambda: mixture.GaussianMixture(3, random_state=0))),
        ("lda", _sklearn(discriminant_analysis.LinearDiscriminantAnalysis, options=flat)),
        ("qda", _sklearn(discriminant_analysis.QuadraticDiscriminantAnalysis, options=flat)),
        ("pca", _sklearn(lambda: decomposition.PCA(3))), ("svd", _sklearn(lambda: decomposition.TruncatedSVD(3))),
        ("scaler", _sklearn(preprocessing.StandardScaler)), ("min_max", _sklearn(preprocessing.MinMaxScaler)),
        ("robust", _sklearn(preprocessing.RobustScaler)), ("normalizer", _sklearn(preprocessing.Normalizer)),
        ("binarizer", _sklearn(preprocessing.Binarizer)), ("polynomial", _sklearn(preprocessing.PolynomialFeatures)),
        ("bins", _sklearn(lambda: preprocessing.KBinsDiscretizer(4, encode="ordinal"))),
        ("power", _sklearn(preprocessing.PowerTransformer)),
        ("imputer", _sklearn(impute.SimpleImputer, gaps)), ("knn_imputer", _sklearn(impute.KNNImputer, gaps)),
        ("select_best", _sklearn(lambda: feature_selection.SelectKBest(k=3))),
    ]
    found = [("scikit-learn", name, maker) for name, maker in rows]
    for package, prefix in (("xgboost", "XGB"), ("lightgbm", "LGBM")):
        found += [(package, prefix + "Classifier", _boosted(package, prefix + "Classifier")),
                  (package, prefix + "Classifier_two", _boosted(package, prefix + "Classifier", two)),
                  (package, prefix + "Regressor", _boosted(package, prefix + "Regressor", real))]
    return found


MODELS = _all()
