/** Ethernet, ARP, IPv4 and UDP as far as the built-in station speaks them. */
export { destinationOf, ipv4, isMulticast, isSame, readFrame, readUdp, udp } from './packet.ts';
export { station } from './station.ts';
