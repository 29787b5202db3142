"""Golden values of SRCNN, ESPCN, VDSR and DRCN, and of SGD, by PyTorch in float64: writes networks.safetensors beside this file.

    python3 test/golden/networks.py

For each network: weights, an input, a target that only its inner pixels are compared with, every layer's output, and the
gradients of the mean squared error. DRCN's loss is that of deep supervision with alpha 0.7.
"""
import json, os, struct
import torch
import torch.nn.functional as F

torch.manual_seed(7)
torch.set_default_dtype(torch.float64)
tensors = {}


def save(name, value):
    tensors[name] = value.detach().to(torch.float32)


def weights(shapes):
    made = {}
    for name, shape in shapes:
        fan_in = max(1, int(torch.tensor(shape[1:]).prod())) if len(shape) > 1 else 4
        made[name] = (torch.randn(shape) * (1.5 / fan_in) ** 0.5).to(torch.float32).to(torch.float64).requires_grad_()
    return made


def convs(widths, kernels):
    shapes = []
    for i, k in enumerate(kernels):
        shapes += [(f"convs.{i}.weight", (widths[i + 1], widths[i], k, k)), (f"convs.{i}.bias", (widths[i + 1],))]
    return shapes


def srcnn(w, x, valid):
    layers = []
    for i, k in enumerate((9, 3, 5)):
        p = k // 2
        x = x if valid else F.pad(x, (p, p, p, p), mode="replicate")
        x = F.conv2d(x, w[f"convs.{i}.weight"], w[f"convs.{i}.bias"])
        x = F.relu(x) if i < 2 else x
        layers.append(x)
    return layers


def espcn(w, x, valid):
    layers = []
    for i, k in enumerate((5, 3, 3)):
        x = F.conv2d(x, w[f"convs.{i}.weight"], w[f"convs.{i}.bias"], padding=0 if valid else k // 2)
        x = torch.tanh(x) if i < 2 else F.pixel_shuffle(x, 4)
        layers.append(x)
    return layers


def vdsr(w, x, valid):
    layers, y = [], x
    for i in range(3):
        y = F.conv2d(y, w[f"convs.{i}.weight"], w[f"convs.{i}.bias"], padding=1)
        y = F.relu(y) if i < 2 else y + x
        layers.append(y)
    return layers


def conv(w, name, x):
    return F.conv2d(x, w[f"{name}.weight"], w[f"{name}.bias"], padding=1)


def drcn(w, x, valid):
    h = F.relu(conv(w, "embedding.1", F.relu(conv(w, "embedding.0", x))))
    predictions = []
    for _ in range(3):
        h = F.relu(conv(w, "recursion", h))
        predictions.append(conv(w, "reconstruction.1", F.relu(conv(w, "reconstruction.0", h))))
    residuals = torch.cat(predictions, 1)
    return [residuals + x, x + (residuals * w["weights"].view(1, -1, 1, 1)).sum(1, keepdim=True)]


def centre(target, output):
    top = (target.shape[2] - output.shape[2]) // 2
    return target[:, :, top : top + output.shape[2], top : top + output.shape[3]]


NETWORKS = {
    "srcnn": (srcnn, convs((1, 4, 3, 1), (9, 3, 5)), 16, 16),
    "espcn": (espcn, convs((1, 4, 3, 16), (5, 3, 3)), 10, 40),
    "vdsr": (vdsr, convs((1, 4, 4, 1), (3, 3, 3)), 8, 8),
    "drcn": (
        drcn,
        [(f"{n}.{p}", s) for n, o, i in (("embedding.0", 4, 1), ("embedding.1", 4, 4), ("recursion", 4, 4), ("reconstruction.0", 4, 4), ("reconstruction.1", 1, 4)) for p, s in (("weight", (o, i, 3, 3)), ("bias", (o,)))]
        + [("weights", (3,))],
        8,
        8,
    ),
}
for name, (run, shapes, side, target_side) in NETWORKS.items():
    w = weights(shapes)
    x = torch.rand(2, 1, side, side).to(torch.float32).to(torch.float64)
    target = torch.rand(2, 1, target_side, target_side).to(torch.float32).to(torch.float64)
    layers = run(w, x, False)
    inner = run(w, x, True)
    if name == "drcn":
        loss = 0.7 * ((inner[0] - target) ** 2).mean() + 0.3 * ((inner[1] - target) ** 2).mean()
    else:
        loss = ((inner[-1] - centre(target, inner[-1])) ** 2).mean()
    loss.backward()
    for key, value in w.items():
        save(f"{name}.weights.{key}", value)
        save(f"{name}.grad.{key}", value.grad)
    save(f"{name}.input", x)
    save(f"{name}.target", target)
    save(f"{name}.loss", loss)
    for i, layer in enumerate(layers):
        save(f"{name}.layer.{i}", layer)

# SGD: two parameters, the second at a tenth of the rate, values of gradients limited to theta / lr = 0.5.
first, second = (torch.randn(5, 3).requires_grad_(), torch.randn(4).requires_grad_())
sgd = torch.optim.SGD([dict(params=[first]), dict(params=[second], lr=0.01)], lr=0.1, momentum=0.9, weight_decay=0.05)
save("sgd.first", first)
save("sgd.second", second)
for step in range(4):
    for key, parameter in (("first", first), ("second", second)):
        parameter.grad = torch.randn_like(parameter)
        save(f"sgd.{key}.grad.{step}", parameter.grad)
    torch.nn.utils.clip_grad_value_([first, second], 0.5)
    sgd.step()
    save(f"sgd.first.{step}", first)
    save(f"sgd.second.{step}", second)

header, offset = {"__metadata__": {"torch": torch.__version__}}, 0
for name, value in tensors.items():
    size = value.numel() * 4
    header[name] = dict(dtype="F32", shape=list(value.shape), data_offsets=[offset, offset + size])
    offset += size
text = json.dumps(header).encode()
text += b" " * (-len(text) % 8)
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "networks.safetensors"), "wb") as f:
    f.write(struct.pack("<Q", len(text)) + text)
    for value in tensors.values():
        f.write(value.contiguous().numpy().tobytes())
