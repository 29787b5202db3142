/** A classifier of public layers alone: timed against other engines, and trained beside its PyTorch twin by the tests. */
import { type Tensor, tidy } from '../engine/tensor.ts';
import { add, globalAvgPool2d, relu } from '../kernels/index.ts';
import { BatchNorm2d, Conv2d, Linear, Module, Sequential } from '../nn/index.ts';

/** Two convolutions around which the input goes. */
class Block extends Module {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly shortcut: Sequential;

  constructor(inputs: number, outputs: number, stride: number) {
    super();
    this.conv1 = new Conv2d(inputs, outputs, 3, { stride, padding: 1, bias: false });
    this.bn1 = new BatchNorm2d(outputs);
    this.conv2 = new Conv2d(outputs, outputs, 3, { padding: 1, bias: false });
    this.bn2 = new BatchNorm2d(outputs);
    this.shortcut =
      stride === 1 && inputs === outputs
        ? new Sequential()
        : new Sequential(new Conv2d(inputs, outputs, 1, { stride, bias: false }), new BatchNorm2d(outputs));
  }

  forward(x: Tensor): Tensor {
    return tidy(() => {
      const inner = relu(this.bn1.forward(this.conv1.forward(x)));
      return relu(add(this.bn2.forward(this.conv2.forward(inner)), this.shortcut.forward(x)));
    });
  }
}

/** ResNet-18's shape for pictures of 32×32 (He et al. 2016); its first stage has `width` channels. */
export class ResNet extends Module {
  readonly conv: Conv2d;
  readonly bn: BatchNorm2d;
  readonly blocks: Sequential;
  readonly fc: Linear;

  constructor(width: number, classes: number) {
    super();
    this.conv = new Conv2d(3, width, 3, { padding: 1, bias: false });
    this.bn = new BatchNorm2d(width);
    const widths = [1, 1, 2, 2, 4, 4, 8, 8].map(factor => factor * width);
    this.blocks = new Sequential(
      ...widths.map((outputs, i) => {
        const inputs = widths[i - 1] ?? width;
        return new Block(inputs, outputs, inputs === outputs ? 1 : 2);
      }),
    );
    this.fc = new Linear(8 * width, classes);
  }

  forward(x: Tensor): Tensor {
    return tidy(() => {
      const features = this.blocks.forward(relu(this.bn.forward(this.conv.forward(x))));
      return this.fc.forward(globalAvgPool2d(features));
    });
  }
}
