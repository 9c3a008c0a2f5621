/**
 * Ethernet, ARP, IPv4, ICMP and UDP as far as the built-in station speaks them (RFC 826, 791, 792, 768). IPv4 options
 * and fragments are not understood. Nothing here keeps state.
 */

const ETHERNET_BYTES = 14;
const IPV4_BYTES = 20;
const UDP_BYTES = 8;
const TYPE_IPV4 = 0x0800;
const TYPE_ARP = 0x0806;
const ARP_BYTES = 28;
const ARP_REQUEST = 1;
const ARP_REPLY = 2;
export const PROTOCOL_ICMP = 1;
export const PROTOCOL_UDP = 17;
const TTL = 64;
const NO_FRAGMENTS = 0x4000;

/** An end of a conversation. */
export interface Address {
  readonly mac: Uint8Array;
  readonly ip: Uint8Array;
}

export type Packet =
  | { readonly kind: 'arp request'; readonly from: Address; readonly target: Uint8Array }
  | {
      readonly kind: 'ipv4';
      readonly from: Address;
      readonly to: Uint8Array;
      readonly protocol: number;
      readonly payload: Uint8Array;
    };

export interface Datagram {
  readonly fromPort: number;
  readonly toPort: number;
  readonly payload: Uint8Array;
}

export const isMulticast = (mac: Uint8Array): boolean => (mac[0]! & 1) !== 0;
export const isSame = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, n) => byte === b[n]);
export const destinationOf = (frame: Uint8Array): Uint8Array => frame.subarray(0, 6);

/** What a frame says; undefined when it is something else, or malformed. */
export function readFrame(frame: Uint8Array): Packet | undefined {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const mac = frame.slice(6, 12);
  const type = view.getUint16(12);
  if (type === TYPE_ARP && frame.length >= ETHERNET_BYTES + ARP_BYTES) {
    // Ethernet and IPv4 only: hardware type 1, protocol type, their lengths.
    const header = view.getUint32(14) === 0x00010800 && view.getUint32(18) === (0x06040000 | ARP_REQUEST);
    if (!header) return undefined;
    return { kind: 'arp request', from: { mac, ip: frame.slice(28, 32) }, target: frame.slice(38, 42) };
  }
  if (type !== TYPE_IPV4 || frame.length < ETHERNET_BYTES + IPV4_BYTES) return undefined;
  const ip = frame.subarray(ETHERNET_BYTES);
  const total = view.getUint16(ETHERNET_BYTES + 2);
  const isFragment = (view.getUint16(ETHERNET_BYTES + 6) & 0x3fff) !== 0;
  if (ip[0] !== 0x45 || isFragment || total < IPV4_BYTES || total > ip.length) return undefined;
  if (checksum(ip.subarray(0, IPV4_BYTES)) !== 0) return undefined;
  return {
    kind: 'ipv4',
    from: { mac, ip: ip.slice(12, 16) },
    to: ip.slice(16, 20),
    protocol: ip[9]!,
    payload: ip.slice(IPV4_BYTES, total),
  };
}

/** A frame that answers who has `self.ip`. */
export function arpReply(self: Address, to: Address): Uint8Array {
  const frame = ethernet(self, to, TYPE_ARP, ARP_BYTES);
  const view = new DataView(frame.buffer);
  view.setUint32(14, 0x00010800);
  view.setUint32(18, 0x06040000 | ARP_REPLY);
  frame.set(self.mac, 22);
  frame.set(self.ip, 28);
  frame.set(to.mac, 32);
  frame.set(to.ip, 38);
  return frame;
}

/** A frame with an IPv4 packet. Its identification is 0, as RFC 6864 allows where nothing is fragmented. */
export function ipv4(self: Address, to: Address, protocol: number, payload: Uint8Array): Uint8Array {
  const frame = ethernet(self, to, TYPE_IPV4, IPV4_BYTES + payload.length);
  const view = new DataView(frame.buffer, ETHERNET_BYTES);
  view.setUint8(0, 0x45);
  view.setUint16(2, IPV4_BYTES + payload.length);
  view.setUint16(6, NO_FRAGMENTS);
  view.setUint8(8, TTL);
  view.setUint8(9, protocol);
  frame.set(self.ip, ETHERNET_BYTES + 12);
  frame.set(to.ip, ETHERNET_BYTES + 16);
  view.setUint16(10, checksum(frame.subarray(ETHERNET_BYTES, ETHERNET_BYTES + IPV4_BYTES)));
  frame.set(payload, ETHERNET_BYTES + IPV4_BYTES);
  return frame;
}

/** The answer to an ICMP echo request; undefined when it is something else or damaged. */
export function echoReply(request: Uint8Array): Uint8Array | undefined {
  if (request.length < 8 || request[0] !== 8 || request[1] !== 0 || checksum(request) !== 0) return undefined;
  const reply = request.slice();
  reply[0] = 0;
  const view = new DataView(reply.buffer);
  view.setUint16(2, 0);
  view.setUint16(2, checksum(reply));
  return reply;
}

/** The datagram in an IPv4 payload; undefined when it is cut off. Its checksum is not looked at. */
export function readUdp(payload: Uint8Array): Datagram | undefined {
  if (payload.length < UDP_BYTES) return undefined;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const length = view.getUint16(4);
  if (length < UDP_BYTES || length > payload.length) return undefined;
  return { fromPort: view.getUint16(0), toPort: view.getUint16(2), payload: payload.slice(UDP_BYTES, length) };
}

/** A datagram with its checksum, which covers both addresses. */
export function udp(self: Address, to: Address, { fromPort, toPort, payload }: Datagram): Uint8Array {
  const bytes = new Uint8Array(UDP_BYTES + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, fromPort);
  view.setUint16(2, toPort);
  view.setUint16(4, bytes.length);
  bytes.set(payload, UDP_BYTES);
  const pseudo = new Uint8Array(12 + bytes.length);
  pseudo.set(self.ip, 0);
  pseudo.set(to.ip, 4);
  pseudo[9] = PROTOCOL_UDP;
  new DataView(pseudo.buffer).setUint16(10, bytes.length);
  pseudo.set(bytes, 12);
  // 0 would mean "no checksum".
  view.setUint16(6, checksum(pseudo) || 0xffff);
  return bytes;
}

/** The Internet checksum (RFC 1071): 0 over data that includes a right one. */
export function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let n = 0; n < bytes.length; n++) sum += n % 2 === 0 ? bytes[n]! << 8 : bytes[n]!;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** A frame with its header, the rest zero; padded to the 60 bytes that Ethernet wants. */
function ethernet(self: Address, to: Address, type: number, payloadBytes: number): Uint8Array {
  const frame = new Uint8Array(Math.max(60, ETHERNET_BYTES + payloadBytes));
  frame.set(to.mac, 0);
  frame.set(self.mac, 6);
  new DataView(frame.buffer).setUint16(12, type);
  return frame;
}
