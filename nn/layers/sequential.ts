/** Layers one after another. */
import { ArgumentError, nameOf } from '../../engine/basics/errors.ts';
import { type Tensor, tidy } from '../../engine/tensor.ts';
import { Module } from '../module.ts';

/** Layers one after another. Their state is named by their position: `0.weight`. */
export class Sequential extends Module {
  readonly #layers: readonly Module[];

  constructor(...layers: readonly Module[]) {
    super();
    const wrong = layers.findIndex(layer => !(layer instanceof Module));
    if (wrong >= 0)
      throw new ArgumentError('Sequential', `expected layer ${wrong} to be a module, got ${nameOf(layers[wrong])}.`);
    this.#layers = layers.map((layer, i) => this.register(String(i), layer));
  }

  /** The layers in order. */
  get layers(): readonly Module[] {
    return this.#layers;
  }

  forward(x: Tensor): Tensor {
    if (this.#layers.length === 0) return x.alias();
    return tidy(() => this.#layers.reduce((y, layer) => layer.forward(y), x));
  }
}
