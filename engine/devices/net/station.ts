/**
 * The station that the built-in network has for company: 10.0.2.2 at 52:55:0a:00:02:02, where QEMU's user network has
 * its gateway. A sink and a source of traffic that depends on nothing but virtual time:
 *   ARP and ping  answered
 *   UDP port 7    echo (RFC 862)
 *   UDP port 9    discard (RFC 863); counted
 *   UDP port 19   source: a datagram of count u32, interval in µs u32, size u16 (big endian) is answered by `count`
 *                 datagrams of `size` bytes, one each interval: sequence number u32, then bytes that count up. A new
 *                 order replaces the one before.
 * It is a device without registers: its place on the board gives it a record and a deadline.
 */
import { offsetOf } from '../../core/index.ts';
import { type Device, NEVER, type Port } from '../device.ts';
import { placeRecord } from '../record.ts';
import { getWide, setWide } from '../words.ts';
import {
  type Address,
  arpReply,
  destinationOf,
  echoReply,
  ipv4,
  isMulticast,
  isSame,
  PROTOCOL_ICMP,
  PROTOCOL_UDP,
  readFrame,
  readUdp,
  udp,
} from './packet.ts';

const SELF: Address = { mac: Uint8Array.of(0x52, 0x55, 10, 0, 2, 2), ip: Uint8Array.of(10, 0, 2, 2) };
const PORT_ECHO = 7;
const PORT_DISCARD = 9;
const PORT_SOURCE = 19;
const ORDER_BYTES = 10;
const TICKS_PER_US = 1000;
const MAX_PAYLOAD_BYTES = 1472;
const SEQUENCE_BYTES = 4;

const record = placeRecord('station', [
  { name: 'due', type: 'u64', doc: 'tick of the next datagram of the source' },
  { name: 'left', type: 'u32', doc: 'datagrams that the source still owes' },
  { name: 'intervalUs', type: 'u32', doc: 'between them' },
  { name: 'sizeBytes', type: 'u32', doc: 'of each' },
  { name: 'sequence', type: 'u32', doc: 'of the next' },
  { name: 'toPort', type: 'u32', doc: 'who ordered them' },
  { name: 'discarded', type: 'u32', doc: 'bytes received at the discard port, modulo 2^32' },
  { name: 'toMac', type: 'u8', count: 6, doc: 'who ordered them' },
  { name: 'toIp', type: 'u8', count: 4, doc: 'who ordered them' },
]);
const DUE = offsetOf(record, 'due');
const LEFT = offsetOf(record, 'left');
const INTERVAL = offsetOf(record, 'intervalUs');
const SIZE = offsetOf(record, 'sizeBytes');
const SEQUENCE = offsetOf(record, 'sequence');
const TO_PORT = offsetOf(record, 'toPort');
const DISCARDED = offsetOf(record, 'discarded');
const TO_MAC = offsetOf(record, 'toMac');
const TO_IP = offsetOf(record, 'toIp');

export const station: Device = {
  name: 'station',
  sizeBytes: 0,
  accessSizes: [],
  record,
  reset() {},
  load: () => 0,
  store() {},
  receiveFrame(port, frame) {
    const to = destinationOf(frame);
    if (!isMulticast(to) && !isSame(to, SELF.mac)) return;
    const packet = readFrame(frame);
    if (packet?.kind === 'arp request' && isSame(packet.target, SELF.ip)) {
      port.board.transmit(arpReply(SELF, packet.from));
    } else if (packet?.kind === 'ipv4' && isSame(packet.to, SELF.ip)) {
      if (packet.protocol === PROTOCOL_ICMP) {
        const reply = echoReply(packet.payload);
        if (reply) port.board.transmit(ipv4(SELF, packet.from, PROTOCOL_ICMP, reply));
      } else if (packet.protocol === PROTOCOL_UDP) serve(port, packet.from, packet.payload);
    }
  },
  deadline: (port) => (port.get(LEFT) > 0 ? getWide(port, DUE) : NEVER),
  tick(port) {
    const payload = new Uint8Array(port.get(SIZE));
    const sequence = port.get(SEQUENCE);
    for (let n = SEQUENCE_BYTES; n < payload.length; n++) payload[n] = n;
    new DataView(payload.buffer).setUint32(0, sequence);
    const mac = Uint8Array.from({ length: 6 }, (_, n) => port.getByte(TO_MAC + n));
    const ip = Uint8Array.from({ length: 4 }, (_, n) => port.getByte(TO_IP + n));
    send(port, { mac, ip }, PORT_SOURCE, port.get(TO_PORT), payload);
    port.set(SEQUENCE, sequence + 1);
    port.set(LEFT, port.get(LEFT) - 1);
    setWide(port, DUE, port.board.ticks() + TICKS_PER_US * port.get(INTERVAL));
  },
};

function serve(port: Port, from: Address, bytes: Uint8Array): void {
  const datagram = readUdp(bytes);
  if (!datagram) return;
  const { toPort, fromPort, payload } = datagram;
  if (toPort === PORT_ECHO) send(port, from, PORT_ECHO, fromPort, payload);
  else if (toPort === PORT_DISCARD) port.set(DISCARDED, (port.get(DISCARDED) + payload.length) >>> 0);
  else if (toPort === PORT_SOURCE && payload.length === ORDER_BYTES) order(port, from, fromPort, payload);
}

function order(port: Port, from: Address, fromPort: number, payload: Uint8Array): void {
  const view = new DataView(payload.buffer, payload.byteOffset, ORDER_BYTES);
  port.set(LEFT, view.getUint32(0));
  port.set(INTERVAL, Math.max(1, view.getUint32(4)));
  port.set(SIZE, Math.min(MAX_PAYLOAD_BYTES, Math.max(SEQUENCE_BYTES, view.getUint16(8))));
  port.set(SEQUENCE, 0);
  port.set(TO_PORT, fromPort);
  for (const [n, byte] of from.mac.entries()) port.setByte(TO_MAC + n, byte);
  for (const [n, byte] of from.ip.entries()) port.setByte(TO_IP + n, byte);
  setWide(port, DUE, port.board.ticks() + TICKS_PER_US * port.get(INTERVAL));
}

function send(port: Port, to: Address, fromPort: number, toPort: number, payload: Uint8Array): void {
  const datagram = udp(SELF, to, { fromPort, toPort, payload });
  port.board.transmit(ipv4(SELF, to, PROTOCOL_UDP, datagram));
}
