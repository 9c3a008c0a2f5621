/*
 * Back end of the split network device: a learning switch between the AppVMs and the real device. Frames are moved with
 * grant_copy, in batches: out of the sender's pages into ours, from there into the receivers' pages. Who has no room
 * loses the frame, as on a wire.
 */
#include "privvm.h"

#define NIC_PORT VMS_MAX
#define LEARNED 16
#define MAC_BYTES 6
#define FRAME_ROOM 2048ul

struct net_front {
  struct front front;
  struct pv_net_ring *ring;
  u8 mac[MAC_BYTES];
  /** Frames taken from its transmit slots, and put into its receive slots; they count freely. */
  u32 taken, put;
};
static struct net_front fronts[VMS_MAX];

/** Which station is behind which port. */
static struct {
  u8 mac[MAC_BYTES];
  u64 port;
} learned[LEARNED];
static u64 learned_count;

/** What is being copied out of a sender's pages. */
static u8 frames[PV_SLOTS][FRAME_ROOM] __attribute__((aligned(PAGE_BYTES)));
static struct grant_copy taking[PV_SLOTS] __attribute__((aligned(1024)));
/** What waits for delivery: from our memory to the page of a receiver. */
static struct grant_copy giving[GRANT_COPY_MAX] __attribute__((aligned(1024)));
static struct {
  u64 index;
  u32 slot;
} receivers[GRANT_COPY_MAX];
static u64 giving_count;
_Static_assert(PV_SLOTS <= GRANT_COPY_MAX && sizeof(giving) <= 1024, "one call, one page");

void backend_net_attach(u64 index) {
  u64 vmid = FIRST_VMID + index;
  fronts[index] = (struct net_front){.front = {FRONT_SEARCHED, index, vmid, NULL, 0, 0}};
  memcpy(fronts[index].mac, (const u8[]){0x52, 0x54, 0, 0, 0, (u8)vmid}, MAC_BYTES);
}

static void learn(const u8 *mac, u64 port) {
  for (u64 n = 0; n < learned_count; n++) {
    if (memcmp(learned[n].mac, mac, MAC_BYTES) != 0) continue;
    learned[n].port = port;
    return;
  }
  if (learned_count == LEARNED) return; /* the rest is flooded */
  memcpy(learned[learned_count].mac, mac, MAC_BYTES);
  learned[learned_count++].port = port;
}

void backend_net_flush(void) {
  u64 count = giving_count;
  giving_count = 0;
  if (count == 0) return;
  i64 done = checked("grant_copy to front ends", hypercall(CALL_GRANT_COPY, giving, count));
  fence(); /* the frames before the counters that cover them */
  u64 notify = 0;
  for (u64 n = 0; n < count; n++) {
    struct net_front *its = &fronts[receivers[n].index];
    if (its->front.state != FRONT_CONNECTED) continue;
    its->ring->rx[receivers[n].slot].bytes = done < 0 || giving[n].result < 0 ? 0 : giving[n].bytes;
    fence();
    its->ring->rx_done++;
    notify |= 1ul << receivers[n].index;
  }
  for (u64 index = 0; index < VMS_MAX; index++)
    if ((notify >> index & 1) != 0 && fronts[index].front.state == FRONT_CONNECTED) front_notify(&fronts[index].front);
}

/** Queues a frame for an AppVM; it must stay until the next flush. */
static void give(struct net_front *its, const u8 *frame, u64 bytes) {
  if (its->front.state != FRONT_CONNECTED || its->ring->rx_made - its->put - 1 >= PV_SLOTS) return;
  fence(); /* the counter before what it covers */
  if (giving_count == GRANT_COPY_MAX) backend_net_flush();
  if (its->front.state != FRONT_CONNECTED) return;
  u32 slot = its->put++ % PV_SLOTS;
  receivers[giving_count].index = its->front.index;
  receivers[giving_count].slot = slot;
  giving[giving_count++] = (struct grant_copy){
      .from = {0, (u64)frame, 0}, .to = {its->front.vmid, its->ring->rx[slot].ref, 0}, .bytes = bytes, .result = 0};
}

static void send(u64 port, const u8 *frame, u64 bytes) {
  if (port == NIC_PORT) nic_send(frame, bytes);
  else give(&fronts[port], frame, bytes);
}

/** To the port behind which the destination is; to all others when it is not known, or a group. */
static void forward(u64 from, const u8 *frame, u64 bytes) {
  learn(frame + MAC_BYTES, from);
  u64 to = NIC_PORT + 1;
  for (u64 n = 0; n < learned_count && (frame[0] & 1) == 0; n++)
    if (memcmp(learned[n].mac, frame, MAC_BYTES) == 0) to = learned[n].port;
  if (to <= NIC_PORT) {
    if (to != from) send(to, frame, bytes);
    return;
  }
  for (u64 port = 0; port <= NIC_PORT; port++)
    if (port != from) send(port, frame, bytes);
}

void backend_net_from_nic(const u8 *frame, u64 bytes) { forward(NIC_PORT, frame, bytes); }

/** Takes the frames that are there: at most a ring full. */
static u64 take_round(struct net_front *its) {
  u32 made = its->ring->tx_made;
  u64 count = (u32)(made - its->taken);
  if (count > PV_SLOTS) {
    front_failed(&its->front, "its network device has more frames than slots", CALL_BAD_ARGUMENT);
    return 0;
  }
  if (count == 0) return 0;
  fence(); /* the counter before what it covers */
  for (u64 n = 0; n < count; n++) {
    const volatile struct pv_net_packet *packet = &its->ring->tx[(its->taken + n) % PV_SLOTS];
    u64 ref = packet->ref, bytes = packet->bytes;
    if (bytes > FRAME_MAX) bytes = FRAME_MIN - 1; /* copied, and then dropped as too short */
    taking[n] = (struct grant_copy){
        .from = {its->front.vmid, ref, 0}, .to = {0, (u64)frames[n], 0}, .bytes = bytes, .result = 0};
  }
  if (checked("grant_copy from a front end", hypercall(CALL_GRANT_COPY, taking, count)) < 0) return 0;
  its->taken += (u32)count;
  for (u64 n = 0; n < count; n++) {
    /* What it did not grant is lost. Nobody speaks under another's address. */
    if (taking[n].result < 0 || taking[n].bytes < FRAME_MIN) continue;
    if (memcmp(frames[n] + MAC_BYTES, its->mac, MAC_BYTES) == 0) forward(its->front.index, frames[n], taking[n].bytes);
  }
  backend_net_flush();
  if (its->front.state != FRONT_CONNECTED) return 0;
  its->ring->tx_done = its->taken;
  front_notify(&its->front);
  return count;
}

static void serve(u64 index) {
  struct net_front *its = &fronts[index];
  while (its->front.state == FRONT_CONNECTED && take_round(its) != 0) {
  }
}

void backend_net_search(u64 index) {
  struct net_front *its = &fronts[index];
  if (its->front.state != FRONT_SEARCHED || !front_search(&its->front, PV_NET, serve)) return;
  its->ring = its->front.ring;
  its->taken = its->put = its->ring->tx_done = its->ring->rx_done = 0;
  memcpy(its->ring->mac, its->mac, MAC_BYTES);
  learn(its->mac, index);
  fence();
  its->ring->connected = 1;
  front_notify(&its->front);
  serve(index);
}

void backend_net_detach(u64 index) { front_close(&fronts[index].front); }
