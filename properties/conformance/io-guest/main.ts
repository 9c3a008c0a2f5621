/**
 * `node properties/conformance/io-guest/main.ts FILE`: writes the guest, for commands that reproduce a scenario with
 * it.
 */
import { writeFileSync } from 'node:fs';
import { ioGuest } from './guest.ts';

const [path] = process.argv.slice(2);
if (path === undefined) {
  console.error('usage: node properties/conformance/io-guest/main.ts FILE');
  process.exitCode = 2;
} else writeFileSync(path, ioGuest().bytes);
