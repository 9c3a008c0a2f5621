import { describe, expect, it } from 'vitest';
import { judgeReception, type Numbered } from './reception.ts';
import { answersIn, echoRequests, sentPackets } from './sender.ts';

const RULE = { windowTicks: 1000, patienceTicks: 50 };
/** 100 packets, ten ticks apart: ten windows of ten would be 1000 ticks of 100; here one window holds 100. */
const packets = (count: number, every = 10): Numbered[] =>
  Array.from({ length: count }, (_, sequence) => ({ sequence, ticks: 5000 + sequence * every }));
const answers = (sent: readonly Numbered[], delay = 7) =>
  sent.map(({ sequence, ticks }) => ({ sequence, ticks: ticks + delay }));

describe('reception', () => {
  it('is right when every packet is answered', () => {
    const sent = packets(300);
    expect(judgeReception(sent, answers(sent), RULE)).toEqual({
      ok: true,
      sent: 300,
      answered: 300,
      worst: { fromTicks: 5000, share: 1 },
    });
  });

  it('may lose a tenth in every window, and not one packet more', () => {
    const sent = packets(300);
    const lose = (...lost: number[]) => answers(sent.filter(({ sequence }) => !lost.includes(sequence)));
    const ten = Array.from({ length: 10 }, (_, n) => 100 + n);
    expect(judgeReception(sent, lose(...ten), RULE)).toMatchObject({ ok: true, worst: { share: 0.9 } });
    expect(judgeReception(sent, lose(...ten, 199), RULE)).toMatchObject({
      ok: false,
      worst: { fromTicks: 6000, share: 0.89 },
    });
    // The same eleven, in two windows.
    expect(judgeReception(sent, lose(...ten, 200), RULE).ok).toBe(true);
  });

  it('takes an answer that comes too late, or before its packet, for none', () => {
    const sent = packets(100);
    expect(judgeReception(sent, answers(sent, 50), RULE).ok).toBe(true);
    expect(judgeReception(sent, answers(sent, 51), RULE)).toMatchObject({ ok: false, answered: 0 });
    expect(judgeReception(sent, answers(sent, -1), RULE)).toMatchObject({ ok: false, answered: 0 });
  });

  it('counts the first answer to a packet only', () => {
    const sent = packets(100);
    const twice = answers(sent.slice(0, 50));
    expect(judgeReception(sent, [...twice, ...twice], RULE)).toMatchObject({ ok: false, answered: 50 });
  });

  it('does not judge a last window with few packets', () => {
    const sent = packets(149);
    expect(judgeReception(sent, answers(sent.slice(0, 100)), RULE).ok).toBe(true);
    const half = packets(150);
    expect(judgeReception(half, answers(half.slice(0, 100)), RULE)).toMatchObject({ ok: false, worst: { share: 0 } });
  });

  it('of nothing is fine', () => {
    expect(judgeReception([], [], RULE)).toEqual({ ok: true, sent: 0, answered: 0, worst: undefined });
  });
});

describe('the outside sender', () => {
  const plan = { slot: 6, vmid: 2, fromTicks: 1_000_000, everyTicks: 1_000_000, count: 3 };
  const requests = echoRequests(plan);
  const frames = requests.flatMap(({ event }) => (event.kind === 'net' ? [event.bytes] : []));

  it('numbers its packets, one every millisecond', () => {
    expect(sentPackets(requests, 6)).toEqual(
      [0, 1, 2].map((sequence) => ({ sequence, ticks: (1 + sequence) * 1_000_000 })),
    );
    expect(sentPackets(requests, 5)).toEqual([]);
    // Ethernet, IPv4 and UDP to 10.0.2.102, port 7.
    expect(frames[0]!.subarray(0, 14)).toEqual(Uint8Array.of(0x52, 0x54, 0, 0, 0, 2, 0x52, 0x55, 10, 0, 2, 2, 8, 0));
    expect([...frames[0]!.subarray(30, 38)]).toEqual([10, 0, 2, 102, 4000 >> 8, 4000 & 0xff, 0, 7]);
  });

  it('knows an answer: addresses and ports have changed sides, the content has not', () => {
    const echo = frames[2]!.slice();
    echo.set(frames[2]!.subarray(6, 12), 0);
    echo.set(frames[2]!.subarray(0, 6), 6);
    echo.set(frames[2]!.subarray(26, 30), 30);
    echo.set(frames[2]!.subarray(30, 34), 26);
    echo.set(frames[2]!.subarray(34, 36), 36);
    echo.set(frames[2]!.subarray(36, 38), 34);
    const sent = (bytes: Uint8Array, slot = 6) => answersIn([{ ticks: 77, slot, bytes }], 6);
    expect(sent(echo)).toEqual([{ ticks: 77, sequence: 2 }]);
    expect(sent(echo, 5)).toEqual([]);
    expect(sent(frames[2]!)).toEqual([]);
    const damaged = echo.slice();
    damaged[60]! ^= 1;
    expect(sent(damaged)).toEqual([]);
  });
});
