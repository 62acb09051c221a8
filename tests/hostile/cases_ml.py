"""Hostile files: the domain ai.onnx.ml."""

from corpus import *

ML = 'ai.onnx.ml'
X2 = ('x', F, [3, 2])
x2 = {'x': np.array([[0, 1], [2, 3], [np.nan, -1]], np.float32)}
words = {'x': np.array([['a', 'b']], object)}


def ml(id, exp, why, op, phase='load', version=3, n_out=1, x=X2, feeds=x2, out_t=F, more=(), **a):
    """One node of ai.onnx.ml; `more` are nodes that read its outputs y, y1 ..."""
    outs = ['y'] + ['y%d' % k for k in range(1, n_out)]
    nodes = [H.make_node(op, ['x'], outs, domain=ML, **a), *more]
    imports = [H.make_opsetid('', 17), H.make_opsetid(ML, version)]
    result = more[-1].output[0] if more else 'y'
    case(id, phase, exp, why)(lambda d: (model(nodes, [vi(*x)], [vi(result, out_t)], imports=imports), feeds))


# --- trees: x0 <= 1 ? leaf 1 : leaf 2 ---
NODES = dict(nodes_treeids=[0, 0, 0], nodes_nodeids=[0, 1, 2], nodes_featureids=[0, 0, 0], nodes_values=[1.0, 0.0, 0.0],
             nodes_modes=['BRANCH_LEQ', 'LEAF', 'LEAF'], nodes_truenodeids=[1, 0, 0], nodes_falsenodeids=[2, 0, 0])
TARGETS = dict(target_treeids=[0, 0], target_nodeids=[1, 2], target_ids=[0, 0], target_weights=[1.0, 2.0], n_targets=1)
CLASSES = dict(class_treeids=[0, 0], class_nodeids=[1, 2], class_ids=[0, 1], class_weights=[1.0, 2.0], classlabels_int64s=[5, 6])


def tree(id, exp, why, phase='load', drop=(), **changes):
    a = {**NODES, **TARGETS, **changes}
    ml(id, exp, why, 'TreeEnsembleRegressor', phase, **{k: v for k, v in a.items() if k not in drop})


def classes(id, exp, why, phase='load', drop=(), **changes):
    a = {**NODES, **CLASSES, **changes}
    ml(id, exp, why, 'TreeEnsembleClassifier', phase, n_out=2, out_t=I, **{k: v for k, v in a.items() if k not in drop})


tree('P01_tree_good', 'OK', 'a sound tree', 'run')
tree('P02_tree_self', 'ATTRIBUTE', 'a node that is its own branch', nodes_truenodeids=[0, 0, 0])
tree('P03_tree_cycle', 'ATTRIBUTE', 'two nodes that lead to each other', nodes_modes=['BRANCH_LEQ', 'BRANCH_LEQ', 'LEAF'],
     nodes_truenodeids=[1, 0, 0], nodes_falsenodeids=[2, 2, 0], target_nodeids=[2, 2])
tree('P04_tree_shared', 'ATTRIBUTE', 'both branches lead to one leaf', nodes_falsenodeids=[1, 0, 0])
tree('P05_tree_child', 'ATTRIBUTE', 'a branch to node 9 of 3', nodes_truenodeids=[9, 0, 0])
tree('P06_tree_child_neg', 'ATTRIBUTE', 'a branch to node -1', nodes_truenodeids=[-1, 0, 0])
tree('P07_tree_child_min', 'ATTRIBUTE', 'a branch to node INT64_MIN', nodes_truenodeids=[I64MIN, 0, 0])
tree('P08_tree_twice', 'ATTRIBUTE', 'one node twice', nodes_nodeids=[0, 1, 1])
tree('P09_tree_mode', 'ATTRIBUTE', 'mode BRANCH_MAYBE', nodes_modes=['BRANCH_MAYBE', 'LEAF', 'LEAF'])
tree('P10_tree_mode_empty', 'ATTRIBUTE', 'an empty mode', nodes_modes=['', 'LEAF', 'LEAF'])
tree('P11_tree_feature', 'SHAPE', 'feature 7 of 2', nodes_featureids=[7, 0, 0])
tree('P12_tree_feature_neg', 'ATTRIBUTE', 'feature -1', nodes_featureids=[-1, 0, 0])
tree('P13_tree_feature_huge', 'ATTRIBUTE', 'feature 2^40', nodes_featureids=[BIG, 0, 0])
for k, name in enumerate(sorted(NODES)):
    short = NODES[name][:2]
    tree(f'P{20 + k}_tree_{name[6:]}', 'ATTRIBUTE', f'{name} of 2 for 3 nodes', **{name: short})
    tree(f'P{30 + k}_tree_no_{name[6:]}', 'ATTRIBUTE', f'no {name}', drop=[name])
tree('P40_tree_missing_len', 'ATTRIBUTE', 'nodes_missing_value_tracks_true of 1 for 3 nodes', nodes_missing_value_tracks_true=[1])
tree('P41_tree_vote_node', 'ATTRIBUTE', 'a vote of node 9', target_nodeids=[1, 9])
tree('P42_tree_vote_tree', 'ATTRIBUTE', 'a vote of tree 4', target_treeids=[0, 4])
tree('P43_tree_vote_target', 'ATTRIBUTE', 'a vote for target 1 of 1', target_ids=[0, 1])
tree('P44_tree_vote_neg', 'ATTRIBUTE', 'a vote for target -1', target_ids=[-1, 0])
tree('P45_tree_votes_len', 'ATTRIBUTE', 'one weight for two votes', target_weights=[1.0])
tree('P46_tree_targets0', 'ATTRIBUTE', 'n_targets 0', n_targets=0)
tree('P47_tree_targets_neg', 'ATTRIBUTE', 'n_targets -1', n_targets=-1)
tree('P48_tree_targets_huge', 'LIMIT', 'n_targets 2^31 - 1', n_targets=(1 << 31) - 1)
tree('P49_tree_base', 'ATTRIBUTE', 'two base values for one target', base_values=[1.0, 2.0])
tree('P50_tree_aggregate', 'ATTRIBUTE', 'aggregate_function MEDIAN', aggregate_function='MEDIAN')
tree('P51_tree_transform', 'ATTRIBUTE', 'post_transform MAGIC', post_transform='MAGIC')
tree('P52_tree_no_votes', 'OK', 'leaves without votes', 'run', target_treeids=[], target_nodeids=[], target_ids=[], target_weights=[],
     drop=['target_treeids', 'target_nodeids', 'target_ids', 'target_weights'])
tree('P53_tree_nan', 'OK', 'thresholds and weights NaN', 'run', nodes_values=[np.nan] * 3, target_weights=[np.nan] * 2)
tree('P54_tree_kind', 'ATTRIBUTE', 'nodes_values of ints', nodes_values=[1, 2, 3])
tree('P55_tree_tensor_rank', 'ATTRIBUTE', 'nodes_values_as_tensor of rank 2', drop=['nodes_values'], nodes_values_as_tensor=init('t', np.zeros((1, 3))))
tree('P56_tree_tensor_type', 'ATTRIBUTE', 'nodes_values_as_tensor of int64', drop=['nodes_values'], nodes_values_as_tensor=ints('t', 1, 2, 3))
tree('P57_tree_tensor_len', 'ATTRIBUTE', 'nodes_values_as_tensor of 2', drop=['nodes_values'], nodes_values_as_tensor=init('t', np.zeros(2)))
N_DEEP = 60000
tree('P58_tree_deep', 'OK', 'a tree of 60,000 levels', 'run', nodes_treeids=[0] * (2 * N_DEEP + 1), nodes_nodeids=list(range(2 * N_DEEP + 1)),
     nodes_featureids=[0] * (2 * N_DEEP + 1), nodes_values=[-1.0] * (2 * N_DEEP + 1), nodes_modes=['BRANCH_LEQ'] * N_DEEP + ['LEAF'] * (N_DEEP + 1),
     nodes_truenodeids=list(range(N_DEEP, 2 * N_DEEP)) + [0] * (N_DEEP + 1),
     nodes_falsenodeids=list(range(1, N_DEEP)) + [2 * N_DEEP] + [0] * (N_DEEP + 1), target_nodeids=[N_DEEP, 2 * N_DEEP])
ml('P59_tree_rank', 'SHAPE', 'a tree over rank 3', 'TreeEnsembleRegressor', x=('x', F, [1, 3, 2]), feeds={'x': np.zeros((1, 3, 2), np.float32)},
   **NODES, **TARGETS)
ml('P60_tree_string', 'TYPE', 'a tree over strings', 'TreeEnsembleRegressor', 'any', x=('x', T.STRING, [1, 2]), feeds=words, **NODES, **TARGETS)

classes('P61_class_good', 'OK', 'a sound classifier', 'run')
classes('P62_class_id', 'ATTRIBUTE', 'class id 2 of 2', class_ids=[0, 2])
classes('P63_class_neg', 'ATTRIBUTE', 'class id -1', class_ids=[-1, 0])
classes('P64_class_min', 'ATTRIBUTE', 'class id INT64_MIN', class_ids=[I64MIN, 0])
classes('P65_class_no_labels', 'ATTRIBUTE', 'no labels', drop=['classlabels_int64s'])
classes('P66_class_both', 'OK', 'labels of ints and of strings: the ints', 'run', classlabels_strings=['a'])
classes('P67_class_base', 'ATTRIBUTE', 'three base values for two classes', base_values=[1.0, 2.0, 3.0])
classes('P68_class_one', 'ATTRIBUTE', 'class id 1 of one label', classlabels_int64s=[1])

# --- TreeEnsemble-5 ---
U8 = lambda *v: init('t', np.array(v, np.uint8))
F32 = lambda *v: init('t', np.array(v, np.float32))
FIVE = dict(tree_roots=[0], nodes_featureids=[0], nodes_modes=U8(0), nodes_splits=F32(1), nodes_truenodeids=[0], nodes_trueleafs=[1],
            nodes_falsenodeids=[1], nodes_falseleafs=[1], leaf_targetids=[0, 0], leaf_weights=F32(1, 2))


def five(id, exp, why, phase='load', drop=(), **changes):
    a = {**FIVE, **changes}
    ml(id, exp, why, 'TreeEnsemble', phase, version=5, **{k: v for k, v in a.items() if k not in drop})


five('P70_five_good', 'OK', 'a sound tree', 'run')
five('P71_five_self', 'ATTRIBUTE', 'a node that is its own branch', nodes_trueleafs=[0])
five('P72_five_child', 'ATTRIBUTE', 'a branch to node 5 of 1', nodes_trueleafs=[0], nodes_truenodeids=[5])
five('P73_five_leaf', 'ATTRIBUTE', 'a branch to leaf 2 of 2', nodes_truenodeids=[2])
five('P74_five_leaf_neg', 'ATTRIBUTE', 'a branch to leaf -1', nodes_falsenodeids=[-1])
five('P75_five_root', 'ATTRIBUTE', 'root 1 of 1', tree_roots=[1])
five('P76_five_root_neg', 'ATTRIBUTE', 'root INT64_MIN', tree_roots=[I64MIN])
five('P77_five_root_twice', 'ATTRIBUTE', 'one root twice', tree_roots=[0, 0])
five('P78_five_no_roots', 'ATTRIBUTE', 'no roots', drop=['tree_roots'])
five('P79_five_mode', 'ATTRIBUTE', 'mode 9', nodes_modes=U8(9))
five('P80_five_mode_leaf', 'ATTRIBUTE', 'mode 7, that of leaves in memory', nodes_modes=U8(7))
five('P81_five_set', 'ATTRIBUTE', 'a set without members', nodes_modes=U8(6))
five('P82_five_set_open', 'ATTRIBUTE', 'a set without an end', nodes_modes=U8(6), membership_values=F32(1, 2))
five('P83_five_set_more', 'ATTRIBUTE', 'two sets for one node', nodes_modes=U8(6), membership_values=F32(1, np.nan, 2, np.nan))
five('P84_five_set_empty', 'OK', 'an empty set', 'run', nodes_modes=U8(6), membership_values=F32(np.nan))
five('P85_five_target', 'ATTRIBUTE', 'a leaf for target 1 of 1', leaf_targetids=[0, 1])
five('P86_five_leaves', 'ATTRIBUTE', 'three weights for two leaves', leaf_weights=F32(1, 2, 3))
five('P87_five_shared_leaf', 'OK', 'both branches lead to one leaf', 'run', nodes_falsenodeids=[0])
five('P88_five_aggregate', 'ATTRIBUTE', 'aggregate_function 4', aggregate_function=4)
five('P89_five_transform', 'ATTRIBUTE', 'post_transform -1', post_transform=-1)
five('P90_five_feature', 'SHAPE', 'feature 2 of 2', nodes_featureids=[2])
five('P91_five_modes_type', 'ATTRIBUTE', 'modes as floats', nodes_modes=F32(0))
for k, name in enumerate(sorted(FIVE)):
    five(f'P{92 + k}_five_no_{name}', 'ATTRIBUTE', f'no {name}', drop=[name])

# --- linear models and support vectors ---
ml('Q01_linear_coefficients', 'SHAPE', 'coefficients for 3 features of 2', 'LinearRegressor', coefficients=[1.0, 2.0, 3.0])
ml('Q02_linear_targets', 'ATTRIBUTE', '3 coefficients for 2 targets', 'LinearRegressor', coefficients=[1.0, 2.0, 3.0], targets=2)
ml('Q03_linear_targets0', 'ATTRIBUTE', 'targets 0', 'LinearRegressor', coefficients=[1.0, 2.0], targets=0)
ml('Q04_linear_intercepts', 'ATTRIBUTE', 'two intercepts for one target', 'LinearRegressor', coefficients=[1.0, 2.0], intercepts=[1.0, 2.0])
ml('Q05_linear_none', 'ATTRIBUTE', 'no coefficients', 'LinearRegressor')
lc = dict(coefficients=[1.0, 2.0, 3.0, 4.0], intercepts=[0.0, 0.0])
ml('Q06_linear_labels', 'ATTRIBUTE', '3 labels for 2 scores', 'LinearClassifier', n_out=2, out_t=I, classlabels_ints=[1, 2, 3], **lc)
ml('Q07_linear_no_labels', 'ATTRIBUTE', 'no labels', 'LinearClassifier', n_out=2, out_t=I, **lc)
ml('Q08_linear_nan', 'OK', 'scores NaN', 'LinearClassifier', 'run', n_out=2, out_t=I, classlabels_ints=[1, 2], **{**lc, 'intercepts': [np.nan] * 2})
svm = dict(kernel_type='RBF', kernel_params=[0.5, 0.0, 3.0], rho=[0.5], support_vectors=[1.0, 2.0, 3.0, 4.0], coefficients=[1.0, 2.0])
svr = lambda id, exp, why, phase='load', **a: ml(id, exp, why, 'SVMRegressor', phase, **{**svm, 'n_supports': 2, **a})
svr('Q10_svr_good', 'OK', 'a sound regressor', 'run')
svr('Q11_svr_supports', 'ATTRIBUTE', 'n_supports 3 for 4 numbers', n_supports=3)
svr('Q12_svr_supports_neg', 'ATTRIBUTE', 'n_supports -1', n_supports=-1)
svr('Q13_svr_features', 'SHAPE', 'support vectors of 4 features for 2', n_supports=1, coefficients=[1.0])
svr('Q14_svr_coefficients', 'ATTRIBUTE', '3 coefficients for 2 vectors', coefficients=[1.0, 2.0, 3.0])
svr('Q15_svr_params', 'ATTRIBUTE', 'one kernel parameter', kernel_params=[1.0])
svr('Q16_svr_kernel', 'ATTRIBUTE', 'kernel_type COSINE', kernel_type='COSINE')
svc = lambda id, exp, why, phase='load', drop=(), **a: ml(id, exp, why, 'SVMClassifier', phase, n_out=2, out_t=I, **{
    k: v for k, v in {**svm, 'vectors_per_class': [1, 1], 'classlabels_ints': [3, 4], **a}.items() if k not in drop})
svc('Q20_svc_good', 'OK', 'a sound classifier', 'run')
svc('Q21_svc_per_class', 'ATTRIBUTE', 'vectors_per_class of 3 classes', vectors_per_class=[1, 1, 1])
svc('Q22_svc_neg', 'ATTRIBUTE', '-1 support vectors', vectors_per_class=[3, -1])
svc('Q23_svc_sum', 'ATTRIBUTE', 'vectors_per_class sum to 3 of 4 numbers', vectors_per_class=[2, 1])
svc('Q24_svc_huge', 'ATTRIBUTE', '2^62 support vectors a class', vectors_per_class=[1 << 62, 1 << 62])
svc('Q25_svc_rho', 'ATTRIBUTE', 'two rho for one pair', rho=[1.0, 2.0])
svc('Q26_svc_no_rho', 'ATTRIBUTE', 'no rho', drop=['rho'])
svc('Q27_svc_prob', 'ARITY', 'prob_a without prob_b', prob_a=[1.0])
svc('Q28_svc_prob_len', 'ATTRIBUTE', 'prob_a of 2 for one pair', prob_a=[1.0, 2.0], prob_b=[1.0])
svc('Q29_svc_prob_nan', 'OK', 'probabilities of NaN and infinity', 'run', prob_a=[np.inf], prob_b=[np.nan])
svc('Q30_svc_labels', 'ATTRIBUTE', 'no labels', drop=['classlabels_ints'])
svc('Q31_svc_one', 'ATTRIBUTE', 'support vectors of one class', vectors_per_class=[2], classlabels_ints=[1])

# --- features, tables, maps ---
ml('Q40_scaler', 'SHAPE', '3 offsets for 2 features', 'Scaler', offset=[1.0] * 3, scale=[1.0])
ml('Q41_imputer', 'SHAPE', '3 values for 2 features', 'Imputer', imputed_value_floats=[1.0] * 3)
ml('Q42_imputer_none', 'ATTRIBUTE', 'nothing to impute', 'Imputer')
ml('Q43_normalizer', 'ATTRIBUTE', 'norm L3', 'Normalizer', norm='L3')
ml('Q44_vectorizer', 'ATTRIBUTE', '2 dimensions for 1 input', 'FeatureVectorizer', inputdimensions=[2, 2])
ml('Q45_vectorizer_neg', 'ATTRIBUTE', 'dimension -1', 'FeatureVectorizer', inputdimensions=[-1])
ml('Q46_vectorizer_huge', 'LIMIT', 'dimension 2^31 - 1', 'FeatureVectorizer', inputdimensions=[(1 << 31) - 1])
ml('Q47_onehot_unknown', 'INDEX', 'a category that is not in the list, zeros 0', 'OneHotEncoder', 'run', cats_int64s=[1], zeros=0)
ml('Q48_onehot_none', 'ATTRIBUTE', 'no categories', 'OneHotEncoder')
word = dict(x=('x', T.STRING, [1, 2]), feeds=words, version=1)
ml('Q49_mapper', 'ATTRIBUTE', '2 strings, 1 int', 'CategoryMapper', out_t=I, cats_strings=['a', 'b'], cats_int64s=[1], **word)
ml('Q50_mapper_type', 'TYPE', 'CategoryMapper of floats', 'CategoryMapper', out_t=I, cats_strings=['a'], cats_int64s=[1])
ml('Q51_encoder_empty', 'OK', 'LabelEncoder-1 of an empty list', 'LabelEncoder', 'run', out_t=I, **word)
ml('Q52_zipmap', 'SHAPE', '3 keys for 2 columns', 'ZipMap', 'any', classlabels_int64s=[1, 2, 3])
ml('Q53_zipmap_none', 'ATTRIBUTE', 'no keys', 'ZipMap')
ml('Q54_castmap_tensor', 'TYPE', 'CastMap of a tensor', 'CastMap', 'any')
ml('Q55_vocabulary_tensor', 'TYPE', 'DictVectorizer of a tensor', 'DictVectorizer', 'any', int64_vocabulary=[1])


def maps(id, exp, why, *more, **a):
    nodes = [N('ZipMap', ['x'], ['y'], domain=ML, classlabels_int64s=[1, 2]), N('SequenceAt', ['y', 'i'], ['m']), *more]
    imports = [H.make_opsetid('', 17), H.make_opsetid(ML, 1)]
    case(id, 'any', exp, why)(lambda d: (model(nodes, [vi(*X2)], [vi(more[-1].output[0], F)], [ints('i', 1)], imports=imports), x2))


maps('Q60_maps_good', 'OK', 'CastMap of what ZipMap made', N('CastMap', ['m'], ['z'], domain=ML))
maps('Q61_maps_sparse', 'LIMIT', 'CastMap max_map 2^31 - 1', N('CastMap', ['m'], ['z'], domain=ML, map_form='SPARSE', max_map=(1 << 31) - 1))
maps('Q62_maps_neg', 'ATTRIBUTE', 'CastMap max_map -1', N('CastMap', ['m'], ['z'], domain=ML, map_form='SPARSE', max_map=-1))
maps('Q63_maps_add', 'TYPE', 'Add of maps', N('Add', ['m', 'm'], ['z']))
maps('Q64_maps_key', 'TYPE', 'a vocabulary of strings for a map of numbers', N('DictVectorizer', ['m'], ['z'], domain=ML, string_vocabulary=['a']))
maps('Q65_maps_reshape', 'TYPE', 'Reshape of a map', N('Reshape', ['m', 'i'], ['z']))
maps('Q66_maps_identity', 'OK', 'a map passed on', N('Identity', ['m'], ['w']), N('CastMap', ['w'], ['z'], domain=ML))
maps('Q67_maps_at', 'TYPE', 'SequenceAt of a map', N('SequenceAt', ['m', 'i'], ['z']))
