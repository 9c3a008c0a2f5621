import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createMachine, UserError, type VirtioConfig } from '../engine/index.ts';
import { diffTraces } from './compare/diff.ts';
import { configFromTrace } from './container/config.ts';
import { DRIVERS, image, VIRTIO } from './devices.fixtures.ts';
import { openUdpNetwork } from './record/live-network.ts';
import { machineOf, traceStore } from './replay.fixtures.ts';
import { openTimeline } from './timeline/index.ts';
import { replayTrace } from './verify/verify.ts';

const config = machineOf(DRIVERS, { harts: 1, virtio: VIRTIO, seed: 3n, wallClock: 1_000_000_000 });
const frame = (letter: string) => new Uint8Array(60).fill(letter.charCodeAt(0));
const framesAt = (moment: number, letter: string) => ({
  trigger: { kind: 'moment' as const, moment },
  event: { kind: 'net' as const, slot: 6, bytes: frame(letter) },
});
const store = traceStore();

describe('recording a machine with devices', () => {
  it('keeps devices, disks and frames in the trace, and replays them', async () => {
    const planned = [framesAt(400_000, 'a'), framesAt(405_000, 'b'), framesAt(500_000, 'q')];
    const trace = await store.take({
      config,
      planned,
      maxMoment: 2_000_000,
      digestEvery: 20_000,
      checkpointEvery: 100_000,
    });
    expect(trace.end?.reason).toBe('halted pass 0');
    expect(String.fromCharCode(...trace.console.map(({ byte }) => byte))).toBe('abq');
    expect(configFromTrace(trace)).toEqual(config);
    expect(trace.header.images.map(({ role }) => role)).toEqual(['bios', 'drive0']);
    expect(replayTrace(trace)).toMatchObject({ ok: true });
    const full = trace.checkpoint(trace.checkpoints.length - 1);
    const disk = [...full.pages].find(([index]) => index >= 2 ** 28)!;
    expect([disk[1].bytes[3 * 512], disk[1].bytes[3 * 512 + 8], disk[1].bytes[0]]).toEqual([1, 3, 9]);
  });

  it('travels back to before a sector was written', async () => {
    const trace = await store.take({ config, maxMoment: 300_000, digestEvery: 50_000, checkpointEvery: 50_000 });
    const travel = openTimeline(trace);
    travel.seek(300_000);
    expect(travel.machine.snapshot().pages.has(8 * 2 ** 28)).toBe(true);
    travel.seek(100);
    expect(travel.machine.snapshot().pages.has(8 * 2 ** 28)).toBe(false);
    travel.seek(300_000);
    expect(travel.machine.digest()).toBe(trace.end!.digest);
  });

  it('says which devices two runs have', async () => {
    const short = { maxMoment: 1000 };
    const a = await store.take({ ...short, config });
    const readOnly: VirtioConfig = { kind: 'block', slot: 7, image, readOnly: true, serial: 'abc' };
    const other = { ...config, seed: 4n, virtio: [readOnly, ...VIRTIO.slice(1, 3)] };
    const b = await store.take({ ...short, config: other });
    expect(configFromTrace(b)).toEqual(other);
    expect(diffTraces(a, b).machine.map(({ name }) => name)).toEqual(['device seed', 'devices']);
  });

  it('exchanges frames with the outside while it records, and needs no outside to replay', async () => {
    const sent: string[] = [];
    let polls = 0;
    const network = {
      next: () => (++polls % 3 === 0 ? { slot: 6, bytes: frame(polls < 9 ? 'x' : 'q') } : undefined),
      send: (slot: number, bytes: Uint8Array) => void sent.push(`${slot} ${String.fromCharCode(bytes[20]!)}`),
    };
    const trace = await store.take({ config, network, maxMoment: 20_000_000 });
    expect(trace.end?.reason).toBe('halted pass 0');
    expect(sent.slice(0, 3)).toEqual(['6 x', '6 x', '6 q']);
    expect(trace.inputs.filter(({ kind }) => kind === 'net').length).toBeGreaterThanOrEqual(3);
    expect(replayTrace(trace)).toMatchObject({ ok: true });
  });
});

describe('a sender of frames', () => {
  it('is held back until the device has room, before its driver is up and after', async () => {
    const letters = `${'abcdefgh'.repeat(6)}q`;
    const frames = Array.from(letters, (letter) => ({
      slot: 6,
      bytes: new Uint8Array(1500).fill(letter.charCodeAt(0)),
    }));
    const network = {
      next: (takes: (slot: number, frameBytes: number) => boolean) => (takes(6, 1500) ? frames.shift() : undefined),
      send: () => {},
    };
    const trace = await store.take({ config, network, maxMoment: 20_000_000, digestEvery: 10 ** 6 });
    expect(String.fromCharCode(...trace.console.map(({ byte }) => byte))).toBe(letters);
    expect(frames).toEqual([]);
    expect(replayTrace(trace)).toMatchObject({ ok: true });
  });
});

describe('cables over UDP', () => {
  const listening = async () => {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return socket;
  };
  const freePort = async () => {
    const socket = await listening();
    const { port } = socket.address();
    socket.close();
    await once(socket, 'close');
    return port;
  };
  /** Waits for the host, but not for ever. */
  const until = async (isSo: () => boolean) => {
    for (let n = 0; n < 200 && !isSo(); n++) await setTimeout(10);
  };

  it('carry frames both ways on the loopback interface, and refuse a port in use', async () => {
    const peer = await listening();
    const taken = peer.address().port;
    await expect(openUdpNetwork([{ slot: 6, port: taken }])).rejects.toThrow(UserError);
    await expect(openUdpNetwork([{ slot: 6, port: taken }])).rejects.toThrow(/it is in use; choose another port/);
    const port = await freePort();
    const network = await openUdpNetwork([{ slot: 6, port, peer: taken }]);
    const heard: number[] = [];
    peer.on('message', (bytes) => {
      heard.push(bytes[20]!);
      peer.send(bytes, port, '127.0.0.1');
    });
    const frames: number[] = [];
    const machine = createMachine(config);
    machine.run({ moment: 400_000 });
    machine.onEvent = (event) => {
      if (event.kind === 'net') network.send(event.slot, event.bytes);
    };
    machine.apply({ kind: 'net', slot: 6, bytes: frame('u') });
    machine.run({ moment: 500_000 });
    await until(() => {
      const got = network.next(() => true);
      if (got) frames.push(got.bytes[20]!);
      return frames.length > 0;
    });
    network.close();
    // The port is free again.
    (await openUdpNetwork([{ slot: 6, port }])).close();
    peer.close();
    expect([heard, frames]).toEqual([['u'.charCodeAt(0)], ['u'.charCodeAt(0)]]);
  });

  it.each([true, false])('lead to the port that was named, else to whoever sent last (named: %s)', async (isNamed) => {
    const [first, last] = [await listening(), await listening()];
    const port = await freePort();
    const cable = { slot: 6, port, ...(isNamed && { peer: first.address().port }) };
    const network = await openUdpNetwork([cable]);
    for (const sender of [first, last]) {
      sender.send(frame('i'), port, '127.0.0.1');
      await until(() => network.next(() => true) !== undefined);
    }
    const heard: string[] = [];
    first.on('message', () => heard.push('first'));
    last.on('message', () => heard.push('last'));
    network.send(6, frame('o'));
    await until(() => heard.length > 0);
    for (const it of [network, first, last]) it.close();
    expect(heard).toEqual([isNamed ? 'first' : 'last']);
  });
});
