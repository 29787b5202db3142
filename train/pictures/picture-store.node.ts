/** Stores decoded pictures: in memory up to a budget, and all of them in a scratch file beyond it. */
import type { Channels, Picture } from '../../image/picture.ts';
import type { PictureIdentity } from './identity.ts';
import type { PictureLocation } from './packed-crops.node.ts';
import { ScratchFile } from './scratch-file.node.ts';
import type { TrainingPicture } from './training-picture.node.ts';

/** A picture in a scratch file. Each access reads its bytes again; they belong to the caller. */
export class PackedPicture implements TrainingPicture {
  readonly name: string;
  readonly files: readonly PictureIdentity[] | undefined;
  readonly location: PictureLocation;
  readonly #file: ScratchFile;
  readonly #channels: { readonly hr: Channels; readonly lr: Channels };

  constructor(
    { name, files }: Pick<TrainingPicture, 'name' | 'files'>,
    location: PictureLocation,
    file: ScratchFile,
    channels: { readonly hr: Channels; readonly lr: Channels } = { hr: 3, lr: 3 },
  ) {
    this.name = name;
    this.files = files;
    this.location = location;
    this.#file = file;
    this.#channels = channels;
  }

  get hr(): Picture {
    const { width, height, hr } = this.location;
    return this.#read(width, height, this.#channels.hr, hr);
  }

  get lr(): Picture {
    const { width, height, lr } = this.location;
    return this.#read(width / 4, height / 4, this.#channels.lr, lr);
  }

  #read(width: number, height: number, channels: Channels, position: number): Picture {
    return { width, height, channels, data: this.#file.read(position, width * height * channels) };
  }
}

/** All pictures of a set, in a scratch file. */
export interface PackedPictures {
  readonly locations: readonly PictureLocation[];
  readonly file: ScratchFile;
}

export interface StoreOptions {
  /** Maximum bytes of pictures in memory. */
  readonly budget: number;
  /** Folder of the scratch file. */
  readonly folder: string;
  /**
   * Called when the budget is exceeded, with the estimated size of the scratch file and the free space on its disk, in
   * bytes.
   */
  readonly onSpill?: ((estimate: number, free: number) => void) | undefined;
}

export class PictureStore implements Disposable {
  readonly #options: StoreOptions;
  readonly #expected: number;
  #pictures = new Map<number, TrainingPicture>();
  #bytes = 0;
  #file: Promise<ScratchFile> | undefined;

  /** `expected`: the number of pictures to come, for the estimate of the scratch file's size. */
  constructor(expected: number, options: StoreOptions) {
    this.#expected = expected;
    this.#options = options;
  }

  /** Bytes of pictures in memory; never more than the budget. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Adds a picture; one that crops will be taken from must be RGB.
   * @param number its position; numbers may come in any order.
   * @throws ScratchFileError
   */
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

  /** Moves all pictures from memory to a new scratch file. `next`: size of the picture that exceeds the budget. */
  async #spill(next: number): Promise<ScratchFile> {
    const held = [...this.#pictures];
    const file = await ScratchFile.create(this.#options.folder);
    try {
      const estimate = ((this.#bytes + next) / (held.length + 1)) * this.#expected;
      this.#options.onSpill?.(estimate, await file.free());
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
    const location = { width: hr.width, height: hr.height, hr: begin, lr: begin + hr.data.length };
    this.#pictures.set(number, new PackedPicture(picture, location, file, { hr: hr.channels, lr: lr.channels }));
  }

  /** The pictures ordered by number; `packed` is set if they are in a scratch file. */
  async all(): Promise<{ readonly pictures: readonly TrainingPicture[]; readonly packed?: PackedPictures }> {
    const pictures = [...this.#pictures].sort(([a], [b]) => a - b).map(([, picture]) => picture);
    const file = await this.#file;
    if (!file) return { pictures };
    const locations = pictures.flatMap(picture => (picture instanceof PackedPicture ? [picture.location] : []));
    return { pictures, packed: { locations, file } };
  }

  /** Closes the scratch file; pictures in it can no longer be read. */
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
