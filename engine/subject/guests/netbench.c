/*
 * Guest `netbench`: an echo server (RFC 862, UDP port 7) on 10.0.2.(100 + VMID) at 52:54:00:00:00:VMID. Answers ARP and
 * every datagram of whoever sends. What it prints does not depend on what came: the sender counts.
 *
 * Frames as in RFC 894 (Ethernet), RFC 826 (ARP), RFC 791 (IPv4, no options, no fragments), RFC 768 (UDP).
 */
#include "front.h"

#define ETHER_BYTES 14ul
#define IP_BYTES 20ul
#define UDP_BYTES 8ul
#define ARP_BYTES 28ul
#define TYPE_ARP 0x0806
#define TYPE_IPV4 0x0800
#define PROTOCOL_UDP 17
#define PORT_ECHO 7
#define MIN_FRAME_BYTES 60ul

static u8 frame[NET_FRAME_BYTES + 8] __attribute__((aligned(8)));
static u8 mac[6] = {0x52, 0x54, 0, 0, 0, 0};
static u8 ip[4] = {10, 0, 2, 0};
static const u8 nobody[6], everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static u16 get16(const u8 *at) { return (u16)(at[0] << 8 | at[1]); }
static void put16(u8 *at, u64 value) {
  at[0] = (u8)(value >> 8);
  at[1] = (u8)value;
}

/** The Internet checksum's sum (RFC 1071), before folding and complement. */
static u64 sum16(const u8 *bytes, u64 count, u64 sum) {
  for (; count >= 2; count -= 2, bytes += 2) sum += get16(bytes);
  return count == 0 ? sum : sum + ((u64)bytes[0] << 8);
}

static u16 fold(u64 sum) {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return (u16)~sum;
}

/** Over the pseudo header, too. */
static u16 udp_checksum(const u8 *packet, const u8 *datagram, u64 bytes) {
  return fold(sum16(datagram, bytes, sum16(packet + 12, 8, PROTOCOL_UDP + bytes)));
}

static void send(u64 bytes) {
  while (bytes < MIN_FRAME_BYTES) frame[bytes++] = 0;
  net_send(frame, bytes); /* no room: lost, as on any network */
}

static void arp_send(u64 operation, const u8 *to_mac, const u8 *to_ip) {
  u8 *arp = frame + ETHER_BYTES, target_mac[6], target_ip[4];
  memcpy(target_mac, to_mac, 6); /* they may lie in the frame that we write */
  memcpy(target_ip, to_ip, 4);
  memcpy(frame, memcmp(target_mac, nobody, 6) == 0 ? everybody : target_mac, 6);
  memcpy(frame + 6, mac, 6);
  put16(frame + 12, TYPE_ARP);
  static const u8 kind[6] = {0, 1, 8, 0, 6, 4}; /* Ethernet, IPv4, lengths of their addresses */
  memcpy(arp, kind, 6);
  put16(arp + 6, operation);
  memcpy(arp + 8, mac, 6);
  memcpy(arp + 14, ip, 4);
  memcpy(arp + 18, target_mac, 6);
  memcpy(arp + 24, target_ip, 4);
  send(ETHER_BYTES + ARP_BYTES);
}

static void arp_receive(u64 bytes) {
  const u8 *arp = frame + ETHER_BYTES;
  if (bytes < ETHER_BYTES + ARP_BYTES || get16(arp + 6) != 1 || memcmp(arp + 24, ip, 4) != 0) return;
  arp_send(2, arp + 8, arp + 14);
}

/** Answers a whole and correct datagram for the echo port in place: addresses and ports change sides. */
static void ip_receive(u64 bytes) {
  u8 *packet = frame + ETHER_BYTES, *datagram = packet + IP_BYTES;
  if (bytes < ETHER_BYTES + IP_BYTES + UDP_BYTES || memcmp(frame, mac, 6) != 0) return;
  u64 total = get16(packet + 2), length = get16(datagram + 4);
  if (packet[0] != 0x45 || (get16(packet + 6) & 0x3fff) != 0 || packet[9] != PROTOCOL_UDP) return;
  if (total > bytes - ETHER_BYTES || total < IP_BYTES + UDP_BYTES || length < UDP_BYTES || length > total - IP_BYTES)
    return;
  if (memcmp(packet + 16, ip, 4) != 0 || fold(sum16(packet, IP_BYTES, 0)) != 0) return;
  if (get16(datagram + 2) != PORT_ECHO) return;
  if (get16(datagram + 6) != 0 && udp_checksum(packet, datagram, length) != 0) return;
  memcpy(frame, frame + 6, 6);
  memcpy(frame + 6, mac, 6);
  memcpy(packet + 16, packet + 12, 4);
  memcpy(packet + 12, ip, 4);
  packet[8] = 64; /* time to live */
  put16(packet + 10, 0);
  put16(packet + 10, fold(sum16(packet, IP_BYTES, 0)));
  put16(datagram + 2, get16(datagram));
  put16(datagram, PORT_ECHO);
  put16(datagram + 6, 0);
  u16 checksum = udp_checksum(packet, datagram, length);
  put16(datagram + 6, checksum == 0 ? 0xffff : checksum);
  send(ETHER_BYTES + total);
}

static void receive(u64 bytes) {
  if (bytes < ETHER_BYTES) return;
  u16 type = get16(frame + 12);
  if (type == TYPE_ARP) arp_receive(bytes);
  if (type == TYPE_IPV4) ip_receive(bytes);
}

u64 guest_main(const char *arguments) {
  u64 ms = option_number(arguments, "netms", 200) * option_number(arguments, "scale", 1);
  if (guest_failures != 0) return 1;
  u64 end = time_now() + ms * TIME_PER_MS, vmid = (u64)checked("get_vmid", hypercall(CALL_GET_VMID));
  mac[5] = (u8)vmid;
  ip[3] = (u8)(100 + vmid);
  if (net_connect(mac) != 0) return 1;
  print_line("echo on 10.0.2.%d port %d for %d ms", (u64)ip[3], (u64)PORT_ECHO, ms);
  arp_send(1, nobody, ip); /* here we are (RFC 5227, 3) */
  for (u64 slice = 0; time_now() < end;) {
    for (u64 bytes; (bytes = net_receive(frame)) != 0;) receive(bytes);
    u64 due = (time_now() - (end - ms * TIME_PER_MS)) / (10 * TIME_PER_MS);
    if (due > slice) hypercall(CALL_REPORT_PROGRESS, slice = due);
    net_wait(end);
  }
  print_line("echo ok");
  return 0;
}
