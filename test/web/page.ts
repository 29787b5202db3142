/** The script of the page that the test opens in a browser: computes, and posts what came out to where it came from. */
import { compute } from './computation.ts';

const post = (outcome: object) => fetch('/outcome', { method: 'POST', body: JSON.stringify(outcome) });

try {
  await post({ results: await compute() });
} catch (error) {
  await post({ problem: error instanceof Error ? (error.stack ?? error.message) : String(error) });
}
