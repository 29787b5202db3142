/** The server as its own process, and raters who talk to it over the network. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { start } from '../cli/daybreak.ts';

export interface Serving {
  readonly url: string;
  readonly child: ChildProcess;
}

/** Starts `daybreak mos serve` and waits for its link. */
export async function serving(study: string, port: number | string = 0): Promise<Serving> {
  const { child, ended } = start(['mos', 'serve', study, '--port', String(port)]);
  let said = '';
  const url = await new Promise<string>((found, fail) => {
    child.stdout?.on('data', chunk => {
      said += chunk;
      const link = /^http:\S+$/m.exec(said)?.[0];
      if (link) found(link);
    });
    ended.then(({ stderr }) => fail(new Error(`mos serve ended: ${stderr}`)), fail);
  });
  return { url, child };
}

/** Kills a server in the middle of whatever it does. */
export async function kill({ child }: Serving): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

/** What the server tells a rater's page. */
interface State {
  readonly stage: string;
  readonly place: number;
  readonly rater: number;
}

/** A rater's browser, reduced to its cookie: votes until the study ends, and asks again while there is no server. */
export class NetworkRater {
  readonly #base: () => string;
  #cookie = '';
  number = 0;
  /** Scores whose storing was acknowledged, by place. */
  readonly acknowledged: number[] = [];

  constructor(base: () => string) {
    this.#base = base;
  }

  /** Begins, and answers to the end. `score` gives the score of a place. */
  async run(score: (place: number) => number): Promise<void> {
    let state = await this.#ask('/api/raters', {});
    this.number = state.rater;
    while (state.stage !== 'done') {
      if (state.stage === 'welcome') throw new Error('the server forgot a rater');
      const { place } = state;
      if (state.stage === 'examples') {
        // A repeated request is a conflict if the one before was carried out: the state then tells.
        state = await this.#ask('/api/examples', { place });
        continue;
      }
      const given = score(place);
      const key = `${this.number}-${place}`.padStart(16, '0');
      state = await this.#ask('/api/votes', { place, score: given, key });
      this.acknowledged[place] = given;
    }
  }

  async #ask(path: string, body: object): Promise<State> {
    for (;;) {
      try {
        const response = await fetch(new URL(path, this.#base()), {
          method: 'POST',
          headers: { 'Content-Type': 'application/json', Cookie: this.#cookie },
          body: JSON.stringify(body),
        });
        this.#cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? this.#cookie;
        if (response.ok) return (await response.json()) as State;
        if (response.status === 429 || response.status >= 500) throw new Error('busy');
        const state = await fetch(new URL('/api/state', this.#base()), { headers: { Cookie: this.#cookie } });
        return (await state.json()) as State;
      } catch {
        await new Promise(done => setTimeout(done, 100));
      }
    }
  }
}
