"""PyTorch as a peer: on all cores available to this process, or on a CUDA GPU with --cuda. See protocol.ts.

--autocast: mixed precision, as users of a GPU turn it on. Otherwise float32, with TF32 off.
"""
import array
import base64
import json
import os
import sys
import time

# Threads sleep while they wait for each other, as all peers do with quiet waiting. By default OpenMP spins, which on a busy
# machine takes several times the CPU and wall time of the work. Read when the library is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from torch import nn  # noqa: E402

CUDA = "--cuda" in sys.argv
AUTOCAST = "--autocast" in sys.argv
DEVICE = torch.device("cuda" if CUDA else "cpu")
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
torch.backends.cuda.matmul.allow_tf32 = False
torch.backends.cudnn.allow_tf32 = False
torch.set_num_threads(CORES)


def autocast():
    return torch.autocast(DEVICE.type, enabled=AUTOCAST)


def finished():
    if CUDA:
        torch.cuda.synchronize()


class Block(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.conv1 = nn.Conv2d(n, n, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(n)
        self.prelu = nn.PReLU(n)
        self.conv2 = nn.Conv2d(n, n, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(n)

    def forward(self, x):
        return self.bn2(self.conv2(self.prelu(self.bn1(self.conv1(x))))) + x


class Stage(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.conv = nn.Conv2d(n, 4 * n, 3, padding=1)
        self.shuffle = nn.PixelShuffle(2)
        self.prelu = nn.PReLU(n)

    def forward(self, x):
        return self.prelu(self.shuffle(self.conv(x)))


class SRResNet(nn.Module):
    def __init__(self, blocks, n):
        super().__init__()
        self.conv_in = nn.Conv2d(3, n, 9, padding=4)
        self.prelu_in = nn.PReLU(n)
        self.blocks = nn.Sequential(*[Block(n) for _ in range(blocks)])
        self.conv_mid = nn.Conv2d(n, n, 3, padding=1, bias=False)
        self.bn_mid = nn.BatchNorm2d(n)
        self.up = nn.Sequential(Stage(n), Stage(n))
        self.conv_out = nn.Conv2d(n, 3, 9, padding=4)

    def forward(self, x):
        first = self.prelu_in(self.conv_in(x))
        return self.conv_out(self.up(self.bn_mid(self.conv_mid(self.blocks(first))) + first))


class ResidualBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Sequential()
        if stride == 2:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x):
        return F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))) + self.shortcut(x))


class ResNet(nn.Module):
    """ResNet-18's shape for 32x32 pictures (He et al. 2016)."""

    def __init__(self, width, classes):
        super().__init__()
        self.conv = nn.Conv2d(3, width, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(width)
        widths = [factor * width for factor in (1, 1, 1, 2, 2, 4, 4, 8, 8)]
        pairs = zip(widths, widths[1:])
        self.blocks = nn.Sequential(*[ResidualBlock(a, b, 1 if a == b else 2) for a, b in pairs])
        self.fc = nn.Linear(8 * width, classes)

    def forward(self, x):
        return self.fc(self.blocks(F.relu(self.bn(self.conv(x)))).mean((2, 3)))


class Convolution:
    def __init__(self, work, backward, given):
        def make(name, *shape):
            return given[name].to(DEVICE) if given else torch.rand(shape, device=DEVICE) * 2 - 1

        n, cin, cout = work["batch"], work["inputs"], work["outputs"]
        h, w = work["height"], work["width"]
        self.backward = backward
        self.x = make("x", n, cin, h, w).requires_grad_(backward)
        self.weight = make("weight", cout, cin, 3, 3).requires_grad_(backward)
        self.dy = make("dy", n, cout, h, w)

    def once(self):
        with torch.set_grad_enabled(self.backward), autocast():
            self.y = F.conv2d(self.x, self.weight, padding=1)
        if self.backward:
            self.dx, self.dweight = torch.autograd.grad(self.y, (self.x, self.weight), self.dy.to(self.y.dtype))

    def run(self, count):
        for _ in range(count):
            self.once()
        finished()

    def results(self):
        names = ("y", "dx", "dweight") if self.backward else ("y",)
        return {name: getattr(self, name).detach().float().cpu() for name in names}


class Update:
    """Updates of a network; subclasses make `optimizer` and `loss()`."""

    def __init__(self, net, given, data):
        self.net = net
        if given:
            # All parameters by name; running statistics are not part of the peers' inputs.
            parameters = dict(self.net.named_parameters())
            weights = {name: given[name] for name in given if name not in data}
            if weights.keys() != parameters.keys():
                raise ValueError("other parameters than expected: " + str(weights.keys() ^ parameters.keys()))
            self.net.load_state_dict(weights, strict=False)
        self.net.to(DEVICE).train()
        self.scaler = torch.cuda.amp.GradScaler() if CUDA and AUTOCAST else None
        self.losses = []

    def once(self):
        self.optimizer.zero_grad()
        with autocast():
            loss = self.loss()
        if self.scaler:
            self.scaler.scale(loss).backward()
            self.scaler.step(self.optimizer)
            self.scaler.update()
        else:
            loss.backward()
            self.optimizer.step()
        self.losses.append(loss.item())

    def run(self, count):
        for _ in range(count):
            self.once()
        finished()

    def results(self):
        return {"losses": torch.tensor(self.losses)}


class Training(Update):
    def __init__(self, work, given):
        super().__init__(SRResNet(work["blocks"], work["channels"]), given, ("lr", "hr"))
        side = work["crop"] // 4
        if given:
            self.lr, self.hr = given["lr"].to(DEVICE), given["hr"].to(DEVICE)
        else:
            self.lr = torch.rand(work["batch"], 3, side, side, device=DEVICE)
            self.hr = torch.rand(work["batch"], 3, 4 * side, 4 * side, device=DEVICE) * 2 - 1
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=work["learningRate"])

    def loss(self):
        return F.mse_loss(self.net(self.lr), self.hr)


class Classifying(Update):
    def __init__(self, work, given):
        super().__init__(ResNet(work["width"], work["classes"]), given, ("images", "labels"))
        if given:
            self.images, self.labels = given["images"].to(DEVICE), given["labels"].long().to(DEVICE)
        else:
            self.images = torch.rand(work["batch"], 3, 32, 32, device=DEVICE) * 2 - 1
            self.labels = torch.arange(work["batch"], device=DEVICE) % work["classes"]
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=work["learningRate"], momentum=0.9)

    def loss(self):
        return F.cross_entropy(self.net(self.images), self.labels)


def decode(encoded):
    def tensor(entry):
        return torch.tensor(array.array("f", base64.b64decode(entry["base64"]))).reshape(entry["shape"])

    return {name: tensor(entry) for name, entry in encoded.items()}


def encode(results):
    def entry(tensor):
        flat = array.array("f", tensor.flatten().tolist())
        return {"shape": list(tensor.shape), "base64": base64.b64encode(flat.tobytes()).decode()}

    return {name: entry(tensor) for name, tensor in results.items()}


def prepare(request, given=None):
    work = request["work"]
    if work["kind"] == "training":
        return Training(work, given)
    if work["kind"] == "classifying":
        return Classifying(work, given)
    return Convolution(work, request["pass"] == "forward+grads", given)


def run(prepared, repeats, flight, idle):
    together = repeats if isinstance(prepared, Update) else flight
    wall, cpu = time.perf_counter(), time.process_time()
    idle_ms, idle_cpu_ms = (wall - idle[0]) * 1e3, (cpu - idle[1]) * 1e3
    left = repeats
    while left > 0:
        prepared.run(min(left, together))
        left -= together
    return {
        "ms": (time.perf_counter() - wall) * 1e3,
        "cpuMs": (time.process_time() - cpu) * 1e3,
        "calls": None,
        "idleMs": idle_ms,
        "idleCpuMs": idle_cpu_ms,
    }


def main():
    def reply(content):
        print("@reply " + json.dumps(content), flush=True)

    where = torch.cuda.get_device_name() if CUDA else f"CPU, {CORES} threads"
    reply(
        {
            "version": torch.__version__,
            "adapter": where,
            "software": not CUDA,
            "passes": ["forward", "forward+grads", "step"],
        }
    )
    prepared = None
    idle = (time.perf_counter(), time.process_time())
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if request["do"] == "check":
                checked = prepare(request, decode(request["arrays"]))
                checked.run(request["steps"])
                answer = {"arrays": encode(checked.results())}
            elif request["do"] == "prepare":
                prepared = prepare(request)
                answer = {}
            elif request["do"] == "run":
                answer = run(prepared, request["repeats"], request["flight"], idle)
            else:
                prepared = None
                answer = {}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        reply(answer)
        idle = (time.perf_counter(), time.process_time())


main()
