/**
 * The outside sender of set-ups with a network: UDP echo requests (RFC 862) to a guest `netbench`, one every so many
 * ticks, numbered; and what of the frames that left the machine answers them.
 * Relies on the addresses of engine/subject/guests/netbench.c: 10.0.2.(100 + VMID) at 52:54:00:00:00:VMID, port 7.
 */
import { ipv4Frame, readFrame, readUdp, udpDatagram } from '../../../engine/index.ts';
import type { TimedInput } from '../../../replay/index.ts';
import type { SentFrame } from './observe.ts';
import type { Numbered } from './reception.ts';

export interface EchoPlan {
  /** Virtio slot of the network device whose cable leads outside. */
  readonly slot: number;
  /** VMID of the guest that answers. */
  readonly vmid: number;
  readonly fromTicks: number;
  /** The papers: one packet a millisecond. */
  readonly everyTicks: number;
  readonly count: number;
}

/** 10.0.2.2 at 52:55:0a:00:02:02, where QEMU's user network has its gateway. */
const SENDER = { mac: Uint8Array.of(0x52, 0x55, 10, 0, 2, 2), ip: Uint8Array.of(10, 0, 2, 2) };
const ECHO_PORT = 7;
const SENDER_PORT = 4000;
const PROTOCOL_UDP = 17;
/** Number in the first four bytes, then bytes that count up. */
const PAYLOAD_BYTES = 64;

/** The sender's packets, as inputs of a set-up. */
export function echoRequests({ slot, vmid, fromTicks, everyTicks, count }: EchoPlan): TimedInput[] {
  const guest = { mac: Uint8Array.of(0x52, 0x54, 0, 0, 0, vmid), ip: Uint8Array.of(10, 0, 2, 100 + vmid) };
  return Array.from({ length: count }, (_, sequence) => {
    const payload = Uint8Array.from({ length: PAYLOAD_BYTES }, (_, n) => n & 0xff);
    new DataView(payload.buffer).setUint32(0, sequence);
    const datagram = udpDatagram(SENDER, guest, { fromPort: SENDER_PORT, toPort: ECHO_PORT, payload });
    const bytes = ipv4Frame(SENDER, guest, PROTOCOL_UDP, datagram);
    return { ticks: fromTicks + sequence * everyTicks, event: { kind: 'net', slot, bytes } };
  });
}

/** The sender's packets among the inputs of a set-up. */
export const sentPackets = (inputs: readonly TimedInput[], slot: number): Numbered[] =>
  inputs.flatMap(({ ticks, event }) =>
    event.kind === 'net' && event.slot === slot
      ? numbered(ticks, event.bytes, ({ toPort }) => toPort === ECHO_PORT)
      : [],
  );

/** What of the frames that left the machine answers them. Damaged answers are none. */
export const answersIn = (frames: readonly SentFrame[], slot: number): Numbered[] =>
  frames.flatMap(({ ticks, slot: from, bytes }) =>
    from === slot
      ? numbered(ticks, bytes, ({ fromPort, toPort }) => fromPort === ECHO_PORT && toPort === SENDER_PORT)
      : [],
  );

function numbered(
  ticks: number,
  frame: Uint8Array,
  isWanted: (ports: { readonly fromPort: number; readonly toPort: number }) => boolean,
): Numbered[] {
  const packet = frame.length >= 14 ? readFrame(frame) : undefined;
  const datagram = packet?.kind === 'ipv4' && packet.protocol === PROTOCOL_UDP ? readUdp(packet.payload) : undefined;
  if (!datagram || !isWanted(datagram) || datagram.payload.length !== PAYLOAD_BYTES) return [];
  const { payload } = datagram;
  if (payload.some((byte, n) => n >= 4 && byte !== (n & 0xff))) return [];
  return [{ ticks, sequence: new DataView(payload.buffer, payload.byteOffset).getUint32(0) }];
}
