/**
 * Network cables that lead outside while a run is recorded: each is a UDP socket on the loopback interface, and a
 * datagram is an Ethernet frame, as with QEMU's `-netdev dgram`. What comes in becomes recorded inputs; a replay opens
 * no socket. Anybody on this host can send to the port: what they send is data for the guest, nothing more.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { UserError } from '../../engine/index.ts';
import type { LiveNetwork } from '../base/index.ts';

/** One cable. */
export interface UdpCable {
  /** Virtio slot of the network device. */
  readonly slot: number;
  /** Port on 127.0.0.1 to listen on. */
  readonly port: number;
  /** Port on 127.0.0.1 to send to; without one, whoever sent last. */
  readonly peer?: number;
}

const HOST = '127.0.0.1';
/** Frames that wait until the guest has room for them. A datagram cannot be held back any further: more are lost. */
const MAX_WAITING = 256;

export interface UdpNetwork extends LiveNetwork {
  /** Frames that came in and that the guest did not take: lost, or still waiting. */
  readonly notTaken: number;
  close(): void;
}

/** Opens the cables. @throws UserError when a port is taken or not allowed */
export async function openUdpNetwork(cables: readonly UdpCable[]): Promise<UdpNetwork> {
  const waiting: { slot: number; bytes: Uint8Array }[] = [];
  let lost = 0;
  const plugs = new Map<number, { socket: Socket; peer: number | undefined }>();
  const close = () => {
    for (const { socket } of plugs.values()) socket.close();
    plugs.clear();
  };
  try {
    for (const { slot, port, peer } of cables) {
      const plug = { socket: await bind(port), peer };
      plugs.set(slot, plug);
      plug.socket.on('message', (bytes, from) => {
        if (peer === undefined) plug.peer = from.port;
        if (waiting.length < MAX_WAITING) waiting.push({ slot, bytes: Uint8Array.from(bytes) });
        else lost++;
      });
      // A peer that is not there answers with ICMP errors: the frame is lost.
      plug.socket.on('error', () => {});
    }
  } catch (error) {
    close();
    throw error;
  }
  return {
    next(takes) {
      const full = new Set<number>();
      const at = waiting.findIndex(({ slot, bytes }) => {
        const isNext = !full.has(slot) && takes(slot, bytes.length);
        if (!isNext) full.add(slot);
        return isNext;
      });
      return at < 0 ? undefined : waiting.splice(at, 1)[0];
    },
    get notTaken() {
      return lost + waiting.length;
    },
    send(slot, bytes) {
      const plug = plugs.get(slot);
      if (plug?.peer !== undefined) plug.socket.send(bytes, plug.peer, HOST);
    },
    close,
  };
}

const REASONS: Record<string, string> = {
  EADDRINUSE: 'it is in use; choose another port, or end the program that has it',
  EACCES: 'it needs privileges; choose a port from 1024 on',
};

async function bind(port: number): Promise<Socket> {
  const socket = createSocket('udp4');
  try {
    const listening = once(socket, 'listening');
    socket.bind(port, HOST);
    await listening;
    return socket;
  } catch (error) {
    socket.close();
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw new UserError(`cannot listen on UDP port ${port} of ${HOST}: ${REASONS[code] ?? message}`);
  }
}
