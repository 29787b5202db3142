"""Golden values of norms, optimizers, schedules and small trainings by PyTorch: writes nn.json beside this file.

    python3 test/golden/nn.py

Inputs, weights and data are hashes of their positions (`numbers`), so that the file holds results alone.
"""
import json, math, os
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)


def numbers(shape, seed, scale=1.0, mean=0.0):
    """MurmurHash3's finalizer of position and seed, in [mean - scale, mean + scale), rounded to float32."""
    h = np.arange(int(np.prod(shape)), dtype=np.uint64) + np.uint64(seed * 0x9E3779B9 % 2**32)
    h &= np.uint64(0xFFFFFFFF)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1)):
        h ^= h >> np.uint64(shift)
        h = h * np.uint64(factor) & np.uint64(0xFFFFFFFF)
    x = ((h / 2.0**32) * 2 - 1) * scale + mean
    return torch.tensor(x.astype(np.float32).astype(np.float64).reshape(shape))


def listed(*tensors):
    return [float(f"{x:.9g}") for t in tensors for x in t.detach().reshape(-1).tolist()]


def norm(call, shape, parameters, mean=0.0):
    x = numbers(shape, 1, 1, mean).requires_grad_()
    w, b = numbers(parameters, 2).requires_grad_(), numbers(parameters, 3).requires_grad_()
    y = call(x, w, b)
    (y * numbers(shape, 4)).sum().backward()
    return dict(y=listed(y), x=listed(x.grad), weight=listed(w.grad), bias=listed(b.grad))


def trajectory(optimizer, **options):
    shapes = ((3, 5), (7,))
    parameters = [nn.Parameter(numbers(s, i)) for i, s in enumerate(shapes)]
    clip = options.pop("clip_value", None)
    norm = options.pop("clip_norm", None)
    made = optimizer(parameters, **options)
    for step in range(6):
        for i, p in enumerate(parameters):
            p.grad = numbers(p.shape, 10 * step + i + 5, 10.0 ** (step % 3 - 1))
        if norm: torch.nn.utils.clip_grad_norm_(parameters, norm)
        if clip: torch.nn.utils.clip_grad_value_(parameters, clip)
        made.step()
    return listed(*parameters)


def rates(scheduler, lr=0.5, steps=24):
    made = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=lr)
    s = scheduler(made)
    found = []
    for _ in range(steps):
        found.append(made.param_groups[0]["lr"])
        made.step()
        s.step()
    return found


def plateau(measured, **options):
    made = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    s = torch.optim.lr_scheduler.ReduceLROnPlateau(made, eps=0, **options)
    found = []
    for m in measured:
        s.step(m)
        found.append(made.param_groups[0]["lr"])
    return found


def hashed(net):
    """Weights as the tests set them: hashes within 1/sqrt(fan-in); vectors of norms stay 1 and 0."""
    for i, (name, p) in enumerate(net.named_parameters()):
        if p.dim() > 1:
            bound = 1 / math.sqrt(p[0].numel())
            p.data = numbers(p.shape, 100 + i, bound)
        elif not p.eq(1).all() and not p.eq(0).all():
            p.data = numbers(p.shape, 100 + i, 0.1)
    return net


def images(count, channels, size, classes, seed):
    """A pattern for each class, with noise."""
    labels = [(7 * i + 3) % classes for i in range(count)]
    patterns = numbers((classes, channels, size, size), seed, 0.7)
    return numbers((count, channels, size, size), seed + 1) + patterns[labels], torch.tensor(labels)


def curve(net, optimizer, x, labels, steps, batch, loss=F.cross_entropy):
    made = optimizer(net.parameters())
    found = []
    for step in range(steps):
        at = [(step * batch + k) % len(x) for k in range(batch)]
        made.zero_grad()
        value = loss(net(x[at]), labels[at])
        value.backward()
        made.step()
        found.append(float(f"{value.item():.9g}"))
    return found


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Sequential()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        return F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))) + self.shortcut(x))


class ResNet(nn.Module):
    """ResNet-18's shape for 32x32 images (He et al. 2016), narrow."""

    def __init__(self, width):
        super().__init__()
        self.conv = nn.Conv2d(3, width, 3, 1, 1, bias=False)
        self.bn = nn.BatchNorm2d(width)
        blocks, inputs = [], width
        for stage in range(4):
            for block in range(2):
                blocks.append(Block(inputs, width << stage, 2 if stage > 0 and block == 0 else 1))
                inputs = width << stage
        self.blocks = nn.Sequential(*blocks)
        self.fc = nn.Linear(inputs, 10)

    def forward(self, x):
        x = self.blocks(F.relu(self.bn(self.conv(x))))
        return self.fc(x.mean((2, 3)))


def classifier():
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(16 * 4 * 4, 32), nn.ReLU(), nn.Linear(32, 10),
    )


class Transformer(nn.Module):
    """A block of a transformer (Vaswani et al. 2017) with norms before, as in GPT-2."""

    def __init__(self, size, heads):
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(size)
        self.qkv = nn.Linear(size, 3 * size)
        self.project = nn.Linear(size, size)
        self.norm2 = nn.LayerNorm(size)
        self.up = nn.Linear(size, 4 * size)
        self.down = nn.Linear(4 * size, size)

    def forward(self, x):
        n, t, c = x.shape
        q, k, v = self.qkv(self.norm1(x)).reshape(n, t, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        mask = torch.triu(torch.full((t, t), -1e9), 1)
        a = torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(c // self.heads) + mask, -1) @ v
        x = x + self.project(a.permute(0, 2, 1, 3).reshape(n, t, c))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


def transformer():
    net = hashed(Transformer(12, 3))
    x = numbers((2, 5, 12), 50).requires_grad_()
    y = net(x)
    (y * numbers(y.shape, 51)).sum().backward()
    return dict(y=listed(y), x=listed(x.grad), **{name: listed(p.grad) for name, p in net.named_parameters()})


def autoencoder():
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(8, 4, 3, stride=2, padding=1), nn.ReLU(),
        nn.ConvTranspose2d(4, 8, 4, stride=2, padding=1), nn.ReLU(), nn.ConvTranspose2d(8, 1, 3, stride=2, padding=1, output_padding=1),
    )


O, L = torch.optim, torch.optim.lr_scheduler
digits, kinds = images(64, 1, 16, 10, 20)
colours, sorts = images(32, 3, 32, 10, 30)
STALLING = [5, 4, 3, 3, 3, 3.5, 3, 2.9999, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1]
MEASURED = [*STALLING[:4], float("nan"), *STALLING[4:]]
result = dict(
    torch=torch.__version__,
    norms=dict(
        layerNorm=norm(lambda x, w, b: F.layer_norm(x, (5, 4), w, b), (3, 5, 4), (5, 4), 10.0),
        groupNorm=norm(lambda x, w, b: F.group_norm(x, 3, w, b), (2, 6, 3, 2), (6,)),
        instanceNorm=norm(lambda x, w, b: F.instance_norm(x, weight=w, bias=b), (2, 3, 4, 2), (3,)),
    ),
    optimizers=dict(
        sgd=trajectory(O.SGD, lr=0.1),
        sgdNesterov=trajectory(O.SGD, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.1),
        sgdClipped=trajectory(O.SGD, lr=0.1, momentum=0.5, clip_value=0.3),
        sgdClippedTwice=trajectory(O.SGD, lr=0.1, clip_norm=2.0, clip_value=0.5),
        adam=trajectory(O.Adam),
        adamDecay=trajectory(O.Adam, lr=0.01, weight_decay=0.1),
        adamw=trajectory(O.AdamW, lr=0.01),
        adamwDecay=trajectory(O.AdamW, lr=0.01, weight_decay=0.3, betas=(0.8, 0.9), eps=1e-3),
        rmsprop=trajectory(O.RMSprop),
        rmspropMomentum=trajectory(O.RMSprop, lr=0.02, momentum=0.9, weight_decay=0.1, alpha=0.9),
        rmspropCentered=trajectory(O.RMSprop, lr=0.01, centered=True, momentum=0.5, eps=1e-3),
    ),
    schedules=dict(
        stepDecay=rates(lambda o: L.StepLR(o, 5)),
        multiStep=rates(lambda o: L.MultiStepLR(o, [3, 4, 20], 0.5)),
        exponential=rates(lambda o: L.ExponentialLR(o, 0.8)),
        cosine=rates(lambda o: L.CosineAnnealingLR(o, 23, 0.1)),
        polynomial=rates(lambda o: L.PolynomialLR(o, 10, 2)),
        plateau=plateau(MEASURED, factor=0.5, patience=2),
        plateauCooled=plateau([10 - m for m in MEASURED], factor=0.5, patience=1, cooldown=3, mode="max", min_lr=0.1),
    ),
    classifier=curve(hashed(classifier()), lambda p: O.Adam(p, lr=2e-3), digits, kinds, 100, 16),
    resnet=curve(hashed(ResNet(4)), lambda p: O.SGD(p, lr=0.005, momentum=0.9, weight_decay=5e-4), colours, sorts, 100, 16),
    transformer=transformer(),
    autoencoder=curve(hashed(autoencoder()), lambda p: O.Adam(p, lr=2e-3), digits, digits, 60, 16, F.mse_loss),
)
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "nn.json"), "w") as f:
    json.dump(result, f)
    f.write("\n")
for name in ("classifier", "resnet", "autoencoder"):
    print(name, result[name][:3], result[name][-3:])
