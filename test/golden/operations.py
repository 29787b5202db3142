"""Golden values of operations by PyTorch in float64: writes operations.safetensors beside this file.

    python3 test/golden/operations.py

Each case has inputs (rounded to float32), an output, and the gradients of sum(output * gy). Edge cases put NaN, infinities, zeros of
both signs and ties through.
"""
import json, os, struct
import torch
import torch.nn.functional as F

torch.manual_seed(11)
torch.set_default_dtype(torch.float64)
nan, inf = float("nan"), float("inf")
tensors, cases = {}, []


def rounded(value):
    return torch.as_tensor(value).to(torch.float32).to(torch.float64)


def case(name, op, inputs, call, attrs={}, grads=None):
    """`grads` names the inputs that are differentiated, by default all."""
    inputs = {key: rounded(value) for key, value in inputs.items()}
    grads = list(inputs) if grads is None else grads
    for key in grads:
        inputs[key].requires_grad_()
    out = call(**inputs)
    out = out.to(torch.float64)
    for key, value in inputs.items():
        tensors[f"{name}.in.{key}"] = value
    tensors[f"{name}.out"] = out
    if grads:
        gy = rounded(torch.rand(out.shape) + 0.5)
        tensors[f"{name}.gy"] = gy
        (out * gy).sum().backward()
        for key in grads:
            tensors[f"{name}.grad.{key}"] = inputs[key].grad
    cases.append(dict(name=name, op=op, attrs=attrs, inputs=list(inputs), grads=grads))


EDGES = [nan, inf, -inf, 0.0, -0.0, 1.0, -1.0, 0.5, 2.5, -2.5, 100.0, -100.0]
SMALL = [1e-6, -1e-4, 0.2, -0.7, 1.3, -1.9, 2.2, -2.7, 3.0, -3.0, 3.4, -4.1]

# One input.
UNARY = {
    "floor": torch.floor, "ceil": torch.ceil, "round": torch.round, "sin": torch.sin, "cos": torch.cos, "erf": torch.erf,
    "expm1": torch.expm1, "silu": F.silu, "hardSigmoid": F.hardsigmoid, "softsign": F.softsign,
}
for name, f in UNARY.items():
    case(name, name, dict(x=SMALL), lambda x: f(x))
    case(f"{name}.edges", name, dict(x=EDGES), lambda x: f(x))
case("sin.large", "sin", dict(x=[1e3, -1e5, 12345678.0, 1e15, 1e30, -3e38]), lambda x: torch.sin(x))
case("cos.large", "cos", dict(x=[1e3, -1e5, 12345678.0, 1e15, 1e30, -3e38]), lambda x: torch.cos(x))
for approximate in ("none", "tanh"):
    case(f"gelu.{approximate}", "gelu", dict(x=SMALL), lambda x: F.gelu(x, approximate=approximate), dict(approximate=approximate))
case("gelu.edges", "gelu", dict(x=EDGES[:10]), lambda x: F.gelu(x), dict(approximate="none"))
for alpha in (1.0, 0.3):
    case(f"elu.{alpha}", "elu", dict(x=EDGES + SMALL), lambda x: F.elu(x, alpha), dict(alpha=alpha))
for low, high in ((-0.5, None), (None, 1.0), (-inf, 1.0), (0.0, inf), (1.0, -1.0)):
    case(
        f"clamp.{low}.{high}", "clampBounds", dict(x=EDGES), lambda x: torch.clamp(x, low, high),
        {key: str(value) for key, value in (("min", low), ("max", high)) if value is not None},
    )

# Two inputs: all pairs of edges.
PAIRS = dict(a=torch.tensor(EDGES).reshape(-1, 1), b=EDGES)
for name, f in {"maximum": torch.maximum, "minimum": torch.minimum}.items():
    case(name, name, PAIRS, lambda a, b: f(a, b))
for name, f in {
    "equal": torch.eq, "notEqual": torch.ne, "less": torch.lt, "lessEqual": torch.le, "greater": torch.gt,
    "greaterEqual": torch.ge, "logicalAnd": torch.logical_and, "logicalOr": torch.logical_or,
}.items():
    case(name, name, PAIRS, lambda a, b: f(a, b), grads=[])
case("logicalNot", "logicalNot", dict(x=EDGES), lambda x: torch.logical_not(x), grads=[])
case("pow", "pow2", dict(a=torch.rand(4, 5) * 3, b=torch.randn(5) * 2), lambda a, b: torch.pow(a, b))
case("pow.edges", "pow2", PAIRS, lambda a, b: torch.pow(a, b))
for base in (0.0, 2.5):
    case(f"pow.{base}", "powOf", dict(x=[-1.5, 0.0, 0.5, 2.0, 7.0]), lambda x: torch.pow(base, x), dict(base=base))
NUMBERS = {
    "addNumber": lambda x: 1.5 + x, "subNumber": lambda x: 1.5 - x, "mulNumber": lambda x: 1.5 * x, "divNumber": lambda x: 1.5 / x,
}
for name, f in NUMBERS.items():
    case(name, name, dict(x=EDGES), f, dict(number=1.5))

# Reductions.
X = torch.randn(3, 4, 5)
TIED = torch.tensor([[1.0, 3.0, 3.0, 2.0], [nan, 1.0, nan, 0.0], [-inf, -inf, -inf, -inf], [inf, 1.0, inf, -inf]])
ZEROS = torch.tensor([[0.0, 2.0, 3.0], [0.0, 0.0, 5.0], [1.5, -2.0, 3.0]])
for axes, keep in (([1], False), ([0, 2], True), ([0, 1, 2], False)):
    tag = "".join(map(str, axes))
    attrs = dict(axes=axes, keepDims=keep)
    case(f"max.{tag}", "max", dict(x=X), lambda x: torch.amax(x, axes, keep), attrs)
    case(f"min.{tag}", "min", dict(x=X), lambda x: torch.amin(x, axes, keep), attrs)
    case(f"logSumExp.{tag}", "logSumExp", dict(x=X * 4), lambda x: torch.logsumexp(x, axes, keep), attrs)
    for correction in (0, 1):
        more = dict(attrs, correction=correction)
        case(f"variance.{tag}.{correction}", "variance", dict(x=X + 3), lambda x: torch.var(x, axes, correction=correction, keepdim=keep), more)
        case(f"std.{tag}.{correction}", "std", dict(x=X + 3), lambda x: torch.std(x, axes, correction=correction, keepdim=keep), more)
LAST = dict(axes=[1], keepDims=False)
case("max.ties", "max", dict(x=TIED), lambda x: torch.amax(x, [1]), LAST)
case("min.ties", "min", dict(x=TIED), lambda x: torch.amin(x, [1]), LAST)
case("logSumExp.edges", "logSumExp", dict(x=TIED), lambda x: torch.logsumexp(x, [1]), LAST)
case("prod", "prod", dict(x=X), lambda x: torch.prod(x, 1), LAST)
case("prod.zeros", "prod", dict(x=ZEROS), lambda x: torch.prod(x, 1), LAST)
case("variance.one", "variance", dict(x=[[1.0], [2.0]]), lambda x: torch.var(x, [1], correction=1), dict(LAST, correction=1))
case("std.equal", "std", dict(x=[[2.0, 2.0], [1.0, 3.0]]), lambda x: torch.std(x, [1], correction=1), dict(LAST, correction=1))
for name, f in {"argmax": torch.argmax, "argmin": torch.argmin}.items():
    case(f"{name}.1", name, dict(x=X), lambda x: f(x, 1), dict(axis=1), grads=[])
    case(f"{name}.ties", name, dict(x=TIED), lambda x: f(x, 1), dict(axis=1), grads=[])
for name, f in {"softmax": F.softmax, "logSoftmax": F.log_softmax}.items():
    case(f"{name}.1", name, dict(x=X * 4), lambda x: f(x, 1), dict(axis=1))
    case(f"{name}.edges", name, dict(x=TIED), lambda x: f(x, -1), dict(axis=-1))
    case(f"{name}.large", name, dict(x=[[1000.0, 999.0, 0.0], [-1000.0, -1001.0, -1002.0]]), lambda x: f(x, -1), dict(axis=-1))

# Losses.
LOGITS, CLASSES = torch.randn(6, 4) * 2, torch.tensor([0, 3, 1, 1, 2, 0])
IMAGES, PIXELS = torch.randn(2, 3, 2, 2), torch.tensor([[[0, 2], [1, 1]], [[2, 2], [0, 1]]])
for reduction in ("mean", "sum", "none"):
    attrs = dict(reduction=reduction)
    case(f"nllLoss.{reduction}", "nllLoss", dict(x=LOGITS, target=CLASSES), lambda x, target: F.nll_loss(x, target.long(), reduction=reduction), attrs, ["x"])
    for ignore, smoothing in ((-100, 0.0), (1, 0.0), (1, 0.3)):
        more = dict(attrs, ignoreIndex=ignore, labelSmoothing=smoothing)
        tag = f"{reduction}.{ignore}.{smoothing}"
        case(
            f"crossEntropy.{tag}", "crossEntropy", dict(x=LOGITS, target=CLASSES),
            lambda x, target: F.cross_entropy(x, target.long(), reduction=reduction, ignore_index=ignore, label_smoothing=smoothing),
            more, ["x"],
        )
    case(f"crossEntropy.pixels.{reduction}", "crossEntropy", dict(x=IMAGES, target=PIXELS), lambda x, target: F.cross_entropy(x, target.long(), reduction=reduction), attrs, ["x"])
    more = dict(attrs, labelSmoothing=0.2)
    case(f"crossEntropy.probabilities.{reduction}", "crossEntropy", dict(x=IMAGES, target=torch.softmax(torch.randn(2, 3, 2, 2), 1)), lambda x, target: F.cross_entropy(x, target, reduction=reduction, label_smoothing=0.2), more)
    A, B = dict(input=EDGES[3:] + [0.3], target=[0.0] * 9 + [0.3]), dict(input=torch.randn(5, 3) * 2, target=torch.randn(5, 3))
    for tag, pair in (("edges", A), ("random", B)):
        case(f"huberLoss.{tag}.{reduction}", "huberLoss", pair, lambda input, target: F.huber_loss(input, target, reduction=reduction, delta=0.5), dict(attrs, delta=0.5))
        case(f"smoothL1Loss.{tag}.{reduction}", "smoothL1Loss", pair, lambda input, target: F.smooth_l1_loss(input, target, reduction=reduction, beta=2.5), dict(attrs, beta=2.5))
case("crossEntropy.ignored", "crossEntropy", dict(x=LOGITS, target=torch.full((6,), 2)), lambda x, target: F.cross_entropy(x, target.long(), ignore_index=2), dict(ignoreIndex=2), ["x"])

# Movement.
PARTS = torch.randn(2, 7, 3)
for axis in (0, 1, -1):
    case(f"stack.{axis}", "stack", dict(a=X, b=X * 2, c=-X), lambda a, b, c: torch.stack([a, b, c], axis), dict(axis=axis))
case("stack.scalars", "stack", dict(a=nan, b=2.0), lambda a, b: torch.stack([a, b]), dict(axis=0))
for part in range(3):
    case(f"split.sizes.{part}", "split", dict(x=PARTS), lambda x: torch.split(x, [4, 1, 2], 1)[part], dict(sizes=[4, 1, 2], axis=1, part=part))
    case(f"split.{part}", "split", dict(x=PARTS), lambda x: torch.split(x, 3, -2)[part], dict(sizes=3, axis=-2, part=part))
# 7 in 5 parts are 4.
case("chunk.last", "chunk", dict(x=PARTS), lambda x: torch.chunk(x, 5, 1)[3], dict(count=5, axis=1, part=3))
case("chunk.more", "chunk", dict(x=PARTS), lambda x: torch.chunk(x, 9, 0)[1], dict(count=9, axis=0, part=1))
ONES = torch.randn(1, 3, 1, 2)
case("squeeze", "squeeze", dict(x=ONES), lambda x: torch.squeeze(x))
for axis in (0, 1, -2):
    case(f"squeeze.{axis}", "squeeze", dict(x=ONES), lambda x: torch.squeeze(x, axis), dict(axes=axis))
    case(f"unsqueeze.{axis}", "unsqueeze", dict(x=X), lambda x: torch.unsqueeze(x, axis), dict(axis=axis))
for first, last in ((0, -1), (1, -1), (0, 1), (1, 1)):
    case(f"flatten.{first}.{last}", "flatten", dict(x=X), lambda x: torch.flatten(x, first, last), dict(first=first, last=last))
case("flatten.scalar", "flatten", dict(x=2.0), lambda x: torch.flatten(x), dict(first=0, last=-1))
for axes in ([0], [-1, 1], []):
    case(f"flip.{axes}", "flip", dict(x=X), lambda x: torch.flip(x, axes), dict(axes=axes))
case("flip.edges", "flip", dict(x=EDGES), lambda x: torch.flip(x, [0]), dict(axes=[0]))
case("slice.steps", "slice", dict(x=PARTS), lambda x: x[0:2:1, 1:7:3, 0:3:2], dict(start=[0, 1, 0], end=[2, 7, 3], step=[1, 3, 2]))
case("slice.long", "slice", dict(x=EDGES), lambda x: x[2:12:20], dict(start=[2], end=[12], step=[20]))
for left, right in ((1, 2), (3, 0), (3, 3)):
    case(
        f"pad.circular.{left}.{right}", "pad", dict(x=torch.randn(1, 2, 4, 3)), lambda x: F.pad(x, (left, right, right, left), mode="circular"),
        dict(padding=[[0, 0], [0, 0], [right, left], [left, right]], mode="circular"),
    )

# Indices: repeated ones, smaller than x, and longer along the axis.
for axis in (0, 1, -1):
    shape = [2, 3, 4]
    shape[axis] = 7
    index = torch.randint(0, X.shape[axis], shape)
    attrs = dict(axis=axis)
    case(f"gather.{axis}", "gather", dict(x=X, index=index), lambda x, index: torch.gather(x, axis, index.long()), attrs, ["x"])
    case(
        f"scatterAdd.{axis}", "scatterAdd", dict(x=X, index=index, source=torch.randn(shape)),
        lambda x, index, source: torch.scatter_add(x, axis, index.long(), source), attrs, ["x", "source"],
    )
    # PyTorch has no gradient here.
    case(
        f"scatterAdd.part.{axis}", "scatterAdd", dict(x=X, index=index, source=torch.randn(7, 7, 7)),
        lambda x, index, source: torch.scatter_add(x, axis, index.long(), source), attrs, [],
    )
    line = torch.randint(0, X.shape[axis], (6,))
    case(f"indexSelect.{axis}", "indexSelect", dict(x=X, index=line), lambda x, index: torch.index_select(x, axis, index.long()), attrs, ["x"])
    case(f"cumsum.{axis}", "cumsum", dict(x=X), lambda x: torch.cumsum(x, axis), attrs)
case("gather.edges", "gather", dict(x=EDGES, index=[0, 0, 1, 4, 11, 4]), lambda x, index: torch.gather(x, 0, index.long()), dict(axis=0), ["x"])
case("cumsum.edges", "cumsum", dict(x=EDGES[::-1]), lambda x: torch.cumsum(x, 0), dict(axis=0))
case("cumsum.long", "cumsum", dict(x=torch.rand(1000)), lambda x: torch.cumsum(x, 0), dict(axis=0))
case("oneHot", "oneHot", dict(index=[[0, 3], [1, 1]]), lambda index: F.one_hot(index.long(), 5), dict(classes=5), [])
case("embedding", "embedding", dict(weight=torch.randn(5, 3), index=[[0, 4, 4], [4, 0, 2]]), lambda weight, index: F.embedding(index.long(), weight), {}, ["weight"])

# Products.
SHAPES = [((3,), (3,)), ((3,), (3, 2)), ((4, 3), (3,)), ((2, 4, 3), (3,)), ((3,), (2, 3, 4)), ((2, 4, 3), (3, 5)), ((4, 3), (2, 3, 5)), ((2, 1, 4, 3), (5, 3, 2)), ((1, 1), (2, 1, 1))]
for left, right in SHAPES:
    case(f"matmul.{left}.{right}", "matmul", dict(a=torch.randn(left), b=torch.randn(right)), lambda a, b: torch.matmul(a, b))
A, B = torch.randn(2, 3, 4), torch.randn(2, 4, 3)
for equation, operands in {
    "bij,bjk->bik": (A, B), "bij,bjk": (A, B), "bij,bkj": (A, A), "bij,bij->b": (A, A), "bij,bij->ij": (A, A), "bij,kji->": (A, B),
    "aij,bij->ab": (A, A), "Bij,aij": (A, A), "bij, bjk -> k b": (A, B), "bij->jb": (A,), "jib": (A,), "bij->": (A,), "bij->i": (A,),
    "ii": (torch.randn(4, 4),), "ii->i": (torch.randn(4, 4),), "iji->ji": (torch.randn(3, 2, 3),), "iii->i": (torch.randn(3, 3, 3),),
    "i,j->ij": (torch.randn(3), torch.randn(4)), "i,i": (torch.randn(3), torch.randn(3)), ",i->i": (torch.tensor(2.0), torch.randn(3)),
    "ij,jk->ik": (torch.randn(3, 1), torch.randn(4, 2)), "bi,bi->bi": (torch.randn(2, 3), torch.randn(1, 3)),
}.items():
    case(f"einsum.{equation}", "einsum", dict(zip("ab", operands)), lambda **x: torch.einsum(equation, *x.values()), dict(equation=equation))
# Convolutions, pools and resizing. Their numbers do not depend on the cases above.
torch.manual_seed(12)


def convolution(name, x, weight, bias, attrs, call):
    shapes = dict(x=x, weight=weight, bias=bias) if bias else dict(x=x, weight=weight)
    case(name, name.split(".")[0], {key: torch.randn(shape) for key, shape in shapes.items()}, call, attrs)


def conv2d(tag, x, weight, bias, **attrs):
    def call(x, weight, bias=None):
        padding = attrs.get("padding", 0)
        rest = {key: value for key, value in attrs.items() if key != "padding"}
        if isinstance(padding, list) and isinstance(padding[0], list):
            x, padding = F.pad(x, padding[1] + padding[0]), 0
        return F.conv2d(x, weight, bias, padding=padding, **rest)
    convolution(f"conv2d.{tag}", x, weight, bias, attrs, call)


conv2d("rectangle", [2, 3, 7, 8], [4, 3, 2, 3], [4], stride=[2, 1], padding=[0, 2])
conv2d("asymmetric", [1, 3, 7, 6], [4, 3, 3, 3], [4], padding=[[2, 0], [0, 1]])
conv2d("same", [1, 3, 7, 6], [4, 3, 4, 3], None, padding="same", dilation=[1, 2])
conv2d("valid", [1, 3, 7, 6], [4, 3, 3, 3], None, padding="valid")
conv2d("dilation", [1, 3, 9, 8], [4, 3, 3, 2], [4], padding=2, dilation=[2, 3])
conv2d("groups", [2, 6, 6, 5], [4, 3, 3, 3], [4], padding=1, groups=2)
conv2d("depthwise", [2, 5, 9, 8], [5, 1, 3, 3], [5], padding=1, groups=5)
conv2d("depthwise.stride", [2, 3, 9, 8], [6, 1, 5, 3], None, stride=2, padding=[2, 1], groups=3)
for tag, x, weight, bias, attrs in (
    ("stride", [2, 3, 4, 5], [3, 4, 3, 3], [4], dict(stride=2, padding=1, outputPadding=1)),
    ("plain", [1, 3, 4, 5], [3, 2, 2, 3], None, dict()),
    ("dilation", [1, 4, 3, 4], [4, 2, 2, 3], [4], dict(stride=[1, 2], dilation=[3, 1], padding=[1, 0], outputPadding=[2, 1], groups=2)),
    ("depthwise", [2, 3, 4, 5], [3, 2, 4, 4], [6], dict(stride=2, padding=1, groups=3)),
):
    torch_names = {dict(outputPadding="output_padding").get(key, key): value for key, value in attrs.items()}
    convolution(f"convTranspose2d.{tag}", x, weight, bias, attrs, lambda x, weight, bias=None: F.conv_transpose2d(x, weight, bias, **torch_names))
convolution("conv1d", [2, 4, 9], [6, 2, 3], [6], dict(stride=2, padding=2, dilation=2, groups=2), lambda x, weight, bias: F.conv1d(x, weight, bias, 2, 2, 2, 2))
convolution("conv1d.same", [1, 2, 7], [3, 2, 4], None, dict(padding="same"), lambda x, weight: F.conv1d(x, weight, padding="same"))

IMAGE = torch.randn(1, 2, 7, 8)
TIED_IMAGE = torch.tensor([[1, 1, nan, 0, 2], [1, 0, nan, 2, 2], [-inf, -inf, 0, -0.0, 3], [-inf, -inf, 3, 3, inf]]).reshape(1, 1, 4, 5)
for tag, kernel, options in (
    ("stride", 3, dict(stride=2)),
    ("rectangle", [2, 3], dict(stride=[1, 2], padding=[1, 0])),
    ("ceil", 3, dict(stride=2, padding=1, ceil_mode=True)),
    ("ceil.far", 2, dict(stride=3, padding=1, ceil_mode=True)),
):
    attrs = dict({dict(ceil_mode="ceilMode").get(key, key): value for key, value in options.items()}, kernel=kernel)
    for suffix, x in (("", IMAGE), (".ties", TIED_IMAGE)):
        case(f"maxPool2d.{tag}{suffix}", "maxPool2d", dict(x=x), lambda x: F.max_pool2d(x, kernel, **options), attrs)
    for counted in (True, False):
        case(f"avgPool2d.{tag}.{counted}", "avgPool2d", dict(x=IMAGE), lambda x: F.avg_pool2d(x, kernel, **options, count_include_pad=counted), dict(attrs, countIncludePad=counted))
case("maxPool2d.dilation", "maxPool2d", dict(x=IMAGE), lambda x: F.max_pool2d(x, [3, 2], 1, 1, [2, 3], True), dict(kernel=[3, 2], stride=1, padding=1, dilation=[2, 3], ceilMode=True))
for size in (1, [3, 5], [7, 8], [9, 2]):
    case(f"adaptiveAvgPool2d.{size}", "adaptiveAvgPool2d", dict(x=IMAGE), lambda x: F.adaptive_avg_pool2d(x, size), dict(size=size))
    case(f"adaptiveMaxPool2d.{size}", "adaptiveMaxPool2d", dict(x=IMAGE), lambda x: F.adaptive_max_pool2d(x, size), dict(size=size))
case("adaptiveMaxPool2d.ties", "adaptiveMaxPool2d", dict(x=TIED_IMAGE), lambda x: F.adaptive_max_pool2d(x, 3), dict(size=3))
LINE = torch.randn(2, 3, 9)
case("maxPool1d", "maxPool1d", dict(x=LINE), lambda x: F.max_pool1d(x, 3, 2, 1, 2, True), dict(kernel=3, stride=2, padding=1, dilation=2, ceilMode=True))
case("avgPool1d", "avgPool1d", dict(x=LINE), lambda x: F.avg_pool1d(x, 4, 3, 1, True, False), dict(kernel=4, stride=3, padding=1, ceilMode=True, countIncludePad=False))

for mode in ("nearest", "bilinear", "bicubic"):
    for align in (False, True) if mode != "nearest" else (None,):
        for target in (
            dict(size=[11, 3]), dict(size=[1, 16]), dict(size=[7, 8]), dict(scaleFactor=2.0), dict(scaleFactor=[2.6, 0.7]),
            dict(scaleFactor=[1.1, 1.9]), dict(scaleFactor=[0.34, 4.0]),
        ):
            attrs = dict(target, mode=mode, **({} if align is None else dict(alignCorners=align)))
            tag = ".".join(str(value) for value in attrs.values())
            scale = target.get("scaleFactor")
            # Where rows keep their number, the gradient of PyTorch's nearest neighbour is not that of its result.
            grads = [] if mode == "nearest" and scale == [1.1, 1.9] else None
            case(
                f"interpolate.{tag}", "interpolate", dict(x=IMAGE),
                lambda x: F.interpolate(x, target.get("size"), tuple(scale) if isinstance(scale, list) else scale, mode, align, False), attrs, grads,
            )

# Weights of classes. Drawn last, so that the cases above keep their numbers.
WEIGHT = torch.tensor([0.5, 2.0, 0.0, 1.5])
PIXEL_WEIGHT = torch.tensor([0.5, 2.0, 1.5])
for reduction in ("mean", "sum", "none"):
    attrs = dict(reduction=reduction)
    case(f"nllLoss.weight.{reduction}", "nllLoss", dict(x=LOGITS, target=CLASSES, weight=WEIGHT), lambda x, target, weight: F.nll_loss(x, target.long(), weight, reduction=reduction), attrs, ["x"])
    for ignore, smoothing in ((-100, 0.0), (1, 0.3)):
        more = dict(attrs, ignoreIndex=ignore, labelSmoothing=smoothing)
        case(
            f"crossEntropy.weight.{reduction}.{ignore}.{smoothing}", "crossEntropy", dict(x=LOGITS, target=CLASSES, weight=WEIGHT),
            lambda x, target, weight: F.cross_entropy(x, target.long(), weight, reduction=reduction, ignore_index=ignore, label_smoothing=smoothing),
            more, ["x"],
        )
    more = dict(attrs, labelSmoothing=0.2)
    case(f"crossEntropy.weight.probabilities.{reduction}", "crossEntropy", dict(x=IMAGES, target=torch.softmax(torch.randn(2, 3, 2, 2), 1), weight=PIXEL_WEIGHT), lambda x, target, weight: F.cross_entropy(x, target, weight, reduction=reduction, label_smoothing=0.2), more, ["x", "target"])

header, offset = {"__metadata__": {"torch": torch.__version__, "cases": json.dumps(cases)}}, 0
for name, value in tensors.items():
    size = value.numel() * 4
    header[name] = dict(dtype="F32", shape=list(value.shape), data_offsets=[offset, offset + size])
    offset += size
text = json.dumps(header).encode()
text += b" " * (-len(text) % 8)
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "operations.safetensors"), "wb") as f:
    f.write(struct.pack("<Q", len(text)) + text)
    for value in tensors.values():
        f.write(value.detach().to(torch.float32).contiguous().numpy().tobytes())
