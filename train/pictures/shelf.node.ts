/** Where pictures rest once they are read: in memory up to a budget, all of them in a scratch file beyond it. */
import type { Channels, Picture } from '../../image/picture.ts';
import type { PictureIdentity } from './identity.ts';
import type { PackedPlace } from './packed-crops.node.ts';
import { ScratchFile } from './scratch-file.node.ts';
import type { TrainingPicture } from './training-picture.node.ts';

/** A picture in a scratch file. Its bytes are read anew whenever they are asked for, and belong to who asked. */
export class PackedPicture implements TrainingPicture {
  readonly name: string;
  readonly files: readonly PictureIdentity[] | undefined;
  readonly place: PackedPlace;
  readonly #file: ScratchFile;
  readonly #channels: { readonly hr: Channels; readonly lr: Channels };

  constructor(
    { name, files }: Pick<TrainingPicture, 'name' | 'files'>,
    place: PackedPlace,
    file: ScratchFile,
    channels: { readonly hr: Channels; readonly lr: Channels } = { hr: 3, lr: 3 },
  ) {
    this.name = name;
    this.files = files;
    this.place = place;
    this.#file = file;
    this.#channels = channels;
  }

  get hr(): Picture {
    const { width, height, hr } = this.place;
    return this.#read(width, height, this.#channels.hr, hr);
  }

  get lr(): Picture {
    const { width, height, lr } = this.place;
    return this.#read(width / 4, height / 4, this.#channels.lr, lr);
  }

  #read(width: number, height: number, channels: Channels, position: number): Picture {
    return { width, height, channels, data: this.#file.read(position, width * height * channels) };
  }
}

/** All pictures of a set, in a file. */
export interface PackedPictures {
  readonly places: readonly PackedPlace[];
  readonly file: ScratchFile;
}

export interface ShelfOptions {
  /** Bytes of pictures that may rest in memory. */
  readonly budget: number;
  /** Of the scratch file. */
  readonly folder: string;
  /** The budget is exceeded: how large the scratch file will be, about, and what its disk has left; bytes. */
  readonly onSpill?: ((about: number, free: number) => void) | undefined;
}

export class PictureShelf implements Disposable {
  readonly #options: ShelfOptions;
  readonly #expected: number;
  #pictures = new Map<number, TrainingPicture>();
  #bytes = 0;
  #file: Promise<ScratchFile> | undefined;

  /** `expected`: pictures that will come, to guess the whole from the first ones. */
  constructor(expected: number, options: ShelfOptions) {
    this.#expected = expected;
    this.#options = options;
  }

  /** Bytes in memory: never more than the budget. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes a picture; those that crops are to be taken from are RGB. Numbers may come in any order. @throws ScratchFileError */
  async put(number: number, picture: TrainingPicture): Promise<void> {
    const size = sizeOf(picture);
    if (!this.#file && this.#bytes + size <= this.#options.budget) {
      this.#pictures.set(number, picture);
      this.#bytes += size;
      return;
    }
    this.#file ??= this.#spill(size);
    await this.#pack(number, picture, await this.#file);
  }

  /** Moves what was kept so far. */
  async #spill(next: number): Promise<ScratchFile> {
    const held = [...this.#pictures];
    const file = await ScratchFile.create(this.#options.folder);
    try {
      const about = ((this.#bytes + next) / (held.length + 1)) * this.#expected;
      this.#options.onSpill?.(about, await file.free());
      for (const [number, picture] of held) {
        await this.#pack(number, picture, file);
        this.#bytes -= sizeOf(picture);
      }
      return file;
    } catch (error) {
      file.dispose();
      throw error;
    }
  }

  async #pack(number: number, picture: TrainingPicture, file: ScratchFile): Promise<void> {
    const { hr, lr } = picture;
    const begin = await file.append([hr.data, lr.data]);
    const place = { width: hr.width, height: hr.height, hr: begin, lr: begin + hr.data.length };
    this.#pictures.set(number, new PackedPicture(picture, place, file, { hr: hr.channels, lr: lr.channels }));
  }

  /** The pictures in the order of their numbers; `packed` where they lie in a scratch file. */
  async all(): Promise<{ readonly pictures: readonly TrainingPicture[]; readonly packed?: PackedPictures }> {
    const pictures = [...this.#pictures].sort(([a], [b]) => a - b).map(([, picture]) => picture);
    const file = await this.#file;
    if (!file) return { pictures };
    const places = pictures.flatMap(picture => (picture instanceof PackedPicture ? [picture.place] : []));
    return { pictures, packed: { places, file } };
  }

  /** Closes the scratch file: pictures in it are gone. */
  dispose(): void {
    this.#file?.then(
      file => file.dispose(),
      () => undefined,
    );
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

const sizeOf = ({ hr, lr }: TrainingPicture): number => hr.data.length + lr.data.length;
