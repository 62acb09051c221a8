#!/usr/bin/env python3
"""make_words.py FOLDER: a small network of bytes, an input, and what ONNX Runtime makes of it (tests/compile/kws_int8)."""
import numpy as np, onnx, onnxruntime as ort, os, sys
from onnx import helper as h, numpy_helper as nh, TensorProto as T
rng=np.random.default_rng(7); inits=[]; nodes=[]
def c(name,a): inits.append(nh.from_array(np.asarray(a),name)); return name
def conv(x,xs,y,ys,w,stride,pads,group=1,relu=True):
    o=w.shape[0]; ws=(np.abs(w).reshape(o,-1).max(1)/127).astype(np.float32)
    q=np.clip(np.rint(w/ws.reshape(-1,1,1,1)),-127,127).astype(np.int8)
    b=rng.integers(-400,400,o).astype(np.int32); n=y
    zero=np.int8(-128 if relu else 0)
    ins=[x,c(n+'_xs',np.float32(xs[0])),c(n+'_xz',np.int8(xs[1])),c(n+'_w',q),c(n+'_ws',ws),c(n+'_wz',np.zeros(o,np.int8)),c(n+'_ys',np.float32(ys)),c(n+'_yz',zero),c(n+'_b',b)]
    nodes.append(h.make_node('QLinearConv',ins,[y],kernel_shape=list(w.shape[2:]),strides=stride,pads=pads,group=group,name=n)); return (ys,int(zero))
nodes.append(h.make_node('QuantizeLinear',['x',c('s0',np.float32(0.05)),c('z0',np.int8(3))],['q0'],name='quantize'))
k=16; s=(0.05,3)
s=conv('q0',s,'q1',0.06,rng.standard_normal((k,1,10,4)).astype(np.float32)*.2,[2,2],[4,1,5,2])
for i in range(2):
    s=conv('q%d'%(2*i+1),s,'q%d'%(2*i+2),0.05,rng.standard_normal((k,1,3,3)).astype(np.float32)*.3,[1,1],[1,1,1,1],k)
    s=conv('q%d'%(2*i+2),s,'q%d'%(2*i+3),0.04,rng.standard_normal((k,k,1,1)).astype(np.float32)*.3,[1,1],[0,0,0,0])
nodes.append(h.make_node('DequantizeLinear',['q5',c('s5',np.float32(s[0])),c('z5',np.int8(s[1]))],['r5']))
nodes.append(h.make_node('GlobalAveragePool',['r5'],['p']))
nodes.append(h.make_node('Flatten',['p'],['f']))
nodes.append(h.make_node('QuantizeLinear',['f',c('s6',np.float32(0.02)),c('z6',np.int8(-128))],['qf']))
w=rng.integers(-127,127,(k,12)).astype(np.int8)
nodes.append(h.make_node('QLinearMatMul',['qf','s6','z6',c('fw',w),c('fws',np.float32(0.01)),c('fwz',np.int8(0)),c('ys',np.float32(0.1)),c('yz',np.int8(5))],['qy']))
nodes.append(h.make_node('DequantizeLinear',['qy','ys','yz'],['logits']))
nodes.append(h.make_node('Softmax',['logits'],['y'],axis=1))
g=h.make_graph(nodes,'keywords',[h.make_tensor_value_info('x',T.FLOAT,[1,1,49,10])],[h.make_tensor_value_info('y',T.FLOAT,[1,12])],inits)
m=h.make_model(g,opset_imports=[h.make_opsetid('',17)],ir_version=8); onnx.checker.check_model(m)
d=sys.argv[1]; os.makedirs(d+'/test_data_set_0',exist_ok=True); onnx.save(m,d+'/model.onnx')
x=rng.standard_normal((1,1,49,10)).astype(np.float32)*2
y=ort.InferenceSession(m.SerializeToString(),providers=['CPUExecutionProvider']).run(None,{'x':x})[0]
print(y)
open(d+'/test_data_set_0/input_0.pb','wb').write(nh.from_array(x,'x').SerializeToString())
open(d+'/test_data_set_0/output_0.pb','wb').write(nh.from_array(y,'y').SerializeToString())
