# SPDX-License-Identifier: Apache-2.0
"""EfficientNet-Lite as an ONNX graph, written node by node from the published weights.

The batch-norms are folded into the convolutions before them. The padding is TensorFlow's SAME for the size of each
layer's own input (asymmetric where the stride needs it), written into the convolution, so no Pad node is left.
Kernel sizes, widths and repeats are read off the weights; only the strides of the seven stages are known here.
"""
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

STAGE_STRIDES = (1, 2, 2, 2, 1, 2, 1)
BN_EPSILON = 1e-3
OPSET = 10    # the last whose Clip takes its bounds as attributes, which OpenVINO reads as one Clamp


def fold(weights, conv, norm):
    """Weight and bias of a convolution that has taken in the batch-norm after it."""
    w = weights[conv + ".weight"].astype(np.float64)
    scale = weights[norm + ".weight"].astype(np.float64)
    scale = scale / np.sqrt(weights[norm + ".running_var"].astype(np.float64) + BN_EPSILON)
    bias = weights[norm + ".bias"] - weights[norm + ".running_mean"] * scale
    return (w * scale[:, None, None, None]).astype(np.float32), bias.astype(np.float32)


class Graph:
    def __init__(self, size):
        self.nodes, self.constants, self.size = [], [], size

    def constant(self, name, value):
        self.constants.append(numpy_helper.from_array(value, name))
        return name

    def node(self, op, inputs, name, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def conv(self, x, name, folded, stride=1, groups=1):
        weight, bias = folded
        kernel = weight.shape[2]
        out = -(-self.size // stride)
        pad = max((out - 1) * stride + kernel - self.size, 0)
        before, after = pad // 2, pad - pad // 2
        self.size = out
        inputs = [x, self.constant(name + "/weight", weight), self.constant(name + "/bias", bias)]
        return self.node("Conv", inputs, name, kernel_shape=[kernel, kernel], strides=[stride, stride],
                         pads=[before, before, after, after], group=groups)

    def relu6(self, x, name):
        return self.node("Clip", [x], name, min=0.0, max=6.0)


def efficientnet_lite(weights, size, title):
    """An onnx.ModelProto: image (N,3,size,size) -> map (N,1280,h,w), embedding (N,1280), logits (N,classes)."""
    g = Graph(size)
    x = g.conv("image", "stem", fold(weights, "_conv_stem", "_bn0"), stride=2)
    x = g.relu6(x, "stem/relu6")

    stage, width = -1, None
    n_blocks = 1 + max(int(k.split(".")[1]) for k in weights if k.startswith("_blocks."))
    for i in range(n_blocks):
        at = f"_blocks.{i}."
        name = f"block{i:02d}"
        project = fold(weights, at + "_project_conv", at + "_bn2")
        first = project[0].shape[0] != width    # a stage begins where the width changes
        stage, width = stage + first, project[0].shape[0]
        stride = STAGE_STRIDES[stage] if first else 1
        short = x
        if at + "_expand_conv.weight" in weights:
            x = g.conv(x, name + "/expand", fold(weights, at + "_expand_conv", at + "_bn0"))
            x = g.relu6(x, name + "/expand/relu6")
        depth = fold(weights, at + "_depthwise_conv", at + "_bn1")
        x = g.conv(x, name + "/depth", depth, stride, groups=depth[0].shape[0])
        x = g.relu6(x, name + "/depth/relu6")
        x = g.conv(x, name + "/project", project)
        if not first:
            x = g.node("Add", [short, x], name + "/add")
    if stage + 1 != len(STAGE_STRIDES):
        raise ValueError(f"{stage + 1} stages, not {len(STAGE_STRIDES)}: not an EfficientNet-Lite")

    x = g.conv(x, "head", fold(weights, "_conv_head", "_bn1"))
    x = g.relu6(x, "map")
    x = g.node("GlobalAveragePool", [x], "pool")
    x = g.node("Flatten", [x], "embedding", axis=1)
    fc = [g.constant("fc/weight", weights["_fc.weight"]), g.constant("fc/bias", weights["_fc.bias"])]
    g.node("Gemm", [x] + fc, "logits", transB=1)

    dim, n_classes = weights["_fc.weight"].shape[1], weights["_fc.weight"].shape[0]

    def value(name, *shape):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", *shape])

    graph = helper.make_graph(g.nodes, title, [value("image", 3, size, size)],
                              [value("map", dim, g.size, g.size), value("embedding", dim), value("logits", n_classes)],
                              g.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="akin")
    model.ir_version = 8
    onnx.checker.check_model(model)
    return model
