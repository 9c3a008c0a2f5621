import { buildArch } from './build.ts';

/** vitest global set-up: tests run the TypeScript sources, but the wasm core must be compiled first. */
export default function setup(): void {
  buildArch();
}
